#include "journeyman/segment/sizes.hpp"

#include "segment/breakdown.hpp"

namespace journeyman {

table sizes(const history& h, const selection& who, instant at, const named_expressions& by, const vocabulary& v, const progress_listener& progress) {
    const detail::breakdown cells{h, at, by, v, progress};
    table out;
    cells.add_columns(out);
    cells.add_rows(out, 0, who, [] {});
    return out;
}

}  // namespace journeyman
