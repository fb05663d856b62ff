#pragma once
// What a run keeps: rows as they came, a part for each range of contacts, in order. Tables are made of them when asked for.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/run/run.hpp"
#include "journeyman/workflow/machine.hpp"
#include "run/feed.hpp"
#include "run/run_log.hpp"

namespace journeyman {

struct action_row {
    std::uint32_t contact;
    step_action what;                            // its values are the run's
};
struct journey_row {
    std::uint32_t contact = 0, workflow = 0, number = 0, at_step = 0;
    instant entered, left = end_of_time;         // left: end of time while running
    journey_outcome outcome = journey_outcome::running;
    value each;
};
/// What a step caused: an event with `values` by `properties`, or a change of an attribute.
struct caused_row {
    std::uint32_t contact, slot;
    position at;
    bool attribute;
    std::vector<std::uint32_t> properties;
    std::vector<value> values;
};
struct run_part {
    run_log log;                                 // by contact: actions as taken, stays as they ended; running ones last, without an end
    std::vector<value> values;                   // of the actions, one after the other: as many as the step has `with`
    std::vector<value> keys;                     // of the journeys whose workflow has one for each value, as they ended
    std::vector<caused_row> caused;              // by contact, then as they came
    std::vector<moved_row> moved;
    std::uint64_t handled = 0;
};

/// Made once, by whoever asks first.
template <class T>
class by_first_asked {
public:
    template <class F>
    const T& get(F make) const {
        std::call_once(flag_, [&] { value_ = make(); });
        return *value_;
    }

private:
    mutable std::once_flag flag_;
    mutable std::optional<T> value_;
};

struct run_data {
    std::shared_ptr<const workflow_program> program = std::make_shared<const workflow_program>();
    history given;
    std::vector<run_part> parts;
    workflow_definitions definitions;            // and the run that was asked for, so that one contact can be walked again
    run_order order = run_order::event;
    instant start = beginning_of_time, until = end_of_time;

    /// `f(contact, action)`.
    template <class F>
    void each_action(F f) const {
        for (const auto& p : parts) {
            const value* values = p.values.data();
            p.log.each([&](std::uint32_t contact, step_action& a) {
                a.values = {values, program->workflows[a.workflow].steps[a.step].with.size()};
                values += a.values.size();
                f(contact, std::as_const(a));
            }, [](auto&&...) {});
        }
    }
    /// `f(contact, stay)`.
    template <class F>
    void each_stay(F f) const { for (const auto& p : parts) p.log.each([](auto&&...) {}, f); }
    /// By contact, then as they ended; a journey is its first stay to its last.
    template <class F>
    void each_journey(F f) const {
        std::vector<journey_row> open;
        for (const auto& p : parts) {
            const value* key = p.keys.data();
            open.clear();
            p.log.each([](auto&&...) {}, [&](std::uint32_t contact, const stay& s) {
                if (!open.empty() && open.front().contact != contact) open.clear();
                auto j = std::find_if(open.begin(), open.end(), [&](const journey_row& o) { return o.workflow == s.workflow && o.number == s.journey; });
                if (j == open.end()) j = open.insert(open.end(), {contact, s.workflow, s.journey, s.step, s.from.at});
                if (s.next != none) return;
                j->at_step = s.step;
                j->left = s.to.at;
                j->outcome = s.by == passage::running ? journey_outcome::running : s.by == passage::goal ? journey_outcome::goal : s.by == passage::exited ? journey_outcome::exited : journey_outcome::completed;
                if (program->workflows[s.workflow].reentry.kind == reentry_rule::each) j->each = *key++;
                f(std::as_const(*j));
                *j = std::move(open.back());
                open.pop_back();
            });
        }
    }

    by_first_asked<table> actions_table, journeys_table, steps_table, edges_table;
    by_first_asked<history> made;
    by_first_asked<std::vector<journey_span>> spans;
};

/// The history with what the run did: attributes, events, and `$action` events.
history history_with_run(const run_data&);

}  // namespace journeyman
