// What workflows add to what a history knows: attributes they set, events they emit.

#include "journeyman/workflow/compiled.hpp"

namespace journeyman {
namespace {

/// JSON has no dates: a text of their shape is one, as in records.
value_type type_of_literal(const scalar& s) {
    if (const auto* text = std::get_if<std::string>(&s)) {
        day d;
        parsed_instant i;
        if (parse_day(*text, d)) return value_type::day;
        if (parse_instant(*text, i) && i.had_zone) return value_type::instant;
    }
    return type_of(s);
}

/// `missing` where it cannot be told.
value_type made_type(const expression& e, const workflow& w, const schema& known, const compile_context& context) {
    if (e.empty()) return value_type::missing;
    if (e->kind == node_kind::literal) return type_of_literal(e->value);
    workflow_scope scope;
    for (const auto& [name, s] : w.steps) scope.steps.push_back(name);
    if (const auto* t = std::get_if<event_trigger>(&w.trigger); t != nullptr && !t->selector.data().prefix) scope.trigger_events.push_back(t->selector.data().event);
    compiler c{known, std::make_shared<text_pool>(), context};
    c.enter(std::move(scope));
    const auto n = c.add_expression(e);
    c.leave();
    return n == none ? value_type::missing : c.type_of(n);
}

}  // namespace

void add_made(const std::vector<workflow>& workflows, const compile_context& context, schema& known) {
    const auto add = [](auto& names, const std::string& name, value_type t) {
        const auto [it, fresh] = names.emplace(name, t);
        if (!fresh && it->second == value_type::missing) it->second = t;
    };
    // Constants first, so that expressions can read them.
    for (const bool constants : {true, false})
        for (const auto& w : workflows)
            for (const auto& [_, s] : w.steps) {
                const auto wanted = [&](const expression& e) { return (e.empty() || e->kind == node_kind::literal) == constants; };
                if (const auto* x = std::get_if<set_step>(&s.kind())) {
                    for (const auto& [name, e] : x->attributes)
                        if (wanted(e) && !name.starts_with("account.")) add(known.contact, name.starts_with("contact.") ? name.substr(8) : name, made_type(e, w, known, context));
                } else if (const auto* emitted = std::get_if<emit_step>(&s.kind())) {
                    auto& properties = known.events[emitted->event];
                    for (const auto& [name, e] : emitted->properties)
                        if (wanted(e)) add(properties, name, made_type(e, w, known, context));
                }
            }
}

}  // namespace journeyman
