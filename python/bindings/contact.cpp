// The embedder's loop: one contact's state and an input in, the state and actions out.

#include "bindings.hpp"

namespace {

struct compiled_playbook {
    jm::workflow_program_ptr program;
};

jm::scalar scalar_of(const py::handle& x, const std::string& place) {
    if (x.is_none()) return {};
    if (py::isinstance<py::bool_>(x)) return x.cast<bool>();
    if (py::isinstance<py::int_>(x)) return x.cast<std::int64_t>();
    if (py::isinstance<py::float_>(x)) return x.cast<double>();
    if (py::isinstance<py::str>(x)) return x.cast<std::string>();
    if (py::isinstance<py::list>(x)) return x.cast<std::vector<std::string>>();
    if (py::hasattr(x, "isoformat")) {
        const auto text = x.attr("isoformat")().cast<std::string>();
        jm::day d;
        jm::parsed_instant i;
        if (jm::parse_day(text, d)) return d;
        if (jm::parse_instant(text, i) && i.had_zone) return i.at;
    }
    throw jm::error{"type.value", place, "\"" + py::str(x).cast<std::string>() + "\" is no value; give text, numbers, yes/no, a date, an aware datetime or a list of text"};
}
py::object object_of(const jm::scalar& s) {
    if (std::holds_alternative<std::monostate>(s)) return py::none();
    if (const auto* b = std::get_if<bool>(&s)) return py::bool_(*b);
    if (const auto* i = std::get_if<std::int64_t>(&s)) return py::int_(*i);
    if (const auto* d = std::get_if<double>(&s)) return py::float_(*d);
    if (const auto* m = std::get_if<jm::money>(&s)) return py::float_(static_cast<double>(m->minor) / jm::minor_units);
    if (const auto* l = std::get_if<std::vector<std::string>>(&s)) return py::cast(*l);
    return py::str(jm::to_text(s));
}
py::object text_or_none(std::string_view s) {
    if (s.empty()) return py::none();
    return py::str(s.data(), s.size());
}
py::object instant_or_none(const std::optional<jm::instant>& t) {
    if (!t || *t == jm::end_of_time) return py::none();
    return py::str(jm::to_text(*t));
}
py::dict dict_of(const jm::action& a) {
    py::dict values, out;
    for (const auto& [name, v] : a.values) values[py::str(name)] = object_of(v);
    out["contact_id"] = a.contact;
    out["workflow"] = a.workflow;
    out["version"] = a.version;
    out["journey"] = a.journey;
    out["step"] = a.step;
    out["phase"] = text_or_none(a.phase);
    out["kind"] = a.kind;
    out["channel"] = text_or_none(a.channel);
    out["template"] = text_or_none(a.template_name);
    out["at"] = jm::to_text(a.at);
    out["status"] = jm::to_string(a.status);
    out["reason"] = text_or_none(jm::to_string(a.reason));
    out["until"] = instant_or_none(a.until);
    out["owner"] = text_or_none(a.owner);
    out["due"] = instant_or_none(a.due);
    out["values"] = values;
    out["key"] = a.key;
    return out;
}

jm::input input_of(const std::string& kind, const std::string& at, const std::string& name, const py::dict& values, const std::optional<std::string>& arrived) {
    jm::input in;
    in.kind = kind == "event" ? jm::input::kinds::event : kind == "attributes" ? jm::input::kinds::attributes : kind == "account" ? jm::input::kinds::account : jm::input::kinds::tick;
    in.at = at.empty() ? jm::beginning_of_time : instant_of(at);
    in.name = name;
    for (const auto& [key, v] : values) {
        const auto field = key.cast<std::string>();
        in.values.emplace_back(field, scalar_of(v, field));
    }
    if (arrived) in.arrived = instant_of(*arrived);
    return in;
}

}  // namespace

void register_contact(py::module_& m) {
    using namespace py::literals;
    py::class_<jm::contact_state>(m, "_ContactState")
        .def(py::init([](const std::string& id, bool always) { return always ? jm::contact_state{id, jm::beginning_of_time} : jm::contact_state{id}; }), "id"_a, "always"_a)
        .def_property_readonly("id", &jm::contact_state::id)
        .def_property_readonly("next_due", [](const jm::contact_state& s) { return instant_or_none(s.next_due()); })
        .def_property_readonly("events_kept", &jm::contact_state::events_kept)
        .def("journeys",
             [](const jm::contact_state& s) {
                 py::list out;
                 for (const auto& j : s.journeys()) {
                     py::dict x;
                     x["workflow"] = j.workflow;
                     x["version"] = j.version;
                     x["journey"] = j.number;
                     x["step"] = j.step;
                     x["entered_at"] = jm::to_text(j.entered_at);
                     x["reached_at"] = jm::to_text(j.reached_at);
                     x["until"] = instant_or_none(j.until);
                     out.append(x);
                 }
                 return out;
             })
        .def("copy", [](const jm::contact_state& s) { return s; })
        .def("to_json", &jm::contact_state::to_json);
    py::class_<compiled_playbook>(m, "_Compiled")
        .def("advance",
             [](const compiled_playbook& w, jm::contact_state& s, const std::string& kind, const std::string& at, const std::string& name, const py::dict& values, const std::optional<std::string>& arrived) {
                 py::list out;
                 jm::advance(w.program, s, input_of(kind, at, name, values, arrived), [&](const jm::action& a) { out.append(dict_of(a)); });
                 return out;
             },
             "state"_a, "kind"_a, "at"_a, "name"_a, "values"_a, "arrived"_a)
        .def("see", [](const compiled_playbook& w, jm::contact_state& s, const std::string& kind, const std::string& at, const std::string& name, const py::dict& values) { jm::see(w.program, s, input_of(kind, at, name, values, {})); },
             "state"_a, "kind"_a, "at"_a, "name"_a, "values"_a)
        .def("begin", [](const compiled_playbook& w, jm::contact_state& s, const std::string& start) { jm::begin(w.program, s, instant_of(start)); }, "state"_a, "start"_a)
        .def("read", [](const compiled_playbook& w, const std::string& json) { return jm::contact_state::from_json(json, w.program); }, "json"_a)
        .def("upgrade",
             [](const compiled_playbook& w, jm::contact_state& s, const std::string& at, const jm::step_moves& moves) {
                 py::list out;
                 jm::upgrade(w.program, s, instant_of(at), moves, [&](const jm::action& a) { out.append(dict_of(a)); });
                 return out;
             },
             "state"_a, "at"_a, "moves"_a)
        .def_property_readonly("versions", [](const compiled_playbook& w) {
            std::map<std::string, std::string> out;
            for (const auto& f : w.program->workflows) out.emplace(f.name, f.version);
            return out;
        });
    m.def("_plan_upgrade", [](const compiled_playbook& from, const compiled_playbook& to, const std::vector<jm::contact_state>& states, const jm::step_moves& moves) { return jm::plan_upgrade(from.program, to.program, states, moves); },
          "from_"_a, "to"_a, "states"_a, "moves"_a);
    m.def("_plan_upgrade_of_run", [](const jm::run& run, const compiled_playbook& to, const jm::step_moves& moves) { return jm::plan_upgrade(run.compiled(), to.program, run.in_flight(), moves); }, "run"_a, "to"_a, "moves"_a);
    m.def("_compile", [](const jm::playbook& p, const jm::history* h) { return compiled_playbook{h == nullptr ? p.compiled() : p.compiled(h->schema())}; }, "playbook"_a, "history"_a, py::call_guard<py::gil_scoped_release>());
}
