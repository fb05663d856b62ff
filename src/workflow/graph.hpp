#pragma once
// The checks of workflows that need no predicates.

#include <string>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

/// Names, circles, steps nobody reaches, missing outcomes.
void check_graphs(const std::vector<workflow>&, problems& out);

}  // namespace journeyman
