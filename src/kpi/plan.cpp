#include "kpi/plan.hpp"

#include <algorithm>

#include "kpi/periods.hpp"

namespace journeyman::detail {
namespace {

/// Whether it reads anything but the event at hand.
bool looks_beyond(const expression& e) {
    if (e.empty()) return false;
    const node& n = *e;
    switch (n.kind) {
        case node_kind::attribute: case node_kind::account_attribute: case node_kind::trigger_property: case node_kind::aggregate: return true;
        case node_kind::call:
            switch (n.function) {
                case function::segment: case function::consent: case function::changed_time: case function::first_ever:
                case function::year: case function::month: case function::day: case function::weekday: case function::hour: return true;
                default: break;
            }
            break;
        default: break;
    }
    return std::any_of(n.args.begin(), n.args.end(), looks_beyond);
}

/// Whether it asks about a contact, which spend does not have.
const node* asks_contact(const expression& e) {
    const node& n = *e;
    const bool asks = n.kind == node_kind::attribute || n.kind == node_kind::account_attribute || n.kind == node_kind::trigger_property || n.kind == node_kind::aggregate ||
                      (n.kind == node_kind::call && (n.function == function::segment || n.function == function::consent || n.function == function::changed_time || n.function == function::first_ever || n.function == function::bucket));
    if (asks) return &n;
    for (const auto& a : n.args)
        if (const node* found = asks_contact(a)) return found;
    return nullptr;
}

class planner {
public:
    planner(const kpi_definitions& d, compiler& c, const kpi_options& o, problems& out) : defs_{d}, compiler_{c}, options_{o}, out_{out} {}

    plan make() {
        const std::size_t found_before = compiler_.found().size();
        names();
        for (const auto& c : defs_.campaigns) campaign_of(c);
        for (const auto& d : defs_.dimensions) {
            const auto place = "dimensions." + d.name + ".value";
            if (is_report_column(d.name) || is_word(d.name)) problem("kpi.dimension", "dimensions." + d.name, "no dimension can be called `" + d.name + "`, which is a column of every report; choose another name");
            if (d.value.empty()) problem("kpi.dimension", place, "a dimension needs a value, such as `first(form_submitted.channel)`");
            else compiler_.add_event_expression(d.value, nothing(), place);
        }
        for (const auto& k : defs_.kpis)
            if (options_.only.empty() || std::find(options_.only.begin(), options_.only.end(), k.name) != options_.only.end()) kpi_of(k);
        if (by_segment_)
            for (const auto& s : defs_.segments) plan_.segments.push_back(membership(s, "segments." + s));
        for (std::size_t i = found_before; i < compiler_.found().size(); ++i) add(compiler_.found()[i]);
        return std::move(plan_);
    }

private:
    void add(const problem& p) {
        if (std::find(out_.begin(), out_.end(), p) == out_.end()) out_.add(p);
    }
    void problem(std::string code, std::string place, std::string message) { add({std::move(code), std::move(place), std::move(message), severity::error}); }

    static bool is_word(std::string_view n) { return n == "segment" || n == "campaign" || n == "workflow" || n == "version" || n == "step"; }
    selector_id nothing() {
        if (nothing_ == none) {
            selector_data s;
            s.event = no_stream;
            nothing_ = compiler_.add_selector(s);
        }
        return nothing_;
    }
    node_id membership(const std::string& segment, const std::string& place) { return compiler_.add_predicate(call(function::segment, {expression{segment}}), place); }

    void names() {
        std::vector<std::string> seen;
        for (const auto& k : defs_.kpis) {
            if (std::find(seen.begin(), seen.end(), k.name) != seen.end()) problem("kpi.name", "kpis." + k.name, "there are two KPIs of this name; give one another");
            seen.push_back(k.name);
        }
        for (const auto& n : options_.only)
            if (std::find(seen.begin(), seen.end(), n) == seen.end()) problem("name.unknown", "only", "there is no KPI \"" + n + "\"." + did_you_mean(n, seen));
        if (!(options_.distinct_error >= 0 && options_.distinct_error < 1)) problem("kpi.distinct_error", "distinct_error", "the standard error of distinct counts lies between 0 (exact) and 1, such as 0.01");
        if (!(options_.level > 0 && options_.level < 1)) problem("kpi.level", "level", "the level of intervals lies between 0 and 1, such as 0.95");
    }

    void campaign_of(const campaign& c) {
        const std::string place = "campaigns." + c.name;
        plan_.campaigns.push_back(c.where.empty() ? none : compiler_.add_predicate(c.where, place + ".where"));
        span(c.from, c.to, place, "from", "to", "this campaign");
    }
    void span(const std::string& from, const std::string& to, const std::string& place, const char* begin, const char* end, const std::string& what) {
        const auto a = written_instant(from, *defs_.context.zone), b = written_instant(to, *defs_.context.zone);
        for (const auto& [at, text, key] : {std::tuple{a, from, begin}, std::tuple{b, to, end}})
            if (!at) problem("kpi.window", place + "." + key, "\"" + text + "\" is no day and no instant with a zone; write \"2026-03-01\" or \"2026-03-01T09:00:00Z\"");
        if (a && b && *b <= *a) problem("kpi.window", place, what + " ends before it begins: " + from + " to " + to);
    }

    void kpi_of(const kpi& k) {
        const std::string place = "kpis." + k.name;
        kpi_plan p;
        p.written = &k;
        const std::size_t before = out_.errors();
        p.value = formula{k.value, k.proportion, place + ".value", out_};
        const bool sound = out_.errors() == before;
        if (!k.period) problem("kpi.every", place + ".every", "a KPI needs a period: every: day, week, month, quarter, year or campaign");
        if (!k.scope.empty()) scope_of(k, p, place + ".scope");
        if (!std::holds_alternative<std::monostate>(k.target) && !k.direction) problem("kpi.direction", place + ".direction", "a target needs a direction: up or down");
        if (const auto* t = std::get_if<relative_target>(&k.target); t != nullptr && t->from == relative_target::span) span(t->start, t->end, place + ".target.from", "start", "end", "the span compared with");
        if (!sound) return;
        for (const auto& e : k.by) dimension_of(e, k, place + ".by", p);
        for (const auto& e : options_.by) dimension_of(e, k, "by", p);
        for (const auto& m : p.value.measures()) p.measures.push_back(measure_of(m, p, place + ".value"));
        columns(p, place + ".by");
        totals_shape shape;
        for (const auto& m : p.measures) {
            shape.kinds.push_back(m.kind == aggregate::accounts ? total_kind::accounts : m.kind == aggregate::budget ? total_kind::budget : total_kind::amount);
            shape.divisors.push_back(m.divisor);
        }
        shape.products = p.value.needs_products();
        if (options_.distinct_error > 0 && p.value.has(aggregate::accounts)) shape.precision = hyperloglog::precision_for(options_.distinct_error);
        p.shape = std::make_shared<const totals_shape>(std::move(shape));
        plan_.kpis.push_back(std::move(p));
    }

    /// Spend belongs to a segment by its own column: where nothing else is measured, no contact is asked.
    void scope_of(const kpi& k, kpi_plan& p, const std::string& place) {
        const auto& measures = p.value.measures();
        if (std::any_of(measures.begin(), measures.end(), [](const auto& m) { return !is_fixed(*m); }) || !defs_.context.segments.contains(k.scope)) p.scope = membership(k.scope, place);
    }

    measure_plan measure_of(const expression& e, const kpi_plan& k, const std::string& place) {
        const node& n = *e;
        measure_plan m;
        m.kind = n.aggregate;
        const auto where = [&] { return n.place.line == 0 ? place : place + ":" + std::to_string(n.place.line) + ":" + std::to_string(n.place.column); };
        const auto name = std::string{to_string(n.aggregate)};
        selector_id about = none;
        switch (n.aggregate) {
            case aggregate::budget: return m;
            case aggregate::spend: {
                m.divisor = minor_units;                             // whatever the type of its column: parts of a history may differ
                if (n.args.empty() || n.args[0].empty()) return m;
                if (const node* contact = asks_contact(n.args[0])) problem("kpi.spend", where(), "`" + expression{n.args[0]}.to_text() + "` asks about a contact" + (contact->name.empty() ? "" : " (" + contact->name + ")") + ", but spend has none; ask about its columns, such as `spend(where channel == \"ads\")`");
                selector_data s;
                s.event = spend_stream;
                m.predicate = compiler_.add_event_expression(n.args[0], compiler_.add_selector(s), place);
                yes_no(m.predicate, where());
                return m;
            }
            case aggregate::members:
                if (n.args.empty()) problem("kpi.value", where(), "`members` needs a predicate: members(did(purchase))");
                else m.predicate = compiler_.add_predicate(n.args[0], place);
                about = nothing();
                break;
            case aggregate::actions: {
                selector_data s;
                s.event = "$action";
                if (!n.args.empty()) s.where = n.args[0];
                m.a = about = compiler_.add_selector(s, place);
                m.looks = looks_beyond(s.where);
                break;
            }
            default: {
                const bool cohort = n.aggregate == aggregate::starters || n.aggregate == aggregate::converted || n.aggregate == aggregate::elapsed;
                const std::size_t wanted = n.aggregate == aggregate::converted || n.aggregate == aggregate::elapsed ? 2 : 1;
                if (n.selectors.size() != wanted) { problem("kpi.value", where(), "`" + name + "` takes " + (wanted == 2 ? "two events" : "one event")); return m; }
                for (const auto& s : n.selectors)
                    if (s.window.kind != window_kind::all) problem("kpi.window", where(), "a measure is counted in the KPI's period and takes no window of its own; leave it out, or ask with members(count(…, last 30d) > 0)");
                if (cohort && (!n.within || !n.within->is_positive())) problem("kpi.window", where(), "`" + name + "` needs a positive length: within 30d");
                m.a = about = compiler_.add_selector(n.selectors[0], place);
                m.looks = looks_beyond(n.selectors[0].where);
                if (wanted == 2) {
                    m.b = compiler_.add_selector(n.selectors[1], place);
                    m.b_looks = looks_beyond(n.selectors[1].where);
                }
                if (n.within) m.within = *n.within;
                if (n.aggregate == aggregate::elapsed) m.divisor = 1e6;
                if (n.aggregate == aggregate::accounts && plan_.account == none) plan_.account = compiler_.add_attribute(false, "account_id", value_type::text);
                if (n.aggregate == aggregate::sum) sum_of(e, m, place, where());
            }
        }
        for (const auto& d : k.by) m.dimensions.push_back(d.kind == dimension_plan::value && about != none ? compiler_.add_event_expression(d.written, about, d.place) : none);
        return m;
    }
    void yes_no(node_id n, const std::string& where) {
        if (const auto t = compiler_.type_of(n); t != value_type::boolean && t != value_type::missing) problem("type.not_a_predicate", where, "a yes/no question is expected after `where`, this is " + std::string{to_string(t)} + "; compare it with something");
    }
    void sum_of(const expression& e, measure_plan& m, const std::string& place, const std::string& where) {
        if (m.a == none) return;
        const auto& s = e->selectors[0];
        if (s.property.empty()) { problem("predicate.arguments", where, "`sum` needs a property: sum(" + s.event + ".amount)"); return; }
        m.type = compiler_.type_of(compiler_.add_expression(e, place));   // `sum` is an aggregate of predicates too, and its type that of the property
        if (m.type == value_type::money) m.divisor = minor_units;
        if (m.type == value_type::duration) m.divisor = 1e6;
    }

    void dimension_of(const expression& given, const kpi& k, const std::string& place, kpi_plan& p) {
        if (given.empty()) return;
        expression e = given;
        bool own = false;                                              // `event.x`, as written: the event's own
        if (const auto* text = std::get_if<std::string>(&e->value); e->kind == node_kind::literal && text != nullptr) {
            own = text->starts_with("event.");
            try { e = expression::parse(*text, bare_names::property); }
            catch (const error& bad) { problem(bad.code(), place + (bad.place().empty() ? "" : ":" + bad.place()), bad.message()); return; }
        }
        dimension_plan d;
        d.place = place;
        const auto named = [&](const std::string& name) {
            for (const auto& known : defs_.dimensions) {
                if (known.name != name || known.value.empty()) continue;
                d.kind = dimension_plan::value;
                d.name = name;
                d.written = known.value;
                d.place = "dimensions." + name + ".value";
                d.spend = known.spend;
                return true;
            }
            static constexpr std::pair<std::string_view, dimension_plan::kind_t> words[] = {{"segment", dimension_plan::segment}, {"campaign", dimension_plan::campaign}, {"workflow", dimension_plan::workflow}, {"version", dimension_plan::version}, {"step", dimension_plan::step}};
            for (const auto& [word, kind] : words) {
                if (word != name) continue;
                d.kind = kind;
                d.name = d.spend = name;
                if (kind >= dimension_plan::workflow) d.slot = compiler_.add_property(name);   // an action's own
                return true;
            }
            return false;
        };
        const bool of_account = e->kind == node_kind::account_attribute;
        if (e->kind == node_kind::property && !own && named(e->name)) {
        } else if (e->kind == node_kind::property) {
            d.kind = dimension_plan::property;
            d.name = is_report_column(e->name) || is_word(e->name) ? "event." + e->name : e->name;
            d.spend = e->name;
            d.slot = compiler_.add_property(e->name);
        } else if (e->kind == node_kind::attribute || of_account) {
            const auto& known = of_account ? compiler_.known().account : compiler_.known().contact;
            const auto it = known.find(e->name);
            if (it == known.end() && !of_account && named(e->name)) {  // built with attr("channel")
            } else if (it == known.end()) {
                compiler_.add_expression(e, place);                    // says what is wrong
                return;
            } else {
                d.kind = dimension_plan::attribute;
                d.name = (of_account ? "account." : "contact.") + e->name;
                d.slot = compiler_.add_attribute(of_account, e->name, it->second);
            }
        } else {
            d.kind = dimension_plan::value;
            d.written = e;
            d.name = e.to_text();
        }
        if (d.kind == dimension_plan::campaign && k.period == kpi_period::campaign) return;   // each row is one already
        if (std::any_of(p.by.begin(), p.by.end(), [&](const auto& x) { return x.name == d.name; })) return;
        by_segment_ = by_segment_ || d.kind == dimension_plan::segment;
        p.by.push_back(std::move(d));
    }

    /// A bare name that no event of the KPI has as a property (where all of them are known) is a slip.
    void columns(const kpi_plan& p, const std::string& place) {
        for (const auto& d : p.by) {
            if (d.kind != dimension_plan::property || d.place != place || p.value.has(aggregate::spend) || p.value.has(aggregate::actions)) continue;
            std::vector<std::string> names;
            bool known = false, unseen = false;
            for (const auto& m : p.value.measures())
                for (const auto& s : m->selectors) {
                    bool any = false;
                    for (const auto& [event, properties] : compiler_.known().events) {
                        if (s.prefix ? !event.starts_with(s.event) : event != s.event) continue;
                        any = true;
                        for (const auto& [name, type] : properties) names.push_back(name);
                        known = known || properties.contains(d.spend);
                    }
                    unseen = unseen || !any;
                }
            if (known || unseen || names.empty()) continue;
            for (const auto& x : defs_.dimensions) names.push_back(x.name);
            problem("name.unknown", place, "`" + d.spend + "` is no dimension, and no event of this KPI has such a property." + did_you_mean(d.spend, names) + " Attributes are written contact.x and account.x.");
        }
    }

    const kpi_definitions& defs_;
    compiler& compiler_;
    const kpi_options& options_;
    problems& out_;
    plan plan_;
    selector_id nothing_ = none;
    bool by_segment_ = false;
};

}  // namespace

bool is_report_column(std::string_view n) {
    static constexpr std::string_view columns[] = {"kpi", "scope", "period", "campaign", "partial", "value", "numerator", "denominator", "low", "high", "immature", "target", "status", "certain"};
    return std::find(std::begin(columns), std::end(columns), n) != std::end(columns);
}

plan make_plan(const kpi_definitions& d, compiler& c, const kpi_options& o, problems& out) { return planner{d, c, o, out}.make(); }

}  // namespace journeyman::detail
