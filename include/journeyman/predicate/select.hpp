#pragma once
// Selecting contacts: a predicate asked of a whole history at one instant.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "journeyman/core/made_once.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Some contacts of a history, one bit each by number. Cheap to copy.
class contact_set {
public:
    contact_set() = default;
    /// Bits past the last contact are 0.
    explicit contact_set(std::vector<std::uint64_t> bits);
    explicit contact_set(const std::vector<std::uint32_t>& numbers);
    [[nodiscard]] std::size_t count() const { return count_; }
    /// Ascending.
    [[nodiscard]] const std::vector<std::uint32_t>& numbers() const;
    [[nodiscard]] std::size_t in_common(const contact_set&) const;

private:
    std::shared_ptr<const std::vector<std::uint64_t>> bits_;
    std::size_t count_ = 0;
    made_once<std::vector<std::uint32_t>> numbers_;
};

/// Who is in, and for whom the answer is unknown. Contacts by number, ascending; ids in sort order.
class selection {
public:
    selection(history h, contact_set in, contact_set unknown) : history_{std::move(h)}, in_{std::move(in)}, unknown_{std::move(unknown)} {}
    [[nodiscard]] std::size_t count() const { return in_.count(); }
    [[nodiscard]] const contact_set& members() const { return in_; }
    [[nodiscard]] const std::vector<std::uint32_t>& numbers() const { return in_.numbers(); }
    [[nodiscard]] const std::vector<std::uint32_t>& unknown_numbers() const { return unknown_.numbers(); }
    [[nodiscard]] std::vector<std::string> ids() const;
    [[nodiscard]] std::vector<std::string> unknown_ids() const;
    /// One column: contact_id.
    [[nodiscard]] table to_table() const;

private:
    history history_;
    contact_set in_, unknown_;
};

/// Evaluates a compiled predicate for all contacts that exist at `at`: by passes over streams where the predicate's form allows, else contact by contact.
/// `threads`: how many may share the contacts; the answer is the same.
selection select(const history&, const program_ptr&, node_id, instant at, unsigned threads = 1);
/// The naive twin: contact by contact, always. For tests.
selection select_plainly(const history&, const program_ptr&, node_id, instant at);
/// Compiles against the history's schema (throws the first error) and selects.
selection select(const history&, const expression&, instant at, const compile_context& = {}, unsigned threads = 1);

/// Several predicates of one program at once, an answer for each: contacts are gone through once, and what predicates have in common is asked once.
/// Named and not yet compiled: segment/overlap.hpp.
std::vector<selection> select_many(const history&, const program_ptr&, std::span<const node_id>, instant at, unsigned threads = 1);

}  // namespace journeyman
