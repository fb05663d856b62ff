#pragma once
// One contact's journeys step by step: what happened, at what instant, why this way, what is waited for, until when.

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "journeyman/core/time.hpp"
#include "journeyman/predicate/explain.hpp"

namespace journeyman {

/// An action of a step, and why it ended as it did.
struct explained_action {
    std::string channel, status, reason, why;
    instant at;
    std::optional<instant> until;                // deferred: to when
};
/// A predicate that was looked at, by what it is for: "goal", "exit", "choice 1", "outcome 2", "consent email", "holdout".
struct explained_question {
    std::string what;
    explanation answer;
};
/// A stay at a step.
struct explained_step {
    std::string step, kind, phase;
    instant reached_at;
    std::optional<instant> left_at;              // nothing: it stands there at the end of the run
    std::string outcome;                         // next then timeout if else split goal exited running
    std::string next;                            // the step it went on to; empty: none
    std::string why;                             // a sentence
    std::optional<instant> until;                // running: when the step ends at the latest
    std::vector<explained_action> actions;
    std::vector<explained_question> questions;   // as they stood when it moved on, or at the end of the run; in the order they are looked at, up to the one that decided
};
struct explained_journey {
    std::string contact, workflow, version;
    std::uint32_t number = 0;
    std::string key;                             // the value, where re-entry is `each`
    std::string trigger;                         // what started it, as text
    instant entered_at;
    std::optional<instant> left_at;
    std::string outcome;                         // completed goal exited running
    std::vector<explained_step> steps;
};

/// As text, a step a paragraph.
std::ostream& operator<<(std::ostream&, const explained_journey&);

}  // namespace journeyman
