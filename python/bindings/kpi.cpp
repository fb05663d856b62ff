// Funnels, retention, paths.

#include "bindings.hpp"

namespace {

/// What Python holds, as `data`: text, yes/no, numbers, none, lists and mappings.
jm::data data_of(const py::handle& x) {
    if (x.is_none()) return {};
    if (py::isinstance<py::bool_>(x)) return jm::data{x.cast<bool>()};
    if (py::isinstance<py::int_>(x)) return jm::data{x.cast<std::int64_t>()};
    if (py::isinstance<py::float_>(x)) return jm::data{x.cast<double>()};
    if (py::isinstance<py::str>(x)) return jm::data{x.cast<std::string>()};
    if (py::isinstance<py::dict>(x)) {
        jm::data_mapping out;
        for (const auto& [key, item] : py::reinterpret_borrow<py::dict>(x)) out.emplace_back(py::str(key).cast<std::string>(), data_of(item));
        return out;
    }
    jm::data_list out;
    for (const auto& item : py::reinterpret_borrow<py::sequence>(x)) out.push_back(data_of(item));
    return out;
}

jm::written_rules rules_of(const py::dict& rules) {
    jm::written_rules out;
    for (const auto& [key, x] : rules) out.emplace_back(py::str(key).cast<std::string>(), data_of(x));
    return out;
}

std::optional<jm::length> length_of(const std::optional<std::string>& text, const char* what) {
    if (!text) return {};
    jm::length out;
    if (!jm::parse_length(*text, out)) throw jm::error{"input.duration", what, "\"" + *text + "\" is no duration; write 7d, 1h30m or 1mo"};
    return out;
}

jm::funnel_report funnel(const jm::history& h, const std::vector<std::pair<std::string, jm::selector>>& steps, const std::optional<std::string>& within, const py::dict& rules, double level, bool units, bool completions,
                         const std::map<std::string, jm::expression>& segments, const std::string& timezone, const jm::playbook* playbook) {
    jm::problems found;
    jm::event_funnel f{steps, length_of(within, "within"), jm::read_funnel_rules(rules_of(rules), steps.size(), "", found)};
    found.throw_first_error();
    jm::funnel_options o;
    o.level = level;
    o.units = units;
    o.completions = completions;
    if (playbook == nullptr) o.context = context_of(segments, timezone);
    const py::gil_scoped_release without_gil;
    return playbook == nullptr ? jm::measure_funnel(h, f, o) : playbook->measure_funnel(h, std::move(f), std::move(o));
}

}  // namespace

void register_kpi(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;

    py::class_<jm::funnel_report>(m, "_FunnelReport")
        .def_readonly("rows", &jm::funnel_report::rows)
        .def_readonly("units", &jm::funnel_report::units)
        .def("times", &jm::funnel_times, without_gil())
        .def("histogram", &jm::funnel_histogram, py::arg("from_step"), py::arg("to_step"), py::arg("bins"), without_gil())
        .def("conversion_over_time", &jm::funnel_conversion_over_time, py::arg("from_step"), py::arg("to_step"), py::arg("level"), without_gil());
    m.def("_funnel", &funnel, py::arg("history"), py::arg("steps"), py::arg("within"), py::arg("rules"), py::arg("level"), py::arg("units"), py::arg("completions"), py::arg("segments"), py::arg("timezone"), py::arg("playbook"));
    m.def("_just_before", [](const std::string& at) { return jm::to_text(instant_of(at) - jm::microseconds{1}); }, py::arg("instant"));
    m.def("_funnel_presets", &jm::funnel_presets);
}
