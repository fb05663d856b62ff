// Paths of touches, from a history.

#include <algorithm>
#include <array>
#include <utility>

#include "journeyman/kpi/attribution.hpp"
#include "kpi/counted_events.hpp"

namespace journeyman {

touch_paths touch_paths_of(const history& h, const attribution_question& q) {
    if (q.within && !q.within->is_positive()) throw error{"attribution.within", "within", "a conversion window is longer than nothing"};
    const instant until = detail::end_of(h, q.until);
    detail::counted_events ask{h, q.context};
    const auto touch = ask.add(q.touch, "touch"), conversion = ask.add(q.conversion, "conversion");
    const auto& channel = q.touch.data().property;
    const auto& amount = q.conversion.data().property;
    const auto channel_slot = channel.empty() ? none : ask.add_property(channel), amount_slot = amount.empty() ? none : ask.add_property(amount);
    const auto who = q.who.empty() ? none : ask.add_predicate(q.who, "who");

    touch_paths out;
    detail::group_numbers channels;
    struct seen { std::uint32_t channel; instant at; };
    std::vector<seen> mine;
    const auto seen_at = [&](event_ref e) -> seen {
        const value v = channel_slot == none ? value{} : e.property(channel_slot);
        const auto name = channel_slot == none ? ask.name(e) : v.is_missing() ? std::string{"(missing)"} : to_text(v, *h.data().pool);
        return {channels.number(name), e.place().at};
    };
    // The instant up to which a touch counts.
    const auto counts_until = [&](instant t) { return q.within ? add(t, *q.within, *q.context.zone) : end_of_time; };
    ask.each_contact(until, [&](std::uint32_t contact) {
        if (who != none && !ask.at_end(who).is_yes()) return;
        const auto& touches = ask.events(touch);
        const auto& conversions = ask.events(conversion);
        const auto close = [&](std::size_t first, std::size_t last, std::optional<instant> at, double value) {
            for (auto k = first; k < last; ++k) {
                out.touches.push_back(mine[k].channel);
                out.age.push_back(static_cast<double>((at.value_or(mine[last - 1].at) - mine[k].at).count()) / 86'400e6);
            }
            out.begins.push_back(static_cast<std::uint32_t>(out.touches.size()));
            out.contacts.push_back(contact);
            out.converted.push_back(at ? 1 : 0);
            out.lost.push_back(at ? 0 : 1);
            if (amount_slot != none) out.value.push_back(value);
        };
        // Touches [first, last) that led to nothing, in runs whose gaps the window spans.
        const auto lose = [&](std::size_t first, std::size_t last, bool to_the_end) {
            for (auto k = first; k < last;) {
                auto end = k + 1;
                while (end < last && mine[end].at <= counts_until(mine[end - 1].at)) ++end;
                if (to_the_end && end == last && q.within && counts_until(mine[end - 1].at) >= until) ++out.open;
                else close(k, end, {}, 0);
                k = end;
            }
        };
        mine.clear();
        std::size_t used = 0, next = 0;
        for (const auto& c : conversions) {
            for (; next < touches.size() && touches[next].place() < c.place(); ++next) mine.push_back(seen_at(touches[next]));
            const instant at = c.place().at;
            auto first = mine.size();
            while (first > used && counts_until(mine[first - 1].at) >= at) --first;
            lose(used, first, false);
            const value v = amount_slot == none ? value{} : c.property(amount_slot);
            if (first < mine.size()) close(first, mine.size(), at, is_number(v.type) ? v.as_decimal() : 0);
            else ++out.unattributed;
            used = mine.size();
        }
        for (; next < touches.size(); ++next) mine.push_back(seen_at(touches[next]));
        lose(used, mine.size(), true);
    });
    auto [texts, places] = channels.sorted();
    out.channels = std::move(texts);
    for (auto& c : out.touches) c = places[c];
    return out;
}

table touch_paths::counts() const {
    constexpr auto d = value_type::decimal;
    table out{{"channel", value_type::text}, {"touches", d}, {"paths", d}, {"conversions", d}, {"losses", d}};
    std::vector<std::array<double, 4>> all(channels.size());
    std::vector<std::size_t> seen(channels.size(), ~std::size_t{0});
    for (std::size_t k = 0; k + 1 < begins.size(); ++k) {
        const double won = converted.empty() ? 1 : converted[k], failed = lost.empty() ? 0 : lost[k];
        for (auto i = begins[k]; i < begins[k + 1]; ++i) {
            auto& [count, paths, conversions, losses] = all[touches[i]];
            count += won + failed;
            if (std::exchange(seen[touches[i]], k) == k) continue;
            paths += won + failed;
            conversions += won;
            losses += failed;
        }
    }
    for (std::size_t c = 0; c < channels.size(); ++c) {
        out[0].push_text(channels[c]);
        for (std::size_t k = 0; k < 4; ++k) out[k + 1].push_decimal(all[c][k]);
    }
    return out;
}

table touch_paths::to_table(const history* h) const {
    constexpr auto d = value_type::decimal;
    table out;
    if (h != nullptr) out.add_column("contact_id", h->data().contacts.type());
    out.add_column("path", value_type::text);
    for (const auto* name : {"converted", "lost"}) out.add_column(name, d);
    if (!value.empty()) out.add_column("value", d);
    const std::size_t first = h != nullptr ? 1 : 0;
    std::string path;
    for (std::size_t k = 0; k + 1 < begins.size(); ++k) {
        if (h != nullptr) h->data().contacts.push_to(out[0], contacts[k]);
        path.clear();
        for (auto i = begins[k]; i < begins[k + 1]; ++i) path += (i == begins[k] ? "" : " > ") + channels[touches[i]];
        out[first].push_text(path);
        out[first + 1].push_decimal(converted.empty() ? 1 : converted[k]);
        out[first + 2].push_decimal(lost.empty() ? 0 : lost[k]);
        if (!value.empty()) out[first + 3].push_decimal(value[k]);
    }
    return out;
}

}  // namespace journeyman
