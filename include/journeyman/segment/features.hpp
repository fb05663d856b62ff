#pragma once
// Point-in-time feature tables: expressions as typed columns, each row as of an instant, blind to what came after it.

#include <optional>
#include <string>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman {

/// A row to be filled: a contact, and the instant it is looked at.
struct contact_instant {
    std::string contact;
    instant at;
};

/// contact_id, then the columns, in their order: one row for each contact that exists at `at`, sorted by id. What had happened by `at`, `at` itself included, is seen;
/// nothing later is. Types are those of the expressions (a question is yes/no, missing where it is unknown); what is missing is missing, never zero.
/// Errors: those of the type check, placed "columns.NAME"; `features.column` for a name that stands twice.
table to_features(const history&, const named_expressions& columns, instant at, const vocabulary& = {}, const progress_listener& = {});

/// contact_id, at, then the columns: each contact at its own instant, `at`, an expression of type instant (`first_time(form_submitted)`) or day (its start in the zone of the
/// vocabulary). It is asked as of `until` (default: the last instant of the history); a contact for whom it is missing, later than `until`, or earlier than the contact
/// itself has no row. Errors: besides those above, `input.instant` for a history that holds no instant when `until` is not given.
table to_features(const history&, const named_expressions& columns, const expression& at, std::optional<instant> until = {}, const vocabulary& = {}, const progress_listener& = {});

/// The same for given rows, one for each and in their order; a contact may stand in several. Columns of a contact that does not exist yet are missing.
/// Errors: besides those above, `name.unknown` for a contact that is not in the history.
table to_features(const history&, const named_expressions& columns, const std::vector<contact_instant>& at, const vocabulary& = {}, const progress_listener& = {});

}  // namespace journeyman
