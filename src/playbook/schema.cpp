#include "playbook/schema.hpp"

#include "predicate/walk.hpp"

namespace journeyman::detail {
namespace {

using detail::each_node;

template <class F> void each_node(const payload& p, const F& f) {
    for (const auto& [name, e] : p) each_node(e, f);
}

template <class F> void each_node(const step& s, const F& f) {
    const auto& kind = s.kind();
    if (const auto* x = std::get_if<send_step>(&kind)) each_node(x->with, f);
    if (const auto* x = std::get_if<set_step>(&kind)) each_node(x->attributes, f);
    if (const auto* x = std::get_if<emit_step>(&kind)) each_node(x->properties, f);
    if (const auto* x = std::get_if<task_step>(&kind)) each_node(x->with, f);
    if (const auto* x = std::get_if<webhook_step>(&kind)) each_node(x->with, f);
    if (const auto* x = std::get_if<branch_step>(&kind))
        for (const auto& [when, then] : x->choices) each_node(when, f);
    if (const auto* x = std::get_if<wait_for_step>(&kind))
        for (const auto& o : x->outcomes) {
            each_node(o.when, f);
            if (o.event) each_node(o.event->data(), f);
        }
}

template <class F> void each_node(const playbook& p, const F& f) {
    for (const auto& s : p.segments) {
        each_node(s.where, f);
        for (const auto& [group, list] : s.collect)
            for (const auto& e : list) each_node(e, f);
    }
    for (const auto& x : p.funnels) {
        for (const auto& s : x.stages) each_node(s.when, f);
        for (const auto& [name, s] : x.steps) each_node(s.data(), f);
    }
    for (const auto& [channel, e] : p.policies.consent) each_node(e, f);
    each_node(p.policies.holdout, f);
    for (const auto& w : p.workflows) {
        for (const auto* e : {&w.audience_, &w.goal_, &w.exit_}) each_node(*e, f);
        if (const auto* t = std::get_if<event_trigger>(&w.trigger)) each_node(t->selector.data(), f);
        for (const auto& [name, s] : w.steps) each_node(s, f);
    }
    for (const auto& k : p.kpis_) {
        each_node(k.value, f);
        for (const auto& e : k.by) {
            const auto* text = e.empty() ? nullptr : std::get_if<std::string>(&e->value);
            if (text == nullptr || e->kind != node_kind::literal) { each_node(e, f); continue; }
            try {
                each_node(expression::parse(*text, bare_names::property), f);
            } catch (const error&) {   // the check of KPIs says what is wrong
            }
        }
    }
    for (const auto& c : p.campaigns) each_node(c.where, f);
    for (const auto& d : p.dimensions) each_node(d.value, f);
}

/// The type of what a workflow hands on; `missing` where it cannot be told.
value_type made_type(const expression& e, const workflow& w, const schema& known, const compile_context& context) {
    if (e.empty()) return value_type::missing;
    if (e->kind == node_kind::literal) return type_of(e->value);
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

schema schema_of(const playbook& p, schema known, problems& out) {
    for (const auto& [name, type] : p.types) {
        try {
            known.declare(name, type);
        } catch (const error& e) {
            out.add({e.code(), "types." + name, e.message(), severity::error});
        }
    }
    compile_context context;
    try {
        context = p.context();
    } catch (const error&) {   // the check says what is wrong with it
    }
    // Constants first, so that expressions can read them.
    for (const bool constants : {true, false})
        for (const auto& w : p.workflows)
            for (const auto& [step_name, s] : w.steps) {
                const auto wanted = [&](const expression& e) { return (e.empty() || e->kind == node_kind::literal) == constants; };
                if (const auto* x = std::get_if<set_step>(&s.kind())) {
                    for (const auto& [written, e] : x->attributes) {
                        if (!wanted(e)) continue;
                        const bool of_account = written.starts_with("account.");
                        const auto name = of_account || written.starts_with("contact.") ? written.substr(8) : written;
                        auto& names = of_account ? known.account : known.contact;
                        const auto type = made_type(e, w, known, context);
                        if (const auto it = names.find(name); it == names.end()) names.emplace(name, type);
                        else if (it->second == value_type::missing) it->second = type;
                    }
                } else if (const auto* emitted = std::get_if<emit_step>(&s.kind())) {
                    auto& properties = known.events[emitted->event];
                    for (const auto& [name, e] : emitted->properties)
                        if (wanted(e)) properties.emplace(name, made_type(e, w, known, context));
                }
            }
    return known;
}

schema schema_of_mentions(const playbook& p, problems& out) {
    schema known;
    for (const auto& [name, type] : p.types) {
        if (!name.starts_with("contact.") && !name.starts_with("account.")) continue;   // without a history no event is known in full
        try {
            known.declare(name, type);
        } catch (const error& e) {
            out.add({e.code(), "types." + name, e.message(), severity::error});
        }
    }
    each_node(p, [&](const node& n) {
        if (n.kind == node_kind::attribute) known.contact.emplace(n.name, value_type::missing);
        if (n.kind == node_kind::account_attribute) known.account.emplace(n.name, value_type::missing);
    });
    return known;
}

}  // namespace journeyman::detail
