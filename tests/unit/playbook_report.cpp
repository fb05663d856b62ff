#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "journeyman/journeyman.hpp"

namespace jm = journeyman;

namespace {
constexpr auto written = R"(timezone: UTC
segments:
  far: far
report:
  Time to buy:
    survival: {start: lead, event: purchase, by: [channel, segment("far")], level: 0.9}
  Worth:
    lifetime_value: {}
)";

std::string first_error(const jm::problems& all) {
    for (const auto& p : all)
        if (p.severity == jm::severity::error) return p.code + " " + p.place;
    return "";
}
}  // namespace

TEST_CASE("a report is read, compared and written again") {
    const auto p = jm::playbook::parse(written);
    REQUIRE(p.report.size() == 2);
    CHECK(p.report[0].title == "Time to buy");
    CHECK(p.report[0].statistic == "survival");
    CHECK(p.report[0].settings.size() == 4);
    CHECK(jm::equals(jm::playbook::parse(p.to_yaml()), p));
    CHECK(jm::equals(jm::playbook::parse(p.to_json()), p));
    auto other = p;
    other.report[0].settings.pop_back();
    CHECK_FALSE(jm::equals(other, p));
}

TEST_CASE("a report built in code is checked as one that was written") {
    jm::history_builder build;
    build.contact("a", jm::instant{}, {{"far", true}});
    build.event("a", "lead", jm::instant{}, {{"channel", "ads"}});
    build.event("a", "purchase", jm::instant{}, {{"amount", 1.0}});
    const auto h = std::move(build).finish();
    const auto asked = [&](jm::report_part part) { return first_error(jm::playbook::parse("timezone: UTC").add(std::move(part)).check(h)); };
    CHECK(first_error(jm::playbook::parse(written).check(h)) == "");
    CHECK(asked({"t", "survival", {{"start", "lead"}, {"lapse", "3d"}, {"by", "channel"}}}) == "");
    CHECK(asked({"t", "survival", {{"start", "lead"}}}).starts_with("playbook.missing report.t.survival"));
    CHECK(asked({"t", "survival", {{"start", "lead where"}, {"event", "purchase"}}}).find("report.t.survival.start") != std::string::npos);
    CHECK(asked({"t", "survival", {{"start", "lead"}, {"event", "purchase"}, {"every", "month"}}}).starts_with("playbook.key"));
    CHECK(asked({"t", "regression", {}}).starts_with("playbook.value report.t"));
    CHECK(asked({"t", "attribution", {{"touch", "lead.channel"}, {"conversion", "purchase.amount"}}}) == "");
    CHECK(asked({"t", "attribution", {{"touch", "lead.way"}, {"conversion", "purchase.amount"}}}).starts_with("name.unknown report.t.attribution.touch"));
}

TEST_CASE("the problem of a report in a file has its line") {
    const auto p = jm::playbook::parse("timezone: UTC\nreport:\n  t:\n    survival:\n      start: lead\n      event: purchase\n      by: near\n", "book.yaml");
    jm::history_builder build;
    build.event("a", "lead", jm::instant{}, {{"channel", "ads"}});
    build.event("a", "purchase", jm::instant{}, {});
    CHECK(first_error(p.check(std::move(build).finish())).starts_with("name.unknown book.yaml:7:"));
}
