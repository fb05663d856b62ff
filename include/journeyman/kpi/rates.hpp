#pragma once
// Proportions and rates: their intervals, and tests of two of them. All intervals are two-sided.

namespace journeyman {

struct interval_estimate { double low = 0, high = 0; };

/// Wilson (1927), without correction. Errors of all here: `statistics.counts` for counts that cannot be, `statistics.level`.
interval_estimate wilson(double x, double n, double level = 0.95);

/// Of p1 - p2: method 10 of Newcombe (1998).
interval_estimate newcombe(double x1, double n1, double x2, double n2, double level = 0.95);

struct rate_estimate { double rate = 0, low = 0, high = 0, p = 1; };
/// x events in `exposure`: Garwood's exact interval (1936) of the rate, and the central exact p of a given rate: twice the smaller tail, at most 1.
rate_estimate poisson_exact(double x, double exposure, double level = 0.95, double null_rate = 1);

struct z_test { double z = 0, p = 1; };
/// Score test that two rates are one (as in Przyborowski and Wilenski's setting, normal approximation): z of x1/e1 - x2/e2 with the pooled rate's variance.
z_test poisson_two_rates(double x1, double e1, double x2, double e2);

struct proportions_test {
    double difference = 0, low = 0, high = 0;                // p2 - p1, and Wald's interval, never pooled
    double z = 0, p = 1;
    double relative = 0, relative_low = 0, relative_high = 0;    // the same divided by p1; NaN where that is 0
};
/// Two-sided z test of two proportions, with the pooled variance (which is the chi-squared test) or the one of each.
proportions_test two_proportions(double x1, double n1, double x2, double n2, bool pooled = true, double level = 0.95);

}  // namespace journeyman
