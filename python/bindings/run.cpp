// What a replay did, and the options to ask for one.

#include "bindings.hpp"

void register_run(py::module_& m) {
    using without_gil = py::call_guard<py::gil_scoped_release>;
    const auto text = [](const std::optional<jm::instant>& t) { return t ? std::optional{jm::to_text(*t)} : std::nullopt; };

    py::class_<jm::explained_action>(m, "_ExplainedAction")
        .def_readonly("channel", &jm::explained_action::channel)
        .def_readonly("status", &jm::explained_action::status)
        .def_readonly("reason", &jm::explained_action::reason)
        .def_readonly("why", &jm::explained_action::why)
        .def_property_readonly("at", [](const jm::explained_action& a) { return jm::to_text(a.at); })
        .def_property_readonly("until", [text](const jm::explained_action& a) { return text(a.until); });
    py::class_<jm::explained_step>(m, "_ExplainedStep")
        .def_readonly("step", &jm::explained_step::step)
        .def_readonly("kind", &jm::explained_step::kind)
        .def_readonly("phase", &jm::explained_step::phase)
        .def_property_readonly("reached_at", [](const jm::explained_step& s) { return jm::to_text(s.reached_at); })
        .def_property_readonly("left_at", [text](const jm::explained_step& s) { return text(s.left_at); })
        .def_readonly("outcome", &jm::explained_step::outcome)
        .def_readonly("next", &jm::explained_step::next)
        .def_readonly("why", &jm::explained_step::why)
        .def_property_readonly("until", [text](const jm::explained_step& s) { return text(s.until); })
        .def_readonly("actions", &jm::explained_step::actions)
        .def_property_readonly("questions", [](const jm::explained_step& s) {
            std::vector<std::pair<std::string, jm::explanation>> out;
            for (const auto& q : s.questions) out.emplace_back(q.what, q.answer);
            return out;
        });
    py::class_<jm::explained_journey>(m, "_ExplainedJourney")
        .def_readonly("contact", &jm::explained_journey::contact)
        .def_readonly("workflow", &jm::explained_journey::workflow)
        .def_readonly("version", &jm::explained_journey::version)
        .def_readonly("number", &jm::explained_journey::number)
        .def_readonly("key", &jm::explained_journey::key)
        .def_readonly("trigger", &jm::explained_journey::trigger)
        .def_property_readonly("entered_at", [](const jm::explained_journey& j) { return jm::to_text(j.entered_at); })
        .def_property_readonly("left_at", [text](const jm::explained_journey& j) { return text(j.left_at); })
        .def_readonly("outcome", &jm::explained_journey::outcome)
        .def_readonly("steps", &jm::explained_journey::steps)
        .def("text", &shown<jm::explained_journey>);

    py::class_<jm::run>(m, "_Run")
        .def("actions", &jm::run::actions, without_gil())
        .def("journeys", &jm::run::journeys, without_gil())
        .def("steps", &jm::run::steps, without_gil())
        .def("edges", &jm::run::edges, without_gil())
        .def("splits", &jm::run::splits, without_gil())
        .def("history", &jm::run::history, without_gil())
        .def("explain", [](const jm::run& r, const std::string& contact, const std::string& workflow, std::uint32_t journey) { return r.explain(contact, workflow, journey); }, py::arg("contact"), py::arg("workflow"), py::arg("journey"), without_gil())
        .def("handled", &jm::run::handled);
}
