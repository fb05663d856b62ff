#pragma once
// The sum of decimals as design §2.3 wants it: the correctly rounded true sum, whatever the order or the split.

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace journeyman {

/// Sums doubles exactly as a growing expansion of non-overlapping parts (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997),
/// rounded once at the end, as Python's math.fsum does. Merging is adding the other's parts, so any split gives the same bits.
class exact_sum {
public:
    void add(double x) {
        if (!std::isfinite(x)) { special_ += x; return; }
        std::size_t kept = 0;
        for (double y : parts_) {
            if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
            const double hi = x + y, lo = y - (hi - x);
            if (lo != 0.0) parts_[kept++] = lo;
            x = hi;
        }
        parts_.resize(kept);
        if (x != 0.0) parts_.push_back(x);
    }
    void merge(const exact_sum& other) {
        for (const double p : other.parts_) add(p);
        special_ += other.special_;
    }
    [[nodiscard]] double value() const {
        if (special_ != 0.0 || std::isnan(special_)) return special_;
        std::size_t n = parts_.size();
        if (n == 0) return 0.0;
        double hi = parts_[--n], lo = 0.0;
        while (n > 0) {
            const double x = hi, y = parts_[--n];
            hi = x + y;
            lo = y - (hi - x);
            if (lo != 0.0) break;
        }
        // Half way between two doubles: the next part decides.
        if (n > 0 && ((lo < 0.0 && parts_[n - 1] < 0.0) || (lo > 0.0 && parts_[n - 1] > 0.0))) {
            const double y = lo * 2.0, x = hi + y;
            if (y == x - hi) hi = x;
        }
        return hi;
    }
    void clear() { parts_.clear(); special_ = 0.0; }
    /// The sum as parts that are the same whatever the order it came in: each is what the ones before it leave, correctly rounded. Adding them gives the sum again.
    [[nodiscard]] std::vector<double> parts() const {
        if (special_ != 0.0 || std::isnan(special_)) return {special_};
        std::vector<double> out;
        for (exact_sum rest = *this; !rest.parts_.empty();) {
            const double x = rest.value();
            if (!std::isfinite(x)) return parts_;
            out.push_back(x);
            rest.add(-x);
        }
        return out;
    }
    [[nodiscard]] bool empty() const { return parts_.empty() && special_ == 0.0; }

private:
    std::vector<double> parts_;
    double special_ = 0.0;
};

}  // namespace journeyman
