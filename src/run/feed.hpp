#pragma once
// A history as inputs, contact by contact, in the order of a run. What was handled is what the contact's journeys see.

#include <cstdint>
#include <optional>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/reader.hpp"
#include "journeyman/run/run.hpp"
#include "journeyman/workflow/machine.hpp"

namespace journeyman {

/// A row of the history that stands behind what a step caused at its instant.
struct moved_row {
    std::uint32_t contact, slot, row, order;
    bool attribute;
};

/// Not for several threads. Contacts in ascending order.
class history_feed final : public contact_world {
public:
    history_feed(const workflow_program&, const history_data&, run_order);

    /// Whether any workflow may begin for the contact; cheap.
    bool concerns(std::uint32_t contact);
    void load(std::uint32_t contact);
    /// Everything before the place is visible, without being handled. Returns how many events that was.
    std::uint32_t see_before(position p);
    /// The place of the next input of those that are heard, or stand at that instant; at `end_of_time`: there is none.
    [[nodiscard]] position next(const heard_slots& heard, instant also) const {
        position first{end_of_time, 0xffffffffU};
        for (const auto& s : sources_)
            if (s.head < first && (s.head.at == also || (s.attribute ? heard.attribute(s.slot) : heard.stream(s.slot)))) first = s.head;
        return first;
    }
    /// Of any.
    [[nodiscard]] position next() const { return next({~std::uint64_t{0}, ~std::uint64_t{0}}, end_of_time); }
    /// Shows that input, and all that is passed over; `passed` grows by the events among them.
    seen_input take(const contact_journeys& state, position place, std::uint32_t& passed);

    std::vector<moved_row> moved;

private:
    /// The rows of one stream or attribute of the contact, in the order of the run.
    struct source {
        std::uint32_t slot;
        bool attribute, of_account, plain;           // plain: shown by counting, in the order in which it stands
        std::uint32_t next = 0, count;
        const std::int64_t* at;
        const std::uint32_t* order;
        const std::int64_t* arrived;                 // null: all in time
        const std::uint32_t* by_arrival = nullptr;   // null: as they stand
        position head{};
        [[nodiscard]] std::uint32_t row() const { return by_arrival == nullptr ? next : by_arrival[next]; }
        [[nodiscard]] position place(std::uint32_t r) const {
            return {instant{microseconds{arrived != nullptr && arrived[r] > at[r] ? arrived[r] : at[r]}}, order[r]};
        }
    };

    void changed(std::uint32_t attribute, position place) override;
    template <class Slice>
    void add(const Slice& all, const shared_vector<std::int64_t>* arrived, std::uint32_t slot, bool attribute);
    void step(source& s);
    /// Makes its head visible, with this order at its instant, or its own.
    event_ref show(source& s, std::optional<std::uint32_t> order);
    void load_account(position upto);
    [[nodiscard]] instant known_from(std::uint32_t contact) const;
    static bool any_late(const source& s);

    const workflow_program& workflows_;
    const history_data* history_;
    run_order order_;
    history_reader reader_;
    std::vector<const event_stream*> event_streams_;
    std::vector<const attribute_stream*> attribute_streams_;
    std::vector<std::pair<const timeline*, std::size_t>> triggers_;   // and how far we are in each
    std::vector<source> sources_;
    std::vector<std::vector<std::uint32_t>> late_orders_;            // of those with late rows: rows in order of arrival
    std::vector<std::uint32_t> changed_;
    std::vector<value> cells_;
    std::uint32_t account_ = none, late_ = 0;
    bool everyone_ = false, any_late_ = false;
};

}  // namespace journeyman
