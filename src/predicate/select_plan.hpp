#pragma once
// A predicate as passes over streams (design §8): clauses that read whole columns for many contacts at once, the cheapest first,
// each only for the contacts it can still decide. What has no such form is asked contact by contact, by the evaluator.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman::detail {

/// One condition on a row's property; rows for which it is not yes do not count.
struct row_test {
    const column* cells = nullptr;   // null: the stream has no such property, so no row counts
    node_kind op = node_kind::equal;
    value constant;
    std::vector<std::uint32_t> codes{};   // `in`: texts
    std::shared_ptr<const narrow_codes> narrow{};   // for `==`, `!=`, `in` of few texts
    std::vector<std::uint8_t> numbers{};            // those texts, as `narrow` has them
    friend bool operator==(const row_test&, const row_test&) = default;
    [[nodiscard]] bool yes(const program&, std::size_t row) const;
};

/// The rows of one stream within a window that is the same for all contacts, and that pass the tests.
struct row_choice {
    const event_stream* stream = nullptr;
    std::int64_t from = std::numeric_limits<std::int64_t>::min();    // inclusive
    std::int64_t until = std::numeric_limits<std::int64_t>::max();   // exclusive
    std::vector<row_test> where{};
    std::shared_ptr<const narrow_times> times{};
    friend bool operator==(const row_choice&, const row_choice&) = default;
};

/// `A without B on k [within D]`.
struct crossing {
    row_choice other;
    const column* key = nullptr;
    const column* other_key = nullptr;
    std::int64_t within = std::numeric_limits<std::int64_t>::max();
    friend bool operator==(const crossing&, const crossing&) = default;
};

/// A number (text, instant, …) about each contact: an attribute, or something folded over rows.
struct pass_term {
    const attribute_stream* attribute = nullptr;
    bool of_attribute = false;
    row_choice rows;
    std::optional<crossing> without;
    journeyman::aggregate aggregate{};
    const column* property = nullptr;
    value_type type = value_type::missing;   // of what it gives
    bool from_now = false;                   // `now - term`: a duration
    std::shared_ptr<const narrow_codes> narrow{};   // of the property, or of the attribute where it never changes, when it has few texts
    friend bool operator==(const pass_term&, const pass_term&) = default;
};

struct clause {
    enum class form : std::uint8_t { all_of, any_of, inverse, known, compare, among, holds, sequence, plain };
    form what = form::plain;
    std::vector<clause> parts{};             // all_of, any_of, inverse, known
    pass_term term{};                        // compare, among, holds (the term itself is yes or no)
    node_kind op = node_kind::equal;
    value constant{};
    std::vector<std::uint32_t> codes{};      // among
    std::vector<std::uint8_t> numbers{};     // compare, among: the texts meant, as the term's `narrow` has them
    std::vector<row_choice> steps{};         // sequence
    std::int64_t within = std::numeric_limits<std::int64_t>::max();
    node_id node = none;                     // what the evaluator asks: `plain`, and where a pass gives up
    double cost = 0;
    std::uint32_t shared = none;             // the number of a clause that stands in several places

    /// Asks the same. (`plain` ones do when the node is the same.)
    [[nodiscard]] bool same(const clause&) const;
};

/// The rows a selector takes at an instant, when its stream, its window and its `where` have a simple form (`without` is not looked at).
std::optional<row_choice> plan_rows(const program&, const history_data&, const compiled_selector&, instant at);
/// Never fails: what has no form of its own becomes `plain`.
clause plan_passes(const program&, const history_data&, node_id, instant at);
/// Gives the clauses that stand in several places the same numbers, from 0 on; how many there are.
std::uint32_t find_shared(std::vector<clause>&);

}  // namespace journeyman::detail
