#pragma once
// The rules an event funnel can name (design K8). Each has one default; the habits of other systems are presets by name.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/data.hpp"
#include "journeyman/core/error.hpp"
#include "journeyman/core/time.hpp"
#include "journeyman/predicate/expression.hpp"

namespace journeyman {

/// An event that must not come between two steps (1-based).
struct funnel_exclusion {
    selector event;
    int from_step = 1, to_step = 2;
    bool drops_chain = false;                                     // effect: drop_chain (unordered); else drop_contact
};

/// Members are called as the rules are, and defined in docs/funnels.md with an example each.
struct funnel_rules {
    enum class order_t : std::uint8_t { ordered, unordered, presence } order = order_t::ordered;
    enum class window_from_t : std::uint8_t { start, previous_step } window_from = window_from_t::start;
    bool window_end_inclusive = true;                             // window_end
    std::optional<length> event_gap;
    enum class adjacency_t : std::uint8_t { none, listed, all, walk } adjacency = adjacency_t::none;
    enum class skip_ahead_t : std::uint8_t { ignore, end } skip_ahead = skip_ahead_t::ignore;
    enum class anchor_t : std::uint8_t { first, latest, any } anchor = anchor_t::any;
    enum class tie_t : std::uint8_t { arrival, step_order } tie_rule = tie_t::arrival;
    bool one_event_many_steps = false, start_event_many_steps = false, strict_increase = false;
    enum class repeats_t : std::uint8_t { allowed, end_walk, end_chain_last, end_chain_any, reset } repeats = repeats_t::allowed;
    std::vector<funnel_exclusion> exclusions;
    std::vector<int> optional_steps;                              // 1-based
    std::vector<std::string> unit = {"contact"};                  // contact, entry, or expressions about the event; none: everybody is one unit
    std::vector<std::string> held;                                // expressions about the event whose value all events of a chain share
    std::optional<instant> from, to;                              // period, both in
    predicate where;                                              // of the event
    predicate audience;                                           // of the contact, at the end
    std::vector<std::pair<std::string, std::string>> by;          // breakdown: name of the column, expression about the event (by itself it is its name)
    enum class attribution_t : std::uint8_t { first, last, step, all_events } attribution = attribution_t::first;
    int attribution_step = 1;                                     // with attribution `step_K`
    enum class denominator_t : std::uint8_t { step1_contacts, all_contacts } denominator = denominator_t::step1_contacts;
    enum class censoring_t : std::uint8_t { counted_as_drop, left_out } censoring = censoring_t::counted_as_drop;
};

using written_rules = std::vector<std::pair<std::string, data>>;

/// Reads rules as a playbook or a call names them; `rules` names a preset, which the others change. What is wrong goes to `out`, with places "PLACE.RULE":
/// codes `funnel.rule` (with the names there are), `funnel.exclusion_range`, `funnel.steps`, and those of the expressions in them.
funnel_rules read_funnel_rules(const written_rules&, std::size_t steps, const std::string& place, problems& out);
/// Names of the rules, and of the presets.
const std::vector<std::string>& funnel_rule_names();
const std::vector<std::string>& funnel_presets();

}  // namespace journeyman
