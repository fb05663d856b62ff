// Depth 64 and 10,000 nodes: exactly those, in text, in JSON, and built by operators.
#include <doctest/doctest.h>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/expression.hpp"

namespace jm = journeyman;

namespace {

std::string repeated(std::string_view s, int n)
{
    std::string out;
    for (int k = 0; k < n; ++k) {
        out += s;
    }
    return out;
}

template <class Make> std::string refusal(Make make)
{
    try {
        make();
    } catch (const jm::error& e) {
        return e.code();
    }
    return "";
}

jm::expression nested(int nots)
{
    auto e = jm::attr("a");
    for (int k = 0; k < nots; ++k) {
        e = !e;
    }
    return e;
}

}  // namespace

TEST_CASE("an expression may be 64 deep, however it is made")
{
    const auto text = [](int depth) { return jm::expression::parse(repeated("not (", depth - 1) + "a" + repeated(")", depth - 1)); };
    const auto json = [](int depth) { return jm::expression::from_json(repeated(R"({"not":)", depth - 1) + R"({"attr":"a"})" + repeated("}", depth - 1)); };
    const auto built = [](int depth) { return nested(depth - 1); };
    CHECK(text(64).equals(built(64)));
    CHECK(json(64).equals(built(64)));
    CHECK(built(64)->depth == 64);
    CHECK(refusal([&] { text(65); }) == "predicate.limit");
    CHECK(refusal([&] { json(65); }) == "predicate.limit");
    CHECK(refusal([&] { built(65); }) == "predicate.limit");
    // the deepest tree is written and read again
    CHECK(jm::expression::parse(built(64).to_text()).equals(built(64)));
    CHECK(jm::expression::from_json(built(64).to_json()).equals(built(64)));
    // a filter's own depth counts
    CHECK(refusal([] { static_cast<void>(jm::event("x").where(nested(63)).did()); }) == "predicate.limit");
    CHECK(jm::event("x").where(nested(62)).did()->depth == 64);
}

TEST_CASE("an expression may have 10,000 nodes, however it is made")
{
    // an operator of n operands is n + 1 nodes
    const auto text = [](int nodes) { return jm::expression::parse(repeated("a or ", nodes - 2) + "a"); };
    const auto json = [](int nodes) { return jm::expression::from_json(R"({"or":[)" + repeated(R"({"attr":"a"},)", nodes - 2) + R"({"attr":"a"}]})"); };
    const auto built = [](int nodes) {
        auto e = jm::attr("a");
        for (int k = 0; k < nodes - 2; ++k) {
            e = e || jm::attr("a");
        }
        return e;
    };
    CHECK(text(10'000).equals(json(10'000)));
    CHECK(text(10'000)->size == 10'000);
    CHECK(refusal([&] { text(10'001); }) == "predicate.limit");
    CHECK(refusal([&] { json(10'001); }) == "predicate.limit");
    CHECK(text(2'000).equals(built(2'000)));
    const auto half = text(5'000), rest = text(5'001);   // 4,999 and 5,000 operands, in one list
    CHECK((half || rest)->size == 10'000);
    CHECK(refusal([&] { (half || rest) || jm::attr("a"); }) == "predicate.limit");
    // shared parts count as often as they stand
    CHECK(refusal([&] { half == rest; }) == "predicate.limit");
    CHECK(refusal([&] { jm::event("x").where(half).did() && rest; }) == "predicate.limit");
    CHECK(refusal([] { jm::expression{std::vector<std::string>(10'000, "x")}; }) == "predicate.limit");
    CHECK(jm::expression{std::vector<std::string>(9'999, "x")}->size == 10'000);
    // so many operands that a sum of 32 bits would begin anew
    jm::node n;
    n.kind = jm::node_kind::and_;
    n.args.assign(429'497, text(10'000));
    CHECK(refusal([&] { jm::make(std::move(n)); }) == "predicate.limit");
    // selectors count
    CHECK(refusal([] { jm::expression::parse("sequence(a" + repeated(", a", 10'000) + ")"); }) == "predicate.limit");
    CHECK(refusal([] { jm::expression::from_json(R"({"sequence":["a")" + repeated(R"(,"a")", 10'000) + "]}"); }) == "predicate.limit");
    CHECK(refusal([] { jm::sequence(std::vector<jm::selector>(10'000, jm::event("a"))); }) == "predicate.limit");
}
