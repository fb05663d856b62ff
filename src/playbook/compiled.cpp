// Workflows of a playbook, ready to run.

#include "journeyman/workflow/compiled.hpp"

#include "journeyman/playbook/playbook.hpp"
#include "playbook/schema.hpp"
#include "workflow/graph.hpp"

namespace journeyman {

workflow_definitions playbook::definitions() const {
    workflow_definitions d{workflows, policies, {}, context(), types};
    for (const auto& s : segments) d.segments.emplace_back(s.name, s.channels);
    return d;
}

workflow_program_ptr playbook::compiled() const {
    problems found;
    const auto known = detail::schema_of_workflows(*this, found);
    found.throw_first_error();
    return compiled(known);
}

workflow_program_ptr playbook::compiled(const schema& given) const {
    try {
        problems found;
        const auto d = definitions();
        compiler c{detail::schema_of(*this, given, found), std::make_shared<text_pool>(), d.context};
        check_graphs(d.workflows, d.policies, found);
        auto program = compile_workflows(d, c, found);
        found.add(c.found());
        found.throw_first_error();
        return program;
    } catch (const error& e) {
        throw placed(e);
    }
}

}  // namespace journeyman
