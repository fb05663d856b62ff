#pragma once
// What the graph of a workflow says: which steps every way to a step passes, how long the ways are, which events they meet.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/time.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

/// For each step, as written, those that every way to it passes, in order, itself at the end; nothing for one that no way leads to.
std::vector<std::pair<std::string, std::vector<std::string>>> dominators(const workflow&);
/// Whether every way to `step` passes `through`, and leaves it by `outcome` where one is named: next, then, timeout, if, else, split.
/// Throws `error` (`name.unknown`) for names that are not there.
bool passes(const workflow&, std::string_view step, std::string_view through, std::string_view outcome = {});

/// What one journey can come to. Sends that quiet hours or caps put off take longer.
struct path_lengths {
    std::int64_t sends = 0;                        // at most
    std::int64_t sends_in_a_day = 0;               // at most, within 24 hours
    microseconds shortest{0};
    std::optional<microseconds> longest;           // nothing: without bound
};
/// Of a workflow without circles.
path_lengths lengths_of(const workflow&);

/// An event that journeys meet.
struct met_event {
    std::string event;                             // a prefix ends in `*`
    std::string role;                              // trigger, goal, exit, awaited, emitted, asked
    std::string step;                              // empty: of the workflow
};
std::vector<met_event> events_met(const workflow&);

}  // namespace journeyman
