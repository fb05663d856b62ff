#pragma once
// All KPIs of a playbook, counted: what reports, states and diagnoses are made of.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journeyman/kpi/state.hpp"
#include "kpi/fold.hpp"
#include "kpi/periods.hpp"

namespace journeyman::detail {

struct counted_kpi {
    std::string name;
    std::vector<std::string> by;                   // names of the dimensions
    std::shared_ptr<const totals_shape> shape;
    std::vector<period> when;                      // rows and those compared with; of these a state keeps where they begin and end
    std::vector<std::int64_t> contacts;            // by period: how many exist a microsecond before its end
    std::unique_ptr<cell_totals> totals;
};

struct counted {
    std::string definitions;
    std::optional<table_span> span;                // nothing: the history had no instant, and none were asked for
    std::vector<counted_kpi> kpis;
    cell_texts texts;
};

/// The pass. Throws the first error of the check, and `kpi.window` for an empty span.
counted count(const kpi_definitions&, const history&, const std::vector<journey_span>&, const kpi_options&);
kpi_report report(const kpi_definitions&, const counted&, double level, unsigned threads);

/// The totals of a cell, as its formula takes them.
std::vector<std::optional<double>> amounts_of(const kpi_definitions&, const counted_kpi&, const period&, const totals*);

}  // namespace journeyman::detail
