// Segment tools: overlaps, sizes, samples, profiles, scores, features.

#include "bindings.hpp"
#include "watched.hpp"

namespace {

using listener = std::function<void(double)>;

jm::table features_at(const jm::history& h, const jm::named_expressions& columns, const std::string& at, const jm::vocabulary& words, listener tell) {
    return watching(std::move(tell), [&](const auto& progress) { return jm::to_features(h, columns, instant_of(at), words, progress); });
}

jm::table features_of(const jm::history& h, const jm::named_expressions& columns, const jm::expression& at, const std::optional<std::string>& until, const jm::vocabulary& words, listener tell) {
    return watching(std::move(tell), [&](const auto& progress) { return jm::to_features(h, columns, at, until ? std::optional{instant_of(*until)} : std::nullopt, words, progress); });
}

/// `instants` in microseconds, as Arrow holds them.
jm::table features_rows(const jm::history& h, const jm::named_expressions& columns, const std::vector<std::string>& contacts, const std::vector<std::int64_t>& instants, const jm::vocabulary& words, listener tell) {
    std::vector<jm::contact_instant> rows;
    rows.reserve(contacts.size());
    for (std::size_t k = 0; k < contacts.size(); ++k) rows.push_back({contacts[k], jm::instant{jm::microseconds{instants.at(k)}}});
    return watching(std::move(tell), [&](const auto& progress) { return jm::to_features(h, columns, rows, words, progress); });
}

jm::profile_report profile(const jm::history& h, const jm::selection& who, const std::string& at, jm::named_expressions columns, double level, std::size_t most_values, const jm::vocabulary& words) {
    const jm::profile_options o{std::move(columns), level, most_values};
    return watching({}, [&](const auto& progress) { return jm::profile(h, who, instant_of(at), o, words, progress); });
}

}  // namespace

void register_segment(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;

    py::class_<jm::vocabulary>(m, "_Vocabulary")
        .def_static("of", [](const std::map<std::string, jm::expression>& all, const std::string& timezone) { return jm::vocabulary{context_of(all, timezone), {}}; }, py::arg("segments"), py::arg("timezone"));
    py::class_<jm::overlap_report>(m, "_Overlap")
        .def_readonly("pairs", &jm::overlap_report::pairs)
        .def_readonly("exclusive", &jm::overlap_report::exclusive)
        .def_readonly("matrix", &jm::overlap_report::matrix);
    py::class_<jm::profile_report>(m, "_Profile").def_readonly("values", &jm::profile_report::values).def_readonly("numbers", &jm::profile_report::numbers);

    m.def("_microseconds", [](const std::string& instant) { return instant_of(instant).time_since_epoch().count(); }, py::arg("instant"));
    m.def("_features_at", &features_at, py::arg("history"), py::arg("columns"), py::arg("at"), py::arg("words"), py::arg("progress"));
    m.def("_features_of", &features_of, py::arg("history"), py::arg("columns"), py::arg("at"), py::arg("until"), py::arg("words"), py::arg("progress"));
    m.def("_features_rows", &features_rows, py::arg("history"), py::arg("columns"), py::arg("contacts"), py::arg("instants"), py::arg("words"), py::arg("progress"));
    m.def("_profile", &profile, py::arg("history"), py::arg("who"), py::arg("at"), py::arg("columns"), py::arg("level"), py::arg("most_values"), py::arg("words"));
    m.def(
        "_select_many",
        [](const jm::history& h, const jm::named_expressions& asked, const std::string& at, const jm::vocabulary& words, unsigned threads) { return jm::select_many(h, asked, instant_of(at), words, threads); },
        py::arg("history"), py::arg("asked"), py::arg("at"), py::arg("words"), py::arg("threads"), without_gil());
    m.def(
        "_rfm",
        [](const jm::history& h, const jm::selector& event, const std::string& property, const std::string& at, int scores, const jm::vocabulary& words) {
            return watching({}, [&](const auto& progress) { return jm::rfm(h, event, property, instant_of(at), scores, words, progress); });
        },
        py::arg("history"), py::arg("event"), py::arg("property"), py::arg("at"), py::arg("scores"), py::arg("words"));
    m.def(
        "_sizes",
        [](const jm::history& h, const jm::selection& who, const std::string& at, const jm::named_expressions& by, const jm::vocabulary& words) {
            return watching({}, [&](const auto& progress) { return jm::sizes(h, who, instant_of(at), by, words, progress); });
        },
        py::arg("history"), py::arg("who"), py::arg("at"), py::arg("by"), py::arg("words"));
    m.def("_overlap", [](const jm::history& h, const jm::named_expressions& all, const std::string& at, const jm::vocabulary& words) { return watching({}, [&](const auto& progress) { return jm::overlap(h, all, instant_of(at), words, progress); }); }, py::arg("history"), py::arg("segments"), py::arg("at"), py::arg("words"));
    m.def("_sample", [](const jm::history& h, const jm::selection& who, std::size_t n, std::uint64_t seed, const std::string& at) { return jm::sample(h, who, n, seed, instant_of(at)); }, py::arg("history"), py::arg("who"), py::arg("n"), py::arg("seed"), py::arg("at"), without_gil());
}
