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

    // A time zone and a regular expression: the private libraries are really linked.
    jm::compile_context rome;
    rome.zone = jm::load_zone("Europe/Rome");
    if (jm::select(history, jm::predicate::parse("occupation matches \"^free\" and did(purchase, this month)"), at - 1_d, rome).count() != 1) {
        std::cerr << "Rome was not read\n";
        return 1;
    }
    std::cout << "journeyman " << JOURNEYMAN_VERSION << ": " << ids.size() << " loyal\n";
}
