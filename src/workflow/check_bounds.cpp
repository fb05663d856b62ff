// How many sends one journey can make, how close together, and how long it can last: paths through a graph without circles.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "journeyman/core/value.hpp"
#include "journeyman/workflow/paths.hpp"
#include "workflow/graph.hpp"

namespace journeyman {
namespace {

constexpr std::int64_t hour = 3'600'000'000, day_length = 24 * hour, unbounded = std::numeric_limits<std::int64_t>::max();

/// How long a stay at a step lasts; sends that quiet hours or caps defer are not counted.
struct stay_bounds { std::int64_t least = 0, most = 0; };

stay_bounds of_length(const length& d) { return {d.fixed.count() + d.months * 28 * day_length, d.fixed.count() + d.months * 31 * day_length}; }

stay_bounds bounds_of(const step& s) {
    if (const auto* w = std::get_if<wait_step>(&s.kind())) {
        if (w->duration) return of_length(*w->duration);
        if (!w->date.empty()) return {0, unbounded};
        // A local day lasts up to 25 hours.
        const std::int64_t days = w->days.value_or(0) + (w->on.empty() ? 0 : 7) + (w->until ? 1 : 0);
        return {std::max<std::int64_t>(0, (w->days.value_or(0) - 1) * day_length), days * 25 * hour};
    }
    if (const auto* f = std::get_if<wait_for_step>(&s.kind())) return {0, f->timeout ? of_length(*f->timeout).most : unbounded};
    return {};
}

std::int64_t sum(std::int64_t a, std::int64_t b) { return a == unbounded || b == unbounded || a > unbounded - b ? unbounded : a + b; }

class path_bounds {
public:
    explicit path_bounds(const workflow& w) : workflow_{w}, ways_{ways_of(w)}, best_(w.steps.size() + 1) {
        for (std::size_t k = 0; k < w.steps.size(); ++k) if (w.steps[k].first == w.first) first_ = k;
        best_.back() = totals{};
    }

    struct totals { std::int64_t sends = 0, shortest = 0, longest = 0; };
    totals whole() { return from(first_); }

    /// The most sends on one path of which the first and the last are less than a day apart.
    std::int64_t within_a_day(std::int64_t sends) {
        const auto order = topological();
        // For each number of sends: the least time from the first of them until a step is left.
        std::vector<std::int64_t> before(workflow_.steps.size(), unbounded), now;
        for (std::int64_t n = 1; n <= sends; ++n) {
            now.assign(workflow_.steps.size(), unbounded);
            std::int64_t least = unbounded;
            std::vector<std::int64_t> reached(workflow_.steps.size() + 1, unbounded), reached_before(workflow_.steps.size() + 1, unbounded);
            for (const auto k : order) {
                const auto& s = workflow_.steps[k].second;
                const bool send = std::holds_alternative<send_step>(s.kind());
                const auto stays = bounds_of(s).least;
                now[k] = send ? (n == 1 ? 0 : reached_before[k]) : sum(reached[k], stays);
                if (send) least = std::min(least, now[k]);
                for (const auto to : ways_[k]) {
                    reached[to] = std::min(reached[to], now[k]);
                    reached_before[to] = std::min(reached_before[to], before[k]);
                }
            }
            if (least >= day_length) return n - 1;
            before = now;
        }
        return sends;
    }

private:
    totals from(std::size_t k) {
        if (best_[k]) return *best_[k];
        totals out{-1, unbounded, 0};
        for (const auto to : ways_[k]) {
            const auto rest = from(to);
            out.sends = std::max(out.sends, rest.sends);
            out.shortest = std::min(out.shortest, rest.shortest);
            out.longest = std::max(out.longest, rest.longest);
        }
        if (ways_[k].empty()) out = {};
        const auto& s = workflow_.steps[k].second;
        const auto stays = bounds_of(s);
        out.sends += std::holds_alternative<send_step>(s.kind()) ? 1 : 0;
        out.shortest = sum(out.shortest, stays.least);
        out.longest = sum(out.longest, stays.most);
        best_[k] = out;
        order_.push_back(k);
        return out;
    }
    std::vector<std::size_t> topological() const { return {order_.rbegin(), order_.rend()}; }

    const workflow& workflow_;
    std::vector<std::vector<std::size_t>> ways_;
    std::vector<std::optional<totals>> best_;
    std::vector<std::size_t> order_;               // steps that can be reached, the last first
    std::size_t first_ = 0;
};

std::string times(std::int64_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

/// The most that caps let through within 24 hours.
std::int64_t capped_in_a_day(const policies& p) {
    std::int64_t most = unbounded;
    for (const auto& c : p.caps) {
        if (!c.channel.empty() || c.at_most < 0) continue;
        const auto* l = std::get_if<length>(&c.per);
        const auto per = l == nullptr ? day_length : of_length(*l).least;
        // A day can touch two calendar periods.
        const std::int64_t periods = l == nullptr ? 2 : per <= 0 ? 0 : per >= day_length ? 1 : (day_length + per - 1) / per;
        if (periods > 0) most = std::min(most, c.at_most * periods);
    }
    return most;
}

}  // namespace

std::int64_t longest_stay(const step& s) { return bounds_of(s).most; }

path_lengths lengths_of(const workflow& w) {
    path_bounds paths{w};
    const auto all = paths.whole();
    return {all.sends, all.sends > 0 ? paths.within_a_day(all.sends) : 0, microseconds{all.shortest}, all.longest == unbounded ? std::nullopt : std::optional{microseconds{all.longest}}};
}

void check_bounds(const workflow& w, problems& out) {
    const auto all = lengths_of(w);
    const std::string place = "workflows." + w.name;
    if (all.sends > 0) {
        const bool once = w.reentry.kind == reentry_rule::once;
        out.add({"workflow.sends", place, std::string{once ? "a contact" : "one journey"} + " gets at most " + times(all.sends, "send") + ", and at most " + std::to_string(all.sends_in_a_day) + " within 24 hours" +
                 (once ? "" : "; re-entry allows more journeys, so a cap is what bounds them all"), severity::note});
    }
    const auto last = [](std::optional<microseconds> d) { return !d ? std::string{"has no bound"} : "takes " + (d->count() == 0 ? std::string{"no time"} : to_text(length{*d})); };
    out.add({"workflow.passage", place, "the shortest way through " + last(all.shortest) + ", the longest " + last(all.longest) + "; sends put off by quiet hours or caps come on top", severity::note});
}

void check_bounds(const std::vector<workflow>& all, const policies& p, problems& out) {
    // Of the caps' kind, and transactional ones, which no cap counts.
    std::int64_t total = 0, in_a_day = 0, free_in_a_day = 0;
    std::size_t senders = 0;
    for (const auto& w : all) {
        const auto l = lengths_of(w);
        if (l.sends == 0) continue;
        ++senders;
        const bool once = w.reentry.kind == reentry_rule::once;
        total = once ? sum(total, l.sends) : unbounded;
        const bool any_free = std::any_of(w.steps.begin(), w.steps.end(), [](const auto& s) { const auto* x = std::get_if<send_step>(&s.second.kind()); return x != nullptr && x->transactional; });
        auto& day = any_free ? free_in_a_day : in_a_day;
        day = once ? sum(day, l.sends_in_a_day) : unbounded;
    }
    if (senders < 2) return;
    const auto most = sum(std::min(in_a_day, capped_in_a_day(p)), free_in_a_day);
    const auto told = [](std::int64_t n) { return n == unbounded ? std::string{"any number of sends"} : "at most " + times(n, "send"); };
    out.add({"workflow.sends", "workflows", "of all workflows together a contact gets " + told(total) + ", and " + told(most) + " within 24 hours" + (most == unbounded ? "; a cap without a channel would bound them" : ""), severity::note});
}

}  // namespace journeyman
