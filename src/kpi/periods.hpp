#pragma once
// The periods of one KPI: the rows of its table, and those its target compares with (K2, K4).

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/kpi/report.hpp"

namespace journeyman::detail {

inline constexpr std::uint32_t no_period = 0xffffffffU;

struct period {
    instant from, to;                          // half-open; `to` is cut by the end of the table
    bool partial = false;
    bool row = true;                           // false: only compared with
    std::uint32_t campaign = no_period;        // index in kpi_definitions::campaigns
    std::uint32_t compared = no_period;        // the period the target is a change from; none: no data
};

/// `[begin, end)` as asked for, or as the history is; nothing for an empty history without a start and an end.
struct table_span {
    instant begin, end;
    std::optional<instant> first;              // of the history: what ends at or before it is no data
};
std::optional<table_span> span_of(const std::optional<std::pair<instant, instant>>& of_history, const kpi_options&);

/// Where a written instant or day of a definition stands. Nothing when it is neither.
std::optional<instant> written_instant(const std::string&, const time_zone&);

/// Rows first and in their order, then those only compared with.
class periods {
public:
    periods(const kpi&, const std::vector<campaign>&, const table_span&, const time_zone&, week_start);
    [[nodiscard]] const std::vector<period>& all() const { return all_; }
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] instant earliest() const { return earliest_; }
    /// Whether all stand on the calendar, apart from each other; then `calendar` is their order in time, and `bounds` where each begins and ends, in microseconds.
    [[nodiscard]] bool plain() const { return others_.empty(); }
    [[nodiscard]] const std::vector<std::uint32_t>& calendar() const { return calendar_; }
    [[nodiscard]] const std::vector<std::int64_t>& bounds() const { return bounds_; }
    /// The place in `calendar`, from `p` on, of the first period that ends after this instant, in microseconds; as many as there are when all have ended.
    [[nodiscard]] std::size_t ending_after(std::int64_t t, std::size_t p) const {
        const std::size_t n = calendar_.size();
        if (const auto from = bounds_.empty() ? 0 : t - bounds_[0]; from > 0) p = std::max(p, static_cast<std::size_t>(hints_[std::min(static_cast<std::size_t>(from >> hint_shift_), hints_.size() - 1)]));
        while (p < n && t >= bounds_[2 * p + 1]) ++p;
        return p;
    }
    /// Calls f(index) for each period that holds `t`.
    template <class F>
    void holding(instant t, F f) const {
        const auto it = std::upper_bound(calendar_.begin(), calendar_.end(), t, [&](instant x, std::uint32_t k) { return x < all_[k].from; });
        if (it != calendar_.begin() && t < all_[*(it - 1)].to) f(*(it - 1));
        for (const auto k : others_) if (t >= all_[k].from && t < all_[k].to) f(k);
    }

private:
    std::uint32_t add(period);
    std::vector<period> all_;
    std::vector<std::uint32_t> calendar_;      // by time, apart from each other
    std::vector<std::uint32_t> others_;        // campaigns, spans
    std::vector<std::int64_t> bounds_;
    std::vector<std::uint32_t> hints_;         // by microseconds since the first begins, shifted: the first period that ends after
    int hint_shift_ = 0;
    std::size_t rows_ = 0;
    instant earliest_ = end_of_time;
};

}  // namespace journeyman::detail
