// The KPIs of a playbook, over a history or over what a run made of it.
#include "journeyman/kpi/diagnosis.hpp"
#include "journeyman/kpi/report.hpp"
#include "journeyman/kpi/state.hpp"
#include "journeyman/playbook/playbook.hpp"

namespace journeyman {
namespace {

kpi_definitions definitions_of(const playbook& p) {
    kpi_definitions d{p.kpis_, p.campaigns, p.dimensions, {}, p.context(), p.types};
    for (const auto& s : p.segments) d.segments.push_back(s.name);
    return d;
}

/// Calls f(history, journeys): of the run, or of the history alone.
template <class F>
auto over(const playbook& p, const history& h, const run* r, F f) {
    try {
        if (r == nullptr) return f(h, std::vector<journey_span>{});
        const auto of = measured(*r);
        return f(*of.made, *of.journeys);
    } catch (const error& e) {
        throw p.placed(e);
    }
}

}  // namespace

kpi_report playbook::kpis(const journeyman::history& h, const run* r) const { return kpis(h, r, kpi_options{}); }
kpi_report playbook::kpis(const journeyman::history& h, const run& r) const { return kpis(h, &r, kpi_options{}); }
kpi_report playbook::kpis(const journeyman::history& h, const run* r, const kpi_options& o) const {
    const auto d = definitions_of(*this);
    return over(*this, h, r, [&](const auto& of, const auto& journeys) { return compute_kpis(d, of, journeys, o); });
}

kpi_state playbook::count_kpis(const journeyman::history& h, const run* r, const kpi_options& o) const {
    const auto d = definitions_of(*this);
    return over(*this, h, r, [&](const auto& of, const auto& journeys) { return journeyman::count_kpis(d, of, journeys, o, to_json()); });
}

diagnosis playbook::diagnose(const journeyman::history& h, const std::string& kpi, const run* r, const diagnosis_options& o) const {
    const auto d = definitions_of(*this);
    return over(*this, h, r, [&](const auto& of, const auto& journeys) { return diagnose_kpi(d, of, journeys, kpi, o); });
}

kpi_report kpis(const kpi_state& s, double level) {
    if (s.definitions().empty()) throw error{"kpi.state", "", "nothing was counted here, or without a playbook; make states with `count_kpis` of a playbook"};
    return report_kpis(definitions_of(playbook::parse(s.definitions(), "")), s, level);
}

}  // namespace journeyman
