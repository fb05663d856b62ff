#pragma once
// A funnel made ready for a history, and the hits of each unit.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journeyman/kpi/funnel.hpp"
#include "journeyman/predicate/reader.hpp"
#include "kpi/funnel_match.hpp"
#include "predicate/select_plan.hpp"

namespace journeyman::detail {

/// A step or an exclusion, in one of its streams.
struct hit_test {
    std::uint32_t step_bit = 0, exclusion_bit = 0;
    node_id where = none;
    std::optional<row_choice> rows;    // its `where` as tests of columns, when it has that form
};

/// Something read of an event: a property, or an expression about it.
struct event_field {
    std::uint32_t property = none;     // slot
    node_id node = none;
};

struct funnel_plan {
    program_ptr program;
    std::vector<std::vector<hit_test>> tests;   // by stream slot
    std::vector<std::uint32_t> streams;         // slots that are read
    bool by_contact = false, entries = false;
    bool all_units = false;            // also those without a step
    std::vector<event_field> unit, held, by;
    node_id audience = none;
};

/// Compiles; what is wrong goes to the compiler's findings or to `out`.
funnel_plan plan_funnel(const event_funnel&, compiler&, const std::string& place, problems& out);
/// The same against a history; throws the first error.
funnel_plan plan_funnel(const event_funnel&, const history&, const compile_context&, const std::optional<schema>& known);
/// The first instant that the history (up to `to`) does not know.
instant end_of_known(const history&, std::optional<instant> to);

/// Who is counted: a contact, the values of fields, or both.
struct funnel_unit {
    std::uint32_t contact = none;
    std::vector<value> fields;
};

/// Goes through a history and gives each unit's hits in order (T2). Not for several threads.
class funnel_source {
public:
    funnel_source(const history&, const event_funnel&, funnel_plan);
    /// Calls f(unit, hits): contact by contact where the unit is of one contact, else after all are read.
    template <class F> void each(F f) {
        const auto& data = history_.data();
        for (std::uint32_t c = 0; c < data.contacts.size(); ++c) {
            if (!audience_.empty() && !audience_[c]) continue;
            collect(c);
            if (hits_.empty()) continue;
            if (plan_.by_contact && plan_.unit.empty()) {
                f(funnel_unit{c, {}}, hits_);
                continue;
            }
            for (const auto& h : hits_) put(h);
            if (plan_.by_contact) flush(f);
        }
        flush(f);
    }
    /// Of a hit of the contact whose hits were given last, or of any, where units span contacts.
    [[nodiscard]] std::vector<value> read(const std::vector<event_field>&, const funnel_hit&);
    [[nodiscard]] std::size_t contacts() const { return contacts_; }
    [[nodiscard]] const funnel_plan& plan() const { return plan_; }
    [[nodiscard]] const text_pool& pool() const { return *history_.data().pool; }

private:
    void collect(std::uint32_t contact);
    void put(const funnel_hit&);
    template <class F> void flush(F& f) {
        for (auto& [key, unit] : open_) {
            if (!plan_.by_contact) std::stable_sort(unit.second.begin(), unit.second.end(), [](const auto& a, const auto& b) { return a.place() < b.place(); });
            f(unit.first, unit.second);
        }
        open_.clear();
    }

    const history& history_;
    const event_funnel& funnel_;
    funnel_plan plan_;
    history_reader reader_;
    std::uint32_t loaded_ = none;
    std::vector<bool> audience_;
    std::size_t contacts_ = 0;
    funnel_hits hits_;
    std::map<std::vector<std::int64_t>, std::pair<funnel_unit, funnel_hits>> open_;
};

}  // namespace journeyman::detail
