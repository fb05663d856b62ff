#include "story.hpp"

#include <utility>

namespace jm = journeyman;
using namespace std::chrono_literals;

jm::history story()
{
    const jm::instant start = std::chrono::sys_days{2026y / 3 / 1};
    jm::history_builder build;
    build.contact("anna", {{"occupation", std::string{"freelance"}}});
    build.contact("bruno", {{"occupation", std::string{"employee"}}});
    build.event("anna", "purchase", start + 1h);
    build.event("anna", "purchase", start + 2h);
    build.event("bruno", "purchase", start + 3h);
    return std::move(build).finish();
}
