#pragma once
// What is kept of a contact's journeys between inputs: the running ones, what triggers remember, the sends that caps still count.

#include <cstdint>
#include <vector>

#include "journeyman/core/zone.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/view.hpp"

namespace journeyman {

enum class journey_outcome : std::uint8_t { running, completed, goal, exited };

/// An event that a journey or a trigger remembers, as its world finds it again (`contact_world::event`).
struct kept_event {
    std::uint32_t slot = none, row = 0;
    explicit operator bool() const { return slot != none; }
    friend bool operator==(const kept_event&, const kept_event&) = default;
};

/// One contact's passage through one workflow. There may be many: 64 bytes each.
struct journey_state {
    instant entered, reached_at;                               // `reached_at`: the present step
    instant deadline = end_of_time;                            // of the present step
    instant next = end_of_time;                                // when time alone may move it
    kept_event trigger;
    std::uint32_t number = 0;                                  // from 1, for each contact and workflow
    std::uint32_t entered_order = 0, reached_order = 0;
    std::uint32_t zone = none;                                 // a wait in local time: the name of the zone it was computed with; none: the playbook's
    std::uint16_t workflow = 0, step = 0;
    std::uint32_t outcome_ : 2 = 0;
    std::uint32_t deferred : 1 = 0;                            // the send it stands at was put off to `deadline`
    std::uint32_t steps : 29 = 0;                              // where its part of contact_journeys::steps begins

    [[nodiscard]] position entry() const { return {entered, entered_order}; }
    [[nodiscard]] position reached() const { return {reached_at, reached_order}; }
    [[nodiscard]] journey_outcome outcome() const { return static_cast<journey_outcome>(outcome_); }
    void reach(std::uint16_t where, position at) {
        step = where;
        reached_at = at.at;
        reached_order = at.order;
    }
};
static_assert(sizeof(journey_state) <= 64);

/// An event that a trigger takes, but that counts only later: `without … within D`.
struct pending_event {
    std::uint32_t workflow = 0;
    kept_event event;
    instant due;
};

/// Starts empty.
struct contact_journeys {
    struct memory {
        std::uint32_t journeys = 0, running = 0;
        instant last_entry = beginning_of_time;
        std::vector<value> each;
        bool in = false;                                       // enters, leaves: in the segment when last asked
        instant next = end_of_time;                            // when time alone may start a journey
        instant fired = beginning_of_time;                     // date: the last instant it stood for
    };
    struct sent { instant at; std::uint32_t channel; };
    std::vector<journey_state> running;                        // in the order of W4
    std::vector<position> steps;                               // of each running one, by step: at end_of_time when not reached. Empty unless some predicate asks
    std::vector<memory> workflows;                             // by workflow
    std::vector<pending_event> pending;
    std::vector<sent> sends;                                   // that caps still count
    position last;                                             // the place of what was handled last
    int caused = 0;                                            // inputs that steps caused at that instant

    /// As good as new, but for the memory it holds.
    void clear() {
        running.clear();
        steps.clear();
        workflows.clear();
        pending.clear();
        sends.clear();
        last = {};
        caused = 0;
    }
};

}  // namespace journeyman
