#pragma once
// The quick path of counting: KPIs whose cells hang on steady attributes and on properties of the event itself are counted stream by stream, for many contacts at once.
// Equal parts of KPIs are counted once. What is no such KPI, and contacts who do change, go the plain way (fold.cpp), which is also the twin in tests.

#include <memory>
#include <vector>

#include "kpi/firsts.hpp"
#include "kpi/joint.hpp"
#include "kpi/steady.hpp"

namespace journeyman::detail {

class pass_counter {
public:
    pass_counter(const plan&, const program&, const history_data&, const table_span&, const std::vector<kpi_totals>&, std::vector<standing>&);
    /// Whether the contacts of this KPI's crowd who stand still are counted here.
    [[nodiscard]] bool takes(std::size_t kpi) const { return jobs_[kpi].what != job::nothing; }
    /// The crowds of these KPIs.
    [[nodiscard]] const std::vector<crowd*>& crowds() const { return crowds_; }
    /// How many contacts to count at a time, from a multiple of it on.
    [[nodiscard]] std::uint32_t step() const { return step_; }
    /// Counts contacts [first, last) of one step, once the crowds have gathered them.
    void count(std::uint32_t first, std::uint32_t last);
    /// Into the KPIs.
    void finish(std::vector<kpi_totals>&, const text_pool&, cell_texts&);

private:
    /// The rows of one stream that a selector takes.
    struct pass {
        slot_frame* frame;
        std::size_t stream;
        row_filter filter;
        std::vector<std::size_t> masks, tallies;
    };
    /// Which slots a contact has events in, of a whole selector; a bit for each.
    struct mask {
        slot_frame* frame;
        std::vector<std::size_t> passes;
        std::vector<std::uint64_t> bits;           // frame->words() a contact
        std::vector<std::uint64_t> whole;          // frame->whole_words() a contact, where the frame has properties
    };
    /// Events by group and slot.
    struct tally {
        std::size_t pass;
        crowd* who;
        std::vector<std::uint32_t> counts;
    };
    /// Contacts by group and slot who are in two masks (twice the same: in that one).
    struct column_tally {
        std::size_t a, b;
        crowd* who;
        std::vector<std::uint32_t> counts, whole;
    };
    struct job {
        enum { nothing, apart, masks, firsts, joint } what = nothing;
        crowd* who = nullptr;
        slot_frame* frame = nullptr;
        std::vector<std::vector<std::size_t>> tallies;      // apart: by measure, of its events
        std::vector<std::size_t> columns;                   // apart: by measure, of its contacts; masks: by pair of measures
        std::size_t first = none;                           // firsts: the number of its tally
        std::unique_ptr<joint_counter> together;
    };

    [[nodiscard]] bool can(const kpi_plan&, const kpi_totals&) const;
    slot_frame* frame_of(const kpi_plan&, const kpi_totals&, const crowd&);
    void plan_job(const kpi_plan&, job&);
    std::size_t pass_of(slot_frame&, const row_filter&);
    std::size_t mask_of(slot_frame&, const std::vector<row_filter>&);
    event_source source_of(slot_frame&, const measure_plan&, selector_id);
    std::size_t column_of(std::size_t a, std::size_t b, crowd*);
    void run(pass&, std::uint32_t first, std::uint32_t last);

    const program& program_;
    const history_data& history_;
    const table_span& span_;
    row_filters filters_;
    std::vector<std::unique_ptr<slot_frame>> frames_;
    std::vector<crowd*> crowds_;
    std::vector<job> jobs_;                        // by KPI
    std::vector<pass> passes_;
    std::vector<mask> masks_;
    std::vector<tally> tallies_;
    std::vector<column_tally> columns_;
    std::vector<first_events> firsts_;
    std::vector<first_tally> first_tallies_;
    std::vector<std::uint16_t> slots_;
    std::uint32_t step_ = contacts_at_once;
};

}  // namespace journeyman::detail
