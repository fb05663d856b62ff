#include "journeyman/kpi/lifetime_value.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "journeyman/core/error.hpp"
#include "kpi/purchase_models.hpp"

namespace journeyman {
namespace {

using detail::four;
std::size_t zero_of(purchase_model m) { return m == purchase_model::mbg_nbd ? 1 : 0; }

/// P(N = n) and P(N >= n) of a negative binomial: n purchases in t of one who stays.
double nbd(double r, double alpha, double n, double t) {
    if (!(t > 0)) return n == 0 ? 1 : 0;
    const double z = t / (alpha + t);
    return std::exp(std::lgamma(r + n) - std::lgamma(r) - std::lgamma(n + 1) + r * std::log1p(-z) + n * std::log(z));
}
double nbd_at_least(double r, double alpha, double n, double t) { return n == 0 ? 1 : t > 0 ? boost::math::ibeta(n, r, t / (alpha + t)) : 0; }

/// (1 - e^(-k l)) / k, also at k = 0.
double shrunk(double k, double l) { return std::fabs(k) < 1e-300 ? l : -std::expm1(-k * l) / k; }

double ln_beta_ratio(double a, double b, double more) { return std::lgamma(b + more) - std::lgamma(b) - std::lgamma(a + b + more) + std::lgamma(a + b); }

}  // namespace

std::array<std::string, 4> parameter_names(purchase_model m) {
    switch (m) {
        case purchase_model::pareto_nbd: return {"r", "alpha", "s", "beta"};
        case purchase_model::bg_bb: return {"alpha", "beta", "gamma", "delta"};
        default: return {"r", "alpha", "a", "b"};
    }
}

purchases::purchases(purchase_model m, std::array<double, 4> parameters) : model_{m}, p_{parameters} {
    const auto names = parameter_names(m);
    for (std::size_t k = 0; k < 4; ++k)
        if (!(p_[k] > 0) || !std::isfinite(p_[k])) throw error{"lifetime_value.parameters", names[k], "a parameter of these models is a number above 0"};
}

double purchases::log_likelihood(double x, double t_x, double T) const {
    const auto kind = detail::kinds_of({{&x, 1}, {&t_x, 1}, {&T, 1}, {}});
    const Eigen::Vector4d p{p_[0], p_[1], p_[2], p_[3]};
    switch (model_) {
        case purchase_model::pareto_nbd: return detail::pareto_likelihood(kind, p).value;
        case purchase_model::bg_bb: return detail::bg_bb_likelihood(kind, p).value;
        default: return detail::bg_likelihood(kind, p, zero_of(model_)).value;
    }
}

double purchases::mean(double t) const {
    const auto [r, alpha, a, b] = p_;
    switch (model_) {
        case purchase_model::bg_nbd: return detail::bg_mean(r, alpha, a, b, t);
        case purchase_model::mbg_nbd: return b / (a + b) * detail::bg_mean(r, alpha, a, b + 1, t);
        case purchase_model::pareto_nbd: return r * b / alpha * shrunk(a - 1, std::log1p(t / b));
        case purchase_model::bg_bb: break;
    }
    double here = 1, sum = 0;                                // P(alive) occasion by occasion
    for (double k = 0; k < t; ++k) sum += here *= (b + k) / (a + b + k);
    return r / (r + alpha) * sum;
}

double purchases::probability(std::uint64_t count, double t) const {
    const auto [r, alpha, a, b] = p_;
    const auto n = static_cast<double>(count);
    if (model_ == purchase_model::pareto_nbd) {
        // Leaving after t, or at y before it.
        const double stays = nbd(r, alpha, n, t) * std::pow(b / (b + t), a);
        const auto leaves = [&](double y) { return a / b * std::pow(b / (b + y), a + 1) * nbd(r, alpha, n, y); };
        return stays + (t > 0 ? boost::math::quadrature::gauss_kronrod<double, 31>::integrate(leaves, 0.0, t, 15, 1e-12) : 0);
    }
    if (model_ == purchase_model::bg_bb) {
        if (n > t) return 0;
        const auto used = [&](double k) {                    // n of k occasions
            return std::exp(std::lgamma(k + 1) - std::lgamma(n + 1) - std::lgamma(k - n + 1) + std::lgamma(r + n) - std::lgamma(r) + std::lgamma(alpha + k - n) - std::lgamma(alpha) - std::lgamma(r + alpha + k) + std::lgamma(r + alpha));
        };
        double sum = used(t) * std::exp(ln_beta_ratio(a, b, t));
        for (double k = n; k < t; ++k) sum += used(k) * std::exp(ln_beta_ratio(a, b, k)) * a / (a + b + k);
        return sum;
    }
    const double k = n + static_cast<double>(zero_of(model_));
    const double stays = std::exp(ln_beta_ratio(a, b, k)) * nbd(r, alpha, n, t);
    return k == 0 ? stays : stays + std::exp(ln_beta_ratio(a, b, k - 1)) * a / (a + b + k - 1) * nbd_at_least(r, alpha, n, t);
}

double purchases::alive(double x, double t_x, double T, double ahead) const {
    switch (model_) {
        case purchase_model::pareto_nbd: {
            detail::sum_of_four terms;
            detail::pareto_terms(p_, x, t_x, T, false, terms);
            return terms.first_share();
        }
        case purchase_model::bg_bb: {
            // The ways to have left after k occasions, each against being alive after T.
            const auto [alpha, beta, gamma, delta] = p_;
            double others = 0, ratio = 1;                    // of B(α + x, β + k - x) B(γ, δ + k) to the same with T
            for (double k = T; k-- > t_x;) {
                ratio *= (alpha + beta + k) / (beta + k - x) * (gamma + delta + k) / (delta + k);
                others += ratio * gamma / (gamma + delta + k);
            }
            double alive = 1 / (1 + others);
            for (double k = 0; k < ahead; ++k) alive *= (delta + T + k) / (gamma + delta + T + k);
            return alive;
        }
        default: return 1 / (1 + std::exp(detail::bg_ln_odds(p_, x, t_x, T, zero_of(model_))));
    }
}

double purchases::expected(double x, double t_x, double T, double t) const {
    const auto [r, alpha, a, b] = p_;
    const double alive_now = alive(x, t_x, T);
    if (alive_now == 0) return 0;
    switch (model_) {
        case purchase_model::pareto_nbd: return alive_now * (r + x) * (b + T) / (alpha + T) * shrunk(a - 1, std::log1p(t / (b + T)));
        case purchase_model::bg_bb: {
            double here = alive_now, sum = 0;
            for (double k = 0; k < t; ++k) sum += here *= (b + T + k) / (a + b + T + k);
            return (r + x) / (r + alpha + T) * sum;
        }
        default: return alive_now * detail::bg_mean(r + x, alpha + T, a, b + x + static_cast<double>(zero_of(model_)), t);
    }
}

fitted_model fit(purchase_model m, const repeat_purchases& given) {
    auto kinds = detail::kinds_of(given);
    const auto names = parameter_names(m);
    double customers = 0, time = 0, bought = 0;
    for (const auto& k : kinds) {
        customers += k.weight;
        time += k.weight * k.T;
        bought += k.weight * k.x;
        if (m == purchase_model::bg_bb && (k.T != std::floor(k.T) || k.t_x != std::floor(k.t_x) || k.x > k.t_x)) throw error{"lifetime_value.columns", "", "bg_bb counts occasions: t_x and T are whole numbers, and x is at most t_x"};
    }
    if (!(bought > 0)) throw error{"lifetime_value.columns", "x", "nobody bought a second time, so that nothing can be said about when they would"};
    const auto likelihood = [m](const std::vector<detail::customer_kind>& of) {
        return [m, &of](const Eigen::VectorXd& p) {
            switch (m) {
                case purchase_model::pareto_nbd: return detail::pareto_likelihood(of, p);
                case purchase_model::bg_bb: return detail::bg_bb_likelihood(of, p);
                default: return detail::bg_likelihood(of, p, zero_of(m));
            }
        };
    };
    std::vector<double> start{1, time / bought, 1, 2};       // the rate of all, and half of them staying
    if (m == purchase_model::pareto_nbd) start[3] = time / customers;
    if (m == purchase_model::bg_bb) start = {1, 1, 1, 2};
    // A sample tells nearly where the maximum is, at a small part of the cost.
    constexpr std::size_t sample = 20'000;
    if (kinds.size() > 4 * sample) {
        std::vector<detail::customer_kind> some;
        const auto stride = kinds.size() / sample;
        for (std::size_t k = 0; k < kinds.size(); k += stride) some.push_back(kinds[k]);
        // The heavy kinds came first; a stride takes each as often as any other, so they keep their share only by their number.
        const auto near = detail::maximise({names.begin(), names.end()}, start, likelihood(some), 0);
        if (near.converged) start = near.estimates;
    }
    return detail::maximise({names.begin(), names.end()}, start, likelihood(kinds), customers);
}

// ---- spend

fitted_model fit_gamma_gamma(std::span<const double> x, std::span<const double> z, std::span<const double> weight) {
    if (x.size() != z.size() || (!weight.empty() && weight.size() != x.size())) throw error{"lifetime_value.columns", "", "the columns are of unequal length; give x and z for each customer"};
    struct spender { double x, z, w; };
    std::vector<spender> all;
    std::map<double, double> by_x;                           // x → weight
    double customers = 0, total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!(x[i] >= 0) || !std::isfinite(z[i]) || z[i] < 0) throw error{"lifetime_value.columns", "row " + std::to_string(i), "x and z are numbers that are not negative"};
        const double w = weight.empty() ? 1 : weight[i];
        if (x[i] == 0 || z[i] == 0 || w == 0) continue;
        all.push_back({x[i], z[i], w});
        by_x[x[i]] += w;
        customers += w;
        total += w * z[i];
    }
    if (all.size() < 3) throw error{"lifetime_value.columns", "", "fewer than three customers have a repeat purchase with an amount"};
    const auto likelihood = [&](const Eigen::VectorXd& at) {
        using boost::math::digamma, boost::math::trigamma;
        const double p = at[0], q = at[1], v = at[2];
        detail::derivatives d{3};
        for (const auto& [n, w] : by_x) {
            const double a = p * n, both = digamma(a + q), both2 = trigamma(a + q);
            d.value += w * (std::lgamma(a + q) - std::lgamma(a) - std::lgamma(q) + q * std::log(v) + a * std::log(n));
            d.first[0] += w * n * (both - digamma(a) + std::log(n));
            d.first[1] += w * (both - digamma(q) + std::log(v));
            d.first[2] += w * q / v;
            d.second(0, 0) += w * n * n * (both2 - trigamma(a));
            d.second(1, 0) += w * n * both2;
            d.second(1, 1) += w * (both2 - trigamma(q));
            d.second(2, 1) += w / v;
            d.second(2, 2) -= w * q / (v * v);
        }
        for (const auto& [n, m, w] : all) {
            const double e = v + n * m, ln_e = std::log(e), ln_m = std::log(m);
            d.value += w * ((p * n - 1) * ln_m - (p * n + q) * ln_e);
            d.first[0] += w * n * (ln_m - ln_e);
            d.first[1] -= w * ln_e;
            d.first[2] -= w * (p * n + q) / e;
            d.second(2, 0) -= w * n / e;
            d.second(2, 1) -= w / e;
            d.second(2, 2) += w * (p * n + q) / (e * e);
        }
        return d;
    };
    return detail::maximise({"p", "q", "v"}, {2, 2, total / customers}, likelihood, customers);
}

double gamma_gamma_mean(const std::array<double, 3>& parameters, double x, double z) {
    const auto [p, q, v] = parameters;
    if (!(p > 0 && q > 0 && v > 0)) throw error{"lifetime_value.parameters", "", "a parameter of this model is a number above 0"};
    if (!(p * x + q > 1)) throw error{"lifetime_value.parameters", "q", "with q of 1 or less the mean of all customers is not finite"};
    return p * (v + x * z) / (p * x + q - 1);
}

forecast forecast_of(const purchases& model, const repeat_purchases& c, std::span<const double> money, const forecast_options& o) {
    if (!(o.period > 0) || o.periods == 0) throw error{"lifetime_value.period", "period", "a forecast is of one period at least, longer than nothing"};
    if (!(o.rate > -1)) throw error{"lifetime_value.rate", "rate", "a rate is above -1"};
    const auto n = c.x.size();
    if (c.t_x.size() != n || c.T.size() != n || (o.spend && money.size() != n)) throw error{"lifetime_value.columns", "", "the columns are of unequal length; give x, t_x, T and the money for each customer"};
    forecast out;
    for (auto* column : {&out.alive, &out.expected, &out.spend, &out.value}) column->reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double x = c.x[i], t_x = c.t_x[i], T = c.T[i];
        out.alive.push_back(model.alive(x, t_x, T));
        out.spend.push_back(o.spend ? gamma_gamma_mean(*o.spend, money[i] > 0 ? x : 0, money[i]) : 1);
        double before = 0, factor = 1, value = 0;
        // Without discounting the periods in between say nothing.
        for (std::size_t k = o.rate == 0 ? o.periods : 1; k <= o.periods; ++k) {
            const double so_far = model.expected(x, t_x, T, o.period * static_cast<double>(k));
            value += (so_far - std::exchange(before, so_far)) * (factor /= 1 + o.rate);
        }
        out.expected.push_back(before);
        out.value.push_back(value * out.spend.back());
    }
    return out;
}

// ---- contracts

fitted_model fit_sbg(std::span<const double> survivors) {
    if (survivors.size() < 2) throw error{"lifetime_value.columns", "survivors", "give the customers at the start and after each renewal, at least one"};
    for (std::size_t k = 0; k + 1 < survivors.size(); ++k)
        if (!(survivors[k] >= survivors[k + 1] && survivors[k + 1] >= 0)) throw error{"lifetime_value.columns", "survivors", "survivors never become more, and are not negative"};
    const auto last = survivors.size() - 1;
    const auto likelihood = [&](const Eigen::VectorXd& p) {
        const detail::rising of_beta{p[1], last}, of_both{p[0] + p[1], last};
        detail::derivatives d{2};
        const auto add = [&](double w, std::size_t renewals, std::size_t all, bool lost) {
            d.value += w * (of_beta.ln(renewals) - of_both.ln(all) + (lost ? std::log(p[0]) : 0));
            d.first[0] += w * ((lost ? 1 / p[0] : 0) - of_both.first(all));
            d.first[1] += w * (of_beta.first(renewals) - of_both.first(all));
            d.second(0, 0) -= w * (of_both.second(all) + (lost ? 1 / (p[0] * p[0]) : 0));
            d.second(1, 0) -= w * of_both.second(all);
            d.second(1, 1) += w * (of_beta.second(renewals) - of_both.second(all));
        };
        for (std::size_t t = 1; t <= last; ++t) add(survivors[t - 1] - survivors[t], t - 1, t, true);
        add(survivors[last], last, last, false);
        return d;
    };
    return detail::maximise({"alpha", "beta"}, {1, 1}, likelihood, survivors[0]);
}

double sbg_survival(double alpha, double beta, double t) { return std::exp(ln_beta_ratio(alpha, beta, t)); }
double sbg_retention(double alpha, double beta, double t) { return (beta + t - 1) / (alpha + beta + t - 1); }

double discounted_value(std::span<const double> purchases, double value, double rate) {
    if (!(rate > -1)) throw error{"lifetime_value.rate", "rate", "a rate is above -1"};
    double sum = 0, factor = 1;
    for (const double x : purchases) sum += value * x * (factor /= 1 + rate);
    return sum;
}

}  // namespace journeyman
