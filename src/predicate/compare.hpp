#pragma once
// How two values compare: one answer for the evaluator and for the passes over columns.

#include <compare>

#include "journeyman/predicate/program.hpp"

namespace journeyman::detail {

std::partial_ordering compare_numbers(const value& a, const value& b);

/// A day that meets an instant is its start in the program's zone.
void meet(const program&, value& a, value& b);

/// Yes, no or unknown: of a missing value, or of types that do not meet, unknown.
truth compare_values(const program&, node_kind, value a, value b);

}  // namespace journeyman::detail
