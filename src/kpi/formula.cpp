#include "kpi/formula.hpp"

#include <algorithm>
#include <cmath>

namespace journeyman::detail {

bool is_measure(const node& n) { return n.kind == node_kind::aggregate && (n.aggregate == aggregate::sum || n.aggregate >= aggregate::events); }
bool is_fixed(const node& n) { return n.aggregate == aggregate::spend || n.aggregate == aggregate::budget; }

namespace {

bool is_count(const node& n) {
    switch (n.aggregate) {
        case aggregate::events: case aggregate::contacts: case aggregate::new_: case aggregate::members:
        case aggregate::accounts: case aggregate::starters: case aggregate::converted: case aggregate::actions: return true;
        default: return false;
    }
}

/// A number, or a fixed length in seconds.
std::optional<double> literal_number(const node& n) {
    if (n.kind != node_kind::literal) return {};
    if (const auto* i = std::get_if<std::int64_t>(&n.value)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&n.value)) return *d;
    if (const auto* l = std::get_if<length>(&n.value); l != nullptr && l->is_fixed()) return static_cast<double>(l->fixed.count()) / 1e6;
    return {};
}

}  // namespace

formula::formula(expression v, bool proportion, const std::string& place, problems& out) : value_{std::move(v)} {
    if (value_.empty()) {
        out.add({"kpi.value", place, "a KPI needs a value, such as `new(purchase) / new(lead)`"});
        return;
    }
    collect(value_, place, out);
    if (proportion && !is_division()) out.add({"kpi.proportion", place, "`kind: proportion` needs one division as its whole value, such as `new(purchase) / new(lead)`"});
    proportion_ = is_division() && (proportion || is_proportion(value_));
    const bool varies = std::any_of(measures_.begin(), measures_.end(), [](const auto& m) { return !is_fixed(*m); });
    const std::vector<std::optional<double>> ones(measures_.size(), 1.0);
    needs_products_ = varies && !has(aggregate::accounts) && form(value_, ones).kind == scaled::other;
}

void formula::collect(const expression& e, const std::string& place, problems& out) {
    const node& n = *e;
    const auto where = [&] { return n.place.line == 0 ? place : place + ":" + std::to_string(n.place.line) + ":" + std::to_string(n.place.column); };
    switch (n.kind) {
        case node_kind::negate: case node_kind::add: case node_kind::subtract: case node_kind::multiply: case node_kind::divide:
            for (const auto& a : n.args) collect(a, place, out);
            return;
        case node_kind::aggregate: {
            if (!is_measure(n)) break;
            auto it = std::find_if(measures_.begin(), measures_.end(), [&](const auto& m) { return m.equals(e); });
            if (it == measures_.end()) it = measures_.insert(it, e);
            places_.emplace_back(&n, static_cast<std::size_t>(it - measures_.begin()));
            return;
        }
        default:
            if (literal_number(n)) return;
    }
    out.add({"kpi.value", where(), "`" + e.to_text() + "` is no measure of a KPI; a value is arithmetic (+ - * /) over numbers, fixed lengths and events, sum, contacts, new, members, accounts, elapsed, starters, converted, spend, budget, actions"});
}

bool formula::has(aggregate a) const {
    return std::any_of(measures_.begin(), measures_.end(), [&](const auto& m) { return m->aggregate == a; });
}

std::size_t formula::index(const expression& e) const {
    for (const auto& [n, k] : places_) if (n == e.get()) return k;
    return 0;
}

std::optional<double> formula::value(const node& n, amounts totals) const {
    if (n.kind == node_kind::literal) return literal_number(n);
    if (n.kind == node_kind::aggregate) {
        for (const auto& [at, k] : places_) if (at == &n) return totals[k];
        return {};
    }
    const auto a = value(*n.args[0], totals);
    if (n.kind == node_kind::negate) return a ? std::optional{-*a} : a;
    const auto b = value(*n.args[1], totals);
    if (!a || !b) return {};
    switch (n.kind) {
        case node_kind::add: return *a + *b;
        case node_kind::subtract: return *a - *b;
        case node_kind::multiply: return *a * *b;
        default: return *b == 0 ? std::nullopt : std::optional{*a / *b};
    }
}

/// Forward mode; only where the value is not missing.
double formula::differentiate(const node& n, amounts totals, std::span<double> gradient) const {
    if (n.kind == node_kind::literal) return *literal_number(n);
    if (n.kind == node_kind::aggregate) {
        for (const auto& [at, k] : places_) {
            if (at != &n) continue;
            if (!is_fixed(n)) gradient[k] = 1;
            return *totals[k];
        }
        return 0;
    }
    const double a = differentiate(*n.args[0], totals, gradient);
    if (n.kind == node_kind::negate) {
        for (auto& g : gradient) g = -g;
        return -a;
    }
    std::vector<double> right(gradient.size(), 0.0);
    const double b = differentiate(*n.args[1], totals, right);
    for (std::size_t k = 0; k < right.size(); ++k) {
        double& g = gradient[k];
        switch (n.kind) {
            case node_kind::add: g += right[k]; break;
            case node_kind::subtract: g -= right[k]; break;
            case node_kind::multiply: g = g * b + a * right[k]; break;
            default: g = (g - a / b * right[k]) / b;
        }
    }
    switch (n.kind) {
        case node_kind::add: return a + b;
        case node_kind::subtract: return a - b;
        case node_kind::multiply: return a * b;
        default: return a / b;
    }
}

formula::scaled formula::form(const expression& e, amounts totals) const {
    const node& n = *e;
    if (n.kind == node_kind::literal) return {scaled::constant, literal_number(n).value_or(0)};
    if (n.kind == node_kind::aggregate) {
        const auto k = index(e);
        if (is_fixed(n)) return {scaled::constant, totals[k].value_or(0)};
        return is_count(n) ? scaled{scaled::count, 1, k} : scaled{};
    }
    if (n.kind < node_kind::negate || n.kind > node_kind::divide || n.kind == node_kind::and_ || n.kind == node_kind::or_) return {};
    auto a = form(n.args[0], totals);
    if (n.kind == node_kind::negate) { a.factor = -a.factor; return a; }
    auto b = form(n.args[1], totals);
    if (n.kind == node_kind::multiply && b.kind != scaled::constant) std::swap(a, b);
    if (a.kind == scaled::constant && b.kind == scaled::constant) {
        switch (n.kind) {
            case node_kind::add: return {scaled::constant, a.factor + b.factor};
            case node_kind::subtract: return {scaled::constant, a.factor - b.factor};
            case node_kind::multiply: return {scaled::constant, a.factor * b.factor};
            default: return {scaled::constant, a.factor / b.factor};
        }
    }
    if (b.kind == scaled::constant && (n.kind == node_kind::multiply || n.kind == node_kind::divide)) {
        a.factor = n.kind == node_kind::multiply ? a.factor * b.factor : a.factor / b.factor;
        return a;
    }
    if (a.kind == scaled::constant && b.kind == scaled::count && n.kind == node_kind::divide) return {scaled::inverse, a.factor / b.factor, b.measure};
    return {};
}

std::optional<interval> formula::bounds(amounts totals, const totals_source& sums, std::size_t contacts, count_intervals& of_counts) const {
    const double level = of_counts.level();
    const auto v = value(totals);
    if (!v) return {};
    if (proportion_) {
        const double part = *numerator(totals), whole = *denominator(totals);
        if (part >= 0 && whole > 0 && part <= whole) return wilson(part, whole, level);
    }
    if (const auto f = form(value_, totals); f.kind == scaled::constant) {
        return interval{*v, *v};
    } else if (f.kind != scaled::other) {
        auto i = of_counts.of(*totals[f.measure]);
        if (f.kind == scaled::inverse) i = {1 / i.high, 1 / i.low};
        i = {f.factor * i.low, f.factor * i.high};
        if (i.low > i.high) std::swap(i.low, i.high);
        return i;
    }
    if (contacts < 2 || has(aggregate::accounts)) return {};
    // Reading 7: d_i = Σ_j g_j x_ij, so Σ d_i = Σ_j g_j T_j and Σ d_i² = Σ_jk g_j g_k Σ_i x_ij x_ik.
    std::vector<double> gradient(measures_.size(), 0.0);
    differentiate(*value_, totals, gradient);
    long double sum = 0, squares = 0;
    for (std::size_t j = 0; j < gradient.size(); ++j) {
        if (gradient[j] == 0) continue;
        sum += static_cast<long double>(gradient[j]) * *totals[j];
        for (std::size_t k = 0; k < gradient.size(); ++k)
            if (gradient[k] != 0) squares += static_cast<long double>(gradient[j]) * gradient[k] * sums.product(j, k);
    }
    const auto n = static_cast<long double>(contacts);
    const long double variance = n / (n - 1) * std::max(0.0L, squares - sum * sum / n);
    const double half = two_sided_quantile(level) * static_cast<double>(std::sqrt(variance));
    return interval{*v - half, *v + half};
}

// ---- proportions by form

namespace {

/// `e ≥ bound` or `e ≤ bound`, strictly or not.
struct bound {
    expression of;
    bool lower = true, strict = false;
    double at = 0;
};

std::optional<double> constant_of(const expression& e) {
    if (const auto x = literal_number(*e)) return x;
    if (e->kind == node_kind::negate)
        if (const auto x = literal_number(*e->args[0])) return -*x;
    if (e->kind != node_kind::literal) return {};
    const auto* s = std::get_if<std::string>(&e->value);
    if (s == nullptr) return {};
    day d;
    if (parse_day(*s, d)) return static_cast<double>(d.time_since_epoch().count());
    return {};
}

std::optional<bound> bound_of(const expression& e) {
    const node& n = *e;
    bound b;
    if (n.kind == node_kind::aggregate && n.aggregate == aggregate::did) {
        node count = n;
        count.aggregate = aggregate::count;
        count.depth = count.size = 1;
        return bound{make(std::move(count)), true, false, 1};
    }
    if (n.kind < node_kind::less || n.kind > node_kind::greater_equal) return {};
    bool flipped = false;
    auto at = constant_of(n.args[1]);
    if (!at) { at = constant_of(n.args[0]); flipped = true; }
    if (!at) return {};
    b.of = n.args[flipped ? 1 : 0];
    b.at = *at;
    b.lower = (n.kind == node_kind::greater || n.kind == node_kind::greater_equal) != flipped;
    b.strict = n.kind == node_kind::less || n.kind == node_kind::greater;
    if (b.of->kind == node_kind::aggregate && (b.of->aggregate == aggregate::count || b.of->aggregate == aggregate::distinct)) {   // whole numbers
        b.at = b.lower ? (b.strict ? std::floor(b.at) + 1 : std::ceil(b.at)) : (b.strict ? std::ceil(b.at) - 1 : std::floor(b.at));
        b.strict = false;
    }
    return b;
}

bool follows(const expression& from, const expression& wanted) {
    if (from.equals(wanted)) return true;
    const auto p = bound_of(from), q = bound_of(wanted);
    if (!p || !q || p->lower != q->lower || !p->of.equals(q->of)) return false;
    if (p->at == q->at) return p->strict || !q->strict;
    return p->lower ? p->at > q->at : p->at < q->at;
}

std::vector<expression> conjuncts(const expression& e) {
    if (e->kind == node_kind::and_) return e->args;
    return {e};
}

}  // namespace

bool is_proportion(const expression& v) {
    if (v.empty() || v->kind != node_kind::divide) return false;
    const node &a = *v->args[0], &b = *v->args[1];
    if (a.kind != node_kind::aggregate || b.kind != node_kind::aggregate) return false;
    if (a.aggregate == aggregate::converted && b.aggregate == aggregate::starters)
        return a.within == b.within && !a.selectors.empty() && !b.selectors.empty() && selector{a.selectors[0]}.equals(selector{b.selectors[0]});
    if (a.aggregate != aggregate::members || b.aggregate != aggregate::members || a.args.empty() || b.args.empty()) return false;
    const auto all = conjuncts(a.args[0]), wanted = conjuncts(b.args[0]);
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& q) { return std::any_of(all.begin(), all.end(), [&](const auto& p) { return follows(p, q); }); });
}

}  // namespace journeyman::detail
