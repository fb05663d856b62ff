// The tree: literals, the one form every tree is brought to, limits, equality.

#include "journeyman/predicate/expression.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <ostream>

#include "predicate/expression_words.hpp"

namespace journeyman {
namespace {

using detail::aggregate_shape;

[[noreturn]] void refuse(const char* code, const node& n, std::string message) { throw error{code, detail::to_text(n.place), std::move(message)}; }
[[noreturn]] void refuse_shape(const node& n, std::string message) { refuse("predicate.shape", n, std::move(message)); }

void check_text(const char* what, std::string_view s, source_place place)
{
    if (detail::find_bad_utf8(s) != std::string_view::npos) {
        throw error{"predicate.encoding", detail::to_text(place), std::string{what} + " is not UTF-8."};
    }
}

void check_name(const char* what, std::string_view s, source_place place)
{
    if (s.empty()) {
        throw error{"predicate.name", detail::to_text(place), std::string{"An empty name cannot be that of "} + what + "."};
    }
    check_text("A name", s, place);
}

constexpr bool agree(const length& d) { return (d.months >= 0 && d.fixed.count() >= 0) || (d.months <= 0 && d.fixed.count() <= 0); }

/// A literal that has a text form of its own: any other scalar is turned into such, here or by `expression::literal`.
void check_literal(const node& n)
{
    if (const auto* const d = std::get_if<double>(&n.value); d != nullptr && !std::isfinite(*d)) {
        refuse("predicate.value", n, "A number must be finite.");
    } else if (const auto* const i = std::get_if<std::int64_t>(&n.value); i != nullptr && *i == std::numeric_limits<std::int64_t>::min()) {
        refuse("predicate.value", n, "A number is too large for an integer; write it as a decimal, with `.0`.");   // no text could say it: its sign is an operator
    } else if (const auto* const s = std::get_if<std::string>(&n.value)) {
        check_text("A text", *s, n.place);
    } else if (const auto* const l = std::get_if<length>(&n.value)) {
        if (l->fixed == microseconds::min() || l->months == std::numeric_limits<std::int32_t>::min()) {
            refuse("predicate.value", n, "A length of time is out of range.");
        }
    }
}

std::optional<scalar> negated(const scalar& literal)
{
    if (const auto* const i = std::get_if<std::int64_t>(&literal)) {
        return scalar{-*i};   // never the least integer: `check_literal` refuses it
    }
    if (const auto* const d = std::get_if<double>(&literal)) {
        return scalar{-*d};
    }
    if (const auto* const l = std::get_if<length>(&literal)) {
        return scalar{-*l};
    }
    return std::nullopt;
}

void flatten(node& n)
{
    const auto same = [&](const expression& e) { return e->kind == n.kind; };
    if (std::none_of(n.args.begin(), n.args.end(), same)) {
        return;
    }
    std::size_t total = 0;   // before memory is taken
    for (const auto& a : n.args) {
        total += same(a) ? a->args.size() : 1;
    }
    if (total > max_nodes) {
        refuse("predicate.limit", n, "An expression may have 10,000 nodes.");
    }
    std::vector<expression> flat;
    flat.reserve(total);
    for (auto& a : n.args) {
        if (same(a)) {
            flat.insert(flat.end(), a->args.begin(), a->args.end());
        } else {
            flat.push_back(std::move(a));
        }
    }
    n.args = std::move(flat);
}

void check_count(const node& n, std::string_view word, std::size_t least, std::size_t most)
{
    if (n.args.size() >= least && n.args.size() <= most) {
        return;
    }
    const std::string wanted = least == most ? std::to_string(least) : most >= detail::any_number ? "at least " + std::to_string(least) : std::to_string(least) + " or " + std::to_string(most);
    refuse_shape(n, "`" + std::string{word} + "` takes " + wanted + (wanted == "1" ? " operand" : " operands") + ", not " + std::to_string(n.args.size()) + ".");
}

void check_call(const node& n)
{
    const auto& word = detail::word_of(n.function);
    const std::string name{word.name};
    check_count(n, name, word.least, word.most == detail::any_number ? max_nodes : word.most);
    const auto* const text = n.args[0]->kind == node_kind::literal ? std::get_if<std::string>(&n.args[0]->value) : nullptr;
    switch (word.takes) {
    case detail::takes::values: break;
    case detail::takes::name:
        if (text == nullptr) {
            refuse_shape(n, "`" + name + "` takes a name in double quotes: `" + name + "(\"…\")`.");
        }
        break;
    case detail::takes::attribute:
        if (n.args[0]->kind != node_kind::attribute && n.args[0]->kind != node_kind::account_attribute) {
            refuse_shape(n, "`" + name + "` takes an attribute.");
        }
        break;
    case detail::takes::unit_and_value:
        if (text == nullptr || !detail::find_unit(*text)) {
            refuse_shape(n, "`" + name + "` takes a unit first: day, week, month, quarter or year.");
        }
        break;
    }
}

void check_aggregate(const node& n)
{
    const auto& word = detail::word_of(n.aggregate);
    const std::string name = "`" + std::string{word.name} + "`";
    const bool sequence = word.shape == aggregate_shape::sequence;
    if (sequence ? n.selectors.size() < word.selectors : n.selectors.size() != word.selectors) {
        refuse_shape(n, name + " takes " + (sequence ? "at least two selectors" : word.selectors == 1 ? "one selector" : word.selectors == 2 ? "two selectors" : "no selector") + ".");
    }
    check_count(n, word.name, word.shape == aggregate_shape::predicate ? 1 : 0, word.shape == aggregate_shape::predicate || word.shape == aggregate_shape::filter ? 1 : 0);
    for (const auto& s : n.selectors) {
        detail::check(s);
        if (word.shape == aggregate_shape::values && s.property.empty()) {
            refuse_shape(n, name + " needs a property: `" + std::string{word.name} + "(event.property)`.");
        }
        if (word.shape != aggregate_shape::values && !s.property.empty()) {
            refuse_shape(n, name + " looks at events, not at the property `" + s.property + "`; to count those that have it, use `where exists(…)`.");
        }
    }
    const bool cohort = word.shape == aggregate_shape::cohort;
    if (cohort && !n.within) {
        refuse_shape(n, name + " needs `within` and a length of time.");
    }
    if (n.within && !cohort && !sequence) {
        refuse_shape(n, name + " takes no `within`.");
    }
    if (n.within && !(agree(*n.within) && n.within->is_positive())) {
        refuse("predicate.window", n, "`within` needs a length of time above zero.");
    }
}

/// Brings the node to its one form. A value is returned when the form is another node.
std::optional<expression> normalise(node& n)
{
    for (const auto& a : n.args) {
        if (a.empty()) {
            refuse_shape(n, "An operand is missing.");
        }
        if (a->kind == node_kind::literal && std::holds_alternative<std::monostate>(a->value)) {
            refuse_shape(n, "Nothing equals what is missing; ask `missing(x)` or `exists(x)`.");
        }
    }
    const auto* const op = detail::operator_of(n.kind);
    const std::string_view word = op == nullptr ? std::string_view{} : op->text;
    if (n.kind != node_kind::literal) {
        n.value = {};
    }
    if (n.kind != node_kind::call) {
        n.function = {};
    }
    if (n.kind != node_kind::aggregate) {
        n.aggregate = {};
        n.selectors.clear();
        n.within.reset();
    }
    switch (n.kind) {
    case node_kind::attribute: case node_kind::account_attribute: case node_kind::property: case node_kind::trigger_property:
        check_name(n.kind == node_kind::property || n.kind == node_kind::trigger_property ? "a property" : "an attribute", n.name, n.place);
        n.args.clear();
        return std::nullopt;
    default: n.name.clear();
    }
    switch (n.kind) {
    case node_kind::literal: {
        n.args.clear();
        const auto* const l = std::get_if<length>(&n.value);
        if (n.value.index() > 3 && !std::holds_alternative<std::string>(n.value) && !(l != nullptr && agree(*l))) {
            return expression::literal(std::move(n.value));
        }
        check_literal(n);
        return std::nullopt;
    }
    case node_kind::list:
        for (const auto& a : n.args) {
            if (a->kind != node_kind::literal) {
                refuse_shape(*a, "A list holds literals.");
            }
        }
        return std::nullopt;
    case node_kind::now: case node_kind::event_time: case node_kind::event_name: n.args.clear(); return std::nullopt;
    case node_kind::not_: check_count(n, word, 1, 1); return std::nullopt;
    case node_kind::negate:
        check_count(n, "-", 1, 1);
        if (n.args[0]->kind == node_kind::literal) {
            if (auto value = negated(n.args[0]->value)) {
                node folded;
                folded.value = std::move(*value);
                folded.place = n.place;
                return make(std::move(folded));
            }
        }
        return std::nullopt;
    case node_kind::and_: case node_kind::or_:
        flatten(n);
        if (n.args.size() == 1) {
            return n.args[0];
        }
        return std::nullopt;
    case node_kind::between: check_count(n, word, 3, 3); return std::nullopt;
    case node_kind::call: check_call(n); return std::nullopt;
    case node_kind::aggregate: check_aggregate(n); return std::nullopt;
    default: check_count(n, word, 2, 2); return std::nullopt;
    }
}

struct extent {
    std::uint32_t depth = 0;
    std::uint64_t size = 0;   // of any number of operands: no sum wraps
    void add(const expression& e)
    {
        if (!e.empty()) {
            depth = std::max(depth, e->depth);
            size += e->size;
        }
    }
    void add(const selector_data& s)
    {
        ++size;
        add(s.where);
        add(s.window.from);
        add(s.window.to);
        if (s.without != nullptr) {
            add(*s.without);
        }
    }
    void check(source_place place) const
    {
        if (depth + 1 > max_depth) {
            throw error{"predicate.limit", detail::to_text(place), "An expression may be nested 64 deep. Name its parts as segments, or join them with `and` and `or` on one level."};
        }
        if (size + 1 > max_nodes) {
            throw error{"predicate.limit", detail::to_text(place), "An expression may have 10,000 nodes. Put long lists of values into an attribute."};
        }
    }
};

bool same(const scalar& a, const scalar& b)
{
    const auto* const x = std::get_if<double>(&a);
    const auto* const y = std::get_if<double>(&b);
    if (x != nullptr && y != nullptr) {
        return std::bit_cast<std::int64_t>(*x) == std::bit_cast<std::int64_t>(*y);
    }
    return a == b;
}

bool same(const expression& a, const expression& b) { return a.equals(b); }

bool same(const window& a, const window& b)
{
    return a.kind == b.kind && a.last == b.last && a.unit == b.unit && a.step == b.step && same(a.from, b.from) && same(a.to, b.to);
}

bool same(const selector_data& a, const selector_data& b)
{
    return a.event == b.event && a.prefix == b.prefix && a.property == b.property && a.without_on == b.without_on && a.without_within == b.without_within &&
           (a.without == nullptr) == (b.without == nullptr) && same(a.where, b.where) && same(a.window, b.window) &&
           (a.without == nullptr || same(*a.without, *b.without));
}

}  // namespace

expression make(node n)
{
    if (auto other = normalise(n)) {
        return *other;
    }
    extent e;
    for (const auto& a : n.args) {
        e.add(a);
    }
    for (const auto& s : n.selectors) {
        e.add(s);
    }
    e.check(n.place);
    n.depth = e.depth + 1;
    n.size = static_cast<std::uint32_t>(e.size) + 1;
    return expression{std::make_shared<const node>(std::move(n))};
}

void detail::check(const selector_data& d, bool as_without)
{
    const std::string place = detail::to_text(d.place);
    if (!d.prefix) {
        check_name("an event", d.event, d.place);
    }
    check_text("A name", d.event, d.place);
    if (d.prefix && d.event.ends_with('\\')) {
        throw error{"predicate.name", place, "The names of a prefix cannot begin with a text that ends in `\\`: `\\*` is a real star."};
    }
    check_text("A name", d.property, d.place);
    check_text("A name", d.without_on, d.place);
    check_text("A name", d.window.step, d.place);
    if (as_without && (d.without != nullptr || !d.property.empty() || d.window.kind != window_kind::all)) {
        throw error{"predicate.shape", place, "The event after `without` takes a `where` alone; the window of the first event counts."};
    }
    if (d.without != nullptr) {
        check(*d.without, true);
        check_name("the property after `on`", d.without_on, d.place);
        if (d.without_within && !(agree(*d.without_within) && d.without_within->is_positive())) {
            throw error{"predicate.window", place, "`within` needs a length of time above zero."};
        }
    } else if (!d.without_on.empty() || d.without_within) {
        throw error{"predicate.shape", place, "`on` and `within` belong to a `without`."};
    }
    const auto& w = d.window;
    const bool from = w.kind == window_kind::since || w.kind == window_kind::between;
    const bool to = w.kind == window_kind::before || w.kind == window_kind::between;
    if (w.from.empty() == from || w.to.empty() == to) {
        throw error{"predicate.shape", place, "A window lacks a bound, or has one too many."};
    }
    if (w.kind == window_kind::last ? !(agree(w.last) && w.last.is_positive()) : w.last != length{}) {
        throw error{"predicate.window", place, "`last` needs a length of time above zero."};
    }
    if (w.kind == window_kind::since_step && w.step.empty()) {
        throw error{"predicate.name", place, "An empty name cannot be that of a step."};
    }
    extent e;
    e.add(d);
    e.check(d.place);
}

// ---- literals

expression expression::literal(scalar s)
{
    node n;
    if (const auto* const t = std::get_if<instant>(&s)) {
        n.value = journeyman::to_text(*t);
    } else if (const auto* const d = std::get_if<day>(&s)) {
        n.value = journeyman::to_text(*d);
    } else if (const auto* const m = std::get_if<money>(&s)) {
        n.value = static_cast<double>(m->minor) / static_cast<double>(minor_units);
    } else if (auto* const items = std::get_if<std::vector<std::string>>(&s)) {
        if (items->size() >= max_nodes) {
            throw error{"predicate.limit", "", "An expression may have 10,000 nodes. Put long lists of values into an attribute."};
        }
        n.kind = node_kind::list;
        for (auto& i : *items) {
            n.args.push_back(literal(std::move(i)));
        }
    } else if (const auto* const l = std::get_if<length>(&s); l != nullptr && !agree(*l)) {
        n.kind = node_kind::subtract;
        n.args = {literal(length{l->months, microseconds{0}}), literal(length{0, microseconds{-l->fixed.count()}})};
    } else {
        n.value = std::move(s);
    }
    return make(std::move(n));
}

expression::expression(bool b) : expression(literal(scalar{b})) {}
expression::expression(double d) : expression(literal(scalar{d})) {}
expression::expression(const char* text) : expression(literal(scalar{std::string{text}})) {}
expression::expression(std::string text) : expression(literal(scalar{std::move(text)})) {}
expression::expression(std::string_view text) : expression(literal(scalar{std::string{text}})) {}
expression::expression(instant t) : expression(literal(scalar{t})) {}
expression::expression(day d) : expression(literal(scalar{d})) {}
expression::expression(length d) : expression(literal(scalar{d})) {}
expression::expression(microseconds d) : expression(literal(scalar{length{d}})) {}
expression::expression(money m) : expression(literal(scalar{m})) {}
expression::expression(std::vector<std::string> items) : expression(literal(scalar{std::move(items)})) {}

bool expression::equals(const expression& other) const
{
    if (node_ == other.node_) {
        return true;
    }
    if (empty() || other.empty()) {
        return false;
    }
    const node& a = *node_;
    const node& b = *other.node_;
    if (a.kind != b.kind || a.function != b.function || a.aggregate != b.aggregate || a.size != b.size || a.depth != b.depth || a.name != b.name ||
        a.within != b.within || !same(a.value, b.value)) {
        return false;
    }
    const auto equal = [](const auto& x, const auto& y) { return same(x, y); };
    return std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(), equal) &&
           std::equal(a.selectors.begin(), a.selectors.end(), b.selectors.begin(), b.selectors.end(), equal);
}

bool selector::equals(const selector& other) const { return same(data_, other.data_); }

std::ostream& operator<<(std::ostream& out, const expression& e) { return out << e.to_text(); }
std::ostream& operator<<(std::ostream& out, const selector& s) { return out << s.to_text(); }

std::string_view to_string(function f) { return detail::word_of(f).name; }
std::string_view to_string(aggregate a) { return detail::word_of(a).name; }

std::optional<function> find_function(std::string_view name)
{
    for (const auto& w : detail::function_words) {
        if (w.name == name) {
            return w.code;
        }
    }
    return std::nullopt;
}

std::optional<aggregate> find_aggregate(std::string_view name)
{
    for (const auto& w : detail::aggregate_words) {
        if (w.name == name) {
            return w.code;
        }
    }
    return std::nullopt;
}

}  // namespace journeyman
