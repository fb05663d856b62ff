#pragma once
// What is wrong with workflows, all at once, before anything runs (W10).

#include <string>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

/// Adds what is wrong to `out`, with places "workflows.NAME.steps.STEP.…" and "policies.…": names, circles, steps nobody reaches, missing outcomes, choices never taken, waits and policies that block,
/// and what the compiler finds in their predicates. `segments`: the names there are; `context`: what they mean, for what follows from them.
void check_workflows(const std::vector<workflow>&, const policies&, const std::vector<std::string>& segments, compiler&, problems& out,
                     const compile_context* context = nullptr);

}  // namespace journeyman
