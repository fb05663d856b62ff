#pragma once
// Reads and writes states of contacts.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/workflow/upgrade.hpp"

namespace journeyman {

class contact_states {
public:
    static std::string to_json(const contact_state&);
    static contact_state from_json(std::string_view, const workflow_program_ptr&);
    /// The same contact with its journeys where they land, all else by name.
    static contact_state moved(const contact_state&, const workflow_program_ptr& to, const std::vector<std::pair<running_journey, landing>>&, const step_moves&);

private:
    struct reader;
};

}  // namespace journeyman
