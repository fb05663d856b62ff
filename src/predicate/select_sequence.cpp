// Sequences: from the last step backwards. Of the events of a step, only those are looked at from which the rest can still be done in time.

#include <algorithm>
#include <bit>

#include "predicate/select_passes.hpp"

namespace journeyman::detail {

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

/// f(row) for each row of [begin, end) that the mask (null: every row) has, up or down, until one returns true; whether one did.
template <class F>
bool any_row(const std::uint64_t* mask, std::uint32_t first, std::uint32_t begin, std::uint32_t end, F f) {
    if (mask == nullptr) {
        for (std::uint32_t r = begin; r < end; ++r) if (f(r)) return true;
        return false;
    }
    if (begin == end) return false;
    const std::uint32_t low = begin - first, high = end - first;
    for (std::uint32_t w = low / 64; w <= (high - 1) / 64; ++w) {
        std::uint64_t word = mask[w];
        if (w == low / 64) word &= ~std::uint64_t{0} << (low % 64);
        if (w == high / 64) word &= (std::uint64_t{1} << (high % 64)) - 1;
        for (; word != 0; word &= word - 1) if (f(first + w * 64 + static_cast<std::uint32_t>(std::countr_zero(word)))) return true;
    }
    return false;
}

}  // namespace

void pass_runner::sequence(const clause& c, const bits& who, answer& out) {
    const std::size_t n = c.steps.size();
    bits open = who, present;
    out.unknown.word.fill(0);
    std::fill_n(out.yes.word.begin(), words_, 0);
    steps_.assign(n, {});
    if (step_begins_.size() < n) {
        step_begins_.resize(n);
        step_masks_.resize(n);
        step_buckets_.resize(n);
        passing_begins_.resize(n);
    }
    std::vector<std::size_t> by_size(n);
    for (std::size_t k = 0; k < n; ++k) by_size[k] = k;
    std::stable_sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) { return c.steps[a].stream->rows.rows() < c.steps[b].stream->rows.rows(); });
    std::uint32_t left = count(open);
    const auto keep = [&] {
        for (std::size_t w = 0; w < words_; ++w) open.word[w] &= present.word[w];
        left = count(open);
    };
    for (const auto k : by_size) {                       // who lacks a step is out
        step_begins_[k].resize(chunk + 1);
        steps_[k].rows = rows_of(*c.steps[k].stream, step_begins_[k].data());
        const std::uint32_t* begin = steps_[k].rows.begin;
        lent<std::uint8_t> some{bytes_};
        std::uint8_t* to = some.data();
        const std::uint32_t all = count_;                // a byte might be any, a local number is not
        for (std::uint32_t i = 0; i < all; ++i) to[i] = begin[i] < begin[i + 1];
        kernels_.between_8(some.data(), count_, 1, 1, present.word.data());
        keep();
    }
    for (const auto k : by_size) {                       // also who lacks one that passes the tests
        const rows_here rows = steps_[k].rows;
        if (c.steps[k].where.empty() || !dense(c.steps[k], rows, left)) continue;
        auto& words = step_masks_[k];
        words.assign(rows.words() + 1, 0);
        std::fill_n(words.begin(), rows.count / 64, ~std::uint64_t{0});
        if (rows.count % 64 != 0) words[rows.count / 64] = (std::uint64_t{1} << (rows.count % 64)) - 1;
        keep_passing(c.steps[k], rows, words.data());
        steps_[k].mask = words.data();
        const std::uint16_t* place = c.steps[k].times->place.data() + rows.first;
        std::fill_n(present.word.begin(), words_, 0);
        each_bit(words.data(), rows.words(), [&](std::uint32_t r) { present.word[place[r] / 64] |= std::uint64_t{1} << (place[r] % 64); });
        keep();
    }
    // Instants by buckets decide nearly all, and are read in a row.
    bool by_buckets = n > 1;
    for (std::size_t k = 0; k < n; ++k) {
        const row_choice& step = c.steps[k];
        step_rows& s = steps_[k];
        if (step.times == nullptr || step.times->clamped() || (!step.where.empty() && s.mask == nullptr)) {
            by_buckets = false;
            break;
        }
        s.begin = s.rows.begin;
        s.bucket = step.times->bucket.data();
        if (s.mask == nullptr) continue;
        auto& buckets = step_buckets_[k];
        auto& begins = passing_begins_[k];
        buckets.resize(std::max<std::size_t>(buckets.size(), s.rows.count));
        begins.assign(count_ + std::size_t{1}, 0);
        const std::uint16_t *bucket = s.bucket + s.rows.first, *place = step.times->place.data() + s.rows.first;
        std::uint32_t m = 0;
        each_bit(s.mask, s.rows.words(), [&](std::uint32_t r) {
            buckets[m] = bucket[r];
            const std::uint32_t asked = (open.word[place[r] / 64] >> (place[r] % 64)) & 1;
            begins[place[r] + 1] += asked;
            m += asked;
        });
        for (std::uint32_t i = 0; i < count_; ++i) begins[i + 1] += begins[i];
        s.begin = begins.data();
        s.bucket = buckets.data();
    }
    each_bit(open.word.data(), words_, [&](std::uint32_t i) {
        bool yes = !by_buckets || chained_by_buckets(c, i, false);
        if (yes && (!by_buckets || !chained_by_buckets(c, i, true))) yes = chained(c, i);
        out.yes.word[i / 64] |= static_cast<std::uint64_t>(yes) << (i % 64);
    });
}

int pass_runner::first_bucket(std::size_t step, std::uint32_t place, int low, int high) const {
    if (low > high) return -1;
    const step_rows& s = steps_[step];
    for (std::uint32_t r = s.begin[place], end = s.begin[place + 1]; r < end; r += 64) {
        const std::uint64_t found = kernels_.few_16(s.bucket + r, std::min(end - r, 64U), static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(high));
        if (found != 0) return s.bucket[r + static_cast<std::uint32_t>(std::countr_zero(found))];
    }
    return -1;
}

/// An instant lies in its bucket, [from, from + width). What may be takes the side of the bucket that helps, what surely is the other.
bool pass_runner::chained_by_buckets(const clause& c, std::uint32_t place, bool surely) {
    const std::size_t last = c.steps.size() - 1;
    const int off = surely ? 1 : 0;
    const auto times = [&](std::size_t k) -> const narrow_times& { return *c.steps[k].times; };
    const auto latest_start = [&](std::int64_t done) {   // the first step may not be before it
        std::int64_t out = 0;
        return __builtin_sub_overflow(done + (surely ? times(last).width() : 0), c.within, &out) ? lowest : out;
    };
    const auto starts = [&](std::int64_t before, std::size_t next, std::int64_t done) {   // in time for what goes on so
        const narrow_times& first = times(0);
        const int high = surely ? first.bucket_of(before) - 1 : first.bucket_of(before + times(next).width() - 1);
        return first_bucket(0, place, first.bucket_of(latest_start(done)) + off, high) >= 0;
    };
    const int until = surely ? times(last).bucket_of(c.steps[last].until) - 1 : times(last).bucket_of(c.steps[last].until - 1);
    const step_rows& ends = steps_[last];
    if (last == 1) {
        for (std::uint32_t r = ends.begin[place]; r < ends.begin[place + 1] && ends.bucket[r] <= until; ++r) {
            const std::int64_t at = times(last).from(ends.bucket[r]);
            if (starts(at, last, at)) return true;
        }
        return false;
    }
    close_.clear();
    const step_rows& before_last = steps_[last - 1];
    for (std::uint32_t r = before_last.begin[place]; r < before_last.begin[place + 1]; ++r) {
        const std::int64_t at = times(last - 1).from(before_last.bucket[r]);
        const int done = first_bucket(last, place, times(last).bucket_of(at + (surely ? times(last - 1).width() : 0)) + off, until);
        if (done < 0) break;
        close_.push_back({at, times(last).from(static_cast<std::uint16_t>(done))});
    }
    for (std::size_t k = last - 1; k-- > 1 && !close_.empty();) {
        const std::int64_t mine = times(k).width(), theirs = times(k + 1).width();
        closer_.clear();
        std::size_t next = 0;
        for (std::uint32_t r = steps_[k].begin[place]; r < steps_[k].begin[place + 1]; ++r) {
            const std::int64_t at = times(k).from(steps_[k].bucket[r]);
            while (next < close_.size() && (surely ? close_[next].at < at + mine : close_[next].at + theirs <= at)) ++next;
            if (next == close_.size()) break;
            closer_.push_back({at, close_[next].done});
        }
        close_.swap(closer_);
    }
    for (const close& x : close_) if (starts(x.at, 1, x.done)) return true;
    return false;
}

bool pass_runner::chained(const clause& c, std::uint32_t place) {
    std::size_t k = c.steps.size() - 1;
    links_.clear();
    const auto unseen = [](const step_rows& s, const row_choice& step, std::uint32_t r, const pass_runner& me) { return s.mask == nullptr && !step.where.empty() && !me.passes(step, r); };
    {
        const auto& last = c.steps[k];
        const auto& rows = last.stream->rows;
        const std::uint32_t begin = steps_[k].rows.begin[place], end = steps_[k].rows.begin[place + 1];
        any_row(steps_[k].mask, steps_[k].rows.first, begin, end, [&](std::uint32_t r) {
            if (rows.at[r] >= last.until) return true;
            if (!unseen(steps_[k], last, r, *this)) links_.push_back({rows.at[r], rows.order[r], rows.at[r]});
            return false;
        });
        if (k == 0) return !links_.empty();
    }
    while (k-- > 0 && !links_.empty()) {
        // An event of this step goes on with the first of the next step after it, which of all is done the earliest.
        const auto& step = c.steps[k];
        const step_rows& here = steps_[k];
        const std::int64_t* at = step.stream->rows.at.data();
        const std::uint32_t* order = step.stream->rows.order.data();
        const auto soonest = [&](std::int64_t done) {
            std::int64_t out = 0;
            return __builtin_sub_overflow(done, c.within, &out) ? lowest : out;
        };
        std::uint32_t from = here.rows.begin[place];
        const std::uint32_t end = here.rows.begin[place + 1];
        earlier_.clear();
        if (here.mask != nullptr || end - from <= 4 * links_.size()) {   // few: each looks for what follows it
            std::size_t next = 0;
            const bool found = any_row(here.mask, here.rows.first, from, end, [&](std::uint32_t r) {
                while (next < links_.size() && (links_[next].at < at[r] || (links_[next].at == at[r] && links_[next].order <= order[r]))) ++next;
                if (next == links_.size()) return true;
                if (at[r] < soonest(links_[next].done) || unseen(here, step, r, *this)) return false;
                earlier_.push_back({at[r], order[r], links_[next].done});
                return k == 0;
            });
            if (found && k == 0) return !earlier_.empty();
        } else {                                         // many: only those that lie close enough before one that follows
            for (const link& next : links_) {
                const auto until = static_cast<std::uint32_t>(std::lower_bound(at + from, at + end, next.at) - at);
                std::uint32_t r = until;
                while (r < end && at[r] == next.at && order[r] < next.order) ++r;
                const std::uint32_t rest = r;
                const std::size_t mark = earlier_.size();
                for (const std::int64_t least = soonest(next.done); r > from && at[r - 1] >= least; --r) {
                    if (!passes(step, r - 1)) continue;
                    if (k == 0) return true;
                    earlier_.push_back({at[r - 1], order[r - 1], next.done});
                }
                std::reverse(earlier_.begin() + static_cast<std::ptrdiff_t>(mark), earlier_.end());
                from = rest;
            }
        }
        links_.swap(earlier_);
    }
    return false;
}

}  // namespace journeyman::detail
