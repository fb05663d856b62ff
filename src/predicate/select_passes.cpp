#include "predicate/select_passes.hpp"

#include <algorithm>
#include <bit>

#include "journeyman/core/exact_sum.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "predicate/compare.hpp"

namespace journeyman::detail {

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
__extension__ typedef __int128 wide;

/// The kernels over one comparison: `f` is inlined for each operator, so that the loop inside has no branch.
template <class F>
void with_operator(node_kind k, F f) {
    switch (k) {
        case node_kind::equal: return f([](auto a, auto b) { return a == b; });
        case node_kind::not_equal: return f([](auto a, auto b) { return a != b; });
        case node_kind::less: return f([](auto a, auto b) { return a < b; });
        case node_kind::less_equal: return f([](auto a, auto b) { return a <= b; });
        case node_kind::greater: return f([](auto a, auto b) { return a > b; });
        default: return f([](auto a, auto b) { return a >= b; });
    }
}

/// How many of [begin, end), which ascend, are below x: from the end, where windows mostly are.
std::uint32_t below(const std::int64_t* at, std::uint32_t begin, std::uint32_t end, std::int64_t x) {
    std::uint32_t step = 1;
    while (end - begin >= step && at[end - step] >= x) {
        end -= step;
        step *= 2;
    }
    while (step > 1) {
        step /= 2;
        if (end - begin >= step && at[end - step] >= x) end -= step;
    }
    return end;
}

}  // namespace

void pass_runner::run(std::uint32_t first, std::uint32_t end, std::vector<std::uint32_t>& in, std::vector<std::uint32_t>& unknown) {
    lent<truth> answer{truths_};
    lent<std::uint32_t> who{numbers_};
    for (first_ = first; first_ < end; first_ += chunk) {
        count_ = std::min(chunk, end - first_);
        std::uint32_t n = 0;
        if (h_.exists_from.empty()) {
            for (; n < count_; ++n) who[n] = n;
        } else {
            const std::int64_t* from = h_.exists_from.data() + first_;
            for (std::uint32_t i = 0; i < count_; ++i) {
                who[n] = i;
                n += from[i] <= t_;
            }
        }
        ask(plan_, {who.data(), n}, answer.data());
        const std::size_t yes = in.size();
        in.resize(yes + n);
        std::uint32_t* to = in.data() + yes;
        bool any_unknown = false;
        for (std::uint32_t k = 0; k < n; ++k) {
            const truth x = answer[who[k]];
            *to = first_ + who[k];
            to += x == truth::yes;
            any_unknown |= x == truth::unknown;
        }
        in.resize(static_cast<std::size_t>(to - in.data()));
        if (any_unknown) {
            for (std::uint32_t k = 0; k < n; ++k) if (answer[who[k]] == truth::unknown) unknown.push_back(first_ + who[k]);
        }
    }
}

void pass_runner::ask(const clause& c, picked who, truth* out) {
    switch (c.what) {
        case clause::form::all_of: return logic(c, who, out, truth::no);
        case clause::form::any_of: return logic(c, who, out, truth::yes);
        case clause::form::inverse:
            ask(c.parts[0], who, out);
            for (const auto i : who) out[i] = !out[i];
            return;
        case clause::form::known:
            ask(c.parts[0], who, out);
            for (const auto i : who) out[i] = to_truth(out[i] == truth::yes);
            return;
        case clause::form::compare: return compare(c, who, out);
        case clause::form::among: return among(c, who, out);
        case clause::form::holds: return holds(c, who, out);
        case clause::form::sequence: return sequence(c, who, out);
        case clause::form::plain: return plain(c, who, out);
    }
}

/// Each part is asked only about those whom the parts before have not decided.
void pass_runner::logic(const clause& c, picked who, truth* out, truth deciding) {
    lent<truth> part{truths_};
    lent<std::uint32_t> open{numbers_};
    std::copy(who.begin(), who.end(), open.data());
    std::uint32_t n = who.count;
    for (const auto i : who) out[i] = !deciding;
    for (const auto& x : c.parts) {
        if (n == 0) return;
        ask(x, {open.data(), n}, part.data());
        std::uint32_t left = 0;
        for (std::uint32_t k = 0; k < n; ++k) {
            const std::uint32_t i = open[k];
            const truth was = out[i], is = part[i];
            out[i] = is == deciding || was == !deciding ? is : was;      // once unknown, only the deciding answer changes it
            open[left] = i;
            left += is != deciding;
        }
        n = left;
    }
}

void pass_runner::compare(const clause& c, picked who, truth* out) {
    lent<std::int64_t> v{integers_};
    lent<std::uint8_t> there{bytes_};
    values(c.term, who, v.data(), there.data());
    const bool by_number = c.term.type == c.constant.type && c.term.type != value_type::decimal && c.term.type != value_type::text_list &&
                           (c.term.type != value_type::text || c.op == node_kind::equal || c.op == node_kind::not_equal);
    if (by_number) {
        with_operator(c.op, [&](auto op) {
            const std::int64_t x = c.constant.i;
            for (const auto i : who) out[i] = there[i] != 0 ? to_truth(op(v[i], x)) : truth::unknown;
        });
    } else {
        for (const auto i : who) {
            value x = value::of(c.term.type, v[i]);
            if (c.term.type == value_type::decimal) x = value::of(std::bit_cast<double>(v[i]));
            out[i] = there[i] != 0 ? compare_values(*p_, c.op, x, c.constant) : truth::unknown;
        }
    }
    for (const auto& [i, x] : odd_) out[i] = compare_values(*p_, c.op, x, c.constant);
}

void pass_runner::among(const clause& c, picked who, truth* out) {
    lent<std::int64_t> v{integers_};
    lent<std::uint8_t> there{bytes_};
    values(c.term, who, v.data(), there.data());
    for (const auto i : who) {
        bool found = false;
        for (const auto code : c.codes) found |= v[i] == code;
        out[i] = there[i] != 0 ? to_truth(found) : truth::unknown;
    }
}

void pass_runner::holds(const clause& c, picked who, truth* out) {
    lent<std::int64_t> v{integers_};
    lent<std::uint8_t> there{bytes_};
    values(c.term, who, v.data(), there.data());
    for (const auto i : who) out[i] = there[i] != 0 ? to_truth(v[i] != 0) : truth::unknown;
}

void pass_runner::plain(const clause& c, picked who, truth* out) {
    if (!reader_) reader_.emplace(p_, h_);
    for (const auto i : who) {
        reader_->load(first_ + i);
        out[i] = journeyman::ask(*p_, c.node, reader_->see(at_), at_);
    }
}

// ---- terms

void pass_runner::values(const pass_term& t, picked who, std::int64_t* out, std::uint8_t* there) {
    odd_.clear();
    if (t.of_attribute) {
        attribute(t, who, out, there);
    } else if (t.aggregate == aggregate::count || t.aggregate == aggregate::did || t.aggregate == aggregate::never) {
        counts(t, who, out);
        for (const auto i : who) there[i] = 1;
        if (t.aggregate == aggregate::did) for (const auto i : who) out[i] = out[i] != 0;
        if (t.aggregate == aggregate::never) for (const auto i : who) out[i] = out[i] == 0;
    } else {
        lent<std::uint32_t> lo{numbers_}, hi{numbers_};
        ranges(t.rows, who, lo.data(), hi.data());
        if (t.aggregate == aggregate::sum) {
            sums(t, who, lo.data(), hi.data(), out, there);
        } else if (t.aggregate == aggregate::distinct) {
            distincts(t, who, lo.data(), hi.data(), out);
            for (const auto i : who) there[i] = 1;
        } else {
            const bool first = t.aggregate == aggregate::first || t.aggregate == aggregate::first_time;
            const bool of_time = t.aggregate == aggregate::first_time || t.aggregate == aggregate::last_time;
            if (!t.rows.where.empty()) {
                for (const auto i : who) {
                    if (first) while (lo[i] < hi[i] && !passes(t.rows, lo[i])) ++lo[i];
                    else while (lo[i] < hi[i] && !passes(t.rows, hi[i] - 1)) --hi[i];
                }
            }
            const std::int64_t* at = t.rows.stream->rows.at.data();
            const bool texts = !of_time && t.property->type() == value_type::text;
            for (const auto i : who) {
                there[i] = lo[i] < hi[i];
                out[i] = 0;
                if (there[i] == 0) continue;
                const std::uint32_t row = first ? lo[i] : hi[i] - 1;
                if (of_time) {
                    out[i] = at[row];
                } else if (texts) {
                    out[i] = t.property->codes()[row];
                    there[i] = t.property->present(row);
                } else {
                    const value x = t.property->at(row);
                    out[i] = x.i;                        // of a decimal: its bits
                    there[i] = !x.is_missing();
                }
            }
        }
    }
    if (t.from_now) for (const auto i : who) there[i] &= !__builtin_sub_overflow(t_, out[i], &out[i]);
}

void pass_runner::attribute(const pass_term& t, picked who, std::int64_t* out, std::uint8_t* there) {
    if (t.attribute == nullptr) {
        for (const auto i : who) there[i] = 0;
        return;
    }
    const attribute_stream& a = *t.attribute;
    if (a.rows.rows() == 0 && a.base.size() >= first_ + std::size_t{count_} && t.type == value_type::text) {
        const std::uint32_t* codes = a.base.codes().data() + first_;
        for (const auto i : who) {
            out[i] = codes[i];
            there[i] = codes[i] != static_cast<std::uint32_t>(no_text);
        }
        return;
    }
    std::size_t cursor = 0;
    if (a.rows.dense.empty()) cursor = static_cast<std::size_t>(std::lower_bound(a.rows.owners.begin(), a.rows.owners.end(), first_) - a.rows.owners.begin());
    for (const auto i : who) {
        const std::uint32_t contact = first_ + i;
        value v = contact < a.base.size() ? a.base.at(contact) : value{};
        if (a.rows.rows() != 0) {
            const auto [begin, end] = a.rows.range(contact, cursor);
            const std::uint32_t seen = static_cast<std::uint32_t>(std::upper_bound(a.rows.at.begin() + begin, a.rows.at.begin() + end, t_) - a.rows.at.begin());
            if (seen > begin) v = a.values.at(seen - 1);
        }
        out[i] = v.i;
        there[i] = !v.is_missing();
    }
}

void pass_runner::counts(const pass_term& t, picked who, std::int64_t* out) {
    const auto& rows = t.rows.stream->rows;
    if (rows.rows() == 0) {
        for (const auto i : who) out[i] = 0;
        return;
    }
    lent<std::uint32_t> scratch{numbers_};
    const std::uint32_t* begin = begins(*t.rows.stream, scratch.data());
    const std::uint32_t n = begin[count_] - begin[0];
    if (t.rows.where.empty() && !t.without && n <= 6 * who.count && t.rows.from < t.rows.until) {
        // A running count over all rows of the chunk: one comparison a row, no branch, whatever the contacts have.
        const std::int64_t* at = rows.at.data() + begin[0];
        const auto from = static_cast<std::uint64_t>(t.rows.from), width = static_cast<std::uint64_t>(t.rows.until) - from;
        running_.resize(std::max<std::size_t>(running_.size(), n + std::size_t{1}));
        std::uint32_t* running = running_.data();
        std::uint32_t so_far = 0;
        for (std::uint32_t r = 0; r < n; ++r) {
            running[r] = so_far;
            so_far += static_cast<std::uint64_t>(at[r]) - from < width;
        }
        running[n] = so_far;
        running -= begin[0];
        for (const auto i : who) out[i] = running[begin[i + 1]] - running[begin[i]];
        return;
    }
    lent<std::uint32_t> lo{numbers_}, hi{numbers_};
    ranges(t.rows, who, lo.data(), hi.data());
    for (const auto i : who) out[i] = hi[i] - lo[i];
    if (t.rows.where.empty() && !t.without) return;
    const bool any = t.aggregate != aggregate::count;
    for (const auto i : who) {
        if (lo[i] == hi[i]) continue;
        std::int64_t found = 0;
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
    std::uint32_t r = below(rows.at.data(), begin, end, at);
    while (r < end && rows.at[r] == at && rows.order[r] <= of.rows.order[row]) ++r;
    const bool texts = x.key->type() == value_type::text;
    const std::int64_t key = texts ? x.key->codes()[row] : x.key->integers()[row];
    for (; r < end && rows.at[r] <= deadline; ++r) {
        if ((texts ? x.other_key->codes()[r] : x.other_key->integers()[r]) == key && x.other_key->present(r) && passes(x.other, r)) return true;
    }
    return false;
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
    const std::int64_t* at = c.stream->rows.at.data();
    if (c.from >= c.until) {
        for (const auto i : who) lo[i] = hi[i] = begin[i];
        return;
    }
    const std::uint32_t n = begin[count_] - begin[0];
    if (n <= 4 * who.count) {
        // Running counts of the rows before the window and before its end, side by side in one word.
        pairs_.resize(std::max<std::size_t>(pairs_.size(), n + std::size_t{1}));
        std::uint64_t* running = pairs_.data();
        std::uint64_t so_far = 0;
        for (std::uint32_t r = 0; r < n; ++r) {
            running[r] = so_far;
            const std::int64_t x = at[begin[0] + r];
            so_far += static_cast<std::uint64_t>(x < c.from) | static_cast<std::uint64_t>(x < c.until) << 32;
        }
        running[n] = so_far;
        running -= begin[0];
        for (const auto i : who) {
            const std::uint64_t both = running[begin[i + 1]] - running[begin[i]];
            lo[i] = begin[i] + static_cast<std::uint32_t>(both);
            hi[i] = begin[i] + static_cast<std::uint32_t>(both >> 32);
        }
        return;
    }
    for (const auto i : who) {
        hi[i] = below(at, begin[i], begin[i + 1], c.until);
        lo[i] = c.from == lowest ? begin[i] : below(at, begin[i], hi[i], c.from);
    }
}

// ---- sequences: from the last step backwards. Of the events of a step, only those are looked at from which the rest can still be done in time.

void pass_runner::sequence(const clause& c, picked who, truth* out) {
    const std::size_t steps = c.steps.size();
    std::vector<std::vector<std::uint32_t>> lo(steps), hi(steps);
    lent<std::uint32_t> open{numbers_};
    std::copy(who.begin(), who.end(), open.data());
    std::uint32_t n = who.count;
    for (const auto i : who) out[i] = truth::no;
    std::vector<std::size_t> rare(steps);
    for (std::size_t k = 0; k < steps; ++k) rare[k] = k;
    std::sort(rare.begin(), rare.end(), [&](std::size_t a, std::size_t b) { return c.steps[a].stream->rows.rows() < c.steps[b].stream->rows.rows(); });
    for (const auto k : rare) {                          // who lacks a step is out
        lo[k].resize(chunk);
        hi[k].resize(chunk);
        ranges(c.steps[k], {open.data(), n}, lo[k].data(), hi[k].data());
        std::uint32_t left = 0;
        for (std::uint32_t j = 0; j < n; ++j) {
            const std::uint32_t i = open[j];
            open[left] = i;
            left += lo[k][i] < hi[k][i];
        }
        n = left;
        if (n == 0) return;
    }
    step_lo_.clear();
    step_hi_.clear();
    for (std::size_t k = 0; k < steps; ++k) {
        step_lo_.push_back(lo[k].data());
        step_hi_.push_back(hi[k].data());
    }
    for (std::uint32_t j = 0; j < n; ++j) out[open[j]] = to_truth(chained(c, open[j]));
}

bool pass_runner::chained(const clause& c, std::uint32_t place) {
    std::size_t k = c.steps.size() - 1;
    links_.clear();
    const auto& last = c.steps[k];
    for (std::uint32_t r = step_lo_[k][place]; r < step_hi_[k][place]; ++r) {
        if (!passes(last, r)) continue;
        if (k == 0) return true;
        links_.push_back({last.stream->rows.at[r], last.stream->rows.order[r], last.stream->rows.at[r]});
    }
    while (k-- > 0) {
        // An event of this step goes on with the first of the next step after it, which is done the earliest.
        const auto& step = c.steps[k];
        const std::int64_t* at = step.stream->rows.at.data();
        const std::uint32_t* order = step.stream->rows.order.data();
        std::uint32_t from = step_lo_[k][place];
        const std::uint32_t end = step_hi_[k][place];
        earlier_.clear();
        for (const link& next : links_) {
            std::int64_t soonest = 0;
            if (__builtin_sub_overflow(next.done, c.within, &soonest)) soonest = lowest;
            const std::int64_t* to = std::lower_bound(at + from, at + end, next.at);
            while (to != at + end && *to == next.at && order[to - at] < next.order) ++to;
            const auto until = static_cast<std::uint32_t>(to - at);
            for (std::uint32_t r = until; r > from && at[r - 1] >= soonest; --r) {
                if (!passes(step, r - 1)) continue;
                if (k == 0) return true;
                earlier_.push_back({at[r - 1], order[r - 1], next.done});
            }
            from = until;
        }
        std::sort(earlier_.begin(), earlier_.end(), [](const link& a, const link& b) { return a.at != b.at ? a.at < b.at : a.order < b.order; });
        links_.swap(earlier_);
        if (links_.empty()) return false;
    }
    return false;
}

}  // namespace journeyman::detail
