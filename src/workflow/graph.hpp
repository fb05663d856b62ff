#pragma once
// The checks of workflows that need no predicates (W10), by what they are about.

#include <cstddef>
#include <string>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

/// All of the below.
void check_graphs(const std::vector<workflow>&, const policies&, problems& out);

/// Which steps each leads to, by number; `steps.size()` is the end. Names that lead nowhere are left out.
std::vector<std::vector<std::size_t>> ways_of(const workflow&);

/// The most sends, in all and within 24 hours; the shortest and the longest way through. Of a workflow without circles.
void check_bounds(const workflow&, problems& out);
/// Choices that are never taken, waits that cannot end.
void check_choices(const workflow&, problems& out);
/// Caps and quiet hours that block for ever.
void check_policies(const policies&, problems& out);

}  // namespace journeyman
