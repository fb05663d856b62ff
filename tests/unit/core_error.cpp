#include "journeyman/core/error.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace journeyman;

TEST_CASE("an error says place, message and code") {
    const error e{"name.unknown", "1:17", "no such thing"};
    CHECK(std::string{e.what()} == "1:17: no such thing [name.unknown]");
    CHECK(std::string{error{"a.b", "", "m"}.what()} == "m [a.b]");
}

TEST_CASE("nearest names are few, near, and in order of distance") {
    const std::vector<std::string> names{"occupation", "audience", "amount", "amount_cents", "country", "accounting"};
    CHECK(nearest_names("ocupation", names) == std::vector<std::string>{"occupation"});
    CHECK(nearest_names("Audience", names) == std::vector<std::string>{"audience"});
    CHECK(nearest_names("amuont", names) == std::vector<std::string>{"amount"});   // a swap is one slip
    CHECK(nearest_names("zzzzzz", names).empty());
    CHECK(nearest_names("", names).empty());
    CHECK(nearest_names("a", {"b", "c", "d", "e"}).size() == 3);
    CHECK(nearest_names(std::string(5000, 'x'), names).empty());
    CHECK(did_you_mean("amuont", names) == " Did you mean amount?");
    CHECK(did_you_mean("ab", {"aa", "bb", "ac"}) == " Did you mean aa, ac or bb?");
    CHECK(did_you_mean("zzzzzz", names).empty());
}

TEST_CASE("problems print one a line") {
    problems all;
    all.add({"a.b", "steps.x", "wrong", severity::error});
    all.add({"c.d", "", "odd", severity::warning});
    std::ostringstream out;
    out << all;
    CHECK(out.str() == "error: steps.x: wrong [a.b]\nwarning: odd [c.d]\n");
    CHECK(all.errors() == 1);
}
