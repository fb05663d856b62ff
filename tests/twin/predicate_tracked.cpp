// Tracked membership over a history that grows, against membership asked anew each time; and only what an append touches is asked.
#include <doctest/doctest.h>

#include <set>

#include "dice.hpp"
#include "journeyman/journeyman.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

TEST_CASE("tracked membership is membership asked anew")
{
    const jm::instant t0 = std::chrono::sys_days{2026y / 3 / 1};
    jm::compile_context rome;
    rome.zone = jm::load_zone("Europe/Rome");
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        dice draw{seed * 2 + 1};
        jm::history_builder first;
        first.contact("zoe", {{"plan", "free"}});
        first.account("acme", {{"size", std::int64_t{3}}});
        first.contact("c0", t0, {{"account_id", "acme"}});
        first.event("c0", "a", t0, {{"k", std::int64_t{1}}, {"x", 2.5}});
        first.event("c0", "b", t0 + 1_h, {{"k", std::int64_t{1}}, {"x", 2.5}});
        jm::history h = std::move(first).finish();
        const char* texts[] = {"count(a, last 72h) >= 2", "did(a) and never(b, last 100h)", "plan == \"paid\" and now - changed_time(plan) < 90h", "sum(a.x, last 7d) > 20", "account.size > 2 or did(\"a*\", last 2d)",
                               "did(a without b on k within 30h, last 9d)", "weekday(now) <= 2 and did(b, last 3d)", "count(any, this week) >= 2", "bucket(\"x\") < 0.5 and exists(plan)", "now - last_time(a) > 50h"};
        const auto p = jm::expression::parse(texts[draw(10)]);
        CAPTURE(seed);
        CAPTURE(p.to_text());
        jm::tracked_membership tracked{h, p, t0, {}, rome};
        auto members = tracked.members();
        jm::instant end = t0;
        for (int round = 0; round < 8; ++round) {
            jm::history_builder more;
            for (std::uint64_t e = draw(6); e > 0; --e) {
                const auto who = "c" + std::to_string(draw(8));
                const auto when = t0 + std::chrono::hours{draw(static_cast<std::uint64_t>(round + 1) * 120)};   // late ones too
                switch (draw(8)) {
                    case 0: more.contact(who, when, {{"plan", std::string{draw(2) == 0 ? "free" : "paid"}}}); break;
                    case 1: more.contact(who, when, {{"account_id", std::string{draw(2) == 0 ? "acme" : "bolt"}}}); break;
                    case 2: more.account(draw(2) == 0 ? "acme" : "bolt", when, {{"size", static_cast<std::int64_t>(draw(5))}}); break;
                    case 3: more.contact(who, {{"plan", "paid"}}, draw(2) == 0 ? std::optional{when} : std::nullopt); break;
                    default: more.event(who, draw(4) == 0 ? "ab" : draw(2) == 0 ? "a" : "b", when, {{"k", static_cast<std::int64_t>(draw(3))}, {"x", static_cast<double>(draw(40)) / 4}}, draw(3) == 0 ? "id" + std::to_string(draw(9)) : "");
                }
            }
            h = h.append(std::move(more));
            std::optional<jm::instant> until;
            if (draw(3) == 0) until = end + std::chrono::hours{draw(200)};
            const auto moved = tracked.update(h, until);
            CHECK(tracked.until() >= end);
            end = tracked.until();
            CHECK(tracked.stays() == jm::membership(h, p, t0, end + 1_us, rome));
            CHECK(tracked.changes() == jm::changes(h, p, t0, end + 1_us, rome));
            CHECK(tracked.members() == jm::select(h, p, end, rome).ids());
            // What it says has changed is what has.
            std::set<std::string> now(members.begin(), members.end());
            for (std::size_t r = 0; r < moved.rows(); ++r) {
                const std::string id{moved[0].text(r)};
                CHECK((moved[1].text(r) == "entered" ? now.insert(id).second : now.erase(id) == 1));
            }
            members = tracked.members();
            CHECK(std::vector<std::string>(now.begin(), now.end()) == members);
        }
    }
}

TEST_CASE("an update asks whom the append touched, and whom time alone moves")
{
    const jm::instant t0 = std::chrono::sys_days{2026y / 3 / 1};
    jm::history_builder b;
    for (int k = 0; k < 100; ++k) b.event("c" + std::to_string(100 + k), "a", t0 + std::chrono::hours{k});
    auto h = std::move(b).finish();
    jm::tracked_membership tracked{h, jm::expression::parse("did(a, last 3d)"), t0};
    CHECK(tracked.asked() == 100);
    CHECK(tracked.members().size() == 72);
    jm::history_builder more;
    more.event("c150", "a", t0 + 2_h);           // late, and changes nothing
    more.event("new", "b", t0 + 99_h);           // of no interest, but a new contact
    h = h.append(std::move(more));
    CHECK(tracked.update(h).rows() == 0);
    CHECK(tracked.asked() == 2);
    const auto moved = tracked.update(h, t0 + 101_h);
    CHECK(moved.rows() == 2);                    // two went out by time alone
    CHECK(tracked.asked() == 2);
    CHECK(tracked.members().size() == 70);
    CHECK_THROWS_AS((jm::tracked_membership{h, jm::expression::parse("did(a)"), t0 + 200_h, t0}), jm::error);
}
