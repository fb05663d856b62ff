#pragma once
// What every send must pass (W6): consent → holdout → quiet hours → caps.

#include "journeyman/workflow/machine.hpp"

namespace journeyman {

struct gate_result {
    action_status status = action_status::sent;
    action_reason reason = action_reason::nothing;
    std::uint32_t channel = none;
    instant until = end_of_time;
};

/// `sends`: of this contact, of all workflows. The view's journey is the sender's.
gate_result pass_gates(const workflow_program&, const compiled_step&, const contact_view&, instant t, const std::vector<contact_journeys::sent>& sends);
/// The caps of a channel that have no room at `t`, by their number in the program.
std::vector<std::size_t> full_caps(const workflow_program&, const contact_view&, instant t, const std::vector<contact_journeys::sent>& sends, std::uint32_t channel);
/// Drops the sends that no cap counts any more.
void forget_sends(const workflow_program&, const contact_view&, instant t, std::vector<contact_journeys::sent>& sends);

}  // namespace journeyman
