#include "journeyman/kpi/lifetime_value.hpp"

#include <doctest/doctest.h>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

TEST_CASE("published figures: P(alive), expected purchases, means")
{
    const jm::purchases bg{jm::purchase_model::bg_nbd, {0.243, 4.414, 0.793, 2.426}};
    CHECK(bg.expected(2, 30.43, 38.86, 39) == doctest::Approx(1.226).epsilon(1e-3));   // Fader, Hardie and Lee (2005)
    CHECK(bg.alive(1000, 10, 100) == 0);                                                // no overflow
    CHECK(bg.alive(0, 0, 10) == 1);
    const jm::purchases pareto{jm::purchase_model::pareto_nbd, {0.5534, 10.5802, 0.6061, 11.6562}};
    CHECK(pareto.expected(26, 30.86, 31, 52) == doctest::Approx(25.46).epsilon(1e-3));
    CHECK(pareto.expected(0, 0, 31, 52) > 0);
    CHECK(jm::sbg_survival(0.668, 3.806, 7) == doctest::Approx(0.4889446208937267));
}

TEST_CASE("a parameter of 1 is no special case")
{
    for (const auto m : {jm::purchase_model::bg_nbd, jm::purchase_model::mbg_nbd, jm::purchase_model::pareto_nbd}) {
        const auto at = [&](double p) { return jm::purchases{m, {0.5, 6, p, 2.5}}.expected(3, 10, 20, 15); };
        CHECK(at(1) == doctest::Approx((at(1 - 1e-5) + at(1 + 1e-5)) / 2).epsilon(1e-8));
    }
}

TEST_CASE("the model sees the same whether customers come one by one or together")
{
    const std::vector<double> x{0, 2, 0, 2, 1, 4, 1, 3}, t{0, 5, 0, 5, 3, 9, 6, 9}, T{10, 10, 10, 10, 8, 12, 9, 11};
    const std::vector<double> x2{0, 2, 1, 4, 1, 3}, t2{0, 5, 3, 9, 6, 9}, T2{10, 10, 8, 12, 9, 11}, w{2, 2, 1, 1, 1, 1};
    const auto a = jm::fit(jm::purchase_model::bg_nbd, {x, t, T}), b = jm::fit(jm::purchase_model::bg_nbd, {x2, t2, T2, w});
    CHECK(a.log_likelihood == doctest::Approx(b.log_likelihood));
    CHECK(a.customers == 8);
}

TEST_CASE("purchases of one calendar unit are one, in the zone of the playbook")
{
    const jm::instant t0 = std::chrono::sys_days{2026y / 1 / 5};   // a Monday
    jm::history_builder b;
    const auto buy = [&](jm::instant at, double amount) { b.event("anna", "purchase", at, {{"amount", amount}}); };
    buy(t0 + 23_h, 1);             // in Rome already Tuesday
    buy(t0 + 25_h, 2);             // the same Tuesday
    buy(t0 + 9_d, 4);
    buy(t0 + 20_d, 8);
    const auto h = std::move(b).finish();
    jm::purchase_question q{.purchase = jm::event("purchase").property("amount"), .until = t0 + 30_d};
    q.context.zone = jm::load_zone("Europe/Rome");
    const auto c = jm::customers_of(h, q);
    CHECK(c.x == std::vector<double>{2});
    CHECK(c.t_x == std::vector<double>{19});
    CHECK(c.T == std::vector<double>{29});
    CHECK(c.money == std::vector<double>{6});
    q.split = t0 + 10_d;
    const auto parted = jm::customers_of(h, q);
    CHECK(parted.x == std::vector<double>{1});
    CHECK(parted.holdout == std::vector<double>{1});
    CHECK(parted.holdout_money == std::vector<double>{8});
    CHECK(parted.duration == 20);
}
