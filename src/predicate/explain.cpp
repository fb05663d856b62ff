#include "journeyman/predicate/explain.hpp"

#include <algorithm>
#include <ostream>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"

namespace journeyman {
namespace {

/// The tree of clauses: what stands in it, and its node in the program.
struct clause {
    expression what;
    node_id node = none;
    std::vector<clause> parts;
};

bool says_something(const expression& e) {
    switch (e->kind) {
        case node_kind::literal: case node_kind::list: case node_kind::now: return false;
        default: return true;
    }
}

class explaining {
public:
    explaining(const history& h, const compile_context& context, const schema& known, std::string_view contact, instant at)
        : context_{context}, compiler_{known, h.data().pool, context}, pool_{*h.data().pool}, at_{at}, history_{h} {
        const auto found = h.data().contacts.find(contact);
        if (!found) throw error{"name.unknown", "contact", "there is no contact \"" + std::string{contact} + "\" in the history"};
        contact_ = *found;
    }

    explanation run(const expression& e) {
        const auto root = add(e, true);
        program_ = compiler_.finish();
        history_reader reader{program_, history_.data()};
        reader.load(contact_);
        if (!reader.exists(at_)) {
            explanation out{.clause = e.to_text(), .value = "no", .remark = "the contact does not exist yet"};
            if (reader.view().exists_from != end_of_time) out.remark += "; it does from " + to_text(reader.view().exists_from);
            return out;
        }
        view_ = &reader.see(at_);
        return tell(root);
    }

private:
    clause add(const expression& e, bool is_predicate) {
        clause c{e, is_predicate ? compiler_.add_predicate(e) : compiler_.add_expression(e), {}};
        compiler_.found().throw_first_error();
        const bool logic = e->kind == node_kind::and_ || e->kind == node_kind::or_ || e->kind == node_kind::not_;
        if (e->kind == node_kind::call && e->function == function::segment) {
            const auto& name = std::get<std::string>(e->args[0]->value);
            if (const auto it = context_.segments.find(name); it != context_.segments.end()) c.parts.push_back(add(it->second, true));
        } else if (e->kind != node_kind::aggregate) {
            for (const auto& a : e->args)
                if (!a.empty() && says_something(a)) c.parts.push_back(add(a, logic));
        }
        return c;
    }

    explanation tell(const clause& c) {
        explanation out{.clause = c.what.to_text()};
        instant next = end_of_time;
        const value v = evaluate(*program_, c.node, *view_, at_, next);
        out.value = shown(v, c);
        // The evaluator may say a time that is early: ask again until the answer really differs.
        for (int tries = 0; next != end_of_time && tries < 10'000; ++tries) {
            const instant t = next;
            next = end_of_time;
            if (shown(evaluate(*program_, c.node, *view_, t, next), c) != out.value) {
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

    std::string shown(const value& v, const clause& c) const {
        const auto type = compiler_.type_of(c.node);
        if (type == value_type::boolean) return v.as_truth() == truth::yes ? "yes" : v.as_truth() == truth::no ? "no" : "unknown";
        return v.is_missing() ? "missing" : to_text(v, pool_);
    }

    void events_of(const clause& c, explanation& out) const {
        each_counted(*program_, c.node, *view_, at_, [&](event_ref e, instant leaves) {
            ++out.events_count;
            out.events.push_back({program_->streams[e.slot], e.place().at, leaves == end_of_time ? std::nullopt : std::optional{leaves}});
        });
        std::reverse(out.events.begin(), out.events.end());
        if (out.events.size() > explanation::most_events) out.events.resize(explanation::most_events);
    }

    /// How much is wanting of a count or a sum that should reach a number.
    void wanting(const clause& c, explanation& out) const {
        if (out.value != "no" || c.parts.size() != 1) return;
        const auto& side = c.what->args[0];
        if (side->kind != node_kind::aggregate || (side->aggregate != aggregate::count && side->aggregate != aggregate::sum && side->aggregate != aggregate::distinct)) return;
        instant unused = end_of_time;
        const value have = evaluate(*program_, c.parts[0].node, *view_, at_, unused);
        const auto* whole = std::get_if<std::int64_t>(&c.what->args[1]->value);
        const auto* part = std::get_if<double>(&c.what->args[1]->value);
        if (have.is_missing() || (whole == nullptr && part == nullptr)) return;
        const double gap = (whole != nullptr ? static_cast<double>(*whole) : *part) - have.as_decimal();
        if (c.what->kind == node_kind::greater_equal) out.remark = to_text(gap) + " more would do";
        else out.remark = side->aggregate == aggregate::sum ? "more than " + to_text(gap) + " more would do" : to_text(gap + 1) + " more would do";
    }

    const compile_context& context_;
    compiler compiler_;
    const text_pool& pool_;
    instant at_;
    const history& history_;
    std::uint32_t contact_ = 0;
    program_ptr program_;
    const contact_view* view_ = nullptr;
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

explanation explain(const history& h, const expression& e, std::string_view contact, instant at, const compile_context& context, const schema* known) {
    return explaining{h, context, known != nullptr ? *known : h.schema(), contact, at}.run(e);
}

std::ostream& operator<<(std::ostream& out, const explanation& e) {
    print(out, e, "", "");
    return out;
}

}  // namespace journeyman
