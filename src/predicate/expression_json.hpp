#pragma once
// The JSON form of the tree (docs/predicates.md), as a document: playbook files hold it as YAML, and share the reader.

#include <nlohmann/json.hpp>

#include "journeyman/predicate/expression.hpp"

namespace journeyman::detail {

using document = nlohmann::ordered_json;

/// Nesting and values a document may have before it is looked at; every tree within its own limits fits.
inline constexpr std::size_t most_json_depth = 4 * max_depth, most_json_values = 10 * max_nodes;

/// Throw `error` whose place is a JSON pointer from the document's root: "#/and/1/==/0".
expression expression_of(const document&);
selector selector_of(const document&);

document scalar_document(const scalar&);
document to_document(const expression&);
document to_document(const selector_data&);

/// Whether a mapping with this key is an expression: an operator, a function, an aggregate, `attr` and the like.
bool is_expression_key(std::string_view);

}  // namespace journeyman::detail
