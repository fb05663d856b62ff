#pragma once
// Membership over time: who was in, from when until when, to the microsecond.

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// contact_id, entered_at, left_at: one row for each stay within [start, end), by contact and time. Who is in at `start` has entered then;
/// `left_at` is missing for who is still in at `end`. Changes by time alone stand at their exact instants: no polling, the evaluator says when to look again.
/// Errors: `predicate.window` when `end` is not after `start`; those of the type check.
table membership(const history&, const expression&, instant start, instant end, const compile_context& = {});
/// The same of a compiled predicate.
table membership(const history&, const program_ptr&, node_id, instant start, instant end);
/// The naive twin: the evaluator alone. For tests.
table membership_plainly(const history&, const program_ptr&, node_id, instant start, instant end);

}  // namespace journeyman
