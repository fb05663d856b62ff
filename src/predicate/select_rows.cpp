// What passes read: the rows of each contact within a window, and what is folded over them.

#include <algorithm>
#include <bit>

#include "journeyman/core/exact_sum.hpp"
#include "predicate/select_passes.hpp"

namespace journeyman::detail {

namespace {

constexpr std::uint32_t ahead = 12;                      // contacts, to ask memory for their rows in time
__extension__ typedef __int128 wide;

}  // namespace

/// The first or last row's time or property.
void pass_runner::edges(const pass_term& t, picked who, const std::uint32_t* lo, const std::uint32_t* hi, bool first, bool of_time, std::int64_t* out, std::uint8_t* there) const {
    const auto& rows = t.rows.stream->rows;
    if (rows.rows() == 0) {
        for (const auto i : who) there[i] = 0;
        return;
    }
    const std::int64_t* at = rows.at.data();
    // Of a contact without rows any row is read, and not used: cheaper than a branch that is guessed wrong.
    const auto row = [&](std::uint32_t i) { return first ? std::min(lo[i], static_cast<std::uint32_t>(rows.rows() - 1)) : hi[i] - (hi[i] > 0); };
    if (of_time) {
        for (const auto i : who) {
            out[i] = at[row(i)];
            there[i] = lo[i] < hi[i];
        }
        return;
    }
    const bool texts = t.property->type() == value_type::text;
    const std::uint32_t* codes = t.property->codes().data();
    for (std::uint32_t k = 0; k < who.count; ++k) {
        const std::uint32_t i = who.place[k];
        if (texts) {
            if (k + ahead < who.count) __builtin_prefetch(codes + row(who.place[k + ahead]));
            out[i] = codes[row(i)];
            there[i] = static_cast<std::uint8_t>(lo[i] < hi[i]) & static_cast<std::uint8_t>(t.property->present(row(i)));
        } else {
            const value x = t.property->at(row(i));
            out[i] = x.i;                                // of a decimal: its bits
            there[i] = lo[i] < hi[i] && !x.is_missing();
        }
    }
}

void pass_runner::counts(const pass_term& t, picked who, std::uint32_t* out) {
    const auto& rows = t.rows.stream->rows;
    if (rows.rows() == 0) {
        for (const auto i : who) out[i] = 0;
        return;
    }
    lent<std::uint32_t> lo{numbers_}, hi{numbers_};
    ranges(t.rows, who, lo.data(), hi.data());
    for (const auto i : who) out[i] = hi[i] - lo[i];
    if (t.rows.where.empty() && !t.without) return;
    const bool any = t.aggregate != aggregate::count;
    for (const auto i : who) {
        if (lo[i] == hi[i]) continue;
        std::uint32_t found = 0;
        for (std::uint32_t r = lo[i]; r < hi[i]; ++r) {
            if (!passes(t.rows, r) || (t.without && crossed(*t.without, first_ + i, r, *t.rows.stream))) continue;
            ++found;
            if (any) break;
        }
        out[i] = found;
    }
}

/// Also without a key: such an event does not count.
bool pass_runner::crossed(const crossing& x, std::uint32_t contact, std::uint32_t row, const event_stream& of) const {
    if (!x.key->present(row)) return true;
    const auto& rows = x.other.stream->rows;
    const auto [begin, end] = rows.range(contact);
    const std::int64_t at = of.rows.at[row];
    std::int64_t deadline = 0;
    if (__builtin_add_overflow(at, x.within, &deadline)) deadline = std::numeric_limits<std::int64_t>::max();
    deadline = std::min(deadline, t_);
    if (begin == end || deadline < at) return false;
    const bool texts = x.key->type() == value_type::text;
    // By buckets, which stand close together; what they leave over is looked at.
    const std::uint16_t* bucket = x.other.times->bucket.data();
    const std::uint16_t low = x.other.times->bucket_of(at), high = x.other.times->bucket_of(deadline);
    for (std::uint32_t block = begin; block < end; block += 64) {
        for (std::uint64_t close = kernels_.few_16(bucket + block, std::min(end - block, 64U), low, high); close != 0; close &= close - 1) {
            const std::uint32_t k = block + static_cast<std::uint32_t>(std::countr_zero(close));
            if (rows.at[k] > deadline || rows.at[k] < at || (rows.at[k] == at && rows.order[k] <= of.rows.order[row])) continue;
            const bool same = texts ? x.other_key->codes()[k] == x.key->codes()[row] : x.other_key->integers()[k] == x.key->integers()[row];
            if (same && x.other_key->present(k) && passes(x.other, k)) return true;
        }
    }
    return false;
}

/// Sums of integers over short spans: a running sum over all rows of the chunk. False when it has no such form.
bool pass_runner::running_sums(const pass_term& t, picked who, std::int64_t* out) {
    const column& c = *t.property;
    const auto& rows = t.rows.stream->rows;
    if (c.type() == value_type::decimal || !c.all_present() || !t.rows.where.empty() || rows.rows() == 0 || t.rows.from >= t.rows.until) return false;
    lent<std::uint32_t> scratch{numbers_};
    const std::uint32_t* begin = begins(*t.rows.stream, scratch.data());
    const std::uint32_t n = begin[count_] - begin[0];
    if (n > 6 * who.count) return false;
    const std::int64_t* at = rows.at.data() + begin[0];
    const std::int64_t* x = c.integers().data() + begin[0];
    const auto from = static_cast<std::uint64_t>(t.rows.from), width = static_cast<std::uint64_t>(t.rows.until) - from;
    pairs_.resize(std::max<std::size_t>(pairs_.size(), n + std::size_t{1}));
    std::uint64_t* running = pairs_.data();
    std::uint64_t so_far = 0, magnitude = 0;
    for (std::uint32_t r = 0; r < n; ++r) {
        running[r] = so_far;
        magnitude |= static_cast<std::uint64_t>(x[r] ^ (x[r] >> 63));
        so_far += static_cast<std::uint64_t>(x[r]) & (0 - static_cast<std::uint64_t>(static_cast<std::uint64_t>(at[r]) - from < width));
    }
    running[n] = so_far;
    if (std::bit_width(magnitude) + std::bit_width(n) > 62) return false;   // a contact's sum might not fit
    running -= begin[0];
    each(who, [&](std::uint32_t i) { out[i] = static_cast<std::int64_t>(running[begin[i + 1]] - running[begin[i]]); });
    return true;
}

void pass_runner::sums(const pass_term& t, picked who, const std::uint32_t* lo, const std::uint32_t* hi, std::int64_t* out, std::uint8_t* there) {
    const column& c = *t.property;
    const bool whole = c.all_present() && t.rows.where.empty();
    const auto counts_here = [&](std::uint32_t r) { return whole || (c.present(r) && passes(t.rows, r)); };
    for (const auto i : who) there[i] = 1;
    if (c.type() == value_type::decimal) {
        exact_sum sum;
        for (const auto i : who) {
            sum.clear();
            for (std::uint32_t r = lo[i]; r < hi[i]; ++r) if (counts_here(r)) sum.add(c.decimals()[r]);
            out[i] = std::bit_cast<std::int64_t>(sum.value());
        }
        return;
    }
    const std::int64_t* x = c.integers().data();
    for (const auto i : who) {
        std::int64_t sum = 0;
        bool over = false;
        for (std::uint32_t r = lo[i]; r < hi[i]; ++r) if (counts_here(r)) over |= __builtin_add_overflow(sum, x[r], &sum);
        out[i] = sum;
        if (!over) continue;
        wide all = 0;
        for (std::uint32_t r = lo[i]; r < hi[i]; ++r) if (counts_here(r)) all += x[r];
        out[i] = static_cast<std::int64_t>(all);
        if (all > INT64_MAX || all < INT64_MIN) odd_.emplace_back(i, value::of(static_cast<double>(all) / (c.type() == value_type::money ? minor_units : 1)));
    }
}

void pass_runner::distincts(const pass_term& t, picked who, const std::uint32_t* lo, const std::uint32_t* hi, std::int64_t* out) {
    const column& c = *t.property;
    if (t.narrow != nullptr && t.narrow->texts.size() <= 64 && t.rows.where.empty()) return kernels_.distinct_spans(t.narrow->code.data(), lo, hi, who.place, who.count, out);
    const std::uint32_t* codes = c.codes().data();
    if (seen_by_.size() < p_->pool->size()) seen_by_.resize(p_->pool->size(), 0);
    const bool whole = c.all_present() && t.rows.where.empty();
    std::uint32_t* seen_by = seen_by_.data();
    for (const auto i : who) {
        const std::uint32_t me = ++stamp_;
        std::int64_t n = 0;
        for (std::uint32_t r = lo[i]; r < hi[i]; ++r) {
            if (!whole && (!c.present(r) || !passes(t.rows, r))) continue;
            n += seen_by[codes[r]] != me;
            seen_by[codes[r]] = me;
        }
        out[i] = n;
    }
}

// ---- rows

const std::uint32_t* pass_runner::begins(const event_stream& s, std::uint32_t* scratch) const {
    const auto& rows = s.rows;
    if (!rows.dense.empty()) return rows.dense.data() + first_;
    const auto end = static_cast<std::size_t>(std::lower_bound(rows.owners.begin(), rows.owners.end(), first_ + count_) - rows.owners.begin());
    auto k = static_cast<std::size_t>(std::lower_bound(rows.owners.begin(), rows.owners.begin() + static_cast<std::ptrdiff_t>(end), first_) - rows.owners.begin());
    if (rows.owners.empty()) {
        std::fill_n(scratch, count_ + 1, 0U);
        return scratch;
    }
    std::uint32_t i = 0;
    for (; k < end; ++k) {
        for (const std::uint32_t place = rows.owners[k] - first_; i <= place; ++i) scratch[i] = rows.begins[k];
    }
    for (; i <= count_; ++i) scratch[i] = rows.begins[end];
    return scratch;
}

void pass_runner::ranges(const row_choice& c, picked who, std::uint32_t* lo, std::uint32_t* hi) {
    lent<std::uint32_t> scratch{numbers_};
    const std::uint32_t* begin = begins(*c.stream, scratch.data());
    if (c.from >= c.until || c.stream->rows.rows() == 0) {
        for (const auto i : who) lo[i] = hi[i] = begin[i];
        return;
    }
    const rows_here rows{begin, begin[0], begin[count_] - begin[0]};
    if (dense(c, rows, who.count)) {
        bits asked;
        asked.word.fill(0);
        for (const auto i : who) asked.word[i / 64] |= std::uint64_t{1} << (i % 64);
        return spans(c, rows, asked, 1, lo, hi);
    }
    const std::uint16_t* bucket = c.times->bucket.data();
    for (std::uint32_t k = 0; k < who.count; ++k) {
        const std::uint32_t i = who.place[k];
        if (k + ahead < who.count) {
            const std::uint32_t soon = begin[who.place[k + ahead] + 1];
            __builtin_prefetch(bucket + soon - (soon > 0));
        }
        hi[i] = c.until > c.times->last ? begin[i + 1] : end_before(c, begin[i], begin[i + 1], c.until);
        lo[i] = c.from <= c.times->first ? begin[i] : end_before(c, begin[i], hi[i], c.from);
    }
}

}  // namespace journeyman::detail
