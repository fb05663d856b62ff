// Building by operators.

#include "predicate/expression_words.hpp"

namespace journeyman {
namespace {

expression node_of(node_kind kind, std::vector<expression> args)
{
    node n;
    n.kind = kind;
    n.args = std::move(args);
    return make(std::move(n));
}

expression named(node_kind kind, std::string name)
{
    node n;
    n.kind = kind;
    n.name = std::move(name);
    return make(std::move(n));
}

expression aggregate_of(aggregate a, std::vector<selector_data> selectors, std::optional<length> within = {}, std::vector<expression> args = {})
{
    node n;
    n.kind = node_kind::aggregate;
    n.aggregate = a;
    n.selectors = std::move(selectors);
    n.within = within;
    n.args = std::move(args);
    return make(std::move(n));
}

expression value_of(aggregate a, selector_data d, std::string property)
{
    if (!property.empty()) {
        d.property = std::move(property);
    }
    return aggregate_of(a, {std::move(d)});
}

selector checked(selector_data d)
{
    detail::check(d);
    return selector{std::move(d)};
}

selector with_window(selector_data d, window w)
{
    d.window = std::move(w);
    return checked(std::move(d));
}

std::vector<expression> given(const predicate& where) { return where.empty() ? std::vector<expression>{} : std::vector<expression>{where}; }

}  // namespace

const expression now = node_of(node_kind::now, {});

// ---- selectors

selector event(std::string name) { return checked(detail::named_event(std::move(name))); }

selector any_event()
{
    selector_data d;
    d.prefix = true;
    return selector{std::move(d)};
}

selector selector::property(std::string name) const
{
    auto d = data_;
    d.property = std::move(name);
    return checked(std::move(d));
}

selector selector::where(expression p) const
{
    auto d = data_;
    d.where = d.where.empty() ? std::move(p) : d.where && p;
    return checked(std::move(d));
}

selector selector::without(const selector& other, std::string on, std::optional<length> within) const
{
    auto d = data_;
    d.without = std::make_shared<const selector_data>(other.data_);
    d.without_on = std::move(on);
    d.without_within = within;
    return checked(std::move(d));
}

selector selector::last(length l) const { return with_window(data_, {.kind = window_kind::last, .last = l}); }
selector selector::since(expression from) const { return with_window(data_, {.kind = window_kind::since, .from = std::move(from)}); }
selector selector::before(expression to) const { return with_window(data_, {.kind = window_kind::before, .to = std::move(to)}); }
selector selector::between(expression from, expression to) const { return with_window(data_, {.kind = window_kind::between, .from = std::move(from), .to = std::move(to)}); }
selector selector::this_(calendar_unit u) const { return with_window(data_, {.kind = window_kind::this_unit, .unit = u}); }
selector selector::previous(calendar_unit u) const { return with_window(data_, {.kind = window_kind::previous_unit, .unit = u}); }
selector selector::since_entry() const { return with_window(data_, {.kind = window_kind::since_entry}); }
selector selector::since_step(std::string step) const { return with_window(data_, {.kind = window_kind::since_step, .step = std::move(step)}); }

expression selector::count() const { return aggregate_of(aggregate::count, {data_}); }
expression selector::did() const { return aggregate_of(aggregate::did, {data_}); }
expression selector::never() const { return aggregate_of(aggregate::never, {data_}); }
expression selector::first_time() const { return aggregate_of(aggregate::first_time, {data_}); }
expression selector::last_time() const { return aggregate_of(aggregate::last_time, {data_}); }
expression selector::sum(std::string p) const { return value_of(aggregate::sum, data_, std::move(p)); }
expression selector::avg(std::string p) const { return value_of(aggregate::avg, data_, std::move(p)); }
expression selector::min(std::string p) const { return value_of(aggregate::min, data_, std::move(p)); }
expression selector::max(std::string p) const { return value_of(aggregate::max, data_, std::move(p)); }
expression selector::distinct(std::string p) const { return value_of(aggregate::distinct, data_, std::move(p)); }
expression selector::first(std::string p) const { return value_of(aggregate::first, data_, std::move(p)); }
expression selector::last(std::string p) const { return value_of(aggregate::last, data_, std::move(p)); }

// ---- names and functions

expression attr(std::string name) { return make(detail::attribute_node(std::move(name))); }
expression prop(std::string name) { return named(node_kind::property, std::move(name)); }
expression trigger(std::string name) { return named(node_kind::trigger_property, std::move(name)); }
expression event_time() { return node_of(node_kind::event_time, {}); }
expression event_name() { return node_of(node_kind::event_name, {}); }
expression exists(const expression& x) { return call(function::exists, {x}); }
expression missing(const expression& x) { return call(function::missing, {x}); }
expression first_ever(const expression& p) { return call(function::first_ever, {p}); }

expression sequence(std::vector<selector> steps, std::optional<length> within)
{
    std::vector<selector_data> selectors;
    for (const auto& s : steps) {
        selectors.push_back(s.data());
    }
    return aggregate_of(aggregate::sequence, std::move(selectors), within);
}

expression call(function f, std::vector<expression> args)
{
    node n;
    n.kind = node_kind::call;
    n.function = f;
    n.args = std::move(args);
    return make(std::move(n));
}

// ---- operators

expression operator==(const expression& a, const expression& b) { return node_of(node_kind::equal, {a, b}); }
expression operator!=(const expression& a, const expression& b) { return node_of(node_kind::not_equal, {a, b}); }
expression operator<(const expression& a, const expression& b) { return node_of(node_kind::less, {a, b}); }
expression operator<=(const expression& a, const expression& b) { return node_of(node_kind::less_equal, {a, b}); }
expression operator>(const expression& a, const expression& b) { return node_of(node_kind::greater, {a, b}); }
expression operator>=(const expression& a, const expression& b) { return node_of(node_kind::greater_equal, {a, b}); }
expression operator&&(const expression& a, const expression& b) { return node_of(node_kind::and_, {a, b}); }
expression operator||(const expression& a, const expression& b) { return node_of(node_kind::or_, {a, b}); }
expression operator!(const expression& a) { return node_of(node_kind::not_, {a}); }
expression operator+(const expression& a, const expression& b) { return node_of(node_kind::add, {a, b}); }
expression operator-(const expression& a, const expression& b) { return node_of(node_kind::subtract, {a, b}); }
expression operator*(const expression& a, const expression& b) { return node_of(node_kind::multiply, {a, b}); }
expression operator/(const expression& a, const expression& b) { return node_of(node_kind::divide, {a, b}); }
expression operator-(const expression& a) { return node_of(node_kind::negate, {a}); }
expression in(const expression& x, std::vector<expression> items) { return node_of(node_kind::in, {x, node_of(node_kind::list, std::move(items))}); }
expression between(const expression& x, const expression& a, const expression& b) { return node_of(node_kind::between, {x, a, b}); }
expression binary(node_kind k, const expression& a, const expression& b) { return node_of(k, {a, b}); }

// ---- measures

expression events(const selector& s) { return aggregate_of(aggregate::events, {s.data()}); }
expression contacts(const selector& s) { return aggregate_of(aggregate::contacts, {s.data()}); }
expression new_contacts(const selector& s) { return aggregate_of(aggregate::new_, {s.data()}); }
expression members(const predicate& p) { return aggregate_of(aggregate::members, {}, {}, {p}); }
expression accounts(const selector& s) { return aggregate_of(aggregate::accounts, {s.data()}); }
expression elapsed(const selector& a, const selector& b, length within) { return aggregate_of(aggregate::elapsed, {a.data(), b.data()}, within); }
expression starters(const selector& a, length within) { return aggregate_of(aggregate::starters, {a.data()}, within); }
expression converted(const selector& a, const selector& b, length within) { return aggregate_of(aggregate::converted, {a.data(), b.data()}, within); }
expression spend(const predicate& where) { return aggregate_of(aggregate::spend, {}, {}, given(where)); }
expression budget() { return aggregate_of(aggregate::budget, {}); }
expression actions(const predicate& where) { return aggregate_of(aggregate::actions, {}, {}, given(where)); }

}  // namespace journeyman
