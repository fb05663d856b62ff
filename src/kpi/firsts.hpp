#pragma once
// The first event of a selector of each contact: what `new`, `starters` and `converted` count by.

#include <cstdint>
#include <optional>
#include <vector>

#include "kpi/plan.hpp"
#include "kpi/slots.hpp"
#include "kpi/steady.hpp"

namespace journeyman::detail {

/// What a `where` sees that looks at nothing but the event.
class row_filters {
public:
    row_filters(const program&, const history_data&);
    /// Nothing: a `where` asks about the contact.
    [[nodiscard]] std::optional<std::vector<row_filter>> of(const measure_plan&, selector_id) const;
    [[nodiscard]] bool yes(const row_filter& f, const slot_stream& s, std::uint32_t row) const {
        if (f.where == none) return true;
        if (!f.tests) return ask(program_, f.where, nobody_, instant{microseconds{s.rows().at[row]}}, s.event(row)) == truth::yes;
        for (const auto& t : f.tests->where)
            if (!t.yes(program_, row)) return false;
        return true;
    }
    /// Puts the slot of rows that are not taken to `none_of_them`.
    void keep(const row_filter&, const slot_stream&, std::uint32_t first, std::uint32_t n, std::uint16_t none_of_them, std::uint16_t* slots) const;

private:
    const program& program_;
    const history_data& history_;
    std::vector<stream_slice> no_streams_;
    std::vector<attribute_slice> no_attributes_;
    contact_view nobody_;
};

/// The streams of one selector in a frame, gone through contact by contact.
struct event_source {
    std::vector<row_filter> filters;
    std::vector<std::size_t> streams;
    std::vector<std::size_t> cursors;
    [[nodiscard]] bool is_plain() const { return streams.size() == 1 && filters[0].where == none; }
};

struct found_event {
    std::uint32_t row = 0;
    std::size_t stream = none;                     // by its number in the source
    position at{end_of_time, 0};
};
/// The first event that counts, of those of a contact after a place and up to an instant.
found_event first_after(event_source&, const slot_frame&, const row_filters&, std::uint32_t contact, position after, instant until);

/// The first events of the contacts of a step, for all measures that ask for them.
class first_events {
public:
    first_events(const slot_frame& f, event_source s) : frame_{&f}, source_{std::move(s)} {}
    [[nodiscard]] bool is(const slot_frame& f, const event_source& s) const { return frame_ == &f && source_.filters == s.filters; }
    [[nodiscard]] const event_source& source() const { return source_; }
    void find(std::uint32_t first, std::uint32_t last, const row_filters&);
    [[nodiscard]] std::uint32_t row(std::uint32_t k) const { return rows_[k]; }              // `none`: there is none
    [[nodiscard]] std::uint32_t slot(std::uint32_t k) const { return slots_[k]; }            // then that of no period
    [[nodiscard]] const slot_stream& stream(std::uint32_t k) const { return frame_->stream(source_.streams[streams_.empty() ? 0 : streams_[k]]); }
    /// Where the contact's rows end, of the stream that is the only one.
    [[nodiscard]] std::uint32_t end(std::uint32_t k) const { return ends_[k]; }

private:
    const slot_frame* frame_;
    event_source source_;
    std::vector<std::uint32_t> rows_, ends_;
    std::vector<std::uint16_t> slots_;
    std::vector<std::uint32_t> streams_;           // empty: there is but one
};

/// Contacts by group and slot of their first event: all, or those who convert; and apart those whose time is not over.
class first_tally {
public:
    first_tally(const measure_plan& m, event_source b, const slot_frame& f, const crowd& c, std::size_t events) : measure_{&m}, b_{std::move(b)}, frame_{&f}, who_{&c}, events_{events} {}
    [[nodiscard]] std::size_t events() const { return events_; }
    void count(const first_events&, std::uint32_t first, std::uint32_t last, const row_filters&, const table_span&, const time_zone&);
    [[nodiscard]] const std::vector<std::uint32_t>& counts() const { return counts_; }
    [[nodiscard]] const std::vector<std::uint32_t>& immature() const { return immature_; }

private:
    const measure_plan* measure_;
    event_source b_;
    const slot_frame* frame_;
    const crowd* who_;
    std::size_t events_;                           // the number of the first_events it reads
    std::vector<std::uint32_t> counts_, immature_;
};

}  // namespace journeyman::detail
