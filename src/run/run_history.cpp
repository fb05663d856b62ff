// The history with what a run did: attributes set, events emitted, and the actions as events of their own.

#include <algorithm>
#include <map>
#include <numeric>

#include "history/settle.hpp"
#include "run/run_data.hpp"

namespace journeyman {
namespace {

/// Rows that come to those of a timeline; `source` says where their cells are.
struct new_row {
    std::uint32_t contact, order;
    std::int64_t at;
    std::uint32_t source;
};

/// The rows of both, sorted, and for each where it comes from: a row of before, or `before + source`.
std::vector<std::uint32_t> merge(timeline& rows, std::vector<new_row> added) {
    const auto before = static_cast<std::uint32_t>(rows.rows());
    std::vector<new_row> all;
    all.reserve(before + added.size());
    const auto take = [&](std::uint32_t owner, std::uint32_t begin, std::uint32_t end) {
        for (auto r = begin; r < end; ++r) all.push_back({owner, rows.order[r], rows.at[r], r});
    };
    if (!rows.dense.empty()) for (std::uint32_t o = 0; o + 1 < rows.dense.size(); ++o) take(o, rows.dense[o], rows.dense[o + 1]);
    else for (std::uint32_t k = 0; k < rows.owners.size(); ++k) take(rows.owners[k], rows.begins[k], rows.begins[k + 1]);
    for (auto& r : added) r.source += before;
    all.insert(all.end(), added.begin(), added.end());
    std::stable_sort(all.begin(), all.end(), [](const new_row& a, const new_row& b) { return std::tie(a.contact, a.at, a.order) < std::tie(b.contact, b.at, b.order); });
    rows = {};
    std::vector<std::uint32_t> from;
    from.reserve(all.size());
    for (const auto& r : all) {
        if (rows.owners.empty() || rows.owners.back() != r.contact) {
            rows.owners.push_back(r.contact);
            rows.begins.push_back(static_cast<std::uint32_t>(rows.at.size()));
        }
        rows.at.push_back(r.at);
        rows.order.push_back(r.order);
        from.push_back(r.source);
    }
    rows.begins.push_back(static_cast<std::uint32_t>(rows.at.size()));
    return from;
}

template <class T>
void gather(shared_vector<T>& cells, const std::vector<std::uint32_t>& from, const std::vector<std::int64_t>& added_at, T other) {
    if (cells.empty()) return;
    std::vector<T> out;
    for (const auto f : from) out.push_back(f < cells.size() ? cells[f] : added_at.empty() ? other : static_cast<T>(added_at[f - cells.size()]));
    cells = std::move(out);
}

/// A column with the cells of added rows; one without a type takes that of the first.
column gathered(const column* given, std::size_t before, const std::vector<value>& added, const std::vector<std::uint32_t>& from) {
    auto type = given == nullptr ? value_type::missing : given->type();
    for (const auto& v : added) if (type == value_type::missing) type = v.type;
    column out{type};
    for (const auto f : from) {
        value v = f < before ? (given == nullptr ? value{} : given->at(f)) : added[f - before];
        if (v.type != type && is_number(v.type) && type == value_type::decimal) v = value::of(v.as_decimal());
        out.push(v.type == type ? v : value{});
    }
    return out;
}

class run_writer {
public:
    explicit run_writer(const run_data& d) : d_{d}, out_{std::make_shared<history_data>(d.given.data())} {
        std::erase_if(out_->streams, [](const event_stream& s) { return s.name == "$action"; });   // of an earlier run
        out_->schema.events.erase("$action");
    }

    history write() {
        move_rows();
        const auto& p = d_.program->predicates;
        std::map<std::uint32_t, std::vector<const caused_row*>> events, changes;
        for (const auto& part : d_.parts)
            for (const auto& c : part.caused) (c.attribute ? changes : events)[c.slot].push_back(&c);
        for (const auto& [slot, rows] : events) add_events(stream(p->streams[slot]), rows);
        for (const auto& [slot, rows] : changes) add_changes(attribute(p->attributes[slot].name), rows);
        actions();
        detail::settle(*out_);
        return history{std::move(out_)};
    }

private:
    void move_rows() {
        const auto& p = d_.program->predicates;
        for (const auto& part : d_.parts)
            for (const auto& m : part.moved) {
                if (!m.attribute) stream(p->streams[m.slot]).rows.order.set(m.row, m.order);
                else if (!p->attributes[m.slot].of_account) attribute(p->attributes[m.slot].name).rows.order.set(m.row, m.order);
            }
    }
    event_stream& stream(const std::string& name) { return named(out_->streams, name); }
    attribute_stream& attribute(const std::string& name) { return named(out_->contact_attributes, name); }
    /// The one of this name among those sorted by name; a new one, without rows, where there is none.
    template <class Stream> static Stream& named(std::vector<Stream>& all, const std::string& name) {
        const auto it = std::lower_bound(all.begin(), all.end(), name, [](const Stream& x, const std::string& n) { return x.name < n; });
        if (it != all.end() && it->name == name) return *it;
        Stream s;
        s.name = name;
        s.rows.begins.push_back(0);
        return *all.insert(it, std::move(s));
    }
    static std::vector<new_row> places(const std::vector<const caused_row*>& rows) {
        std::vector<new_row> out;
        for (const auto* r : rows) out.push_back({r->contact, r->at.order, r->at.at.time_since_epoch().count(), static_cast<std::uint32_t>(out.size())});
        return out;
    }
    static std::vector<std::int64_t> instants(const std::vector<const caused_row*>& rows) {
        std::vector<std::int64_t> out;
        for (const auto* r : rows) out.push_back(r->at.at.time_since_epoch().count());
        return out;
    }

    void add_events(event_stream& s, const std::vector<const caused_row*>& rows) {
        const auto before = s.rows.rows();
        const auto from = merge(s.rows, places(rows));
        gather(s.ids, from, {}, static_cast<std::uint32_t>(no_text));
        gather(s.arrived, from, instants(rows), std::int64_t{0});
        const auto& names = d_.program->predicates->properties;
        std::map<std::string, std::vector<value>> added;
        for (const auto& [name, _] : s.properties.columns) added.try_emplace(name, rows.size());
        for (std::size_t r = 0; r < rows.size(); ++r)
            for (std::size_t k = 0; k < rows[r]->properties.size(); ++k) {
                auto& cells = added[names[rows[r]->properties[k]]];
                cells.resize(rows.size());
                cells[r] = rows[r]->values[k];
            }
        property_columns made;
        auto& known = out_->schema.events[s.name];
        for (const auto& [name, cells] : added) {
            made.columns.emplace_back(name, gathered(s.properties.find(name), before, cells, from));
            known[name] = made.columns.back().second.type();
        }
        s.properties = std::move(made);
    }
    void add_changes(attribute_stream& s, const std::vector<const caused_row*>& rows) {
        const auto before = s.rows.rows();
        const auto from = merge(s.rows, places(rows));
        gather(s.arrived, from, instants(rows), std::int64_t{0});
        std::vector<value> added;
        for (const auto* r : rows) added.push_back(r->values[0]);
        // What held before the first change keeps its type.
        const column first{s.type};
        s.values = gathered(before > 0 ? &s.values : s.type == value_type::missing ? nullptr : &first, before, added, from);
        s.type = s.values.type();
        out_->schema.contact[s.name] = s.type;
    }

    void actions() {
        std::vector<new_row> places;
        std::vector<action_row> rows;
        d_.each_action([&](std::uint32_t contact, const step_action& a) {
            places.push_back({contact, a.at.order, a.at.at.time_since_epoch().count(), static_cast<std::uint32_t>(rows.size())});
            rows.push_back({contact, a});
        });
        if (rows.empty()) return;
        auto& s = stream("$action");
        const auto from = merge(s.rows, std::move(places));
        const auto& names = d_.given.data().contacts;
        auto& pool = *out_->pool;
        const auto text = [&](std::string_view x) { return x.empty() ? value{} : value::of(pool.intern(x)); };
        const auto add = [&](const char* name, value_type type, auto cell) {
            column c{type};
            for (const auto f : from) {
                const auto& w = d_.program->workflows[rows[f].what.workflow];
                c.push(cell(rows[f], w, w.steps[rows[f].what.step]));
            }
            s.properties.columns.emplace_back(name, std::move(c));                       // sorted by name
            out_->schema.events["$action"].emplace(name, type);
        };
        using row = const action_row&;
        using flow = const compiled_workflow&;
        using step = const compiled_step&;
        add("channel", value_type::text, [&](row a, flow, step) { return text(a.what.channel == none ? std::string_view{} : d_.program->channels[a.what.channel]); });
        add("journey", value_type::integer, [&](row a, flow, step) { return value::of(std::int64_t{a.what.journey}); });
        add("key", value_type::text, [&](row a, flow w, step c) { return text(action_key(w, names.name(a.contact), a.what.journey, c)); });
        add("kind", value_type::text, [&](row, flow, step c) { return text(kind_name(c.kind)); });
        add("phase", value_type::text, [&](row, flow, step c) { return text(c.phase); });
        add("reason", value_type::text, [&](row a, flow, step) { return text(to_string(a.what.reason)); });
        add("status", value_type::text, [&](row a, flow, step) { return text(to_string(a.what.status)); });
        add("step", value_type::text, [&](row, flow, step c) { return text(c.name); });
        add("template", value_type::text, [&](row, flow, step c) { return text(template_of(c)); });
        add("version", value_type::text, [&](row, flow w, step) { return text(w.version); });
        add("workflow", value_type::text, [&](row, flow w, step) { return text(w.name); });
    }

    const run_data& d_;
    std::shared_ptr<history_data> out_;
};

}  // namespace

history history_with_run(const run_data& d) { return run_writer{d}.write(); }

}  // namespace journeyman
