#include "journeyman/kpi/attribution.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <utility>

#include "journeyman/core/error.hpp"
#include "kpi/touch_checks.hpp"

namespace journeyman {

channel_credit rule_credit(const touch_columns& t, const rule_options& o) {
    detail::check(t);
    const bool decays = o.rule == attribution_rule::time_decay;
    if (decays && t.age.empty() && !t.touches.empty()) throw error{"attribution.columns", "age", "time decay needs to know how long before the conversion each touch was"};
    if (decays && !(o.half_life > 0)) throw error{"attribution.columns", "half_life", "a half-life is above 0"};
    if (o.rule == attribution_rule::position && !(o.first_share >= 0 && o.last_share >= 0 && o.first_share + o.last_share > 0 && o.first_share + o.last_share <= 1))
        throw error{"attribution.columns", "position", "the shares of the first and the last touch are not negative, and at most all together"};
    channel_credit out;
    out.conversions.resize(t.channels);
    if (!t.value.empty()) out.value.resize(t.channels);
    std::vector<double> shares;
    for (std::size_t k = 0; k < t.paths(); ++k) {
        const auto path = t.touches.subspan(t.begins[k], t.begins[k + 1] - t.begins[k]);
        const double converted = t.converted.empty() ? 1 : t.converted[k], value = t.value.empty() ? 0 : t.value[k];
        const auto n = path.size();
        if (n == 0 || (converted == 0 && value == 0)) continue;
        const auto give = [&](std::size_t i, double share) {
            out.conversions[path[i]] += share * converted;
            if (!t.value.empty()) out.value[path[i]] += share * value;
        };
        switch (o.rule) {
            case attribution_rule::first: give(0, 1); break;
            case attribution_rule::last: give(n - 1, 1); break;
            case attribution_rule::linear:
                for (std::size_t i = 0; i < n; ++i) give(i, 1 / static_cast<double>(n));
                break;
            case attribution_rule::position:
                if (n <= 2) {
                    const double ends = o.first_share + o.last_share;
                    if (n == 1) give(0, 1);
                    else {
                        give(0, o.first_share / ends);
                        give(1, o.last_share / ends);
                    }
                    break;
                }
                give(0, o.first_share);
                give(n - 1, o.last_share);
                for (std::size_t i = 1; i + 1 < n; ++i) give(i, (1 - o.first_share - o.last_share) / static_cast<double>(n - 2));
                break;
            case attribution_rule::time_decay: {
                const auto age = t.age.subspan(t.begins[k], n);
                const double youngest = *std::min_element(age.begin(), age.end());   // so that the weights do not all become 0
                double all = 0;
                shares.clear();
                for (const double a : age) all += shares.emplace_back(std::exp2((youngest - a) / o.half_life));
                for (std::size_t i = 0; i < n; ++i) give(i, shares[i] / all);
                break;
            }
            case attribution_rule::last_but: {
                std::size_t i = n;
                while (i > 0 && o.but && path[i - 1] == *o.but) --i;
                give(i == 0 ? n - 1 : i - 1, 1);
            }
        }
    }
    return out;
}

std::vector<double> shapley(std::span<const double> worth, std::size_t players) {
    if (players > 24 || worth.size() != std::size_t{1} << players) throw error{"attribution.channels", "worth", "the worth of each coalition is needed: 2 to the power of the players, who are at most 24"};
    // The weight of a coalition of s others: s! (n - s - 1)! / n!
    std::vector<double> weight(players);
    for (std::size_t s = 0; s < players; ++s) weight[s] = std::exp(std::lgamma(static_cast<double>(s) + 1) + std::lgamma(static_cast<double>(players - s)) - std::lgamma(static_cast<double>(players) + 1));
    std::vector<double> out(players);
    for (std::size_t mask = 1; mask < worth.size(); ++mask) {
        const auto size = static_cast<std::size_t>(std::popcount(mask));
        for (std::size_t p = 0; p < players; ++p) {
            const auto bit = std::size_t{1} << p;
            // Each worth counts for who is in, and against who could have joined.
            if ((mask & bit) != 0) out[p] += weight[size - 1] * worth[mask];
            else out[p] -= weight[size] * worth[mask];
        }
    }
    return out;
}

namespace {

/// Conversions and losses by the set of channels of a path.
struct channel_set { std::uint64_t mask; double converted, lost; };

std::vector<channel_set> sets_of(const touch_columns& t) {
    std::map<std::uint64_t, std::size_t> index;
    std::vector<channel_set> out;
    for (std::size_t k = 0; k < t.paths(); ++k) {
        std::uint64_t mask = 0;
        for (auto i = t.begins[k]; i < t.begins[k + 1]; ++i) mask |= std::uint64_t{1} << t.touches[i];
        if (mask == 0) continue;
        const auto [at, fresh] = index.try_emplace(mask, out.size());
        if (fresh) out.push_back({mask, 0, 0});
        out[at->second].converted += t.converted.empty() ? 1 : t.converted[k];
        out[at->second].lost += t.lost.empty() ? 0 : t.lost[k];
    }
    return out;
}

double worth_of(double converted, double lost, coalition_worth w) { return w == coalition_worth::conversions ? converted : converted + lost > 0 ? converted / (converted + lost) : 0; }

}  // namespace

shapley_result shapley_credit(const touch_columns& t, const shapley_options& o) {
    detail::check(t);
    if (t.channels > 64) throw error{"attribution.channels", "", "Shapley values are of at most 64 channels; put the small ones together"};
    const auto sets = sets_of(t);
    shapley_result out;
    out.standard_error.resize(t.channels);
    if (t.channels <= std::min<std::size_t>(o.exact_up_to, 24)) {
        std::vector<double> converted(std::size_t{1} << t.channels), lost(converted.size());
        for (const auto& s : sets) {
            converted[s.mask] += s.converted;
            lost[s.mask] += s.lost;
        }
        for (std::size_t p = 0; p < t.channels; ++p)         // sums over all subsets
            for (std::size_t mask = 0; mask < converted.size(); ++mask)
                if ((mask >> p & 1) != 0) {
                    converted[mask] += converted[mask ^ (std::size_t{1} << p)];
                    lost[mask] += lost[mask ^ (std::size_t{1} << p)];
                }
        for (std::size_t mask = 0; mask < converted.size(); ++mask) converted[mask] = worth_of(converted[mask], lost[mask], o.worth);
        out.credit = shapley(converted, t.channels);
        return out;
    }
    // Orders drawn at random: the mean of what each channel adds when it joins (Castro, Gómez and Tejada, 2009).
    if (o.orders < 2) throw error{"attribution.channels", "orders", "draw at least two orders"};
    out.exact = false;
    std::vector<double> sum(t.channels), squares(t.channels);
    std::vector<std::uint32_t> order(t.channels);
    std::vector<std::vector<std::size_t>> by_size;
    std::uint64_t state = o.seed;
    std::vector<std::uint32_t> place(t.channels);
    std::vector<double> converted(t.channels), lost(t.channels);
    for (std::size_t r = 0; r < o.orders; ++r) {
        for (std::uint32_t k = 0; k < t.channels; ++k) order[k] = k;
        for (std::size_t k = t.channels; k-- > 1;) {
            state += 0x9e3779b97f4a7c15ULL;                  // SplitMix64
            auto x = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9ULL;
            x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
            std::swap(order[k], order[(x ^ (x >> 31)) % (k + 1)]);
        }
        for (std::uint32_t k = 0; k < t.channels; ++k) place[order[k]] = k;
        // A path counts from where the last of its channels joins.
        std::fill(converted.begin(), converted.end(), 0.0);
        std::fill(lost.begin(), lost.end(), 0.0);
        for (const auto& s : sets) {
            std::uint32_t last = 0;
            for (auto m = s.mask; m != 0; m &= m - 1) last = std::max(last, place[static_cast<std::size_t>(std::countr_zero(m))]);
            converted[last] += s.converted;
            lost[last] += s.lost;
        }
        double c = 0, l = 0, before = 0;
        for (std::size_t k = 0; k < t.channels; ++k) {
            const double now = worth_of(c += converted[k], l += lost[k], o.worth), adds = now - std::exchange(before, now);
            sum[order[k]] += adds;
            squares[order[k]] += adds * adds;
        }
    }
    const auto n = static_cast<double>(o.orders);
    out.credit.resize(t.channels);
    for (std::size_t k = 0; k < t.channels; ++k) {
        out.credit[k] = sum[k] / n;
        out.standard_error[k] = std::sqrt(std::max(0.0, (squares[k] - sum[k] * sum[k] / n) / (n - 1) / n));
    }
    return out;
}

}  // namespace journeyman
