#include "kpi/purchase_models.hpp"

#include <algorithm>
#include <bit>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/quadrature/tanh_sinh.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "journeyman/core/error.hpp"

namespace journeyman::detail {

std::vector<customer_kind> kinds_of(const repeat_purchases& c) {
    const auto n = c.x.size();
    if (c.t_x.size() != n || c.T.size() != n || (!c.weight.empty() && c.weight.size() != n)) throw error{"lifetime_value.columns", "", "the columns are of unequal length; give x, t_x and T for each customer"};
    if (n == 0) throw error{"lifetime_value.columns", "", "there are no customers"};
    std::vector<customer_kind> out;
    // Open addressing: most customers who never came back are of few kinds.
    const std::size_t slots = std::bit_ceil(2 * n + 16);
    std::vector<std::uint32_t> table(slots);
    for (std::size_t i = 0; i < n; ++i) {
        const double x = c.x[i], t_x = c.t_x[i], T = c.T[i], w = c.weight.empty() ? 1.0 : c.weight[i];
        if (!(x >= 0 && t_x >= 0 && t_x <= T && std::isfinite(T) && x == std::floor(x) && x < 1e7 && w >= 0) || (x > 0 && t_x == 0) || (x == 0 && t_x != 0))
            throw error{"lifetime_value.columns", "row " + std::to_string(i), "no such customer can be: x is a whole number of repeat purchases, 0 <= t_x <= T, and t_x is 0 exactly where x is"};
        if (w == 0) continue;
        // Round numbers differ in their high bits alone: those must reach all others.
        auto hash = std::bit_cast<std::uint64_t>(x) * 0x9e3779b97f4a7c15ULL;
        hash = ((hash ^ (hash >> 32)) + std::bit_cast<std::uint64_t>(t_x)) * 0xe7037ed1a0b428dbULL;
        hash = ((hash ^ (hash >> 32)) + std::bit_cast<std::uint64_t>(T)) * 0xbf58476d1ce4e5b9ULL;
        for (auto slot = (hash ^ (hash >> 32)) & (slots - 1);; slot = (slot + 1) & (slots - 1)) {
            if (table[slot] == 0) {
                out.push_back({x, t_x, T, w});
                table[slot] = static_cast<std::uint32_t>(out.size());
                break;
            }
            auto& kind = out[table[slot] - 1];
            if (kind.x == x && kind.t_x == t_x && kind.T == T) {
                kind.weight += w;
                break;
            }
        }
    }
    return out;
}

namespace {
std::size_t greatest_x(const std::vector<customer_kind>& all) {
    double most = 0;
    for (const auto& c : all) most = std::max(most, c.x);
    return static_cast<std::size_t>(most);
}
}  // namespace

derivatives bg_likelihood(const std::vector<customer_kind>& all, const Eigen::VectorXd& p, std::size_t zero) {
    const double r = p[0], alpha = p[1], a = p[2], b = p[3], ln_alpha = std::log(alpha), ln_a = std::log(a);
    const auto most = greatest_x(all);
    std::vector<double> weights(most + 1), ln_left(most + 2);   // ln_left: ln a / (b + k - 1)
    for (std::size_t x = 0; x <= most; ++x) ln_left[x] = x + zero == 0 ? 0 : ln_a - std::log(b + static_cast<double>(x + zero) - 1);
    double value = 0, gr = 0, ga_ = 0, ga = 0, gb = 0, hrr = 0, hra = 0, hr_a = 0, hrb = 0, haa = 0, ha_a = 0, hab = 0, h_aa = 0, h_ab = 0, hbb = 0;   // g of r, alpha, a, b; h likewise: r, a(lpha), _a, b
    for (const auto& c : all) {
        const auto x = static_cast<std::size_t>(c.x);
        const double w = c.weight, n = r + c.x, end = alpha + c.T, ln_end = std::log(end), inverse = 1 / end;
        weights[x] += w;
        value -= w * n * ln_end;
        gr -= w * ln_end;
        ga_ -= w * n * inverse;
        hra -= w * inverse;
        haa += w * n * inverse * inverse;
        if (x + zero == 0) continue;
        const double last = alpha + c.t_x, ln_last = x == 0 ? ln_alpha : std::log(last), inverse_last = 1 / last;
        const double zr = ln_end - ln_last, za_ = n * (inverse - inverse_last), za = 1 / a, zb = -1 / (b + c.x + static_cast<double>(zero) - 1);
        const double z = ln_left[x] + n * zr;
        const double e = std::exp(-std::fabs(z)), left = z > 0 ? 1 / (1 + e) : e / (1 + e), v = w * left * (1 - left), u = w * left;
        value += w * ((z > 0 ? z : 0) + std::log1p(e));
        gr += u * zr;
        ga_ += u * za_;
        ga += u * za;
        gb += u * zb;
        hrr += v * zr * zr;
        hra += v * zr * za_ + u * (inverse - inverse_last);
        hr_a += v * zr * za;
        hrb += v * zr * zb;
        haa += v * za_ * za_ + u * n * (inverse_last * inverse_last - inverse * inverse);
        ha_a += v * za_ * za;
        hab += v * za_ * zb;
        h_aa += v * za * za - u * za * za;
        h_ab += v * za * zb;
        hbb += v * zb * zb + u * zb * zb;
    }
    // What depends on x alone: Γ(r + x)/Γ(r), B(a, b + k)/B(a, b).
    const rising of_r{r, most}, of_b{b, most + zero}, of_ab{a + b, most + zero};
    double customers = 0;
    for (std::size_t x = 0; x <= most; ++x) {
        const double w = weights[x];
        if (w == 0) continue;
        const auto k = x + zero;
        customers += w;
        value += w * (of_r.ln(x) + of_b.ln(k) - of_ab.ln(k));
        gr += w * of_r.first(x);
        ga -= w * of_ab.first(k);
        gb += w * (of_b.first(k) - of_ab.first(k));
        hrr += w * of_r.second(x);
        h_aa -= w * of_ab.second(k);
        h_ab -= w * of_ab.second(k);
        hbb += w * (of_b.second(k) - of_ab.second(k));
    }
    derivatives d{4};
    d.value = value + customers * r * ln_alpha;
    d.first << gr + customers * ln_alpha, ga_ + customers * r / alpha, ga, gb;
    d.second(0, 0) = hrr;
    d.second(1, 0) = hra + customers / alpha;
    d.second(2, 0) = hr_a;
    d.second(3, 0) = hrb;
    d.second(1, 1) = haa - customers * r / (alpha * alpha);
    d.second(2, 1) = ha_a;
    d.second(3, 1) = hab;
    d.second(2, 2) = h_aa;
    d.second(3, 2) = h_ab;
    d.second(3, 3) = hbb;
    return d;
}

double bg_ln_odds(const four& p, double x, double t_x, double T, std::size_t zero) {
    const auto [r, alpha, a, b] = p;
    if (x + static_cast<double>(zero) == 0) return -std::numeric_limits<double>::infinity();
    return std::log(a / (b + x + static_cast<double>(zero) - 1)) + (r + x) * std::log((alpha + T) / (alpha + t_x));
}

namespace {
/// E over p of (1 - (1 + p t / alpha)^-r) / p, p being the chance to leave: where the series is too long or its terms too large.
double bg_mean_by_integral(double r, double alpha, double a, double b, double t) {
    const double both = a + b, middle = a / both, sd = std::sqrt(a * b / (both + 1)) / both;
    const double from = std::max(0.0, middle - 20 * sd), to = std::min(1.0, middle + 20 * sd);
    if (!(to > from)) return -std::expm1(-r * std::log1p(middle * t / alpha)) / middle;
    const double ln_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(both);
    // Of very large a and b the density is the normal one, and the logarithms of Γ are too coarse for it.
    const bool narrow = both > 1e6 && a > 1e4 && b > 1e4;
    const auto ln_density = [&](double p, double q) {
        if (narrow) return -0.5 * (p - middle) * (p - middle) / (sd * sd) - std::log(sd) - 0.9189385332046727;
        return (a - 1) * std::log(p) + (b - 1) * std::log(q) - ln_beta;
    };
    // Where hardly anybody ever leaves, most of the density lies nearer to 0 than numbers go: what is said of 0 is taken out.
    const double at_0 = a < 0.1 ? r * t / alpha : 0;
    boost::math::quadrature::tanh_sinh<double> rule;
    return at_0 + rule.integrate([&](double p, double rest) {
        // `rest` is how far it is to the nearer end, below 0 for the lower one.
        const double x = from == 0 && rest < 0 ? -rest : p, q = to == 1 && rest > 0 ? rest : 1 - p;
        const double u = x * t / alpha;
        const double above_0 = at_0 > 0 && u < 1e-5 ? -at_0 * (r + 1) / 2 * u * (1 - (r + 2) / 3 * u) : -std::expm1(-r * std::log1p(u)) / x - at_0;
        return std::exp(ln_density(x, q)) * above_0;
    }, from, to);
}
}  // namespace

double bg_mean(double r, double alpha, double a, double b, double t) {
    if (!(t > 0)) return 0;
    const double z = t / (alpha + t), ln = std::log1p(-z);
    if (z > 0.995 || -(a - 1) * ln > 300 || r > a + b + 10) return bg_mean_by_integral(r, alpha, a, b, t);
    // (a + b - 1)/(a - 1) (1 - (1 - z)^r 2F1(r, b; a + b - 1; z)) by Euler's transformation, with 1/(a - 1) taken out of every term.
    const double g = a - 1, head = std::fabs(g) < 1e-300 ? -ln : -std::expm1(g * ln) / g;
    double term = (a + b - 1 - r) * z, sum = term;
    for (int n = 1; n < 20'000; ++n) {
        term *= (a + b - 1 - r + n) * (a + n - 1) / ((a + b + n - 1) * (n + 1)) * z;
        sum += term;
        if (std::fabs(term) <= 1e-17 * std::fabs(sum)) break;
    }
    return (a + b - 1) * head - std::exp(g * ln) * sum;
}

// ---- Pareto/NBD: the integral over the instant of leaving, by Gauss and Legendre over ln(min(α, β) + y) in panels on which the integrand changes by e⁵ at most.

void pareto_terms(const four& p, double x, double t_x, double T, bool with_derivatives, sum_of_four& out) {
    const auto [r, alpha, s, beta] = p;
    const double n = r + x;
    out.clear();
    {
        const double la = std::log(alpha + T), lb = std::log(beta + T);
        auto& alive = out.add(-n * la - s * lb);
        if (with_derivatives) {
            const double ia = 1 / (alpha + T), ib = 1 / (beta + T);
            alive.first << -la, -n * ia, -lb, -s * ib;
            alive.second(1, 0) = alive.second(0, 1) = -ia;
            alive.second(1, 1) = n * ia * ia;
            alive.second(3, 2) = alive.second(2, 3) = -ib;
            alive.second(3, 3) = s * ib * ib;
        }
    }
    if (!(T > t_x)) return;
    const double least = std::min(alpha, beta), from = std::log(least + t_x), slowest = alpha <= beta ? n - 1 : s;
    double range = std::log((least + T) / (least + t_x));
    if (slowest > 0) range = std::min(range, 42 / slowest);   // beyond it is nothing in a double
    const double c = n + s;
    const int panels = static_cast<int>(std::clamp(std::ceil(range * std::max(c / 5, 1 / 1.2)), 1.0, 400.0));
    using rule = boost::math::quadrature::gauss<double, 10>;
    const auto& nodes = rule::abscissa();
    const auto& weights = rule::weights();
    const double half = range / panels / 2, ln_s = std::log(s);
    for (int panel = 0; panel < panels; ++panel) {
        const double middle = from + half * (2 * panel + 1);
        for (std::size_t k = 0; k < 2 * nodes.size(); ++k) {
            const double at = k < nodes.size() ? nodes[k] : -nodes[k - nodes.size()];
            const double weight = weights[k % nodes.size()], u = middle + half * at, e = std::exp(u);
            const double ya = alpha <= beta ? e : e + (alpha - beta), yb = alpha <= beta ? e + (beta - alpha) : e;
            const double la = alpha <= beta ? u : std::log(ya), lb = alpha <= beta ? std::log(yb) : u;
            auto& left = out.add(std::log(weight * half) + u + ln_s - n * la - (s + 1) * lb);
            if (!with_derivatives) continue;
            const double ia = 1 / ya, ib = 1 / yb;
            left.first << -la, -n * ia, 1 / s - lb, -(s + 1) * ib;
            left.second(1, 0) = left.second(0, 1) = -ia;
            left.second(1, 1) = n * ia * ia;
            left.second(2, 2) = -1 / (s * s);
            left.second(3, 2) = left.second(2, 3) = -ib;
            left.second(3, 3) = (s + 1) * ib * ib;
        }
    }
}

derivatives pareto_likelihood(const std::vector<customer_kind>& all, const Eigen::VectorXd& p) {
    const rising of_r{p[0], greatest_x(all)};
    sum_of_four terms;
    sum_of_four::term total{0, sum_of_four::vector::Zero(), sum_of_four::matrix::Zero()};
    double customers = 0;
    for (const auto& c : all) {
        pareto_terms({p[0], p[1], p[2], p[3]}, c.x, c.t_x, c.T, true, terms);
        const auto t = terms.total();
        const auto x = static_cast<std::size_t>(c.x);
        customers += c.weight;
        total.value += c.weight * (t.value + of_r.ln(x));
        total.first += c.weight * t.first;
        total.second += c.weight * t.second;
        total.first[0] += c.weight * of_r.first(x);
        total.second(0, 0) += c.weight * of_r.second(x);
    }
    derivatives d{4};
    d.value = total.value + customers * (p[0] * std::log(p[1]) + p[2] * std::log(p[3]));
    d.first = total.first;
    d.second = total.second;
    for (const Eigen::Index k : {0, 2}) {                     // r ln α, s ln β
        d.first[k] += customers * std::log(p[k + 1]);
        d.first[k + 1] += customers * p[k] / p[k + 1];
        d.second(k + 1, k) += customers / p[k + 1];
        d.second(k + 1, k + 1) -= customers * p[k] / (p[k + 1] * p[k + 1]);
    }
    return d;
}

derivatives bg_bb_likelihood(const std::vector<customer_kind>& all, const Eigen::VectorXd& p) {
    double longest = 0;
    for (const auto& c : all) longest = std::max(longest, c.T);
    const auto most = static_cast<std::size_t>(longest) + 1;
    const double gamma = p[2];
    const rising of_alpha{p[0], most}, of_beta{p[1], most}, of_both{p[0] + p[1], most}, of_delta{p[3], most}, of_end{p[2] + p[3], most};
    sum_of_four terms;
    derivatives d{4};
    for (const auto& c : all) {
        const auto x = static_cast<std::size_t>(c.x), t_x = static_cast<std::size_t>(c.t_x), n = static_cast<std::size_t>(c.T);
        terms.clear();
        // Alive at the end (left = 0), or left after k occasions.
        const auto term = [&](std::size_t k, std::size_t left) {
            auto& t = terms.add(of_alpha.ln(x) + of_beta.ln(k - x) - of_both.ln(k) + of_delta.ln(k) - of_end.ln(k + left) + (left != 0 ? std::log(gamma) : 0));
            t.first << of_alpha.first(x) - of_both.first(k), of_beta.first(k - x) - of_both.first(k), (left != 0 ? 1 / gamma : 0) - of_end.first(k + left), of_delta.first(k) - of_end.first(k + left);
            const double both = -of_both.second(k), end = -of_end.second(k + left);
            t.second(0, 0) = of_alpha.second(x) + both;
            t.second(1, 0) = t.second(0, 1) = both;
            t.second(1, 1) = of_beta.second(k - x) + both;
            t.second(2, 2) = end - (left != 0 ? 1 / (gamma * gamma) : 0);
            t.second(3, 2) = t.second(2, 3) = end;
            t.second(3, 3) = of_delta.second(k) + end;
        };
        term(n, 0);
        for (std::size_t k = t_x; k < n; ++k) term(k, 1);
        const auto t = terms.total();
        d.value += c.weight * t.value;
        d.first += c.weight * t.first;
        d.second += c.weight * t.second;
    }
    return d;
}

}  // namespace journeyman::detail
