#pragma once
// Measures of a KPI that must be known together of each contact (products for the delta method, cohorts): contact by contact, by slots.

#include <memory>
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

class joint_counter {
public:
    /// One selector of a measure: its streams in the frame.
    struct source {
        std::vector<row_filter> filters;
        std::vector<std::size_t> streams;
        std::vector<std::size_t> cursors;
    };
    struct measure {
        const measure_plan* plan;
        source a, b;
        std::size_t mask = none;                            // of contacts: a number of its owner, and the bits of those at hand
        const std::uint64_t* bits = nullptr;
    };
    joint_counter(const kpi_plan&, const slot_frame&, const crowd&, const program&, const table_span&, const row_filters&);
    std::vector<measure> measures;
    void count(std::uint32_t first, std::uint32_t last);
    /// Calls f(group, slot, totals) for what is not empty; and for whole periods, where the frame has properties, g(period, totals).
    template <class F, class G>
    void each(F f, G g) const {
        for (std::size_t k = 0; k < cells_.size(); ++k)
            if (cells_[k]) f(k / slots_, static_cast<std::uint32_t>(k % slots_), *cells_[k]);
        for (std::uint32_t p = 0; p < whole_.size(); ++p)
            if (whole_[p]) g(p, *whole_[p]);
    }

private:
    struct place { std::uint32_t row = 0; std::size_t stream = none; position at{end_of_time, 0}; };   // the stream by its number in the source
    void rows(const measure&, std::size_t index, std::size_t stream, std::uint32_t begin, std::uint32_t end);
    place first_after(source&, std::uint32_t contact, position after, instant until);
    void firsts(measure&, std::size_t index, std::uint32_t contact);
    template <class F>
    void put(std::uint32_t slot, F f);
    totals& open(std::unique_ptr<totals>&);

    const kpi_plan& plan_;
    const slot_frame& frame_;
    const crowd& who_;
    const program& program_;
    const table_span& span_;
    const row_filters& filters_;
    std::size_t slots_;
    std::uint32_t group_ = 0;
    std::vector<std::unique_ptr<totals>> cells_;   // by group, slot
    std::vector<std::unique_ptr<totals>> whole_;   // by period
    std::vector<totals*> open_;
};

}  // namespace journeyman::detail
