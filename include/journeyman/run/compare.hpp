#pragma once
// Two versions of a playbook over the same history: who gets more, fewer or other messages, where paths part, how counts and KPIs differ.

#include "journeyman/core/table.hpp"
#include "journeyman/kpi/report.hpp"
#include "journeyman/run/run.hpp"

namespace journeyman {

/// `before` and `after` are the two versions; what is in one alone is missing in the other's column.
struct comparison {
    table versions;      // workflow, version_before, version_after, change: same changed added removed
    table contacts;      // contact_id, before, after, difference, change: more fewer other moved; messages really sent, contacts with a change alone. other: as many, but not the same; moved: the same at other instants
    table messages;      // workflow, step, channel, template, before, after, difference: messages really sent
    table partings;      // workflow, step, before, after, journeys: at which step journeys part first, and how they went on
    table parted;        // contact_id, workflow, journey, step, at, before, after: the same for each journey; without a step: it is in one version alone
    table steps;         // workflow, step, measure (entered moved_on completed goal exited waiting sent deferred suppressed), before, after, difference: where they differ
    table kpis;          // kpi, scope, period, campaign, DIMENSIONS…, before, after, difference
};

/// Of runs over the same contacts.
comparison compare(const run& before, const run& after);
/// kpi, …, before, after, difference.
table compare(const kpi_report& before, const kpi_report& after);

}  // namespace journeyman
