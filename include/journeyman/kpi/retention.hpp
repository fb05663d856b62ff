#pragma once
// Cohorts and retention (design K8): who comes back, how much, and in which interval after the start.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Members are called as the rules in docs/retention.md, where each has an example.
struct retention_question {
    selector start;                                               // what puts a contact into a cohort
    std::optional<selector> returning = {};                       // what counts as coming back; none: the start event
    enum class every_t : std::uint8_t { hour, day, week, month } every = every_t::month;
    bool rolling = false;                                         // mode 24h: intervals of a contact from its own start
    enum class returns_t : std::uint8_t { on, on_or_after, bracket } returns = returns_t::on;
    std::vector<int> brackets = {};                               // sizes in intervals, from interval 1
    enum class start_rule_t : std::uint8_t { first_time, first_in_range, every_period } start_rule = start_rule_t::first_time;
    int min_occurrences = 1;
    std::optional<instant> from = {}, to = {};                    // both in; default: all of the history
    std::optional<int> intervals = {}, cohorts = {};              // columns and rows; default: as many as the history has
    bool triangular = true;
    predicate where = {};                                         // of the event
    predicate audience = {};                                      // of the contact, at the end
    std::vector<std::pair<std::string, std::string>> by = {};     // name, expression about the contact's first start event in range
    std::string sum = {};                                         // a property of the returning event, such as amount
    bool count = false;                                           // how many returning events too (with `sum` always)
};

struct retention_options {
    double level = 0.95;
    compile_context context = {};                                 // zone, beginning of the week, segments
    std::optional<schema> known = {};
};

struct retention_report {
    /// by…, cohort (its first instant), interval, last_interval, size, contacts, matured, share, low, high, [events], [sum]: of the total (dimensions missing) and each cell, row by row.
    /// `contacts`: of the cohort, active in these intervals (interval 0: all, whatever they did); `share`: of those whose intervals are over at the end (`matured`), with Wilson's interval;
    /// `events`, `sum`: of the returning events in these intervals, from the start on.
    table rows;
    /// by…, cohort (missing: all), size, again, share, low, high: who has a returning event after the start event, whenever.
    table again;
};
inline std::ostream& operator<<(std::ostream& out, const retention_report& r) { return out << r.rows; }

/// Throws `retention.rule` for rules that contradict, and what is wrong with events and expressions.
retention_report measure_retention(const history&, const retention_question&, const retention_options& = {});
/// The same from the events of each contact, without the pass that sets a bit an interval. For tests.
retention_report measure_retention_plainly(const history&, const retention_question&, const retention_options& = {});

}  // namespace journeyman
