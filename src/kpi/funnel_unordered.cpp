// Funnels whose steps come in any order, or at any time.

#include <algorithm>
#include <bit>
#include <limits>

#include "kpi/funnel_match.hpp"

namespace journeyman::detail {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

constexpr std::uint32_t bit(int step) { return 1U << static_cast<unsigned>(step); }

/// Gives an event a step, others moving on to other steps of theirs where they can.
bool give(std::uint32_t hit, std::span<const funnel_hit> hits, std::uint32_t& asked, std::array<std::uint32_t, most_steps>& of) {
    for (std::uint32_t steps = hits[hit].steps & ~asked; steps != 0; steps = hits[hit].steps & ~asked) {
        const auto s = static_cast<std::size_t>(std::countr_zero(steps));
        asked |= 1U << s;
        if (of[s] != no_hit && !give(of[s], hits, asked, of)) continue;
        of[s] = hit;
        return true;
    }
    return false;
}

}  // namespace

funnel_match funnel_matcher::presence(std::span<const funnel_hit> hits) const {
    funnel_match out;
    out.best.hits.fill(no_hit);
    for (std::uint32_t k = 0; k < hits.size(); ++k)
        for (int s = 0; s < steps_; ++s)
            if ((hits[k].steps & bit(s)) != 0 && (out.best.taken & bit(s)) == 0) {
                out.best.taken |= bit(s);
                out.best.hits[static_cast<std::size_t>(s)] = k;
            }
    out.best.level = std::countr_one(out.best.taken);
    out.best.taken = out.best.level == 32 ? ~0U : bit(out.best.level) - 1;
    for (auto s = static_cast<std::size_t>(out.best.level); s < most_steps; ++s) out.best.hits[s] = no_hit;
    out.open = out.best.level > 0 && out.best.level < steps_;
    return out;
}

/// A window opens at each event that is a step; in it, as many steps as can be given events of their own.
funnel_match funnel_matcher::unordered(std::span<const funnel_hit> hits) const {
    funnel_match out;
    int top = 0, clean = 0;
    std::int64_t last_opened = std::numeric_limits<std::int64_t>::min();
    std::pair<std::int64_t, std::int64_t> best_end{never, 0};
    for (std::uint32_t o = 0; o < hits.size(); ++o) {
        if (hits[o].steps == 0 || hits[o].at == last_opened) continue;
        last_opened = hits[o].at;
        if (out.best.level == steps_ && last_opened > best_end.first) break;   // what opens later is complete later
        const std::int64_t until = std::max(deadline(hits[o].at), hits[o].at);
        std::array<std::uint32_t, most_steps> of{}, when{};
        of.fill(no_hit);
        when.fill(no_hit);
        int size = 0, left = -1;
        bool dropped = false;
        std::uint32_t k = o;
        for (; k < hits.size() && hits[k].at <= until && !dropped && size < steps_; ) {
            std::uint32_t next = k;
            while (next < hits.size() && hits[next].at == hits[k].at) ++next;
            std::uint32_t met = 0;
            // At one instant: what drops a chain, by its place in the order; with step_order before the steps.
            const bool by_arrival = rules_.tie_rule == funnel_rules::tie_t::arrival;
            const auto drops = [&](std::uint32_t h) {
                if (size == steps_) return false;
                for (std::size_t x = 0; x < rules_.exclusions.size(); ++x)
                    if ((hits[h].exclusions & bit(static_cast<int>(x))) != 0 && rules_.exclusions[x].drops_chain) return true;
                return false;
            };
            if (!by_arrival && hits[k].at > hits[o].at) for (auto h = k; h < next; ++h) dropped = dropped || drops(h);
            for (auto h = k; h < next && !dropped; ++h) {
                met |= hits[h].exclusions;
                if (by_arrival && drops(h)) { dropped = true; break; }
                if (left == 0 || size == steps_) continue;
                std::uint32_t asked = 0;
                if (!give(h, hits, asked, of)) continue;
                when[static_cast<std::size_t>(size++)] = h;
                if (left > 0) --left;
            }
            if (met != 0 && size < steps_ && left < 0 && hits[k].at > hits[o].at && (hits[k].at < until || !rules_.window_end_inclusive))
                for (std::size_t x = 0; x < rules_.exclusions.size(); ++x)
                    if ((met & bit(static_cast<int>(x))) != 0 && !rules_.exclusions[x].drops_chain) left = 1;
            k = next;
        }
        if (dropped) continue;
        top = std::max(top, size);
        if (left < 0) clean = std::max(clean, size);
        if (left < 0 && size < steps_ && until >= end_) out.open = true;
        const std::pair<std::int64_t, std::int64_t> end{hits[when[static_cast<std::size_t>(size - 1)]].at, -hits[o].at};
        if (left < 0 && (size > out.best.level || (size == out.best.level && end < best_end))) {
            out.best.level = size;
            out.best.taken = size == 32 ? ~0U : bit(size) - 1;
            out.best.hits = when;
            best_end = end;
        }
        if (only_first_) break;
    }
    out.left_out = clean < top;
    if (out.left_out) out.best = {};
    out.open = out.open && !out.left_out && out.best.level < steps_;
    return out;
}

}  // namespace journeyman::detail
