#pragma once
// A few members of a selection, to look at.

#include <cstdint>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/select.hpp"

namespace journeyman {

/// contact_id, attributes… as of `at`: at most `n` members of a selection, sorted by id. Drawn by a stable hash of (seed, id), those with the smallest: the same members
/// in every run, on every machine; a larger sample holds the smaller one, and who joins or leaves the selection disturbs nobody else's place.
table sample(const history&, const selection&, std::size_t n, std::uint64_t seed, instant at);

}  // namespace journeyman
