// Membership against brute force: asked at every instant that could matter, and one microsecond before it.
#include <doctest/doctest.h>

#include <set>

#include "dice.hpp"
#include "journeyman/journeyman.hpp"
#include "journeyman/predicate/membership.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

TEST_CASE("a contact leaves at the exact microsecond, with no input")
{
    const jm::instant t = std::chrono::sys_days{2026y / 1 / 1};
    jm::history_builder b;
    b.event("anna", "purchase", t);
    b.event("anna", "purchase", t + 10_d);
    const auto h = std::move(b).finish();
    const auto m = jm::membership(h, jm::expression::parse("count(purchase, last 30d) >= 2"), t, t + 365_d);
    REQUIRE(m.rows() == 1);
    CHECK(m[1].integers()[0] == (t + 10_d).time_since_epoch().count());
    CHECK(m[2].integers()[0] == (t + 30_d).time_since_epoch().count());
    const auto open = jm::membership(h, jm::expression::parse("count(purchase, last 30d) >= 2"), t, t + 30_d);
    REQUIRE(open.rows() == 1);
    CHECK_FALSE(open[2].present(0));   // the end is exclusive
    CHECK_THROWS_AS(jm::membership(h, jm::expression::parse("did(purchase)"), t, t), jm::error);
}

TEST_CASE("membership is what brute force finds")
{
    dice draw{11};
    const jm::instant t0 = std::chrono::sys_days{2026y / 3 / 1};
    jm::history_builder b;
    for (int e = 0; e < 150; ++e) {
        const auto who = "c" + std::to_string(draw(6));
        const auto when = t0 + std::chrono::hours{draw(60 * 24)};
        if (draw(4) == 0) b.contact(who, when, {{"plan", std::string{draw(2) == 0 ? "free" : "paid"}}});
        else b.event(who, draw(2) == 0 ? "a" : "b", when, {{"k", static_cast<std::int64_t>(draw(3))}, {"x", static_cast<double>(draw(100)) / 4}});
    }
    const auto h = std::move(b).finish();
    jm::compile_context rome;
    rome.zone = jm::load_zone("Europe/Rome");
    const auto start = t0 + 2_d, end = t0 + 70_d;
    for (const char* text : {"count(a, last 72h) >= 2", "did(a) and never(b, last 100h)", "sum(a.x, last 7d) > 20", "plan == \"paid\" and now - changed_time(plan) < 90h", "did(a without b on k within 30h, last 9d)",
                             "sequence(a, b, a, within 5d)", "count(b, this week) >= 1", "did(a, previous week) and not did(a, this week)", "last(b.x) > 10 or now - last_time(a) > 50h", "distinct(a.k, last 1mo) == 3", "weekday(now) <= 2 and did(b, last 3d)"}) {
        CAPTURE(text);
        const auto p = jm::expression::parse(text);
        const auto m = jm::membership(h, p, start, end, rome);
        const auto [program, n] = jm::compile(p, h.schema(), h.data().pool, rome);
        // Every input is on the hour, every length is whole hours, and so is every local midnight: only these instants can matter.
        for (auto t = start; t < end; t += 1h) {
            for (const auto asked : {t, t + 1_us, t + 1h - 1_us}) {
                std::set<std::string> stays;
                for (std::size_t r = 0; r < m.rows(); ++r)
                    if (m[1].integers()[r] <= asked.time_since_epoch().count() && (!m[2].present(r) || asked.time_since_epoch().count() < m[2].integers()[r])) stays.emplace(m[0].text(r));
                const auto ids = jm::select_plainly(h, program, n, asked).ids();
                if (stays != std::set<std::string>(ids.begin(), ids.end())) {
                    FAIL_CHECK("differs at " << jm::to_text(asked));
                    break;
                }
            }
        }
    }
}

TEST_CASE("changes come in order of time, and sizes on a grid of local days")
{
    const jm::instant t = std::chrono::sys_days{2026y / 3 / 27};
    jm::history_builder b;
    b.event("bob", "purchase", t);
    b.event("anna", "purchase", t + 1_d);
    b.event("cleo", "purchase", t + 1_d);
    const auto h = std::move(b).finish();
    const auto p = jm::expression::parse("did(purchase, last 2d)");
    const auto c = jm::changes(h, p, t, t + 4_d);
    REQUIRE(c.rows() == 6);
    const char* who[] = {"bob", "anna", "cleo", "bob", "anna", "cleo"};
    for (std::size_t r = 0; r < 6; ++r) {
        CHECK(c[0].text(r) == who[r]);
        CHECK(c[2].text(r) == (r < 3 ? "entered" : "left"));
    }
    CHECK(c[1].integers()[3] == (t + 2_d).time_since_epoch().count());

    const auto after = jm::sizes(h, p, t - 1_d, t + 4_d);
    CHECK(after[1].integers() == std::vector<std::int64_t>{0, 1, 3, 2, 0});
    CHECK(after[0].integers()[1] == t.time_since_epoch().count());
    jm::compile_context rome;
    rome.zone = jm::load_zone("Europe/Rome");
    const auto days = jm::sizes(h, p, t, t + 4_d, jm::calendar_unit::day, rome);
    REQUIRE(days.rows() == 5);   // the start, and four midnights in Rome, one of them of summer time
    CHECK(days[0].integers()[1] == (t + 23_h).time_since_epoch().count());
    CHECK(days[0].integers()[4] == (t + 3_d + 22_h).time_since_epoch().count());
    CHECK(days[1].integers() == std::vector<std::int64_t>{1, 1, 3, 2, 0});
    CHECK_THROWS_AS(jm::sizes(h, p, t, t), jm::error);
}
