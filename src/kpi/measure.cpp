#include "journeyman/kpi/measure.hpp"

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"

namespace journeyman {

scalar event_view::property(std::string_view name) const {
    const column* c = stream_->properties.find(name);
    return c == nullptr ? scalar{} : to_scalar(c->at(row_), *history_->pool);
}

std::optional<double> event_view::number(std::string_view name) const {
    const column* c = stream_->properties.find(name);
    const value v = c == nullptr ? value{} : c->at(row_);
    if (v.type != value_type::integer && v.type != value_type::decimal && v.type != value_type::money) return {};
    return v.as_decimal();
}

namespace detail {

void fold_events(const history& h, const selector& s, const fold_options& o, const std::function<void(std::size_t, const event_view&, const fold_key&)>& f) {
    constexpr std::uint32_t part_size = 4096;
    const auto& data = h.data();
    compiler c{h.schema(), data.pool, o.context};
    const auto counted = c.add_expression(s.count());
    const auto about = c.add_selector(s.data());
    std::vector<node_id> by;
    for (const auto& text : o.by) by.push_back(c.add_event_expression(expression::parse(text, bare_names::property), about, "by"));
    c.found().throw_first_error();

    const auto program = c.finish();
    std::vector<const event_stream*> streams;
    for (const auto& name : program->streams) streams.push_back(data.stream(name));
    history_reader reader{program, data};
    const instant t = o.at.value_or(end_of_time);
    std::vector<event_ref> events;
    fold_key key(by.size());
    for (std::uint32_t contact = 0; contact < data.contacts.size(); ++contact) {
        reader.load(contact);
        events.clear();
        each_counted(*program, counted, reader.see(t), t, [&](event_ref e, instant) { events.push_back(e); });
        for (const auto& e : events) {
            if (!by.empty()) {
                const auto place = e.place();
                const auto& view = reader.see(place);
                for (std::size_t k = 0; k < by.size(); ++k) {
                    instant next = end_of_time;
                    const value v = evaluate(*program, by[k], view, place.at, next, e);
                    key[k] = v.is_missing() ? std::nullopt : std::optional{to_text(v, *data.pool)};
                }
            }
            f(contact / part_size, {data, *streams[e.slot], contact, e.slice->row + e.index}, key);
        }
    }
}

table fold_table(const std::vector<std::string>& by, const std::vector<std::pair<fold_key, std::optional<double>>>& rows) {
    table out;
    for (const auto& name : by) out.add_column(name, value_type::text);
    out.add_column("value", value_type::decimal);
    for (const auto& [key, value] : rows) {
        for (std::size_t k = 0; k < by.size(); ++k) {
            if (key[k]) out[k].push_text(*key[k]);
            else out[k].push_missing();
        }
        if (value) out[by.size()].push_decimal(*value);
        else out[by.size()].push_missing();
    }
    return out;
}

}  // namespace detail
}  // namespace journeyman
