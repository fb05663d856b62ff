#pragma once
// What a customer is worth: how often they will buy, whether they are still there, how much they spend. Buy-till-you-die models by maximum likelihood.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/kpi/maximum_likelihood.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// What the models look at, by customer: x repeat purchases, the last of them at t_x, observed up to T, both counted from the first purchase. `weight` (how many such customers) may be empty.
struct repeat_purchases {
    std::span<const double> x, t_x, T;
    std::span<const double> weight = {};
};

/// bg_nbd: Fader, Hardie and Lee (2005), "Counting your customers the easy way"; may leave after each repeat purchase. mbg_nbd: Batislam, Denizel and Filiztekin (2007); after the first one too.
/// pareto_nbd: Schmittlein, Morrison and Colombo (1987); may leave at any time. bg_bb: Fader, Hardie and Shang (2010); occasions in discrete time: T occasions, t_x the last one used.
enum class purchase_model : std::uint8_t { bg_nbd, mbg_nbd, pareto_nbd, bg_bb };

/// "r alpha a b" (bg_nbd, mbg_nbd), "r alpha s beta" (pareto_nbd), "alpha beta gamma delta" (bg_bb).
std::array<std::string, 4> parameter_names(purchase_model);

/// A model with its four parameters, all above 0. Errors: `lifetime_value.parameters`.
class purchases {
public:
    purchases(purchase_model, std::array<double, 4> parameters);
    [[nodiscard]] purchase_model model() const { return model_; }
    [[nodiscard]] const std::array<double, 4>& parameters() const { return p_; }

    [[nodiscard]] double log_likelihood(double x, double t_x, double T) const;
    /// E[X(t)] of a new customer: repeat purchases in (0, t].
    [[nodiscard]] double mean(double t) const;
    /// P(X(t) = n) of a new customer.
    [[nodiscard]] double probability(std::uint64_t n, double t) const;
    /// P(alive at T). bg_bb: `ahead` occasions later.
    [[nodiscard]] double alive(double x, double t_x, double T, double ahead = 0) const;
    /// Expected purchases in (T, T + t].
    [[nodiscard]] double expected(double x, double t_x, double T, double t) const;

private:
    purchase_model model_;
    std::array<double, 4> p_;
};

/// Equal customers are taken together first. Errors: `lifetime_value.columns` for columns of unequal length or customers that cannot be (x < 0, t_x > T, t_x of 0 with x > 0).
fitted_model fit(purchase_model, const repeat_purchases&);

/// Spend per purchase: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value". z: the mean of x repeat purchases; customers with x or z of 0 are left out. Parameters "p q v".
fitted_model fit_gamma_gamma(std::span<const double> x, std::span<const double> z, std::span<const double> weight = {});
/// The expected value of a purchase given x of mean z; without any (x of 0) the mean of all customers, p v / (q - 1), which needs q > 1.
double gamma_gamma_mean(const std::array<double, 3>& parameters, double x, double z);

/// Contracts: shifted beta-geometric, Fader and Hardie (2007), "How to project customer retention". survivors[t]: customers still there after t renewals. Parameters "alpha beta".
fitted_model fit_sbg(std::span<const double> survivors);
/// S(t) = B(a, b + t) / B(a, b).
double sbg_survival(double alpha, double beta, double t);
/// Share of those there after t - 1 renewals that renew once more: (b + t - 1) / (a + b + t - 1).
double sbg_retention(double alpha, double beta, double t);

/// Sum of value * purchases[k] / (1 + rate)^(k + 1): the first period is discounted too.
double discounted_value(std::span<const double> purchases, double value, double rate);

/// What customers will do next: of each, by row.
struct forecast {
    std::vector<double> alive, expected, spend, value;       // at the end; purchases over all periods; per purchase; discounted, as above
};
struct forecast_options {
    double period = 1;                                       // in the time of the model
    std::size_t periods = 1;
    double rate = 0;                                         // a period
    std::optional<std::array<double, 3>> spend = {};         // Gamma-Gamma "p q v"; without it a purchase is worth 1
};
/// `money`: the mean of each customer's repeat purchases; may be empty without `spend`.
forecast forecast_of(const purchases&, const repeat_purchases&, std::span<const double> money, const forecast_options&);

// ---- from purchases to what the models look at
struct purchase_question {
    selector purchase;                                       // its property is the amount, if it has one
    calendar_unit unit = calendar_unit::day;                 // purchases of one unit are one; time is counted in them (weeks begin on Monday)
    double scale = 1;                                        // units to one of time: days / 7 are weeks
    std::optional<instant> until = {};                       // known up to here, included; default: the last instant of the history
    std::optional<instant> split = {};                       // calibration up to here, included; holdout after it
    std::vector<std::string> by = {};                        // read at the first purchase, after it is seen (K6)
    compile_context context = {};
};

/// By customer, in order of their number.
struct customers {
    std::vector<std::uint32_t> contacts, group;
    std::vector<std::string> groups;
    std::vector<double> x, t_x, T;
    std::vector<double> money;                               // mean of the repeat units' sums; 0 without any
    std::vector<double> holdout, holdout_money;              // with a split: units with a purchase after it, and the mean of the single purchases there
    double duration = 0;                                     // of the holdout
    [[nodiscard]] repeat_purchases purchases() const { return {x, t_x, T}; }
    /// contact_id, group, x, t_x, T, money, [holdout, holdout_money]; without a history contact_id is the customer's number.
    [[nodiscard]] table to_table(const history*) const;
};
customers customers_of(const history&, const purchase_question&);

/// The same from single purchases: a customer's number, its day (since 1970) and amount each (`amount` may be empty), in any order.
customers customers_of(std::span<const std::uint32_t> customer, std::span<const std::int32_t> day, std::span<const double> amount, std::size_t count, std::int32_t until,
                       std::optional<std::int32_t> split = {}, calendar_unit unit = calendar_unit::day, double scale = 1);

}  // namespace journeyman
