#include "journeyman/kpi/retention.hpp"

#include <algorithm>
#include <map>

#include "core/interval.hpp"
#include "journeyman/core/exact_sum.hpp"
#include "kpi/funnel_source.hpp"
#include "kpi/retention_count.hpp"

namespace journeyman {
namespace detail {
namespace {

using every_t = retention_question::every_t;
using returns_t = retention_question::returns_t;
using start_rule_t = retention_question::start_rule_t;
using cell_key = std::vector<std::string>;

constexpr int most_intervals = 20'000;
constexpr std::int64_t most_cells = 4'000'000;

/// The beginnings of calendar intervals, in microseconds.
class calendar {
public:
    calendar(every_t every, instant from, const compile_context& c) : every_{every}, zone_{*c.zone}, weeks_{c.weeks} {
        const auto local = zone_.to_local(from);
        begins_.push_back((every == every_t::hour ? from - (local - std::chrono::floor<std::chrono::hours>(local)) : start_of(unit(), from, zone_, weeks_)).time_since_epoch().count());
    }
    /// The beginning of interval k; the next one's is its end.
    std::int64_t begin(std::size_t k) {
        while (begins_.size() <= k) {
            const instant first{microseconds{begins_[0]}};
            const auto n = static_cast<int>(begins_.size());
            begins_.push_back((every_ == every_t::hour ? first + std::chrono::hours{n} : start_of_next(unit(), first, zone_, n, weeks_)).time_since_epoch().count());
        }
        return begins_[k];
    }
    /// The interval that holds `t`, -1 before the first.
    int index(std::int64_t t) {
        if (t < begins_[0]) return -1;
        while (begins_.back() <= t && begins_.size() < most_intervals) begin(begins_.size());
        return static_cast<int>(std::upper_bound(begins_.begin(), begins_.end(), t) - begins_.begin()) - 1;
    }

private:
    [[nodiscard]] calendar_unit unit() const { return every_ == every_t::day ? calendar_unit::day : every_ == every_t::week ? calendar_unit::week : calendar_unit::month; }
    every_t every_;
    const time_zone& zone_;
    week_start weeks_;
    std::vector<std::int64_t> begins_;
};

struct cell {
    std::int64_t active = 0, matured = 0, active_matured = 0, events = 0;
    exact_sum sum;
};
struct row {
    std::int64_t size = 0, again = 0;
    std::vector<cell> cells;
};

class retaining {
public:
    retaining(const history& h, const retention_question& q, const retention_options& o, funnel_source& source)
        : h_{h}, q_{q}, o_{o}, source_{source}, end_{end_of_known(h, q.to).time_since_epoch().count()}, from_{first_instant()}, calendar_{q.every, from_, o.context} {
        const auto last = end_ == beginning_of_time.time_since_epoch().count() ? 0 : std::max(calendar_.index(end_ - 1), 0);
        cohorts_ = q.cohorts.value_or(q.intervals.value_or(last + 1));
        intervals_ = q.intervals.value_or(q.returns == returns_t::bracket ? 0 : q.triangular ? std::max(cohorts_, last + 1) : last + 1);
        if (q.returns == returns_t::bracket) {
            int all = 1;
            for (const int b : q.brackets) all += b;
            if (!q.intervals) intervals_ = q.triangular ? std::max(all, cohorts_) : all;
        }
        if (cohorts_ < 1 || intervals_ < 1 || cohorts_ >= most_intervals || intervals_ >= most_intervals || std::int64_t{cohorts_} * intervals_ > most_cells)
            throw error{"retention.rule", "intervals", "cohorts and intervals make a table of at most 4,000,000 cells, and fewer than 20,000 of each; here are " + std::to_string(cohorts_) + " and " + std::to_string(intervals_) + " or more: choose a longer `every`, or a shorter span"};
        if (!h.span() && !q.from) cohorts_ = 0;                         // of nothing there are no rows
        columns();
    }

    retention_report run(bool plainly) {
        rows_[{}].resize(static_cast<std::size_t>(cohorts_));
        if (!plainly && by_bits()) return report();
        source_.each([&](const funnel_unit&, const funnel_hits& hits) { contact(hits); });
        return report();
    }

private:
    [[nodiscard]] bool counts_events() const { return q_.count || !q_.sum.empty(); }

    /// Whether the table could be made from which intervals each contact was active in.
    bool by_bits() {
        if (q_.rolling || q_.min_occurrences != 1 || counts_events() || q_.start_rule == start_rule_t::every_period || q_.from || q_.to || !q_.by.empty() || !q_.audience.empty() || end_ <= from_.time_since_epoch().count()) return false;
        std::vector<std::int64_t> bounds;
        const auto last = static_cast<std::size_t>(calendar_.index(end_ - 1));
        if (last > 62) return false;
        for (std::size_t k = 0; k <= last + 1; ++k) bounds.push_back(calendar_.begin(k));
        if (q_.returns != returns_t::on) return false;
        const auto counted = count_retention(h_.data(), source_.plan(), bounds);
        if (!counted) return false;
        for (std::size_t i = 0; i < counted->size.size() && i < static_cast<std::size_t>(cohorts_); ++i) {
            auto& r = rows_[{}][i];
            if (counted->size[i] == 0) continue;
            r.size = counted->size[i];
            r.again = counted->again[i];
            r.cells.resize(columns_of(static_cast<int>(i)));
            for (std::size_t c = 0; c < r.cells.size(); ++c) {
                auto& x = r.cells[c];
                x.active = c == 0 ? r.size : c < counted->active[i].size() ? counted->active[i][c] : 0;
                if (c != 0 && calendar_.begin(i + c + 1) > end_) continue;
                x.matured = r.size;
                x.active_matured = x.active;
            }
        }
        return true;
    }

    /// Intervals [first, last] of one column.
    struct column_span {
        int first, last;
    };
    void columns() {
        if (q_.returns != returns_t::bracket) {
            for (int j = 0; j < intervals_; ++j) columns_.push_back({j, j});
            return;
        }
        columns_.push_back({0, 0});
        int next = 1;
        for (const int b : q_.brackets) {
            columns_.push_back({next, next + b - 1});
            next += b;
        }
    }
    [[nodiscard]] std::size_t columns_of(int cohort) const {
        if (!q_.triangular) return columns_.size();
        std::size_t n = 0;
        while (n < columns_.size() && columns_[n].first + cohort < intervals_) ++n;
        return n;
    }
    [[nodiscard]] instant first_instant() const {
        if (q_.from) return *q_.from;
        instant first = end_of_time;
        for (const auto slot : source_.plan().streams) {
            const auto& tests = source_.plan().tests[slot];
            const bool starts = std::any_of(tests.begin(), tests.end(), [](const hit_test& t) { return (t.step_bit & 1U) != 0; });
            if (const auto span = h_.span(source_.plan().program->streams[slot]); starts && span) first = std::min(first, span->first);
        }
        if (first != end_of_time) return first;
        const auto all = h_.span();                                     // nobody ever started: rows of none, where the history is
        return all ? all->first : instant{};
    }

    void contact(const funnel_hits& hits) {
        const std::int64_t from = q_.from ? from_.time_since_epoch().count() : std::numeric_limits<std::int64_t>::min();
        keys_.clear();
        bool keyed = false;
        int last_cohort = -1;
        for (std::size_t k = 0; k < hits.size(); ++k) {
            if ((hits[k].steps & 1U) == 0) continue;
            if (hits[k].at < from) {
                if (q_.start_rule == start_rule_t::first_time) return;
                continue;
            }
            const int cohort = calendar_.index(hits[k].at);
            if (!keyed) key_of(hits[k]);
            keyed = true;
            if (cohort != last_cohort && cohort < cohorts_) join(cohort, hits, k);
            last_cohort = cohort;
            if (q_.start_rule != start_rule_t::every_period) return;
        }
    }
    void key_of(const funnel_hit& h) {
        keys_.push_back({});
        if (q_.by.empty()) return;
        cell_key key;
        for (const auto& v : source_.read(source_.plan().by, h)) key.push_back(v.is_missing() ? "(missing)" : to_text(v, source_.pool()));
        keys_.push_back(std::move(key));
    }

    [[nodiscard]] std::int64_t own_begin(std::int64_t start, int j) const {
        constexpr std::int64_t hour = 3'600'000'000;
        switch (q_.every) {
            case every_t::hour: return start + j * hour;
            case every_t::day: return start + j * 24 * hour;
            case every_t::week: return start + j * 168 * hour;
            case every_t::month: break;
        }
        return journeyman::add(instant{microseconds{start}}, length{j, microseconds{0}}, *o_.context.zone).time_since_epoch().count();
    }
    int own_index(std::int64_t start, std::int64_t t, int& hint) const {
        while (own_begin(start, hint + 1) <= t && hint < most_intervals) ++hint;
        return hint;
    }

    void join(int cohort, const funnel_hits& hits, std::size_t start) {
        const std::int64_t since = hits[start].at;
        const std::size_t columns = columns_of(cohort);
        if (columns == 0) return;
        const int last = q_.triangular ? std::min(columns_[columns - 1].last, intervals_ - 1 - cohort) : columns_[columns - 1].last;
        counts_.assign(static_cast<std::size_t>(last) + 1, 0);
        sums_.clear();
        bool again = false;
        int hint = 0;
        for (std::size_t k = start; k < hits.size(); ++k) {
            if ((hits[k].steps & 2U) == 0) continue;
            again = again || k > start;
            const int j = q_.rolling ? own_index(since, hits[k].at, hint) : calendar_.index(hits[k].at) - cohort;
            if (j > last) break;
            ++counts_[static_cast<std::size_t>(j)];
            if (!source_.plan().held.empty()) sums_.emplace_back(j, source_.read(source_.plan().held, hits[k])[0]);
        }
        for (std::size_t k = start + 1; k < hits.size() && !again; ++k) again = (hits[k].steps & 2U) != 0;
        for (const auto& key : keys_) {
            auto& all = rows_[key];
            all.resize(static_cast<std::size_t>(cohorts_));
            auto& r = all[static_cast<std::size_t>(cohort)];
            r.cells.resize(columns);
            ++r.size;
            r.again += again;
            for (std::size_t c = 0; c < columns; ++c) fill(r.cells[c], c, cohort, since, last);
        }
    }
    void fill(cell& to, std::size_t c, int cohort, std::int64_t since, int last) {
        const auto [first, until] = columns_[c];
        bool active = c == 0;
        for (int j = first; j <= (q_.returns == returns_t::on_or_after ? last : std::min(until, last)); ++j) active = active || counts_[static_cast<std::size_t>(j)] >= q_.min_occurrences;
        const std::int64_t over = q_.rolling ? own_begin(since, until + 1) : calendar_.begin(static_cast<std::size_t>(cohort + until + 1));
        const bool matured = c == 0 || over <= end_;
        to.active += active;
        to.matured += matured;
        to.active_matured += active && matured;
        for (int j = first; j <= std::min(until, last); ++j) to.events += counts_[static_cast<std::size_t>(j)];
        for (const auto& [j, v] : sums_)
            if (j >= first && j <= until && is_number(v.type)) to.sum.add(v.as_decimal());
    }

    retention_report report() {
        retention_report out;
        for (auto* t : {&out.rows, &out.again}) {
            for (const auto& [name, e] : q_.by) t->add_column(name, value_type::text);
            t->add_column("cohort", value_type::instant);
        }
        for (const auto* name : {"interval", "last_interval", "size", "contacts", "matured"}) out.rows.add_column(name, value_type::integer);
        for (const auto* name : {"share", "low", "high"}) out.rows.add_column(name, value_type::decimal);
        if (counts_events()) out.rows.add_column("events", value_type::integer);
        if (!q_.sum.empty()) out.rows.add_column("sum", value_type::decimal);
        for (const auto* name : {"size", "again"}) out.again.add_column(name, value_type::integer);
        for (const auto* name : {"share", "low", "high"}) out.again.add_column(name, value_type::decimal);
        for (auto& [key, rows] : rows_) {
            row all;
            for (const auto& r : rows) {
                all.size += r.size;
                all.again += r.again;
            }
            again(out.again, key, std::nullopt, all);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                auto& r = rows[i];
                again(out.again, key, calendar_.begin(i), r);
                r.cells.resize(columns_of(static_cast<int>(i)));
                for (std::size_t c = 0; c < r.cells.size(); ++c) {
                    auto& t = out.rows;
                    const auto& x = r.cells[c];
                    std::size_t n = push_key(t, key);
                    t[n++].push_integer(calendar_.begin(i));
                    t[n++].push_integer(columns_[c].first);
                    t[n++].push_integer(columns_[c].last);
                    t[n++].push_integer(r.size);
                    t[n++].push_integer(x.active);
                    t[n++].push_integer(x.matured);
                    share(t, n, x.active_matured, x.matured);
                    if (counts_events()) t[n++].push_integer(x.events);
                    if (!q_.sum.empty()) t[n++].push_decimal(x.sum.value());
                }
            }
        }
        return out;
    }
    void again(table& t, const cell_key& key, std::optional<std::int64_t> cohort, const row& r) const {
        std::size_t n = push_key(t, key);
        if (cohort) t[n++].push_integer(*cohort);
        else t[n++].push_missing();
        t[n++].push_integer(r.size);
        t[n++].push_integer(r.again);
        share(t, n, r.again, r.size);
    }
    [[nodiscard]] std::size_t push_key(table& t, const cell_key& key) const {
        for (std::size_t k = 0; k < q_.by.size(); ++k) {
            if (key.empty()) t[k].push_missing();
            else t[k].push_text(key[k]);
        }
        return q_.by.size();
    }
    void share(table& t, std::size_t& n, std::int64_t part, std::int64_t whole) const {
        if (whole == 0) {
            for (int k = 0; k < 3; ++k) t[n++].push_missing();
            return;
        }
        const auto bounds = wilson(static_cast<double>(part), static_cast<double>(whole), o_.level);
        t[n++].push_decimal(static_cast<double>(part) / static_cast<double>(whole));
        t[n++].push_decimal(bounds.low);
        t[n++].push_decimal(bounds.high);
    }

    const history& h_;
    const retention_question& q_;
    const retention_options& o_;
    funnel_source& source_;
    std::int64_t end_;
    instant from_;
    calendar calendar_;
    int cohorts_ = 0, intervals_ = 0;
    std::vector<column_span> columns_;
    std::map<cell_key, std::vector<row>> rows_;
    std::vector<cell_key> keys_;
    std::vector<std::int64_t> counts_;
    std::vector<std::pair<int, value>> sums_;
};

void check(const retention_question& q, const retention_options& o) {
    const auto wrong = [](const char* rule, const std::string& message) { throw error{"retention.rule", rule, message}; };
    if (!(o.level > 0 && o.level < 1)) wrong("level", "the level of intervals lies between 0 and 1, such as 0.95");
    if ((q.returns == returns_t::bracket) == q.brackets.empty()) wrong("brackets", "`brackets` and returns=bracket go together: sizes in intervals, such as [1, 2, 4]");
    for (const int b : q.brackets) if (b < 1 || b > most_intervals) wrong("brackets", "a bracket is 1 to 20,000 intervals long");
    if (q.min_occurrences < 1) wrong("min_occurrences", "`min_occurrences` is 1 or more");
    if (q.from && q.to && *q.to < *q.from) wrong("to", "the period ends before it begins");
    if (q.cohorts && *q.cohorts < 1) wrong("cohorts", "`cohorts` is 1 or more");
    if (q.intervals && *q.intervals < 1) wrong("intervals", "`intervals` is 1 or more");
}

}  // namespace
}  // namespace detail

namespace {

retention_report measure(const history& h, const retention_question& q, const retention_options& o, bool plainly) {
    detail::check(q, o);
    event_funnel f{{{"start", q.start}, {"returning", q.returning.value_or(q.start)}}, {}, {}};
    f.rules.to = q.to;
    f.rules.where = q.where;
    f.rules.audience = q.audience;
    f.rules.by = q.by;
    if (!q.sum.empty()) f.rules.held = {q.sum};
    const auto plan = [&] {
        try {
            return detail::plan_funnel(f, h, o.context, o.known);
        } catch (const error& e) {
            throw error{e.code(), e.place() == "held" ? "sum" : e.place(), e.message()};
        }
    };
    detail::funnel_source source{h, f, plan()};
    return detail::retaining{h, q, o, source}.run(plainly);
}

}  // namespace

retention_report measure_retention(const history& h, const retention_question& q, const retention_options& o) { return measure(h, q, o, false); }
retention_report measure_retention_plainly(const history& h, const retention_question& q, const retention_options& o) { return measure(h, q, o, true); }

}  // namespace journeyman
