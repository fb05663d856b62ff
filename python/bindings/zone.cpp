// Time zones as the library reads them, for the tests that hold them against Python's.

#include "bindings.hpp"

void register_zone(py::module_& m) {
    m.def(
        "_zone_changes",
        [](const std::string& name) {
            std::vector<std::pair<std::int64_t, std::int64_t>> out;
            for (const auto& [from, offset] : jm::load_zone(name)->changes()) out.emplace_back(from.time_since_epoch().count(), offset.count());
            return out;
        },
        py::arg("name"));
}
