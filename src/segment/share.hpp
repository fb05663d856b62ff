#pragma once
// Counts and shares as cells of a table.

#include "journeyman/core/table.hpp"

namespace journeyman::detail {

inline void push_count(table_column& to, std::size_t n) { to.push_integer(static_cast<std::int64_t>(n)); }

/// Of nothing, a share is missing.
inline void push_share(table_column& to, std::size_t part, std::size_t whole) {
    if (whole == 0) to.push_missing();
    else to.push_decimal(static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace journeyman::detail
