// A tree has a text and a JSON form, and each reads back to the same tree.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "journeyman/predicate/expression.hpp"
#include "predicate/expression_words.hpp"

namespace jm = journeyman;

namespace {

int below(int n) { return *rc::gen::inRange(0, n); }

/// Names that could be taken for something else, and arbitrary ones.
std::string name()
{
    static const std::vector<std::string> odd{
        "a", "amount", "First name", "a.b", "account.x", "contact.x", "event.x", "trigger.x", "time", "name", "entry", "step",
        "last", "this", "between", "where", "without", "within", "on", "true", "null", "now", "not", "any", "prop", "prop.x", "attr",
        "count", "year", "1a", "città", "名前", "x*", "x\\*", "\\", "\"", "a..b", ".a", "a.", "*", "$enter", "a-b", " ", "\n", "\x7f", "/~1"};
    const int k = below(static_cast<int>(odd.size()) + 10);
    return k < static_cast<int>(odd.size()) ? odd[static_cast<std::size_t>(k)] : "n" + *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
}

jm::length some_length()
{
    switch (below(4)) {
    case 0: return {below(40) + 1, jm::microseconds{0}};
    case 1: return {below(3), jm::microseconds{1 + below(1'000'000)}};
    default: return {0, std::chrono::hours{24 * (1 + below(400))}};
    }
}

jm::expression leaf()
{
    switch (below(12)) {
    case 0: return below(2) == 0;
    case 1: return *rc::gen::suchThat(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t i) { return i != INT64_MIN; });
    case 2: return *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double d) { return std::isfinite(d); });
    case 3: return static_cast<double>(below(100)) - 50;
    case 4: return name();
    case 5: return below(2) == 0 ? some_length() : -some_length();
    case 6: return jm::now;
    case 7: return jm::prop(name());
    case 8: return jm::trigger(name());
    case 9: return below(2) == 0 ? jm::event_time() : jm::event_name();
    case 10: return jm::attr((below(2) == 0 ? "account." : "contact.") + name());
    default: return jm::attr("contact." + name());
    }
}

jm::expression literal()
{
    auto e = leaf();
    return e->kind == jm::node_kind::literal ? e : jm::expression{name()};
}

jm::expression tree(int depth);

jm::selector some_event()
{
    jm::selector_data d;
    d.event = name();
    d.prefix = !d.event.ends_with('\\') && below(5) == 0;
    return below(12) == 0 ? jm::any_event() : jm::selector{d};
}

jm::selector some_selector(int depth, bool windowed)
{
    auto s = some_event();
    if (depth > 0 && below(2) == 0) {
        s = s.where(tree(depth - 1));
    }
    if (depth > 0 && below(5) == 0) {
        auto other = some_event();
        if (below(2) == 0) {
            other = other.where(tree(depth - 1));
        }
        s = s.without(other, name(), below(2) == 0 ? std::optional{some_length()} : std::nullopt);
    }
    if (!windowed) {
        return s;
    }
    switch (below(12)) {
    case 0: return s.last(some_length());
    case 1: return s.since(tree(depth - 1));
    case 2: return s.before(tree(depth - 1));
    case 3: return s.between(tree(depth - 1), tree(depth - 1));
    case 4: return s.this_(static_cast<jm::calendar_unit>(below(5)));
    case 5: return s.previous(static_cast<jm::calendar_unit>(below(5)));
    case 6: return s.since_entry();
    case 7: return s.since_step(name());
    default: return s;
    }
}

jm::expression some_aggregate(int depth)
{
    using jm::detail::aggregate_shape;
    const auto& word = jm::detail::aggregate_words[static_cast<std::size_t>(below(std::size(jm::detail::aggregate_words)))];
    jm::node n;
    n.kind = jm::node_kind::aggregate;
    n.aggregate = word.code;
    switch (word.shape) {
    case aggregate_shape::selector: n.selectors = {some_selector(depth, true).data()}; break;
    case aggregate_shape::values: n.selectors = {some_selector(depth, true).property(name()).data()}; break;
    case aggregate_shape::sequence:
        for (int k = 2 + below(2); k > 0; --k) {
            n.selectors.push_back(some_selector(depth, false).data());
        }
        n.within = below(2) == 0 ? std::optional{some_length()} : std::nullopt;
        break;
    case aggregate_shape::cohort:
        for (int k = word.selectors; k > 0; --k) {
            n.selectors.push_back(some_selector(depth, false).data());
        }
        n.within = some_length();
        break;
    case aggregate_shape::predicate: n.args = {tree(depth - 1)}; break;
    case aggregate_shape::filter:
        if (below(2) == 0) {
            n.args = {tree(depth - 1)};
        }
        break;
    case aggregate_shape::nothing: break;
    }
    return jm::make(std::move(n));
}

jm::expression some_call(int depth)
{
    using jm::detail::takes;
    const auto& word = jm::detail::function_words[static_cast<std::size_t>(below(std::size(jm::detail::function_words)))];
    std::vector<jm::expression> args;
    if (word.takes == takes::name) {
        args = {name()};
    } else if (word.takes == takes::attribute) {
        args = {jm::attr((below(2) == 0 ? "account." : "contact.") + name())};
    } else {
        const int most = word.most == jm::detail::any_number ? 3 : word.most;
        const int count = word.least + below(most - word.least + 1);
        if (word.takes == takes::unit_and_value) {
            args = {std::string{jm::detail::unit_words[static_cast<std::size_t>(below(5))]}};
        }
        while (static_cast<int>(args.size()) < count) {
            args.push_back(tree(depth - 1));
        }
    }
    return jm::call(word.code, std::move(args));
}

jm::expression tree(int depth)
{
    if (depth <= 0) {
        return leaf();
    }
    switch (below(6)) {
    case 0: return leaf();
    case 1: return some_aggregate(depth);
    case 2: return some_call(depth);
    case 3: {
        jm::node n;
        n.kind = jm::node_kind::list;
        for (int k = below(4); k > 0; --k) {
            n.args.push_back(literal());
        }
        return jm::make(std::move(n));
    }
    default: {
        const auto& op = jm::detail::operator_words[static_cast<std::size_t>(below(std::size(jm::detail::operator_words)))];
        jm::node n;
        n.kind = op.kind == jm::node_kind::subtract && below(2) == 0 ? jm::node_kind::negate : op.kind;
        const bool any_number = op.kind == jm::node_kind::and_ || op.kind == jm::node_kind::or_;
        const int count = any_number ? below(4) : op.kind == jm::node_kind::between ? 3 : n.kind == jm::node_kind::negate || n.kind == jm::node_kind::not_ ? 1 : 2;
        for (int k = 0; k < count; ++k) {
            n.args.push_back(tree(depth - 1));
        }
        return jm::make(std::move(n));
    }
    }
}

}  // namespace

TEST_CASE("law: the text of a tree reads back to the tree")
{
    CHECK(rc::check([] {
        const auto e = tree(4);
        const auto text = e.to_text();
        RC_LOG() << text << '\n';
        const auto read = jm::expression::parse(text);
        RC_ASSERT(read.equals(e));
        RC_ASSERT(read.to_text() == text);
    }));
}

TEST_CASE("law: the JSON of a tree reads back to the tree")
{
    CHECK(rc::check([] {
        const auto e = tree(4);
        const auto json = e.to_json();
        RC_LOG() << json << '\n';
        const auto read = jm::expression::from_json(json);
        RC_ASSERT(read.equals(e));
        RC_ASSERT(read.to_json() == json);
    }));
}

TEST_CASE("law: the JSON of a selector reads back to the selector, and its text too")
{
    CHECK(rc::check([] {
        const auto s = some_selector(3, true);
        RC_LOG() << s.to_text() << '\n' << s.to_json() << '\n';
        RC_ASSERT(jm::selector::parse(s.to_text()).equals(s));
        RC_ASSERT(jm::selector::from_json(s.to_json()).equals(s));
        const auto with_property = s.property(name());
        RC_ASSERT(jm::selector::from_json(with_property.to_json()).equals(with_property));
        RC_ASSERT(jm::selector::parse(with_property.to_text()).equals(with_property));
    }));
}
