#pragma once
// The plan of a walk: a tree of clauses, with what each has found for the contact at hand.

#include "predicate/membership_walk.hpp"

namespace journeyman::detail {

struct membership_walk::part {
    enum class kind : std::uint8_t { all_of, any_of, inverse, settled, counted, asked };

    kind what = kind::asked;
    std::vector<std::unique_ptr<part>> parts{};
    node_id node = none;                             // asked
    slots_read reads{};
    // counted: how many events of these streams stand in the window, compared with a number
    struct source { const timeline* rows; std::uint32_t slot; std::size_t cursor = 0; };
    std::vector<source> sources{};
    std::uint32_t contact = 0;                       // the one before, as cursors go forward only
    selector_id selector = none;
    bool filtered = false, windowed = false;
    length last{};
    node_kind comparison = node_kind::greater_equal;
    std::int64_t number = 1;
    std::vector<std::int64_t> enters{}, leaves{};
    std::vector<stretch> stretches{};
    std::vector<step> steps{}, spare{};

    [[nodiscard]] bool holds(std::int64_t count) const {
        switch (comparison) {
            case node_kind::equal: return count == number;
            case node_kind::not_equal: return count != number;
            case node_kind::less: return count < number;
            case node_kind::less_equal: return count <= number;
            case node_kind::greater: return count > number;
            default: return count >= number;
        }
    }
    [[nodiscard]] bool monotone() const { return comparison != node_kind::equal && comparison != node_kind::not_equal; }
    /// Of a monotone one: from how many events on its answer is not that of none; 0: never.
    [[nodiscard]] std::uint64_t least() const {
        const bool more = comparison == node_kind::greater || comparison == node_kind::less_equal;
        return number < (more ? 0 : 1) ? 0 : static_cast<std::uint64_t>(number) + (more ? 1U : 0U);
    }
    /// Whether it says one thing while enough are in the window, and another else.
    [[nodiscard]] bool of_stretches() const { return monotone() && (!windowed || last.is_fixed()); }
    [[nodiscard]] truth enough() const { return to_truth(comparison != node_kind::less && comparison != node_kind::less_equal); }
    void push(std::int64_t from, truth v) {
        if (steps.empty() || steps.back().value != v) steps.push_back({from, v});
    }
};

}  // namespace journeyman::detail
