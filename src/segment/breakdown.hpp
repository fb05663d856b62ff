#pragma once
// The contacts that exist at an instant, parted into cells by the values of some expressions.

#include <functional>
#include <string>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/select.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman::detail {

/// Cell 0 is the total, which holds everyone; the others are sorted by the texts of their values.
class breakdown {
public:
    breakdown(const history&, instant at, const named_expressions& by, const vocabulary&, const progress_listener&);

    /// Adds the columns DIMENSIONS…, contacts, members, unknown, share, share_of_members.
    void add_columns(table&) const;
    /// One row a cell: `before` fills the columns of the caller, we those from `first` on.
    void add_rows(table&, std::size_t first, const selection&, const std::function<void()>& before) const;

private:
    [[nodiscard]] std::vector<std::size_t> counted(const std::vector<std::uint32_t>& contacts) const;

    std::vector<std::string> names_;
    std::vector<std::vector<std::string>> cells_;      // texts by dimension; that of the total is empty
    std::vector<std::size_t> contacts_;                // by cell
    std::vector<std::uint32_t> cell_of_;               // by contact
};

}  // namespace journeyman::detail
