#include "kpi/maximum_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/interval.hpp"

namespace journeyman {

table fitted_model::to_table(double level) const {
    constexpr auto d = value_type::decimal;
    const double z = detail::two_sided_quantile(level);
    table out{{"parameter", value_type::text}, {"estimate", d}, {"standard_error", d}, {"low", d}, {"high", d}};
    for (std::size_t k = 0; k < names.size(); ++k) {
        out[0].push_text(names[k]);
        out[1].push_decimal(estimates[k]);
        if (!std::isfinite(standard_errors[k])) {
            for (std::size_t c = 2; c < 5; ++c) out[c].push_missing();
            continue;
        }
        const double spread = std::exp(z * standard_errors[k] / estimates[k]);
        out[2].push_decimal(standard_errors[k]);
        out[3].push_decimal(estimates[k] / spread);
        out[4].push_decimal(estimates[k] * spread);
    }
    return out;
}

namespace detail {

rising::rising(double a, std::size_t greatest) : ln_(greatest + 1), first_(greatest + 1), squares_(greatest + 1) {
    for (std::size_t i = 0; i < greatest; ++i) {
        const double x = a + static_cast<double>(i);
        ln_[i + 1] = ln_[i] + std::log(x);
        first_[i + 1] = first_[i] + 1 / x;
        squares_[i + 1] = squares_[i] + 1 / (x * x);
    }
}

fitted_model maximise(std::vector<std::string> names, const std::vector<double>& start, const likelihood& of, double customers) {
    constexpr std::size_t most_iterations = 200;
    constexpr double longest = 2, furthest = 25;             // a step, and a parameter, in logarithms
    constexpr double flattest = 10;                          // a standard error in logarithms beyond which the data say nothing
    const auto n = static_cast<Eigen::Index>(start.size());
    Eigen::VectorXd place(n);
    for (Eigen::Index k = 0; k < n; ++k) place[k] = std::log(start[static_cast<std::size_t>(k)]);
    const auto look = [&](const Eigen::VectorXd& at) {
        const Eigen::VectorXd p = at.array().exp();
        derivatives d = of(p);
        d.second = Eigen::MatrixXd{d.second.selfadjointView<Eigen::Lower>()};
        d.second = (p.asDiagonal() * d.second * p.asDiagonal()).eval();
        d.first = d.first.cwiseProduct(p);
        d.second.diagonal() += d.first;
        return d;
    };
    fitted_model out;
    derivatives here = look(place);
    double damping = 0;
    const double scale = std::max(1.0, here.second.diagonal().cwiseAbs().maxCoeff());
    for (; out.iterations < most_iterations; ++out.iterations) {
        const Eigen::MatrixXd uphill = -here.second + damping * Eigen::MatrixXd::Identity(n, n);
        const Eigen::LLT<Eigen::MatrixXd> solved{uphill};
        if (solved.info() != Eigen::Success) {
            damping = std::max(4 * damping, 1e-4 * scale);
            continue;
        }
        Eigen::VectorXd step = solved.solve(here.first);
        const double gain = step.dot(here.first) / 2;
        const double length = step.cwiseAbs().maxCoeff();
        if (length > longest) step *= longest / length;
        const Eigen::VectorXd there = place + step;
        derivatives next = look(there);
        const double noise = 1e-13 * std::fabs(here.value) + 1e-12;
        if (std::isfinite(next.value) && next.value >= here.value - noise) {
            place = there;
            here = std::move(next);
            if (gain < noise && damping == 0) {
                out.converged = true;
                break;
            }
            damping = damping < 1e-6 * scale ? 0 : damping / 8;
            if (place.cwiseAbs().maxCoeff() > furthest) break;   // it runs away: there is no maximum inside
        } else {
            if (length < 1e-12) break;
            damping = std::max(8 * damping, 1e-4 * scale);
        }
    }
    const Eigen::VectorXd p = place.array().exp();
    // At the maximum the first derivatives are 0, so that those by logarithms say all about those by the parameters.
    const Eigen::LLT<Eigen::MatrixXd> information{-here.second};
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Constant(n, n, std::numeric_limits<double>::quiet_NaN());
    if (out.converged) {
        const Eigen::MatrixXd of_logarithms = information.solve(Eigen::MatrixXd::Identity(n, n));
        out.converged = information.info() == Eigen::Success && of_logarithms.diagonal().maxCoeff() < flattest * flattest;
        if (out.converged) covariance = p.asDiagonal() * of_logarithms * p.asDiagonal();
    }
    out.names = std::move(names);
    out.estimates.assign(p.begin(), p.end());
    for (Eigen::Index k = 0; k < n; ++k) out.standard_errors.push_back(std::sqrt(covariance(k, k)));
    for (Eigen::Index a = 0; a < n; ++a)
        for (Eigen::Index b = 0; b < n; ++b) out.covariance.push_back(covariance(a, b));
    out.log_likelihood = here.value;
    out.customers = customers;
    return out;
}

}  // namespace detail
}  // namespace journeyman
