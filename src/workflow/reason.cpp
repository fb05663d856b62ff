#include "workflow/reason.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace journeyman {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::optional<double> number_of(const expression& e) {
    if (e.empty() || e->kind != node_kind::literal) return std::nullopt;
    if (const auto* i = std::get_if<std::int64_t>(&e->value)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&e->value)) return *d;
    if (const auto* l = std::get_if<length>(&e->value); l != nullptr && l->is_fixed()) return static_cast<double>(l->fixed.count());
    return std::nullopt;
}

/// Values that a side may have: numbers between two bounds, some values alone, some values not.
struct range {
    double low = -infinity, high = infinity;
    bool low_in = true, high_in = true;
    std::optional<std::set<std::string>> only;      // by their texts; numbers too
    std::set<std::string> not_these;
    std::map<std::string, double> numbers;          // of the texts that are numbers

    [[nodiscard]] bool holds(double x) const { return (x > low || (low_in && x == low)) && (x < high || (high_in && x == high)); }
    [[nodiscard]] bool numeric() const { return low > -infinity || high < infinity; }
    void put(const expression& literal, std::set<std::string>& to) {
        const auto x = number_of(literal);
        const auto text = x ? journeyman::to_text(*x) : literal.to_text();   // 3 and 3.0 are one
        to.insert(text);
        if (x) numbers.emplace(text, *x);
    }
    void meet(const range& other) {
        if (other.low > low || (other.low == low && !other.low_in)) low = other.low, low_in = other.low_in;
        if (other.high < high || (other.high == high && !other.high_in)) high = other.high, high_in = other.high_in;
        numbers.insert(other.numbers.begin(), other.numbers.end());
        not_these.insert(other.not_these.begin(), other.not_these.end());
        if (!other.only) return;
        if (!only) only = other.only;
        else std::erase_if(*only, [&](const auto& t) { return !other.only->contains(t); });
    }
    /// Those of `only` that the rest allows.
    [[nodiscard]] std::set<std::string> left() const {
        std::set<std::string> out;
        for (const auto& t : *only) {
            const auto x = numbers.find(t);
            if (!not_these.contains(t) && (x == numbers.end() ? !numeric() : holds(x->second))) out.insert(t);
        }
        return out;
    }
    [[nodiscard]] bool empty() const { return only ? left().empty() : low > high || (low == high && !(low_in && high_in)); }
    [[nodiscard]] bool inside(const range& other) const {
        if (only) {
            const auto mine = left();
            return std::all_of(mine.begin(), mine.end(), [&](const auto& t) {
                if (other.not_these.contains(t) || (other.only && !other.only->contains(t))) return false;
                const auto x = numbers.find(t);
                return !other.numeric() || (x != numbers.end() && other.holds(x->second));
            });
        }
        if (other.only) return false;
        if (other.low > low || (other.low == low && low_in && !other.low_in)) return false;
        if (other.high < high || (other.high == high && high_in && !other.high_in)) return false;
        return std::all_of(other.not_these.begin(), other.not_these.end(), [&](const auto& t) {
            const auto x = other.numbers.find(t);
            return not_these.contains(t) || (numeric() && x != other.numbers.end() && !holds(x->second));
        });
    }
};

/// `side` is in `values`.
struct fact {
    expression side;
    range values;
};

/// An instant can be written in several ways.
bool one_way_of_writing(const expression& literal) {
    const auto* text = std::get_if<std::string>(&literal->value);
    parsed_instant i;
    return text == nullptr || !parse_instant(*text, i);
}
bool is_comparison(node_kind k) { return k >= node_kind::equal && k <= node_kind::greater_equal; }
node_kind opposite(node_kind k) {
    switch (k) {
        case node_kind::equal: return node_kind::not_equal;
        case node_kind::not_equal: return node_kind::equal;
        case node_kind::less: return node_kind::greater_equal;
        case node_kind::less_equal: return node_kind::greater;
        case node_kind::greater: return node_kind::less_equal;
        default: return node_kind::less;
    }
}

/// `did` and `never` are questions about a count.
expression counted(const expression& e) {
    node n = *e;
    n.aggregate = aggregate::count;
    return make(std::move(n));
}

std::optional<fact> fact_of(const expression& e) {
    const bool negated = e->kind == node_kind::not_;
    const auto& inner = negated ? e->args[0] : e;
    auto kind = inner->kind;
    fact out;
    if (kind == node_kind::aggregate && (inner->aggregate == aggregate::did || inner->aggregate == aggregate::never)) {
        out.side = counted(inner);
        if ((inner->aggregate == aggregate::did) != negated) out.values.low = 1;
        else out.values.high = 0;
        return out;
    }
    if (kind == node_kind::attribute || kind == node_kind::account_attribute || kind == node_kind::property || kind == node_kind::trigger_property) {
        out.side = inner;
        out.values.only = std::set<std::string>{negated ? "false" : "true"};
        return out;
    }
    if (is_comparison(kind)) {
        if (inner->args[1]->kind != node_kind::literal || !one_way_of_writing(inner->args[1])) return std::nullopt;
        if (negated) kind = opposite(kind);
        out.side = inner->args[0];
        if (kind == node_kind::equal || kind == node_kind::not_equal) {
            std::set<std::string> one;
            out.values.put(inner->args[1], one);
            if (kind == node_kind::equal) out.values.only = std::move(one);
            else out.values.not_these = std::move(one);
            return out;
        }
        const auto x = number_of(inner->args[1]);
        if (!x) return std::nullopt;
        if (kind == node_kind::less || kind == node_kind::less_equal) out.values.high = *x, out.values.high_in = kind == node_kind::less_equal;
        else out.values.low = *x, out.values.low_in = kind == node_kind::greater_equal;
        return out;
    }
    if ((kind == node_kind::in || kind == node_kind::not_in) && inner->args[1]->kind == node_kind::list) {
        out.side = inner->args[0];
        std::set<std::string> all;
        for (const auto& a : inner->args[1]->args) {
            if (a->kind != node_kind::literal || !one_way_of_writing(a)) return std::nullopt;
            out.values.put(a, all);
        }
        if ((kind == node_kind::in) != negated) out.values.only = std::move(all);
        else out.values.not_these = std::move(all);
        return out;
    }
    if (kind == node_kind::between && !negated) {
        const auto a = number_of(inner->args[1]), b = number_of(inner->args[2]);
        if (!a || !b) return std::nullopt;
        out.side = inner->args[0];
        out.values.low = *a;
        out.values.high = *b;
        return out;
    }
    return std::nullopt;
}

/// Whether they count the same events, those of a being among those of b.
bool counts_among(const expression& a, const expression& b) {
    if (a->kind != node_kind::aggregate || b->kind != node_kind::aggregate || a->aggregate != aggregate::count || b->aggregate != aggregate::count) return false;
    auto x = a->selectors[0], y = b->selectors[0];
    const window inner = x.window, outer = y.window;
    if (x.without || y.without) return false;               // who is crossed may differ
    x.window = y.window = {};
    if (!selector{x}.equals(selector{y})) return false;
    if (outer.kind == window_kind::all) return inner.kind != window_kind::before;
    return inner.kind == window_kind::last && outer.kind == window_kind::last && inner.last.is_fixed() && outer.last.is_fixed() && inner.last.fixed <= outer.last.fixed;
}

bool follows(const fact& b, const fact& a) {
    if (a.side.equals(b.side)) return a.values.inside(b.values);
    const auto& up = b.values;
    if (up.only || !up.not_these.empty()) return false;
    if (up.high == infinity && counts_among(a.side, b.side)) return a.values.low > up.low || (a.values.low == up.low && (up.low_in || !a.values.low_in));
    if (up.low == -infinity && counts_among(b.side, a.side)) return a.values.high < up.high || (a.values.high == up.high && (up.high_in || !a.values.high_in));
    return false;
}

constexpr int deepest = 12;

}  // namespace

const expression* reasoning::opened(const expression& e) const {
    if (context_ == nullptr || e->kind != node_kind::call || (e->function != function::segment && e->function != function::consent)) return nullptr;
    const auto* name = std::get_if<std::string>(&e->args[0]->value);
    if (name == nullptr) return nullptr;
    const auto& all = e->function == function::segment ? context_->segments : context_->consent;
    const auto it = all.find(*name);
    return it == all.end() || it->second.empty() ? nullptr : &it->second;
}

void reasoning::conjuncts(const expression& e, std::vector<expression>& out, int depth) const {
    if (e.empty() || depth > deepest) return;
    if (e->kind == node_kind::and_) {
        for (const auto& a : e->args) conjuncts(a, out, depth + 1);
    } else if (const auto* inside = opened(e)) {
        out.push_back(e);
        conjuncts(*inside, out, depth + 1);
    } else {
        out.push_back(e);
    }
}

always reasoning::constant(const expression& e) const {
    if (e.empty()) return always::open;
    switch (e->kind) {
        case node_kind::literal: {
            const auto* b = std::get_if<bool>(&e->value);
            return b == nullptr ? always::open : *b ? always::yes : always::no;
        }
        case node_kind::or_: {
            bool never = true;
            for (const auto& a : e->args) {
                const auto x = constant(a);
                if (x == always::yes) return x;
                never = never && x == always::no;
            }
            return never ? always::no : always::open;
        }
        case node_kind::and_: {
            if (exclude({e})) return always::no;
            return std::all_of(e->args.begin(), e->args.end(), [&](const auto& a) { return constant(a) == always::yes; }) ? always::yes : always::open;
        }
        case node_kind::not_: {
            // Never yes is not always no: it may be unknown.
            return constant(e->args[0]) == always::yes ? always::no : e->args[0]->kind == node_kind::literal && constant(e->args[0]) == always::no ? always::yes : always::open;
        }
        case node_kind::aggregate:
            if (e->selectors.size() == 1 && constant(e->selectors[0].where) == always::no) {
                if (e->aggregate == aggregate::did) return always::no;
                if (e->aggregate == aggregate::never) return always::yes;
            }
            break;
        default: break;
    }
    if (const auto* inside = opened(e)) {
        const auto x = constant(*inside);
        if (x == always::no) return x;
    }
    if (const auto f = fact_of(e)) {
        const bool count = f->side->kind == node_kind::aggregate && f->side->aggregate == aggregate::count;
        if (f->values.empty()) return always::no;
        if (count) {                                        // it is never below 0
            range natural;
            natural.low = 0;
            const auto kind = f->side->selectors[0].window.kind;
            const bool known = kind == window_kind::all || kind == window_kind::last || kind == window_kind::this_unit || kind == window_kind::previous_unit;
            if (known && natural.inside(f->values)) return always::yes;
            natural.meet(f->values);
            if (natural.empty()) return always::no;
        }
    }
    return always::open;
}

bool reasoning::exclude(const std::vector<expression>& all) const {
    std::vector<expression> parts;
    for (const auto& e : all) conjuncts(e, parts, 0);
    std::vector<fact> facts;
    for (const auto& p : parts) {
        if (p->kind != node_kind::and_ && constant(p) == always::no) return true;
        if (const auto f = fact_of(p)) facts.push_back(*f);
    }
    for (std::size_t i = 0; i < facts.size(); ++i) {
        range mine = facts[i].values;
        for (std::size_t k = 0; k < facts.size(); ++k) {
            if (k == i) continue;
            if (facts[k].side.equals(facts[i].side)) mine.meet(facts[k].values);
            else if (counts_among(facts[i].side, facts[k].side) && !facts[i].values.only && !facts[k].values.only && facts[i].values.low > facts[k].values.high) return true;   // more of fewer
        }
        if (mine.empty()) return true;
    }
    for (const auto& p : parts)
        if (p->kind == node_kind::not_)
            for (const auto& q : parts) if (&p != &q && implies(q, p->args[0])) return true;
    return false;
}

bool reasoning::implies(const expression& a, const expression& b, int depth) const {
    if (depth > deepest || a.empty() || b.empty()) return false;
    if (a.equals(b) || constant(b) == always::yes) return true;
    const auto all = [&](const auto& args, auto f) { return std::all_of(args.begin(), args.end(), f); };
    const auto any = [&](const auto& args, auto f) { return std::any_of(args.begin(), args.end(), f); };
    if (b->kind == node_kind::and_) return all(b->args, [&](const auto& x) { return implies(a, x, depth + 1); });
    if (a->kind == node_kind::or_) return all(a->args, [&](const auto& x) { return implies(x, b, depth + 1); });
    if (b->kind == node_kind::or_ && any(b->args, [&](const auto& x) { return implies(a, x, depth + 1); })) return true;
    if (const auto* inside = opened(b); inside != nullptr && implies(a, *inside, depth + 1)) return true;
    std::vector<expression> parts;
    conjuncts(a, parts, 0);
    if (parts.size() > 1 && any(parts, [&](const auto& x) { return implies(x, b, depth + 1); })) return true;
    const auto wanted = fact_of(b);
    if (!wanted) return false;
    range mine;
    bool same = false;
    for (const auto& p : parts) {
        const auto f = fact_of(p);
        if (!f) continue;
        if (follows(*wanted, *f)) return true;
        if (!f->side.equals(wanted->side)) continue;
        mine.meet(f->values);
        same = true;
    }
    return same && mine.inside(wanted->values);
}

}  // namespace journeyman
