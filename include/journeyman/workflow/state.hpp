#pragma once
// What is kept of a contact between inputs: its journeys, what triggers remember, the sends that caps still count.

#include <cstdint>
#include <vector>

#include "journeyman/core/zone.hpp"
#include "journeyman/predicate/view.hpp"

namespace journeyman {

enum class journey_outcome : std::uint8_t { running, completed, goal, exited };

/// One contact's passage through one workflow.
struct journey_state {
    std::uint32_t workflow = 0, number = 0, step = 0;          // number: from 1, for each contact and workflow
    journey_outcome outcome = journey_outcome::running;
    bool deferred = false;                                     // the send it stands at was put off to `deadline`
    position entry, reached;                                   // reached: the present step
    std::vector<position> steps;                               // by step, at end_of_time when not reached; empty unless some predicate asks
    event_ref trigger;
    value each;
    instant deadline = end_of_time;                            // of the present step
    instant next = end_of_time;                                // when time alone may move it
    const time_zone* zone = nullptr;                           // what a wait in local time was computed with
    value date;
};

/// An event that a trigger takes, but that counts only later: `without … within D`.
struct pending_event {
    std::uint32_t workflow = 0;
    event_ref event;
    instant due;
};

/// Starts empty.
struct contact_state {
    struct memory {
        std::uint32_t journeys = 0, running = 0;
        instant last_entry = beginning_of_time;
        std::vector<value> each;
        bool in = false;                                       // enters, leaves: in the segment when last asked
        instant next = end_of_time;                            // when time alone may start a journey
        instant fired = beginning_of_time;                     // date: the last instant it stood for
    };
    struct sent { instant at; std::uint32_t channel; };
    std::vector<journey_state> journeys;                       // running ones, in the order of W4
    std::vector<memory> workflows;                             // by workflow
    std::vector<pending_event> pending;
    std::vector<sent> sends;                                   // that caps still count
    position last;                                             // the place of what was handled last
    int caused = 0;                                            // inputs that steps caused at that instant

    /// As good as new, but for the memory it holds.
    void clear() {
        journeys.clear();
        workflows.clear();
        pending.clear();
        sends.clear();
        last = {};
        caused = 0;
    }
};

}  // namespace journeyman
