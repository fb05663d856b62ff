#include "kpi/funnel_count.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace journeyman::detail {
namespace {

struct counted_step {
    const event_stream* stream;
    const std::vector<row_test>* where;
    std::size_t cursor = 0;
};

/// The steps as rows of one stream each; nothing where one has another form.
std::optional<std::vector<counted_step>> steps_of(const history_data& h, const event_funnel& f, const funnel_source& source) {
    const auto& r = f.rules;
    const bool default_rules = r.order == funnel_rules::order_t::ordered && r.window_from == funnel_rules::window_from_t::start && !r.event_gap && r.adjacency == funnel_rules::adjacency_t::none &&
                               r.anchor != funnel_rules::anchor_t::first && !r.strict_increase && r.repeats == funnel_rules::repeats_t::allowed && r.exclusions.empty() && r.optional_steps.empty() &&
                               r.held.empty() && !r.from && !r.to && r.audience.empty() && r.by.empty() && r.censoring == funnel_rules::censoring_t::counted_as_drop;
    const bool by_contact = source.plan().by_contact && source.plan().unit.empty() && !source.plan().entries;
    if (!default_rules || !by_contact || (f.within && !f.within->is_fixed())) return {};
    std::vector<counted_step> out(f.steps.size(), {nullptr, nullptr, 0});
    bool shared = false;
    for (const auto slot : source.plan().streams) {
        static const event_stream nothing{};
        const auto* stream = h.stream(source.plan().program->streams[slot]);
        const auto& tests = source.plan().tests[slot];
        shared = shared || tests.size() > 1;
        for (const auto& t : tests) {
            auto& step = out[static_cast<std::size_t>(std::countr_zero(t.step_bit))];
            if (step.stream != nullptr || (t.where != none && (stream == nullptr || !t.rows))) return {};
            static const std::vector<row_test> no_tests;
            step = {stream == nullptr ? &nothing : stream, t.rows ? &t.rows->where : &no_tests, 0};
        }
    }
    if (shared && (r.one_event_many_steps || r.tie_rule == funnel_rules::tie_t::step_order)) return {};   // one event may be two steps, or the order within an instant is not that of arrival
    for (const auto& s : out) if (s.stream == nullptr) return {};
    return out;
}

/// An event that a chain has reached, and the latest start of such a chain. Later events have later starts.
struct link {
    std::int64_t at, start;
    std::uint32_t row;
};

class counting {
public:
    counting(const program& p, const event_funnel& f, std::vector<counted_step> steps, instant end) : p_{p}, steps_{std::move(steps)}, by_step_{f.rules.tie_rule == funnel_rules::tie_t::step_order}, end_{end.time_since_epoch().count()} {
        width_ = !f.within ? -1 : f.within->fixed.count() - !f.rules.window_end_inclusive;
        none_after_start_ = f.within && width_ < 0;
        out_.units.resize(steps_.size());
    }

    funnel_counts run() {
        const auto& first = steps_[0].stream->rows;
        if (first.rows() == 0) return std::move(out_);
        if (!steps_[0].where->empty() || steps_.size() == 1 || none_after_start_ || first.dense.empty() || steps_[1].stream->rows.dense.empty()) {
            if (first.dense.empty()) {
                for (std::size_t k = 0; k < first.owners.size(); ++k) contact(first.owners[k], first.begins[k], first.begins[k + 1]);
            } else {
                const std::uint32_t* begin = first.dense.data();
                for (std::uint32_t c = 0; c + 1 < first.dense.size(); ++c) if (begin[c] < begin[c + 1]) contact(c, begin[c], begin[c + 1]);
            }
        } else {
            by_chunks();
        }
        for (std::size_t s = out_.units.size(); s-- > 1;) out_.units[s - 1] += out_.units[s];
        return std::move(out_);
    }

private:
    [[nodiscard]] bool passes(const counted_step& s, std::uint32_t row) const {
        for (const auto& t : *s.where) if (!t.yes(p_, row)) return false;
        return true;
    }
    [[nodiscard]] bool too_late(std::int64_t at, std::int64_t start) const { return width_ >= 0 && at - start > width_; }

    /// Who may come further than the first step is found without a branch for each contact; only those are followed.
    void by_chunks() {
        constexpr std::uint32_t chunk = 2048;
        const auto &a = steps_[0].stream->rows, &b = steps_[1].stream->rows;
        const std::uint32_t *begin = a.dense.data(), *next = b.dense.data();
        const std::int64_t *at = a.at.data(), *then = b.at.data();
        const auto contacts = static_cast<std::uint32_t>(a.dense.size() - 1);
        const auto last = static_cast<std::uint32_t>(a.rows() - 1);
        const std::int64_t open_from = width_ < 0 ? std::numeric_limits<std::int64_t>::min() : end_ - width_;
        std::vector<std::uint32_t> some(chunk);
        std::int64_t entered = 0, open = 0;
        for (std::uint32_t from = 0; from < contacts; from += chunk) {
            const std::uint32_t to = std::min(from + chunk, contacts);
            std::uint32_t n = 0;
            for (std::uint32_t c = from; c < to; ++c) {
                const bool in = begin[c] < begin[c + 1];
                entered += in;
                open += in & static_cast<bool>((at[begin[c + 1] - (begin[c + 1] > 0)] >= open_from) | (width_ < 0));   // of a contact without rows any row is read, and not used
                some[n] = c;
                // The last event of the second step does not come before the first of the first.
                n += in & (next[c] < next[c + 1]) & (then[next[c + 1] - (next[c + 1] > 0)] >= at[std::min(begin[c], last)]);
            }
            for (std::uint32_t k = 0; k < n; ++k) contact(some[k], begin[some[k]], begin[some[k] + 1]);
            followed_ += n;
        }
        // Those who were not followed stay at the first step.
        out_.units[0] += entered - followed_;
        out_.immature = open - complete_open_;
    }

    void contact(std::uint32_t c, std::uint32_t begin, std::uint32_t end) {
        const auto& step = steps_[0];
        const std::int64_t* at = step.stream->rows.at.data();
        if (links_.size() < end - begin) links_.resize(end - begin);
        link* links = links_.data();
        std::uint32_t n = 0;
        if (step.where->empty()) for (auto r = begin; r < end; ++r) links[n++] = {at[r], at[r], r};
        else for (auto r = begin; r < end; ++r) if (passes(step, r)) links[n++] = {at[r], at[r], r};
        if (n == 0) return;
        const bool open = (width_ < 0 && !none_after_start_) || links_[n - 1].start >= end_ - std::max<std::int64_t>(width_, -1);
        std::size_t level = 1;
        if (!none_after_start_)
            for (; level < steps_.size() && n != 0; ++level) {
                n = follow(steps_[level], steps_[level - 1].stream->rows.order.data(), c, n, level + 1 == steps_.size());
                if (n == 0) break;
            }
        ++out_.units[level - 1];
        if (level < steps_.size()) out_.immature += open;
        else complete_open_ += open;
    }

    /// The events of a step that chains reach, in place of those of the step before.
    std::uint32_t follow(counted_step& step, const std::uint32_t* order_before, std::uint32_t c, std::uint32_t n, bool one_is_enough) {
        const auto& rows = step.stream->rows;
        const auto [begin, end] = rows.range(c, step.cursor);
        if (begin == end) return 0;
        const std::int64_t* at = rows.at.data();
        const std::uint32_t* order = rows.order.data();
        if (at[end - 1] < links_[0].at) return 0;
        auto r = begin;
        while (at[r] < links_[0].at) ++r;
        if (next_.size() < end - r) next_.resize(end - r);
        const link* links = links_.data();
        link* next = next_.data();
        const bool all_pass = step.where->empty();
        std::uint32_t p = 0, m = 0;
        for (; r < end; ++r) {
            const std::int64_t t = at[r];
            while (p < n && (links[p].at < t || (links[p].at == t && (by_step_ || order_before[links[p].row] < order[r])))) ++p;
            if (p == 0 || too_late(t, links[p - 1].start) || (!all_pass && !passes(step, r))) continue;
            next[m++] = {t, links[p - 1].start, r};
            if (one_is_enough) break;
        }
        links_.swap(next_);
        return m;
    }

    const program& p_;
    std::vector<counted_step> steps_;
    bool by_step_, none_after_start_ = false;
    std::int64_t end_, width_ = -1;
    std::int64_t followed_ = 0, complete_open_ = 0;
    std::vector<link> links_, next_;
    funnel_counts out_;
};

}  // namespace

std::optional<funnel_counts> count_funnel(const history_data& h, const event_funnel& f, const funnel_source& source, instant end) {
    auto steps = steps_of(h, f, source);
    if (!steps) return {};
    return counting{*source.plan().program, f, std::move(*steps), end}.run();
}

}  // namespace journeyman::detail
