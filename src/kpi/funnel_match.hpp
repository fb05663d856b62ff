#pragma once
// One matcher for all rules of ordered funnels: partial chains of one unit, carried event by event; beside it unordered and presence.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "journeyman/kpi/funnel.hpp"

namespace journeyman::detail {

inline constexpr std::size_t most_steps = 32;

/// An event of a unit, as the rules see it.
struct funnel_hit {
    std::int64_t at = 0;
    std::uint32_t order = 0;
    std::uint32_t steps = 0;           // bit k: it matches step k + 1
    std::uint32_t exclusions = 0;      // bit k: it matches exclusion k
    std::uint32_t slot = 0, row = 0;   // where it stands: stream slot, row of the stream
    std::uint32_t contact = 0;
    [[nodiscard]] position place() const { return {instant{microseconds{at}}, order}; }
};
using funnel_hits = std::vector<funnel_hit>;

inline constexpr std::uint32_t no_hit = 0xffffffffU;

/// Some events of a unit that are steps, and what became of them.
struct funnel_chain {
    int level = 0;                     // the furthest step; of an unordered funnel, how many steps
    std::uint32_t taken = 0;           // bit k: step k + 1 was taken
    std::array<std::uint32_t, most_steps> hits{};   // by step: number of the hit; of an unordered funnel in time order
};

struct funnel_match {
    funnel_chain best;                 // level 0: never entered
    bool left_out = false;             // by an exclusion
    bool open = false;                 // not complete, and a window is still open at the end
};

/// Rules ready for matching. The hits of a unit must stand in order (T2).
class funnel_matcher {
public:
    /// `end`: the first instant that is not known.
    funnel_matcher(const event_funnel&, const time_zone&, instant end);
    [[nodiscard]] funnel_match match(std::span<const funnel_hit>) const;
    /// How often the funnel was completed by chains that share no event, taken greedily in time; calls f(match) for each entry, complete or not, when given.
    template <class F> std::size_t each_entry(const funnel_hits&, F f) const;

private:
    struct partial;
    class walk;
    [[nodiscard]] std::int64_t deadline(std::int64_t from) const;
    [[nodiscard]] funnel_match unordered(std::span<const funnel_hit>) const;
    [[nodiscard]] funnel_match presence(std::span<const funnel_hit>) const;
    [[nodiscard]] funnel_match one_entry(std::span<const funnel_hit>) const;

    const funnel_rules& rules_;
    const time_zone& zone_;
    std::optional<length> within_;
    std::optional<std::int64_t> gap_;
    std::uint32_t optional_ = 0;
    int steps_;
    std::int64_t end_;
    bool greedy_;                      // an event that is the next step is taken: chains do not pass it by
    bool only_first_ = false;
};

/// Whether each of `steps` can have an event of its own among `events` (Kuhn's matching); `chosen`, when given, says which.
bool matched(std::uint32_t steps, std::span<const funnel_hit> events, std::array<std::uint32_t, most_steps>* chosen);

template <class F>
std::size_t funnel_matcher::each_entry(const funnel_hits& hits, F f) const {
    std::vector<bool> used(hits.size());
    std::size_t complete = 0;
    funnel_hits left;
    std::vector<std::uint32_t> numbers;
    const std::uint32_t opens = rules_.order == funnel_rules::order_t::ordered ? 1U : ~0U;
    for (std::size_t k = 0; k < hits.size(); ++k) {
        if ((hits[k].steps & opens) == 0 || used[k]) continue;
        left.clear();
        numbers.clear();
        std::size_t from = k;
        if (rules_.tie_rule == funnel_rules::tie_t::step_order) while (from > 0 && hits[from - 1].at == hits[k].at) --from;
        for (std::size_t j = from; j < hits.size(); ++j) {
            if (used[j]) continue;
            left.push_back(hits[j]);
            if (j < k && opens == 1U) left.back().steps &= ~1U;        // it has been an entry
            numbers.push_back(static_cast<std::uint32_t>(j));
        }
        funnel_match m = one_entry(left);
        for (auto& h : m.best.hits) if (h != no_hit) h = numbers[h];
        if (!m.left_out && m.best.level == steps_) {
            ++complete;
            for (const auto h : m.best.hits) if (h != no_hit) used[h] = true;
        }
        f(m);
    }
    return complete;
}

}  // namespace journeyman::detail
