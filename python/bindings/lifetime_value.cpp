// What a customer is worth.

#include <sstream>
#include "columns.hpp"
#include "journeyman/kpi/lifetime_value.hpp"

namespace {

using doubles = column_in<double>;

jm::purchase_model model_of(const std::string& name) {
    using enum jm::purchase_model;
    static const std::map<std::string, jm::purchase_model> names{{"bg_nbd", bg_nbd}, {"mbg_nbd", mbg_nbd}, {"pareto_nbd", pareto_nbd}, {"bg_bb", bg_bb}};
    const auto it = names.find(name);
    if (it == names.end()) throw jm::error{"name.unknown", "model", "\"" + name + "\" is no model; there are bg_nbd, mbg_nbd, pareto_nbd and bg_bb"};
    return it->second;
}


jm::customers customers_from(const py::object& customer, const py::object& day, const py::object& amount, std::size_t count, std::int32_t until, std::optional<std::int32_t> split, const std::string& unit, double scale) {
    const column_in<std::uint32_t> c{customer};
    const column_in<std::int32_t> d{day};
    const doubles a{amount};
    const auto u = unit_of(unit);
    const py::gil_scoped_release without_gil;
    return jm::customers_of(c, d, a, count, until, split, u, scale);
}

jm::customers customers_of(const jm::history& h, const jm::selector& purchase, const std::string& unit, double scale, const std::optional<std::string>& until, const std::optional<std::string>& split, const std::vector<std::string>& by, const jm::vocabulary& words) {
    jm::purchase_question q{purchase, unit_of(unit), scale, {}, {}, by, words.context};
    if (until) q.until = instant_of(*until);
    if (split) q.split = instant_of(*split);
    const py::gil_scoped_release without_gil;
    return jm::customers_of(h, q);
}

jm::table forecast(const jm::purchases& m, const py::object& x, const py::object& t_x, const py::object& T, const py::object& money, double period, std::size_t periods, double rate, const std::optional<std::array<double, 3>>& spend) {
    const doubles a{x}, b{t_x}, c{T}, d{money};
    const py::gil_scoped_release without_gil;
    const auto f = jm::forecast_of(m, {a, b, c, {}}, d, {period, periods, rate, spend});
    jm::table out;
    for (const auto& [name, column] : {std::pair{"alive", &f.alive}, {"expected", &f.expected}, {"spend", &f.spend}, {"value", &f.value}}) {
        auto& to = out.add_column(name, jm::value_type::decimal);
        to.reserve(column->size());
        for (const double v : *column) to.push_decimal(v);
    }
    return out;
}

}  // namespace

void register_lifetime_value(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<jm::fitted_model>(m, "_Fitted")
        .def_readonly("names", &jm::fitted_model::names)
        .def_readonly("estimates", &jm::fitted_model::estimates)
        .def_readonly("standard_errors", &jm::fitted_model::standard_errors)
        .def_readonly("covariance", &jm::fitted_model::covariance)
        .def_readonly("log_likelihood", &jm::fitted_model::log_likelihood)
        .def_readonly("customers", &jm::fitted_model::customers)
        .def_readonly("iterations", &jm::fitted_model::iterations)
        .def_readonly("converged", &jm::fitted_model::converged)
        .def("table", &jm::fitted_model::to_table, py::arg("level"))
        .def("__repr__", [](const jm::fitted_model& f) {
            std::ostringstream out;
            out << "<Fitted ";
            for (std::size_t k = 0; k < f.names.size(); ++k) {
                out << (k == 0 ? "" : ", ") << f.names[k] << ' ' << f.estimates[k];
                if (f.converged) out << " ± " << f.standard_errors[k];
            }
            out << (f.converged ? "" : "; no maximum was found") << '>';
            return out.str();
        });
    py::class_<jm::purchases>(m, "_Purchases")
        .def_static("of", [](const std::string& model, const std::array<double, 4>& p) { return jm::purchases{model_of(model), p}; }, py::arg("model"), py::arg("parameters"))
        .def("log_likelihood", &jm::purchases::log_likelihood, py::arg("x"), py::arg("t_x"), py::arg("T"))
        .def("mean", &jm::purchases::mean, py::arg("t"))
        .def("probability", &jm::purchases::probability, py::arg("n"), py::arg("t"))
        .def("alive", &jm::purchases::alive, py::arg("x"), py::arg("t_x"), py::arg("T"), py::arg("ahead"))
        .def("expected", &jm::purchases::expected, py::arg("x"), py::arg("t_x"), py::arg("T"), py::arg("t"))
        .def("forecast", &forecast, py::arg("x"), py::arg("t_x"), py::arg("T"), py::arg("money"), py::arg("period"), py::arg("periods"), py::arg("rate"), py::arg("spend"));
    py::class_<jm::customers>(m, "_Customers")
        .def("table", [](const jm::customers& c, const jm::history* h) { return c.to_table(h); }, py::arg("history"), without_gil())
        .def_readonly("groups", &jm::customers::groups)
        .def_readonly("duration", &jm::customers::duration);

    m.def("_parameter_names", [](const std::string& model) { return jm::parameter_names(model_of(model)); }, py::arg("model"));
    m.def(
        "_fit_purchases",
        [](const std::string& model, const py::object& x, const py::object& t_x, const py::object& T, const py::object& weight) {
            const doubles a{x}, b{t_x}, c{T}, d{weight};
            const auto which = model_of(model);
            const py::gil_scoped_release without;
            return jm::fit(which, {a, b, c, d});
        },
        py::arg("model"), py::arg("x"), py::arg("t_x"), py::arg("T"), py::arg("weight"));
    m.def(
        "_fit_gamma_gamma",
        [](const py::object& x, const py::object& z, const py::object& weight) {
            const doubles a{x}, b{z}, c{weight};
            const py::gil_scoped_release without;
            return jm::fit_gamma_gamma(a, b, c);
        },
        py::arg("x"), py::arg("z"), py::arg("weight"));
    m.def("_gamma_gamma_mean", &jm::gamma_gamma_mean, py::arg("parameters"), py::arg("x"), py::arg("z"));
    m.def("_fit_sbg", [](const std::vector<double>& survivors) { return jm::fit_sbg(survivors); }, py::arg("survivors"));
    m.def("_sbg_survival", &jm::sbg_survival, py::arg("alpha"), py::arg("beta"), py::arg("t"));
    m.def("_sbg_retention", &jm::sbg_retention, py::arg("alpha"), py::arg("beta"), py::arg("t"));
    m.def("_discounted_value", [](const std::vector<double>& p, double value, double rate) { return jm::discounted_value(p, value, rate); }, py::arg("purchases"), py::arg("value"), py::arg("rate"));
    m.def("_customers_from", &customers_from, py::arg("customer"), py::arg("day"), py::arg("amount"), py::arg("count"), py::arg("until"), py::arg("split"), py::arg("unit"), py::arg("scale"));
    m.def("_customers_of", &customers_of, py::arg("history"), py::arg("purchase"), py::arg("unit"), py::arg("scale"), py::arg("until"), py::arg("split"), py::arg("by"), py::arg("words"));
}
