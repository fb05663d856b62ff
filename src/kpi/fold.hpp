#pragma once
// The pass over the history: contact by contact, every KPI's totals by period and cell.

#include <atomic>
#include <utility>
#include <vector>

#include "kpi/periods.hpp"
#include "kpi/plan.hpp"

namespace journeyman::detail {

/// One KPI while it is counted: its plan, its periods, its totals.
class kpi_totals : public cell_totals {
public:
    kpi_totals(const kpi_plan& p, periods when) : cell_totals{*p.shape, when.all().size()}, plan_{&p}, periods_{std::move(when)} {}
    [[nodiscard]] const kpi_plan& plan() const { return *plan_; }
    [[nodiscard]] const periods& when() const { return periods_; }

private:
    const kpi_plan* plan_;
    periods periods_;
};

/// The contacts of a part of the history, [first, last), and whether its spend is in it.
struct fold_part {
    std::uint32_t first = 0, last = 0xffffffffU;
    bool spend = true;
    bool plainly = false;                          // by the plain path alone, the twin of the quick one
    std::atomic<std::uint32_t>* next = nullptr;    // shared by parts: each takes `stride` contacts from here on, again and again
    std::uint32_t stride = 0;
};

/// Fills the totals of all KPIs in one pass.
void fold(const kpi_definitions&, const plan&, const program_ptr&, const history_data&, const std::vector<journey_span>&, const table_span&, std::vector<kpi_totals>&, cell_texts&, fold_part = {});

/// Of the rows of spend alone.
void fold_spend(const kpi_definitions&, const program&, const history_data&, const table_span&, std::vector<kpi_totals>&, cell_texts&);

}  // namespace journeyman::detail
