#pragma once
// The evaluator: a value, and the next instant at which the mere passage of time could change it (design §2.5).

#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/view.hpp"

namespace journeyman {

/// Value of an expression about a contact at `t`. `next` is lowered to the first instant after `t` at which time alone could change the value
/// (it may be early, never late). `event`: what bare names in a `where` or a dimension read.
value evaluate(const program&, node_id, const contact_view&, instant t, instant& next, event_ref event = {});

/// Yes, no or unknown, without the next instant.
inline truth ask(const program& p, node_id n, const contact_view& v, instant t, event_ref event = {}) {
    instant next = end_of_time;
    return evaluate(p, n, v, t, next, event).as_truth();
}

/// Calls f(event, leaves) for each event that counts for an aggregate (not `sequence`) at `t`, by (instant, order); `leaves`: when time alone takes it out of the window.
void each_counted(const program&, node_id, const contact_view&, instant t, const std::function<void(event_ref, instant)>& f);

/// Whether a selector takes this event: its name and its `where` (only on yes); the window is not looked at.
bool selects(const program&, selector_id, const contact_view&, event_ref event, instant t);

/// Whether the event counts for the selector at `t`: its name, `where`, window and `without`. `next` is lowered to when time alone could change that.
bool counts(const program&, selector_id, const contact_view&, event_ref event, instant t, instant& next);

/// The contact's zone at this moment: its attribute `timezone`, else its account's, else the playbook's (T7).
const time_zone& local_zone(const program&, const contact_view&);
/// The same with the name it is known by; `no_text` for the playbook's.
std::pair<text_id, const time_zone*> named_local_zone(const program&, const contact_view&);

}  // namespace journeyman
