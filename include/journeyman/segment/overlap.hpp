#pragma once
// Several segments at once: who is in each, and how they share their members.

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/select.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman {

/// Of these predicates a selection each, in their order: contacts are gone through once, and what predicates have in common is asked once.
/// `threads` may share the contacts. Errors: those of the type check, placed "segments.NAME".
std::vector<selection> select_many(const history&, const named_expressions&, instant at, const vocabulary& = {}, unsigned threads = 1);

struct overlap_report {
    /// segment_a, segment_b, both, only_a, only_b, jaccard (both / either), share_of_a (both / members of a), share_of_b: one row for each pair, `a` before `b` as written.
    /// `only_a`: in a and not in b, whatever else they are in. Of nobody, a share is missing.
    table pairs;
    /// segment, members, exclusive, share: how many are in no other of the segments.
    table exclusive;
    /// segment, then a column for each segment: how many are in both (on the diagonal the members), ready for a heat map.
    table matrix;
};
/// The pairs.
inline std::ostream& operator<<(std::ostream& out, const overlap_report& r) { return out << r.pairs; }

/// Of these segments, each a predicate under its name, asked of all contacts that exist at `at`. Errors: those of the type check, placed "segments.NAME"; `run.stopped` when the listener, told after each segment and pair, says no.
overlap_report overlap(const history&, const named_expressions& segments, instant at, const vocabulary& = {}, const progress_listener& = {});

}  // namespace journeyman
