// What a replay did, and the options to ask for one.

#include "bindings.hpp"

void register_run(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<jm::run>(m, "_Run")
        .def("actions", &jm::run::actions, without_gil())
        .def("journeys", &jm::run::journeys, without_gil())
        .def("steps", &jm::run::steps, without_gil())
        .def("edges", &jm::run::edges, without_gil())
        .def("splits", &jm::run::splits, without_gil())
        .def("history", &jm::run::history, without_gil())
        .def("handled", &jm::run::handled);
}
