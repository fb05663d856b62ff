// The whole way: a playbook's text, a replay over history, KPIs of what happened and of what the run did.
#include <doctest/doctest.h>

#include "journeyman/journeyman.hpp"

namespace jm = journeyman;
using namespace std::chrono_literals;

namespace {

constexpr const char* text = R"(
timezone: Europe/Rome
segments:
  freelance: {where: 'occupation == "freelance"'}
policies:
  consent: {email: 'accepts_email'}
workflows:
  webinar:
    audience: segment("freelance")
    trigger: {event: form_submitted}
    first: welcome
    steps:
      welcome: {send: email, next: opened}
      opened: {wait_for: email_opened, timeout: 3d, then: follow_up, else: reminder}
      reminder: {send: email, next: follow_up}
      follow_up: {send: email}
kpis:
  conversion: {value: new(purchase) / new(form_submitted), every: month, direction: up, target: 0.9}
  sent: {value: 'actions(where status == "sent")', every: month, direction: up}
)";

jm::history school() {
    const jm::instant t = std::chrono::sys_days{2026y / 3 / 2};
    jm::history_builder b;
    for (const char* who : {"anna", "bea"}) b.contact(who, {{"occupation", std::string{"freelance"}}, {"accepts_email", true}});
    b.contact("carla", {{"occupation", std::string{"freelance"}}, {"accepts_email", false}});
    b.contact("dario", {{"occupation", std::string{"student"}}, {"accepts_email", true}});
    for (const char* who : {"anna", "bea", "carla", "dario"}) b.event(who, "form_submitted", t);
    b.event("anna", "email_opened", t + 72h);                 // exactly at the deadline: in time (T2)
    b.event("bea", "email_opened", t + 72h + 1us);            // one microsecond late
    b.event("anna", "purchase", t + 100h);
    return std::move(b).finish();
}

}  // namespace

TEST_CASE("a playbook runs from its text to its KPIs")
{
    const auto book = jm::playbook::parse(text);
    const auto h = school();
    for (const auto& p : book.check(h)) CHECK_MESSAGE(p.severity != jm::severity::error, p.place << ": " << p.message);
    const auto run = book.replay(h);
    std::vector<std::string> got;
    const auto& a = run.actions();
    for (std::size_t r = 0; r < a.rows(); ++r) got.push_back(std::string{a.column("contact_id").text(r)} + " " + std::string{a.column("step").text(r)} + " " + std::string{a.column("status").text(r)});
    std::sort(got.begin(), got.end());
    // carla has no consent, so all her sends are suppressed, and she opens nothing; dario is not in the audience
    CHECK(got == std::vector<std::string>{"anna follow_up sent", "anna welcome sent", "bea follow_up sent", "bea reminder sent", "bea welcome sent", "carla follow_up suppressed", "carla reminder suppressed", "carla welcome suppressed"});
    const auto report = book.kpis(h, run);
    REQUIRE(report.rows.rows() == 2);
    CHECK(report.rows.column("value").decimals()[0] == 0.25);
    CHECK(report.rows.column("status").text(0) == "missed");
    CHECK(report.rows.column("value").decimals()[1] == 5);
}

TEST_CASE("a replay gives the same tables for any number of threads")
{
    const auto book = jm::playbook::parse(text);
    const auto h = school();
    jm::run_options one, two, eight;
    one.threads = 1;
    two.threads = 2;
    eight.threads = 8;
    const auto a = book.replay(h, one), b = book.replay(h, two), c = book.replay(h, eight);
    REQUIRE(a.actions().rows() == 8);
    CHECK(a.actions() == b.actions());
    CHECK(a.actions() == c.actions());
    CHECK(a.journeys() == c.journeys());
}
