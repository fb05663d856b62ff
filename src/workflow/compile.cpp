// From definitions to a program: names to numbers, predicates through the compiler, versions.

#include <algorithm>
#include <set>

#include "journeyman/core/hash.hpp"
#include "journeyman/workflow/compiled.hpp"
#include "predicate/walk.hpp"
#include "workflow/calendar.hpp"
#include "workflow/definition.hpp"
#include "workflow/keeping.hpp"

namespace journeyman {
namespace {

std::string hex(std::uint64_t x) {
    std::string digits(16, '0');
    for (std::size_t k = 16; k-- > 0; x >>= 4) digits[k] = "0123456789abcdef"[x & 15];
    return digits;
}

expression segment_predicate(const std::string& name) { return call(function::segment, {expression{name}}); }

/// Segments that an expression names, and those that they name.
class segment_references {
public:
    explicit segment_references(const compile_context& c) : context_{c} {}
    template <class Tree> void add(const Tree& tree) {
        detail::each_named_segment(tree, [&](const std::string& name) { add_segment(name); });
    }
    void add_segment(const std::string& name) {
        const auto it = context_.segments.find(name);
        if (it != context_.segments.end() && names_.insert(name).second) add(it->second);
    }
    void write(definition_writer& to) const {
        for (const auto& n : names_) to.put(std::string_view{n}).put(context_.segments.find(n)->second);
    }

private:
    const compile_context& context_;
    std::set<std::string> names_;
};

class compilation {
public:
    compilation(const workflow_definitions& d, compiler& c, problems& out) : defs_{d}, compiler_{c}, problems_{out} {}

    std::shared_ptr<const workflow_program> run() {
        if (!defs_.policies.quiet.empty() || std::any_of(defs_.policies.caps.begin(), defs_.policies.caps.end(), [](const cap& c) { return c.per.index() == 1; })) compiler_.use_local_time();
        policies();
        for (const auto& w : defs_.workflows) workflow_of(w);
        std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
            const auto& x = defs_.workflows[a];
            const auto& y = defs_.workflows[b];
            return x.priority_ != y.priority_ ? x.priority_ > y.priority_ : x.name < y.name;
        });
        for (const auto k : order_) out_.workflows.push_back(std::move(compiled_[k]));
        out_.predicates = compiler_.finish();
        name_started();
        listen();
        out_.known = compiler_.known();
        out_.keeps = keeping_of(out_);
        out_.keeps_changes = keeps_changes_of(*out_.predicates);
        return std::make_shared<const workflow_program>(std::move(out_));
    }

private:
    void problem(std::string code, std::string place, std::string message) { problems_.add({std::move(code), std::move(place), std::move(message), severity::error}); }
    node_id predicate_of(const expression& e, const std::string& place) { return e.empty() ? none : compiler_.add_predicate(e, place); }

    std::uint32_t channel(const std::string& name) {
        const auto it = std::find(out_.channels.begin(), out_.channels.end(), name);
        if (it != out_.channels.end()) return static_cast<std::uint32_t>(it - out_.channels.begin());
        out_.channels.push_back(name);
        return static_cast<std::uint32_t>(out_.channels.size() - 1);
    }

    void policies() {
        const auto& p = defs_.policies;
        for (const auto& [name, e] : p.consent) consent_.emplace_back(name, predicate_of(e, "policies.consent." + name));
        out_.holdout = predicate_of(p.holdout, "policies.holdout");
        for (std::size_t k = 0; k < p.quiet.size(); ++k) {
            const auto& q = p.quiet[k];
            compiled_quiet c{q.from, q.to, q.channel.empty() ? none : channel(q.channel)};
            if (!q.on.empty()) c.days = 0;
            for (const auto d : q.on) c.days = static_cast<std::uint8_t>(c.days | (1U << (d.iso_encoding() - 1)));
            out_.quiet.push_back(c);
        }
        for (std::size_t k = 0; k < p.caps.size(); ++k) {
            const auto& c = p.caps[k];
            const auto place = "policies.caps." + std::to_string(k);
            if (c.at_most < 0) problem("workflow.value", place + ".at_most", "a cap needs a number that is not negative");
            if (const auto* l = std::get_if<length>(&c.per); l != nullptr && !l->is_positive()) problem("workflow.value", place + ".per", "a cap needs a positive length, such as `7d`");
            out_.caps.push_back({c.channel.empty() ? none : channel(c.channel), c.at_most, c.per, c.defer});
        }
    }
    compiled_channel channel_of(const std::string& name, const send_step& s) {
        compiled_channel c{channel(name), {}};
        const auto ask = [&](const std::string& policy) {
            for (const auto& [n, node] : consent_) if (n == policy) c.consent.push_back(node);
        };
        if (s.transactional) ask(name + ".transactional");
        else {
            ask(name);
            if (!s.topic.empty()) ask(name + "." + s.topic);
        }
        return c;
    }
    std::vector<compiled_channel> channels_of(const std::vector<std::string>& names, const send_step& s) {
        std::vector<compiled_channel> out;
        for (const auto& n : names) out.push_back(channel_of(n, s));
        return out;
    }

    void workflow_of(const workflow& w) {
        const std::string place = "workflows." + w.name;
        compiled_workflow c;
        c.name = w.name;
        c.reentry = w.reentry;
        names_.clear();
        for (const auto& [name, _] : w.steps) names_.push_back(name);
        workflow_scope scope{names_, {}};

        std::optional<selector_data> trigger;
        if (const auto* e = std::get_if<event_trigger>(&w.trigger)) trigger = e->selector.data();
        else if (std::holds_alternative<hand_trigger>(w.trigger)) trigger = event("$enter").where(prop("workflow") == expression{w.name}).data();
        if (trigger && !trigger->prefix) scope.trigger_events.push_back(trigger->event);
        c.trigger = trigger_of(w.trigger, trigger, place + ".trigger");
        if (w.reentry.kind == reentry_rule::each) {
            c.each = compiler_.add_property(w.reentry.each_property);
            each_of(w, trigger, place);
        }
        if (w.reentry.kind == reentry_rule::after && !w.reentry.after_length.is_positive()) problem("workflow.value", place + ".reentry", "`after` needs a positive length, such as `90d`");

        compiler_.enter(scope);
        c.audience = predicate_of(w.audience_, place + ".audience");
        c.goal = predicate_of(w.goal_, place + ".goal");
        c.exit = predicate_of(w.exit_, place + ".exit");
        c.first = target(w.first);
        for (const auto& [name, s] : w.steps) c.steps.push_back(step_of(name, s, place + ".steps." + name));
        compiler_.leave();

        segment_references refers{defs_.context};
        for (const auto& e : {w.audience_, w.goal_, w.exit_, defs_.policies.holdout}) refers.add(e);
        for (const auto& [_, e] : defs_.policies.consent) refers.add(e);
        if (trigger) refers.add(*trigger);
        if (const auto* e = std::get_if<enters_trigger>(&w.trigger)) refers.add_segment(e->segment);
        if (const auto* e = std::get_if<leaves_trigger>(&w.trigger)) refers.add_segment(e->segment);
        for (const auto& [_, s] : w.steps) refers_of(s, refers);
        definition_writer definition;
        definition.put(w).put(defs_.policies).put(std::string_view{defs_.context.zone->name()}).put(std::int64_t{defs_.context.weeks == week_start::sunday});
        refers.write(definition);
        c.version = hex(stable_hash{}.add(definition.text()).value());

        order_.push_back(compiled_.size());
        compiled_.push_back(std::move(c));
    }
    /// With re-entry `each`: events that are known not to have the property.
    void each_of(const workflow& w, const std::optional<selector_data>& trigger, const std::string& place) {
        const auto& property = w.reentry.each_property;
        const auto warn = [&](const std::string& at, std::string message) { problems_.add({"workflow.reentry", place + at, std::move(message), severity::warning}); };
        const auto lacks = [&](const selector_data& e) {
            const auto& events = compiler_.known().events;
            const auto it = events.find(e.event);
            return !e.prefix && it != events.end() && !it->second.empty() && !it->second.contains(property);
        };
        if (!trigger) warn(".reentry.each", "this trigger has no event whose \"" + property + "\" could be looked at, so no journey begins unless another workflow starts it; say `after_exit`, or trigger by an event");
        else if (lacks(*trigger)) warn(".reentry.each", "no event \"" + trigger->event + "\" has a property \"" + property + "\", so no journey begins; name one that it has");
        for (const auto& [name, s] : w.steps)
            if (const auto* f = std::get_if<wait_for_step>(&s.kind()))
                for (const auto& o : f->outcomes)
                    if (o.event && lacks(o.event->data()))
                        warn(".steps." + name + ".wait_for", "no event \"" + o.event->data().event + "\" has a property \"" + property + "\", and only one with the value of the journey ends this wait (re-entry `each`); await `{when: did(…, since entry)}`, or another re-entry");
    }
    void refers_of(const step& s, segment_references& refers) {
        const auto all = [&](const payload& p) { for (const auto& [_, e] : p) refers.add(e); };
        if (const auto* x = std::get_if<send_step>(&s.kind())) {
            all(x->with);
            if (x->preferred) for (const auto& [name, channels] : defs_.segments) if (!channels.empty()) refers.add_segment(name);
        } else if (const auto* f = std::get_if<wait_for_step>(&s.kind())) {
            for (const auto& o : f->outcomes) {
                refers.add(o.when);
                if (o.event) refers.add(o.event->data());
            }
        } else if (const auto* b = std::get_if<branch_step>(&s.kind())) {
            for (const auto& [p, _] : b->choices) refers.add(p);
        } else if (const auto* t = std::get_if<task_step>(&s.kind())) all(t->with);
        else if (const auto* h = std::get_if<webhook_step>(&s.kind())) all(h->with);
        else if (const auto* v = std::get_if<set_step>(&s.kind())) all(v->attributes);
        else if (const auto* m = std::get_if<emit_step>(&s.kind())) all(m->properties);
    }

    /// Unknown names are found by the check of the graph.
    std::uint32_t target(const std::string& name) const {
        const auto it = std::find(names_.begin(), names_.end(), name);
        return name.empty() || it == names_.end() ? none : static_cast<std::uint32_t>(it - names_.begin());
    }
    void with_of(compiled_step& c, const payload& p, const std::string& place) {
        for (const auto& [name, e] : p) c.with.emplace_back(name, e.empty() ? none : compiler_.add_expression(e, place + ".with." + name));
    }
    static bool negative(const std::optional<length>& d) { return d && (d->months < 0 || d->fixed.count() < 0); }

    compiled_step step_of(const std::string& name, const step& s, const std::string& place) {
        compiled_step c;
        c.name = name;
        c.phase = s.phase_name;
        c.kind = s.kind();
        c.next = target(s.next_step);
        if (const auto* x = std::get_if<send_step>(&s.kind())) {
            c.transactional = x->transactional;
            if (x->preferred) {
                for (const auto& [segment, channels] : defs_.segments)
                    if (!channels.empty()) c.preferred.emplace_back(compiler_.add_predicate(segment_predicate(segment), place + ".send"), channels_of(channels, *x));
                if (c.preferred.empty()) problem("workflow.channel", place + ".send", "no segment has channels to prefer; give one `channels`, or name the channel here");
            } else {
                if (x->channels.empty()) problem("workflow.channel", place + ".send", "a send needs a channel, a list of channels, or `preferred`");
                c.channels = channels_of(x->channels, *x);
            }
            with_of(c, x->with, place);
        } else if (const auto* t = std::get_if<wait_step>(&s.kind())) {
            c.span = t->duration;
            if (negative(t->duration)) problem("workflow.value", place + ".wait", "a wait cannot be negative");
            if (!t->duration) {
                c.local = true;
                compiler_.use_local_time();
                if (!t->date.empty()) c.date = date_of(t->date, t->offset, t->until, false, place + ".wait");
            }
        } else if (const auto* f = std::get_if<wait_for_step>(&s.kind())) {
            c.span = f->timeout;
            if (negative(f->timeout)) problem("workflow.value", place + ".timeout", "a timeout cannot be negative");
            c.otherwise = target(f->otherwise);
            if (f->outcomes.empty()) problem("workflow.outcome", place + ".wait_for", "a wait_for needs an event or a predicate to wait for");
            for (std::size_t k = 0; k < f->outcomes.size(); ++k) {
                const auto& o = f->outcomes[k];
                const auto at = place + ".wait_for" + (f->single ? std::string{} : "." + std::to_string(k));
                compiled_outcome out{none, none, target(o.then)};
                if (o.event) {
                    out.plain = is_plain(o.event->data());
                    out.event = compiler_.add_selector(o.event->data(), at);
                } else if (o.when.empty()) problem("workflow.outcome", at, "an outcome needs an event or a predicate");
                else out.when = compiler_.add_predicate(o.when, at);
                c.outcomes.push_back(out);
            }
        } else if (const auto* b = std::get_if<branch_step>(&s.kind())) {
            c.otherwise = target(b->otherwise);
            for (std::size_t k = 0; k < b->choices.size(); ++k)
                c.outcomes.push_back({none, predicate_of(b->choices[k].first, place + ".branch." + std::to_string(k) + ".if"), target(b->choices[k].second)});
        } else if (const auto* p = std::get_if<split_step>(&s.kind())) {
            compiler_.use_id();
            double total = 0;
            for (std::size_t k = 0; k < p->choices.size(); ++k) {
                if (!(p->choices[k].first >= 0) || p->choices[k].first > 1e300) problem("workflow.value", place + ".split." + std::to_string(k) + ".weight", "a weight is a number that is not negative");
                total += p->choices[k].first;
            }
            if (!(total > 0)) problem("workflow.value", place + ".split", "a split needs at least one weight above 0");
            double so_far = 0;
            for (const auto& [weight, then] : p->choices) {
                so_far += weight;
                c.shares.emplace_back(so_far / total, target(then));
            }
            if (!c.shares.empty()) c.shares.back().first = 1;
        } else if (const auto* k = std::get_if<task_step>(&s.kind())) {
            c.span = k->due;
            with_of(c, k->with, place);
        } else if (const auto* h = std::get_if<webhook_step>(&s.kind())) {
            with_of(c, h->with, place);
        } else if (const auto* v = std::get_if<set_step>(&s.kind())) {
            set_of(c, *v, place);
        } else if (const auto* m = std::get_if<emit_step>(&s.kind())) {
            emit_of(c, *m, place);
        }
        return c;
    }

    // ---- triggers and dates
    static bool is_plain(const selector_data& s) { return !s.without && s.window.kind == window_kind::all; }

    compiled_trigger trigger_of(const trigger_kind& kind, const std::optional<selector_data>& event, const std::string& place) {
        compiled_trigger c;
        if (event) {
            c.plain = is_plain(*event);
            c.selector = compiler_.add_selector(*event, place + ".event");
        } else if (const auto* in = std::get_if<enters_trigger>(&kind)) {
            c.kind = compiled_trigger::enters;
            c.segment = compiler_.add_predicate(segment_predicate(in->segment), place + ".enters");
        } else if (const auto* out = std::get_if<leaves_trigger>(&kind)) {
            c.kind = compiled_trigger::leaves;
            c.segment = compiler_.add_predicate(segment_predicate(out->segment), place + ".leaves");
        } else if (const auto* d = std::get_if<date_trigger>(&kind)) {
            c.kind = compiled_trigger::date;
            compiler_.use_local_time();
            c.when = date_of(d->date, d->offset, d->at, d->yearly, place);
            if (d->date.starts_with("trigger.")) problem("workflow.value", place + ".date", "nothing was triggered yet; name an attribute of the contact");
        } else if (const auto* s = std::get_if<schedule_trigger>(&kind)) {
            c.kind = compiled_trigger::schedule;
            try {
                c.times = make_schedule(s->rule, s->from, defs_.context.zone);
            } catch (const error& e) {
                problem(e.code(), place + "." + (e.place().empty() ? "schedule" : e.place()), e.message());
            }
        }
        return c;
    }

    compiled_date date_of(const std::string& name, const std::optional<date_offset>& offset, const std::optional<time_of_day>& at, bool yearly, const std::string& place) {
        constexpr std::int64_t longest = 1000;                 // years
        if (const auto by = offset.value_or(date_offset{}).whole(); std::abs(by.months) > 12 * longest || std::abs(by.fixed.count()) > 366 * longest * 86'400'000'000) problem("workflow.value", place + ".offset", "an offset is at most a thousand years");
        compiled_date c{none, offset, at, yearly};
        c.value = compiler_.add_expression(name.starts_with("trigger.") ? trigger(name.substr(8)) : attr(name), place + ".date");
        const auto t = compiler_.type_of(c.value);
        if (t != value_type::day && t != value_type::instant && t != value_type::missing) problem("type.mismatch", place + ".date", "\"" + name + "\" is " + std::string{to_string(t)} + ", not a day or an instant; declare it under `types` if its texts are dates");
        return c;
    }

    // ---- what steps cause
    void set_of(compiled_step& c, const set_step& s, const std::string& place) {
        if (s.attributes.empty()) problem("workflow.value", place + ".set", "`set` needs an attribute and its value, such as {stage: customer}");
        for (const auto& [written, e] : s.attributes) {
            const auto at = place + ".set." + written;
            if (written.starts_with("account.")) {
                problem("workflow.value", at, "a journey is one contact's, and an account has several; set an attribute of the contact");
                continue;
            }
            const auto name = written.starts_with("contact.") ? written.substr(8) : written;
            const auto& known = compiler_.known().contact;
            const auto it = known.find(name);
            const auto type = it == known.end() ? value_type::missing : it->second;
            c.with.emplace_back(name, e.empty() ? none : compiler_.add_expression(e, at, type));
            c.slots.push_back(compiler_.add_attribute(false, name, type));
        }
    }
    void emit_of(compiled_step& c, const emit_step& s, const std::string& place) {
        if (s.event.empty() || s.event.starts_with('$')) problem("workflow.value", place + ".emit", "an event needs a name that does not begin with `$`");
        c.target = compiler_.add_stream(s.event);
        const auto known = compiler_.known().events.find(s.event);
        for (const auto& [name, e] : s.properties) {
            auto type = value_type::missing;
            if (known != compiler_.known().events.end())
                if (const auto it = known->second.find(name); it != known->second.end()) type = it->second;
            c.with.emplace_back(name, e.empty() ? none : compiler_.add_expression(e, place + ".properties." + name, type));
            c.slots.push_back(compiler_.add_property(name));
        }
    }
    /// Workflows have their numbers only now.
    void name_started() {
        for (auto& w : out_.workflows)
            for (auto& s : w.steps)
                if (const auto* t = std::get_if<start_step>(&s.kind))
                    for (std::uint32_t k = 0; k < out_.workflows.size(); ++k)
                        if (out_.workflows[k].name == t->workflow) s.target = k;
    }

    static heard_slots heard(const reads& r) {
        heard_slots out;
        for (std::uint32_t s = 0; s < r.streams.size(); ++s) if (r.stream(s)) out.streams |= heard_slots::bit(s);
        for (std::uint32_t a = 0; a < r.attributes.size(); ++a) if (r.attribute(a)) out.attributes |= heard_slots::bit(a);
        return out;
    }
    /// Who looks at what.
    void listen() {
        const auto& p = *out_.predicates;
        out_.by_stream.resize(p.streams.size());
        out_.by_attribute.resize(p.attributes.size());
        for (const auto& s : p.selectors) out_.keeps_steps = out_.keeps_steps || s.window.kind == window_kind::since_step;
        for (std::uint32_t k = 0; k < out_.workflows.size(); ++k) {
            auto& w = out_.workflows[k];
            auto& t = w.trigger;
            if (t.kind == compiled_trigger::event && t.selector != none)
                for (const auto s : p.selectors[t.selector].streams) t.listens.add_stream(s);
            add_reads_of_node(p, t.segment, t.listens);
            add_reads_of_node(p, t.when.value, t.listens);
            if (t.kind == compiled_trigger::date) add_reads_of_zone(p, t.listens);
            for (std::uint32_t s = 0; s < t.listens.streams.size(); ++s) if (t.listens.stream(s)) out_.by_stream[s].push_back(k);
            for (std::uint32_t a = 0; a < t.listens.attributes.size(); ++a) if (t.listens.attribute(a)) out_.by_attribute[a].push_back(k);
            if (t.timed()) out_.timed.push_back(k);
            out_.wakes.add(heard(t.listens));

            reads always;
            add_reads_of_node(p, w.goal, always);
            add_reads_of_node(p, w.exit, always);
            for (auto& s : w.steps) {
                s.listens = always;
                if (std::holds_alternative<wait_for_step>(s.kind))
                    for (const auto& o : s.outcomes) {
                        add_reads_of_node(p, o.when, s.listens);
                        add_reads_of_selector(p, o.event, s.listens);
                    }
                add_reads_of_node(p, s.date.value, s.listens);
                if (s.local) add_reads_of_zone(p, s.listens);
                s.hears = heard(s.listens);
            }
        }
    }

    const workflow_definitions& defs_;
    compiler& compiler_;
    problems& problems_;
    workflow_program out_;
    std::vector<std::pair<std::string, node_id>> consent_;
    std::vector<std::string> names_;
    std::vector<compiled_workflow> compiled_;
    std::vector<std::size_t> order_;
};

}  // namespace

workflow_program_ptr compile_workflows(const workflow_definitions& d, compiler& c, problems& out) { return compilation{d, c, out}.run(); }

std::string_view template_of(const compiled_step& s) {
    if (const auto* x = std::get_if<send_step>(&s.kind)) return x->channel_template;
    if (const auto* t = std::get_if<task_step>(&s.kind)) return t->text;
    if (const auto* w = std::get_if<webhook_step>(&s.kind)) return w->url;
    return {};
}

std::string action_key(const compiled_workflow& w, std::string_view contact, std::uint32_t journey, const compiled_step& s) {
    const auto all = stable_hash{}.add(w.name).add(w.version).add(contact).add(std::uint64_t{journey}).add(s.name);
    const auto half = [&](std::uint64_t which) { return stable_hash{all}.add(which).value(); };
    return hex(half(0)) + hex(half(1));
}

}  // namespace journeyman
