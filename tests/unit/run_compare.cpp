// Two versions over the same history.
#include "journeyman/run/compare.hpp"

#include <doctest/doctest.h>

#include "journeyman/playbook/playbook.hpp"
#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace support;

namespace {

jm::playbook book(const jm::step& waits, const jm::step& late) {
    return jm::playbook("UTC").add(jm::workflow("w").on(jm::event("form"))
        .step("welcome", jm::send("email").next("reads")).step("reads", waits).step("more", jm::send("email")).step("late", late),
        jm::kpi("mails", jm::actions(jm::predicate::parse("prop(\"status\") == \"sent\""))).every(jm::month).up());
}

}  // namespace

TEST_CASE("who gets more, fewer or other messages, where paths part, how counts and KPIs differ")
{
    jm::history_builder b;
    for (const auto* id : {"anna", "bea", "carla"}) b.event(id, "form", t0);
    b.event("anna", "opened", t0 + 1_d);
    b.event("bea", "opened", t0 + 3_d);
    b.event("carla", "other", t0 + 20_d);
    const auto h = std::move(b).finish();
    const auto wait = [](jm::length d) { return jm::wait_for(jm::event("opened")).timeout(d).then("more").otherwise("late"); };
    const auto one = book(wait(2_d), jm::send("email")), two = book(wait(5_d), jm::send("sms"));
    const auto c = one.compare(two, h);
    CHECK(lines(c.versions, {"workflow", "change"}) == "w changed\n");
    CHECK(lines(c.contacts, {"contact_id", "before", "after", "difference", "change"}) == "bea 2 2 0 other\ncarla 2 2 0 other\n");
    CHECK(lines(c.messages, {"step", "channel", "before", "after", "difference"}) == "late email 2 0 -2\nlate sms 0 1 1\nmore email 1 2 1\nwelcome email 3 3 0\n");
    CHECK(lines(c.parted, {"contact_id", "journey", "step", "at", "before", "after"}) == "bea 1 reads 2026-02-02T09:00:00Z timeout → late then → more\n");
    CHECK(lines(c.partings, {"workflow", "step", "before", "after", "journeys"}) == "w reads timeout → late then → more 1\n");
    CHECK(lines(c.steps, {"step", "measure", "before", "after", "difference"}) == "late entered 2 1 -1\nlate completed 2 1 -1\nlate sent 2 1 -1\nmore entered 1 2 1\nmore completed 1 2 1\nmore sent 1 2 1\n");
    CHECK(lines(c.kpis, {"kpi", "before", "after", "difference"}) == "mails 3 3 0\nmails 3 3 0\n");

    const auto same = one.compare(one, h);
    for (const auto* t : {&same.contacts, &same.parted, &same.partings, &same.steps}) CHECK(t->rows() == 0);
    const auto gone = one.compare(jm::playbook("UTC"), h);
    CHECK(lines(gone.versions, {"workflow", "change"}) == "w removed\n");
    CHECK(lines(gone.contacts, {"contact_id", "after", "change"}) == "anna 0 fewer\nbea 0 fewer\ncarla 0 fewer\n");
    CHECK(lines(gone.partings, {"step", "before", "after", "journeys"}) == "- entered - 3\n");
    jm::history_builder other;
    other.event("dora", "form", t0);
    CHECK_THROWS_AS(jm::compare(one.replay(h), one.replay(std::move(other).finish())), jm::error);
}
