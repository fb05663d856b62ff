#include "journeyman/core/table.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "journeyman/core/arrow_abi.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;

namespace {
table sample() {
    table t{{"name", value_type::text}, {"n", value_type::integer}, {"x", value_type::decimal}};
    t[0].push_text("anna");
    t[1].push_integer(1);
    t[2].push(std::int64_t{2});   // an integer in a decimal column
    t[0].push_text("a \"b\", c\n");
    t[1].push_missing();
    t[2].push_decimal(0.5);
    t[0].push_text("");
    t[1].push_integer(-3);
    t[2].push_missing();
    return t;
}
std::string csv(const table& t) {
    std::ostringstream out;
    t.write_csv(out);
    return out.str();
}
}  // namespace

TEST_CASE("CSV quotes what needs it, and keeps empty text apart from missing") {
    CHECK(csv(sample()) == "name,n,x\nanna,1,2\n\"a \"\"b\"\", c\n\",,0.5\n\"\",-3,\n");
}

TEST_CASE("a table prints aligned, numbers to the right, at most forty rows") {
    std::ostringstream out;
    out << sample();
    CHECK(out.str() == "name        n    x\nanna        1    2\na \"b\", c       0.5\n           -3\n");
    table t{{"é", value_type::integer}};
    for (int i = 0; i < 43; ++i) t[0].push_integer(i);
    std::ostringstream many;
    many << t;
    CHECK(many.str().find("39\n… 3 more rows\n") != std::string::npos);
    std::ostringstream none;
    none << table{};
    CHECK(none.str() == "\n");
}

TEST_CASE("equal tables have equal names, types and cells") {
    CHECK(sample() == sample());
    table t = sample();
    t[1].push_integer(9);
    CHECK_FALSE(t == sample());
    table a{{"x", value_type::decimal}}, b{{"x", value_type::decimal}};
    a[0].push_decimal(0.0);
    b[0].push_decimal(-0.0);
    CHECK_FALSE(a == b);   // by bits
}

TEST_CASE("columns by name, and types that do not fit") {
    CHECK(sample().column("n").size() == 3);
    CHECK_THROWS_WITH_AS((void)sample().column("nmae"), doctest::Contains("Did you mean name?"), error);
    table t = sample();
    CHECK_THROWS_AS(t[1].push(std::string{"x"}), error);
    CHECK(sample()[2].at(0) == scalar{2.0});
    CHECK(sample()[1].at(1) == scalar{});
}

TEST_CASE("the Arrow stream has one batch of every type, and releases what it took") {
    table t{{"b", value_type::boolean}, {"i", value_type::integer}, {"d", value_type::decimal}, {"m", value_type::money}, {"t", value_type::text}, {"day", value_type::day}, {"at", value_type::instant}, {"l", value_type::duration}, {"list", value_type::text_list}, {"nothing", value_type::missing}};
    for (int row = 0; row < 3; ++row) {
        if (row == 1) {
            for (auto& c : t.columns()) c.push_missing();
            continue;
        }
        t[0].push(true);
        t[1].push(std::int64_t{row});
        t[2].push(0.5);
        t[3].push(money{150});
        t[4].push(std::string{"x"});
        t[5].push(day{std::chrono::days{1}});
        t[6].push(instant{microseconds{5}});
        t[7].push(length{microseconds{7}});
        t[8].push(std::vector<std::string>{"a", "bc"});
        t[9].push_missing();
    }
    ArrowArrayStream s{};
    {
        const table gone = t;
        gone.export_arrow(&s);
    }
    ArrowSchema schema{}, again{};
    REQUIRE(s.get_schema(&s, &schema) == 0);
    std::string formats;
    for (std::int64_t i = 0; i < schema.n_children; ++i) formats += std::string{schema.children[i]->format} + " ";
    CHECK(formats == "b l g g u tdD tsu:UTC tDu +l n ");
    ArrowArray batch{}, end{};
    REQUIRE(s.get_next(&s, &batch) == 0);
    REQUIRE(s.get_next(&s, &end) == 0);
    CHECK((end.release == nullptr));
    REQUIRE(s.get_schema(&s, &again) == 0);
    s.release(&s);
    CHECK((s.release == nullptr));
    CHECK(batch.length == 3);
    CHECK(batch.children[1]->null_count == 1);
    CHECK(static_cast<const std::int64_t*>(batch.children[1]->buffers[1])[2] == 2);
    CHECK(static_cast<const double*>(batch.children[3]->buffers[1])[0] == 1.5);
    CHECK(static_cast<const std::int32_t*>(batch.children[5]->buffers[1])[0] == 1);
    CHECK(batch.children[8]->children[0]->length == 4);
    // A consumer may move a child away before it releases the rest.
    ArrowArray child = *batch.children[4];
    batch.children[4]->release = nullptr;
    batch.release(&batch);
    CHECK(std::string_view{static_cast<const char*>(child.buffers[2]), 2} == "xx");
    child.release(&child);
    schema.release(&schema);
    again.release(&again);
}
