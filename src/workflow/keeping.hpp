#pragma once
// How long the state of one contact must keep an event: as long as some predicate can see it.

#include <vector>

#include "journeyman/workflow/compiled.hpp"

namespace journeyman {

/// By stream slot.
std::vector<stream_keeping> keeping_of(const workflow_program&);
/// By attribute slot: whether more than the last change is looked at.
std::vector<bool> keeps_changes_of(const program&);
/// `first_entry`: of the running journeys.
bool keeps(const stream_keeping&, const program&, instant event, instant now, instant first_entry);

}  // namespace journeyman
