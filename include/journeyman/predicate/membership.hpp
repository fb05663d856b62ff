#pragma once
// Membership over time: who was in, from when until when, to the microsecond.

#include <optional>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// contact_id, entered_at, left_at: one row for each stay within [start, end), by contact and time. Who is in at `start` has entered then;
/// `left_at` is missing for who is still in at `end`. Changes by time alone stand at their exact instants: no polling, the evaluator says when to look again.
/// Errors: `predicate.window` when `end` is not after `start`; those of the type check.
table membership(const history&, const expression&, instant start, instant end, const compile_context& = {});
/// The same of a compiled predicate.
table membership(const history&, const program_ptr&, node_id, instant start, instant end);
/// The naive twin: every contact, asked at each of its inputs and whenever the evaluator says. For tests.
table membership_plainly(const history&, const program_ptr&, node_id, instant start, instant end);

/// contact_id, at, change (`entered` or `left`): the same as a stream, in order of time, then of contact. Taken one after the other
/// from nobody on they give who is in at any instant, so who is in at `start` has entered then.
table changes(const history&, const expression&, instant start, instant end, const compile_context& = {});
/// Of a table of stays.
table changes(const table& stays);

/// at, members: how many were in, from the start on: after each change, or with `every` at the start and at each beginning of a
/// calendar unit (in the context's zone) before `end`.
table sizes(const history&, const expression&, instant start, instant end, std::optional<calendar_unit> every = {}, const compile_context& = {});
/// Of a table of stays.
table sizes(const table& stays, instant start, instant end, std::optional<calendar_unit> every = {}, const time_zone& = *utc(), week_start = week_start::monday);

}  // namespace journeyman
