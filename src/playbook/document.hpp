#pragma once
// A playbook as the tree of its written form (design §6).

#include "journeyman/playbook/playbook.hpp"
#include "predicate/expression_json.hpp"

namespace journeyman::detail {

document to_document(const playbook&);

/// The text of an expression as it is read where bare names are properties (dimensions): attributes are `contact.x`.
std::string text_about_event(const expression&);

}  // namespace journeyman::detail
