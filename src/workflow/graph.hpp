#pragma once
// The checks of workflows that need no predicates (W10), by what they are about.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/workflow/workflow.hpp"
#include "workflow/reason.hpp"

namespace journeyman {

/// All of the below. `context`: what segments and consents mean, for what follows from them.
void check_graphs(const std::vector<workflow>&, const policies&, problems& out, const compile_context* context = nullptr);

/// Which steps each leads to, by number; `steps.size()` is the end. Names that lead nowhere are left out.
std::vector<std::vector<std::size_t>> ways_of(const workflow&);
/// The same with the outcome that leads there.
struct named_way { std::size_t to; std::string_view outcome; };
std::vector<std::vector<named_way>> named_ways_of(const workflow&);

/// How long a stay at a step can last, in microseconds; the greatest number there is: without bound.
std::int64_t longest_stay(const step&);
/// The most sends, in all and within 24 hours; the shortest and the longest way through. Of a workflow without circles.
void check_bounds(const workflow&, problems& out);
/// The most sends of all workflows that a contact can get.
void check_bounds(const std::vector<workflow>&, const policies&, problems& out);
/// Choices that are never taken, waits that cannot end.
void check_choices(const workflow&, const reasoning&, problems& out);
/// Who can enter and get what: audiences, goals, channels, windows shorter than the wait before them, sends that a cap never lets through.
/// `started`: whether another workflow starts it, so that who enters need not have triggered it.
void check_sense(const workflow&, const policies&, const reasoning&, bool started, problems& out);
/// Caps and quiet hours that block for ever.
void check_policies(const policies&, problems& out);

}  // namespace journeyman
