#include "playbook/document.hpp"

#include <algorithm>
#include <cstdio>

#include "predicate/expression_words.hpp"

namespace journeyman::detail {
namespace {

constexpr std::string_view weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view unit_words[] = {"day", "week", "month", "quarter", "year", "campaign"};

std::string clock(time_of_day t) {
    char out[16];
    std::snprintf(out, sizeof out, "%02d:%02d", t.minutes / 60, t.minutes % 60);
    return out;
}

void put(document& to, const char* key, const std::string& text) {
    if (!text.empty()) to[key] = text;
}
void put(document& to, const char* key, const expression& e) {
    if (!e.empty()) to[key] = e.to_text();
}
void put(document& to, const char* key, const std::optional<length>& l) {
    if (l) to[key] = to_text(*l);
}
void put(document& to, const char* key, const std::optional<date_offset>& o) {
    if (o) to[key] = to_text(*o);
}
document days(const std::vector<std::chrono::weekday>& on) {
    document out = document::array();
    for (const auto d : on) out.push_back(std::string{weekday_words[d.c_encoding() % 7]});
    return out;
}

/// A whole number stays one, so that a file says 60 and not 60.0.
document number(double x) {
    if (x == static_cast<double>(static_cast<std::int64_t>(x)) && x < 1e15 && x > -1e15) return static_cast<std::int64_t>(x);
    return x;
}

/// The value of a rule, as written.
document data_document(const data& d) {
    if (const auto* list = std::get_if<data_list>(&d.is)) {
        document out = document::array();
        for (const auto& item : *list) out.push_back(data_document(item));
        return out;
    }
    if (const auto* mapping = std::get_if<data_mapping>(&d.is)) {
        document out = document::object();
        for (const auto& [key, value] : *mapping) out[key] = data_document(value);
        return out;
    }
    return scalar_document(std::get<scalar>(d.is));
}
bool is_constant(const expression& e) {
    return e->kind == node_kind::literal && !std::holds_alternative<length>(e->value);
}
document value_of(const expression& e) {
    if (e.empty()) return nullptr;
    if (is_constant(e)) return scalar_document(e->value);
    if (e->kind == node_kind::list && std::all_of(e->args.begin(), e->args.end(), is_constant)) {
        document out = document::array();
        for (const auto& item : e->args) out.push_back(scalar_document(item->value));
        return out;
    }
    return {{"expr", e.to_text()}};
}
document values_of(const payload& p) {
    document out = document::object();
    for (const auto& [name, e] : p) out[name] = value_of(e);
    return out;
}
void put(document& to, const char* key, const payload& p) {
    if (!p.empty()) to[key] = values_of(p);
}

document segment_of(const segment& s) {
    document out = document::object();
    put(out, "title", s.title);
    put(out, "where", s.where);
    for (const auto& [group, expressions] : s.collect) {
        auto& list = out["collect"][group] = document::array();
        for (const auto& e : expressions) list.push_back(e.to_text());
    }
    if (!s.channels.empty()) out["channels"] = s.channels;
    put(out, "funnel", s.funnel);
    return out;
}

document funnel_of(const funnel& f) {
    document out = document::object();
    for (const auto& s : f.stages) out["stages"].push_back({{"name", s.name}, {"when", s.when.to_text()}});
    for (const auto& [name, event] : f.steps) out["steps"].push_back({{"name", name}, {"event", event.to_text()}});
    put(out, "within", f.within);
    for (const auto& [rule, value] : f.rules) out[rule] = data_document(value);
    return out;
}

document policies_of(const policies& p) {
    document out = document::object();
    document quiet = document::array();
    for (const auto& q : p.quiet) {
        document one{{"from", clock(q.from)}, {"to", clock(q.to)}};
        put(one, "channel", q.channel);
        if (!q.on.empty()) one["on"] = days(q.on);
        quiet.push_back(std::move(one));
    }
    if (quiet.size() == 1) out["quiet_hours"] = quiet[0];
    else if (!quiet.empty()) out["quiet_hours"] = std::move(quiet);
    for (const auto& [channel, when] : p.consent) out["consent"][channel] = when.to_text();
    put(out, "holdout", p.holdout);
    for (const auto& c : p.caps) {
        document one = document::object();
        put(one, "channel", c.channel);
        one["at_most"] = c.at_most;
        if (const auto* unit = std::get_if<calendar_unit>(&c.per)) one["per"] = std::string{unit_words[static_cast<std::size_t>(*unit)]};
        else one["per"] = to_text(std::get<length>(c.per));
        if (c.defer) one["when_full"] = "defer";
        out["caps"].push_back(std::move(one));
    }
    return out;
}

// ---- workflows

document kind_of(const send_step& s) {
    document out = document::object();
    if (s.preferred) out["send"] = "preferred";
    else if (s.channels.size() == 1 && s.channels[0] != "preferred") out["send"] = s.channels[0];
    else out["send"] = s.channels;
    put(out, "template", s.channel_template);
    put(out, "topic", s.topic);
    if (s.transactional) out["transactional"] = true;
    put(out, "with", s.with);
    return out;
}
document kind_of(const wait_step& w) {
    if (w.duration) return {{"wait", to_text(*w.duration)}};
    document how = document::object();
    put(how, "date", w.date);
    put(how, "offset", w.offset);
    if (w.until) how[w.date.empty() ? "until" : "at"] = clock(*w.until);
    if (!w.on.empty()) how["on"] = days(w.on);
    if (w.days) how["days"] = *w.days;
    return {{"wait", std::move(how)}};
}
document kind_of(const wait_for_step& w) {
    const auto awaited = [](const wait_outcome& o) {
        document one = document::object();
        if (o.event) one["event"] = o.event->to_text();
        put(one, "when", o.when);
        return one;
    };
    document out = document::object();
    if (w.single && w.outcomes.size() == 1) {
        const auto& o = w.outcomes[0];
        out["wait_for"] = o.event ? document(o.event->to_text()) : awaited(o);
    } else {
        document list = document::array();
        for (const auto& o : w.outcomes) {
            auto one = awaited(o);
            put(one, "then", o.then);
            list.push_back(std::move(one));
        }
        out["wait_for"] = std::move(list);
    }
    put(out, "timeout", w.timeout);
    if (w.single && w.outcomes.size() == 1) put(out, "then", w.outcomes[0].then);
    put(out, "else", w.otherwise);
    return out;
}
/// `then` of a choice is always there; the end is written out.
std::string then_of(const std::string& s) { return s.empty() ? "end" : s; }
document kind_of(const branch_step& b) {
    document list = document::array();
    for (const auto& [when, then] : b.choices) list.push_back({{"if", when.to_text()}, {"then", then_of(then)}});
    document out{{"branch", std::move(list)}};
    put(out, "else", b.otherwise);
    return out;
}
document kind_of(const split_step& p) {
    document list = document::array();
    for (const auto& [weight, then] : p.choices) list.push_back({{"weight", number(weight)}, {"then", then_of(then)}});
    return {{"split", std::move(list)}};
}
document kind_of(const set_step& s) { return {{"set", values_of(s.attributes)}}; }
document kind_of(const emit_step& e) {
    document out{{"emit", e.event}};
    put(out, "properties", e.properties);
    return out;
}
document kind_of(const task_step& t) {
    document out{{"task", t.text}};
    put(out, "owner", t.owner);
    put(out, "due", t.due);
    put(out, "with", t.with);
    return out;
}
document kind_of(const webhook_step& w) {
    document out{{"webhook", w.url}};
    put(out, "with", w.with);
    return out;
}
document kind_of(const start_step& s) { return {{"start", s.workflow}}; }
document kind_of(const exit_step&) { return {{"exit", true}}; }

document step_of(const step& s) {
    document out = document::object();
    put(out, "title", s.title);
    out.update(std::visit([](const auto& k) { return kind_of(k); }, s.kind()));
    put(out, "phase", s.phase_name);
    put(out, "next", s.next_step);
    return out;
}

document trigger_of(const trigger_kind& t) {
    if (const auto* e = std::get_if<event_trigger>(&t)) return {{"event", e->selector.to_text()}};
    if (const auto* e = std::get_if<enters_trigger>(&t)) return {{"enters", e->segment}};
    if (const auto* l = std::get_if<leaves_trigger>(&t)) return {{"leaves", l->segment}};
    if (const auto* s = std::get_if<schedule_trigger>(&t)) return {{"schedule", s->rule}, {"from", s->from}};
    if (const auto* d = std::get_if<date_trigger>(&t)) {
        document out{{"date", d->date}};
        put(out, "offset", d->offset);
        if (d->at) out["at"] = clock(*d->at);
        if (d->yearly) out["every"] = "year";
        return out;
    }
    return "hand";
}

document workflow_of(const workflow& w) {
    document out = document::object();
    put(out, "title", w.title);
    put(out, "audience", w.audience_);
    out["trigger"] = trigger_of(w.trigger);
    switch (w.reentry.kind) {
        case reentry_rule::once: break;
        case reentry_rule::after_exit: out["reentry"] = "after_exit"; break;
        case reentry_rule::after: out["reentry"] = {{"after", to_text(w.reentry.after_length)}}; break;
        case reentry_rule::each: out["reentry"] = {{"each", w.reentry.each_property}}; break;
    }
    put(out, "goal", w.goal_);
    put(out, "exit", w.exit_);
    if (w.priority_ != 0) out["priority"] = w.priority_;
    put(out, "first", w.first);
    auto& steps = out["steps"] = document::object();
    for (const auto& [name, s] : w.steps) steps[name] = step_of(s);
    return out;
}

// ---- KPIs

document dimension_text(const expression& e) {
    if (const auto* text = std::get_if<std::string>(&e->value); e->kind == node_kind::literal && text != nullptr) return *text;
    if (e->kind == node_kind::property) return "prop(" + detail::quoted(e->name) + ")";
    return text_about_event(e);
}

document kpi_of(const kpi& k) {
    document out = document::object();
    put(out, "title", k.title);
    put(out, "value", k.value);
    put(out, "unit", k.unit);
    if (k.proportion) out["kind"] = "proportion";
    put(out, "scope", k.scope);
    if (k.period) out["every"] = std::string{unit_words[static_cast<std::size_t>(*k.period)]};
    if (k.direction) out["direction"] = *k.direction == kpi_direction::up ? "up" : "down";
    if (const auto* t = std::get_if<double>(&k.target)) out["target"] = number(*t);
    if (const auto* t = std::get_if<relative_target>(&k.target)) {
        document from = t->from == relative_target::previous ? document("previous") : t->from == relative_target::last_year ? document("last_year") : document{{"start", t->start}, {"end", t->end}};
        out["target"] = {{"change", number(t->change)}, {"from", std::move(from)}};
    }
    for (const auto& e : k.by) out["by"].push_back(dimension_text(e));
    for (const auto& i : k.improve) out["improve"].push_back(i.workflow.empty() ? document(i.action) : document{{"action", i.action}, {"workflow", i.workflow}});
    return out;
}

document campaign_of(const campaign& c) {
    document out = document::object();
    put(out, "title", c.title);
    out["from"] = c.from;
    out["to"] = c.to;
    if (c.budget) out["budget"] = number(*c.budget);
    put(out, "channel", c.channel);
    put(out, "where", c.where);
    return out;
}

document dimension_of(const dimension& d) {
    document out = document::object();
    if (!d.value.empty()) out["value"] = text_about_event(d.value);
    put(out, "spend", d.spend);
    return out;
}

}  // namespace

std::string text_about_event(const expression& e) {
    // As the `where` of an event prints it, which is just this form.
    selector_data about;
    about.event = "x";
    const auto prefix = selector{about}.to_text().size() + std::string_view{" where "}.size();
    about.where = e;
    return selector{about}.to_text().substr(prefix);
}

document to_document(const playbook& p) {
    document out = document::object();
    put(out, "name", p.name);
    out["timezone"] = p.timezone;
    put(out, "currency", p.currency);
    if (p.weeks == week_start::sunday) out["week_starts"] = "sunday";
    for (const auto& [name, type] : p.types) out["types"][name] = type;
    for (const auto& s : p.segments) out["segments"][s.name] = segment_of(s);
    for (const auto& f : p.funnels) out["funnels"][f.name] = funnel_of(f);
    if (auto policies = policies_of(p.policies); !policies.empty()) out["policies"] = std::move(policies);
    for (const auto& w : p.workflows) out["workflows"][w.name] = workflow_of(w);
    for (const auto& k : p.kpis_) out["kpis"][k.name] = kpi_of(k);
    for (const auto& c : p.campaigns) out["campaigns"][c.name] = campaign_of(c);
    for (const auto& d : p.dimensions) out["dimensions"][d.name] = dimension_of(d);
    for (const auto& r : p.report) out["report"][r.title][r.statistic] = data_document(r.settings);
    return out;
}

}  // namespace journeyman::detail
