// The extension module `journeyman._core`: converts, and computes nothing.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <sstream>

#include "journeyman/core/arrow_abi.hpp"
#include "journeyman/journeyman.hpp"

namespace py = pybind11;
namespace jm = journeyman;

namespace {

jm::instant instant_of(const std::string& text) {
    jm::parsed_instant p;
    if (!jm::parse_instant(text, p)) throw jm::error{"input.instant", "", "\"" + text + "\" is no instant; write \"2026-03-31T00:00:00Z\""};
    if (!p.had_zone) throw jm::error{"input.instant", "", "\"" + text + "\" has no zone; write it with Z or an offset, such as \"2026-03-31T00:00:00Z\""};
    return p.at;
}

py::capsule arrow_stream(const jm::table& t) {
    auto* stream = new ArrowArrayStream{};
    t.export_arrow(stream);
    return py::capsule(stream, "arrow_array_stream", [](PyObject* capsule) {
        auto* s = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
        if (s->release != nullptr) s->release(s);
        delete s;
    });
}

template <class T>
std::string shown(const T& x) {
    std::ostringstream out;
    out << x;
    return out.str();
}

jm::compile_context context_of(const std::map<std::string, jm::expression>& segments, const std::string& timezone) {
    jm::compile_context context;
    context.zone = jm::load_zone(timezone);
    for (const auto& [name, e] : segments) context.segments.emplace(name, e);
    return context;
}

jm::read_options options_of(const std::map<std::string, std::string>& types, const std::optional<std::string>& timezone) {
    jm::read_options o;
    o.types = types;
    if (timezone) o.timezone = jm::load_zone(*timezone);
    return o;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
    static py::object error_type = py::module_::import("journeyman._error").attr("Error");
    py::register_exception_translator([](std::exception_ptr p) {
        try {
            if (p) std::rethrow_exception(p);
        } catch (const jm::error& e) {
            const py::object x = error_type(e.code(), e.place(), e.message());
            PyErr_SetObject(error_type.ptr(), x.ptr());
        }
    });

    py::class_<jm::table>(m, "_Table")
        .def("_rows", &jm::table::rows)
        .def("_arrow_stream", &arrow_stream)
        .def("_text", &shown<jm::table>);

    py::class_<jm::expression>(m, "_Expression")
        .def_static("parse", [](const std::string& text) { return jm::expression::parse(text); })
        .def("text", &jm::expression::to_text)
        .def("equals", &jm::expression::equals);

    py::class_<jm::selection>(m, "_Selection")
        .def("count", &jm::selection::count)
        .def("ids", &jm::selection::ids)
        .def("unknown_ids", &jm::selection::unknown_ids)
        .def("table", &jm::selection::to_table);

    py::class_<jm::history>(m, "_History")
        .def_static(
            "from_records_text", [](const std::string& lines, const std::map<std::string, std::string>& types, const std::optional<std::string>& timezone) { return jm::history::from_records_text(lines, options_of(types, timezone)); },
            py::call_guard<py::gil_scoped_release>())
        .def_static(
            "from_records_file", [](const std::string& path, const std::map<std::string, std::string>& types, const std::optional<std::string>& timezone) { return jm::history::from_records(path, options_of(types, timezone)); },
            py::call_guard<py::gil_scoped_release>())
        .def("contacts_count", &jm::history::contacts_count)
        .def("events_count", &jm::history::events_count)
        .def("contacts", [](const jm::history& h, const std::optional<std::string>& at) { return h.contacts(at ? std::optional{instant_of(*at)} : std::nullopt); })
        .def("events", &jm::history::events)
        .def("rejected", &jm::history::rejected)
        .def(
            "membership",
            [](const jm::history& h, const jm::expression& p, const std::string& start, const std::string& end, const std::map<std::string, jm::expression>& segments, const std::string& timezone) {
                return jm::membership(h, p, instant_of(start), instant_of(end), context_of(segments, timezone));
            },
            py::call_guard<py::gil_scoped_release>())
        .def(
            "select",
            [](const jm::history& h, const jm::expression& p, const std::string& at, const std::map<std::string, jm::expression>& segments, const std::string& timezone) {
                return jm::select(h, p, instant_of(at), context_of(segments, timezone));
            },
            py::call_guard<py::gil_scoped_release>());
}
