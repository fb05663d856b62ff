// journeyman::error becomes journeyman._error.Error, with its code, place and message; problems of checks.

#include "bindings.hpp"

namespace {

std::string severity_name(const jm::problem& p) {
    switch (p.severity) {
        case jm::severity::error: return "error";
        case jm::severity::warning: return "warning";
        case jm::severity::note: break;
    }
    return "note";
}

}  // namespace

void register_error(py::module_& m) {
    py::class_<jm::problem>(m, "_Problem")
        .def_readonly("code", &jm::problem::code)
        .def_readonly("place", &jm::problem::place)
        .def_readonly("message", &jm::problem::message)
        .def_property_readonly("severity", &severity_name);

    static py::object error_type = py::module_::import("journeyman._error").attr("Error");
    py::register_exception_translator([](std::exception_ptr p) {
        try {
            if (p) std::rethrow_exception(p);
        } catch (const jm::error& e) {
            const py::object x = error_type(e.code(), e.place(), e.message());
            PyErr_SetObject(error_type.ptr(), x.ptr());
        }
    });
}
