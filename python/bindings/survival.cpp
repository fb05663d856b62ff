// How long until it happens.

#include "columns.hpp"
#include "journeyman/kpi/survival.hpp"

namespace {

/// A class of its own: a vector would become a list.
struct curves {
    std::vector<jm::survival_curve> all;
    [[nodiscard]] const jm::survival_curve& at(std::size_t group) const { return all.at(group); }
};

/// The columns as they come, kept while they are used.
struct subjects_in {
    column_in<double> time, entry;
    column_in<std::uint8_t> event;
    column_in<std::uint32_t> group;
    std::size_t groups;
    [[nodiscard]] jm::survival_columns columns() const { return {time, event, entry, group, groups}; }
};

curves curves_of(const py::object& time, const py::object& event, const py::object& entry, const py::object& group, std::size_t groups, double level) {
    const subjects_in in{column_in<double>{time}, column_in<double>{entry}, column_in<std::uint8_t>{event}, column_in<std::uint32_t>{group}, groups};
    const py::gil_scoped_release without_gil;
    return {jm::survival_curves(in.columns(), level)};
}

jm::logrank_result logrank(const py::object& time, const py::object& event, const py::object& entry, const py::object& group, std::size_t groups, const std::string& weighting) {
    using enum jm::survival_weighting;
    static const std::map<std::string, jm::survival_weighting> names{{"none", none}, {"wilcoxon", wilcoxon}, {"tarone-ware", tarone_ware}, {"peto", peto}};
    const auto w = names.find(weighting);
    if (w == names.end()) throw jm::error{"name.unknown", "weighting", "\"" + weighting + "\" is no weighting; there are none, wilcoxon, tarone-ware and peto"};
    const subjects_in in{column_in<double>{time}, column_in<double>{entry}, column_in<std::uint8_t>{event}, column_in<std::uint32_t>{group}, groups};
    const py::gil_scoped_release without_gil;
    return jm::logrank(in.columns(), w->second);
}

}  // namespace

void register_survival(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<curves>(m, "_SurvivalCurves")
        .def("table", [](const curves& c, const std::vector<std::string>& groups) { return jm::to_table(c.all, groups); }, py::arg("groups"), without_gil())
        .def("summary", [](const curves& c, const std::vector<std::string>& groups) { return jm::summary_of(c.all, groups); }, py::arg("groups"), without_gil())
        .def("row_at", [](const curves& c, std::size_t group, double t) { return c.at(group).row_at(t); }, py::arg("group"), py::arg("t"))
        .def("survival", [](const curves& c, std::size_t group, std::size_t row) { const auto i = c.at(group).survival_interval(row); return std::tuple{c.at(group).survival.at(row), i.low, i.high}; }, py::arg("group"), py::arg("row"))
        .def("at_risk", [](const curves& c, std::size_t group, double t) { return c.at(group).at_risk_at(t); }, py::arg("group"), py::arg("t"))
        .def("quantile", [](const curves& c, std::size_t group, double share) { const auto q = c.at(group).quantile(share); return std::tuple{q.time, q.low, q.high}; }, py::arg("group"), py::arg("share"))
        .def("restricted_mean", [](const curves& c, std::size_t group, double until) { return c.at(group).restricted_mean(until); }, py::arg("group"), py::arg("until"));
    py::class_<jm::logrank_result>(m, "_Logrank")
        .def_readonly("chi2", &jm::logrank_result::chi2)
        .def_readonly("p", &jm::logrank_result::p)
        .def_readonly("degrees", &jm::logrank_result::degrees)
        .def_readonly("observed", &jm::logrank_result::observed)
        .def_readonly("expected", &jm::logrank_result::expected);
    py::class_<jm::survival_subjects>(m, "_SurvivalSubjects")
        .def("table", [](const jm::survival_subjects& s, const jm::history& h) { return s.to_table(h); }, py::arg("history"), without_gil())
        .def_readonly("groups", &jm::survival_subjects::groups)
        .def("curves", [](const jm::survival_subjects& s, double level) { return curves{jm::survival_curves(s.columns(), level)}; }, py::arg("level"), without_gil())
        .def("logrank", [](const jm::survival_subjects& s) { return jm::logrank(s.columns()); }, without_gil());

    m.def("_survival_curves", &curves_of, py::arg("time"), py::arg("event"), py::arg("entry"), py::arg("group"), py::arg("groups"), py::arg("level"));
    m.def("_logrank", &logrank, py::arg("time"), py::arg("event"), py::arg("entry"), py::arg("group"), py::arg("groups"), py::arg("weighting"));
    m.def(
        "_survival_of",
        [](const jm::history& h, const jm::selector& start, const jm::selector& event, const std::optional<std::string>& lapse, const std::vector<std::string>& by, const std::optional<std::string>& until, std::int64_t unit, const jm::vocabulary& words) {
            jm::survival_question q{start, event, {}, by, {}, jm::microseconds{unit}, words.context};
            if (lapse) q.lapse = length_of(*lapse);
            if (until) q.until = instant_of(*until);
            const py::gil_scoped_release without;
            return jm::survival_of(h, q);
        },
        py::arg("history"), py::arg("start"), py::arg("event"), py::arg("lapse"), py::arg("by"), py::arg("until"), py::arg("unit"), py::arg("words"));
    m.def("_cox_sample_size", [](double power, double ratio, double p_treated, double p_control, double hazard_ratio, double alpha) {
        const auto n = jm::cox_sample_size(power, ratio, p_treated, p_control, hazard_ratio, alpha);
        return std::pair{n.treated, n.control};
    }, py::arg("power"), py::arg("ratio"), py::arg("p_treated"), py::arg("p_control"), py::arg("hazard_ratio"), py::arg("alpha"));
    m.def("_cox_power", &jm::cox_power, py::arg("n_treated"), py::arg("n_control"), py::arg("p_treated"), py::arg("p_control"), py::arg("hazard_ratio"), py::arg("alpha"));
}
