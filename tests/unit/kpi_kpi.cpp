// KPIs are values: they compare by all they say.
#include "journeyman/kpi/kpi.hpp"

#include <doctest/doctest.h>

namespace jm = journeyman;

TEST_CASE("KPIs, campaigns and dimensions compare by their written form")
{
    const auto value = jm::new_contacts(jm::event("purchase")) / jm::new_contacts(jm::event("lead"));
    const auto conversion = jm::kpi("conversion", value).every(jm::month).up().in("freelance").aim(0.2).broken_down_by({"channel"}).improved_by("welcome", "webinar");
    CHECK(jm::equals(conversion, jm::kpi("conversion", jm::expression::parse("new(purchase) / new(lead)")).every(jm::month).up().in("freelance").aim(0.2).broken_down_by({"channel"}).improved_by("welcome", "webinar")));
    CHECK_FALSE(jm::equals(conversion, conversion.every(jm::week)));
    CHECK_FALSE(jm::equals(conversion, conversion.down()));
    CHECK_FALSE(jm::equals(conversion, conversion.in("hr")));
    CHECK_FALSE(jm::equals(conversion, conversion.aim(jm::relative_target{.change = 0.2})));
    CHECK_FALSE(jm::equals(conversion, conversion.broken_down_by({"channel", "city"})));
    CHECK_FALSE(jm::equals(conversion, conversion.improved_by("reminder")));
    CHECK(jm::equals(jm::kpi{}, jm::kpi{}));

    const jm::campaign spring{"spring", "", "", "2026-03-01", "2026-04-01", 500.0, jm::expression::parse("city == \"Roma\"")};
    auto other = spring;
    CHECK(jm::equals(spring, other));
    other.budget.reset();
    CHECK_FALSE(jm::equals(spring, other));
    other = spring;
    other.where = {};
    CHECK_FALSE(jm::equals(spring, other));

    const jm::dimension channel{"channel", jm::expression::parse("first(lead.channel)"), "channel"};
    CHECK(jm::equals(channel, jm::dimension{"channel", jm::expression::parse("first(lead.channel)"), "channel"}));
    CHECK_FALSE(jm::equals(channel, jm::dimension{"channel", jm::expression::parse("last(lead.channel)"), "channel"}));
}
