#pragma once
// Selecting contacts: a predicate asked of a whole history at one instant.

#include <memory>
#include <string>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Who is in, and for whom the answer is unknown. Contacts by number, ascending; ids in sort order.
class selection {
public:
    selection(history h, std::vector<std::uint32_t> in, std::vector<std::uint32_t> unknown) : history_{std::move(h)}, in_{std::move(in)}, unknown_{std::move(unknown)} {}
    [[nodiscard]] std::size_t count() const { return in_.size(); }
    [[nodiscard]] const std::vector<std::uint32_t>& numbers() const { return in_; }
    [[nodiscard]] const std::vector<std::uint32_t>& unknown_numbers() const { return unknown_; }
    [[nodiscard]] std::vector<std::string> ids() const;
    [[nodiscard]] std::vector<std::string> unknown_ids() const;
    /// One column: contact_id.
    [[nodiscard]] table to_table() const;

private:
    history history_;
    std::vector<std::uint32_t> in_, unknown_;
};

/// Evaluates a compiled predicate for all contacts that exist at `at`: by passes over streams where the predicate's form allows, else contact by contact.
/// `threads`: how many may share the contacts; the answer is the same.
selection select(const history&, const program_ptr&, node_id, instant at, unsigned threads = 1);
/// The naive twin: contact by contact, always. For tests.
selection select_plainly(const history&, const program_ptr&, node_id, instant at);
/// Compiles against the history's schema (throws the first error) and selects.
selection select(const history&, const expression&, instant at, const compile_context& = {}, unsigned threads = 1);

}  // namespace journeyman
