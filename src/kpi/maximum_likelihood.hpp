#pragma once
// Newton's method on a log-likelihood with its first and second derivatives, in the logarithms of the parameters, so that they stay above 0.

#include <Eigen/Dense>
#include <functional>
#include <string>
#include <vector>

#include "journeyman/kpi/maximum_likelihood.hpp"

namespace journeyman::detail {

struct derivatives {
    double value = 0;
    Eigen::VectorXd first;
    Eigen::MatrixXd second;
    explicit derivatives(Eigen::Index n) : first{Eigen::VectorXd::Zero(n)}, second{Eigen::MatrixXd::Zero(n, n)} {}
};
/// Of the parameters themselves. Only the lower half of `second` is read.
using likelihood = std::function<derivatives(const Eigen::VectorXd&)>;

/// Goes uphill from `start`, damped (Levenberg and Marquardt) where the surface is not concave. Stops when what a step could still gain is nothing beside the value.
fitted_model maximise(std::vector<std::string> names, const std::vector<double>& start, const likelihood&, double customers);

/// ln of a sum of terms, each given by its ln with first and second derivatives by N parameters.
template <int N> class log_sum {
public:
    using vector = Eigen::Matrix<double, N, 1>;
    using matrix = Eigen::Matrix<double, N, N>;
    struct term {
        double value;
        vector first;
        matrix second;
    };
    void clear() { terms_.clear(); }
    term& add(double value) { return terms_.emplace_back(term{value, vector::Zero(), matrix::Zero()}); }
    /// The share of the first term in the sum.
    [[nodiscard]] double first_share() const { return std::exp(terms_[0].value - value()); }
    [[nodiscard]] double value() const {
        const double most = greatest();
        double sum = 0;
        for (const auto& t : terms_) sum += std::exp(t.value - most);
        return most + std::log(sum);
    }
    [[nodiscard]] term total() const {
        const double all = value();
        term out{all, vector::Zero(), matrix::Zero()};
        for (const auto& t : terms_) {
            const double share = std::exp(t.value - all);
            out.first += share * t.first;
            out.second += share * (t.second + t.first * t.first.transpose());
        }
        out.second -= out.first * out.first.transpose();
        return out;
    }

private:
    [[nodiscard]] double greatest() const {
        double most = terms_[0].value;
        for (const auto& t : terms_) most = std::max(most, t.value);
        return most;
    }
    std::vector<term> terms_;
};

/// Sums over i < n of ln(a + i), 1/(a + i) and 1/(a + i)², for every n up to a greatest: ln Γ(a + n) - ln Γ(a) and its derivatives.
class rising {
public:
    rising(double a, std::size_t greatest);
    [[nodiscard]] double ln(std::size_t n) const { return ln_[n]; }
    [[nodiscard]] double first(std::size_t n) const { return first_[n]; }
    [[nodiscard]] double second(std::size_t n) const { return -squares_[n]; }

private:
    std::vector<double> ln_, first_, squares_;
};

}  // namespace journeyman::detail
