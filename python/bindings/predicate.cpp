// Expressions and selectors: values that Python builds and prints.

#include "bindings.hpp"

jm::length length_of(const std::string& text) {
    jm::length d;
    if (!jm::parse_length(text, d)) throw jm::error{"input.duration", "", "\"" + text + "\" is no duration; write 30d, 1h30m or 1mo"};
    return d;
}

namespace {

using jm::expression;
using jm::selector;

template <class Enum>
Enum found(const std::map<std::string, Enum>& names, const std::string& name, const char* what) {
    if (const auto it = names.find(name); it != names.end()) return it->second;
    std::vector<std::string> all;
    for (const auto& [n, unused] : names) all.push_back(n);
    throw jm::error{"name.unknown", "", "\"" + name + "\" is no " + what + "." + jm::did_you_mean(name, all)};
}

std::optional<jm::length> length_of(const std::optional<std::string>& text) { return text ? std::optional{::length_of(*text)} : std::nullopt; }

expression operate(const std::string& name, const expression& a, const expression& b) {
    using enum jm::node_kind;
    static const std::map<std::string, jm::node_kind> names{
        {"==", equal}, {"!=", not_equal}, {"<", less}, {"<=", less_equal}, {">", greater}, {">=", greater_equal}, {"+", add}, {"-", subtract}, {"*", multiply}, {"/", divide},
        {"and", and_}, {"or", or_}, {"in", in}, {"not in", not_in}, {"contains", contains}, {"has_any", has_any}, {"has_all", has_all}, {"starts_with", starts_with},
        {"ends_with", ends_with}, {"matches", matches}};
    switch (const auto kind = found(names, name, "operator"); kind) {
        case and_: return a && b;
        case or_: return a || b;
        default: return jm::binary(kind, a, b);
    }
}

/// Whether it may be the operand of `and`: certainly not when its form is that of a number, a text or an instant.
bool may_be_condition(const expression& e) {
    using enum jm::node_kind;
    if (e.empty()) return false;
    switch (e->kind) {
        case literal: return std::holds_alternative<bool>(e->value);
        case list: case now: case event_time: case event_name: case negate: case add: case subtract: case multiply: case divide: return false;
        case aggregate: {
            using a = jm::aggregate;
            return e->aggregate == a::did || e->aggregate == a::never || e->aggregate == a::sequence || e->aggregate == a::first || e->aggregate == a::last || e->aggregate == a::min || e->aggregate == a::max;
        }
        default: return true;
    }
}

expression fold(const selector& s, const std::string& name, const std::string& property) {
    const auto a = jm::find_aggregate(name);
    if (!a) throw jm::error{"name.unknown", "", "\"" + name + "\" is no aggregate"};
    switch (*a) {
        case jm::aggregate::count: return s.count();
        case jm::aggregate::did: return s.did();
        case jm::aggregate::never: return s.never();
        case jm::aggregate::first_time: return s.first_time();
        case jm::aggregate::last_time: return s.last_time();
        case jm::aggregate::sum: return s.sum(property);
        case jm::aggregate::avg: return s.avg(property);
        case jm::aggregate::min: return s.min(property);
        case jm::aggregate::max: return s.max(property);
        case jm::aggregate::distinct: return s.distinct(property);
        case jm::aggregate::first: return s.first(property);
        case jm::aggregate::last: return s.last(property);
        default: throw jm::error{"name.unknown", "", "\"" + name + "\" is not asked of one selector"};
    }
}

}  // namespace

jm::calendar_unit unit_of(const std::string& name) {
    using enum jm::calendar_unit;
    static const std::map<std::string, jm::calendar_unit> names{{"day", day}, {"week", week}, {"month", month}, {"quarter", quarter}, {"year", year}};
    return found(names, name, "calendar unit");
}

void register_predicate(py::module_& m) {
    py::class_<expression>(m, "_Expression")
        .def_static("parse", [](const std::string& text, bool in_event) { return expression::parse(text, in_event ? jm::bare_names::property : jm::bare_names::attribute); }, py::arg("text"), py::arg("in_event") = false)
        .def_static("boolean", [](bool x) { return expression{x}; }, py::arg("x"))
        .def_static("integer", [](std::int64_t x) { return expression{x}; }, py::arg("x"))
        .def_static("decimal", [](double x) { return expression{x}; }, py::arg("x"))
        .def_static("literal_text", [](const std::string& x) { return expression{x}; }, py::arg("x"))
        .def_static("instant", [](const std::string& x) { return expression{instant_of(x)}; }, py::arg("x"))
        .def_static("duration", [](const std::string& x) { return expression{length_of(x)}; }, py::arg("x"))
        .def_static("microseconds", [](std::int64_t x) { return expression{jm::microseconds{x}}; }, py::arg("x"))
        .def_static("items", [](std::vector<expression> x) {
                jm::node n;
                n.kind = jm::node_kind::list;
                n.args = std::move(x);
                return jm::make(std::move(n));
            }, py::arg("x"))
        .def_static("now", [] { return jm::now; })
        .def_static("attr", &jm::attr, py::arg("name"))
        .def_static("prop", &jm::prop, py::arg("name"))
        .def_static("trigger", &jm::trigger, py::arg("name"))
        .def_static("event_time", &jm::event_time)
        .def_static("event_name", &jm::event_name)
        .def_static("sequence", [](std::vector<selector> steps, const std::optional<std::string>& within) { return jm::sequence(std::move(steps), length_of(within)); }, py::arg("steps"), py::arg("within"))
        .def_static("from_json", [](const std::string& json) { return expression::from_json(json); }, py::arg("json"))
        .def("text", &expression::to_text)
        .def("json", &expression::to_json)
        .def("equals", &expression::equals, py::arg("other"))
        .def("may_be_condition", &may_be_condition)
        .def("operate", [](const expression& a, const std::string& name, const expression& b) { return operate(name, a, b); }, py::arg("name"), py::arg("other"))
        .def("between", [](const expression& x, const expression& a, const expression& b) { return jm::between(x, a, b); }, py::arg("low"), py::arg("high"))
        .def("not_", [](const expression& x) { return !x; })
        .def("minus", [](const expression& x) { return -x; })
        .def("exists", [](const expression& x) { return jm::exists(x); })
        .def("missing", [](const expression& x) { return jm::missing(x); });

    m.def("_length_microseconds", [](const std::string& text) {
        const auto d = length_of(text);
        if (!d.is_fixed() || !d.is_positive()) throw jm::error{"input.duration", "", "\"" + text + "\" is no fixed length; write 1d, 7d or 1h"};
        return d.fixed.count();
    }, py::arg("text"));
    m.def("_is_duration", [](const std::string& text) { jm::length d; return jm::parse_length(text, d); }, py::arg("text"));

    py::class_<selector>(m, "_Selector")
        .def_static("parse", &selector::parse, py::arg("text"))
        // As an aggregate reads it: the last part of a bare name with dots is a property.
        .def_static("parse_property", [](const std::string& text) { return selector{expression::parse("last(" + text + ")")->selectors.at(0)}; }, py::arg("text"))
        .def_static("event", &jm::event, py::arg("name"))
        .def_static("any", &jm::any_event)
        .def_static("from_json", [](const std::string& json) { return selector::from_json(json); }, py::arg("json"))
        .def("text", &selector::to_text)
        .def("json", &selector::to_json)
        .def("equals", &selector::equals, py::arg("other"))
        .def("property", &selector::property, py::arg("name"))
        .def("where", &selector::where, py::arg("p"))
        .def("without", [](const selector& s, const selector& other, const std::string& on, const std::optional<std::string>& within) { return s.without(other, on, length_of(within)); }, py::arg("other"), py::arg("on"), py::arg("within"))
        .def("last", [](const selector& s, const std::string& d) { return s.last(length_of(d)); }, py::arg("duration"))
        .def("since", &selector::since, py::arg("start"))
        .def("before", &selector::before, py::arg("end"))
        .def("between", &selector::between, py::arg("start"), py::arg("end"))
        .def("this", [](const selector& s, const std::string& u) { return s.this_(unit_of(u)); }, py::arg("unit"))
        .def("previous", [](const selector& s, const std::string& u) { return s.previous(unit_of(u)); }, py::arg("unit"))
        .def("since_entry", &selector::since_entry)
        .def("since_step", &selector::since_step, py::arg("step"))
        .def("fold", &fold, py::arg("aggregate"), py::arg("property"));
}
