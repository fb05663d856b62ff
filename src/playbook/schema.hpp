#pragma once
// The names a playbook's definitions may read: those of a history, those it declares, and those its workflows make.

#include "journeyman/history/schema.hpp"
#include "journeyman/playbook/playbook.hpp"

namespace journeyman::detail {

/// `known` with the playbook's `types`, the attributes its workflows set and the events they emit. A type that contradicts `known` is a problem.
schema schema_of(const playbook&, schema known, problems& out);

/// Without a history: every attribute that is asked about, of any type.
schema schema_of_mentions(const playbook&, problems& out);
/// What the playbook mentions, events and their properties too, with the types it declares: enough to run its workflows without a history.
schema schema_of_workflows(const playbook&, problems& out);

/// A breakdown that is called as a dimension of the playbook is read as it says.
void name_dimensions(const playbook&, std::vector<std::pair<std::string, std::string>>& by);

}  // namespace journeyman::detail
