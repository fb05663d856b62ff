#pragma once
// One contact of a history from the start of a run to its end: inputs and timers to the machine, in order.

#include <algorithm>
#include <cstdint>

#include "journeyman/predicate/evaluate.hpp"
#include "run/feed.hpp"
#include "workflow/machine.hpp"

namespace journeyman {

struct walk_limits {
    instant start = beginning_of_time, until;
    node_id only = none;
};

/// Not for several threads. Contacts in ascending order.
class contact_walk {
public:
    contact_walk(const workflow_program& w, const history_data& h, run_order order, const walk_limits& l) : program_{w}, limits_{l}, feed_{w, h, order} {
        for (const auto& x : w.workflows) once_ = once_ && x.reentry.kind == reentry_rule::once;
    }
    [[nodiscard]] history_feed& feed() { return feed_; }
    [[nodiscard]] contact_journeys& state() { return state_; }

    /// Returns how many inputs and timers were handled. `look` is called before each; false ends it there.
    template <class F>
    std::uint64_t run(detail::machine& machine, std::uint32_t contact, F look) {
        std::uint64_t handled = 0;
        state_.clear();
        feed_.load(contact);
        if (limits_.only != none) {
            feed_.see_before({limits_.start, 0xffffffffU});
            if (feed_.view().exists_from > limits_.start || ask(*program_.predicates, limits_.only, feed_.view(), limits_.start) != truth::yes) return 0;
            feed_.load(contact);
        }
        feed_.see_before({limits_.start, 0});
        machine.begin(limits_.start);
        while (look()) {
            const bool resting = idle(program_, state_);
            if (resting && once_ && through(program_, state_)) break;
            const instant timer = next_timer(program_, state_);
            // What comes at the instant handled last may have to stand behind what was caused there.
            position place = feed_.next(heard(program_, state_), state_.last.at);
            std::uint32_t passed = 0;
            if (timer != end_of_time && place.at >= timer) {
                // At the instant of a timer no input is passed over: what time changes there is seen on it.
                passed += feed_.see_before({timer, 0});
                if (const auto any = feed_.next(); any.at == timer) place = any;
            }
            if (std::min(place.at, timer) > limits_.until || std::min(place.at, timer) == end_of_time) break;
            if (place.at <= timer) {                                    // T2: inputs, then timers
                const seen_input in = feed_.take(state_, place, passed);
                if (in.event) ++handled;
                machine.input(in);
            } else {
                ++handled;
                passed += feed_.see_before({timer, 0xffffffffU});
                machine.timers(timer);
            }
            if (!resting) handled += passed;                            // nobody waited for them, but somebody was there
        }
        return handled;
    }

private:
    const workflow_program& program_;
    const walk_limits& limits_;
    history_feed feed_;
    contact_journeys state_;
    bool once_ = true;                                                  // every workflow runs once
};

}  // namespace journeyman
