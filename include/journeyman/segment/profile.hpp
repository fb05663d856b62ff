#pragma once
// What sets the members of a selection apart from the rest.

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/select.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman {

struct profile_options {
    /// What to compare; empty: every attribute of contacts and of accounts, and `did` and `count` of every event.
    named_expressions columns = {};
    double level = 0.95;                     // of the intervals
    std::size_t most_values = 20;            // of one expression: those that stand out the most
};

struct profile_report {
    /// expression, value, inside, share_inside, outside, share_outside, lift (share_inside / share_outside), difference (of the shares), low, high, stands_out: a row for each value
    /// of a text, an item of a list, the yes of a question, and "(missing)" where some lack one. Shares are of all contacts inside, all outside, lacking or not.
    /// The interval of the difference is Newcombe's (1998, method 10, from Wilson's without correction). `stands_out` is the end of the interval that is nearest to 0, without sign; 0 when the interval holds 0.
    table values;
    /// expression, unit, inside, mean_inside, outside, mean_outside, difference, low, high, stands_out: a row for each number, over the contacts that have one. Durations are in days,
    /// days and instants in days before `at`, money in units. The interval is Welch's (1947); `stands_out` is as above, in pooled standard deviations. Both are missing for fewer
    /// than two contacts on a side, or when neither side varies.
    table numbers;
};
/// The values.
inline std::ostream& operator<<(std::ostream& out, const profile_report& r) { return out << r.values; }

/// The members of a selection against all others that exist at `at`, the instant it was made for (who is unknown is among the others). Both tables are sorted by `stands_out`,
/// the most first, then by the size of the difference, then by name. Of nobody inside or outside, shares, lifts and intervals are missing.
/// Errors: those of the type check, placed "columns.NAME"; `profile.level` for a level that is not between 0 and 1.
profile_report profile(const history&, const selection&, instant at, const profile_options& = {}, const vocabulary& = {}, const progress_listener& = {});

}  // namespace journeyman
