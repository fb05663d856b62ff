// Times until something happened, from a history.

#include "journeyman/kpi/survival.hpp"
#include "kpi/counted_events.hpp"

namespace journeyman {

survival_subjects survival_of(const history& h, const survival_question& q) {
    if (q.unit <= microseconds{0}) throw error{"survival.unit", "unit", "a unit is longer than nothing"};
    if (q.lapse && !q.lapse->is_positive()) throw error{"survival.lapse", "lapse", "a lapse is longer than nothing"};
    const instant until = detail::end_of(h, q.until);
    detail::counted_events ask{h, q.context};
    const auto start = ask.add(q.start, "start"), event = ask.add(q.event, "event");
    std::vector<node_id> by;
    for (const auto& text : q.by) by.push_back(ask.add_dimension(text, start, "by"));
    const bool same = q.start.equals(q.event);

    survival_subjects out;
    detail::group_numbers groups;
    std::vector<value> key(by.size());
    ask.each_contact(until, [&](std::uint32_t contact) {
        if (ask.events(start).empty()) return;
        const event_ref first = ask.events(start).front();
        const position begin = first.place();
        std::optional<instant> end;
        instant last = begin.at;                                 // of what a lapse is counted from
        for (const auto& e : ask.events(event)) {
            const position p = e.place();
            if (p.at < begin.at || (same && p == begin)) continue;
            if (!q.lapse) {
                end = p.at;
                break;
            }
            if (p.at > add(last, *q.lapse, *q.context.zone)) break;
            last = p.at;
        }
        if (q.lapse) {
            const instant over = add(last, *q.lapse, *q.context.zone);
            if (over <= until) end = over;
        }
        for (std::size_t k = 0; k < by.size(); ++k) key[k] = ask.at(by[k], begin, first);
        out.contacts.push_back(contact);
        out.group.push_back(groups.number(detail::joined(key, *h.data().pool)));
        out.time.push_back(static_cast<double>((end.value_or(until) - begin.at).count()) / static_cast<double>(q.unit.count()));
        out.event.push_back(end ? 1 : 0);
    });
    auto [texts, places] = groups.sorted();
    if (texts.empty()) texts.emplace_back();
    out.groups = std::move(texts);
    for (auto& g : out.group) g = places[g];
    return out;
}

table survival_subjects::to_table(const history& h) const {
    const auto& ids = h.data().contacts;
    table out{{"contact_id", ids.type()}, {"group", value_type::text}, {"time", value_type::decimal}, {"event", value_type::boolean}};
    for (std::size_t i = 0; i < contacts.size(); ++i) {
        ids.push_to(out[0], contacts[i]);
        out[1].push_text(groups[group[i]]);
        out[2].push_decimal(time[i]);
        out[3].push_integer(event[i]);
    }
    return out;
}

}  // namespace journeyman
