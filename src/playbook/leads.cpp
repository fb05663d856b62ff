// Which events of KPIs the workflows lead to.

#include <set>

#include "journeyman/playbook/playbook.hpp"
#include "journeyman/workflow/paths.hpp"
#include "predicate/walk.hpp"

namespace journeyman {
namespace {

std::set<std::string> events_of(const kpi& k) {
    std::set<std::string> out;
    detail::each_node(k.value, [&](const node& n) {
        for (const auto& s : n.selectors) if (!s.prefix) out.insert(s.event);
    });
    return out;
}

}  // namespace

table playbook::leads_to() const {
    table t{{"workflow", value_type::text}, {"step", value_type::text}, {"role", value_type::text}, {"event", value_type::text}, {"kpi", value_type::text}};
    for (const auto& w : workflows)
        for (const auto& met : events_met(w)) {
            if (met.role == "trigger" || met.role == "exit" || met.role == "asked") continue;
            for (const auto& k : kpis_) {
                if (!events_of(k).contains(met.event)) continue;
                t[0].push_text(w.name);
                if (met.step.empty()) t[1].push_missing();
                else t[1].push_text(met.step);
                t[2].push_text(met.role);
                t[3].push_text(met.event);
                t[4].push_text(k.name);
            }
        }
    return t;
}

}  // namespace journeyman
