#pragma once
// A playbook as the tree of its written form (design §6).

#include <nlohmann/json.hpp>

#include "journeyman/playbook/playbook.hpp"

namespace journeyman::detail {

using document = nlohmann::ordered_json;

document to_document(const playbook&);

/// The text of an expression as it is read where bare names are properties (dimensions): attributes are `contact.x`.
std::string text_about_event(const expression&);

}  // namespace journeyman::detail
