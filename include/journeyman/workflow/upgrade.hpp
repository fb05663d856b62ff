#pragma once
// From one version of workflows to another, for journeys in flight: where each would land, before anything moves (W9).

#include <span>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/workflow/contact.hpp"

namespace journeyman {

/// Where it would land.
struct landing {
    enum hows : std::uint8_t { unchanged, continues, enters, refused };
    hows how = unchanged;
    std::string version, step;                     // of the new workflows
    std::string reason;                            // refused: what has no place to land, and what would help
};
std::string_view to_string(landing::hows);

/// The rules of docs/semantics.md: the same version stays; the step of the same name, or the one `moves` names, goes on when it waits in the same way; a step of another kind is
/// entered anew where `moves` says so; else refused. Throws `name.unknown` for moves of workflows or steps that are not there.
landing land(const workflow_program& from, const workflow_program& to, const running_journey&, const step_moves& = {});

/// contact_id, workflow, version, journey, step, how, to_version, to_step, reason; of each journey in flight. `from`: the version they run in; those of another are refused.
table plan_upgrade(const workflow_program_ptr& from, const workflow_program_ptr& to, std::span<const running_journey>, const step_moves& = {});
table plan_upgrade(const workflow_program_ptr& from, const workflow_program_ptr& to, std::span<const contact_state>, const step_moves& = {});

/// Moves the journeys of one contact at `at`, all or none; what entering a step does goes to `sink`. Returns when time alone may do something next (what the new version would have done already is due now).
/// Throws `upgrade.refused` with the first journey that has no place to land; the state is then as it was.
instant upgrade(const workflow_program_ptr& to, contact_state&, instant at, const step_moves&, const std::function<void(const action&)>& sink);

}  // namespace journeyman
