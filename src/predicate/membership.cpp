#include "journeyman/predicate/membership.hpp"

#include <algorithm>
#include <utility>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "predicate/membership_walk.hpp"

namespace journeyman {
namespace {

std::int64_t micros(instant t) { return t.time_since_epoch().count(); }

void check_window(instant start, instant end) {
    if (end <= start) throw error{"predicate.window", "", "the end must be after the start"};
}

}  // namespace

table detail::stays_table(const history_data& h, const std::vector<stay>& all) {
    const auto& ids = h.contacts;
    table out{{"contact_id", ids.type()}, {"entered_at", value_type::instant}, {"left_at", value_type::instant}};
    std::vector<std::int64_t> cells(all.size());
    const auto column = [&](std::size_t k, auto of) {
        for (std::size_t i = 0; i < all.size(); ++i) cells[i] = of(all[i]);
        out[k].push_integers(cells, stay::stays);
    };
    if (ids.are_integers()) {
        for (std::size_t i = 0; i < all.size(); ++i) cells[i] = ids.integers[all[i].contact];
        out[0].push_integers(cells);
    } else {
        out[0].reserve(all.size());
        for (const auto& s : all) ids.push_to(out[0], s.contact);
    }
    column(1, [](const stay& s) { return s.entered; });
    column(2, [](const stay& s) { return s.left; });
    return out;
}

table membership(const history& h, const expression& e, instant start, instant end, const compile_context& context) {
    const auto [program, n] = compile(e, h.schema(), h.data().pool, context);
    return membership(h, program, n, start, end);
}

table membership(const history& h, const program_ptr& program, node_id n, instant start, instant end) {
    check_window(start, end);
    std::vector<detail::stay> all;
    detail::membership_walk{program, h.data(), n, start, end}.all(all);
    return detail::stays_table(h.data(), all);
}

table membership_plainly(const history& h, const program_ptr& program, node_id n, instant start, instant end) {
    check_window(start, end);
    std::vector<detail::stay> all;
    history_reader reader{program, h.data()};
    for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
        reader.load(k);
        instant entered = end_of_time;                // out
        for (instant t = std::max(start, reader.view().exists_from); t < end;) {
            instant next = end_of_time;
            const bool in = evaluate(*program, n, reader.see(t), t, next).is_yes();
            if (in && entered == end_of_time) entered = t;
            if (!in && entered != end_of_time) all.push_back({k, micros(std::exchange(entered, end_of_time)), micros(t)});
            t = next;
            const auto look = [&](const auto& every, std::uint32_t seen) {
                if (seen < every.count) t = std::min(t, instant{microseconds{every.at[seen]}});
            };
            for (std::uint32_t s = 0; s < program->streams.size(); ++s) look(reader.all(s), reader.view().streams[s].count);
            for (std::uint32_t a = 0; a < program->attributes.size(); ++a) look(reader.all_changes(a), reader.view().attributes[a].count);
        }
        if (entered != end_of_time) all.push_back({k, micros(entered)});
    }
    return detail::stays_table(h.data(), all);
}

table changes(const history& h, const expression& e, instant start, instant end, const compile_context& context) { return changes(membership(h, e, start, end, context)); }

table changes(const table& stays) {
    struct change {
        std::int64_t at;
        std::uint32_t row;   // by contact and time
        bool entered;
    };
    std::vector<change> all;
    all.reserve(stays.rows() * 2);
    for (std::uint32_t r = 0; r < stays.rows(); ++r) {
        all.push_back({stays[1].integers()[r], r, true});
        if (stays[2].present(r)) all.push_back({stays[2].integers()[r], r, false});
    }
    std::sort(all.begin(), all.end(), [](const change& a, const change& b) { return a.at != b.at ? a.at < b.at : a.row < b.row; });
    const table_column& ids = stays[0];
    table out{{ids.name(), ids.type()}, {"at", value_type::instant}, {"change", value_type::text}};
    for (auto& c : out.columns()) c.reserve(all.size());
    for (const auto& c : all) {
        if (ids.type() == value_type::text) out[0].push_text(ids.text(c.row));
        else out[0].push_integer(ids.integers()[c.row]);
        out[1].push_integer(c.at);
        out[2].push_text(c.entered ? "entered" : "left");
    }
    return out;
}

table sizes(const history& h, const expression& e, instant start, instant end, std::optional<calendar_unit> every, const compile_context& context) {
    return sizes(membership(h, e, start, end, context), start, end, every, *context.zone, context.weeks);
}

table sizes(const table& stays, instant start, instant end, std::optional<calendar_unit> every, const time_zone& zone, week_start weeks) {
    check_window(start, end);
    std::vector<std::int64_t> in = stays[1].integers(), left;
    for (std::size_t r = 0; r < stays.rows(); ++r)
        if (stays[2].present(r)) left.push_back(stays[2].integers()[r]);
    std::sort(in.begin(), in.end());
    std::sort(left.begin(), left.end());
    table out{{"at", value_type::instant}, {"members", value_type::integer}};
    std::size_t i = 0, l = 0;                     // how many have come and gone
    std::int64_t members = 0;
    /// All that moves up to an instant; whether the number is another one then.
    const auto pass = [&](std::int64_t t) {
        while (i < in.size() && in[i] <= t) ++i;
        while (l < left.size() && left[l] <= t) ++l;
        const auto before = members;
        members = static_cast<std::int64_t>(i) - static_cast<std::int64_t>(l);
        return members != before;
    };
    const auto say = [&](instant t) {
        out[0].push(t);
        out[1].push_integer(members);
    };
    pass(micros(start));
    say(start);
    if (every) {
        for (instant t = start_of_next(*every, start, zone, 1, weeks); t < end; t = start_of_next(*every, t, zone, 1, weeks)) {
            pass(micros(t));
            say(t);
        }
        return out;
    }
    while (i < in.size() || l < left.size()) {
        const std::int64_t t = std::min(i < in.size() ? in[i] : left[l], l < left.size() ? left[l] : in[i]);
        if (pass(t)) say(instant{microseconds{t}});   // else one went, another came
    }
    return out;
}

}  // namespace journeyman
