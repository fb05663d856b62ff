#pragma once
// The likelihoods of the buy-till-you-die models, and customers of one kind taken together.

#include <array>
#include <vector>

#include "journeyman/kpi/lifetime_value.hpp"
#include "kpi/maximum_likelihood.hpp"

namespace journeyman::detail {

struct customer_kind {
    double x, t_x, T, weight;
};
/// Checked, and equal ones together.
std::vector<customer_kind> kinds_of(const repeat_purchases&);

using four = std::array<double, 4>;
using sum_of_four = log_sum<4>;

/// `zero`: 1 when a customer may leave after the first purchase too (mbg_nbd), else 0.
derivatives bg_likelihood(const std::vector<customer_kind>&, const Eigen::VectorXd& p, std::size_t zero);
derivatives pareto_likelihood(const std::vector<customer_kind>&, const Eigen::VectorXd& p);
derivatives bg_bb_likelihood(const std::vector<customer_kind>&, const Eigen::VectorXd& p);

/// The terms of one customer: the first is that of being alive at the end. Without what does not depend on that (for pareto_nbd: r ln α + s ln β + ln Γ(r + x) - ln Γ(r)).
void pareto_terms(const four& p, double x, double t_x, double T, bool with_derivatives, sum_of_four& out);

/// ln of the odds of having left against being alive (bg_nbd, mbg_nbd); nothing when it is certain that nobody could leave.
double bg_ln_odds(const four& p, double x, double t_x, double T, std::size_t zero);

/// E[X(t)] of bg_nbd with these parameters, without a singularity at a = 1.
double bg_mean(double r, double alpha, double a, double b, double t);

}  // namespace journeyman::detail
