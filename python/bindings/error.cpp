// journeyman::error becomes journeyman._error.Error, with its code, place and message.

#include "bindings.hpp"

void register_error(py::module_&) {
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
