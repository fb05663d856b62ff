#include "journeyman/kpi/attribution.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

TEST_CASE("a chain by hand, and of every order it converts as observed")
{
    // ads; ads; mail; ads mail, all converted; ads lost
    const std::vector<std::uint32_t> touches{0, 0, 1, 0, 1, 0}, begins{0, 1, 2, 3, 5, 6};
    const std::vector<double> won{1, 1, 1, 1, 0}, lost{0, 0, 0, 0, 1};
    const jm::touch_columns t{touches, begins, won, lost, {}, {}, 2};
    const auto m = jm::markov_credit(t);
    CHECK(m.removal[0] == doctest::Approx(0.75));
    CHECK(m.removal[1] == doctest::Approx(0.5));
    CHECK(m.credit.conversions[0] == doctest::Approx(2.4));
    for (std::size_t order = 1; order <= 5; ++order) CHECK(jm::markov_credit(t, order).p == doctest::Approx(0.8));
    CHECK_THROWS_AS((void)jm::markov_credit(t, 6), jm::error);
}

TEST_CASE("hundreds of states are solved as few are")
{
    // Random walks over 12 channels, of which order 2 has over 256 states only with all pairs; order 3 has more: the sparse solver.
    std::vector<std::uint32_t> touches, begins{0};
    std::vector<double> won, lost;
    std::uint32_t x = 1;
    for (int k = 0; k < 3000; ++k) {
        for (std::uint32_t n = 0; n < 2 + x % 5; ++n) touches.push_back((x = x * 1664525 + 1013904223) >> 16 & 7);
        begins.push_back(static_cast<std::uint32_t>(touches.size()));
        won.push_back(k % 3 == 0);
        lost.push_back(k % 3 != 0);
    }
    const auto m = jm::markov_credit({touches, begins, won, lost, {}, {}, 8}, 3);
    CHECK(m.states > 256);
    CHECK(m.p == doctest::Approx(m.observed));
    CHECK(std::accumulate(m.credit.conversions.begin(), m.credit.conversions.end(), 0.0) == doctest::Approx(1000));
}

TEST_CASE("a touch counts up to the end of the window, and one whose window is open is neither won nor lost")
{
    const jm::instant t0 = std::chrono::sys_days{2026y / 1 / 1};
    jm::history_builder b;
    const auto visit = [&](const char* who, int d, const char* channel) { b.event(who, "visit", t0 + d * 1_d, {{"channel", channel}}); };
    visit("anna", 0, "ads");
    visit("anna", 3, "mail");
    b.event("anna", "purchase", t0 + 10_d, {{"amount", 5.0}});     // 7 d after mail, 10 after ads
    visit("bea", 20, "ads");
    visit("carl", 1, "seo");
    b.event("dora", "purchase", t0 + 1_d, {{"amount", 2.0}});
    const auto h = std::move(b).finish();
    const auto p = jm::touch_paths_of(h, {.touch = jm::event("visit").property("channel"), .conversion = jm::event("purchase").property("amount"), .within = jm::length{7_d}, .until = t0 + 27_d});
    CHECK(p.channels == std::vector<std::string>{"ads", "mail", "seo"});
    CHECK(p.touches == std::vector<std::uint32_t>{0, 1, 2});
    CHECK(p.begins == std::vector<std::uint32_t>{0, 1, 2, 3});
    CHECK(p.converted == std::vector<double>{0, 1, 0});
    CHECK(p.value == std::vector<double>{0, 5, 0});
    CHECK(p.unattributed == 1);
    CHECK(p.open == 1);
}
