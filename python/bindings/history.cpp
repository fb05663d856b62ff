// Histories: from Arrow streams, CSV files and records; what they hold; questions about their contacts.

#include "bindings.hpp"
#include "journeyman/core/arrow_abi.hpp"

jm::instant instant_of(const std::string& text) {
    jm::parsed_instant p;
    if (!jm::parse_instant(text, p)) throw jm::error{"input.instant", "", "\"" + text + "\" is no instant; write \"2026-03-31T00:00:00Z\""};
    if (!p.had_zone) throw jm::error{"input.instant", "", "\"" + text + "\" has no zone; write it with Z or an offset, such as \"2026-03-31T00:00:00Z\""};
    return p.at;
}

jm::compile_context context_of(const std::map<std::string, jm::expression>& all, const std::string& timezone) {
    jm::compile_context context;
    context.zone = jm::load_zone(timezone);
    for (const auto& [name, e] : all) context.segments.emplace(name, e);
    return context;
}

namespace {

using names = std::map<std::string, std::string>;
using segments = std::map<std::string, jm::expression>;

jm::read_options options_of(std::map<std::string, names> columns, names types, names formats, const std::optional<std::string>& timezone, unsigned threads) {
    jm::read_options o;
    o.threads = threads;
    o.columns = std::move(columns);
    o.types = std::move(types);
    o.formats = std::move(formats);
    if (timezone) o.timezone = jm::load_zone(*timezone);
    return o;
}

/// The stream of an object that speaks the PyCapsule interface. Who reads it takes it: the capsule then has nothing left to release.
ArrowArrayStream* stream_in(const py::object& capsule) {
    if (capsule.is_none()) return nullptr;
    void* stream = PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream");
    if (stream == nullptr) throw py::error_already_set{};
    return static_cast<ArrowArrayStream*>(stream);
}

/// A table as Python hands it over: None, a capsule with a stream, the path of a CSV file, or that with what stands in it.
struct table_in {
    jm::table_source source;
    explicit table_in(const py::object& o) {
        if (py::isinstance<py::str>(o)) source.csv = o.cast<std::string>();
        else if (py::isinstance<py::tuple>(o)) {
            const auto [path, text] = o.cast<std::pair<std::string, py::bytes>>();
            source.csv = path;
            source.text = static_cast<std::string_view>(text);      // who calls keeps the bytes
        } else source.stream = stream_in(o);
    }
};

jm::history from_tables(const py::object& contacts, const py::object& events, const py::object& accounts, const py::object& spend, std::map<std::string, names> columns, names types, names formats, const std::optional<std::string>& timezone, unsigned threads) {
    const table_in c{contacts}, e{events}, a{accounts}, s{spend};
    const auto options = options_of(std::move(columns), std::move(types), std::move(formats), timezone, threads);
    const py::gil_scoped_release without_gil;
    return jm::history_from_tables(c.source, e.source, a.source, s.source, options);
}

jm::history append(const jm::history& h, const py::object& contacts, const py::object& events, const py::object& accounts, const py::object& spend) {
    const table_in c{contacts}, e{events}, a{accounts}, s{spend};
    const py::gil_scoped_release without_gil;
    return h.append(jm::table_sources{c.source, e.source, a.source, s.source});
}

template <class From, auto read>
jm::history from_records(const std::string& from, const py::object& spend, names types, const std::optional<std::string>& timezone, unsigned threads) {
    ArrowArrayStream* s = stream_in(spend);
    const auto options = options_of({}, std::move(types), {}, timezone, threads);
    const py::gil_scoped_release without_gil;
    return read(From{from}, options, s);
}

using attribute_types = std::map<std::string, std::string>;
attribute_types named(const std::map<std::string, jm::value_type, std::less<>>& from) {
    attribute_types out;
    for (const auto& [name, type] : from) out.emplace(name, jm::to_string(type));
    return out;
}

}  // namespace

void register_history(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;

    py::class_<jm::selection>(m, "_Selection").def("count", &jm::selection::count).def("ids", &jm::selection::ids).def("unknown_ids", &jm::selection::unknown_ids).def("table", &jm::selection::to_table);

    py::class_<jm::explained_event>(m, "_ExplainedEvent")
        .def_readonly("event", &jm::explained_event::event)
        .def_property_readonly("at", [](const jm::explained_event& e) { return jm::to_text(e.at); })
        .def_property_readonly("leaves_at", [](const jm::explained_event& e) { return e.leaves_at ? std::optional{jm::to_text(*e.leaves_at)} : std::nullopt; });
    py::class_<jm::explanation>(m, "_Explanation")
        .def_readonly("clause", &jm::explanation::clause)
        .def_readonly("value", &jm::explanation::value)
        .def_property_readonly("changes_at", [](const jm::explanation& e) { return e.changes_at ? std::optional{jm::to_text(*e.changes_at)} : std::nullopt; })
        .def_readonly("remark", &jm::explanation::remark)
        .def_readonly("events", &jm::explanation::events)
        .def_readonly("events_count", &jm::explanation::events_count)
        .def_readonly("parts", &jm::explanation::parts)
        .def("text", &shown<jm::explanation>);

    py::class_<jm::tracked_membership>(m, "_Tracked")
        .def("update", [](jm::tracked_membership& t, const jm::history& h, const std::optional<std::string>& until) { return t.update(h, until ? std::optional{instant_of(*until)} : std::nullopt); }, py::arg("history"), py::arg("until"), without_gil())
        .def("until", [](const jm::tracked_membership& t) { return jm::to_text(t.until()); })
        .def("members", &jm::tracked_membership::members)
        .def("stays", &jm::tracked_membership::stays)
        .def("changes", &jm::tracked_membership::changes)
        .def("asked", &jm::tracked_membership::asked);

    m.def("_changes", py::overload_cast<const jm::table&>(&jm::changes), py::arg("stays"), without_gil());
    m.def(
        "_sizes_over_time",
        [](const jm::table& stays, const std::string& start, const std::string& end, const std::optional<std::string>& every, const std::string& timezone, bool sunday) {
            return jm::sizes(stays, instant_of(start), instant_of(end), every ? std::optional{unit_of(*every)} : std::nullopt, *jm::load_zone(timezone), sunday ? jm::week_start::sunday : jm::week_start::monday);
        },
        py::arg("stays"), py::arg("start"), py::arg("end"), py::arg("every"), py::arg("timezone"), py::arg("sunday"), without_gil());

    py::class_<jm::history>(m, "_History")
        .def_static("from_tables", &from_tables, py::arg("contacts"), py::arg("events"), py::arg("accounts"), py::arg("spend"), py::arg("columns"), py::arg("types"), py::arg("formats"), py::arg("timezone"), py::arg("threads"))
        .def_static("from_records_text", &from_records<std::string, &jm::history::from_records_text>, py::arg("lines"), py::arg("spend"), py::arg("types"), py::arg("timezone"), py::arg("threads"))
        .def_static("from_records_file", &from_records<std::filesystem::path, &jm::history::from_records>, py::arg("path"), py::arg("spend"), py::arg("types"), py::arg("timezone"), py::arg("threads"))
        .def("append", &append, py::arg("contacts"), py::arg("events"), py::arg("accounts"), py::arg("spend"))
        .def("append_records_text", [](const jm::history& h, const std::string& lines) { return h.append_records_text(lines); }, py::arg("lines"), without_gil())
        .def("append_records_file", [](const jm::history& h, const std::string& path) { return h.append_records(std::filesystem::path{path}); }, py::arg("path"), without_gil())
        .def("first_instant", [](const jm::history& h) { const auto s = h.data().span(); return s ? std::optional{jm::to_text(s->first)} : std::nullopt; })
        .def("last_instant", [](const jm::history& h) { const auto s = h.data().span(); return s ? std::optional{jm::to_text(s->second)} : std::nullopt; })
        .def("contacts_count", &jm::history::contacts_count)
        .def("events_count", &jm::history::events_count)
        .def("contacts", [](const jm::history& h, const std::optional<std::string>& at) { return h.contacts(at ? std::optional{instant_of(*at)} : std::nullopt); }, py::arg("at"), without_gil())
        .def("accounts", [](const jm::history& h, const std::optional<std::string>& at) { return h.accounts(at ? std::optional{instant_of(*at)} : std::nullopt); }, py::arg("at"), without_gil())
        .def("events", &jm::history::events, without_gil())
        .def("spend", &jm::history::spend, without_gil())
        .def("rejected", &jm::history::rejected)
        .def("rejected_counts", &jm::history::rejected_counts)
        .def("attribute_types", [](const jm::history& h) { return named(h.schema().contact); })
        .def("account_types", [](const jm::history& h) { return named(h.schema().account); })
        .def("event_types", [](const jm::history& h) {
            std::map<std::string, attribute_types> out;
            for (const auto& [name, properties] : h.schema().events) out.emplace(name, named(properties));
            return out;
        })
        .def(
            "check",
            [](const jm::history& h, const jm::expression& p, const segments& all, const std::string& timezone) {
                const auto found = jm::check(p, h.schema(), h.data().pool, context_of(all, timezone));
                return std::vector<jm::problem>(found.begin(), found.end());
            },
            py::arg("predicate"), py::arg("segments"), py::arg("timezone"), without_gil())
        .def(
            "explain",
            [](const jm::history& h, const jm::expression& p, const std::string& contact, const std::string& at, const segments& all, const std::string& timezone) {
                return jm::explain(h, p, contact, instant_of(at), context_of(all, timezone));
            },
            py::arg("predicate"), py::arg("contact"), py::arg("at"), py::arg("segments"), py::arg("timezone"), without_gil())
        .def(
            "membership",
            [](const jm::history& h, const jm::expression& p, const std::string& start, const std::string& end, const segments& all, const std::string& timezone) {
                return jm::membership(h, p, instant_of(start), instant_of(end), context_of(all, timezone));
            },
            py::arg("predicate"), py::arg("start"), py::arg("end"), py::arg("segments"), py::arg("timezone"), without_gil())
        .def(
            "track",
            [](const jm::history& h, const jm::expression& p, const std::string& start, const std::optional<std::string>& until, const segments& all, const std::string& timezone) {
                return jm::tracked_membership{h, p, instant_of(start), until ? std::optional{instant_of(*until)} : std::nullopt, context_of(all, timezone)};
            },
            py::arg("predicate"), py::arg("start"), py::arg("until"), py::arg("segments"), py::arg("timezone"), without_gil())
        .def(
            "select",
            [](const jm::history& h, const jm::expression& p, const std::string& at, const segments& all, const std::string& timezone, unsigned threads) { return jm::select(h, p, instant_of(at), context_of(all, timezone), threads); },
            py::arg("predicate"), py::arg("at"), py::arg("segments"), py::arg("timezone"), py::arg("threads"), without_gil())
        .def(
            "select_plainly",
            [](const jm::history& h, const jm::expression& p, const std::string& at, const segments& all, const std::string& timezone) {
                const auto [program, node] = jm::compile(p, h.schema(), h.data().pool, context_of(all, timezone));
                return jm::select_plainly(h, program, node, instant_of(at));
            },
            py::arg("predicate"), py::arg("at"), py::arg("segments"), py::arg("timezone"), without_gil());
}
