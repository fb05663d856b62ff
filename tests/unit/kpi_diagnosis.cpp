// Why a KPI changed: shares and rates by hand, and the identity whatever the numbers.
#include "journeyman/kpi/diagnosis.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

const jm::instant january = std::chrono::sys_days{2026y / 1 / 1}, february = std::chrono::sys_days{2026y / 2 / 1}, march = std::chrono::sys_days{2026y / 3 / 1};

jm::kpi monthly(const char* name, const char* value) { return jm::kpi(name, jm::expression::parse(value)).every(jm::month).up(); }

/// `leads` of a channel in a month, of whom `won` purchase within the day.
void leads(jm::history_builder& b, jm::instant month, const std::string& channel, int leads, int won)
{
    for (int k = 0; k < leads; ++k) {
        const auto id = channel + jm::to_text(month) + std::to_string(k);
        b.event(id, "lead", month + 1_h, {{"channel", channel}});
        if (k < won) b.event(id, "purchase", month + 2_h, {{"channel", channel}, {"amount", 10.0 + k}});
    }
}

jm::history two_months()
{
    jm::history_builder b;
    leads(b, january, "ads", 80, 8);       // 10 % of 80 %
    leads(b, january, "mail", 20, 8);      // 40 % of 20 %: 16 % in all
    leads(b, february, "ads", 40, 4);      // 10 % of 40 %
    leads(b, february, "mail", 60, 30);    // 50 % of 60 %: 34 % in all
    b.spend(february + 1_h, 400, {{"channel", std::string{"ads"}}});
    b.spend(february + 1_h, 300, {{"channel", std::string{"mail"}}});
    b.spend(february + 1_h, 50, {{"channel", std::string{"radio"}}});
    return std::move(b).finish();
}

jm::kpi_definitions definitions()
{
    jm::kpi_definitions d;
    d.kpis = {monthly("conversion", "converted(lead, purchase, within 1d) / starters(lead, within 1d)"), monthly("cpa", "spend() / new(purchase)"), monthly("revenue", "sum(purchase.amount) - 2 * events(lead)"),
              monthly("active", "contacts(any)"), monthly("days", "100 * (elapsed(lead, purchase, within 1d) / converted(lead, purchase, within 1d)) / 1d")};
    return d;
}

double cell(const jm::table& t, const std::string& dimension, const std::string& cell, const char* column)
{
    for (std::size_t r = 0; r < t.rows(); ++r)
        if (t[0].text(r) == dimension && (cell.empty() ? !t[1].present(r) : t[1].present(r) && t[1].text(r) == cell)) return t.column(column).present(r) ? std::get<double>(t.column(column).at(r)) : NAN;
    FAIL("no such row");
    return 0;
}

const jm::diagnosis_options by_channel{.period = february, .against = january, .by = {jm::prop("channel")}, .end = march};

}  // namespace

TEST_CASE("the change of a ratio is split into mix and rate by hand")
{
    const auto d = jm::diagnose_kpi(definitions(), two_months(), {}, "conversion", by_channel);
    CHECK(std::get<double>(d.change.column("value").at(0)) == doctest::Approx(0.34));
    CHECK(std::get<double>(d.change.column("before").at(0)) == doctest::Approx(0.16));
    CHECK(std::get<double>(d.change.column("change").at(0)) == doctest::Approx(0.18));
    CHECK(std::get<double>(d.change.column("change_low").at(0)) < 0.18);
    CHECK(std::get<bool>(d.change.column("certain").at(0)));
    // The mean of both months: the whole 25 %, ads 10 %, mail 45 %; mail's share 40 %, up by 40 points.
    CHECK(cell(d.parts, "channel", "ads", "mix") == doctest::Approx(-0.4 * (0.10 - 0.25)));
    CHECK(cell(d.parts, "channel", "ads", "rate") == doctest::Approx(0));
    CHECK(cell(d.parts, "channel", "mail", "mix") == doctest::Approx(0.4 * (0.45 - 0.25)));
    CHECK(cell(d.parts, "channel", "mail", "rate") == doctest::Approx(0.1 * 0.4));
    CHECK(cell(d.parts, "channel", "mail", "share") == doctest::Approx(0.6));
    CHECK(cell(d.parts, "channel", "", "rest") == doctest::Approx(0));
    CHECK(d.parts[1].text(1) == "mail");                                   // the greatest effect first
    CHECK(d.costs.rows() == 0);
}

TEST_CASE("effects and the rest are the change, for every form of a KPI")
{
    for (const auto* name : {"conversion", "cpa", "revenue", "active", "days"}) {
        CAPTURE(name);
        auto o = by_channel;
        o.by = {jm::prop("channel"), jm::expression::parse("event.name", jm::bare_names::property)};
        const auto d = jm::diagnose_kpi(definitions(), two_months(), {}, name, o);
        for (const auto& dimension : {std::string{"channel"}, std::string{"event.name"}}) {
            double effects = 0, parts = 0;
            int cells = 0;
            for (std::size_t r = 0; r < d.parts.rows(); ++r) {
                if (d.parts[0].text(r) != dimension || !d.parts[1].present(r) || !d.parts.column("effect").present(r)) continue;
                effects += std::get<double>(d.parts.column("effect").at(r));
                ++cells;
                if (d.parts.column("mix").present(r)) parts += std::get<double>(d.parts.column("mix").at(r)) + std::get<double>(d.parts.column("rate").at(r));
            }
            const double change = cell(d.parts, dimension, "", "effect"), rest = cell(d.parts, dimension, "", "rest");
            if (cells == 0) continue;
            CHECK(effects + rest == doctest::Approx(change).epsilon(1e-12));
            if (parts != 0) CHECK(parts == doctest::Approx(effects).epsilon(1e-12));
        }
    }
    // Contacts with a lead and a purchase stand in two cells: the rest says so.
    auto o = by_channel;
    o.by = {jm::expression::parse("event.name", jm::bare_names::property)};
    const auto d = jm::diagnose_kpi(definitions(), two_months(), {}, "active", o);
    CHECK(cell(d.parts, "event.name", "", "effect") == 0);                 // 100 contacts in either month
    CHECK(cell(d.parts, "event.name", "", "rest") == doctest::Approx(-18));   // 16, then 34 of them bought too
}

TEST_CASE("costs by channel, the cheapest first, and what moving money would have brought")
{
    auto o = by_channel;
    o.shift = 0.5;
    auto d = jm::diagnose_kpi(definitions(), two_months(), {}, "cpa", o);
    REQUIRE(d.costs.rows() == 3);
    CHECK(d.costs[1].text(0) == "mail");
    CHECK(cell(d.costs, "channel", "mail", "cost") == 10);
    CHECK(cell(d.costs, "channel", "ads", "cost") == 100);
    CHECK(std::isnan(cell(d.costs, "channel", "radio", "cost")));          // it brought nobody
    CHECK(cell(d.costs, "channel", "mail", "high") < cell(d.costs, "channel", "ads", "low"));
    CHECK(std::get<bool>(d.costs.column("certain").at(1)));
    // 200 from ads: 2 customers fewer there, 20 more by mail.
    CHECK(std::get<double>(d.moves.column("amount").at(0)) == 200);
    CHECK(std::get<double>(d.moves.column("lost").at(0)) == doctest::Approx(2));
    CHECK(std::get<double>(d.moves.column("gained").at(0)) == doctest::Approx(20));
    CHECK(std::get<double>(d.moves.column("low").at(0)) > 0);
    CHECK(std::get<double>(d.moves.column("net").at(1)) == doctest::Approx(2.5));   // all of radio's half
    o.returns = 0.5;
    d = jm::diagnose_kpi(definitions(), two_months(), {}, "cpa", o);
    CHECK(std::get<double>(d.moves.column("gained").at(0)) == doctest::Approx(30 * (std::sqrt(500.0 / 300) - 1)));
    CHECK(std::get<double>(d.moves.column("lost").at(0)) == doctest::Approx(4 * (1 - std::sqrt(0.5))));
}

TEST_CASE("by default the last whole period with a value against the one before, and what is asked wrongly is refused")
{
    auto o = by_channel;
    o.period = o.against = {};
    o.end = march + 1_d;
    const auto d = jm::diagnose_kpi(definitions(), two_months(), {}, "conversion", o);
    CHECK(d.change.column("period").integers()[0] == february.time_since_epoch().count());
    CHECK(d.change.column("against").integers()[0] == january.time_since_epoch().count());
    const auto code = [&](const char* name, const jm::diagnosis_options& asked) {
        try {
            (void)jm::diagnose_kpi(definitions(), two_months(), {}, name, asked);
        } catch (const jm::error& e) {
            return e.code();
        }
        return std::string{};
    };
    CHECK(code("conversoin", by_channel) == "name.unknown");
    o = by_channel;
    o.period = march + 40_d;
    CHECK(code("cpa", o) == "kpi.window");
    o = by_channel;
    o.shift = 0;
    CHECK(code("cpa", o) == "kpi.diagnosis");
}
