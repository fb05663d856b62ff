#pragma once
// Replay: what workflows would have done over the history there is.

#include "journeyman/history/history.hpp"
#include "journeyman/run/run.hpp"
#include "journeyman/workflow/machine.hpp"

namespace journeyman {

/// Runs all workflows over the history, contact by contact; the answer is the same, to the byte, for any number of threads.
/// Throws the first error of the checks, `run.window` when `until` lies before `start`, and `run.stopped`.
run replay(const workflow_definitions&, const history&, const run_options& = {});

}  // namespace journeyman
