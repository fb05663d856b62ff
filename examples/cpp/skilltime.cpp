// The webinar of SkillTime, all of it in code: a small history, a segment, a workflow, a KPI; what would have been sent, and how well it went.
#include <chrono>
#include <iostream>

#include <journeyman/journeyman.hpp>

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

/// Some columns of a table.
void show(const jm::table& table, std::initializer_list<const char*> columns)
{
    jm::table part;
    for (const char* name : columns) part.columns().push_back(table.column(name));
    std::cout << part << '\n';
}

}  // namespace

int main()
{
    const jm::instant t0 = std::chrono::sys_days{2026y / 3 / 2} + 9h;
    const jm::instant t1 = t0 + 10min, t2 = t0 + 20 * 24h, t3 = t0 + 29 * 24h;

    jm::history_builder build;
    build.contact("anna", t0, {{"audience", "B2C"}, {"occupation", "freelance"}});
    build.contact("bea", t0, {{"audience", "B2C"}, {"occupation", "freelance"}});
    build.contact("carla", t0, {{"audience", "B2C"}, {"occupation", "unemployed"}});
    for (const char* who : {"anna", "bea", "carla"}) {
        build.event(who, "lead", t1);
        build.event(who, "form_submitted", t1, {{"form", "webinar"}, {"channel", "google_ads"}});
    }
    build.event("anna", "email_opened", t1 + 2h);
    build.event("anna", "purchase", t1 + 50h, {{"amount", 290.0}});
    build.event("anna", "purchase", t1 + 300h, {{"amount", 340.0}});
    const jm::history history = std::move(build).finish();

    // A question, at any instant.
    const auto bought = jm::event("purchase");
    const jm::predicate loyal = bought.last(30_d).count() >= 2;
    std::cout << loyal << ':';
    for (const auto& id : history.select(loyal, t2).ids()) std::cout << ' ' << id;
    std::cout << "\n\n";

    // Definitions are values.
    const jm::segment freelance{"freelance", jm::attr("occupation") == "freelance"};
    const auto webinar = jm::workflow("webinar").audience(freelance)
        .on(jm::event("form_submitted").where(jm::prop("form") == "webinar"))
        .goal(bought.since_entry().did())
        .step("welcome", jm::send("email").with("deadline", jm::now + 5_d).next("opened"))
        .step("opened", jm::wait_for(jm::event("email_opened")).timeout(3_d).then("follow_up").otherwise("reminder"))
        .step("reminder", jm::send("email").next("follow_up"))
        .step("follow_up", jm::send("email").next("deciding"))
        .step("deciding", jm::wait(14_d));
    const auto conversion = jm::kpi("conversion", jm::new_contacts(bought) / jm::new_contacts(jm::event("lead"))).every(jm::month).up();
    const auto playbook = jm::playbook("Europe/Rome").add(freelance, webinar, conversion);
    if (const auto problems = playbook.check(history); problems.errors()) {
        std::cerr << problems;
        return 1;
    }

    const jm::run run = playbook.replay(history, {.until = t3, .threads = 2});
    show(run.actions(), {"contact_id", "step", "channel", "status", "at", "values"});
    show(run.journeys(), {"contact_id", "entered_at", "left_at", "outcome", "at_step"});
    std::cout << playbook.kpis(history, run);
}
