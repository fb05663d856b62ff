#pragma once
// How many are distinct, about: on request, where the exact answer would have to keep every text.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace journeyman::detail {

/// Flajolet, Fusy, Gandouet, Meunier (2007), "HyperLogLog", on 64-bit hashes, read by the estimator of Ertl (2017), "New cardinality estimation algorithms for HyperLogLog
/// sketches" (section 4), which needs no correction for few or many. Merging takes the greater of each register, so any split of what was added gives the same sketch.
class hyperloglog {
public:
    static constexpr int least = 4, most = 18;
    /// The standard error of the estimate, relative: 1.04 / √(2^precision).
    static double error(int precision) { return 1.04 / std::sqrt(std::ldexp(1.0, precision)); }
    /// The smallest precision whose error is at most this, or the greatest there is.
    static int precision_for(double wanted) {
        int p = least;
        while (p < most && error(p) > wanted) ++p;
        return p;
    }

    void add(std::uint64_t hash, int precision) {
        if (registers_.empty()) registers_.resize(std::size_t{1} << precision);
        auto& kept = registers_[hash >> (64 - precision)];
        const auto rank = static_cast<std::uint8_t>(std::min(std::countl_zero(hash << precision), 64 - precision) + 1);
        if (rank > kept) kept = rank;
    }
    void merge(const hyperloglog& o) {
        if (registers_.empty()) registers_ = o.registers_;
        else for (std::size_t k = 0; k < o.registers_.size(); ++k) registers_[k] = std::max(registers_[k], o.registers_[k]);
    }
    [[nodiscard]] const std::vector<std::uint8_t>& registers() const { return registers_; }
    void set_registers(std::vector<std::uint8_t> r) { registers_ = std::move(r); }

    /// Rounded to a whole number.
    [[nodiscard]] double estimate() const {
        if (registers_.empty()) return 0;
        const auto m = static_cast<double>(registers_.size());
        const int q = 64 - std::countr_zero(registers_.size());
        std::vector<double> of(static_cast<std::size_t>(q) + 2, 0.0);   // how many registers hold each rank
        for (const auto r : registers_) ++of[r];
        double z = m * tau(1 - of[static_cast<std::size_t>(q) + 1] / m);
        for (int k = q; k >= 1; --k) z = 0.5 * (z + of[static_cast<std::size_t>(k)]);
        z += m * sigma(of[0] / m);
        return std::round(m * m / (2 * std::log(2.0) * z));
    }

private:
    static double sigma(double x) {
        if (x == 1) return HUGE_VAL;
        double y = 1, z = x;
        for (double before = -1; z != before;) {
            x *= x;
            before = z;
            z += x * y;
            y += y;
        }
        return z;
    }
    static double tau(double x) {
        if (x == 0 || x == 1) return 0;
        double y = 1, z = 1 - x;
        for (double before = -1; z != before;) {
            x = std::sqrt(x);
            before = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        return z / 3;
    }
    std::vector<std::uint8_t> registers_;
};

}  // namespace journeyman::detail
