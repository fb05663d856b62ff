#pragma once
// The expression tree: one tree for predicates, selectors, dimensions and KPI arithmetic, built by the text parser, by JSON, and by operators.

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "journeyman/core/value.hpp"

namespace journeyman {

enum class node_kind : std::uint8_t {
    literal,            // value: yes/no, integer, decimal, text or a length; `make` turns other scalars into these. Missing stands alone (`set: {x: null}`), never in a tree
    list,               // args: literals
    attribute,          // name, of the contact
    account_attribute,  // name, of the contact's account
    property,           // name, of the event a `where` looks at
    event_time,         // `event.time`
    event_name,         // `event.name`
    trigger_property,   // `trigger.NAME`
    now,
    not_, negate,                                                                        // args[0]
    and_, or_,                                                                           // args: any number
    add, subtract, multiply, divide,                                                     // args[0], args[1]
    equal, not_equal, less, less_equal, greater, greater_equal,
    in, not_in,                                                                          // args[0] in args[1] (a list, or a list attribute)
    between,                                                                             // args[0] between args[1] and args[2]
    contains, has_any, has_all, starts_with, ends_with, matches,
    call,               // function, args (names as text literals)
    aggregate,          // aggregate, selectors, within
};

enum class function : std::uint8_t {
    exists, missing, coalesce, if_, segment, bucket, consent, changed_time, start_of, anniversary,
    lower, upper, length, abs, round, year, month, day, weekday, hour, first_ever,
};

enum class aggregate : std::uint8_t {
    count, sum, avg, min, max, distinct, first, last, first_time, last_time, did, never, sequence,
    // measures of KPIs; `sum` is one too
    events, contacts, new_, members, accounts, elapsed, starters, converted, spend, budget, actions,
};

enum class window_kind : std::uint8_t { all, last, since, before, between, this_unit, previous_unit, since_entry, since_step };

struct node;
struct selector_data;

/// Where in its text (or file) a node was written: 1-based, 0 when built in code.
struct source_place {
    std::uint32_t line = 0, column = 0;
};

/// What a bare name stands for: an attribute of the contact, or, inside `where` and in dimensions, a property of the event.
enum class bare_names : std::uint8_t { attribute, property };

/// An immutable tree; copies share. `==` builds a comparison; `equals` compares trees (places do not count).
/// An empty expression (`!e`) stands for "none given".
class expression {
public:
    expression() = default;
    explicit expression(std::shared_ptr<const node> n) : node_{std::move(n)} {}
    // Literals where an expression is expected.
    expression(bool b);
    expression(double d);
    template <class T> requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
    expression(T i) : expression(literal(scalar{static_cast<std::int64_t>(i)})) {}
    expression(const char* text);
    expression(std::string text);
    expression(std::string_view text);
    expression(instant t);
    expression(day d);
    expression(length d);
    expression(microseconds d);
    expression(calendar_length d) : expression(length{d}) {}
    template <class Rep, class Period> requires(std::is_constructible_v<length, std::chrono::duration<Rep, Period>>)
    expression(std::chrono::duration<Rep, Period> d) : expression(length{d}) {}
    expression(money m);
    expression(std::vector<std::string> items);

    /// A literal has one form: a day or an instant becomes its ISO text, money a decimal, a list of texts a `list` node,
    /// a length whose parts disagree in sign `1mo - 3d`.
    static expression literal(scalar);
    /// Throws `error`: code `predicate.syntax` (place "line:column"), `predicate.limit` (depth 64, 10,000 nodes), `predicate.name` with suggestions.
    static expression parse(std::string_view text, bare_names names = bare_names::attribute);
    /// The JSON form of the tree (docs/predicates.md). The place of an error is a JSON pointer ("#/and/1/=="), or "line:column" where it is no JSON.
    static expression from_json(std::string_view json);
    /// The canonical text; `parse(to_text())` equals the tree. Properties outside a `where` are written `event.x`, so it reads the same as either kind of bare names.
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] std::string to_json() const;
    [[nodiscard]] bool equals(const expression&) const;

    [[nodiscard]] const node* get() const { return node_.get(); }
    const node& operator*() const { return *node_; }
    const node* operator->() const { return node_.get(); }
    explicit operator bool() const = delete;
    [[nodiscard]] bool empty() const { return node_ == nullptr; }

private:
    std::shared_ptr<const node> node_;
};

/// A yes/no/unknown question is an expression of type yes/no; the type check says so where one is wanted.
using predicate = expression;

struct window {
    window_kind kind = window_kind::all;
    length last;                 // last
    expression from, to;         // since: from; before: to; between: both. Literals (instants, days, ISO texts) or expressions of the contact
    calendar_unit unit = calendar_unit::day;
    std::string step;            // since_step
};

/// `event[.property] [where p] [without event [where p] on property [within D]] [, window]`
struct selector_data {
    std::string event;           // the name, or the prefix before `*`
    bool prefix = false;         // `name*`; `any` is the empty prefix
    std::string property;
    expression where;
    std::shared_ptr<const selector_data> without;   // its `where` is that of the other event
    std::string without_on;
    std::optional<length> without_within;
    journeyman::window window;
    source_place place;
    [[nodiscard]] bool is_any() const { return prefix && event.empty(); }
};

struct node {
    node_kind kind = node_kind::literal;
    journeyman::function function{};
    journeyman::aggregate aggregate{};
    scalar value;                            // literal
    std::string name;                        // attribute, property
    std::vector<expression> args;            // `members(p)`, `spend(where p)`, `actions(where p)`: args[0] (or none)
    std::vector<selector_data> selectors;    // aggregate: one; sequence: several; elapsed, converted: two
    std::optional<length> within;            // sequence, elapsed, starters, converted
    source_place place;
    std::uint32_t depth = 1, size = 1;       // of the tree below, for the limits
};

inline constexpr std::uint32_t max_depth = 64, max_nodes = 10'000;

/// Makes a node and checks the limits before it takes memory for more; throws `error` (code `predicate.limit`, or `predicate.shape`
/// for operands that no text could write). It brings trees of one meaning to one form: nested `and` and `or` are flattened, of one operand they are that operand,
/// the minus of a number becomes part of it, and fields the kind does not use are cleared.
expression make(node n);

/// A selector as users build it: `event("purchase").where(prop("amount") >= 50).last(30_d).count() >= 2`.
class selector {
public:
    selector() = default;
    explicit selector(selector_data d) : data_{std::move(d)} {}
    /// The dots of a bare name are the event's own; a property follows a name in quotes: `"purchase".amount`.
    static selector parse(std::string_view text);
    static selector from_json(std::string_view json);
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] std::string to_json() const;
    [[nodiscard]] bool equals(const selector&) const;
    [[nodiscard]] const selector_data& data() const { return data_; }

    [[nodiscard]] selector property(std::string name) const;
    [[nodiscard]] selector where(expression p) const;                       // a second one is `and`
    [[nodiscard]] selector without(const selector& other, std::string on, std::optional<length> within = {}) const;
    [[nodiscard]] selector last(length d) const;
    [[nodiscard]] selector since(expression from) const;
    [[nodiscard]] selector before(expression to) const;
    [[nodiscard]] selector between(expression from, expression to) const;
    [[nodiscard]] selector this_(calendar_unit u) const;
    [[nodiscard]] selector previous(calendar_unit u) const;
    [[nodiscard]] selector since_entry() const;
    [[nodiscard]] selector since_step(std::string step) const;

    [[nodiscard]] expression count() const;
    [[nodiscard]] expression did() const;
    [[nodiscard]] expression never() const;
    [[nodiscard]] expression first_time() const;
    [[nodiscard]] expression last_time() const;
    // of the selector's property, or of the one named here
    [[nodiscard]] expression sum(std::string property = {}) const;
    [[nodiscard]] expression avg(std::string property = {}) const;
    [[nodiscard]] expression min(std::string property = {}) const;
    [[nodiscard]] expression max(std::string property = {}) const;
    [[nodiscard]] expression distinct(std::string property = {}) const;
    [[nodiscard]] expression first(std::string property = {}) const;
    [[nodiscard]] expression last(std::string property = {}) const;         // `last(30_d)` is the window, `last("page")` the last value
    [[nodiscard]] expression last(const char* property) const { return last(std::string{property}); }

private:
    selector_data data_;
};

// ---- building by operators
selector event(std::string name);            // a name that ends in `*` is a prefix (`\*` for a real star)
selector any_event();
expression attr(std::string name);           // "account.x" is the account's, "trigger.x" the triggering event's, "contact.x" or "x" the contact's
expression prop(std::string name);           // of the event in a `where`
expression trigger(std::string name);
expression event_time();                     // `event.time`, `event.name` of the event in a `where`
expression event_name();
expression exists(const expression&);
expression missing(const expression&);
expression first_ever(const expression& p);  // inside a `where`
expression sequence(std::vector<selector> steps, std::optional<length> within = {});
expression call(function f, std::vector<expression> args);
extern const expression now;

expression operator==(const expression&, const expression&);
expression operator!=(const expression&, const expression&);
expression operator<(const expression&, const expression&);
expression operator<=(const expression&, const expression&);
expression operator>(const expression&, const expression&);
expression operator>=(const expression&, const expression&);
expression operator&&(const expression&, const expression&);   // flattened: (a && b) && c is and(a, b, c)
expression operator||(const expression&, const expression&);
expression operator!(const expression&);
expression operator+(const expression&, const expression&);
expression operator-(const expression&, const expression&);
expression operator*(const expression&, const expression&);
expression operator/(const expression&, const expression&);
expression operator-(const expression&);
expression in(const expression&, std::vector<expression> items);
expression between(const expression& x, const expression& a, const expression& b);
/// contains, has_any, has_all, starts_with, ends_with, matches, in, not_in …
expression binary(node_kind, const expression&, const expression&);

// ---- building measures of KPIs (the arithmetic is the operators above)
expression events(const selector&);
expression contacts(const selector&);
expression new_contacts(const selector&);
expression members(const predicate&);
expression accounts(const selector&);
expression elapsed(const selector& a, const selector& b, length within);
expression starters(const selector& a, length within);
expression converted(const selector& a, const selector& b, length within);
expression spend(const predicate& where = {});
expression budget();
expression actions(const predicate& where = {});

std::ostream& operator<<(std::ostream&, const expression&);
std::ostream& operator<<(std::ostream&, const selector&);

/// Names as the text form writes them; empty for none.
std::string_view to_string(function);
std::string_view to_string(aggregate);
std::optional<function> find_function(std::string_view);
std::optional<aggregate> find_aggregate(std::string_view);

}  // namespace journeyman
