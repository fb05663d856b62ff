// Retention, conversion and paths.

#include "bindings.hpp"

namespace {

using events = std::vector<std::pair<std::string, jm::selector>>;

std::optional<jm::instant> moment(const std::optional<std::string>& text) { return text ? std::optional{instant_of(*text)} : std::nullopt; }

std::optional<jm::length> length_of(const std::optional<std::string>& text) {
    if (!text) return {};
    jm::length out;
    if (!jm::parse_length(*text, out)) throw jm::error{"input.duration", "", "\"" + *text + "\" is no duration; write 7d, 1h30m or 1mo"};
    return out;
}

template <class T> T word(const std::string& text, const char* rule, std::initializer_list<std::pair<const char*, T>> known) {
    std::string list;
    for (const auto& [name, x] : known) {
        if (text == name) return x;
        list += (list.empty() ? "" : ", ") + std::string{name};
    }
    throw jm::error{"retention.rule", rule, "`" + std::string{rule} + "` is one of " + list + "; not \"" + text + "\""};
}

/// Zone, beginning of the week and what names mean, of a playbook or given one by one.
struct words {
    jm::compile_context context;
    std::optional<jm::schema> known;
};
words words_of(const jm::history& h, const std::map<std::string, jm::expression>& segments, const std::string& timezone, const jm::playbook* playbook) {
    if (playbook == nullptr) return {context_of(segments, timezone), {}};
    auto v = playbook->vocabulary(h);
    return {std::move(v.context), std::move(v.known)};
}

jm::expression event_predicate(const std::optional<std::string>& text) { return text ? jm::expression::parse(*text, jm::bare_names::property) : jm::expression{}; }
jm::expression contact_predicate(const jm::expression* e) { return e == nullptr ? jm::expression{} : *e; }

jm::retention_report retention(const jm::history& h, const jm::selector& start, const std::optional<jm::selector>& returning, const std::string& every, const std::string& mode, const std::string& returns, std::vector<int> brackets,
                               const std::string& start_rule, int min_occurrences, const std::optional<std::string>& from, const std::optional<std::string>& to, std::optional<int> intervals, std::optional<int> cohorts, bool triangular,
                               const std::optional<std::string>& where, const jm::expression* audience, const std::vector<std::string>& by, const std::string& sum, bool count, const std::optional<std::string>& week_start, double level,
                               const std::map<std::string, jm::expression>& segments, const std::string& timezone, const jm::playbook* playbook) {
    using q_t = jm::retention_question;
    q_t q{start};
    q.returning = returning;
    q.every = word<q_t::every_t>(every, "every", {{"hour", q_t::every_t::hour}, {"day", q_t::every_t::day}, {"week", q_t::every_t::week}, {"month", q_t::every_t::month}});
    q.rolling = word<bool>(mode, "mode", {{"calendar", false}, {"24h", true}});
    q.returns = word<q_t::returns_t>(returns, "returns", {{"on", q_t::returns_t::on}, {"on_or_after", q_t::returns_t::on_or_after}, {"bracket", q_t::returns_t::bracket}});
    q.brackets = std::move(brackets);
    q.start_rule = word<q_t::start_rule_t>(start_rule, "start_rule", {{"first_time", q_t::start_rule_t::first_time}, {"first_in_range", q_t::start_rule_t::first_in_range}, {"every_period", q_t::start_rule_t::every_period}});
    q.min_occurrences = min_occurrences;
    q.from = moment(from);
    q.to = moment(to);
    q.intervals = intervals;
    q.cohorts = cohorts;
    q.triangular = triangular;
    q.where = event_predicate(where);
    q.audience = contact_predicate(audience);
    for (const auto& b : by) q.by.emplace_back(b, b);
    if (playbook != nullptr)
        for (auto& [name, text] : q.by)
            for (const auto& d : playbook->dimensions) if (d.name == name && !d.value.empty()) text = d.value.to_text();
    q.sum = sum;
    q.count = count;
    auto w = words_of(h, segments, timezone, playbook);
    if (week_start) w.context.weeks = word<jm::week_start>(*week_start, "week_start", {{"monday", jm::week_start::monday}, {"sunday", jm::week_start::sunday}});
    const py::gil_scoped_release without_gil;
    return jm::measure_retention(h, q, {level, std::move(w.context), std::move(w.known)});
}

jm::conversion_options options_of(const jm::history& h, std::vector<std::string> unit, const std::optional<std::string>& from, const std::optional<std::string>& to, const std::optional<std::string>& where, const jm::expression* audience, double level,
                                  const std::map<std::string, jm::expression>& segments, const std::string& timezone, const jm::playbook* playbook) {
    auto w = words_of(h, segments, timezone, playbook);
    return {std::move(unit), moment(from), moment(to), event_predicate(where), contact_predicate(audience), level, std::move(w.context), std::move(w.known)};
}

jm::path_set paths(const jm::history& h, const events& named, const std::string& label, std::vector<std::string> unit, const std::optional<std::string>& gap, bool collapse, const std::optional<std::string>& from, const std::optional<std::string>& to,
                   const std::optional<std::string>& where, const jm::expression* audience, std::size_t most_names, const std::map<std::string, jm::expression>& segments, const std::string& timezone, const jm::playbook* playbook) {
    jm::path_question q;
    q.events = named;
    q.label = label;
    q.unit = std::move(unit);
    if (const auto g = length_of(gap)) {
        if (!g->is_fixed()) throw jm::error{"paths.gap", "gap", "`gap` has no months; write 30m or 7d"};
        q.gap = g->fixed;
    }
    q.collapse = collapse;
    q.from = moment(from);
    q.to = moment(to);
    q.where = event_predicate(where);
    q.audience = contact_predicate(audience);
    q.most_names = most_names;
    auto w = words_of(h, segments, timezone, playbook);
    q.context = std::move(w.context);
    q.known = std::move(w.known);
    const py::gil_scoped_release without_gil;
    return jm::path_set{h, q};
}

}  // namespace

void register_kpi_retention(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;

    py::class_<jm::retention_report>(m, "_RetentionReport").def_readonly("rows", &jm::retention_report::rows).def_readonly("again", &jm::retention_report::again);
    m.def("_retention", &retention, py::arg("history"), py::arg("start"), py::arg("returning"), py::arg("every"), py::arg("mode"), py::arg("returns"), py::arg("brackets"), py::arg("start_rule"), py::arg("min_occurrences"), py::arg("from_"), py::arg("to"),
          py::arg("intervals"), py::arg("cohorts"), py::arg("triangular"), py::arg("where"), py::arg("audience"), py::arg("by"), py::arg("sum"), py::arg("count"), py::arg("week_start"), py::arg("level"), py::arg("segments"), py::arg("timezone"), py::arg("playbook"));

    py::class_<jm::conversion_options>(m, "_ConversionOptions")
        .def_static("of", &options_of, py::arg("history"), py::arg("unit"), py::arg("from_"), py::arg("to"), py::arg("where"), py::arg("audience"), py::arg("level"), py::arg("segments"), py::arg("timezone"), py::arg("playbook"));
    m.def("_conditions", &jm::measure_conditions, py::arg("history"), py::arg("conditions"), py::arg("options"), without_gil());
    m.def(
        "_conversion",
        [](const jm::history& h, const jm::selector& start, const std::vector<jm::selector>& goal, bool last_start, const std::optional<std::string>& within, std::optional<int> within_events, const jm::conversion_options& o) {
            return jm::measure_conversion(h, {start, goal, last_start, length_of(within), within_events}, o);
        },
        py::arg("history"), py::arg("start"), py::arg("goal"), py::arg("last_start"), py::arg("within"), py::arg("within_events"), py::arg("options"), without_gil());
    m.def(
        "_nearest_base",
        [](const jm::history& h, const jm::selector& base, const jm::selector& conversion, const std::optional<std::string>& window, const std::vector<std::string>& held, const std::string& by, const std::optional<std::string>& base_from,
           const std::optional<std::string>& base_to, const jm::conversion_options& o) { return jm::measure_nearest_base(h, {base, conversion, length_of(window), held, by, moment(base_from), moment(base_to)}, o); },
        py::arg("history"), py::arg("base"), py::arg("conversion"), py::arg("window"), py::arg("held"), py::arg("by"), py::arg("base_from"), py::arg("base_to"), py::arg("options"), without_gil());

    py::class_<jm::path_set>(m, "_Paths")
        .def_static("of", &paths, py::arg("history"), py::arg("events"), py::arg("label"), py::arg("unit"), py::arg("gap"), py::arg("collapse"), py::arg("from_"), py::arg("to"), py::arg("where"), py::arg("audience"), py::arg("most_names"), py::arg("segments"),
                    py::arg("timezone"), py::arg("playbook"))
        .def("paths", &jm::path_set::paths)
        .def("transitions", &jm::path_set::transitions, without_gil())
        .def("sequences", &jm::path_set::sequences, py::arg("length"), py::arg("most"), without_gil())
        .def("around", &jm::path_set::around, py::arg("event"), py::arg("steps"), without_gil())
        .def("flows", &jm::path_set::flows, py::arg("event"), py::arg("steps"), without_gil());
}
