// What predicates answer at the boundary: the exact microsecond, the missing value, the same instant.
#include <doctest/doctest.h>

#include "dice.hpp"
#include "journeyman/journeyman.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

jm::instant at(const char* text) {
    jm::parsed_instant p;
    REQUIRE(jm::parse_instant(text, p));
    return p.at;
}

std::vector<std::string> in(const jm::history& h, const jm::expression& p, const char* when) { return jm::select(h, p, at(when)).ids(); }
using ids = std::vector<std::string>;

jm::history shop() {
    jm::history_builder b;
    b.contact("anna", {{"audience", std::string{"B2C"}}, {"age", std::int64_t{30}}});
    b.contact("bea", {{"audience", std::string{"B2B"}}});
    b.contact("carla", jm::fields{});
    b.event("anna", "purchase", at("2026-01-01T00:00:00Z"), {{"amount", 10.5}});
    b.event("anna", "purchase", at("2026-01-10T00:00:00Z"), {{"amount", 20.25}});
    b.event("bea", "purchase", at("2026-01-31T12:00:00Z"), {{"amount", 5.0}});
    b.event("bea", "login", at("2026-01-05T00:00:00Z"));
    return std::move(b).finish();
}

}  // namespace

TEST_CASE("a rolling window is left at exactly e + D") {
    const auto h = shop();
    const jm::predicate twice = jm::event("purchase").last(30_d).count() >= 2;
    CHECK(in(h, twice, "2026-01-09T23:59:59.999999Z") == ids{});
    CHECK(in(h, twice, "2026-01-10T00:00:00Z") == ids{"anna"});
    CHECK(in(h, twice, "2026-01-30T23:59:59.999999Z") == ids{"anna"});
    CHECK(in(h, twice, "2026-01-31T00:00:00Z") == ids{});
}

TEST_CASE("a calendar window is clamped at month end, once and for ever") {
    const auto h = shop();
    const jm::predicate lately = jm::event("purchase").last(1_mo).did();
    CHECK(in(h, lately, "2026-02-28T11:59:59.999999Z") == ids{"bea"});
    CHECK(in(h, lately, "2026-02-28T12:00:00Z") == ids{});
    CHECK(in(h, lately, "2026-03-30T00:00:00Z") == ids{});
}

TEST_CASE("of nothing: count and sum are 0, did is no, never is yes, the others are missing") {
    const auto h = shop();
    const auto bought = jm::event("purchase");
    const char* end = "2026-02-01T00:00:00Z";
    CHECK(in(h, bought.count() == 0, end) == ids{"carla"});
    CHECK(in(h, bought.sum("amount") == 0, end) == ids{"carla"});
    CHECK(in(h, bought.never(), end) == ids{"carla"});
    CHECK(jm::select(h, bought.max("amount") > 0, at(end)).unknown_ids() == ids{"carla"});
    CHECK(jm::select(h, bought.last_time() < at(end), at(end)).unknown_ids() == ids{"carla"});
}

TEST_CASE("a missing attribute compares as unknown, and logic is three-valued") {
    const auto h = shop();
    const auto b2c = jm::attr("audience") == "B2C";
    const auto s = jm::select(h, b2c, at("2026-01-05T00:00:00Z"));
    CHECK(s.ids() == ids{"anna"});
    CHECK(s.unknown_ids() == ids{"carla"});
    CHECK(in(h, !b2c, "2026-01-05T00:00:00Z") == ids{"bea"});
    CHECK(in(h, b2c || jm::event("purchase").never(), "2026-02-05T00:00:00Z") == ids{"anna", "carla"});
}

TEST_CASE("next: the first instant at which time alone could change the answer") {
    const auto h = shop();
    const auto next_of = [&](const jm::expression& p, const char* when) {
        const auto [program, n] = jm::compile(p, h.schema(), h.data().pool);
        jm::history_reader r{program, h.data()};
        r.load(0);
        jm::instant next = jm::end_of_time;
        jm::evaluate(*program, n, r.see(at(when)), at(when), next);
        return next;
    };
    const auto bought = jm::event("purchase");
    CHECK(next_of(bought.last(30_d).count() >= 2, "2026-01-15T00:00:00Z") == at("2026-01-31T00:00:00Z"));
    CHECK(next_of(bought.last(30_d).did(), "2026-01-15T00:00:00Z") == at("2026-02-09T00:00:00Z"));
    CHECK(next_of(bought.did(), "2026-01-15T00:00:00Z") == jm::end_of_time);
    CHECK(next_of(jm::now - bought.last_time() > 5_d, "2026-01-12T00:00:00Z") == at("2026-01-15T00:00:00Z"));
    CHECK(next_of(jm::now - bought.last_time() > 5_d, "2026-01-15T00:00:00Z") == at("2026-01-15T00:00:00.000001Z"));
}

TEST_CASE("types are checked before anything is asked") {
    const auto h = shop();
    const auto code = [&](const jm::expression& p) {
        try { jm::select(h, p, at("2026-01-15T00:00:00Z")); } catch (const jm::error& e) { return e.code(); }
        return std::string{"none"};
    };
    CHECK(code(jm::attr("audience") > 3) == "type.mismatch");
    CHECK(code(jm::attr("audiense") == "B2C") == "name.unknown");
    CHECK(code(jm::attr("audience")) == "type.not_a_predicate");
    CHECK(code(jm::event("purchase").where(jm::prop("amonut") > 3).did()) == "name.unknown");
    CHECK(code(jm::event("purchase").since_entry().did()) == "predicate.scope");
}

TEST_CASE("segments refer to segments, and a circle names itself") {
    const auto h = shop();
    jm::compile_context names;
    names.segments.emplace("a", jm::call(jm::function::segment, {"b"}));
    names.segments.emplace("b", jm::attr("audience") == "B2C");
    names.segments.emplace("x", jm::call(jm::function::segment, {"y"}));
    names.segments.emplace("y", jm::call(jm::function::segment, {"x"}));
    CHECK(jm::select(h, jm::call(jm::function::segment, {"a"}), at("2026-01-15T00:00:00Z"), names).ids() == ids{"anna"});
    // a contact is in a segment only on yes, so outside it the answer is no, not unknown
    CHECK(jm::select(h, jm::call(jm::function::segment, {"a"}), at("2026-01-15T00:00:00Z"), names).unknown_ids() == ids{});
    CHECK_THROWS_WITH(jm::select(h, jm::call(jm::function::segment, {"x"}), at("2026-01-15T00:00:00Z"), names), doctest::Contains("x → y → x"));
}

TEST_CASE("the fast path answers as the plain one") {
    jm::history_builder b;
    dice draw{7};
    const auto t0 = at("2026-01-01T00:00:00Z");
    for (int c = 0; c < 300; ++c) b.contact("c" + std::to_string(c), jm::fields{});
    for (int e = 0; e < 3000; ++e) b.event("c" + std::to_string(draw(200)), draw(3) == 0 ? "rare" : "often", t0 + std::chrono::hours{draw(2000)});
    const auto h = std::move(b).finish();
    for (const char* name : {"rare", "often"})
        for (const std::int64_t k : {1, 2, 5})
            for (int days : {1, 10, 30})
                for (const auto& p : {jm::expression{jm::event(name).last(std::chrono::hours{24 * days}).count() >= k}, jm::event(name).last(std::chrono::hours{24 * days}).never(), jm::event(name).did()}) {
                    const auto [program, n] = jm::compile(p, h.schema(), h.data().pool);
                    for (int step = 0; step < 12; ++step) {
                        const auto when = t0 + std::chrono::hours{200 * step};
                        CHECK(jm::select(h, program, n, when).numbers() == jm::select_plainly(h, program, n, when).numbers());
                    }
                }
}

TEST_CASE("the text and the operators build the same tree")
{
    const auto bought = jm::event("purchase");
    CHECK(jm::expression::parse("count(purchase, last 30d) >= 2").equals(bought.last(30_d).count() >= 2));
    CHECK(jm::expression::parse("sum(purchase.amount where amount > 3, since \"2026-01-31\") > 10").equals(bought.where(jm::prop("amount") > 3).since("2026-01-31").sum("amount") > 10));
    CHECK_FALSE(jm::expression::parse("count(purchase, last 30d) >= 2").equals(bought.last(31_d).count() >= 2));
}

TEST_CASE("without: an event counts from its deadline on, and one exactly at the deadline takes it away")
{
    jm::history_builder b;
    const auto t = at("2026-01-01T00:00:00Z");
    for (const char* who : {"bought", "late", "left"}) b.event(who, "cart", t, {{"k", std::int64_t{1}}});
    b.event("bought", "purchase", t + 1_h, {{"k", std::int64_t{1}}});
    b.event("late", "purchase", t + 1_h + 1_us, {{"k", std::int64_t{1}}});
    b.event("left", "purchase", t + 1_m, {{"k", std::int64_t{2}}});
    const auto h = std::move(b).finish();
    const auto abandoned = jm::expression::parse("did(cart without purchase on k within 1h)");
    CHECK(in(h, abandoned, "2026-01-01T00:59:59.999999Z") == ids{});
    CHECK(in(h, abandoned, "2026-01-01T01:00:00Z") == ids{"late", "left"});
    CHECK(in(h, abandoned, "2026-01-02T00:00:00Z") == ids{"late", "left"});
}

TEST_CASE("next is never late: between two asked instants nothing changes unseen")
{
    const auto h = shop();
    for (const char* text : {"count(purchase, last 10d) >= 1", "did(purchase, this month)", "did(purchase, previous week)", "now - last_time(purchase) > 60h", "(now - first_time(purchase)) / 1d >= 3.5",
                             "weekday(now) == 3", "hour(now) >= 13", "first_time(purchase) + 1mo - 1d <= now", "now + 1mo > \"2026-02-28T09:00:00Z\"", "did(purchase, last 1mo)", "never(purchase, last 36h)"}) {
        const auto [program, n] = jm::compile(jm::expression::parse(text), h.schema(), h.data().pool);
        jm::history_reader r{program, h.data()};
        r.load(0);
        jm::instant promised = jm::beginning_of_time;
        jm::truth before = jm::truth::unknown;
        const auto start = at("2026-01-10T00:00:00Z");           // anna's last event: from here on only time passes
        for (int hour = 0; hour < 24 * 60; ++hour) {
            const auto now = start + std::chrono::hours{hour};
            jm::instant next = jm::end_of_time;
            const auto x = jm::evaluate(*program, n, r.see(now), now, next).as_truth();
            CAPTURE(text);
            CAPTURE(hour);
            if (hour > 0 && now < promised) CHECK(x == before);
            before = x;
            promised = next;
        }
    }
}

TEST_CASE("a contact without an account does not see the account of the contact before it")
{
    jm::history_builder b;
    b.account("acme", {{"size", std::int64_t{500}}});
    b.contact("anna", {{"account_id", std::string{"acme"}}});
    b.contact("bea", jm::fields{});
    b.contact("carla", {{"account_id", std::string{"nowhere"}}});
    const auto h = std::move(b).finish();
    const auto big = jm::select(h, jm::expression::parse("account.size >= 100"), at("2026-01-01T00:00:00Z"));
    CHECK(big.ids() == ids{"anna"});
    CHECK(big.unknown_ids() == ids{"bea", "carla"});
}

TEST_CASE("inside a where an attribute is as of the instant asked about, not of the event")
{
    jm::history_builder b;
    b.contact("anna", at("2026-01-01T00:00:00Z"), {{"city", std::string{"Roma"}}});
    b.event("anna", "purchase", at("2026-01-02T00:00:00Z"));
    b.contact("anna", at("2026-01-03T00:00:00Z"), {{"city", std::string{"Milano"}}});
    const auto h = std::move(b).finish();
    const auto bought_in = jm::event("purchase").where(jm::attr("city") == "Milano").did();
    CHECK(jm::select(h, bought_in, at("2026-01-02T23:59:59.999999Z")).ids().empty());
    CHECK(jm::select(h, bought_in, at("2026-01-03T00:00:00Z")).ids() == std::vector<std::string>{"anna"});
}
