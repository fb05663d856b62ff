#pragma once
// The JSON form of the tree (docs/predicates.md), as a document: playbook files hold it as YAML, and share the reader.

#include <nlohmann/json.hpp>

#include "journeyman/predicate/expression.hpp"

namespace journeyman::detail {

using document = nlohmann::ordered_json;

/// Keys that are words of the JSON form alone; those of operators, functions and aggregates are in expression_words.hpp.
/// python/journeyman/predicate.schema.json knows them all (tests/unit/predicate_schema.cpp).
inline constexpr std::string_view leaf_keys[] = {"attr", "prop", "trigger", "duration", "now", "event.time", "event.name"};
inline constexpr std::string_view window_keys[] = {"last", "since", "before", "between", "this", "previous", "since_entry", "since_step"};

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
