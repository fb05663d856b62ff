// Playbooks: read, checked, asked of a history, replayed, measured.

#include "bindings.hpp"
#include "watched.hpp"

namespace {

std::optional<jm::instant> optional_instant(const std::optional<std::string>& text) { return text ? std::optional{instant_of(*text)} : std::nullopt; }

jm::run_options run_options(const std::optional<std::string>& start, const std::optional<std::string>& until, bool by_arrival, int threads, const jm::expression* only) {
    jm::run_options o;
    o.start = optional_instant(start);
    o.until = optional_instant(until);
    o.order = by_arrival ? jm::run_order::arrival : jm::run_order::event;
    o.threads = threads;
    if (only != nullptr) o.only = *only;
    return o;
}

jm::run replay(const jm::playbook& p, const jm::history& h, const std::optional<std::string>& start, const std::optional<std::string>& until, bool by_arrival, int threads, const jm::expression* only, std::function<void(double)> progress) {
    auto o = run_options(start, until, by_arrival, threads, only);
    watched watch{std::move(progress)};
    o.progress = watch.progress();
    const py::gil_scoped_release without_gil;
    return watch.run([&] { return p.replay(h, o); });
}

jm::comparison compare(const jm::playbook& p, const jm::playbook& other, const jm::history& h, const std::optional<std::string>& start, const std::optional<std::string>& until, bool by_arrival, int threads, const jm::expression* only, std::function<void(double)> progress) {
    auto o = run_options(start, until, by_arrival, threads, only);
    watched watch{std::move(progress)};
    o.progress = watch.progress();
    const py::gil_scoped_release without_gil;
    return watch.run([&] { return p.compare(other, h, o); });
}

const jm::workflow& workflow_of(const jm::playbook& p, const std::string& name) {
    if (const auto* w = p.find_workflow(name)) return *w;
    throw jm::error{"name.unknown", "workflow", "there is no workflow \"" + name + "\""};
}

jm::kpi_options kpi_options(const std::optional<std::string>& start, const std::optional<std::string>& end, const std::vector<std::string>& by, std::vector<std::string> only, unsigned threads, double distinct_error) {
    jm::kpi_options o;
    o.start = optional_instant(start);
    o.end = optional_instant(end);
    for (const auto& text : by) o.by.push_back(jm::expression::parse(text, jm::bare_names::property));
    o.only = std::move(only);
    o.threads = threads;
    o.distinct_error = distinct_error;
    return o;
}

jm::kpi_report kpis(const jm::playbook& p, const jm::history& h, const jm::run* run, const std::optional<std::string>& start, const std::optional<std::string>& end, const std::vector<std::string>& by, double level, std::vector<std::string> only, unsigned threads, double distinct_error) {
    auto o = kpi_options(start, end, by, std::move(only), threads, distinct_error);
    o.level = level;
    const py::gil_scoped_release without_gil;
    return p.kpis(h, run, o);
}

jm::kpi_state count_kpis(const jm::playbook& p, const jm::history& h, const jm::run* run, const std::optional<std::string>& start, const std::optional<std::string>& end, const std::vector<std::string>& by, std::vector<std::string> only, unsigned threads, double distinct_error) {
    const auto o = kpi_options(start, end, by, std::move(only), threads, distinct_error);
    const py::gil_scoped_release without_gil;
    return p.count_kpis(h, run, o);
}

jm::diagnosis diagnose(const jm::playbook& p, const jm::history& h, const std::string& kpi, const jm::run* run, const std::optional<std::string>& period, const std::optional<std::string>& against, const std::string& campaign, const std::string& against_campaign, const std::vector<std::string>& by,
                       const std::optional<std::string>& end, double level, double shift, double returns, unsigned threads) {
    jm::diagnosis_options o;
    o.period = optional_instant(period);
    o.against = optional_instant(against);
    o.campaign = campaign;
    o.against_campaign = against_campaign;
    for (const auto& text : by) o.by.push_back(jm::expression::parse(text, jm::bare_names::property));
    o.end = optional_instant(end);
    o.level = level;
    o.shift = shift;
    o.returns = returns;
    o.threads = threads;
    const py::gil_scoped_release without_gil;
    return p.diagnose(h, kpi, run, o);
}

}  // namespace

void register_playbook(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;

    py::class_<jm::segment>(m, "_Segment")
        .def_readonly("name", &jm::segment::name)
        .def_readonly("title", &jm::segment::title)
        .def_readonly("where", &jm::segment::where)
        .def_readonly("collect", &jm::segment::collect)
        .def_readonly("channels", &jm::segment::channels)
        .def_readonly("funnel", &jm::segment::funnel);

    py::class_<jm::coverage_report>(m, "_Coverage").def_readonly("fields", &jm::coverage_report::fields).def_readonly("lacking", &jm::coverage_report::lacking);
    py::class_<jm::kpi_report>(m, "_KpiReport").def_readonly("rows", &jm::kpi_report::rows).def_readonly("unscoped_spend", &jm::kpi_report::unscoped_spend).def_readonly("improve", &jm::kpi_report::improve).def_readonly("trend", &jm::kpi_report::trend).def_property_readonly("problems", [](const jm::kpi_report& r) { return std::vector<jm::problem>(r.problems.begin(), r.problems.end()); });
    py::class_<jm::diagnosis>(m, "_Diagnosis").def_readonly("change", &jm::diagnosis::change).def_readonly("parts", &jm::diagnosis::parts).def_readonly("costs", &jm::diagnosis::costs).def_readonly("moves", &jm::diagnosis::moves);
    py::class_<jm::kpi_state>(m, "_KpiState")
        .def(py::init<>())
        .def_static("from_bytes", [](const py::bytes& b) { return jm::kpi_state::from_bytes(std::string_view{b}); }, py::arg("data"))
        .def("to_bytes", [](const jm::kpi_state& s) { return py::bytes(s.to_bytes()); })
        .def("merge", &jm::kpi_state::merge, py::arg("other"), without_gil())
        .def("copy", [](const jm::kpi_state& s) { return s; })
        .def("definitions", &jm::kpi_state::definitions)
        .def("kpis", [](const jm::kpi_state& s, double level) { return jm::kpis(s, level); }, py::arg("level"), without_gil());

    py::class_<jm::comparison>(m, "_Comparison")
        .def_readonly("versions", &jm::comparison::versions)
        .def_readonly("contacts", &jm::comparison::contacts)
        .def_readonly("messages", &jm::comparison::messages)
        .def_readonly("partings", &jm::comparison::partings)
        .def_readonly("parted", &jm::comparison::parted)
        .def_readonly("steps", &jm::comparison::steps)
        .def_readonly("kpis", &jm::comparison::kpis);

    py::class_<jm::playbook>(m, "_Playbook")
        .def_static("load", [](const std::string& path) { return jm::playbook::load(path); }, py::arg("path"), without_gil())
        .def_static("parse", [](const std::string& text, const std::string& file) { return jm::playbook::parse(text, file); }, py::arg("text"), py::arg("file"), without_gil())
        .def_readonly("name", &jm::playbook::name)
        .def_readonly("timezone", &jm::playbook::timezone)
        .def_property_readonly("weeks_begin_on_sunday", [](const jm::playbook& p) { return p.weeks == jm::week_start::sunday; })
        .def_readonly("segments", &jm::playbook::segments)
        .def("to_yaml", &jm::playbook::to_yaml)
        .def("to_json", &jm::playbook::to_json)
        .def("equals", [](const jm::playbook& a, const jm::playbook& b) { return jm::equals(a, b); }, py::arg("other"))
        .def(
            "check",
            [](const jm::playbook& p, const jm::history* h) {
                const auto found = h != nullptr ? p.check(*h) : p.check();
                return std::vector<jm::problem>(found.begin(), found.end());
            },
            py::arg("history"), without_gil())
        .def("coverage", [](const jm::playbook& p, const jm::history& h, const std::string& at) { return p.coverage(h, instant_of(at)); }, py::arg("history"), py::arg("at"), without_gil())
        .def("stages", [](const jm::playbook& p, const jm::history& h, const std::string& at) { return p.stages(h, instant_of(at)); }, py::arg("history"), py::arg("at"), without_gil())
        .def("sizes", [](const jm::playbook& p, const jm::history& h, const std::string& at) { return p.sizes(h, instant_of(at)); }, py::arg("history"), py::arg("at"), without_gil())
        .def("sizes_by", [](const jm::playbook& p, const jm::history& h, const std::string& at, const jm::named_expressions& by) { return p.sizes(h, instant_of(at), by); }, py::arg("history"), py::arg("at"), py::arg("by"), without_gil())
        .def("overlap", [](const jm::playbook& p, const jm::history& h, const std::string& at) { return watching({}, [&](const auto& progress) { return p.overlap(h, instant_of(at), progress); }); }, py::arg("history"), py::arg("at"))
        .def("vocabulary", &jm::playbook::vocabulary, py::arg("history"), without_gil())
        .def("select", [](const jm::playbook& p, const jm::history& h, const jm::expression& e, const std::string& at, unsigned threads) { return p.select(h, e, instant_of(at), threads); }, py::arg("history"), py::arg("predicate"), py::arg("at"), py::arg("threads"), without_gil())
        .def(
            "membership", [](const jm::playbook& p, const jm::history& h, const jm::expression& e, const std::string& start, const std::string& end) { return p.membership(h, e, instant_of(start), instant_of(end)); },
            py::arg("history"), py::arg("predicate"), py::arg("start"), py::arg("end"), without_gil())
        .def(
            "track",
            [](const jm::playbook& p, const jm::history& h, const jm::expression& e, const std::string& start, const std::optional<std::string>& until) {
                return p.track(h, e, instant_of(start), until ? std::optional{instant_of(*until)} : std::nullopt);
            },
            py::arg("history"), py::arg("predicate"), py::arg("start"), py::arg("until"), without_gil())
        .def(
            "explain", [](const jm::playbook& p, const jm::history& h, const jm::expression& e, const std::string& contact, const std::string& at) { return p.explain(h, e, contact, instant_of(at)); },
            py::arg("history"), py::arg("predicate"), py::arg("contact"), py::arg("at"), without_gil())
        .def(
            "funnel",
            [](const jm::playbook& p, const std::string& name, const jm::history& h, const std::vector<std::string>& by, double level, bool units, bool completions) {
                jm::funnel_options o;
                o.level = level;
                o.units = units;
                o.completions = completions;
                return p.measure_funnel(h, name, o, by);
            },
            py::arg("name"), py::arg("history"), py::arg("by"), py::arg("level"), py::arg("units"), py::arg("completions"), without_gil())
        .def("dominators", [](const jm::playbook& p, const std::string& w) { return jm::dominators(workflow_of(p, w)); }, py::arg("workflow"))
        .def("passes", [](const jm::playbook& p, const std::string& w, const std::string& step, const std::string& through, const std::string& outcome) { return jm::passes(workflow_of(p, w), step, through, outcome); },
             py::arg("workflow"), py::arg("step"), py::arg("through"), py::arg("outcome"))
        .def("lengths",
             [](const jm::playbook& p, const std::string& w) {
                 const auto l = jm::lengths_of(workflow_of(p, w));
                 return std::tuple{l.sends, l.sends_in_a_day, l.shortest.count(), l.longest ? std::optional{l.longest->count()} : std::nullopt};
             },
             py::arg("workflow"))
        .def("leads_to", &jm::playbook::leads_to)
        .def("compare", &compare, py::arg("other"), py::arg("history"), py::arg("start"), py::arg("until"), py::arg("by_arrival"), py::arg("threads"), py::arg("only"), py::arg("progress"))
        .def("replay", &replay, py::arg("history"), py::arg("start"), py::arg("until"), py::arg("by_arrival"), py::arg("threads"), py::arg("only"), py::arg("progress"))
        .def("kpis", &kpis, py::arg("history"), py::arg("run"), py::arg("start"), py::arg("end"), py::arg("by"), py::arg("level"), py::arg("only"), py::arg("threads"), py::arg("distinct_error"))
        .def("count_kpis", &count_kpis, py::arg("history"), py::arg("run"), py::arg("start"), py::arg("end"), py::arg("by"), py::arg("only"), py::arg("threads"), py::arg("distinct_error"))
        .def("diagnose", &diagnose, py::arg("history"), py::arg("kpi"), py::arg("run"), py::arg("period"), py::arg("against"), py::arg("campaign"), py::arg("against_campaign"), py::arg("by"), py::arg("end"), py::arg("level"), py::arg("shift"), py::arg("returns"), py::arg("threads"));
}
