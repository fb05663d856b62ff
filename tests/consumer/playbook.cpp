// A playbook, as whoever embeds the library uses one: read from text, checked, replayed, measured. One wrong is refused, with its place.
#include <iostream>

#include <journeyman/journeyman.hpp>

#include "story.hpp"

namespace jm = journeyman;

namespace {

constexpr const char* text = R"(
timezone: Europe/Rome
segments:
  freelance: occupation == "freelance"
workflows:
  thanks:
    audience: segment("freelance")
    trigger: {event: purchase}
    first: hello
    steps:
      hello: {send: email, next: think}
      think: {wait: 1d}
kpis:
  repeat:
    value: members(count(purchase) >= 2) / members(did(purchase))
    every: month
    direction: up
    target: 0.4
)";

int failed(const char* what)
{
    std::cerr << what << '\n';
    return 1;
}

}  // namespace

int main()
{
    const jm::history history = story();
    const auto playbook = jm::playbook::parse(text);
    if (const auto problems = playbook.check(history); problems.errors()) {
        std::cerr << problems;
        return 1;
    }
    const jm::run run = playbook.replay(history);
    if (run.actions().rows() != 1) return failed("anna's first purchase is thanked for once");
    const auto kpis = playbook.kpis(history, run);
    std::cout << run.journeys() << kpis;
    if (kpis.rows.rows() != 1 || kpis.rows.column("value").at(0) != jm::scalar{0.5} || kpis.rows.column("status").text(0) != "met") return failed("one of the two who bought bought again");

    const auto wrong = jm::playbook::parse("segments: {odd: ocupation == \"x\"}\nkpis: {n: {value: cuont, direction: up}}").check(history);
    bool said = false;
    for (const jm::problem& p : wrong) said = said || p.message.find("occupation") != std::string::npos;
    if (!wrong.errors() || !said) return failed("a wrong name is an error that suggests the right one");
    try {
        static_cast<void>(jm::playbook::parse("segmnts: {}"));
        return failed("a wrong key was taken");
    } catch (const jm::error& e) {
        if (e.code() != "playbook.key") return failed("a wrong key has its code");
    }
}
