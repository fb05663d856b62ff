#pragma once
// How many contacts a selection holds, by what is known of them.

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/select.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman {

/// DIMENSIONS…, contacts, members, unknown, share (members / contacts), share_of_members: the total, whose dimensions are missing, then its cells, sorted by their texts.
/// Dimensions are texts; who lacks a value stands in the cell "(missing)". `contacts` are those that exist at `at`, the instant the selection was made for; every cell that
/// has some is there, also without a member. Errors: those of the type check, placed "by.NAME"; `sizes.by` for a name that stands twice or is one of the columns.
table sizes(const history&, const selection&, instant at, const named_expressions& by, const vocabulary& = {}, const progress_listener& = {});

}  // namespace journeyman
