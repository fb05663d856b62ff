// One contact's journeys, told step by step.
#include "journeyman/run/explain.hpp"

#include <doctest/doctest.h>

#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace support;

namespace {

std::string told(const jm::run& r, std::string_view contact) {
    std::ostringstream out;
    for (const auto& j : r.explain(contact)) out << j;
    return out.str();
}
std::string without_version(std::string s) {
    for (auto at = s.find(", version "); at != s.npos; at = s.find(", version ")) s.erase(at, s.find('\n', at) - at);
    return s;
}

}  // namespace

TEST_CASE("a journey is told: what happened, why this way, what is waited for and until when")
{
    jm::history_builder b;
    b.contact("anna", {{"plan", std::string{"free"}}});
    b.event("anna", "form", t0, {{"form", std::string{"webinar"}}});
    b.event("anna", "opened", t0 + 1_d);
    b.event("anna", "opened", t0 + 1_d + 1_h);
    b.contact("bea", {});
    auto d = with({jm::workflow("w").on(jm::event("form"))
        .goal(jm::event("purchase").since_entry().did())
        .step("welcome", jm::send("email").next("reads"))
        .step("reads", jm::wait_for(jm::event("opened")).timeout(3_d).then("which").otherwise("end"))
        .step("which", jm::branch().when(jm::attr("plan") == "paid", "end").when(jm::event("opened").last(2_d).count() >= 1, "more").otherwise("end"))
        .step("more", jm::send("email").next("decides"))
        .step("decides", jm::wait_for(jm::predicate::parse("count(opened, last 7d) >= 3")).timeout(5_d).then("end").otherwise("end"))});
    d.policies.caps.push_back({"email", 1, jm::length{7_d}, false});
    const auto r = jm::replay(d, std::move(b).finish(), {.until = t0 + 2_d});
    CHECK(without_version(told(r, "anna")) ==
          "anna: journey 1 through w\n"
          "  2026-01-31T09:00:00Z  entered: form at 2026-01-31T09:00:00Z\n"
          "  2026-01-31T09:00:00Z  welcome (send)\n"
          "      sent by email at 2026-01-31T09:00:00Z\n"
          "      goal: did(purchase, since entry): no\n"
          "      next → reads at 2026-01-31T09:00:00Z: it is done\n"
          "  2026-01-31T09:00:00Z  reads (wait_for)\n"
          "      goal: did(purchase, since entry): no\n"
          "      then → which at 2026-02-01T09:00:00Z: opened at 2026-02-01T09:00:00Z came\n"
          "  2026-02-01T09:00:00Z  which (branch)\n"
          "      goal: did(purchase, since entry): no\n"
          "      choice 1: plan == \"paid\": no\n"
          "                └ plan: free\n"
          "      choice 2: count(opened, last 2d) >= 1: yes, until 2026-02-03T09:00:00Z\n"
          "                └ count(opened, last 2d): 1, until 2026-02-03T09:00:00Z\n"
          "                    opened at 2026-02-01T09:00:00Z, counts until 2026-02-03T09:00:00Z\n"
          "      if → more at 2026-02-01T09:00:00Z: choice 2: `count(opened, last 2d) >= 1` is yes\n"
          "  2026-02-01T09:00:00Z  more (send)\n"
          "      suppressed by email at 2026-02-01T09:00:00Z: the cap is full: at most 1 per 1w by email\n"
          "      goal: did(purchase, since entry): no\n"
          "      next → decides at 2026-02-01T09:00:00Z: it is done\n"
          "  2026-02-01T09:00:00Z  decides (wait_for)\n"
          "      goal: did(purchase, since entry): no\n"
          "      outcome 1: count(opened, last 1w) >= 3: no (1 more would do)\n"
          "                 └ count(opened, last 1w): 2, until 2026-02-08T09:00:00Z\n"
          "                     opened at 2026-02-01T10:00:00Z, counts until 2026-02-08T10:00:00Z\n"
          "                     opened at 2026-02-01T09:00:00Z, counts until 2026-02-08T09:00:00Z\n"
          "      it waits for `count(opened, last 1w) >= 3` until 2026-02-06T09:00:00Z\n");
    CHECK(r.explain("bea").empty());
    CHECK(r.explain("anna", "w", 2).empty());
    CHECK_THROWS_AS(r.explain("nobody"), jm::error);
    CHECK_THROWS_AS(r.explain("anna", "v"), jm::error);
}

TEST_CASE("what is told of every contact is what the run says")
{
    jm::history_builder b;
    for (int k = 0; k < 40; ++k) {
        const auto id = "c" + std::to_string(k);
        for (int n = 0; n < 6; ++n) b.event(id, n % 2 == 0 ? "form" : "opened", t0 + std::chrono::hours{(k * 7 + n * 13) % 200}, {}, {}, n == 3 ? std::optional{t0 + 300_h} : std::nullopt);
    }
    const auto w = jm::workflow("w").on(jm::event("form")).again({jm::reentry_rule::after_exit, {}, {}})
        .step("a", jm::send("email").next("b"))
        .step("b", jm::wait_for(jm::event("opened")).timeout(20_h).then("a2").otherwise("end"))
        .step("a2", jm::send("email"));
    const auto h = std::move(b).finish();
    for (const auto order : {jm::run_order::event, jm::run_order::arrival}) {
        const auto r = jm::replay(with({w}), h, {.order = order});
        std::map<std::string, std::int64_t> stays;
        std::size_t journeys = 0;
        for (int k = 0; k < 40; ++k)
            for (const auto& j : r.explain("c" + std::to_string(k))) {
                ++journeys;
                for (const auto& s : j.steps) ++stays[s.step];
            }
        CHECK(journeys == r.journeys().rows());
        CHECK(lines(r.steps(), {"step", "entered"}) == "a " + std::to_string(stays["a"]) + "\nb " + std::to_string(stays["b"]) + "\na2 " + std::to_string(stays["a2"]) + "\n");
    }
}
