#pragma once
// What a fit by maximum likelihood gives.

#include <cstddef>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"

namespace journeyman {

struct fitted_model {
    std::vector<std::string> names;
    std::vector<double> estimates;
    /// From the observed information (the second derivatives at the maximum); NaN where it has no inverse.
    std::vector<double> standard_errors;
    std::vector<double> covariance;                          // row by row
    double log_likelihood = 0;
    double customers = 0;
    std::size_t iterations = 0;
    /// False when no maximum was found inside: the data say too little, or the model does not fit them.
    bool converged = false;
    /// parameter, estimate, standard_error, low, high. The interval is that of the logarithm, so that its ends are above 0.
    [[nodiscard]] table to_table(double level = 0.95) const;
};

}  // namespace journeyman
