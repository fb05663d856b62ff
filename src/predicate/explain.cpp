#include "journeyman/predicate/explain.hpp"

#include <algorithm>
#include <ostream>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "predicate/explainer.hpp"

namespace journeyman {
namespace {

using detail::told_clause;

bool says_something(const expression& e) {
    switch (e->kind) {
        case node_kind::literal: case node_kind::list: case node_kind::now: return false;
        default: return true;
    }
}

class telling {
public:
    telling(const program& p, const contact_view& v, instant at) : program_{p}, view_{v}, pool_{*p.pool}, at_{at} {}

    explanation tell(const told_clause& c) const {
        explanation out{.clause = c.what.to_text()};
        instant next = end_of_time;
        const value v = evaluate(program_, c.node, view_, at_, next);
        out.value = shown(v, c);
        // The evaluator may say a time that is early: ask again until the answer really differs.
        for (int tries = 0; next != end_of_time && tries < 10'000; ++tries) {
            const instant t = next;
            next = end_of_time;
            if (shown(evaluate(program_, c.node, view_, t, next), c) != out.value) {
                out.changes_at = t;
                break;
            }
        }
        const auto& e = c.what;
        if (e->kind == node_kind::aggregate && e->aggregate != aggregate::sequence) events_of(c, out);
        if (v.is_missing() && e->kind == node_kind::attribute) out.remark = "nothing is known of it";
        if (e->kind == node_kind::greater_equal || e->kind == node_kind::greater) wanting(c, out);
        for (const auto& p : c.parts) out.parts.push_back(tell(p));
        return out;
    }

private:
    std::string shown(const value& v, const told_clause& c) const {
        const auto type = c.type;
        if (type == value_type::boolean) return v.as_truth() == truth::yes ? "yes" : v.as_truth() == truth::no ? "no" : "unknown";
        return v.is_missing() ? "missing" : to_text(v, pool_);
    }

    void events_of(const told_clause& c, explanation& out) const {
        each_counted(program_, c.node, view_, at_, [&](event_ref e, instant leaves) {
            ++out.events_count;
            out.events.push_back({program_.streams[e.slot], e.place().at, leaves == end_of_time ? std::nullopt : std::optional{leaves}});
        });
        std::reverse(out.events.begin(), out.events.end());
        if (out.events.size() > explanation::most_events) out.events.resize(explanation::most_events);
    }

    /// How much is wanting of a count or a sum that should reach a number.
    void wanting(const told_clause& c, explanation& out) const {
        if (out.value != "no" || c.parts.size() != 1) return;
        const auto& side = c.what->args[0];
        if (side->kind != node_kind::aggregate || (side->aggregate != aggregate::count && side->aggregate != aggregate::sum && side->aggregate != aggregate::distinct)) return;
        instant unused = end_of_time;
        const value have = evaluate(program_, c.parts[0].node, view_, at_, unused);
        const auto* whole = std::get_if<std::int64_t>(&c.what->args[1]->value);
        const auto* part = std::get_if<double>(&c.what->args[1]->value);
        if (have.is_missing() || (whole == nullptr && part == nullptr)) return;
        const double gap = (whole != nullptr ? static_cast<double>(*whole) : *part) - have.as_decimal();
        if (c.what->kind == node_kind::greater_equal) out.remark = to_text(gap) + " more would do";
        else out.remark = side->aggregate == aggregate::sum ? "more than " + to_text(gap) + " more would do" : to_text(gap + 1) + " more would do";
    }

    const program& program_;
    const contact_view& view_;
    const text_pool& pool_;
    instant at_;
};

void print(std::ostream& out, const explanation& e, const std::string& lead, const std::string& below) {
    out << lead << e.clause << ": " << e.value;
    if (e.changes_at) out << ", until " << to_text(*e.changes_at);
    if (!e.remark.empty()) out << " (" << e.remark << ")";
    out << '\n';
    for (const auto& x : e.events) {
        out << below << "  " << x.event << " at " << to_text(x.at);
        if (x.leaves_at) out << ", counts until " << to_text(*x.leaves_at);
        out << '\n';
    }
    if (e.events_count > e.events.size()) out << below << "  and " << e.events_count - e.events.size() << " more\n";
    for (std::size_t k = 0; k < e.parts.size(); ++k) {
        const bool last = k + 1 == e.parts.size();
        print(out, e.parts[k], below + (last ? "└ " : "├ "), below + (last ? "  " : "│ "));
    }
}

}  // namespace

namespace detail {

told_clause make_clause(compiler& to, const compile_context& context, const expression& e, bool is_predicate) {
    if (e.empty()) return {};
    told_clause c{e, is_predicate ? to.add_predicate(e) : to.add_expression(e), value_type::missing, {}};
    if (c.node == none) return c;
    c.type = to.type_of(c.node);
    const bool logic = e->kind == node_kind::and_ || e->kind == node_kind::or_ || e->kind == node_kind::not_;
    if (e->kind == node_kind::call && e->function == function::segment) {
        const auto& name = std::get<std::string>(e->args[0]->value);
        if (const auto it = context.segments.find(name); it != context.segments.end()) c.parts.push_back(make_clause(to, context, it->second));
    } else if (e->kind != node_kind::aggregate) {
        for (const auto& a : e->args)
            if (!a.empty() && says_something(a)) c.parts.push_back(make_clause(to, context, a, logic));
    }
    return c;
}

explanation tell(const program& p, const contact_view& v, instant at, const told_clause& c) { return c.node == none ? explanation{} : telling{p, v, at}.tell(c); }

}  // namespace detail

explanation explain(const history& h, const expression& e, std::string_view contact, instant at, const compile_context& context, const schema* known) {
    const auto found = h.data().contacts.find(contact);
    if (!found) throw error{"name.unknown", "contact", "there is no contact \"" + std::string{contact} + "\" in the history"};
    compiler c{known != nullptr ? *known : h.schema(), h.data().pool, context};
    const auto root = detail::make_clause(c, context, e);
    c.found().throw_first_error();
    history_reader reader{c.finish(), h.data()};
    reader.load(*found);
    if (!reader.exists(at)) {
        explanation out{.clause = e.to_text(), .value = "no", .remark = "the contact does not exist yet"};
        if (reader.view().exists_from != end_of_time) out.remark += "; it does from " + to_text(reader.view().exists_from);
        return out;
    }
    return detail::tell(reader.compiled(), reader.see(at), at, root);
}

std::ostream& operator<<(std::ostream& out, const explanation& e) {
    print(out, e, "", "");
    return out;
}

}  // namespace journeyman
