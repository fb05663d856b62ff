#pragma once
// What a contact's journeys see, and where what they cause goes: columns of a history as long as nobody adds to them, then copies of one's own.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/view.hpp"
#include "journeyman/workflow/state.hpp"

namespace journeyman {

/// Places among the inputs of one instant: those of the history come first, then timers; what came in late is behind both.
inline constexpr std::uint32_t first_timer = 0xf000'0000U, first_late = 0xf800'0000U;

/// Rows of one contact in one stream, or of one of its attributes; they can be added anywhere. `stream_slice` and `attribute_slice` look at them.
class own_rows {
public:
    [[nodiscard]] bool used() const { return used_; }
    void clear(std::size_t columns);
    /// Behind all rows at or before its place; returns where that is.
    std::uint32_t insert(position place, std::span<const value> cells);
    std::uint32_t append(position place, std::span<const value> cells) { return put(count(), place, cells); }
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(at_.size()); }
    void show(stream_slice& s);
    void show(attribute_slice& a) const;

private:
    std::uint32_t put(std::uint32_t row, position place, std::span<const value> cells);
    bool used_ = false;
    std::vector<std::int64_t> at_;
    std::vector<std::uint32_t> order_;
    std::vector<column> columns_;
    std::vector<const column*> shown_;
};

class contact_world {
    static constexpr std::uint32_t copied = 0x8000'0000U;   // in kept_event::slot

public:
    explicit contact_world(program_ptr p);
    virtual ~contact_world() = default;
    contact_world(const contact_world&) = delete;
    contact_world& operator=(const contact_world&) = delete;

    [[nodiscard]] const contact_view& view() const { return view_; }
    /// An event of the contact that a step causes, visible from now on; `cells` by `properties`, which are property slots.
    event_ref emit(std::uint32_t stream, position place, std::span<const std::uint32_t> properties, std::span<const value> cells);
    /// A change of an attribute that a step causes.
    void set(std::uint32_t attribute, position place, const value& v);
    /// Remembers an event, which stays as it is until the next contact.
    kept_event keep(event_ref e);
    [[nodiscard]] event_ref event(kept_event k) const {
        if (!k) return {};
        return (k.slot & copied) != 0 ? event_ref{&kept_slices_[k.slot & ~copied], k.slot & ~copied, k.row} : event_ref{&given_[k.slot], k.slot, k.row};
    }

    [[nodiscard]] static std::uint32_t slot_of(kept_event k) { return k.slot & ~copied; }
    /// The row-th copy that was remembered of a stream.
    [[nodiscard]] static kept_event copy_of(std::uint32_t slot, std::uint32_t row) { return {slot | copied, row}; }

protected:
    /// Forgets what is one's own; the slices are for the derived class to fill.
    void forget();
    void own_stream(std::uint32_t slot);
    void own_attribute(std::uint32_t slot);
    /// Into one's own rows.
    event_ref put_event(std::uint32_t slot, position place, std::span<const value> cells);
    void put_change(std::uint32_t slot, position place, const value& v);
    /// A copy of an event that may be nowhere else.
    kept_event remember(std::uint32_t slot, position place, std::span<const value> cells);
    /// An attribute got another value: an `account_id` changes what is seen of the account.
    virtual void changed(std::uint32_t /*attribute*/, position /*place*/) {}

    program_ptr program_;
    contact_view view_;
    std::vector<stream_slice> streams_;
    std::vector<attribute_slice> attributes_;
    std::vector<own_rows> own_streams_, own_attributes_;
    const stream_slice* given_ = nullptr;            // by stream slot: whole streams that stay where they are, if there are some

private:
    std::vector<own_rows> kept_;
    std::vector<stream_slice> kept_slices_;
    std::vector<std::uint32_t> owned_streams_, owned_attributes_, kept_streams_;
    std::vector<value> cells_;
};

}  // namespace journeyman
