#pragma once
// Membership kept up to date while its history is appended to: what an append did not touch is not asked again.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// A predicate made ready for a history; asked again after each append, as there may be new names and types.
using compiled_for = std::function<std::pair<program_ptr, node_id>(const history&)>;

/// Who is in, and has been in, from a start up to an instant that moves with the history. At any time equal to `membership` over the same history.
class tracked_membership {
public:
    /// Up to `until`, included; by default the last instant of the history.
    /// Errors: those of the type check; `predicate.window` when `until` lies before the start.
    tracked_membership(history, const expression&, instant start, std::optional<instant> until = {}, const compile_context& = {});
    tracked_membership(history, compiled_for, instant start, std::optional<instant> until = {});
    ~tracked_membership();
    tracked_membership(tracked_membership&&) noexcept;
    tracked_membership& operator=(tracked_membership&&) noexcept;

    /// Goes on to a history that was appended to the one seen last, and to `until` (by default its last instant, never back).
    /// Asks anew the contacts for whom something came, and goes on with those for whom time alone changes something.
    /// contact_id, change (`entered` or `left`): who is in now and was not before, and the other way, by contact.
    /// When the predicate cannot be asked of the new history (an error of the type check), nothing has changed.
    table update(const history& appended, std::optional<instant> until = {});

    [[nodiscard]] instant until() const;
    /// Ids of those that are in at `until()`, sorted.
    [[nodiscard]] std::vector<std::string> members() const;
    /// As `membership` gives them, over [start, until] with its end included.
    [[nodiscard]] table stays() const;
    /// The stream of entries and exits (predicate/membership.hpp) as it is known now: late events change what was.
    [[nodiscard]] table changes() const;
    /// How many contacts the last update asked; for tests and measurements.
    [[nodiscard]] std::size_t asked() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace journeyman
