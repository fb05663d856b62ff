#pragma once
// Segments and stage funnels: who a contact is, and how far it has come.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/data.hpp"
#include "journeyman/predicate/expression.hpp"

namespace journeyman {

/// A named predicate, with the data to collect, preferred channels and the funnel it belongs to.
struct segment {
    std::string name;
    predicate where;
    std::string title = {};
    std::vector<std::pair<std::string, std::vector<expression>>> collect = {};   // group → expressions, as written
    std::vector<std::string> channels = {};                                // preferred, first is best
    std::string funnel = {};

    /// `segment("name")`: a segment serves wherever a predicate is expected. The playbook must hold it.
    operator predicate() const { return call(function::segment, {expression{name}}); }
};

struct funnel_stage {
    std::string name;
    predicate when;
};

/// Either stages (each a predicate) or steps (each an event), never both.
struct funnel {
    std::string name;
    std::vector<funnel_stage> stages;
    std::vector<std::pair<std::string, selector>> steps;
    std::optional<length> within;
    std::vector<std::pair<std::string, data>> rules;   // as written; they are defined with the funnels of design K8
};

bool equals(const segment&, const segment&);
bool equals(const funnel&, const funnel&);

}  // namespace journeyman
