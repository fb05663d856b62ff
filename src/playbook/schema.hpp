#pragma once
// The names a playbook's definitions may read: those of a history, those it declares, and those its workflows make.

#include <optional>
#include <string>
#include <vector>

#include "journeyman/history/schema.hpp"
#include "journeyman/playbook/playbook.hpp"

namespace journeyman::detail {

/// `known` with the playbook's `types`, the attributes its workflows set and the events they emit. A type that contradicts `known` is a problem.
schema schema_of(const playbook&, schema known, problems& out);

/// Without a history: every attribute that is asked about, of any type.
schema schema_of_mentions(const playbook&, problems& out);
/// What the playbook mentions, events and their properties too, with the types it declares: enough to run its workflows without a history.
schema schema_of_workflows(const playbook&, problems& out);

/// An expression that a part of the report asks, with its place; `about`: a dimension, read about these events.
struct reported {
    std::string place;
    expression what;
    bool predicate = false;
    std::optional<selector> about = {};
};
/// Where the settings are wrong, that is a problem.
std::vector<reported> reported_by(const playbook&, const report_part&, const schema& known, problems& out);
void check_report(const playbook&, const schema& known, const text_pool_ptr&, const compile_context&, problems& out);

/// A breakdown that is called as a dimension of the playbook is read as it says.
void name_dimensions(const playbook&, std::vector<std::pair<std::string, std::string>>& by);

}  // namespace journeyman::detail
