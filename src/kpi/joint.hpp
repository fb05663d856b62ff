#pragma once
// Measures of a KPI that must be known together of each contact (products for the delta method, cohorts): contact by contact, by slots.

#include <memory>
#include <vector>

#include "kpi/firsts.hpp"
#include "kpi/steady.hpp"

namespace journeyman::detail {

class joint_counter {
public:
    struct measure {
        const measure_plan* plan;
        event_source a, b;
        std::size_t mask = none;                            // of contacts: a number of its owner, and the bits of those at hand
        const std::uint64_t* bits = nullptr;
    };
    joint_counter(const kpi_plan&, const slot_frame&, const crowd&, const program&, const table_span&, const row_filters&);
    std::vector<measure> measures;
    /// Once the measures are there.
    void prepare();
    void count(std::uint32_t first, std::uint32_t last);
    /// Calls f(group, slot, totals) for what is not empty; and for whole periods, where the frame has properties, g(period, totals).
    template <class F, class G>
    void each(F f, G g) const {
        for (std::size_t k = 0; k < cells_.size(); ++k)
            if (cells_[k]) f(k / slots_, static_cast<std::uint32_t>(k % slots_), *cells_[k]);
        for (std::uint32_t p = 0; p < whole_.size(); ++p)
            if (whole_[p]) g(p, *whole_[p]);
        for (std::size_t k = 0; k < plain_.size(); ++k)
            if (plain_[k].met) f(k / slots_, static_cast<std::uint32_t>(k % slots_), of(plain_[k]));
        for (std::uint32_t p = 0; p < plain_whole_.size(); ++p)
            if (plain_whole_[p].met) g(p, of(plain_whole_[p]));
    }

private:
    void rows(const measure&, std::size_t index, std::size_t stream, std::uint32_t begin, std::uint32_t end);
    void firsts(measure&, std::size_t index, std::uint32_t contact);
    template <class F>
    void put(std::uint32_t slot, F f);
    totals& open(std::unique_ptr<totals>&);

    /// Of one measure in whole numbers there is nothing to know together: its total, and that of its squares.
    struct plain_total {
        wide sum = 0, squares = 0;
        std::uint32_t immature = 0;
        bool met = false;
    };
    /// What the contact at hand gives to it.
    struct plain_now {
        std::vector<wide> of;
        std::vector<std::uint8_t> met;
        std::vector<std::uint32_t> all;
        void add(std::uint32_t k, wide x) {
            of[k] += x;
            if (met[k] == 0) all.push_back(k);
            met[k] = 1;
        }
    };
    [[nodiscard]] totals of(const plain_total&) const;
    void add(std::uint32_t slot, wide x);
    /// The sum of one stream whose rows of one slot follow each other: by runs.
    void runs(measure&, std::uint32_t first, std::uint32_t last);
    void give(plain_total&, std::unique_ptr<totals>& or_to, wide x);
    void close(plain_now&, plain_total* into, std::unique_ptr<totals>* or_into);
    bool alone_ = false, by_runs_ = false;
    std::size_t only_ = 0;                         // its number
    std::vector<plain_total> plain_, plain_whole_;
    plain_now now_, now_whole_;
    std::vector<std::uint16_t> run_slots_;

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
