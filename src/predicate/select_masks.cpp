// Passes over all rows of a chunk: bits that say which rows count, from narrow columns; and what contacts get from these bits.

#include <algorithm>
#include <bit>
#include <cmath>

#include "predicate/select_passes.hpp"

namespace journeyman::detail {

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t ahead = 16;                      // rows, to ask memory for what belongs to them in time

void ones(std::size_t n, std::uint64_t* out) {
    std::fill_n(out, n / 64, ~std::uint64_t{0});
    if (n % 64 != 0) out[n / 64] = (std::uint64_t{1} << (n % 64)) - 1;
}

/// The bound of a comparison of integers, instants and the like.
bool is_whole(value_type t) { return t == value_type::integer || t == value_type::money || t == value_type::instant || t == value_type::duration || t == value_type::day; }

}  // namespace

/// Whether it has such a form, and is worth it.
bool pass_runner::by_masks(const clause& c, const bits& who, answer& out) {
    const pass_term& t = c.term;
    if (c.what == clause::form::plain || t.of_attribute || t.rows.times == nullptr || t.from_now) return false;
    lent<std::uint32_t> scratch{numbers_};
    const rows_here rows = rows_of(*t.rows.stream, scratch.data());
    const std::uint32_t asked = count(who);
    if (!dense(t.rows, rows, asked)) return false;
    const bool holds = t.aggregate == aggregate::did || t.aggregate == aggregate::never;
    if (t.aggregate == aggregate::count || holds) {
        const bool by_number = c.what == clause::form::compare && c.constant.type == value_type::integer && c.constant.i >= 0 && c.constant.i <= UINT32_MAX;
        if (holds ? c.what != clause::form::holds : !by_number) return false;
        lent<std::uint32_t> n{numbers_};
        if (t.rows.where.empty() && !t.without && (t.rows.from <= t.rows.times->first || rows.count >= 8 * count_)) {
            // A number of rows below the bound compares with it as any other does.
            const std::uint32_t least = holds ? 1 : static_cast<std::uint32_t>(std::clamp<std::int64_t>(c.constant.i, 1, INT32_MAX));
            lent<std::uint32_t> begin{numbers_};
            spans(t.rows, rows, who, least, begin.data(), n.data());
            for (std::uint32_t i = 0; i < count_; ++i) n[i] -= begin[i];
        } else {
            lent<std::uint64_t> marked{masks_, rows.words() + 1};
            mask(t.rows, rows, marked.data());
            if (t.without) uncrossed(t, rows, who, marked.data());
            tally(t.rows, rows, marked.data(), n.data());
        }
        if (holds) take_counted(t.aggregate == aggregate::did ? node_kind::not_equal : node_kind::equal, 0, n.data(), who, out);
        else take_counted(c.op, static_cast<std::uint32_t>(c.constant.i), n.data(), who, out);
        return true;
    }
    if (t.aggregate == aggregate::sum) return false;     // has running sums
    if (t.aggregate == aggregate::distinct) {
        if (c.what != clause::form::compare || c.constant.type != value_type::integer || t.narrow == nullptr || t.narrow->texts.size() > 64) return false;
        lent<std::int64_t> n{integers_};
        distinct_by_masks(c, rows, who, n.data());
        take_compared(c.op, c.constant.i, n.data(), nullptr, who, out);
        return true;
    }
    const bool first = t.aggregate == aggregate::first || t.aggregate == aggregate::first_time;
    if (t.aggregate == aggregate::first_time || t.aggregate == aggregate::last_time) {
        if (c.what != clause::form::compare || c.constant.type != value_type::instant) return false;
        edge_times(c, rows, who, out);
        return true;
    }
    const bool equals = c.what == clause::form::compare && c.constant.type == value_type::text && (c.op == node_kind::equal || c.op == node_kind::not_equal);
    if (t.narrow == nullptr || (!equals && c.what != clause::form::among)) return false;
    lent<std::uint32_t> lo{numbers_}, hi{numbers_};
    edge_rows(t.rows, rows, who, first, lo.data(), hi.data());
    lent<std::uint8_t> codes{bytes_};
    const std::uint8_t* code = t.narrow->code.data();
    const std::uint32_t past = static_cast<std::uint32_t>(t.narrow->code.size());
    const std::uint32_t *l = lo.data(), *h = hi.data();
    std::uint8_t* to = codes.data();
    const std::uint32_t all = count_;
    for (std::uint32_t i = 0; i < all; ++i) {
        // Of a contact without rows some row is read, and not used: cheaper than a branch that is guessed wrong.
        const std::uint32_t r = first ? std::min(l[i], past - 1) : h[i] - (h[i] > 0);
        static_assert(narrow_codes::missing == 0xff);
        to[i] = static_cast<std::uint8_t>(code[r] | (0U - unsigned{l[i] >= h[i]}));
    }
    take_texts(c.what == clause::form::among || c.op == node_kind::equal, c.numbers, codes.data(), who, out);
    return true;
}

pass_runner::rows_here pass_runner::rows_of(const event_stream& s, std::uint32_t* scratch) const {
    const std::uint32_t* begin = begins(s, scratch);
    return {begin, begin[0], begin[count_] - begin[0]};
}

/// Rows in [from, until).
void pass_runner::window(const row_choice& c, rows_here rows, std::int64_t from, std::int64_t until, std::uint64_t* out) {
    const narrow_times& times = *c.times;
    if (from <= times.first && until > times.last) return ones(rows.count, out);
    if (from >= until || until <= times.first || from > times.last) {
        std::fill_n(out, rows.words(), 0);
        return;
    }
    lent<std::uint64_t> edge{masks_, rows.words() + 1};
    const bool any = kernels_.inside_16(times.bucket.data() + rows.first, rows.count, times.bucket_of(from), times.bucket_of(until), out, edge.data());
    if (!any) return;
    const std::int64_t* at = c.stream->rows.at.data() + rows.first;
    each_bit(edge.data(), rows.words(), [&](std::uint32_t k) { out[k / 64] |= static_cast<std::uint64_t>(at[k] >= from && at[k] < until) << (k % 64); });
}

void pass_runner::keep_passing(const row_choice& c, rows_here rows, std::uint64_t* mask) {
    for (const auto& t : c.where) keep(t, rows, mask);
}

void pass_runner::keep(const row_test& t, rows_here rows, std::uint64_t* mask) {
    const std::size_t words = rows.words();
    if (t.cells == nullptr) {
        std::fill_n(mask, words, 0);
        return;
    }
    const bool few = kernels_.count(mask, words) * 16 < rows.count;
    const value_type type = t.cells->type();
    lent<std::uint64_t> found{masks_, words + 1}, more{masks_, words + 1};
    const auto keep_found = [&](bool inverse) {
        for (std::size_t w = 0; w < words; ++w) mask[w] &= inverse ? ~found[w] : found[w];
    };
    const auto keep_present = [&] {
        if (!t.cells->all_present()) each_bit(mask, words, [&](std::uint32_t k) { mask[k / 64] &= ~(static_cast<std::uint64_t>(!t.cells->present(rows.first + k)) << (k % 64)); });
    };
    if (!few && t.narrow != nullptr) {
        const std::uint8_t* code = t.narrow->code.data() + rows.first;
        if (t.op == node_kind::not_equal) {
            kernels_.between_8(code, rows.count, narrow_codes::missing, narrow_codes::missing, found.data());
            keep_found(true);
        }
        std::fill_n(found.data(), words, 0);
        for (const auto k : t.numbers) {
            kernels_.between_8(code, rows.count, k, k, more.data());
            for (std::size_t w = 0; w < words; ++w) found[w] |= more[w];
        }
        return keep_found(t.op == node_kind::not_equal);
    }
    if (!few && t.op != node_kind::in && is_whole(type) && type == t.constant.type) {
        const interval_of<std::int64_t> in{t.op, t.constant.i};
        if (in.none) std::fill_n(found.data(), words, 0);
        else kernels_.between_64(t.cells->integers().data() + rows.first, rows.count, in.low, in.high, found.data());
        keep_found(in.inverse);
        return keep_present();
    }
    if (!few && t.op != node_kind::in && t.op != node_kind::not_equal && type == value_type::decimal && t.constant.type == value_type::decimal && std::isfinite(t.constant.d)) {
        const interval_of<double> in{t.op, t.constant.d};
        const double none = std::numeric_limits<double>::infinity();
        const bool from_below = t.op == node_kind::less || t.op == node_kind::less_equal, from_above = t.op == node_kind::greater || t.op == node_kind::greater_equal;
        kernels_.between_decimals(t.cells->decimals().data() + rows.first, rows.count, from_below ? -none : in.low, from_above ? none : in.high, found.data());
        keep_found(false);
        return keep_present();
    }
    each_bit(mask, words, [&](std::uint32_t k) { mask[k / 64] &= ~(static_cast<std::uint64_t>(!t.yes(*p_, rows.first + k)) << (k % 64)); });
}

void pass_runner::mask(const row_choice& c, rows_here rows, std::uint64_t* out) {
    window(c, rows, c.from, c.until, out);
    keep_passing(c, rows, out);
}

void pass_runner::tally(const row_choice& c, rows_here rows, const std::uint64_t* mask, std::uint32_t* out) {
    const std::size_t marked = kernels_.count(mask, rows.words());
    const std::uint16_t* place = c.times->place.data() + rows.first;
    if (marked * 4 <= rows.count || marked * 2 <= count_) {
        std::fill_n(out, count_, 0U);
        each_bit(mask, rows.words(), [&](std::uint32_t k) { ++out[place[k]]; });
    } else if (marked == rows.count) {
        for (std::uint32_t i = 0; i < count_; ++i) out[i] = rows.begin[i + 1] - rows.begin[i];
    } else if ((rows.count - marked) * 4 <= rows.count) {
        for (std::uint32_t i = 0; i < count_; ++i) out[i] = rows.begin[i + 1] - rows.begin[i];
        const std::size_t words = rows.words();
        for (std::size_t w = 0; w < words; ++w) {
            const std::uint64_t all = w + 1 == words && rows.count % 64 != 0 ? (std::uint64_t{1} << (rows.count % 64)) - 1 : ~std::uint64_t{0};
            for (std::uint64_t word = ~mask[w] & all; word != 0; word &= word - 1) --out[place[w * 64 + static_cast<std::size_t>(std::countr_zero(word))]];
        }
    } else {
        kernels_.count_spans(mask, rows.begin, count_, out);
    }
}

/// Of one contact's rows, where those before the bound end; from the last on, by 64 buckets at a time.
std::uint32_t pass_runner::end_before(const row_choice& c, std::uint32_t begin, std::uint32_t end, std::int64_t bound) const {
    const std::uint16_t *bucket = c.times->bucket.data(), limit = c.times->bucket_of(bound);
    const std::int64_t* at = c.stream->rows.at.data();
    const std::uint32_t stop = end;
    while (end > begin) {
        const std::uint32_t m = std::min(end - begin, 64U);
        const std::uint64_t below_it = limit == 0 ? 0 : kernels_.few_16(bucket + end - m, m, 0, static_cast<std::uint16_t>(limit - 1));
        end -= m;
        if (below_it == 0) continue;
        end += static_cast<std::uint32_t>(std::bit_width(below_it));
        break;
    }
    while (end < stop && bucket[end] == limit && at[end] < bound) ++end;   // in the bucket of the bound
    return end;
}

void pass_runner::spans(const row_choice& c, rows_here rows, const bits& who, std::uint32_t least, std::uint32_t* lo, std::uint32_t* hi) {
    const narrow_times& times = *c.times;
    const auto ends = [&](std::int64_t bound, std::uint32_t* out) {
        for (std::uint32_t i = 0; i < count_; ++i) out[i] = rows.begin[i + 1];
        if (bound > times.last) return;
        if (!times.latest.empty()) {                     // if few contacts have rows from there on, these are searched
            bits some, more;
            kernels_.inside_16(times.latest.data() + first_, count_, times.bucket_of(bound), 0xffff, some.word.data(), more.word.data());
            for (std::size_t w = 0; w < words_; ++w) some.word[w] = (some.word[w] | more.word[w]) & who.word[w];
            each_bit(some.word.data(), words_, [&](std::uint32_t i) { some.word[i / 64] &= ~(static_cast<std::uint64_t>(rows.begin[i + 1] - rows.begin[i] < std::max(least, 1U)) << (i % 64)); });
            if (count(some) * std::uint64_t{40} <= rows.count || count(some) * 8 <= count_) {
                lent<std::uint32_t> places{numbers_};
                const picked found = list(some, places.data());
                for (std::uint32_t k = 0; k < found.count; ++k) {
                    if (k + ahead < found.count) __builtin_prefetch(times.bucket.data() + out[found.place[k + ahead]] - 1);
                    const std::uint32_t i = found.place[k];
                    out[i] = end_before(c, rows.begin[i], out[i], bound);
                }
                return;
            }
        }
        lent<std::uint64_t> marked{masks_, rows.words() + 1};
        lent<std::uint32_t> after{numbers_};
        window(c, rows, bound, highest, marked.data());
        tally(c, rows, marked.data(), after.data());
        for (std::uint32_t i = 0; i < count_; ++i) out[i] -= after[i];
    };
    ends(c.until, hi);
    if (c.from <= times.first) {
        std::copy_n(rows.begin, count_, lo);
        return;
    }
    ends(c.from, lo);
    for (std::uint32_t i = 0; i < count_; ++i) lo[i] = std::min(lo[i], hi[i]);
}

void pass_runner::edge_rows(const row_choice& c, rows_here rows, const bits& who, bool first, std::uint32_t* lo, std::uint32_t* hi) {
    if (c.where.empty()) return spans(c, rows, who, 1, lo, hi);
    lent<std::uint64_t> marked{masks_, rows.words() + 1};
    mask(c, rows, marked.data());
    const std::uint16_t* place = c.times->place.data() + rows.first;
    std::fill_n(lo, count_, 0U);
    std::fill_n(hi, count_, 0U);
    each_bit(marked.data(), rows.words(), [&](std::uint32_t k) {
        const std::uint32_t i = place[k];
        if (first && hi[i] != 0) return;
        lo[i] = rows.first + k;
        hi[i] = rows.first + k + 1;
    });
}

/// The first or last instant by its bucket; by itself only in the bucket of the bound.
void pass_runner::edge_times(const clause& c, rows_here rows, const bits& who, answer& out) {
    const pass_term& t = c.term;
    const narrow_times& times = *t.rows.times;
    const bool first = t.aggregate == aggregate::first_time;
    lent<std::uint32_t> lo{numbers_}, hi{numbers_};
    edge_rows(t.rows, rows, who, first, lo.data(), hi.data());
    const auto row = [&](std::uint32_t i) { return first ? lo[i] : hi[i] - 1; };
    lent<std::uint16_t> buckets{halves_};
    if (!first && t.rows.where.empty() && !times.latest.empty()) {
        std::copy_n(times.latest.data() + first_, count_, buckets.data());
        for (std::uint32_t i = 0; i < count_; ++i) if (hi[i] != rows.begin[i + 1] && lo[i] < hi[i]) buckets[i] = times.bucket[row(i)];
    } else {
        for (std::uint32_t i = 0; i < count_; ++i) buckets[i] = lo[i] < hi[i] ? times.bucket[row(i)] : std::uint16_t{0};
    }
    const std::int64_t* at = t.rows.stream->rows.at.data();
    const std::uint16_t bound = times.bucket_of(c.constant.i);
    lent<truth> found{truths_};
    with_operator(c.op, [&](auto op) {
        unsigned close = 0;
        truth* to = found.data();
        const std::uint16_t* b = buckets.data();
        const std::uint32_t *l = lo.data(), *h = hi.data();
        for (std::uint32_t i = 0; i < count_; ++i) close |= b[i] == bound;
        for (std::uint32_t i = 0; i < count_; ++i) {
            const unsigned here = l[i] < h[i];           // by bits, not by a branch
            to[i] = static_cast<truth>((here & unsigned{op(b[i], bound)}) | (here ^ 1U) << 1);
        }
        if (close == 0) return;
        for (std::uint32_t i = 0; i < count_; ++i) if (buckets[i] == bound && lo[i] < hi[i]) found[i] = to_truth(op(at[row(i)], c.constant.i));
    });
    take(found.data(), who, out);
}

void pass_runner::distinct_by_masks(const clause& c, rows_here rows, const bits& who, std::int64_t* out) {
    const pass_term& t = c.term;
    const std::uint8_t* code = t.narrow->code.data();
    std::fill_n(out, count_, 0);
    if (!t.rows.where.empty()) {
        lent<std::uint64_t> marked{masks_, rows.words() + 1};
        mask(t.rows, rows, marked.data());
        const std::uint16_t* place = t.rows.times->place.data() + rows.first;
        each_bit(marked.data(), rows.words(), [&](std::uint32_t k) {
            const std::uint8_t x = code[rows.first + k];
            out[place[k]] |= static_cast<std::int64_t>(std::uint64_t{x < 64} << (x & 63));
        });
        for (std::uint32_t i = 0; i < count_; ++i) out[i] = std::popcount(static_cast<std::uint64_t>(out[i]));
        return;
    }
    lent<std::uint32_t> lo{numbers_}, hi{numbers_}, open{numbers_};
    // Who has fewer rows than the bound has fewer texts too: 0 compares with the bound as any such number does.
    const std::uint32_t least = static_cast<std::uint32_t>(std::clamp<std::int64_t>(c.constant.i, 1, INT32_MAX));
    spans(t.rows, rows, who, least, lo.data(), hi.data());
    std::uint32_t n = 0;
    each_bit(who.word.data(), words_, [&](std::uint32_t i) {
        open[n] = i;
        n += hi[i] - lo[i] >= least;
    });
    kernels_.distinct_spans(code, lo.data(), hi.data(), open.data(), n, out);
}

/// Takes out the rows that another followed, and those of whom nobody asks.
void pass_runner::uncrossed(const pass_term& t, rows_here rows, const bits& who, std::uint64_t* mask) {
    const bool any = t.aggregate != aggregate::count;    // one row of each contact is enough
    const std::uint16_t* place = t.rows.times->place.data() + rows.first;
    lent<std::uint32_t> marked{numbers_, std::size_t{rows.count} + 1};
    std::uint32_t n = 0;
    each_bit(mask, rows.words(), [&](std::uint32_t k) {
        marked[n] = k;
        n += (who.word[place[k] / 64] >> (place[k] % 64)) & 1;
    });
    std::fill_n(mask, rows.words(), 0);
    std::uint32_t found = none;
    const timeline& other = t.without->other.stream->rows;
    for (std::uint32_t j = 0; j < n; ++j) {
        const std::uint32_t k = marked[j], i = place[k];
        if (j + ahead < n) {
            const std::uint32_t soon = marked[j + ahead];
            __builtin_prefetch(t.rows.stream->rows.at.data() + rows.first + soon);
            if (t.without->other.times != nullptr && !other.dense.empty()) __builtin_prefetch(t.without->other.times->bucket.data() + other.dense[first_ + place[soon]]);
        }
        if ((any && i == found) || crossed(*t.without, first_ + i, rows.first + k, *t.rows.stream)) continue;
        found = i;
        mask[k / 64] |= std::uint64_t{1} << (k % 64);
    }
}

}  // namespace journeyman::detail
