#pragma once
// What a run keeps: rows as they came, contact by contact. Tables are made of them when asked for.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/run/run.hpp"
#include "journeyman/workflow/machine.hpp"

namespace journeyman {

struct action_row { std::uint32_t contact; action what; };
struct stay_row { std::uint32_t contact; stay what; };
struct journey_row {
    std::uint32_t contact = 0, workflow = 0, number = 0, at_step = 0;
    instant entered, left = end_of_time;         // left: end of time while running
    journey_outcome outcome = journey_outcome::running;
    value each;
};

/// Made once, by whoever asks first.
template <class T>
class made_once {
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
    std::vector<action_row> actions;             // by contact, then as taken
    std::vector<stay_row> stays;                 // by contact, then as they ended; running ones last, without an end
    std::vector<journey_row> journeys;           // by contact, then as they ended
    std::uint64_t handled = 0;

    made_once<table> actions_table, journeys_table, steps_table, edges_table;
    made_once<history> made;
    made_once<std::vector<journey_span>> spans;
};

/// The history with `$action` events.
history history_with_actions(const run_data&);

}  // namespace journeyman
