#include "journeyman/history/schema.hpp"

#include <doctest/doctest.h>

#include "journeyman/core/error.hpp"

using namespace journeyman;

TEST_CASE("declared names count as known") {
    schema s;
    s.declare("contact.renewal", "day");
    s.declare("account.size", "integer");
    s.declare("purchase.amount", "money");
    s.declare("login", "event");
    CHECK(s.contact.at("renewal") == value_type::day);
    CHECK(s.attribute_names() == std::vector<std::string>{"renewal", "account.size"});
    CHECK(s.event_names() == std::vector<std::string>{"login", "purchase"});
    s.declare("contact.renewal", "day");
    s.declare("purchase.amount", "decimal");   // numbers compare as numbers
    CHECK(s.events.at("purchase").at("amount") == value_type::money);
}

TEST_CASE("names may hold dots: the longest known event decides") {
    schema s;
    s.declare("shop.order", "event");
    s.declare("shop.order.address.city", "text");
    s.declare("other.address.city", "text");
    CHECK(s.events.at("shop.order").count("address.city") == 1);
    CHECK(s.events.at("other").count("address.city") == 1);
}

TEST_CASE("what contradicts, or is no type or name, is an error") {
    schema s;
    s.declare("contact.renewal", "day");
    CHECK_THROWS_WITH_AS(s.declare("contact.renewal", "text"), doctest::Contains("the history holds day"), error);
    CHECK_THROWS_WITH_AS(s.declare("contact.x", "integre"), doctest::Contains("Did you mean integer?"), error);
    CHECK_THROWS_WITH_AS(s.declare("lonely", "text"), doctest::Contains("[type.declared]"), error);
    CHECK_THROWS_AS(s.declare("x.", "text"), error);
}
