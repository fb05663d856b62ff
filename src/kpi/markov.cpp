// Attribution by an absorbing Markov chain.

#include <Eigen/Dense>
#include <Eigen/SparseLU>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "journeyman/kpi/attribution.hpp"
#include "kpi/touch_checks.hpp"

namespace journeyman {
namespace {

/// How often each state moved to each other, to a conversion and to a loss. State 0 is the start.
class chain {
public:
    chain(const touch_columns& t, std::size_t order) : channels_{t.channels}, order_{order} {
        if (order == 1) count_first_order(t);
        else count(t);
    }
    [[nodiscard]] std::size_t states() const { return newest_.size(); }

    /// The chance to convert from the start, when every move into a channel is lost (none: no channel).
    [[nodiscard]] double converts(std::size_t without) const {
        const auto n = static_cast<Eigen::Index>(states());
        Eigen::VectorXd to_conversion(n);
        for (Eigen::Index k = 0; k < n; ++k) to_conversion[k] = left_[static_cast<std::size_t>(k)] > 0 ? converted_[static_cast<std::size_t>(k)] / left_[static_cast<std::size_t>(k)] : 0;
        if (n <= 256) {
            Eigen::MatrixXd m = Eigen::MatrixXd::Identity(n, n);
            for (const auto& [from, to, w] : moves_)
                if (newest_[to] != without) m(from, to) -= w / left_[from];
            return m.partialPivLu().solve(to_conversion)[0];
        }
        std::vector<Eigen::Triplet<double>> cells;
        for (Eigen::Index k = 0; k < n; ++k) cells.emplace_back(k, k, 1);
        for (const auto& [from, to, w] : moves_)
            if (newest_[to] != without) cells.emplace_back(from, to, -w / left_[from]);
        Eigen::SparseMatrix<double> m{n, n};
        m.setFromTriplets(cells.begin(), cells.end());
        Eigen::SparseLU<Eigen::SparseMatrix<double>> solved{m};
        return solved.solve(to_conversion)[0];
    }

private:
    struct move { std::uint32_t from, to; double times; };

    void count_first_order(const touch_columns& t) {
        // A dense count: 0 is the start, channel c is 1 + c.
        const auto n = channels_ + 1;
        std::vector<double> times(n * n);
        converted_.resize(n);
        left_.resize(n);
        for (std::size_t k = 0; k < t.paths(); ++k) {
            const double won = t.converted.empty() ? 1 : t.converted[k], all = won + (t.lost.empty() ? 0 : t.lost[k]);
            if (all == 0) continue;
            std::size_t at = 0;
            for (auto i = t.begins[k]; i < t.begins[k + 1]; ++i) {
                const std::size_t to = t.touches[i] + 1;
                times[at * n + to] += all;
                at = to;
            }
            converted_[at] += won;
            left_[at] += all;
        }
        newest_.assign(n, no_channel);
        for (std::size_t c = 0; c < channels_; ++c) newest_[c + 1] = c;
        for (std::uint32_t from = 0; from < n; ++from)
            for (std::uint32_t to = 0; to < n; ++to) {
                if (times[from * n + to] == 0) continue;
                moves_.push_back({from, to, times[from * n + to]});
                left_[from] += times[from * n + to];
            }
    }

    void count(const touch_columns& t) {
        std::unordered_map<std::uint64_t, std::uint32_t> states;   // the last touches, newest lowest, each 1 + channel in `bits`
        std::unordered_map<std::uint64_t, std::size_t> moves;
        const auto bits = static_cast<unsigned>(std::bit_width(channels_));
        const auto mask = bits * order_ >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (bits * order_)) - 1;
        const auto state = [&](std::uint64_t key, std::size_t newest) {
            const auto [at, fresh] = states.try_emplace(key, static_cast<std::uint32_t>(newest_.size()));
            if (fresh) {
                newest_.push_back(newest);
                converted_.push_back(0);
                left_.push_back(0);
            }
            return at->second;
        };
        state(0, no_channel);
        for (std::size_t k = 0; k < t.paths(); ++k) {
            const double won = t.converted.empty() ? 1 : t.converted[k], all = won + (t.lost.empty() ? 0 : t.lost[k]);
            if (all == 0) continue;
            std::uint64_t key = 0;
            std::uint32_t at = 0;
            for (auto i = t.begins[k]; i < t.begins[k + 1]; ++i) {
                key = ((key << bits) | (t.touches[i] + 1)) & mask;
                const auto to = state(key, t.touches[i]);
                const auto [place, fresh] = moves.try_emplace(std::uint64_t{at} << 32 | to, moves_.size());
                if (fresh) moves_.push_back({at, to, 0});
                moves_[place->second].times += all;
                left_[at] += all;
                at = to;
            }
            converted_[at] += won;
            left_[at] += all;
        }
    }

    static constexpr std::size_t no_channel = ~std::size_t{0} - 1;
    std::size_t channels_, order_;
    std::vector<std::size_t> newest_;                        // channel, by state
    std::vector<double> converted_, left_;                   // by state: how often to a conversion, and to anywhere
    std::vector<move> moves_;
};

}  // namespace

markov_result markov_credit(const touch_columns& t, std::size_t order) {
    detail::check(t);
    if (order < 1 || order > 5 || static_cast<std::size_t>(std::bit_width(t.channels)) * order > 60) throw error{"attribution.order", "order", "an order lies between 1 and 5, and fewer with thousands of channels"};
    const chain c{t, order};
    double won = 0, all = 0, value = 0;
    for (std::size_t k = 0; k < t.paths(); ++k) {
        const double x = t.converted.empty() ? 1 : t.converted[k];
        won += x;
        all += x + (t.lost.empty() ? 0 : t.lost[k]);
        if (!t.value.empty()) value += t.value[k];
    }
    markov_result out;
    out.states = c.states();
    out.removal.resize(t.channels);
    out.credit.conversions.resize(t.channels);
    if (!t.value.empty()) out.credit.value.resize(t.channels);
    if (!(all > 0)) return out;
    out.observed = won / all;
    out.p = c.converts(~std::size_t{0});
    if (!(out.p > 0)) return out;
    double sum = 0;
    for (std::size_t k = 0; k < t.channels; ++k) sum += out.removal[k] = std::max(0.0, 1 - c.converts(k) / out.p);
    if (!(sum > 0)) return out;
    for (std::size_t k = 0; k < t.channels; ++k) {
        out.credit.conversions[k] = won * out.removal[k] / sum;
        if (!t.value.empty()) out.credit.value[k] = value * out.removal[k] / sum;
    }
    return out;
}

}  // namespace journeyman
