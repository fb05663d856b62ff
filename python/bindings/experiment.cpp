// Is the difference real.

#include "columns.hpp"
#include "journeyman/kpi/experiment.hpp"
#include "journeyman/kpi/rates.hpp"
#include "journeyman/kpi/test_design.hpp"

namespace {

using doubles = column_in<double>;

template <class Enum> Enum found(const std::map<std::string, Enum>& names, const std::string& name, const std::string& place) {
    if (const auto it = names.find(name); it != names.end()) return it->second;
    std::string all;
    for (const auto& [n, unused] : names) all += (all.empty() ? "" : ", ") + n;
    throw jm::error{"name.unknown", place, "\"" + name + "\" is not one of " + all};
}

jm::comparison_options options_of(const std::string& statistic, bool relative, double level, const std::string& side, bool normal, std::optional<double> theta) {
    static const std::map<std::string, jm::statistic> statistics{{"mean", jm::statistic::mean}, {"ratio", jm::statistic::ratio}, {"cuped", jm::statistic::cuped}, {"ratio_cuped", jm::statistic::ratio_cuped}};
    static const std::map<std::string, jm::side> sides{{"two", jm::side::two}, {"greater", jm::side::greater}, {"less", jm::side::less}};
    return {found(statistics, statistic, "statistic"), relative ? jm::effect_scale::relative : jm::effect_scale::absolute, level, found(sides, side, "side"), normal ? jm::reference::normal : jm::reference::t, theta};
}

jm::spending spending_of(const std::string& name, double exponent) {
    static const std::map<std::string, jm::spending::kind_t> names{{"obrien-fleming", jm::spending::obrien_fleming}, {"pocock", jm::spending::pocock}, {"power", jm::spending::power}};
    return {found(names, name, "spending"), exponent};
}

jm::test_plan plan_of(std::optional<double> mean, double variance, double arms, double alpha, std::optional<double> tuning) { return {mean, variance, arms, alpha, tuning}; }

}  // namespace

void register_experiment(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<jm::arm_sums>(m, "_ArmSums")
        .def(py::init([](double n, const std::array<double, 4>& sum, const std::array<double, 10>& products, bool binary) { return jm::arm_sums{n, sum, products, binary}; }), py::arg("n"), py::arg("sum"), py::arg("products"), py::arg("binary"))
        .def_readonly("n", &jm::arm_sums::n)
        .def_readonly("sum", &jm::arm_sums::sum)
        .def_readonly("products", &jm::arm_sums::products)
        .def_readonly("binary", &jm::arm_sums::binary)
        .def("merge", &jm::arm_sums::merge, py::arg("other"))
        .def("mean", [](const jm::arm_sums& s, std::size_t a) { return s.mean(a); }, py::arg("variable"))
        .def("variance", [](const jm::arm_sums& s, std::size_t a) { return s.variance(a); }, py::arg("variable"))
        .def("covariance", [](const jm::arm_sums& s, std::size_t a, std::size_t b) { return s.covariance(a, b); }, py::arg("a"), py::arg("b"));
    py::class_<jm::arm_comparison>(m, "_ArmComparison")
        .def_readonly("value_a", &jm::arm_comparison::value_a)
        .def_readonly("value_b", &jm::arm_comparison::value_b)
        .def_readonly("estimate", &jm::arm_comparison::estimate)
        .def_readonly("standard_error", &jm::arm_comparison::standard_error)
        .def_readonly("degrees", &jm::arm_comparison::degrees)
        .def_readonly("low", &jm::arm_comparison::low)
        .def_readonly("high", &jm::arm_comparison::high)
        .def_readonly("p", &jm::arm_comparison::p);
    py::class_<jm::bayes_result>(m, "_Bayes")
        .def_readonly("mean", &jm::bayes_result::mean)
        .def_readonly("sd", &jm::bayes_result::sd)
        .def_readonly("low", &jm::bayes_result::low)
        .def_readonly("high", &jm::bayes_result::high)
        .def_readonly("chance_b", &jm::bayes_result::chance_b)
        .def_readonly("loss_if_a", &jm::bayes_result::loss_if_a)
        .def_readonly("loss_if_b", &jm::bayes_result::loss_if_b);
    py::class_<jm::bootstrap_result>(m, "_Bootstrap")
        .def_readonly("estimate", &jm::bootstrap_result::estimate)
        .def_readonly("standard_error", &jm::bootstrap_result::standard_error)
        .def_readonly("low", &jm::bootstrap_result::low)
        .def_readonly("high", &jm::bootstrap_result::high)
        .def_readonly("cells", &jm::bootstrap_result::cells);
    py::class_<jm::sequential_look>(m, "_Look")
        .def_readonly("fraction", &jm::sequential_look::fraction)
        .def_readonly("bound", &jm::sequential_look::bound)
        .def_readonly("difference", &jm::sequential_look::difference)
        .def_readonly("standard_error", &jm::sequential_look::standard_error)
        .def_readonly("low", &jm::sequential_look::low)
        .def_readonly("high", &jm::sequential_look::high)
        .def_readonly("stop", &jm::sequential_look::stop);
    py::class_<jm::experiment_units>(m, "_ExperimentUnits")
        .def_readonly("arms", &jm::experiment_units::arms)
        .def_property_readonly("names", [](const jm::experiment_units& u) { std::vector<std::string> out; for (const auto& x : u.metrics) out.push_back(x.name); return out; })
        .def("counts", [](const jm::experiment_units& u) { std::vector<double> out(u.arms.size()); for (const auto a : u.arm) ++out[a]; return out; }, without_gil())
        .def("sums", [](const jm::experiment_units& u, std::size_t metric) { return jm::sums_of(u, metric); }, py::arg("metric"), without_gil())
        .def("bootstrap", [](const jm::experiment_units& u, std::size_t metric, std::size_t a, std::size_t b, bool relative, std::size_t replicates, double level, std::uint64_t seed) {
            return jm::bootstrap(jm::units_of(u, metric, a), jm::units_of(u, metric, b), relative ? jm::effect_scale::relative : jm::effect_scale::absolute, replicates, level, seed);
        }, py::arg("metric"), py::arg("a"), py::arg("b"), py::arg("relative"), py::arg("replicates"), py::arg("level"), py::arg("seed"), without_gil());

    m.def("_experiment_from", [](std::vector<std::string> arms, const py::object& arm, const std::vector<std::pair<std::string, std::array<py::object, 4>>>& metrics) {
        const column_in<std::uint32_t> a{arm};
        jm::experiment_units u;
        u.arms = std::move(arms);
        u.arm.assign(a.span().begin(), a.span().end());
        for (const auto& [name, parts] : metrics) {
            auto& metric = u.metrics.emplace_back();
            metric.name = name;
            for (std::size_t k = 0; k < 4; ++k) {
                const doubles x{parts[k]};
                metric.values[k].assign(x.span().begin(), x.span().end());
            }
        }
        return u;
    }, py::arg("arms"), py::arg("arm"), py::arg("metrics"));
    m.def("_experiment_of", [](const jm::history& h, const jm::expression& arm, const std::vector<std::pair<std::string, std::array<std::optional<jm::expression>, 4>>>& metrics, const std::optional<std::string>& until, const jm::vocabulary& words) {
        jm::experiment_question q{arm, {}, {}, words.context};
        for (const auto& [name, p] : metrics) q.metrics.push_back({name, p[0].value_or(jm::expression{}), p[1].value_or(jm::expression{}), p[2].value_or(jm::expression{}), p[3].value_or(jm::expression{})});
        if (until) q.until = instant_of(*until);
        const py::gil_scoped_release without;
        return jm::experiment_of(h, q);
    }, py::arg("history"), py::arg("arm"), py::arg("metrics"), py::arg("until"), py::arg("words"));

    m.def("_compare", [](const jm::arm_sums& a, const jm::arm_sums& b, const std::string& statistic, bool relative, double level, const std::string& side, bool normal, std::optional<double> theta) {
        return jm::compare(a, b, options_of(statistic, relative, level, side, normal, theta));
    }, py::arg("a"), py::arg("b"), py::arg("statistic"), py::arg("relative"), py::arg("level"), py::arg("side"), py::arg("normal"), py::arg("theta"));
    m.def("_always_valid", [](const jm::arm_sums& a, const jm::arm_sums& b, double tuning, const std::string& statistic, bool relative, double level, const std::string& side, std::optional<double> theta) {
        return jm::always_valid(a, b, tuning, options_of(statistic, relative, level, side, false, theta));
    }, py::arg("a"), py::arg("b"), py::arg("tuning"), py::arg("statistic"), py::arg("relative"), py::arg("level"), py::arg("side"), py::arg("theta"));
    m.def("_bayes", [](const jm::arm_sums& a, const jm::arm_sums& b, std::optional<std::pair<double, double>> prior, const std::string& statistic, bool relative, double level, std::optional<double> theta) {
        return jm::bayes(a, b, prior ? std::optional{jm::normal_prior{prior->first, prior->second}} : std::nullopt, options_of(statistic, relative, level, "two", false, theta));
    }, py::arg("a"), py::arg("b"), py::arg("prior"), py::arg("statistic"), py::arg("relative"), py::arg("level"), py::arg("theta"));
    m.def("_cuped_theta", &jm::cuped_theta, py::arg("a"), py::arg("b"), py::arg("ratio"));
    m.def("_split_check", [](const std::vector<double>& counts, const std::vector<double>& weights) { return jm::split_check(counts, weights); }, py::arg("counts"), py::arg("weights"));
    m.def("_adjust_p", [](const std::vector<double>& p, const std::string& rule) {
        using enum jm::correction;
        static const std::map<std::string, jm::correction> names{{"none", none}, {"bonferroni", bonferroni}, {"holm", holm}, {"benjamini-hochberg", benjamini_hochberg}};
        return jm::adjust_p(p, found(names, rule, "rule"));
    }, py::arg("p"), py::arg("rule"));
    m.def("_relative_change", &jm::relative_change, py::arg("a"), py::arg("b"), py::arg("baseline"));
    m.def("_delta_variance", [](double var_a, double mean_a, double n_a, double var_b, double mean_b, double n_b, bool relative) {
        return jm::delta_variance(var_a, mean_a, n_a, var_b, mean_b, n_b, relative ? jm::effect_scale::relative : jm::effect_scale::absolute);
    }, py::arg("var_a"), py::arg("mean_a"), py::arg("n_a"), py::arg("var_b"), py::arg("mean_b"), py::arg("n_b"), py::arg("relative"));

    m.def("_sequential_bounds", [](const std::vector<double>& fractions, double alpha, const std::string& spending, double exponent) { return jm::sequential_bounds(fractions, alpha, spending_of(spending, exponent)); }, py::arg("fractions"), py::arg("alpha"), py::arg("spending"), py::arg("exponent"), without_gil());
    m.def("_sequential_levels", [](const std::vector<double>& fractions, double alpha, const std::string& spending, double exponent) { return jm::sequential_levels(fractions, alpha, spending_of(spending, exponent)); }, py::arg("fractions"), py::arg("alpha"), py::arg("spending"), py::arg("exponent"), without_gil());
    m.def("_sequential_intervals", [](const std::vector<jm::arm_sums>& a, const std::vector<jm::arm_sums>& b, double planned, double level, const std::string& spending, double exponent, double comparisons, const std::vector<double>& units) {
        return jm::sequential_intervals(a, b, planned, level, spending_of(spending, exponent), comparisons, units);
    }, py::arg("a"), py::arg("b"), py::arg("planned"), py::arg("level"), py::arg("spending"), py::arg("exponent"), py::arg("comparisons"), py::arg("units"));
    m.def("_sample_size", [](double effect, double power, std::optional<double> mean, double variance, double arms, double alpha, std::optional<double> tuning) { return jm::sample_size(plan_of(mean, variance, arms, alpha, tuning), effect, power); }, py::arg("effect"), py::arg("power"), py::arg("mean"), py::arg("variance"), py::arg("arms"), py::arg("alpha"), py::arg("tuning"));
    m.def("_duration", [](double effect, double units_a_day, double power, std::optional<double> mean, double variance, double arms, double alpha, std::optional<double> tuning) { return jm::duration_of(plan_of(mean, variance, arms, alpha, tuning), effect, units_a_day, power); }, py::arg("effect"), py::arg("units_a_day"), py::arg("power"), py::arg("mean"), py::arg("variance"), py::arg("arms"), py::arg("alpha"), py::arg("tuning"));
    m.def("_power", [](double effect, double n, std::optional<double> mean, double variance, double arms, double alpha, std::optional<double> tuning) { return jm::power_of(plan_of(mean, variance, arms, alpha, tuning), effect, n); }, py::arg("effect"), py::arg("n"), py::arg("mean"), py::arg("variance"), py::arg("arms"), py::arg("alpha"), py::arg("tuning"));
    m.def("_power_of_two", [](double variance, double n_a, double n_b, double effect, double alpha) { return jm::power_of(variance, n_a, n_b, effect, alpha); }, py::arg("variance"), py::arg("n_a"), py::arg("n_b"), py::arg("effect"), py::arg("alpha"));
    m.def("_detectable", [](double n, double power, std::optional<double> mean, double variance, double arms, double alpha, std::optional<double> tuning) { return jm::detectable(plan_of(mean, variance, arms, alpha, tuning), n, power); }, py::arg("n"), py::arg("power"), py::arg("mean"), py::arg("variance"), py::arg("arms"), py::arg("alpha"), py::arg("tuning"));

    m.def("_wilson", [](double x, double n, double level) { const auto i = jm::wilson(x, n, level); return std::pair{i.low, i.high}; }, py::arg("x"), py::arg("n"), py::arg("level"));
    m.def("_newcombe", [](double x1, double n1, double x2, double n2, double level) { const auto i = jm::newcombe(x1, n1, x2, n2, level); return std::pair{i.low, i.high}; }, py::arg("x1"), py::arg("n1"), py::arg("x2"), py::arg("n2"), py::arg("level"));
    m.def("_poisson_exact", [](double x, double exposure, double level, double null_rate) { const auto r = jm::poisson_exact(x, exposure, level, null_rate); return std::tuple{r.rate, r.low, r.high, r.p}; }, py::arg("x"), py::arg("exposure"), py::arg("level"), py::arg("null_rate"));
    m.def("_poisson_two_rates", [](double x1, double e1, double x2, double e2) { const auto t = jm::poisson_two_rates(x1, e1, x2, e2); return std::pair{t.z, t.p}; }, py::arg("x1"), py::arg("e1"), py::arg("x2"), py::arg("e2"));
    m.def("_two_proportions", [](double x1, double n1, double x2, double n2, bool pooled, double level) {
        const auto t = jm::two_proportions(x1, n1, x2, n2, pooled, level);
        return std::map<std::string, double>{{"difference", t.difference}, {"low", t.low}, {"high", t.high}, {"z", t.z}, {"p", t.p}, {"relative", t.relative}, {"relative_low", t.relative_low}, {"relative_high", t.relative_high}};
    }, py::arg("x1"), py::arg("n1"), py::arg("x2"), py::arg("n2"), py::arg("pooled"), py::arg("level"));
}
