#include <doctest/doctest.h>

#include "dice.hpp"
#include "journeyman/history/column.hpp"

using namespace journeyman;

TEST_CASE("a column gives back what was pushed, with what is missing, over the words of its bitmap") {
    for (const auto type : {value_type::boolean, value_type::integer, value_type::decimal, value_type::text, value_type::instant}) {
        const auto cell = [&](int k) {
            if (k % 3 == 1) return value{};
            if (type == value_type::decimal) return value::of(k * 0.5);
            return value::of(type, type == value_type::boolean ? k % 2 : k);
        };
        column c{type};
        for (int k = 0; k < 200; ++k) c.push(cell(k));
        column ready{type};
        for (int k = 0; k < 64; ++k) ready.push(cell(0));
        CHECK(ready.all_present());
        ready.push({});                            // the first that is missing stands at the edge of a word
        REQUIRE(c.size() == 200);
        int wrong = 0;
        for (int k = 0; k < 200; ++k) wrong += c.at(static_cast<std::size_t>(k)) == cell(k) && c.present(static_cast<std::size_t>(k)) == (k % 3 != 1) ? 0 : 1;
        CHECK(wrong == 0);
        CHECK(ready.present(63));
        CHECK_FALSE(ready.present(64));
        CHECK_FALSE(ready.all_present());
    }
}

TEST_CASE("a cell is put into a column between others, and a copy keeps what it had") {
    column c{value_type::integer};
    for (const std::int64_t n : {1, 3}) c.push(value::of(n));
    const column before = c;
    c.insert(1, value{});
    c.insert(3, value::of(std::int64_t{4}));
    REQUIRE(c.size() == 4);
    CHECK(c.at(0) == value::of(std::int64_t{1}));
    CHECK_FALSE(c.present(1));
    CHECK(c.at(2) == value::of(std::int64_t{3}));
    CHECK(c.at(3) == value::of(std::int64_t{4}));
    CHECK(before.size() == 2);
    CHECK(before.all_present());
}
