#pragma once
// Where a row counts, as a number: its period, and the values that the event itself has for dimensions that are its properties.

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "kpi/periods.hpp"
#include "predicate/select_plan.hpp"

namespace journeyman::detail {

/// From an instant to its period, as its place on the calendar; those in none have the number after the last.
/// By the narrow double of the instant, and by the instant itself only in the bucket of a bound.
class period_table {
public:
    period_table(const narrow_times&, const std::vector<std::int64_t>& bounds);
    [[nodiscard]] std::uint32_t of(std::uint16_t bucket, const std::int64_t* at) const {
        const entry& e = entries_[bucket >> shift];
        if (static_cast<std::uint16_t>(bucket - e.low) <= e.span) [[unlikely]] return exact(*at);
        return bucket > e.low ? e.after : e.before;
    }
    /// Of n rows.
    void of(const std::uint16_t* bucket, const std::int64_t* at, std::uint32_t n, std::uint16_t* out) const;

private:
    static constexpr int shift = 5;
    struct entry { std::uint16_t low, span, before, after; };      // buckets in [low, low + span] are looked up
    [[nodiscard]] std::uint32_t exact(std::int64_t at) const;
    bool few_ = false;                                             // edges: by kernels
    std::array<std::uint16_t, 31> buckets_{};                      // of the edges
    std::array<std::uint16_t, 32> values_{};
    std::vector<entry> entries_;
    std::vector<std::int64_t> edges_;
    std::vector<std::uint16_t> between_;                           // by how many edges lie at or before
};

/// The rows of one stream that a selector takes.
struct row_filter {
    std::uint32_t stream = none;                                   // slot
    node_id where = none;
    std::optional<row_choice> tests;                               // the `where`, when it has that form
    friend bool operator==(const row_filter& a, const row_filter& b) { return a.stream == b.stream && a.where == b.where; }
};

/// One stream: its columns, and what its rows' slots are made of.
class slot_stream {
public:
    slot_stream(const program&, const history_data&, std::uint32_t slot, const std::vector<std::int64_t>& bounds);
    [[nodiscard]] bool empty() const { return stream_ == nullptr || stream_->rows.rows() == 0; }
    [[nodiscard]] const timeline& rows() const { return stream_->rows; }
    [[nodiscard]] position place(std::uint32_t row) const { return {instant{microseconds{stream_->rows.at[row]}}, stream_->rows.order[row]}; }
    [[nodiscard]] const std::uint16_t* places() const { return times_->place.data(); }
    [[nodiscard]] event_ref event(std::uint32_t row) const { return {&all_, slot_, row}; }
    [[nodiscard]] const column* property(std::uint32_t slot) const { return all_.columns[slot]; }
    [[nodiscard]] std::uint32_t slot() const { return slot_; }
    [[nodiscard]] std::uint32_t slot_of(std::uint32_t row) const {
        std::uint32_t out = table_->of(times_->bucket[row], stream_->rows.at.data() + row);
        for (const auto& c : codes_) out += c.slot[c.of->code[row]];
        return out;
    }
    /// Of n rows from `first` on.
    void slots(std::uint32_t first, std::uint32_t n, std::uint16_t* out) const;
    /// [begin, end) of the rows of contacts [first, last).
    [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> range(std::uint32_t first, std::uint32_t last) const;

private:
    friend class slot_frame;
    struct codes { std::shared_ptr<const narrow_codes> of; std::array<std::uint16_t, 256> slot; };   // of at most 63 codes, slot[63] is that of none
    const event_stream* stream_;
    std::uint32_t slot_;
    stream_slice all_;
    std::vector<const column*> columns_;
    std::shared_ptr<const narrow_times> times_;
    std::optional<period_table> table_;
    std::vector<codes> codes_;
};

/// The slots of KPIs with the same periods and the same dimensions of events: a slot is a combination of values (0: missing) and a period.
/// Combinations are `pitch` slots apart, a power of two below 64 and else a multiple of it; the slot after the periods takes what lies in none.
class slot_frame {
public:
    static constexpr std::uint32_t most = 1U << 15;                // slots
    slot_frame(const periods& when, std::vector<std::uint32_t> properties) : bounds_{when.bounds()}, properties_{std::move(properties)} {}
    [[nodiscard]] bool is(const periods& when, const std::vector<std::uint32_t>& properties) const { return bounds_ == when.bounds() && properties_ == properties; }
    /// The number of the stream here.
    std::size_t add(const program&, const history_data&, std::uint32_t slot);
    /// Once all streams are there. False: there are too many slots, or a property is no text of few values.
    bool settle();

    [[nodiscard]] const slot_stream& stream(std::size_t k) const { return streams_[k]; }
    [[nodiscard]] std::uint32_t periods_count() const { return static_cast<std::uint32_t>(bounds_.size() / 2); }
    [[nodiscard]] std::uint32_t pitch() const { return pitch_; }
    [[nodiscard]] std::uint32_t combinations() const { return combinations_; }
    [[nodiscard]] std::uint32_t words() const { return std::bit_ceil((combinations_ * pitch_ + 63) / 64); }   // of a bit for each slot
    [[nodiscard]] std::uint32_t whole_words() const { return (pitch_ + 63) / 64; }                    // of a bit for each period
    [[nodiscard]] bool has_properties() const { return !properties_.empty(); }
    /// The value of a combination in the k-th property.
    [[nodiscard]] value at(std::uint32_t combination, std::size_t k) const;
    /// Of n contacts bits of slots → bits of periods: those with any value.
    void fold(const std::uint64_t* bits, std::uint32_t n, std::uint64_t* whole) const;

private:
    std::vector<std::int64_t> bounds_;
    std::vector<std::uint32_t> properties_;                        // slots
    std::vector<slot_stream> streams_;
    std::vector<std::vector<std::uint32_t>> texts_;                // by property: of its codes from 1 on
    std::uint32_t pitch_ = 1, combinations_ = 1;
};

}  // namespace journeyman::detail
