// Which channel earned it.

#include "columns.hpp"
#include "journeyman/kpi/attribution.hpp"

namespace {

template <class T> std::vector<T> copied(const py::object& o) {
    const column_in<T> c{o};
    return {c.span().begin(), c.span().end()};
}

jm::rule_options rule_of(const std::string& name, double first_share, double last_share, double half_life, std::optional<std::uint32_t> but) {
    static const std::map<std::string, jm::attribution_rule> names{{"first", jm::attribution_rule::first}, {"last", jm::attribution_rule::last}, {"linear", jm::attribution_rule::linear}, {"position", jm::attribution_rule::position}, {"time_decay", jm::attribution_rule::time_decay}, {"last_but", jm::attribution_rule::last_but}};
    const auto it = names.find(name);
    if (it == names.end()) throw jm::error{"name.unknown", "model", "\"" + name + "\" is no rule; there are first, last, linear, position, time_decay and last_but"};
    return {it->second, first_share, last_share, half_life, but};
}

}  // namespace

void register_attribution(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<jm::channel_credit>(m, "_Credit").def_readonly("conversions", &jm::channel_credit::conversions).def_readonly("value", &jm::channel_credit::value);
    py::class_<jm::markov_result>(m, "_Markov")
        .def_readonly("p", &jm::markov_result::p)
        .def_readonly("observed", &jm::markov_result::observed)
        .def_readonly("states", &jm::markov_result::states)
        .def_readonly("removal", &jm::markov_result::removal)
        .def_readonly("credit", &jm::markov_result::credit);
    py::class_<jm::shapley_result>(m, "_Shapley")
        .def_readonly("credit", &jm::shapley_result::credit)
        .def_readonly("standard_error", &jm::shapley_result::standard_error)
        .def_readonly("exact", &jm::shapley_result::exact);
    py::class_<jm::touch_paths>(m, "_TouchPaths")
        .def_static(
            "of",
            [](std::vector<std::string> channels, const py::object& touches, const py::object& begins, const py::object& converted, const py::object& lost, const py::object& value, const py::object& age) {
                jm::touch_paths p;
                p.channels = std::move(channels);
                p.touches = copied<std::uint32_t>(touches);
                p.begins = copied<std::uint32_t>(begins);
                p.converted = copied<double>(converted);
                p.lost = copied<double>(lost);
                p.value = copied<double>(value);
                p.age = copied<double>(age);
                return p;
            },
            py::arg("channels"), py::arg("touches"), py::arg("begins"), py::arg("converted"), py::arg("lost"), py::arg("value"), py::arg("age"))
        .def_readonly("channels", &jm::touch_paths::channels)
        .def_readonly("unattributed", &jm::touch_paths::unattributed)
        .def_readonly("open", &jm::touch_paths::open)
        .def("table", [](const jm::touch_paths& p, const jm::history* h) { return p.to_table(h); }, py::arg("history"), without_gil())
        .def("counts", [](const jm::touch_paths& p) { return p.counts(); }, without_gil())
        .def("rule", [](const jm::touch_paths& p, const std::string& rule, double first_share, double last_share, double half_life, std::optional<std::uint32_t> but) {
            const auto o = rule_of(rule, first_share, last_share, half_life, but);
            const py::gil_scoped_release without;
            return jm::rule_credit(p.columns(), o);
        }, py::arg("rule"), py::arg("first_share"), py::arg("last_share"), py::arg("half_life"), py::arg("but"))
        .def("markov", [](const jm::touch_paths& p, std::size_t order) { return jm::markov_credit(p.columns(), order); }, py::arg("order"), without_gil())
        .def("shapley", [](const jm::touch_paths& p, bool rate, std::size_t exact_up_to, std::size_t orders, std::uint64_t seed) {
            return jm::shapley_credit(p.columns(), {rate ? jm::coalition_worth::rate : jm::coalition_worth::conversions, exact_up_to, orders, seed});
        }, py::arg("rate"), py::arg("exact_up_to"), py::arg("orders"), py::arg("seed"), without_gil());
    m.def("_shapley", [](const std::vector<double>& worth, std::size_t players) { return jm::shapley(worth, players); }, py::arg("worth"), py::arg("players"), without_gil());
    m.def(
        "_touch_paths_of",
        [](const jm::history& h, const jm::selector& touch, const jm::selector& conversion, const std::optional<std::string>& within, const std::optional<std::string>& until, const std::optional<jm::expression>& who, const jm::vocabulary& words) {
            jm::attribution_question q{touch, conversion, {}, {}, who.value_or(jm::expression{}), words.context};
            if (within) q.within = length_of(*within);
            if (until) q.until = instant_of(*until);
            const py::gil_scoped_release without;
            return jm::touch_paths_of(h, q);
        },
        py::arg("history"), py::arg("touch"), py::arg("conversion"), py::arg("within"), py::arg("until"), py::arg("who"), py::arg("words"));
}
