// The KPIs of a playbook, over a history or over what a run made of it.
#include "journeyman/kpi/report.hpp"
#include "journeyman/playbook/playbook.hpp"

namespace journeyman {

kpi_report playbook::kpis(const journeyman::history& h, const run* r) const { return kpis(h, r, kpi_options{}); }
kpi_report playbook::kpis(const journeyman::history& h, const run& r) const { return kpis(h, &r, kpi_options{}); }
kpi_report playbook::kpis(const journeyman::history& h, const run* r, const kpi_options& o) const {
    kpi_definitions d{kpis_, campaigns, dimensions, {}, context(), types};
    for (const auto& s : segments) d.segments.push_back(s.name);
    try {
        if (r == nullptr) return compute_kpis(d, h, {}, o);
        const auto of = measured(*r);
        return compute_kpis(d, *of.made, *of.journeys, o);
    } catch (const error& e) {
        throw placed(e);
    }
}

}  // namespace journeyman
