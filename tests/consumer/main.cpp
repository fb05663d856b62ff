#include "story.hpp"

#include <iostream>

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

int main()
{
    const jm::history history = story();
    const jm::instant at = std::chrono::sys_days{2026y / 3 / 31};

    const jm::predicate loyal = jm::event("purchase").last(30_d).count() >= 2;
    const auto ids = history.select(loyal, at).ids();
    if (ids != std::vector<std::string>{"anna"}) {
        std::cerr << loyal << ": " << ids.size() << " contacts, one expected\n";
        return 1;
    }

    // Reads YAML, a time zone and a regular expression: every private library is really linked.
    const auto playbook = jm::playbook::parse(R"(
playbook: consumer
timezone: Europe/Rome
segments:
  freelance: {when: "occupation matches '^free'"}
)");
    const auto* freelance = playbook.find_segment("freelance");
    if (freelance == nullptr || playbook.check().errors() != 0) {
        std::cerr << "the playbook was not read\n";
        return 1;
    }
    std::cout << "journeyman " << JOURNEYMAN_VERSION << ": " << ids.size() << " loyal\n";
}
