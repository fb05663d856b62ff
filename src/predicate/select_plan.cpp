// From the tree to passes: which clauses read columns, over which rows, in which order.

#include "predicate/select_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "predicate/compare.hpp"

namespace journeyman::detail {

namespace {

node_kind flipped(node_kind k) {
    switch (k) {
        case node_kind::less: return node_kind::greater;
        case node_kind::less_equal: return node_kind::greater_equal;
        case node_kind::greater: return node_kind::less;
        case node_kind::greater_equal: return node_kind::less_equal;
        default: return k;
    }
}

bool is_comparison(node_kind k) { return k >= node_kind::equal && k <= node_kind::greater_equal; }

class planner {
public:
    planner(const program& p, const history_data& h, instant at) : p_{p}, h_{h}, at_{at} {}

    clause plan(node_id id) const {
        const auto& n = p_.nodes[id];
        clause c;
        switch (n.kind) {
            case node_kind::and_: c = parts(n, clause::form::all_of); break;
            case node_kind::or_: c = parts(n, clause::form::any_of); break;
            case node_kind::not_: c = one(arg(n, 0), clause::form::inverse); break;
            case node_kind::call:
                if (n.function == function::segment) c = one(n.slot, clause::form::known);
                break;
            case node_kind::between: c = between(n); break;
            case node_kind::in:
            case node_kind::not_in: c = among(n); break;
            case node_kind::aggregate:
            case node_kind::attribute:
                if (n.aggregate == aggregate::sequence) {
                    c = sequence(n);
                } else if (auto t = term(id); t && t->type == value_type::boolean) {
                    c.what = clause::form::holds;
                    c.term = std::move(*t);
                }
                break;
            default:
                if (is_comparison(n.kind)) c = comparison(n.kind, arg(n, 0), arg(n, 1));
        }
        c.node = id;
        c.cost = cost(c);
        return c;
    }

private:
    [[nodiscard]] node_id arg(const compiled_node& n, std::uint32_t k) const { return p_.arguments[n.args + k]; }
    [[nodiscard]] bool literal(node_id id) const {
        const auto& n = p_.nodes[id];
        return n.kind == node_kind::literal && !n.constant.is_missing() && n.span.months == 0;
    }

    clause parts(const compiled_node& n, clause::form f) const {
        clause c;
        c.what = f;
        for (std::uint32_t k = 0; k < n.count; ++k) c.parts.push_back(plan(arg(n, k)));
        std::stable_sort(c.parts.begin(), c.parts.end(), [](const clause& a, const clause& b) { return a.cost < b.cost; });
        return c;
    }
    clause one(node_id id, clause::form f) const {
        clause c;
        c.what = f;
        c.parts.push_back(plan(id));
        return c;
    }
    clause comparison(node_kind k, node_id a, node_id b) const {
        clause c;
        if (literal(a)) {
            std::swap(a, b);
            k = flipped(k);
        }
        auto t = literal(b) ? term(a) : std::nullopt;
        if (!t) return c;
        c.what = clause::form::compare;
        c.op = k;
        c.constant = p_.nodes[b].constant;
        c.term = std::move(*t);
        turn_round(c);
        if (c.constant.type == value_type::text) c.numbers = numbers(c.term.narrow, {static_cast<std::uint32_t>(c.constant.i)});
        return c;
    }
    /// `now - last_time(x) > D` asks for an instant before `now - D`.
    void turn_round(clause& c) const {
        std::int64_t bound = 0, unused = 0;
        const std::int64_t t = at_.time_since_epoch().count();
        if (!c.term.from_now || c.term.of_attribute || c.term.aggregate > aggregate::last_time || c.constant.type != value_type::duration || c.term.rows.times == nullptr) return;
        if (c.term.aggregate != aggregate::first_time && c.term.aggregate != aggregate::last_time) return;
        const auto& times = *c.term.rows.times;
        if (__builtin_sub_overflow(t, c.constant.i, &bound) || __builtin_sub_overflow(t, times.first, &unused) || __builtin_sub_overflow(t, times.last, &unused)) return;
        c.term.from_now = false;
        c.term.type = value_type::instant;
        c.op = flipped(c.op);
        c.constant = value::of(value_type::instant, bound);
    }
    static std::shared_ptr<const narrow_codes> few_texts(const column* cells) {
        if (cells == nullptr || cells->type() != value_type::text || cells->size() == 0) return {};
        auto found = journeyman::narrow(*cells);
        return found->fits ? found : nullptr;
    }
    static std::vector<std::uint8_t> numbers(const std::shared_ptr<const narrow_codes>& of, const std::vector<std::uint32_t>& texts) {
        std::vector<std::uint8_t> out;
        if (of == nullptr) return out;
        for (const auto text : texts) if (const int k = of->find(text); k >= 0) out.push_back(static_cast<std::uint8_t>(k));
        return out;
    }
    clause between(const compiled_node& n) const {
        clause c, low = comparison(node_kind::greater_equal, arg(n, 0), arg(n, 1)), high = comparison(node_kind::less_equal, arg(n, 0), arg(n, 2));
        if (low.what == clause::form::plain || high.what == clause::form::plain) return c;
        c.what = clause::form::all_of;
        c.parts.push_back(std::move(low));
        c.parts.push_back(std::move(high));
        return c;
    }
    /// The codes of a list of text literals.
    [[nodiscard]] std::optional<std::vector<std::uint32_t>> texts(node_id list) const {
        const auto& n = p_.nodes[list];
        if (n.kind != node_kind::list) return {};
        std::vector<std::uint32_t> out;
        for (std::uint32_t k = 0; k < n.count; ++k) {
            if (!literal(arg(n, k)) || p_.nodes[arg(n, k)].constant.type != value_type::text) return {};
            out.push_back(static_cast<std::uint32_t>(p_.nodes[arg(n, k)].constant.i));
        }
        return out;
    }
    clause among(const compiled_node& n) const {
        clause c;
        auto t = term(arg(n, 0));
        auto codes = texts(arg(n, 1));
        if (!t || !codes || t->type != value_type::text) return c;
        c.what = clause::form::among;
        c.term = std::move(*t);
        c.codes = std::move(*codes);
        c.numbers = numbers(c.term.narrow, c.codes);
        if (n.kind == node_kind::in) return c;
        clause out;
        out.what = clause::form::inverse;
        c.node = none;
        out.parts.push_back(std::move(c));
        return out;
    }
    clause sequence(const compiled_node& n) const {
        clause c;
        if (n.span.months != 0) return c;
        std::vector<row_choice> steps;
        for (std::uint32_t k = 0; k < n.slots; ++k) {
            const auto& s = p_.selectors[n.slot + k];
            auto rows = s.without == none && s.window.kind == window_kind::all ? choice(s) : std::nullopt;
            if (!rows) return c;
            steps.push_back(std::move(*rows));
        }
        c.what = clause::form::sequence;
        c.steps = std::move(steps);
        if (n.span.fixed.count() != 0) c.within = n.span.fixed.count();
        return c;
    }

    // ---- terms
    [[nodiscard]] std::optional<pass_term> term(node_id id) const {
        const auto& n = p_.nodes[id];
        if (n.kind == node_kind::subtract && p_.nodes[arg(n, 0)].kind == node_kind::now) {
            auto t = term(arg(n, 1));
            if (!t || t->type != value_type::instant || t->from_now) return {};
            t->from_now = true;
            t->type = value_type::duration;
            return t;
        }
        if (n.kind == node_kind::attribute) return attribute(n);
        if (n.kind == node_kind::aggregate && n.aggregate <= aggregate::never) return folded(n);
        return {};
    }
    [[nodiscard]] std::optional<pass_term> attribute(const compiled_node& n) const {
        pass_term t;
        t.of_attribute = true;
        t.attribute = h_.contact_attribute(p_.attributes[n.slot].name);
        t.type = t.attribute == nullptr ? n.type : t.attribute->type;
        if (t.type != n.type) return {};
        if (t.attribute != nullptr && t.attribute->rows.rows() == 0) t.narrow = few_texts(&t.attribute->base);
        return t;
    }
    [[nodiscard]] std::optional<pass_term> folded(const compiled_node& n) const {
        const auto& s = p_.selectors[n.slot];
        auto rows = choice(s);
        if (!rows) return {};
        pass_term t;
        t.rows = std::move(*rows);
        t.aggregate = n.aggregate;
        t.type = value_type::integer;
        if (s.property != none) {
            t.property = t.rows.stream->properties.find(p_.properties[s.property]);
            if (t.property == nullptr || t.property->type() != s.property_type) return {};
            t.narrow = few_texts(t.property);
        }
        switch (n.aggregate) {
            case aggregate::count: break;
            case aggregate::did:
            case aggregate::never: t.type = value_type::boolean; break;
            case aggregate::first_time:
            case aggregate::last_time: t.type = value_type::instant; break;
            case aggregate::distinct:
                if (t.property == nullptr || t.property->type() != value_type::text) return {};
                break;
            case aggregate::first:
            case aggregate::last:
                if (t.property == nullptr) return {};
                t.type = t.property->type();
                break;
            case aggregate::sum:
                if (t.property == nullptr || !(is_number(t.property->type()) || t.property->type() == value_type::duration)) return {};
                t.type = t.property->type();
                break;
            default: return {};
        }
        if (s.without == none) return t;
        const auto& o = p_.selectors[s.without];
        if ((n.aggregate != aggregate::did && n.aggregate != aggregate::never && n.aggregate != aggregate::count) || (s.without_within && !s.without_within->is_fixed())) return {};
        auto other = o.window.kind == window_kind::all && o.without == none ? choice(o) : std::nullopt;
        if (!other) return {};
        crossing x{std::move(*other)};
        x.key = t.rows.stream->properties.find(p_.properties[s.without_on]);
        x.other_key = x.other.stream->properties.find(p_.properties[s.without_on]);
        if (x.key == nullptr || x.other_key == nullptr || x.key->type() != x.other_key->type() || storage(x.key->type()) == kind::other) return {};
        if (s.without_within) {
            x.within = s.without_within->fixed.count();
            if (x.within < 0) return {};
            t.rows.until = std::min(t.rows.until, add_saturated(at_, microseconds{1 - x.within}).time_since_epoch().count());   // before, it does not count yet
        }
        t.without = std::move(x);
        return t;
    }
    enum class kind : std::uint8_t { codes, integers, other };
    static kind storage(value_type t) {
        if (t == value_type::text) return kind::codes;
        return t == value_type::boolean || t == value_type::decimal || t == value_type::text_list || t == value_type::missing ? kind::other : kind::integers;
    }

    // ---- rows
    [[nodiscard]] std::optional<std::int64_t> moment(node_id id) const {
        if (!literal(id)) return {};
        const value v = p_.nodes[id].constant;
        if (v.type == value_type::instant) return v.i;
        if (v.type == value_type::day) return start_of(v.as_day(), *p_.zone).time_since_epoch().count();
        return {};
    }
public:
    [[nodiscard]] std::optional<row_choice> choice(const compiled_selector& s) const {
        static const event_stream nothing{};
        if (s.streams.size() != 1) return {};
        row_choice c;
        c.stream = h_.stream(p_.streams[s.streams[0]]);
        if (c.stream == nullptr) c.stream = &nothing;
        c.until = add_saturated(at_, microseconds{1}).time_since_epoch().count();
        const auto& w = s.window;
        const auto count = [](instant t) { return t.time_since_epoch().count(); };
        switch (w.kind) {
            case window_kind::all: break;
            case window_kind::last:
                if (!w.last.is_fixed()) return {};
                c.from = count(add_saturated(add_saturated(at_, -w.last.fixed), microseconds{1}));
                break;
            case window_kind::since:
            case window_kind::before:
            case window_kind::between:
                if (w.kind != window_kind::before) {
                    const auto from = moment(w.from);
                    if (!from) return {};
                    c.from = *from;
                }
                if (w.kind != window_kind::since) {
                    const auto to = moment(w.to);
                    if (!to) return {};
                    c.until = std::min(c.until, *to);
                }
                break;
            case window_kind::this_unit: c.from = count(start_of(w.unit, at_, *p_.zone, p_.weeks)); break;
            case window_kind::previous_unit:
                c.from = count(start_of_next(w.unit, at_, *p_.zone, -1, p_.weeks));
                c.until = std::min(c.until, count(start_of(w.unit, at_, *p_.zone, p_.weeks)));
                break;
            default: return {};
        }
        if (s.where != none && !tests(s.where, c)) return {};
        if (c.stream->rows.rows() > 0) c.times = journeyman::narrow(c.stream->rows);
        return c;
    }

private:
    bool tests(node_id id, row_choice& c) const {
        const auto& n = p_.nodes[id];
        if (n.kind == node_kind::and_) {
            for (std::uint32_t k = 0; k < n.count; ++k) if (!tests(arg(n, k), c)) return false;
            return true;
        }
        row_test t;
        node_id a = n.count > 0 ? arg(n, 0) : none, b = n.count > 1 ? arg(n, 1) : none;
        if (a == none || b == none) return false;
        t.op = n.kind;
        if (is_comparison(n.kind)) {
            if (literal(a)) {
                std::swap(a, b);
                t.op = flipped(t.op);
            }
            if (!literal(b)) return false;
            t.constant = p_.nodes[b].constant;
        } else if (n.kind == node_kind::in) {
            auto codes = texts(b);
            if (!codes) return false;
            t.codes = std::move(*codes);
        } else {
            return false;
        }
        if (p_.nodes[a].kind != node_kind::property) return false;
        t.cells = c.stream->properties.find(p_.properties[p_.nodes[a].slot]);
        if (n.kind == node_kind::in && t.cells != nullptr && t.cells->type() != value_type::text) return false;
        const bool equals = n.kind == node_kind::equal || n.kind == node_kind::not_equal;
        if (n.kind == node_kind::in || (equals && t.constant.type == value_type::text)) {
            t.narrow = few_texts(t.cells);
            t.numbers = numbers(t.narrow, equals ? std::vector{static_cast<std::uint32_t>(t.constant.i)} : t.codes);
        }
        c.where.push_back(std::move(t));
        return true;
    }

    // ---- order: what is read for one contact, roughly in nanoseconds
    [[nodiscard]] double rows_cost(const row_choice& c) const {
        const double each = static_cast<double>(c.stream->rows.rows()) / static_cast<double>(std::max<std::size_t>(h_.contacts.size(), 1));
        return 2 + std::min(each, 12.0) + (c.where.empty() ? 0 : each);
    }
    [[nodiscard]] double cost(const clause& c) const {
        double sum = 0;
        for (const auto& x : c.parts) sum += x.cost;
        for (const auto& s : c.steps) sum += 2 * rows_cost(s);
        if (c.what == clause::form::plain) return 1000;
        if (c.what != clause::form::compare && c.what != clause::form::among && c.what != clause::form::holds) return sum;
        if (c.term.of_attribute) return c.term.attribute != nullptr && c.term.attribute->rows.rows() != 0 ? 20 : 1;
        const double folds = c.term.property != nullptr && c.term.aggregate != aggregate::first && c.term.aggregate != aggregate::last ? 2 : 1;
        return rows_cost(c.term.rows) * folds * (c.term.without ? 4 : 1);
    }

    const program& p_;
    const history_data& h_;
    instant at_;
};

}  // namespace

bool row_test::yes(const program& p, std::size_t row) const {
    if (cells == nullptr || !cells->present(row)) return false;
    if (op == node_kind::in) return std::find(codes.begin(), codes.end(), cells->codes()[row]) != codes.end();
    if (cells->type() == value_type::text && constant.type == value_type::text) {
        if (op == node_kind::equal) return cells->codes()[row] == static_cast<std::uint32_t>(constant.i);
        if (op == node_kind::not_equal) return cells->codes()[row] != static_cast<std::uint32_t>(constant.i);
    }
    return compare_values(p, op, cells->at(row), constant) == truth::yes;
}

bool clause::same(const clause& o) const {
    if (what != o.what || (what == form::plain && node != o.node) || op != o.op || within != o.within || !(constant == o.constant) || codes != o.codes || !(term == o.term) || !(steps == o.steps)) return false;
    return std::equal(parts.begin(), parts.end(), o.parts.begin(), o.parts.end(), [](const clause& a, const clause& b) { return a.same(b); });
}

std::uint32_t find_shared(std::vector<clause>& roots) {
    std::unordered_map<std::uint64_t, std::vector<clause*>> met;   // by something that is equal of equals
    std::uint32_t n = 0;
    const auto look = [&](const auto& self, clause& c) -> void {
        for (auto& x : c.parts) self(self, x);
        const auto of = [](const void* p) { return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p)); };
        std::uint64_t key = static_cast<std::uint64_t>(c.what);
        for (const std::uint64_t x : {c.parts.size(), of(c.term.rows.stream), of(c.term.attribute), of(c.term.property), static_cast<std::uint64_t>(c.term.rows.from), static_cast<std::uint64_t>(c.constant.i),
                                      c.what == clause::form::plain ? std::uint64_t{c.node} : 0, c.steps.size()})
            key = (key ^ x) * 0x9e3779b97f4a7c15U;
        for (clause* other : met[key]) {
            if (!other->same(c)) continue;
            if (other->shared == none) other->shared = n++;
            c.shared = other->shared;
            return;
        }
        met[key].push_back(&c);
    };
    for (auto& c : roots) look(look, c);
    return n;
}

std::optional<row_choice> plan_rows(const program& p, const history_data& h, const compiled_selector& s, instant at) { return planner{p, h, at}.choice(s); }

clause plan_passes(const program& p, const history_data& h, node_id id, instant at) { return planner{p, h, at}.plan(id); }

}  // namespace journeyman::detail
