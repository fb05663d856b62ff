#include "kpi/funnel_source.hpp"

#include <algorithm>
#include <bit>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/select.hpp"

namespace journeyman::detail {
namespace {

class planner {
public:
    planner(const event_funnel& f, compiler& c, const std::string& place, problems& out) : f_{f}, c_{c}, place_{place.empty() ? "" : place + "."}, out_{out} {}

    funnel_plan make() {
        if (f_.steps.empty()) problem("funnel.steps", "steps", "a funnel needs steps, each an event");
        if (f_.steps.size() > 30) problem("funnel.steps", "steps", "a funnel has at most 30 steps, here are " + std::to_string(f_.steps.size()));
        if (f_.within && (f_.within->months < 0 || f_.within->fixed.count() < 0)) problem("funnel.within", "within", "a window has no negative length; write 7d, or leave it out for no limit");
        if (out_.errors() != 0) return std::move(plan_);
        std::vector<selector_id> all;
        for (std::size_t k = 0; k < f_.steps.size(); ++k) all.push_back(selected(f_.steps[k].second, "steps." + std::to_string(k) + ".event", 1U << k, 0));
        for (std::size_t k = 0; k < f_.rules.exclusions.size() && k < most_steps; ++k) all.push_back(selected(f_.rules.exclusions[k].event, "exclusions." + std::to_string(k) + ".event", 0, 1U << k));
        if (f_.rules.adjacency == funnel_rules::adjacency_t::all || f_.rules.adjacency == funnel_rules::adjacency_t::walk) all.push_back(selected(any_event(), "adjacency", 0, 0));
        about_ = all[0];
        for (const auto& u : f_.rules.unit) {
            if (u == "contact" || u == "entry") {
                plan_.by_contact = true;
                plan_.entries = plan_.entries || u == "entry";
            } else {
                plan_.unit.push_back(field(u, "unit"));
            }
        }
        for (const auto& h : f_.rules.held) plan_.held.push_back(field(h, "held"));
        for (const auto& [name, b] : f_.rules.by) plan_.by.push_back(field(b, place_.empty() ? "by" : "breakdown.by"));
        if (!f_.rules.audience.empty()) plan_.audience = c_.add_predicate(f_.rules.audience, place_ + "audience");
        return std::move(plan_);
    }

private:
    void problem(std::string code, const std::string& where, std::string message) { out_.add({std::move(code), place_ + where, std::move(message), severity::error}); }

    selector_id selected(const selector& s, const std::string& where, std::uint32_t step_bit, std::uint32_t exclusion_bit) {
        if (s.data().window.kind != window_kind::all || s.data().without != nullptr) problem("funnel.event", where, "a step has no window and no `without`: it is an event and its `where`; the funnel's own `within` and `period` say when");
        const auto id = c_.add_selector((f_.rules.where.empty() ? s : s.where(f_.rules.where)).data(), place_ + where);
        if (id == none) return id;
        const auto program = c_.finish();
        const auto& compiled = program->selectors[id];
        for (const auto slot : compiled.streams) {
            if (plan_.tests.size() <= slot) plan_.tests.resize(slot + 1);
            if (std::find(plan_.streams.begin(), plan_.streams.end(), slot) == plan_.streams.end()) plan_.streams.push_back(slot);
            plan_.tests[slot].push_back({step_bit, exclusion_bit, compiled.where, {}});
            events_.push_back(program->streams[slot]);
        }
        return id;
    }

    event_field field(const std::string& text, const std::string& where) {
        event_field out;
        try {
            const auto e = expression::parse(text, bare_names::property);
            if (e->kind != node_kind::property) {
                out.node = about_ == none ? none : c_.add_event_expression(e, about_, place_ + where);
                return out;
            }
            out.property = c_.add_property(e->name);
            std::vector<std::string> names;
            for (const auto& event : events_) {
                const auto it = c_.known().events.find(event);
                if (it == c_.known().events.end()) continue;
                for (const auto& [name, type] : it->second) {
                    if (name == e->name) return out;
                    names.push_back(name);
                }
            }
            if (!names.empty() || !c_.known().events.empty()) problem("name.unknown", where, "none of these events has a property `" + e->name + "`." + did_you_mean(e->name, names));
        } catch (const error& e) {
            problem(e.code(), where, e.message());
        }
        return out;
    }

    const event_funnel& f_;
    compiler& c_;
    std::string place_;
    problems& out_;
    funnel_plan plan_;
    selector_id about_ = none;
    std::vector<std::string> events_;
};

}  // namespace

funnel_plan plan_funnel(const event_funnel& f, compiler& c, const std::string& place, problems& out) { return planner{f, c, place, out}.make(); }

funnel_plan plan_funnel(const event_funnel& f, const history& h, const compile_context& context, const std::optional<schema>& known) {
    problems found;
    compiler c{known ? *known : h.schema(), h.data().pool, context};
    auto plan = plan_funnel(f, c, "", found);
    found.throw_first_error();
    c.found().throw_first_error();
    plan.program = c.finish();
    return plan;
}

instant end_of_known(const history& h, std::optional<instant> to) {
    const auto span = h.span();
    const instant end = span ? add_saturated(span->second, microseconds{1}) : beginning_of_time;
    return to ? std::min(end, add_saturated(*to, microseconds{1})) : end;
}

funnel_source::funnel_source(const history& h, const event_funnel& f, funnel_plan plan) : history_{h}, funnel_{f}, plan_{std::move(plan)}, reader_{plan_.program, h.data()} {
    plan_.tests.resize(plan_.program->streams.size());
    for (std::uint32_t slot = 0; slot < plan_.tests.size(); ++slot) {
        const auto* stream = h.data().stream(plan_.program->streams[slot]);
        if (stream == nullptr) continue;
        for (auto& t : plan_.tests[slot]) {
            compiled_selector s;
            s.streams = {slot};
            s.where = t.where;
            t.rows = plan_rows(*plan_.program, h.data(), s, end_of_time - microseconds{1});
        }
    }
    contacts_ = h.contacts_count();
    if (plan_.audience != none) {
        const auto last = h.span();
        const instant at = f.rules.to ? *f.rules.to : last ? last->second : beginning_of_time;
        const auto in = journeyman::select(h, plan_.program, plan_.audience, at);
        audience_.assign(contacts_, false);
        for (const auto c : in.numbers()) audience_[c] = true;
        contacts_ = in.count();
        if (audience_.empty()) audience_.push_back(false);
    }
}

void funnel_source::collect(std::uint32_t contact) {
    hits_.clear();
    reader_.load(contact);
    loaded_ = contact;
    const std::int64_t from = funnel_.rules.from ? funnel_.rules.from->time_since_epoch().count() : std::numeric_limits<std::int64_t>::min();
    const std::int64_t to = funnel_.rules.to ? funnel_.rules.to->time_since_epoch().count() : std::numeric_limits<std::int64_t>::max();
    bool named = false;
    for (const auto slot : plan_.streams) {
        const auto& all = reader_.all(slot);
        const auto& tests = plan_.tests[slot];
        for (std::uint32_t k = 0; k < all.count; ++k) {
            if (all.at[k] < from) continue;
            if (all.at[k] > to) break;
            funnel_hit h{all.at[k], all.order[k], 0, 0, slot, k, contact};
            bool there = false;
            for (const auto& t : tests) {
                bool yes = t.where == none;
                if (!yes && t.rows) yes = std::all_of(t.rows->where.begin(), t.rows->where.end(), [&](const row_test& x) { return x.yes(*plan_.program, all.row + k); });
                else if (!yes) yes = ask(*plan_.program, t.where, reader_.see(h.place()), h.place().at, {&all, slot, k}) == truth::yes;
                if (!yes) continue;
                there = true;
                h.steps |= t.step_bit;
                h.exclusions |= t.exclusion_bit;
            }
            if (!there) continue;
            named = named || h.steps != 0;
            hits_.push_back(h);
        }
    }
    if (!named && plan_.by_contact && !plan_.all_units) hits_.clear();   // a unit of several contacts may need what lies between its steps
    else if (plan_.streams.size() > 1) std::sort(hits_.begin(), hits_.end(), [](const auto& a, const auto& b) { return a.place() < b.place(); });
}

std::vector<value> funnel_source::read(const std::vector<event_field>& fields, const funnel_hit& h) {
    if (h.contact != loaded_) {
        reader_.load(h.contact);
        loaded_ = h.contact;
    }
    std::vector<value> out;
    const auto& all = reader_.all(h.slot);
    for (const auto& f : fields) {
        if (f.node == none) {
            out.push_back(f.property == none ? value{} : all.property(f.property, h.row));
            continue;
        }
        instant next = end_of_time;
        out.push_back(evaluate(*plan_.program, f.node, reader_.see(h.place()), h.place().at, next, {&all, h.slot, h.row}));
    }
    return out;
}

void funnel_source::put(const funnel_hit& h) {
    auto fields = read(plan_.unit, h);
    std::vector<std::int64_t> key;
    if (plan_.by_contact) key.push_back(h.contact);
    for (const auto& v : fields) {
        if (v.is_missing()) return;
        key.push_back(static_cast<std::int64_t>(v.type));
        key.push_back(v.type == value_type::decimal ? std::bit_cast<std::int64_t>(v.d) : v.i);
    }
    auto& unit = open_[std::move(key)];
    if (unit.second.empty()) unit.first = {plan_.by_contact ? h.contact : none, std::move(fields)};
    unit.second.push_back(h);
}

}  // namespace journeyman::detail
