// Funnels counted by passes over streams against the matcher that every other rule goes through.

#include "journeyman/journeyman.hpp"

#include <doctest/doctest.h>
#include <random>

namespace jm = journeyman;

TEST_CASE("counting by passes is counting by chains") {
    const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    std::mt19937 dice{11};
    const auto draw = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
    int all = 0, differ_by_window = 0;
    for (int round = 0; round < 300; ++round) {
        jm::history_builder b;
        const int contacts = 1 + draw(60), events = draw(400), kinds = 2 + draw(5);
        for (int c = 0; c < contacts; ++c) b.contact("c" + std::to_string(c), {{"city", "Roma"}});
        for (int e = 0; e < events; ++e) b.event("c" + std::to_string(draw(contacts)), "e" + std::to_string(draw(kinds)), t0 + std::chrono::seconds{draw(60)}, {{"x", std::int64_t{draw(3)}}});
        const auto h = std::move(b).finish();
        jm::event_funnel f;
        const int steps = 1 + draw(5);
        for (int s = 0; s < steps; ++s) {
            auto event = jm::event("e" + std::to_string(draw(kinds)));
            if (draw(3) == 0 && h.schema().events.contains(event.data().event)) event = event.where(jm::prop("x") > draw(2));
            f.steps.emplace_back("", event);
        }
        if (draw(5) != 0) f.within = std::chrono::seconds{draw(30)};
        f.rules.window_end_inclusive = draw(3) != 0;
        f.rules.anchor = draw(2) == 0 ? jm::funnel_rules::anchor_t::any : jm::funnel_rules::anchor_t::latest;
        f.rules.tie_rule = draw(2) == 0 ? jm::funnel_rules::tie_t::arrival : jm::funnel_rules::tie_t::step_order;
        f.rules.one_event_many_steps = draw(3) == 0;
        const auto fast = jm::measure_funnel(h, f), plain = jm::measure_funnel_plainly(h, f);
        CHECK(fast.rows == plain.rows);
        const auto n = plain.rows.column("units").integers();
        all += n.back() > 0;
        differ_by_window += n.front() > n.back();
    }
    CHECK(all > 50);
    CHECK(differ_by_window > 50);
}

TEST_CASE("retention by bits is retention by events") {
    const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 20}};
    std::mt19937 dice{12};
    const auto draw = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
    int back = 0;
    for (int round = 0; round < 200; ++round) {
        jm::history_builder b;
        const int contacts = 1 + draw(60), events = draw(300), kinds = 1 + draw(4);
        for (int c = 0; c < contacts; ++c) b.contact("c" + std::to_string(c), {{"city", "Roma"}});
        for (int e = 0; e < events; ++e) b.event("c" + std::to_string(draw(contacts)), "e" + std::to_string(draw(kinds)), t0 + std::chrono::hours{draw(24 * 200)});
        const auto h = std::move(b).finish();
        jm::retention_question q{draw(3) == 0 ? jm::any_event() : jm::event("e0")};
        if (draw(2) == 0) q.returning = draw(3) == 0 ? jm::any_event() : jm::event("e1");
        q.every = draw(2) == 0 ? jm::retention_question::every_t::month : jm::retention_question::every_t::week;
        if (draw(2) == 0) q.intervals = 1 + draw(9);
        q.triangular = draw(2) == 0;
        jm::retention_options o;
        o.context.zone = jm::load_zone(draw(2) == 0 ? "Europe/Rome" : "America/New_York");
        const auto fast = jm::measure_retention(h, q, o), plain = jm::measure_retention_plainly(h, q, o);
        CHECK(fast.rows == plain.rows);
        CHECK(fast.again == plain.again);
        for (const auto n : plain.rows.column("contacts").integers()) back += n > 0;
    }
    CHECK(back > 1000);
}
