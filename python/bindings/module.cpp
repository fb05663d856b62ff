// The extension module `journeyman._core`: converts, and computes nothing.

#include "bindings.hpp"

PYBIND11_MODULE(_core, m) {
    register_error(m);
    register_table(m);
    register_zone(m);
    register_predicate(m);
    register_history(m);
    register_segment(m);
    register_run(m);
    register_playbook(m);
    register_kpi(m);
    register_kpi_retention(m);
    register_survival(m);
    register_lifetime_value(m);
    register_experiment(m);
    register_attribution(m);
    register_contact(m);
}
