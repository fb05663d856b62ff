#pragma once
// What makes explanations: clauses compiled one by one, and what each is for a contact at an instant.

#include <string>
#include <vector>

#include "journeyman/predicate/explain.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/view.hpp"

namespace journeyman::detail {

/// The tree of clauses: what stands in it, and its node in the program.
struct told_clause {
    expression what;
    node_id node = none;
    value_type type = value_type::missing;
    std::vector<told_clause> parts;
};

/// Compiles it and all it is made of, segments too; `none` where there is no predicate. Problems are the compiler's.
told_clause make_clause(compiler&, const compile_context&, const expression&, bool is_predicate = true);
/// Nothing, for no predicate.
explanation tell(const program&, const contact_view&, instant at, const told_clause&);

}  // namespace journeyman::detail
