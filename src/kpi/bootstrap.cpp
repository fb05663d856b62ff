// The bootstrap by Poisson weights, on merged units.

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>
#include <vector>

#include "journeyman/kpi/experiment.hpp"
#include "kpi/normal.hpp"

namespace journeyman {
namespace {

constexpr std::size_t most_cells = 4096;

/// SplitMix64 (Steele, Lea and Flood, 2014): the same on every machine.
class chance {
public:
    explicit chance(std::uint64_t seed) : state_{seed} {}
    std::uint64_t bits() {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }
    /// In (0, 1).
    double unit() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1.0p-53; }

private:
    std::uint64_t state_;
};

/// Poisson(mean), prepared for one mean: by inversion where it is small, else by Hörmann's PTRS (1993).
class poisson {
public:
    explicit poisson(double mean) : mean_{mean} {
        if (mean < 12) {
            double p = std::exp(-mean), sum = p;
            for (int k = 1; sum < 1 - 1e-17 && k < 200; ++k) {
                table_.push_back(sum);
                p *= mean / k;
                sum += p;
            }
            return;
        }
        root_ = std::sqrt(mean);
        b_ = 0.931 + 2.53 * root_;
        a_ = -0.059 + 0.02483 * b_;
        inverse_alpha_ = 1.1239 + 1.1328 / (b_ - 3.4);
        v_r_ = 0.9277 - 3.6224 / (b_ - 2);
        ln_mean_ = std::log(mean);
    }
    double draw(chance& c) const {
        if (!table_.empty() || mean_ < 12) {
            const double u = c.unit();
            std::size_t k = 0;
            while (k < table_.size() && u > table_[k]) ++k;
            return static_cast<double>(k);
        }
        for (;;) {
            const double u = c.unit() - 0.5, v = c.unit(), us = 0.5 - std::fabs(u), k = std::floor((2 * a_ / us + b_) * u + mean_ + 0.43);
            if (us >= 0.07 && v <= v_r_) return k;
            if (k < 0 || (us < 0.013 && v > us)) continue;
            if (std::log(v) + std::log(inverse_alpha_) - std::log(a_ / (us * us) + b_) <= -mean_ + k * ln_mean_ - std::lgamma(k + 1)) return k;
        }
    }

private:
    double mean_, root_ = 0, b_ = 0, a_ = 0, inverse_alpha_ = 0, v_r_ = 0, ln_mean_ = 0;
    std::vector<double> table_;
};

/// What one cell weighs 1 is (of like units: one of them; of merged ones: all of them), and how it is weighed.
struct cell {
    double n, post, den, like;
};

std::vector<cell> cells_of(const arm_units& a) {
    const bool ratio = !a.den.empty();
    if (ratio && a.den.size() != a.post.size()) throw error{"statistics.columns", "", "the columns are of unequal length"};
    const auto n = a.post.size();
    struct pair_hash {
        std::size_t operator()(const std::pair<double, double>& p) const { return std::hash<double>{}(p.first) * 0x9e3779b97f4a7c15ULL ^ std::hash<double>{}(p.second); }
    };
    std::unordered_map<std::pair<double, double>, double, pair_hash> alike;
    for (std::size_t i = 0; i < n && alike.size() <= most_cells; ++i) ++alike[{a.post[i], ratio ? a.den[i] : 1}];
    std::vector<cell> out;
    if (alike.size() <= most_cells) {
        for (const auto& [x, count] : alike) out.push_back({1, x.first, x.second, count});
        std::sort(out.begin(), out.end(), [](const cell& x, const cell& y) { return std::pair{x.post, x.den} < std::pair{y.post, y.den}; });
        return out;
    }
    out.assign(most_cells, {0, 0, 0, 1});
    chance where{0x6a6f75726e65796dULL};
    for (std::size_t i = 0; i < n; ++i) {
        auto& c = out[where.bits() % most_cells];
        ++c.n;
        c.post += a.post[i];
        c.den += ratio ? a.den[i] : 1;
    }
    return out;
}

/// Of an arm in one replicate: the mean or the ratio.
double weighed(const std::vector<cell>& cells, const std::vector<poisson>& weights, chance& c) {
    double post = 0, den = 0;
    for (std::size_t k = 0; k < cells.size(); ++k) {
        const double w = weights[k].draw(c);
        post += w * cells[k].post;
        den += w * cells[k].den;
    }
    return post / den;
}

std::vector<poisson> weights_of(const std::vector<cell>& cells) {
    std::vector<poisson> out;
    for (const auto& c : cells) out.emplace_back(c.like);
    return out;
}

double plain(const std::vector<cell>& cells) {
    double post = 0, den = 0;
    for (const auto& c : cells) {
        post += c.like * c.post;
        den += c.like * c.den;
    }
    return post / den;
}

}  // namespace

bootstrap_result bootstrap(const arm_units& a, const arm_units& b, effect_scale scale, std::size_t replicates, double level, std::uint64_t seed) {
    detail::check_level(level);
    if (a.post.size() < 2 || b.post.size() < 2) throw error{"statistics.columns", "", "an arm has at least two units"};
    if (replicates < 100) throw error{"statistics.replicates", "replicates", "fewer than 100 replicates say nothing about the ends of an interval"};
    const auto x = cells_of(a), y = cells_of(b);
    const auto wx = weights_of(x), wy = weights_of(y);
    const auto effect = [&](double from, double to) { return scale == effect_scale::absolute ? to - from : relative_change(from, to); };
    bootstrap_result out;
    out.cells = x.size() + y.size();
    out.estimate = effect(plain(x), plain(y));
    std::vector<double> effects;
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < replicates; ++r) {
        chance c{seed * 0x9e3779b97f4a7c15ULL + 0xbf58476d1ce4e5b9ULL * (r + 1)};
        const double from = weighed(x, wx, c), to = weighed(y, wy, c), e = effect(from, to);
        if (!std::isfinite(e)) continue;                     // nobody was drawn
        effects.push_back(e);
        sum += e - out.estimate;
        squares += (e - out.estimate) * (e - out.estimate);
    }
    if (effects.size() < 2) throw error{"statistics.columns", "", "nothing varies, or nothing can be divided by"};
    const auto n = static_cast<double>(effects.size());
    out.standard_error = std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
    std::sort(effects.begin(), effects.end());
    const auto quantile = [&](double p) {                    // between the two nearest (Hyndman and Fan's 7)
        const double at = p * (n - 1);
        const auto k = static_cast<std::size_t>(at);
        return k + 1 < effects.size() ? effects[k] + (at - static_cast<double>(k)) * (effects[k + 1] - effects[k]) : effects[k];
    };
    out.low = quantile((1 - level) / 2);
    out.high = quantile((1 + level) / 2);
    return out;
}

}  // namespace journeyman
