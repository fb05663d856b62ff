#include "kpi/retention_count.hpp"

#include <algorithm>
#include <bit>

#include "kpi/slots.hpp"

namespace journeyman::detail {
namespace {

constexpr std::uint32_t chunk = contacts_at_once;

/// Calls f(place in the chunk, begin, end) for the contacts of [first, first + count) that have rows.
template <class F>
void each_range(const timeline& rows, std::uint32_t first, std::uint32_t count, std::size_t& cursor, F f) {
    if (!rows.dense.empty()) {
        const std::uint32_t* begin = rows.dense.data() + first;
        for (std::uint32_t i = 0; i < count; ++i) f(i, begin[i], begin[i + 1]);
        return;
    }
    while (cursor < rows.owners.size() && rows.owners[cursor] < first) ++cursor;
    for (; cursor < rows.owners.size() && rows.owners[cursor] < first + count; ++cursor) f(rows.owners[cursor] - first, rows.begins[cursor], rows.begins[cursor + 1]);
}

struct stream_use {
    const event_stream* stream;
    bool starts = false, returns = false;
    std::size_t cursor = 0;
    std::shared_ptr<const narrow_times> times = {};
    std::optional<period_table> intervals = {};
    /// That of a row; outside of all of them the bit after the last.
    [[nodiscard]] std::uint64_t bit(std::uint32_t row) const { return std::uint64_t{1} << intervals->of(times->bucket[row], stream->rows.at.data() + row); }
};

}  // namespace

std::optional<retention_counts> count_retention(const history_data& h, const funnel_plan& plan, const std::vector<std::int64_t>& bounds) {
    if (bounds.size() > 64) return {};
    std::vector<stream_use> uses;
    bool same = true;
    for (const auto slot : plan.streams) {
        const auto* stream = h.stream(plan.program->streams[slot]);
        stream_use u{stream};
        for (const auto& t : plan.tests[slot]) {
            if (t.where != none) return {};
            u.starts = u.starts || (t.step_bit & 1U) != 0;
            u.returns = u.returns || (t.step_bit & 2U) != 0;
        }
        if (stream == nullptr) continue;
        same = same && u.starts == u.returns;
        if (stream->rows.rows() > 0) uses.push_back(u);
    }
    const std::size_t n = bounds.size() - 1;
    const std::uint64_t inside = (std::uint64_t{1} << n) - 1;
    std::vector<std::int64_t> intervals;                       // where each begins and ends
    for (std::size_t k = 0; k < n; ++k) intervals.insert(intervals.end(), {bounds[k], bounds[k + 1]});
    for (auto& u : uses) {
        u.times = narrow(u.stream->rows);
        u.intervals.emplace(*u.times, intervals);
    }
    retention_counts out{std::vector<std::int64_t>(n), std::vector<std::int64_t>(n), std::vector<std::vector<std::int64_t>>(n, std::vector<std::int64_t>(n))};
    std::vector<std::uint64_t> started(chunk), active(chunk);
    std::vector<std::uint32_t> many(chunk);
    std::vector<position> first_start(chunk), last_return(chunk);
    const auto contacts = static_cast<std::uint32_t>(h.contacts.size());
    for (std::uint32_t first = 0; first < contacts; first += chunk) {
        const std::uint32_t count = std::min(chunk, contacts - first);
        std::fill_n(started.begin(), count, 0);
        std::fill_n(active.begin(), count, 0);
        std::fill_n(many.begin(), count, 0);
        if (!same) {
            std::fill_n(first_start.begin(), count, position{end_of_time, 0});
            std::fill_n(last_return.begin(), count, position{beginning_of_time, 0});
        }
        if (same) {
            for (auto& u : uses) {
                // Row by row: what lies in the way is whose row it is and when, four bytes of it.
                std::uint32_t begin = none, end = 0;
                each_range(u.stream->rows, first, count, u.cursor, [&](std::uint32_t i, std::uint32_t from, std::uint32_t to) {
                    many[i] += to - from;
                    begin = std::min(begin, from);
                    end = to;
                });
                const std::uint16_t* place = u.times->place.data();
                std::uint64_t* bits = active.data();
                for (auto r = begin; r < end; ++r) bits[place[r]] |= u.bit(r);
            }
        }
        else for (auto& u : uses) {
            const std::int64_t* at = u.stream->rows.at.data();
            const std::uint32_t* order = u.stream->rows.order.data();
            each_range(u.stream->rows, first, count, u.cursor, [&](std::uint32_t i, std::uint32_t begin, std::uint32_t end) {
                if (u.returns)
                    for (auto r = begin; r < end; ++r) active[i] |= u.bit(r);
                if (begin == end) return;
                const auto place = [&](std::uint32_t r) { return position{instant{microseconds{at[r]}}, order[r]}; };
                if (u.returns) last_return[i] = std::max(last_return[i], place(end - 1));
                if (!u.starts) return;
                first_start[i] = std::min(first_start[i], place(begin));
                started[i] |= u.bit(begin);
            });
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint64_t starts = (same ? active[i] : started[i]) & inside;
            if (starts == 0) continue;
            const auto cohort = static_cast<std::size_t>(std::countr_zero(starts));
            ++out.size[cohort];
            out.again[cohort] += same ? many[i] > 1 : last_return[i] > first_start[i];
            auto* row = out.active[cohort].data();
            for (std::uint64_t bits = (active[i] & inside) >> cohort & ~std::uint64_t{1}; bits != 0; bits &= bits - 1) ++row[std::countr_zero(bits)];
        }
    }
    return out;
}

}  // namespace journeyman::detail
