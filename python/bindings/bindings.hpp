#pragma once
// What the files of the bindings share: one `register_*` a folder of the library. No type of pybind11 goes below python/.

#include <pybind11/pybind11.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "journeyman/journeyman.hpp"

namespace py = pybind11;
namespace jm = journeyman;

void register_error(py::module_&);
void register_table(py::module_&);
void register_zone(py::module_&);
void register_predicate(py::module_&);
void register_history(py::module_&);
void register_segment(py::module_&);
void register_playbook(py::module_&);
void register_run(py::module_&);
void register_kpi(py::module_&);
void register_kpi_retention(py::module_&);
void register_survival(py::module_&);
void register_lifetime_value(py::module_&);
void register_experiment(py::module_&);
void register_attribution(py::module_&);
void register_contact(py::module_&);

template <class T>
std::string shown(const T& x) {
    std::ostringstream out;
    out << x;
    return out.str();
}

/// What a question means without a playbook.
jm::compile_context context_of(const std::map<std::string, jm::expression>& segments, const std::string& timezone);

/// An instant from the text that journeyman/_convert.py makes of whatever it is given.
jm::instant instant_of(const std::string& text);

/// A length of time from its text ("30d", "1mo").
jm::length length_of(const std::string& text);

/// "day", "week", "month", "quarter" or "year".
jm::calendar_unit unit_of(const std::string& name);
