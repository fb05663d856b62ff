#pragma once
// What a run keeps: rows as they came, a part for each range of contacts, in order. Tables are made of them when asked for.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/run/run.hpp"
#include "journeyman/workflow/machine.hpp"
#include "run/feed.hpp"

namespace journeyman {

struct action_row {
    std::uint32_t contact, workflow, step, journey, channel;
    std::uint32_t values;                        // into run_part::values: as many as the step has `with`
    instant at, until;
    std::uint32_t order;
    action_status status;
    action_reason reason;
};
/// A `stay`, packed: there are more of them than of anything else.
struct stay_row {
    std::int64_t from, to;                       // to: end of time while running
    std::uint32_t from_order, to_order, contact, journey;
    std::uint16_t workflow, step, next;          // next: 0xffff for none
    passage by;
    stay_row() = default;
    stay_row(std::uint32_t c, const stay& s)
        : from{s.from.at.time_since_epoch().count()}, to{s.to.at.time_since_epoch().count()}, from_order{s.from.order}, to_order{s.to.order}, contact{c}, journey{s.journey}, workflow{static_cast<std::uint16_t>(s.workflow)},
          step{static_cast<std::uint16_t>(s.step)}, next{static_cast<std::uint16_t>(s.next)}, by{s.by} {}
    [[nodiscard]] stay what() const {
        const auto place = [](std::int64_t at, std::uint32_t order) { return position{instant{microseconds{at}}, order}; };
        return {workflow, step, journey, next == 0xffff ? none : next, by, place(from, from_order), place(to, to_order)};
    }
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
    std::vector<action_row> actions;             // by contact, then as taken
    std::vector<value> values;
    std::vector<stay_row> stays;                 // by contact, then as they ended; running ones last, without an end
    std::vector<journey_row> journeys;           // by contact, then as they ended
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

    template <class F>
    void each_action(F f) const { for (const auto& p : parts) for (const auto& a : p.actions) f(a, p.values.data() + a.values); }
    template <class F>
    void each_stay(F f) const { for (const auto& p : parts) for (const auto& s : p.stays) f(s.contact, s.what()); }
    template <class F>
    void each_journey(F f) const { for (const auto& p : parts) for (const auto& j : p.journeys) f(j); }

    by_first_asked<table> actions_table, journeys_table, steps_table, edges_table;
    by_first_asked<history> made;
    by_first_asked<std::vector<journey_span>> spans;
};

/// The history with what the run did: attributes, events, and `$action` events.
history history_with_run(const run_data&);

}  // namespace journeyman
