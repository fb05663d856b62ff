// States of KPIs: parts counted apart, saved, merged, read.
#include "journeyman/kpi/state.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "journeyman/history/builder.hpp"
#include "journeyman/playbook/playbook.hpp"
#include "kpi/hyperloglog.hpp"
#include "journeyman/core/hash.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

const jm::instant t0 = std::chrono::sys_days{2026y / 1 / 1};

jm::playbook book()
{
    return jm::playbook::parse(R"json({"timezone": "Europe/Rome", "types": {"purchase.amount": "decimal", "contact.account_id": "text"},
        "segments": {"romans": "city == \"Roma\""},
        "kpis": {"revenue": {"value": "sum(purchase.amount) / contacts(purchase)", "every": "month", "direction": "up", "by": ["contact.city", "segment"], "target": {"change": 0.1, "from": "previous"}},
                 "accounts": {"value": "accounts(purchase)", "every": "month", "direction": "up", "scope": "romans"},
                 "cpa": {"value": "spend() / new(purchase)", "every": "month", "direction": "down"}}})json", "");
}

/// Contacts [from, to) of 60, and the spend.
jm::history part(int from, int to, bool spend)
{
    static constexpr const char* cities[] = {"Roma", "Milano", "Torino"};
    jm::history_builder b;
    for (int k = from; k < to; ++k) {
        const auto id = "c" + std::to_string(k);
        b.contact(id, {{"city", std::string{cities[k % 3]}}, {"account_id", "a" + std::to_string(k % 7)}});
        for (int n = 0; n <= k % 4; ++n) b.event(id, "purchase", t0 + std::chrono::hours{31 * k + 200 * n}, {{"amount", 0.1 * (k + n)}});
    }
    if (spend) b.spend(t0 + 3_d, 70.5, {{"channel", std::string{"ads"}}});
    return std::move(b).finish();
}
const jm::kpi_options span{.start = t0, .end = t0 + 120_d};

std::string code_of(const auto& f)
{
    try {
        f();
    } catch (const jm::error& e) {
        return e.code();
    }
    return "";
}

}  // namespace

TEST_CASE("parts of the contacts, counted apart and merged by way of bytes, give the table of one pass")
{
    const auto whole = book().kpis(part(0, 60, true), nullptr, span);
    REQUIRE(whole.rows.rows() > 20);
    jm::kpi_state sum;
    for (const auto& h : {part(40, 60, false), part(0, 11, true), part(11, 40, false)}) sum.merge(jm::kpi_state::from_bytes(book().count_kpis(h, nullptr, span).to_bytes()));
    CHECK(jm::kpis(sum).rows == whole.rows);
    CHECK(sum == book().count_kpis(part(0, 60, true), nullptr, span));
    CHECK(jm::kpis(sum, 0.5).rows == book().kpis(part(0, 60, true), nullptr, {.start = t0, .end = t0 + 120_d, .level = 0.5}).rows);
    // The start of the history, which decides what can be compared with, is that of the whole.
    CHECK(jm::kpis(sum).rows.column("status") == whole.rows.column("status"));
}

TEST_CASE("KPIs are the same to the bit for any number of threads")
{
    auto o = span;
    o.threads = 1;
    const auto one = book().count_kpis(part(0, 60, true), nullptr, o).to_bytes();
    for (const unsigned threads : {2U, 3U, 8U, 100U}) {
        o.threads = threads;
        CHECK(book().count_kpis(part(0, 60, true), nullptr, o).to_bytes() == one);
    }
}

TEST_CASE("states that do not belong together are refused, and so are broken bytes")
{
    const auto h = part(0, 9, true);
    const auto a = book().count_kpis(h, nullptr, span);
    auto other = span;
    other.end = t0 + 119_d;
    CHECK(code_of([&] { jm::kpi_state{a}.merge(book().count_kpis(h, nullptr, other)); }) == "kpi.state");
    other = span;
    other.only = {"cpa"};
    CHECK(code_of([&] { jm::kpi_state{a}.merge(book().count_kpis(h, nullptr, other)); }) == "kpi.state");
    CHECK(code_of([&] { jm::kpi_state{a}.merge(jm::playbook{"UTC"}.count_kpis(h, nullptr, span)); }) == "");   // nothing counted adds nothing
    CHECK(code_of([&] { (void)jm::kpis(jm::kpi_state{}); }) == "kpi.state");

    const auto bytes = a.to_bytes();
    for (std::size_t cut = 0; cut < bytes.size(); cut += 7) CHECK(code_of([&] { (void)jm::kpi_state::from_bytes(bytes.substr(0, cut)); }) == "kpi.state");
    for (std::size_t at = 0; at < bytes.size(); at += 5) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x21);
        CHECK(code_of([&] { (void)jm::kpi_state::from_bytes(changed); }) == "kpi.state");
    }
}

TEST_CASE("accounts are counted about, on request, within the error asked for, and merge to the same sketch")
{
    using jm::detail::hyperloglog;
    const int p = hyperloglog::precision_for(0.01);
    CHECK(hyperloglog::error(p) <= 0.01);
    CHECK(hyperloglog::error(p - 1) > 0.01);
    // Errors of many sketches: about one in three beyond the standard error, hardly one beyond four.
    for (const int n : {0, 1, 10, 1000, 30000}) {
        double squares = 0;
        for (int run = 0; run < 20; ++run) {
            hyperloglog all, halves[2];
            for (int k = 0; k < n; ++k) {
                const auto hash = jm::stable_hash{}.add(std::to_string(run) + "/" + std::to_string(k)).value();
                all.add(hash, 10);
                all.add(hash, 10);                                          // twice is once
                halves[k % 2].add(hash, 10);
            }
            halves[0].merge(halves[1]);
            CHECK(halves[0].registers() == all.registers());
            const double off = n == 0 ? all.estimate() : all.estimate() / n - 1;
            CHECK(std::fabs(off) < 4 * hyperloglog::error(10));
            squares += off * off / 20;
        }
        CHECK(std::sqrt(squares) < 1.5 * hyperloglog::error(10));
    }
    auto o = span;
    o.distinct_error = 0.02;
    const auto exact = book().kpis(part(0, 60, true), nullptr, span), about = book().kpis(part(0, 60, true), nullptr, o);
    CHECK(exact.rows.column("value") == about.rows.column("value"));        // seven accounts: the sketch is exact for so few
    auto sum = book().count_kpis(part(0, 30, true), nullptr, o);
    sum.merge(book().count_kpis(part(30, 60, false), nullptr, o));
    CHECK(sum == book().count_kpis(part(0, 60, true), nullptr, o));
    CHECK(code_of([&] { jm::kpi_state{sum}.merge(book().count_kpis(part(0, 9, false), nullptr, span)); }) == "kpi.state");
}
