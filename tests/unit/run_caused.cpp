// What steps cause: attributes, events, other workflows; the order of it all; what is in the run's history afterwards.
#include <doctest/doctest.h>

#include "journeyman/predicate/select.hpp"
#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace support;

namespace {

jm::workflow on(const char* name, const char* event, jm::reentry_rule r = {jm::reentry_rule::after_exit, {}, {}}) { return jm::workflow(name).on(jm::event(event)).again(r); }

jm::history going()
{
    jm::history_builder b;
    b.contact("anna", {{"score", std::int64_t{1}}});
    b.event("anna", "go", t0, {{"colour", std::string{"green"}}});
    return std::move(b).finish();
}
std::string sent(const jm::run& r) { return lines(r.actions(), {"workflow", "step", "at", "status"}); }

}  // namespace

TEST_CASE("an attribute that is set is seen by the next step, is an action, and stands in the run's history")
{
    const auto w = on("w", "go").step("mark", jm::set("score", jm::attr("score") + 1).with("favourite", jm::trigger("colour")).with("stage", "new").next("look"))
        .step("look", jm::branch().when(jm::attr("score") == 2 && jm::attr("favourite") == "green", "yes").otherwise("end")).step("yes", jm::send("email"));
    const auto r = jm::replay(with({w}), going());
    CHECK(sent(r) == "w mark 2026-01-31T09:00:00Z done\nw yes 2026-01-31T09:00:00Z sent\n");
    CHECK(r.actions().column("values").text(0) == "{\"score\":2,\"favourite\":\"green\",\"stage\":\"new\"}");
    CHECK(lines(r.history().contacts(), {"contact_id", "score", "favourite", "stage"}) == "anna 2 green new\n");
    CHECK(lines(r.history().contacts(t0 - 1_us), {"score", "favourite"}) == "1 -\n");
    CHECK(r.history().schema().contact.at("stage") == jm::value_type::text);
}

TEST_CASE("values of one `set` are worked out before the first is set")
{
    const auto w = on("w", "go").step("swap", jm::set("score", jm::attr("old")).with("old", jm::attr("score")));
    auto d = with({w});
    d.types = {{"contact.old", "integer"}};
    CHECK(lines(jm::replay(d, going()).history().contacts(), {"score", "old"}) == "- 1\n");
}

TEST_CASE("an emitted event starts another workflow, ends a wait, and is in the history")
{
    const auto a = on("a", "go").step("tell", jm::emit("told").with("n", 7).next("hear")).step("hear", jm::wait_for(jm::event("told")).timeout(1_d).then("heard").otherwise("end")).step("heard", jm::send("email"));
    const auto b = jm::workflow("b").on(jm::event("told").where(jm::prop("n") == 7)).step("hello", jm::send("email").with("n", jm::trigger("n")));
    const auto r = jm::replay(with({a, b}), going(), {.until = t0 + 9_d});
    CHECK(sent(r) == "a heard 2026-01-31T09:00:00Z sent\nb hello 2026-01-31T09:00:00Z sent\n");
    CHECK(r.actions().column("values").text(1) == "{\"n\":7}");
    CHECK(r.history().select(jm::event("told").where(jm::prop("n") == 7).count() == 1, t0).count() == 1);
    CHECK(r.history().select(jm::event("told").did(), t0 - 1_us).count() == 0);
    CHECK(r.history().select(jm::sequence({jm::event("go"), jm::event("told")}), t0).count() == 1);
    CHECK(r.history().select(jm::sequence({jm::event("told"), jm::event("go")}), t0).count() == 0);
}

TEST_CASE("what is caused goes before the history's next input at the same instant, there and in the run's history")
{
    jm::history_builder b;
    b.event("anna", "go", t0);
    b.event("anna", "then", t0);
    const auto w = on("w", "go").step("tell", jm::emit("told"));
    const auto v = on("v", "then").step("look", jm::branch().when(jm::event("told").did(), "yes").otherwise("end")).step("yes", jm::send("email").next("mark")).step("mark", jm::set("x", 1));
    const auto r = jm::replay(with({w, v}), std::move(b).finish());
    CHECK(sent(r) == "v yes 2026-01-31T09:00:00Z sent\nv mark 2026-01-31T09:00:00Z done\n");
    CHECK(r.history().select(jm::sequence({jm::event("go"), jm::event("told"), jm::event("then")}), t0).count() == 1);
    CHECK(r.history().select(jm::sequence({jm::event("told"), jm::event("then"), jm::event("$action")}), t0).count() == 1);
    CHECK(r.history().select(jm::sequence({jm::event("then"), jm::event("told")}), t0).count() == 0);
}

TEST_CASE("`since entry` counts what is caused after the entry, first caused, first handled")
{
    const auto a = on("a", "go").step("one", jm::emit("first").next("two")).step("two", jm::emit("second"));
    const auto b = on("b", "first").step("look", jm::branch().when(jm::event("second").since_entry().did() && !jm::event("first").since_entry().did(), "yes").otherwise("end")).step("yes", jm::send("email"));
    CHECK(sent(jm::replay(with({a, b}), going())) == "b yes 2026-01-31T09:00:00Z sent\n");
}

TEST_CASE("a workflow started by another asks its own audience and re-entry, and reads the same trigger")
{
    const auto parent = on("parent", "go").step("begin", jm::start("child").next("again")).step("again", jm::start("child").next("bye")).step("bye", jm::send("email"));
    const auto child = jm::workflow("child").on(jm::event("never")).step("hello", jm::send("email").with("colour", jm::trigger("colour")));
    CHECK(lines(jm::replay(with({child, parent}), going()).actions(), {"workflow", "step", "values"}) == "parent bye -\nchild hello {\"colour\":\"green\"}\n");
    CHECK(jm::replay(with({child.audience(jm::attr("score") > 1), parent}), going()).journeys().rows() == 1);
}

TEST_CASE("a zone that is set moves another journey's wait")
{
    jm::wait_step nine;
    nine.until = jm::time_of_day{12 * 60};
    const auto a = on("a", "go").step("pause", jm::step{nine}.next("hello")).step("hello", jm::send("email"));
    const auto b = on("b", "go").step("pause", jm::wait(1_h).next("move")).step("move", jm::set("timezone", "Asia/Kolkata"));
    CHECK(sent(jm::replay(with({a, b}), going(), {.until = t0 + 9_d})) == "b move 2026-01-31T10:00:00Z done\na hello 2026-02-01T06:30:00Z sent\n");
}

TEST_CASE("an account that is set shows its attributes")
{
    jm::history_builder b;
    b.account("acme", {{"plan", std::string{"pro"}}});
    b.contact("anna", {{"account_id", std::string{"none"}}});
    b.event("anna", "go", t0);
    const auto w = on("w", "go").step("join", jm::set("account_id", "acme").next("look")).step("look", jm::branch().when(jm::attr("account.plan") == "pro", "yes").otherwise("end")).step("yes", jm::send("email"));
    CHECK(sent(jm::replay(with({w}), std::move(b).finish())) == "w join 2026-01-31T09:00:00Z done\nw yes 2026-01-31T09:00:00Z sent\n");
}

TEST_CASE("workflows that cause each other without end are an error that names them")
{
    const auto a = on("a", "ping").step("tell", jm::emit("pong"));
    const auto b = on("b", "pong").step("tell", jm::emit("ping"));
    jm::history_builder h;
    h.event("anna", "ping", t0);
    try {
        jm::replay(with({a, b}), std::move(h).finish());
        FAIL("no error");
    } catch (const jm::error& e) {
        CHECK(e.code() == "workflow.circle");
        CHECK(e.message().find("a → b") != std::string::npos);
    }
}

TEST_CASE("what steps cause does not depend on the number of threads")
{
    jm::history_builder b;
    for (int k = 0; k < 500; ++k) {
        const auto id = "c" + std::to_string(k);
        b.contact(id, {{"score", std::int64_t{k % 7}}});
        for (int n = 0; n < 4; ++n) b.event(id, "go", t0 + std::chrono::hours{(k * 7 + n * 11) % 90}, {{"colour", std::string{n % 2 == 0 ? "green" : "red"}}});
    }
    const auto h = std::move(b).finish();
    auto a = on("a", "go").step("mark", jm::set("score", jm::attr("score") + 1).next("tell")).step("tell", jm::emit("told").with("colour", jm::trigger("colour")));
    auto c = on("c", "told", {jm::reentry_rule::each, {}, "colour"}).step("hello", jm::send("email").with("score", jm::attr("score")));
    auto s = jm::workflow("s").step("hello", jm::send("email"));
    s.trigger = jm::schedule_trigger{"FREQ=DAILY", "2026-01-31T12:00"};
    const auto d = with({a, c, s});
    const auto one = jm::replay(d, h, {.threads = 1});
    for (const int threads : {2, 8}) {
        const auto many = jm::replay(d, h, {.threads = threads});
        CHECK(one.actions() == many.actions());
        CHECK(one.journeys() == many.journeys());
        CHECK(one.history().events() == many.history().events());
        CHECK(one.history().contacts() == many.history().contacts());
    }
    CHECK(one.actions().rows() > 3'000);
}
