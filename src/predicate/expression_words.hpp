#pragma once
// The words of the text form, in one place for the parser, the printer and JSON; and which names can stand without quotes.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/expression.hpp"

namespace journeyman::detail {

/// What a function takes.
enum class takes : std::uint8_t { values, name, attribute, unit_and_value };

struct function_word {
    std::string_view name;
    journeyman::function code;
    std::uint8_t least, most;
    detail::takes takes = detail::takes::values;
};
inline constexpr std::uint8_t any_number = 255;
inline constexpr function_word function_words[] = {
    {"exists", function::exists, 1, 1},
    {"missing", function::missing, 1, 1},
    {"coalesce", function::coalesce, 1, any_number},
    {"if", function::if_, 3, 3},
    {"segment", function::segment, 1, 1, takes::name},
    {"bucket", function::bucket, 1, 1, takes::name},
    {"consent", function::consent, 1, 1, takes::name},
    {"changed_time", function::changed_time, 1, 1, takes::attribute},
    {"start_of", function::start_of, 2, 2, takes::unit_and_value},
    {"anniversary", function::anniversary, 1, 1},
    {"lower", function::lower, 1, 1},
    {"upper", function::upper, 1, 1},
    {"length", function::length, 1, 1},
    {"abs", function::abs, 1, 1},
    {"round", function::round, 1, 2},
    {"year", function::year, 1, 1},
    {"month", function::month, 1, 1},
    {"day", function::day, 1, 1},
    {"weekday", function::weekday, 1, 1},
    {"hour", function::hour, 1, 1},
    {"first_ever", function::first_ever, 1, 1},
};
inline const function_word& word_of(function f)
{
    return *std::find_if(std::begin(function_words), std::end(function_words), [&](const auto& w) { return w.code == f; });
}

/// What stands between the parentheses of an aggregate.
enum class aggregate_shape : std::uint8_t {
    selector,   // count(event …)
    values,     // sum(event.property …)
    sequence,   // two selectors or more [, within D]
    cohort,     // `selectors` of them, within D
    predicate,  // members(p)
    filter,     // spend([where p])
    nothing,    // budget()
};

struct aggregate_word {
    std::string_view name;
    journeyman::aggregate code;
    aggregate_shape shape;
    std::uint8_t selectors;
};
inline constexpr aggregate_word aggregate_words[] = {
    {"count", aggregate::count, aggregate_shape::selector, 1},
    {"sum", aggregate::sum, aggregate_shape::values, 1},
    {"avg", aggregate::avg, aggregate_shape::values, 1},
    {"min", aggregate::min, aggregate_shape::values, 1},
    {"max", aggregate::max, aggregate_shape::values, 1},
    {"distinct", aggregate::distinct, aggregate_shape::values, 1},
    {"first", aggregate::first, aggregate_shape::values, 1},
    {"last", aggregate::last, aggregate_shape::values, 1},
    {"first_time", aggregate::first_time, aggregate_shape::selector, 1},
    {"last_time", aggregate::last_time, aggregate_shape::selector, 1},
    {"did", aggregate::did, aggregate_shape::selector, 1},
    {"never", aggregate::never, aggregate_shape::selector, 1},
    {"sequence", aggregate::sequence, aggregate_shape::sequence, 2},
    {"events", aggregate::events, aggregate_shape::selector, 1},
    {"contacts", aggregate::contacts, aggregate_shape::selector, 1},
    {"new", aggregate::new_, aggregate_shape::selector, 1},
    {"members", aggregate::members, aggregate_shape::predicate, 0},
    {"accounts", aggregate::accounts, aggregate_shape::selector, 1},
    {"elapsed", aggregate::elapsed, aggregate_shape::cohort, 2},
    {"starters", aggregate::starters, aggregate_shape::cohort, 1},
    {"converted", aggregate::converted, aggregate_shape::cohort, 2},
    {"spend", aggregate::spend, aggregate_shape::filter, 0},
    {"budget", aggregate::budget, aggregate_shape::nothing, 0},
    {"actions", aggregate::actions, aggregate_shape::filter, 0},
};
inline const aggregate_word& word_of(aggregate a)
{
    return *std::find_if(std::begin(aggregate_words), std::end(aggregate_words), [&](const auto& w) { return w.code == a; });
}

/// How tightly an operator binds.
enum class binding : std::uint8_t { any, disjunction, conjunction, negation, comparison, sum, product, sign, primary };

struct operator_word {
    std::string_view text;
    node_kind kind;
    detail::binding binding;
};
inline constexpr operator_word operator_words[] = {
    {"and", node_kind::and_, binding::conjunction},
    {"or", node_kind::or_, binding::disjunction},
    {"not", node_kind::not_, binding::negation},
    {"+", node_kind::add, binding::sum},
    {"-", node_kind::subtract, binding::sum},
    {"*", node_kind::multiply, binding::product},
    {"/", node_kind::divide, binding::product},
    {"==", node_kind::equal, binding::comparison},
    {"!=", node_kind::not_equal, binding::comparison},
    {"<", node_kind::less, binding::comparison},
    {"<=", node_kind::less_equal, binding::comparison},
    {">", node_kind::greater, binding::comparison},
    {">=", node_kind::greater_equal, binding::comparison},
    {"in", node_kind::in, binding::comparison},
    {"not in", node_kind::not_in, binding::comparison},
    {"between", node_kind::between, binding::comparison},
    {"contains", node_kind::contains, binding::comparison},
    {"has_any", node_kind::has_any, binding::comparison},
    {"has_all", node_kind::has_all, binding::comparison},
    {"starts_with", node_kind::starts_with, binding::comparison},
    {"ends_with", node_kind::ends_with, binding::comparison},
    {"matches", node_kind::matches, binding::comparison},
};
/// Null for a kind without an operator.
inline const operator_word* operator_of(node_kind k)
{
    const auto* const w = std::find_if(std::begin(operator_words), std::end(operator_words), [&](const auto& x) { return x.kind == k; });
    return w == std::end(operator_words) ? nullptr : w;
}
inline const operator_word* find_operator(std::string_view text)
{
    const auto* const w = std::find_if(std::begin(operator_words), std::end(operator_words), [&](const auto& x) { return x.text == text; });
    return w == std::end(operator_words) ? nullptr : w;
}

inline constexpr std::string_view unit_words[] = {"day", "week", "month", "quarter", "year"};   // in the order of calendar_unit
inline std::string_view word_of(calendar_unit u) { return unit_words[static_cast<std::size_t>(u)]; }
inline std::optional<calendar_unit> find_unit(std::string_view s)
{
    for (std::size_t i = 0; i < std::size(unit_words); ++i) {
        if (unit_words[i] == s) {
            return static_cast<calendar_unit>(i);
        }
    }
    return std::nullopt;
}

template <std::size_t N> bool is_one_of(std::string_view s, const std::string_view (&words)[N])
{
    return std::find(std::begin(words), std::end(words), s) != std::end(words);
}

/// These cannot be bare names of attributes and properties: they would be read as something else.
inline constexpr std::string_view reserved_words[] = {
    "and", "or", "not", "in", "between", "contains", "has_any", "has_all", "starts_with", "ends_with", "matches",
    "true", "false", "null", "now", "where", "without", "on", "within"};
/// These begin a window. As an event's name they are printed in quotes.
inline constexpr std::string_view window_words[] = {"last", "since", "before", "between", "this", "previous"};

// ---- text

/// The code point at `i`, which moves past it; no value when the bytes are not UTF-8.
std::optional<char32_t> next_code_point(std::string_view s, std::size_t& i);
/// The offset of the first byte that is not UTF-8; npos when all is well.
std::size_t find_bad_utf8(std::string_view s);
bool starts_name(char32_t c);
bool continues_name(char32_t c);
/// Letters, digits, `_` and single dots between them; it does not begin with a digit.
bool is_bare_name(std::string_view s);
/// In double quotes, with the escapes of JSON where they must be.
std::string quoted(std::string_view s);
/// "line:column", or empty when built in code.
std::string to_text(source_place);

/// The checks every selector passes, however it was made; throws `error`.
void check(const selector_data&, bool as_without = false);
/// An `attr("…")`: "account.x" is the account's, "trigger.x" the triggering event's, "contact.x" and "x" the contact's.
node attribute_node(std::string name);
/// A name that ends in `*` is a prefix; `\*` is a real star.
selector_data named_event(std::string name);

}  // namespace journeyman::detail
