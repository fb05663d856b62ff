#pragma once
// Why a predicate is yes, no or unknown for one contact: clause by clause, with the events that decided it.

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// An event that counts, and when time alone takes it out of the window.
struct explained_event {
    std::string event;
    instant at;
    std::optional<instant> leaves_at;
};

/// One clause and what it is made of.
struct explanation {
    std::string clause;                          // its canonical text
    std::string value;                           // yes, no, unknown, missing, or the value as text
    std::optional<instant> changes_at;           // when time alone will change `value`; nothing: never, without new events or changes
    std::string remark;                          // what is wanting
    std::vector<explained_event> events;         // of an aggregate: those that count, the latest first, at most `most_events`
    std::size_t events_count = 0;                // how many count in all
    std::vector<explanation> parts;
    static constexpr std::size_t most_events = 20;
};

/// `known`: the names there are, when they are more than those of the history (a playbook's `types`).
/// Errors: those of the type check, and `name.unknown` for a contact who is not in the history.
explanation explain(const history&, const expression&, std::string_view contact, instant at, const compile_context& = {}, const schema* known = nullptr);

/// A tree, one clause a line.
std::ostream& operator<<(std::ostream&, const explanation&);

}  // namespace journeyman
