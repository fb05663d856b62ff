#include "playbook/schema.hpp"

#include "journeyman/workflow/compiled.hpp"
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
        problems said_by_the_check;
        const auto rules = read_funnel_rules(x.rules, x.steps.size(), {}, said_by_the_check);
        for (const auto* e : {&rules.where, &rules.audience}) each_node(*e, f);
        for (const auto& one : rules.exclusions) each_node(one.event.data(), f);
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
    for (const auto& r : p.report) {
        problems said_by_the_check;
        for (const auto& asked : reported_by(p, r, {}, said_by_the_check)) each_node(asked.what, f);
    }
}

void mention(const selector_data& s, schema& known) {
    if (s.without) mention(*s.without, known);
    if (s.prefix) return;
    auto& properties = known.events[s.event];
    if (!s.property.empty()) properties.emplace(s.property, value_type::missing);
    each_node(s.where, [&](const node& n) {
        if (n.kind == node_kind::property) properties.emplace(n.name, value_type::missing);
    });
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
    add_made(p.workflows, context, known);
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

schema schema_of_workflows(const playbook& p, problems& out) {
    schema known;
    for (const auto& [name, type] : p.types) {
        try {
            known.declare(name, type);
        } catch (const error& e) {
            out.add({e.code(), "types." + name, e.message(), severity::error});
        }
    }
    const auto look = [&](const node& n) {
        if (n.kind == node_kind::attribute) known.contact.emplace(n.name, value_type::missing);
        if (n.kind == node_kind::account_attribute) known.account.emplace(n.name, value_type::missing);
        for (const auto& s : n.selectors) mention(s, known);
    };
    each_node(p, look);
    for (const auto& w : p.workflows) {
        const auto* trigger = std::get_if<event_trigger>(&w.trigger);
        if (trigger != nullptr) mention(trigger->selector.data(), known);
        const auto dated = [&](const std::string& name) {
            if (!name.empty() && !name.starts_with("trigger.")) known.contact.emplace(name.starts_with("contact.") ? name.substr(8) : name, value_type::missing);
        };
        if (const auto* d = std::get_if<date_trigger>(&w.trigger)) dated(d->date);
        const auto of_trigger = [&](const node& n) {
            if (n.kind == node_kind::trigger_property && trigger != nullptr && !trigger->selector.data().prefix) known.events[trigger->selector.data().event].emplace(n.name, value_type::missing);
        };
        for (const auto* e : {&w.goal_, &w.exit_, &w.audience_}) each_node(*e, of_trigger);
        for (const auto& [name, s] : w.steps) {
            each_node(s, of_trigger);
            if (const auto* x = std::get_if<wait_step>(&s.kind())) dated(x->date);
            if (const auto* x = std::get_if<wait_for_step>(&s.kind()))
                for (const auto& o : x->outcomes) if (o.event) mention(o.event->data(), known);
        }
    }
    return schema_of(p, std::move(known), out);
}

}  // namespace journeyman::detail
