// The embedder's loop: state and input in, state and actions out.
#include "journeyman/workflow/contact.hpp"

#include <doctest/doctest.h>

#include "journeyman/playbook/playbook.hpp"
#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using support::t0;

namespace {

jm::workflow_program_ptr compiled(const jm::workflow& w) { return jm::playbook("Europe/Rome").add(w).compiled(); }

/// What is done, a line an action.
std::string give(const jm::workflow_program_ptr& p, jm::contact_state& s, const jm::input& in) {
    std::string out;
    jm::advance(p, s, in, [&](const jm::action& a) { out += a.step + " " + jm::to_text(a.at) + "\n"; });
    return out;
}
std::string error_of(const jm::workflow_program_ptr& p, jm::contact_state& s, const jm::input& in) {
    try {
        give(p, s, in);
    } catch (const jm::error& e) {
        return e.code() + " at " + e.place();
    }
    return "";
}

}  // namespace

TEST_CASE("a contact goes on by inputs and by ticks, and says when it needs one")
{
    const auto p = compiled(jm::workflow("w").on(jm::event("a")).step("wait", jm::wait(2_h).next("send")).step("send", jm::send("email")));
    jm::contact_state anna{"anna"};
    CHECK(anna.next_due() == jm::end_of_time);
    CHECK(give(p, anna, jm::input::event("a", t0)).empty());
    CHECK(anna.next_due() == t0 + 2_h);
    REQUIRE(anna.journeys().size() == 1);
    CHECK(anna.journeys()[0].step == "wait");
    CHECK(anna.journeys()[0].until == t0 + 2_h);
    CHECK(give(p, anna, jm::input::tick(t0 + 2_h - 1_us)).empty());
    // Inputs at an instant come before its timers.
    CHECK(give(p, anna, jm::input::event("b", t0 + 2_h)).empty());
    CHECK(give(p, anna, jm::input::tick(t0 + 2_h)) == "send 2026-01-31T11:00:00Z\n");
    CHECK(anna.journeys().empty());
    CHECK(anna.next_due() == jm::end_of_time);
}

TEST_CASE("events stay as long as a predicate can see them")
{
    const auto w = jm::workflow("w").on(jm::event("a")).audience(jm::predicate::parse("count(b, last 2h) >= 1 and never(c)")).step("send", jm::send("email"));
    const auto p = compiled(w);
    jm::contact_state s{"anna"};
    give(p, s, jm::input::event("b", t0));
    give(p, s, jm::input::event("d", t0 + 1_m));                        // nobody asks about it
    CHECK(s.events_kept() == 1);
    give(p, s, jm::input::tick(t0 + 2_h - 1_us));
    CHECK(s.events_kept() == 1);
    give(p, s, jm::input::tick(t0 + 2_h));                              // T4: it has left
    CHECK(s.events_kept() == 0);
    give(p, s, jm::input::event("c", t0 + 3_h));
    give(p, s, jm::input::tick(t0 + 10'000_h));
    CHECK(s.events_kept() == 1);                                        // of all time
    give(p, s, jm::input::event("a", t0 + 10'001_h));
    CHECK(s.events_kept() == 1);                                        // what starts a journey is kept with it alone
}

TEST_CASE("what comes in behind a later input is late")
{
    const auto p = compiled(jm::workflow("w").on(jm::event("a")).step("paid", jm::wait_for(jm::event("b")).timeout(5_h).then("thanks").otherwise("end")).step("thanks", jm::send("email")));
    jm::contact_state s{"anna"};
    give(p, s, jm::input::event("a", t0));
    give(p, s, jm::input::tick(t0 + 3_h));
    jm::contact_state other = s;
    CHECK(give(p, s, jm::input::event("b", t0 + 1_h)) == "thanks 2026-01-31T12:00:00Z\n");        // happened in the wait, seen now
    CHECK(give(p, other, jm::input::event("b", t0 - 1_h)).empty());                               // before the wait
}

TEST_CASE("a state is as it was when an input cannot be used or the sink throws")
{
    auto playbook = jm::playbook("Europe/Rome").add(jm::workflow("w").on(jm::event("a").where(jm::prop("n") > 3)).step("send", jm::send("email")));
    playbook.types = {{"a.n", "integer"}, {"contact.born", "day"}};
    const auto p = playbook.compiled();
    jm::contact_state s{"anna"};
    const auto before = s.to_json();
    CHECK(error_of(p, s, jm::input::event("a", t0, {{"n", std::string{"many"}}})) == "type.mismatch at a.n");
    CHECK(s.to_json() == before);
    CHECK_THROWS_AS(jm::advance(p, s, jm::input::event("a", t0, {{"n", std::int64_t{5}}}), [](const jm::action&) { throw std::runtime_error{"full"}; }), std::runtime_error);
    CHECK(s.to_json() == before);
    CHECK(give(p, s, jm::input::event("a", t0, {{"n", 5.0}})) == "send 2026-01-31T09:00:00Z\n");
}

TEST_CASE("a state goes on in the same workflows compiled anew, and not in others")
{
    const auto w = jm::workflow("w").on(jm::event("a")).step("wait", jm::wait(2_h).next("send")).step("send", jm::send("email").with("x", jm::trigger("x")));
    jm::contact_state s{"anna"};
    give(compiled(w), s, jm::input::event("a", t0, {{"x", std::string{"é"}}}));
    CHECK(error_of(compiled(w.priority(3)), s, jm::input::tick(t0 + 2_h)) == "state.version at workflows.w");
    std::string x;
    jm::advance(compiled(w), s, jm::input::tick(t0 + 2_h), [&](const jm::action& a) { x = jm::to_text(a.values[0].second); });
    CHECK(x == "é");
    CHECK_THROWS_AS(jm::contact_state::from_json("{}", compiled(w)), jm::error);
    CHECK_THROWS_AS(jm::contact_state::from_json("nonsense", compiled(w)), jm::error);
}

TEST_CASE("who was in a segment when the contact begins has not entered it")
{
    auto playbook = jm::playbook("Europe/Rome").add(jm::segment{"free", jm::attr("plan") == "free"}, [] {
        jm::workflow w{"w"};
        w.trigger = jm::enters_trigger{"free"};
        return w.step("send", jm::send("email"));
    }());
    const auto p = playbook.compiled();
    jm::contact_state old{"old", jm::beginning_of_time}, fresh{"fresh"};
    jm::see(p, old, jm::input::always({{"plan", std::string{"free"}}}));
    jm::begin(p, old, t0);
    CHECK(give(p, old, jm::input::tick(t0 + 1_h)).empty());
    CHECK(give(p, fresh, jm::input::change(t0, {{"plan", std::string{"free"}}})) == "send 2026-01-31T09:00:00Z\n");
    give(p, old, jm::input::change(t0 + 2_h, {{"plan", std::string{"paid"}}}));
    CHECK(give(p, old, jm::input::change(t0 + 3_h, {{"plan", std::string{"free"}}})) == "send 2026-01-31T12:00:00Z\n");
}
