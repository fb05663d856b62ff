// What one contact's journeys take while they run.
#include "run/walk.hpp"

#include <doctest/doctest.h>

#include "unit/run_support.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace support;

namespace {

struct nobody final : jm::journey_sink {
    void act(const jm::step_action&, const jm::contact_view&) override {}
    void leave(const jm::stay&, const jm::contact_view&) override {}
    void end(const jm::journey_state&, const jm::value&, jm::instant) override {}
};

}  // namespace

TEST_CASE("a running journey takes 64 bytes, wherever it waits")
{
    constexpr int many = 3'000;
    jm::history_builder b;
    for (int k = 0; k < many; ++k) b.event("anna", "order", t0 + std::chrono::minutes{k}, {{"id", "o" + std::to_string(k)}});
    const auto h = std::move(b).finish();
    const auto w = jm::workflow("w").on(jm::event("order")).again({jm::reentry_rule::each, {}, "id"})
        .step("a", jm::send("email").next("s"))
        .step("s", jm::step{jm::split_step{{{1, "local"}, {1, "event"}}}})
        .step("local", jm::step{jm::wait_step{{}, jm::time_of_day{9 * 60}, {}, 90, {}, {}}})
        .step("event", jm::wait_for(jm::event("paid")).timeout(90_d).then("end").otherwise("end"));
    auto d = with({w});
    d.policies.quiet.push_back({{22 * 60}, {8 * 60}, {}, {}});
    jm::compiler c{h.schema(), h.data().pool, d.context};
    jm::problems found;
    const auto program = jm::compile_workflows(d, c, found);
    REQUIRE(found.errors() == 0);
    const jm::walk_limits limits{t0, t0 + 60_d, jm::none};
    jm::contact_walk walk{*program, h.data(), jm::run_order::event, limits};
    nobody sink;
    jm::detail::machine machine{*program, walk.state(), walk.feed(), sink};
    walk.run(machine, 0, [] { return true; });
    const auto& s = walk.state();
    REQUIRE(s.running.size() == many);
    const auto bytes = s.running.size() * sizeof(s.running[0]) + s.steps.size() * sizeof(s.steps[0]) + s.pending.size() * sizeof(s.pending[0]);
    CHECK(bytes <= 64 * many);
}
