// The JSON form: what it looks like, and what it says of what it cannot read.

#include <doctest/doctest.h>

#include <string>

#include "journeyman/predicate/expression.hpp"

namespace jm = journeyman;

namespace {

std::string said(const std::string& json)
{
    try {
        return jm::expression::from_json(json).to_text();
    } catch (const jm::error& e) {
        return e.what();
    }
}

}  // namespace

TEST_CASE("the JSON form of what docs/predicates.md shows")
{
    const auto both = [](const char* text, const char* json) {
        CAPTURE(text);
        CHECK(jm::expression::parse(text).to_json() == json);
        CHECK(said(json) == text);
    };
    both(R"(count(purchase where amount >= 50, last 30d) >= 2 and audience == "B2C")",
         R"({"and":[{">=":[{"count":{"event":"purchase","where":{">=":[{"prop":"amount"},50]},"last":"30d"}},2]},{"==":[{"attr":"audience"},"B2C"]}]})");
    both(R"(did(cart without purchase on cart_id within 1h, last 3d))",
         R"({"did":{"event":"cart","without":{"event":"purchase","on":"cart_id","within":"1h"},"last":"3d"}})");
    both("now - last_time(login) > 60d", R"({">":[{"-":[{"now":[]},{"last_time":"login"}]},{"duration":"60d"}]})");
    both(R"(sequence(a, "form_*", within 2w))", R"({"sequence":["a","form_*"],"within":"2w"})");
    both(R"(city in ["Roma", "Milano"] and not email ends_with ".edu")",
         R"({"and":[{"in":[{"attr":"city"},["Roma","Milano"]]},{"not":{"ends_with":[{"attr":"email"},".edu"]}}]})");
    both("sum(any.amount, this year)", R"({"sum":{"event":"any","property":"amount","this":"year"}})");
    both(R"(count("any"))", R"({"count":{"event":{"name":"any"}}})");
    both("length([1, 2])", R"({"length":[[1,2]]})");
    both(R"(converted(lead, purchase, within 30d) / starters(lead, within 30d))",
         R"({"/":[{"converted":["lead","purchase"],"within":"30d"},{"starters":"lead","within":"30d"}]})");
    both(R"(spend(where channel == "ads") / budget())", R"({"/":[{"spend":{"where":{"==":[{"prop":"channel"},"ads"]}}},{"budget":[]}]})");
    both("did(a, since step(\"welcome\"))", R"({"did":{"event":"a","since_step":"welcome"}})");
    both("-x < 1.0", R"({"<":[{"-":{"attr":"x"}},1.0]})");
}

TEST_CASE("an error in JSON has its pointer and a remedy")
{
    CHECK(said(R"({"and": [true, {"==": [{"att": "x"}, 1]}]})") == "#/and/1/==/0/att: There is no operator or function `att`. Did you mean attr? [predicate.syntax]");
    CHECK(said(R"({"count": {"event": "a", "lst": "30d"}})") == "#/count/lst: A selector has no key `lst`. Did you mean last? [predicate.syntax]");
    CHECK(said(R"({"count": {"event": "a", "last": "30"}})").starts_with("#/count/last: Expected a length of time"));
    CHECK(said(R"({"count": {"event": "a", "last": "1d", "this": "day"}})").starts_with("#/count/this: A selector has one window"));
    CHECK(said(R"({"count": {"where": true}})") == "#/count: An empty name cannot be that of an event. [predicate.name]");
    CHECK(said(R"({"sum": "purchase"})").starts_with("#: `sum` needs a property"));
    CHECK(said(R"({"==": [{"attr": "x"}, null]})").starts_with("#/==/1: There is no `null`"));
    CHECK(said(R"({"==": [1]})").starts_with("#: `==` takes 2 operands, not 1"));
    CHECK(said(R"({"==": [1, 2], "!=": [1, 2]})").starts_with("#: An expression says one thing"));
    CHECK(said("{}").starts_with("#: An expression says what it asks"));
    CHECK(said(R"({"/": [1, {"no/pe~": 1}]})").starts_with("#/~1/1/no~1pe~0: There is no operator"));
    CHECK(said(R"({"==": [1, 1], "==": [1, 2]})").starts_with("#: The key `==` is given twice"));
    CHECK(said("{\"and\":\n  [true,, false]}").starts_with("2:9: This is not JSON"));
    CHECK(said("").starts_with("1:1: This is not JSON"));
    CHECK(said("\"\xff\"").find("This is not JSON") != std::string::npos);
}

TEST_CASE("JSON that is too deep or too large is refused before it takes memory")
{
    const auto repeated = [](const std::string& s, int n) {
        std::string out;
        for (int k = 0; k < n; ++k) {
            out += s;
        }
        return out;
    };
    CHECK(said(repeated(R"({"not":)", 70) + "true" + repeated("}", 70)).find("predicate.limit") != std::string::npos);
    CHECK(said(repeated("[", 400'000) + repeated("]", 400'000)).find("predicate.limit") != std::string::npos);
    CHECK(said("[1" + repeated(",1", 10'000) + "]").find("predicate.limit") != std::string::npos);
    CHECK(said("[1" + repeated(",1", 450'000) + "]").find("predicate.limit") != std::string::npos);
    std::string keys;
    for (int k = 0; k < 90'000; ++k) {
        keys += (k == 0 ? "\"" : ",\"") + std::to_string(k) + "\":1";
    }
    CHECK(said("{" + keys + "}").starts_with("#: An object with more than 100 keys"));
    CHECK(said("\"" + std::string(1'000'000, 'x') + "\"").find("predicate.limit") != std::string::npos);
}

TEST_CASE("numbers keep their kind")
{
    CHECK(jm::expression::from_json("9223372036854775807").equals(jm::expression{INT64_MAX}));
    CHECK(jm::expression::from_json("9223372036854775808").equals(jm::expression::parse("9223372036854775808")));
    CHECK(jm::expression::from_json("-9223372036854775808").equals(jm::expression::parse("-9223372036854775808")));
    CHECK(said("1e999").find("predicate.") != std::string::npos);
}

TEST_CASE("a missing value is no operand")
{
    const auto missing = jm::expression::literal(jm::scalar{});
    CHECK_THROWS_AS(jm::attr("x") == missing, jm::error);
    CHECK_THROWS_WITH(jm::expression::parse("x == null"), "1:6: There is no `null`: nothing equals what is missing. Ask `missing(x)` or `exists(x)`. [predicate.syntax]");
}
