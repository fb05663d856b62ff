#include <doctest/doctest.h>

#include <tuple>
#include <variant>
#include <vector>

#include "dice.hpp"
#include "run/run_log.hpp"

using namespace journeyman;

namespace {

using row = std::tuple<std::uint32_t, std::variant<step_action, stay>>;

bool same(const position& a, const position& b) { return a == b; }
bool same(const step_action& a, const step_action& b) {
    return std::tie(a.workflow, a.step, a.journey, a.channel, a.status, a.reason, a.until) == std::tie(b.workflow, b.step, b.journey, b.channel, b.status, b.reason, b.until) && same(a.at, b.at);
}
bool same(const stay& a, const stay& b) {
    return std::tie(a.workflow, a.step, a.journey, a.next, a.by) == std::tie(b.workflow, b.step, b.journey, b.next, b.by) && same(a.from, b.from) && same(a.to, b.to);
}

void check(const std::vector<row>& rows) {
    run_log log;
    for (const auto& [contact, what] : rows) std::visit([&, c = contact](const auto& x) { log.add(c, x); }, what);
    std::size_t k = 0, wrong = 0;
    log.each([&](std::uint32_t contact, const step_action& a) {
        const auto* expected = std::get_if<step_action>(&std::get<1>(rows.at(k)));
        wrong += expected != nullptr && std::get<0>(rows[k]) == contact && same(*expected, a) ? 0 : 1;
        ++k;
    }, [&](std::uint32_t contact, const stay& s) {
        const auto* expected = std::get_if<stay>(&std::get<1>(rows.at(k)));
        wrong += expected != nullptr && std::get<0>(rows[k]) == contact && same(*expected, s) ? 0 : 1;
        ++k;
    });
    CHECK(k == rows.size());
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("a log gives back what was put in: ends of time, timers, late orders, contacts far apart") {
    check({});
    const position first{beginning_of_time, 0}, last{end_of_time, 0xffff'ffffU}, epoch{instant{}, 7}, timer{instant{}, first_timer}, late{instant{microseconds{-1}}, first_late + 3};
    std::vector<row> rows;
    for (const auto from : {first, last, epoch, timer, late})
        for (const auto to : {last, first, timer, late, epoch}) {
            rows.emplace_back(static_cast<std::uint32_t>(rows.size() * 5'000'000), stay{0xffff, 0xfffe, 0xffff'ffffU, none, passage::split, from, to});
            rows.emplace_back(std::get<0>(rows.back()), step_action{0, 0, 1, none, action_status::suppressed, action_reason::cap, to, beginning_of_time, {}});
            rows.emplace_back(std::get<0>(rows.back()), stay{0, 0, 1, 5, passage::next, from, to});                // left with its action
            rows.emplace_back(std::get<0>(rows.back()), stay{0, 0, 1, none, passage::running, from, position{end_of_time, 0}});
        }
    check(rows);
}

TEST_CASE("a log longer than its chunks gives back what was put in") {
    dice d{11};
    std::vector<row> rows;
    std::uint32_t contact = 0;
    instant at{};
    for (int k = 0; k < 60'000; ++k) {
        if (d(6) == 0) contact += 1 + static_cast<std::uint32_t>(d(d(2) == 0 ? 2 : 100'000));
        at += microseconds{d(2) == 0 ? 0 : static_cast<std::int64_t>(d(4'000'000'000ULL))};
        const auto small = [&](std::uint64_t n) { return static_cast<std::uint32_t>(d(n)); };
        const position place{at, small(2) == 0 ? small(20'000'000) : first_timer + small(3)};
        if (small(2) == 0) rows.emplace_back(contact, step_action{small(2), small(3), 1 + small(2), small(4) == 0 ? none : small(3), static_cast<action_status>(small(4)), static_cast<action_reason>(small(5)), place, small(3) == 0 ? at + microseconds{small(1000)} : end_of_time, {}});
        else rows.emplace_back(contact, stay{small(2), small(3), 1 + small(2), small(3) == 0 ? none : small(9), static_cast<passage>(1 + small(9)), position{at - microseconds{small(5)}, small(100)}, place});
    }
    check(rows);
}
