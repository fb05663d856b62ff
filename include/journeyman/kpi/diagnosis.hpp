#pragma once
// Why a KPI changed from one period to another, and where money buys the most.

#include <optional>
#include <string>
#include <vector>

#include "journeyman/kpi/report.hpp"

namespace journeyman {

struct diagnosis_options {
    std::optional<instant> period, against;    // an instant in each; default: the last whole period with a value, and the one before it
    std::string campaign, against_campaign;    // the same where `every` is campaign
    std::vector<expression> by;                // each looked at alone; default: the KPI's own, or `segment`
    std::optional<instant> end;                // of what is known, excluded; default: the last instant of the history, included
    double level = 0.95;
    double shift = 0.1;                        // how much of a cell's spend is moved, in (0, 1]
    double returns = 1;                        // what comes of spend s grows like s^returns: 1, each unit of money brings what the average one brought; below 1, less and less. In (0, 1]
    unsigned threads = 0;
};

struct diagnosis {
    /// One row: kpi, period, campaign, against, against_campaign, value, low, high, before, before_low, before_high, change, change_low, change_high, certain. The interval of the change is
    /// that of two independent estimates (MOVER: Zou, Donner 2008, "Construction of confidence limits about effect measures", of their distances to their ends).
    table change;
    /// dimension, cell (missing: the whole), value, before, share, share_before, effect, mix, rate, rest. A ratio is Σ share · value over the cells, its change Σ effect; effect = mix + rate (Kitagawa 1955,
    /// "Components of a difference between two rates"): mix, by how much the cell's share of the denominator changed, times how far its value lies from the whole's; rate, by how much its
    /// value changed, times its share; both at the mean of the two periods. A KPI that is a sum has effects alone. `rest`, of the whole: what is left, because contacts stand in several
    /// cells, or because the KPI is neither a ratio nor a sum. So change = Σ effect + rest, always. By size of effect.
    table parts;
    /// dimension, cell, spend, count, cost, low, high, rank, certain: where the KPI is money per something (`spend() / new(purchase)`), what a cell cost in the period, the cheapest first;
    /// certain: its interval lies beyond the cheapest one's.
    table costs;
    /// dimension, from, to, amount, lost, gained, net, low, high: what moving `shift` of the spend of each cell to the cheapest would have brought, as `returns` says, all else equal.
    table moves;
};

/// Codes: name.unknown for a KPI or campaign that is not there, kpi.window for a period out of reach, kpi.diagnosis for options out of range.
diagnosis diagnose_kpi(const kpi_definitions&, const history& h, const std::vector<journey_span>& journeys, const std::string& kpi, const diagnosis_options&);

}  // namespace journeyman
