#include "journeyman/kpi/conversion.hpp"

#include <algorithm>
#include <map>

#include "core/interval.hpp"
#include "kpi/funnel_source.hpp"

namespace journeyman {
namespace {

using detail::funnel_hits;
using detail::funnel_source;
using detail::funnel_unit;

event_funnel looking_at(std::vector<selector> events, const conversion_options& o, bool at_all) {
    event_funnel f;
    for (auto& e : events) f.steps.emplace_back("", std::move(e));
    f.rules.unit = o.unit;
    f.rules.from = o.from;
    f.rules.to = o.to;
    f.rules.where = o.where;
    f.rules.audience = o.audience;
    if (at_all) f.rules.adjacency = funnel_rules::adjacency_t::all;   // events of no step too
    return f;
}

funnel_source source_of(const history& h, const event_funnel& f, const conversion_options& o, bool at_all) {
    auto plan = detail::plan_funnel(f, h, o.context, o.known);
    plan.all_units = at_all;
    return {h, f, std::move(plan)};
}

void push(table_column& to, std::optional<double> x) {
    if (x) to.push_decimal(*x);
    else to.push_missing();
}
std::optional<double> divided(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? std::nullopt : std::optional{static_cast<double>(part) / static_cast<double>(whole)};
}

}  // namespace

table measure_conditions(const history& h, const std::vector<selector>& conditions, const conversion_options& o) {
    const auto f = looking_at(conditions, o, false);
    auto source = source_of(h, f, o, false);
    table out;
    if (source.plan().by_contact) out.add_column("contact_id", h.data().contacts.type());
    for (const auto& u : o.unit) if (u != "contact") out.add_column(u, value_type::text);
    if (out.size() == 0) out.add_column("unit", value_type::text);
    for (std::size_t k = 0; k < conditions.size(); ++k) out.add_column("condition_" + std::to_string(k + 1), value_type::boolean);
    source.each([&](const funnel_unit& u, const funnel_hits& hits) {
        std::uint32_t seen = 0;
        for (const auto& x : hits) seen |= x.steps;
        std::size_t c = 0;
        if (u.contact != none) h.data().contacts.push_to(out[c++], u.contact);
        for (const auto& v : u.fields) out[c++].push_text(to_text(v, source.pool()));
        if (c == 0) out[c++].push_text("*");
        for (std::size_t k = 0; k < conditions.size(); ++k) out[c++].push_integer((seen & 1U) != 0 && (seen >> k & 1U) != 0);
    });
    return out;
}

table measure_conversion(const history& h, const conversion_question& q, const conversion_options& o) {
    if (q.goal.empty()) throw error{"conversion.goal", "goal", "a conversion needs a goal: one event or several, in order"};
    if (q.within_events && *q.within_events < 1) throw error{"conversion.within_events", "within_events", "`within_events` counts the events after the start, from 1"};
    std::vector<selector> events{q.start};
    events.insert(events.end(), q.goal.begin(), q.goal.end());
    const auto f = looking_at(std::move(events), o, true);
    auto source = source_of(h, f, o, true);
    std::int64_t units = 0, with_start = 0, converted = 0, anywhere = 0;
    /// Whether the goals come in order among hits [from, to), up to an instant.
    const auto reaches = [&](const funnel_hits& hits, std::size_t from, std::size_t to, std::int64_t until) {
        std::size_t goal = 0;
        for (std::size_t k = from; k < to && goal < q.goal.size() && hits[k].at <= until; ++k) goal += hits[k].steps >> (goal + 1) & 1U;
        return goal == q.goal.size();
    };
    source.each([&](const funnel_unit&, const funnel_hits& hits) {
        constexpr auto forever = std::numeric_limits<std::int64_t>::max();
        ++units;
        anywhere += reaches(hits, 0, hits.size(), forever);
        const auto is_start = [](const detail::funnel_hit& x) { return (x.steps & 1U) != 0; };
        auto start = std::find_if(hits.begin(), hits.end(), is_start);
        if (start == hits.end()) return;
        if (q.last_start) start = std::prev(std::find_if(hits.rbegin(), hits.rend(), is_start).base());
        ++with_start;
        const auto from = static_cast<std::size_t>(start - hits.begin()) + 1;
        const auto to = q.within_events ? std::min(hits.size(), from + static_cast<std::size_t>(*q.within_events)) : hits.size();
        const auto until = q.within ? add(start->place().at, *q.within, *o.context.zone).time_since_epoch().count() : forever;
        converted += reaches(hits, from, to, until);
    });
    table out;
    for (const auto* name : {"units", "with_start", "converted"}) out.add_column(name, value_type::integer);
    for (const auto* name : {"rate", "low", "high", "base_rate", "lift"}) out.add_column(name, value_type::decimal);
    out[0].push_integer(units);
    out[1].push_integer(with_start);
    out[2].push_integer(converted);
    const auto rate = divided(converted, with_start), base = divided(anywhere, units);
    push(out[3], rate);
    const auto bounds = with_start == 0 ? detail::interval{} : detail::wilson(static_cast<double>(converted), static_cast<double>(with_start), o.level);
    push(out[4], rate ? std::optional{bounds.low} : std::nullopt);
    push(out[5], rate ? std::optional{bounds.high} : std::nullopt);
    push(out[6], base);
    push(out[7], rate && base && *base > 0 ? std::optional{*rate / *base} : std::nullopt);
    return out;
}

table measure_nearest_base(const history& h, const nearest_base_question& q, const conversion_options& o) {
    auto f = looking_at({q.base, q.conversion}, o, false);
    f.rules.held = q.held;
    if (!q.group_by.empty() && q.group_by != "day") f.rules.by.emplace_back(q.group_by, q.group_by);
    auto source = source_of(h, f, o, false);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> groups;
    const auto group_of = [&](const detail::funnel_hit& base) -> std::string {
        if (q.group_by.empty()) return {};
        if (q.group_by == "day") return to_text(std::chrono::floor<std::chrono::days>(o.context.zone->to_local(base.place().at)));
        const auto v = source.read(source.plan().by, base)[0];
        return v.is_missing() ? "(missing)" : to_text(v, source.pool());
    };
    source.each([&](const funnel_unit&, const funnel_hits& hits) {
        std::vector<std::pair<const detail::funnel_hit*, std::string>> bases;
        for (const auto& x : hits) {
            if ((x.steps & 1U) == 0 || (q.base_from && x.place().at < *q.base_from) || (q.base_to && x.place().at > *q.base_to)) continue;
            bases.emplace_back(&x, group_of(x));
            ++groups[bases.back().second].first;
        }
        for (const auto& x : hits) {
            if ((x.steps & 2U) == 0) continue;
            const auto mine = source.read(source.plan().held, x);
            if (std::any_of(mine.begin(), mine.end(), [](const value& v) { return v.is_missing(); })) continue;
            for (auto b = bases.rbegin(); b != bases.rend(); ++b) {
                if (b->first->at > x.at || source.read(source.plan().held, *b->first) != mine) continue;
                if (!q.window || x.place().at < add(b->first->place().at, *q.window, *o.context.zone)) ++groups[b->second].second;
                break;                                                   // those before are older still
            }
        }
    });
    table out{{"group", value_type::text}, {"base", value_type::integer}, {"conversions", value_type::integer}, {"rate", value_type::decimal}};
    for (const auto& [group, n] : groups) {
        out[0].push_text(group);
        out[1].push_integer(n.first);
        out[2].push_integer(n.second);
        push(out[3], n.second == 0 ? std::nullopt : divided(n.second, n.first));
    }
    return out;
}

}  // namespace journeyman
