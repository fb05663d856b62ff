// KPI tables: what the shared cases (design §7) do not cover.
#include "journeyman/kpi/report.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

const jm::instant t0 = std::chrono::sys_days{2026y / 1 / 1};

jm::kpi monthly(const char* name, const char* value) { return jm::kpi(name, jm::expression::parse(value)).every(jm::month).up(); }

jm::kpi_definitions with(std::vector<jm::kpi> kpis)
{
    jm::kpi_definitions d;
    d.kpis = std::move(kpis);
    return d;
}

const jm::kpi_options january{.start = t0, .end = t0 + 31_d};

/// kpi dimensions… = value, one a line.
std::string lines(const jm::table& t)
{
    std::ostringstream out;
    for (std::size_t r = 0; r < t.rows(); ++r) {
        out << t[0].text(r);
        for (std::size_t c = 3; c < t.size() && t[c].name() != "value"; ++c)
            if (t[c].type() == jm::value_type::text && t[c].present(r)) out << ' ' << t[c].text(r);
        out << " = " << (t.column("value").present(r) ? jm::to_text(t.column("value").at(r)) : "-") << '\n';
    }
    return out.str();
}

std::string code_of(const jm::kpi_definitions& d, const jm::history& h, const jm::kpi_options& o = january)
{
    try {
        jm::compute_kpis(d, h, {}, o);
    } catch (const jm::error& e) {
        return e.code() + " at " + e.place();
    }
    return "";
}

jm::history shop()
{
    jm::history_builder b;
    b.contact("anna", {{"city", std::string{"Roma"}}, {"audience", std::string{"B2C"}}});
    b.contact("bea", {{"city", std::string{"Milano"}}, {"audience", std::string{"B2B"}}});
    b.event("anna", "cart", t0 + 1_d, {{"cart_id", std::string{"c1"}}});
    b.event("anna", "purchase", t0 + 1_d + 30_m, {{"amount", 10.0}, {"cart_id", std::string{"c1"}}});
    b.event("anna", "cart", t0 + 2_d, {{"cart_id", std::string{"c2"}}});
    b.event("bea", "purchase", t0 + 3_d, {{"amount", 20.0}, {"channel", std::string{"mail"}}});
    b.event("bea", "cart", t0 + 31_d - 30_m, {{"cart_id", std::string{"c3"}}});
    b.spend(t0 + 1_d, 100, {{"channel", std::string{"ads"}}});
    b.spend(t0 + 2_d, 50, {{"segment", std::string{"b2c"}}});
    b.spend(t0 + 3_d, 7, {{"segment", std::string{"b2b"}}});
    return std::move(b).finish();
}

}  // namespace

TEST_CASE("spend of no segment is reported by the KPIs of a scope that could not count it")
{
    auto d = with({monthly("cpa", "spend() / new(purchase)").in("b2c"), monthly("ads", "spend(where channel == \"ads\") + 0 * spend()").in("b2c"), monthly("all", "spend()")});
    d.segments = {"b2c"};
    d.context.segments.emplace("b2c", jm::expression::parse("audience == \"B2C\""));
    const auto r = jm::compute_kpis(d, shop(), {}, january);
    CHECK(lines(r.rows) == "cpa = 50\nads = 0\nall = 157\n");
    REQUIRE(r.unscoped_spend.rows() == 2);
    CHECK(r.unscoped_spend[0].text(0) == "cpa");
    CHECK(r.unscoped_spend[1].integers()[0] == t0.time_since_epoch().count());
    CHECK(r.unscoped_spend[2].decimals()[0] == 100);
    CHECK(r.unscoped_spend[2].decimals()[1] == 100);   // once, though two measures count it
}

TEST_CASE("a missed target brings what improves it")
{
    const auto d = with({monthly("n", "events(purchase)").aim(5).broken_down_by({"contact.city"}).improved_by("offer", "webinar").improved_by("call"), monthly("m", "events(purchase)").aim(2).improved_by("nothing")});
    const auto r = jm::compute_kpis(d, shop(), {}, january);
    REQUIRE(r.improve.rows() == 2);
    CHECK(r.improve[2].text(0) == "offer");
    CHECK(r.improve[3].text(0) == "webinar");
    CHECK(r.improve[2].text(1) == "call");
    CHECK_FALSE(r.improve[3].present(1));
    CHECK(r.rows.column("status").text(0) == "missed");
    CHECK(r.rows.column("status").text(3) == "met");
}

TEST_CASE("without: judged at the end of the table")
{
    const auto r = jm::compute_kpis(with({monthly("lost", "events(cart without purchase on cart_id within 1h)"), monthly("still", "events(cart without purchase on cart_id)")}), shop(), {}, january);
    CHECK(lines(r.rows) == "lost = 1\nstill = 2\n");   // c1 was bought; of c3 the hour is not over
}

TEST_CASE("actions, and the journeys that run at an instant")
{
    jm::history_builder b;
    for (const auto* who : {"anna", "bea"})
        for (int k = 0; k < 3; ++k) b.event(who, "$action", t0 + k * 1_d, {{"kind", std::string{k == 0 ? "task" : "send"}}});
    const auto h = std::move(b).finish();
    const std::vector<jm::journey_span> spans{
        {0, "webinar", "v1", "welcome", {t0, 0}, {t0 + 1_d, 0xffffffffU}},
        {0, "offer", "v2", "mail", {t0 + 1_d, 0}, {jm::end_of_time, 0}},
    };
    const auto r = jm::compute_kpis(with({monthly("sends", "actions(where kind == \"send\")").broken_down_by({"workflow", "step"}), monthly("all", "actions()").broken_down_by({"kind"})}), h, spans, january);
    CHECK(lines(r.rows) == "sends = 4\nsends (missing) (missing) = 2\nsends offer mail = 2\nsends webinar welcome = 1\nall = 6\nall send = 4\nall task = 2\n");
}

TEST_CASE("an event stands in every campaign that holds it; a campaign's rows need no such cells")
{
    auto d = with({monthly("n", "events(purchase)").broken_down_by({"campaign"}), jm::kpi("c", jm::expression::parse("events(purchase)")).every(jm::every_campaign).up().broken_down_by({"campaign"})});
    d.campaigns = {{"roma", "", "", "2026-01-01", "2026-02-01", {}, jm::expression::parse("city == \"Roma\"")}, {"all", "", "", "2026-01-01", "2026-01-04T00:00:00Z", {}, {}}, {"late", "", "", "2026-03-01", "2026-04-01", {}, {}}};
    const auto r = jm::compute_kpis(d, shop(), {}, january);
    // bea's purchase is at the end of `all`, which is exclusive.
    CHECK(lines(r.rows) == "n = 2\nn (missing) = 1\nn all = 1\nn roma = 1\nc roma = 1\nc all = 1\nc late = 0\n");
    CHECK_FALSE(r.rows.column("period").present(4));
}

TEST_CASE("dimensions: expressions, words for attributes, columns of the report")
{
    auto d = with({monthly("n", "sum(purchase.amount)").broken_down_by({jm::attr("city")}), monthly("m", "members(did(purchase))")});
    d.dimensions = {{"buyer", jm::expression::parse("if(event.amount > 15, \"big\", \"small\")"), ""}};
    auto o = january;
    o.by = {"buyer"};
    const auto r = jm::compute_kpis(d, shop(), {}, o);
    CHECK(lines(r.rows) == "n = 30\nn Milano big = 20\nn Roma small = 10\nm = 2\nm small = 2\n");
    CHECK(r.rows.column("contact.city").present(1));
}

TEST_CASE("bad definitions are errors with their place")
{
    const auto h = shop();
    CHECK(code_of(with({jm::kpi("k", jm::expression::parse("events(purchase)")).up()}), h) == "kpi.every at kpis.k.every");
    CHECK(code_of(with({monthly("k", "events(purchase, last 30d)")}), h) == "kpi.window at kpis.k.value:1:1");
    CHECK(code_of(with({monthly("k", "sum(purchase.channel)")}), h).starts_with("type.mismatch at kpis.k.value"));
    CHECK(code_of(with({monthly("k", "events(purchase)").in("nobody")}), h).starts_with("segment.unknown at kpis.k.scope"));
    CHECK(code_of(with({monthly("k", "spend()").in("nobody")}), h).starts_with("segment.unknown at kpis.k.scope"));
    CHECK(code_of(with({monthly("k", "events(purchase)").broken_down_by({"chanel"})}), h) == "name.unknown at kpis.k.by");
    CHECK(code_of(with({monthly("k", "events(purchase)").broken_down_by({"contact.town"})}), h).starts_with("name.unknown at kpis.k.by"));
    CHECK(code_of(with({monthly("k", "spend(where contact.city == \"Roma\")")}), h).starts_with("kpi.spend at kpis.k.value"));
    CHECK(code_of(with({monthly("k", "spend(where event.name == \"x\")")}), h) == "");
    CHECK(code_of(with({monthly("k", "events(purchase)"), monthly("k", "events(cart)")}), h) == "kpi.name at kpis.k");
    CHECK(code_of(with({}), h, {.start = t0, .end = t0}) == "kpi.window at ");
    auto d = with({});
    d.campaigns = {{"c", "", "", "2026-03-01", "soon", {}, {}}};
    CHECK(code_of(d, h) == "kpi.window at campaigns.c.to");
    auto o = january;
    o.only = {"kk"};
    CHECK(code_of(with({monthly("k", "events(purchase)")}), h, o) == "name.unknown at only");
    o.only = {};
    o.level = 1;
    CHECK(code_of(with({monthly("k", "events(purchase)")}), h, o) == "kpi.level at level");
}

TEST_CASE("the check reports all at once, each once, and an event never seen as a warning")
{
    const auto h = shop();
    jm::compiler c{h.schema(), h.data().pool};
    jm::problems found;
    jm::check_kpis(with({monthly("a", "events(purchas) + sum(purchas.x)").aim(3), jm::kpi("b", jm::expression::parse("events(purchase) > 1"))}), c, found);
    std::size_t warnings = 0;
    for (const auto& p : found) warnings += p.severity == jm::severity::warning;
    CHECK(found.errors() == 2);   // b: no arithmetic, no period
    CHECK(warnings == 2);         // the two places of `purchas`
}

TEST_CASE("an empty history has no rows without a span, and empty periods with one")
{
    const jm::history none;
    const auto d = with({monthly("n", "events(purchase)"), monthly("r", "new(purchase) / new(lead)")});
    CHECK(jm::compute_kpis(d, none, {}, {}).rows.rows() == 0);
    CHECK(lines(jm::compute_kpis(d, none, {}, {.start = t0, .end = t0 + 59_d}).rows) == "n = 0\nn = 0\nr = -\nr = -\n");
}

TEST_CASE("trends are those of whole periods, and say whether they go the right way")
{
    jm::history_builder b;
    int at = 0;
    for (const int n : {3, 4, 6, 5, 8, 9, 11}) {                           // one pair of 21 falls
        for (int k = 0; k < n; ++k) b.event("c" + std::to_string(k), "visit", t0 + std::chrono::hours{24 * 7 * at + 1}, {{"channel", std::string{k % 2 == 0 ? "ads" : "mail"}}});
        ++at;
    }
    auto visits = jm::kpi("visits", jm::expression::parse("events(visit)")).every(jm::week).down();
    visits.by = {jm::prop("channel")};
    const jm::instant monday = t0 - 3_d;
    const auto r = jm::compute_kpis(with({visits}), std::move(b).finish(), {}, {.start = monday + 3_d, .end = monday + 7 * 7_d + 4_d});
    REQUIRE(r.trend.rows() == 3);
    CHECK(r.trend.column("periods").integers()[0] == 7);                   // the eighth is not over
    CHECK(r.trend.column("first").decimals()[0] == 3);
    CHECK(r.trend.column("change").decimals()[0] == 2);
    CHECK(r.trend.column("slope").decimals()[0] == doctest::Approx(1.25));   // the median of 21 slopes
    // S = 19, its variance 7 · 6 · 19 / 18: z = 18 / 6.658.
    CHECK(r.trend.column("p").decimals()[0] == doctest::Approx(0.00686).epsilon(1e-2));
    CHECK(r.trend.column("trend").text(0) == "rising");
    CHECK(r.trend.column("better").integers()[0] == 0);
    CHECK(r.trend.column("channel").text(1) == "ads");
}
