#include "workflow/gates.hpp"

#include <algorithm>

#include "journeyman/core/zone.hpp"
#include "journeyman/predicate/evaluate.hpp"

namespace journeyman {
namespace {

bool concerns(std::uint32_t rule, std::uint32_t channel) { return rule == none || rule == channel; }

/// The end of the quiet hours that hold `t`; `t` itself outside of them. Each end is made an instant by T6 first.
instant end_of_quiet(const compiled_quiet& q, instant t, const time_zone& zone) {
    const auto today = std::chrono::floor<std::chrono::days>(zone.to_local(t));
    constexpr std::chrono::hours near{72}, whole_day{24};
    if (zone.next_change(add_saturated(t, -near)) > add_saturated(t, near)) {   // no clock is moved about then: the time of day says it
        const microseconds time = zone.to_local(t) - today, from = std::chrono::minutes{q.from.minutes}, to = std::chrono::minutes{q.to.minutes};
        const microseconds lasts = to > from ? to - from : to - from + whole_day;
        for (const int k : {0, -1}) {
            const microseconds since = time - from - k * whole_day;
            if (since < microseconds{0} || since >= lasts) continue;
            if (q.days == 0x7f || (q.days >> (std::chrono::weekday{today + std::chrono::days{k}}.iso_encoding() - 1) & 1) != 0) return t + (lasts - since);
        }
        return t;
    }
    const int overnight = q.to.minutes <= q.from.minutes ? 1 : 0;
    instant end = t;
    for (int k = -2; k <= 1; ++k) {                    // a gap of the clocks may carry an end over midnight
        const day begins = today + std::chrono::days{k};
        if ((q.days >> (std::chrono::weekday{begins}.iso_encoding() - 1) & 1) == 0) continue;
        const instant from = zone.to_instant(local_instant{begins} + std::chrono::minutes{q.from.minutes});
        const instant to = zone.to_instant(local_instant{begins + std::chrono::days{overnight}} + std::chrono::minutes{q.to.minutes});
        if (from <= t && t < to) end = std::max(end, to);
    }
    return end;
}

instant counts_until(const compiled_cap& c, instant sent, const program& p, const time_zone& local) {
    if (const auto* l = std::get_if<length>(&c.per)) return add(sent, *l, *p.zone);
    return start_of_next(std::get<calendar_unit>(c.per), sent, local, 1, p.weeks);
}

/// The first instant at which less than `at_most` of the sends count; not after `t` where there is room.
instant room_from(const compiled_cap& c, const std::vector<contact_journeys::sent>& sends, instant t, const program& p, const time_zone& local) {
    const auto* l = std::get_if<length>(&c.per);
    if (l == nullptr || l->is_fixed()) {
        // Who was sent later counts longer, so the last `at_most` decide: there is room when the first of those no longer counts.
        int left = c.at_most;
        auto sent = sends.rbegin();
        while (sent != sends.rend() && (!concerns(c.channel, sent->channel) || --left > 0)) ++sent;
        return sent == sends.rend() ? t : counts_until(c, sent->at, p, local);
    }
    // Not so with months: what was sent on the 30th at ten counts until the 28th at ten, what was sent on the 31st at nine until the 28th at nine.
    std::vector<instant> ends;
    for (const auto& s : sends)
        if (const auto end = counts_until(c, s.at, p, local); concerns(c.channel, s.channel) && end > t) ends.push_back(end);
    const auto room = static_cast<std::size_t>(c.at_most);
    if (ends.size() < room) return t;
    std::sort(ends.begin(), ends.end());
    return ends[ends.size() - room];
}

}  // namespace

gate_result pass_gates(const workflow_program& w, const compiled_step& s, const contact_view& v, instant t, const std::vector<contact_journeys::sent>& sends) {
    const auto& p = *w.predicates;
    gate_result out;
    const auto stop = [&](action_status status, action_reason reason, instant until = end_of_time) {
        out.status = status;
        out.reason = reason;
        out.until = until;
        return out;
    };

    const auto* channels = &s.channels;
    if (!s.preferred.empty()) {
        const auto it = std::find_if(s.preferred.begin(), s.preferred.end(), [&](const auto& c) { return ask(p, c.first, v, t) == truth::yes; });
        if (it == s.preferred.end()) return stop(action_status::suppressed, action_reason::consent);   // no channel at all
        channels = &it->second;
    }
    const auto allowed = std::find_if(channels->begin(), channels->end(), [&](const compiled_channel& c) {
        return std::all_of(c.consent.begin(), c.consent.end(), [&](node_id n) { return ask(p, n, v, t) == truth::yes; });
    });
    out.channel = (allowed == channels->end() ? channels->front() : *allowed).channel;
    if (allowed == channels->end()) return stop(action_status::suppressed, action_reason::consent);
    if (s.transactional) return out;

    if (w.holdout != none && ask(p, w.holdout, v, t) == truth::yes) return stop(action_status::suppressed, action_reason::holdout);

    if (!w.quiet.empty()) {
        const auto& zone = local_zone(p, v);
        instant until = t;
        int left = 1000;                               // quiet hours one after the other
        for (bool moved = true; moved && left > 0; --left) {
            moved = false;
            for (const auto& q : w.quiet) {
                if (!concerns(q.channel, out.channel)) continue;
                const instant end = end_of_quiet(q, until, zone);
                moved = moved || end > until;
                until = end;
            }
        }
        if (left == 0) return stop(action_status::suppressed, action_reason::quiet_hours);             // never over
        if (until > t) return stop(action_status::deferred, action_reason::quiet_hours, until);
    }

    if (!w.caps.empty()) {
        const auto& zone = local_zone(p, v);
        instant until = t;
        for (const auto& c : w.caps) {
            if (!concerns(c.channel, out.channel)) continue;
            if (c.at_most == 0) return stop(action_status::suppressed, action_reason::cap);
            const instant end = room_from(c, sends, t, p, zone);
            if (end <= t) continue;
            if (!c.defer) return stop(action_status::suppressed, action_reason::cap);
            until = std::max(until, end);
        }
        if (until > t) return stop(action_status::deferred, action_reason::cap, until);
    }
    return out;
}

std::vector<std::size_t> full_caps(const workflow_program& w, const contact_view& v, instant t, const std::vector<contact_journeys::sent>& sends, std::uint32_t channel) {
    const auto& zone = local_zone(*w.predicates, v);
    std::vector<std::size_t> out;
    for (std::size_t k = 0; k < w.caps.size(); ++k) {
        const auto& c = w.caps[k];
        if (!concerns(c.channel, channel)) continue;
        const auto count = std::count_if(sends.begin(), sends.end(), [&](const auto& s) { return concerns(c.channel, s.channel) && counts_until(c, s.at, *w.predicates, zone) > t; });
        if (count >= c.at_most) out.push_back(k);
    }
    return out;
}

void forget_sends(const workflow_program& w, const contact_view& v, instant t, std::vector<contact_journeys::sent>& sends) {
    if (sends.size() < 16) return;
    const auto& zone = local_zone(*w.predicates, v);
    // A day more: the contact's zone may still change.
    std::erase_if(sends, [&](const contact_journeys::sent& s) {
        return std::none_of(w.caps.begin(), w.caps.end(), [&](const compiled_cap& c) { return concerns(c.channel, s.channel) && add_saturated(counts_until(c, s.at, *w.predicates, zone), std::chrono::hours{26}) > t; });
    });
}

}  // namespace journeyman
