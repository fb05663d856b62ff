// The embedder's own loop: the host keeps the state of each contact, gives inputs as they come, and takes the actions. No history, no store, no clock.
#include <chrono>
#include <iostream>
#include <map>

#include <journeyman/journeyman.hpp>

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

int main()
try {
    const auto bought = jm::event("purchase");
    const auto cart = jm::workflow("cart").on(jm::event("cart_started"))
        .goal(bought.since_entry().did())
        .again({jm::reentry_rule::after_exit, {}, {}})
        .step("thinking", jm::wait(1_h).next("reminder"))
        .step("reminder", jm::send("email").with("cart", jm::trigger("cart_id")).next("loyal"))
        .step("loyal", jm::branch().when(bought.last(30_d).count() >= 2, "gift").otherwise("end"))
        .step("gift", jm::task("add a gift", "shop", jm::length{1_d}));
    jm::policies policies;
    policies.quiet.push_back({{22 * 60}, {8 * 60}, {}, {}});
    const auto playbook = jm::playbook("Europe/Rome").add(cart, policies);
    const auto compiled = playbook.compiled();                 // once

    std::map<std::string, jm::contact_state> contacts;         // the host's own store
    const auto print = [](const jm::action& a) {
        std::cout << jm::to_text(a.at) << ' ' << a.contact << ' ' << a.step << ' ' << (a.kind == "task" ? a.template_name : a.channel) << ' ' << jm::to_string(a.status);
        if (a.until) std::cout << " until " << jm::to_text(*a.until);
        for (const auto& [name, v] : a.values) std::cout << ' ' << name << '=' << jm::to_text(v);
        std::cout << ' ' << a.key << '\n';
    };

    const jm::instant t0 = std::chrono::sys_days{2026y / 3 / 2} + 9h;
    const std::pair<const char*, jm::input> inputs[] = {
        {"anna", jm::input::event("cart_started", t0, {{"cart_id", "c1"}})},
        {"bea", jm::input::event("cart_started", t0 + 5min, {{"cart_id", "c2"}})},
        {"bea", jm::input::event("purchase", t0 + 40min, {{"amount", 19.9}})},
        {"anna", jm::input::event("purchase", t0 + 2h)},
        {"anna", jm::input::event("purchase", t0 + 3h)},
        {"anna", jm::input::event("cart_started", t0 + 12h + 30min, {{"cart_id", "c3"}})},   // the reminder falls into the quiet hours
    };
    for (const auto& [who, in] : inputs) {
        // Timers that came due meanwhile: the host sleeps until the earliest of them.
        for (auto& [id, state] : contacts)
            while (state.next_due() < in.at) jm::advance(compiled, state, jm::input::tick(state.next_due()), print);
        auto& state = contacts.try_emplace(who, who).first->second;
        jm::advance(compiled, state, in, print);
    }

    auto& anna = contacts.at("anna");
    for (const auto& j : anna.journeys()) std::cout << "anna stands at " << j.step << " of " << j.workflow << ", until " << jm::to_text(j.until.value_or(jm::end_of_time)) << '\n';
    jm::contact_state restored = jm::contact_state::from_json(anna.to_json(), compiled);   // in another process, say
    while (restored.next_due() != jm::end_of_time) jm::advance(compiled, restored, jm::input::tick(restored.next_due()), print);
    std::cout << "kept of anna: " << restored.events_kept() << " events, " << restored.journeys().size() << " journeys\n";
} catch (const jm::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
