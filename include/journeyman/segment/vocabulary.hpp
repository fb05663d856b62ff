#pragma once
// What the tools of this folder are asked with: named expressions, what their names mean, and who listens to how far the work is.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/history/schema.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// What the names of an expression mean, besides those of the history: segments, zone, consents, and the names a playbook declares (`playbook::vocabulary`).
struct vocabulary {
    compile_context context = {};
    std::optional<schema> known = {};        // nothing: the names of the history
};

/// Columns of a table, or segments: name → expression.
using named_expressions = std::vector<std::pair<std::string, expression>>;

/// Each under its canonical text.
named_expressions named(const std::vector<expression>&);

/// Called now and then with the share that is done; false stops the work with error `run.stopped`. It may be empty.
using progress_listener = std::function<bool(double done)>;

}  // namespace journeyman
