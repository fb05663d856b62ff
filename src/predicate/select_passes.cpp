// The tree of clauses, with bits for answers; and the clauses asked contact by contact.

#include "predicate/select_passes.hpp"

#include <algorithm>
#include <bit>

#include "journeyman/predicate/evaluate.hpp"
#include "predicate/compare.hpp"

namespace journeyman::detail {

void pass_runner::run(std::uint32_t first, std::uint32_t end, std::span<const answers> out) {
    const bool all_exist = h_.exists_from.empty() || t_ >= h_.all_exist_from;
    answer found;
    for (first_ = first; first_ < end; first_ += chunk) {
        count_ = std::min(chunk, end - first_);
        words_ = (std::size_t{count_} + 63) / 64;
        bits who;
        if (all_exist) {
            std::fill_n(who.word.begin(), words_, ~std::uint64_t{0});
            if (count_ % 64 != 0) who.word[words_ - 1] = (std::uint64_t{1} << (count_ % 64)) - 1;
        } else {
            kernels_.between_64(h_.exists_from.data() + first_, count_, std::numeric_limits<std::int64_t>::min(), t_, who.word.data());
        }
        for (auto& s : shared_) s.asked.word.fill(0);
        for (std::size_t k = 0; k < plans_.size(); ++k) {
            ask(plans_[k], who, found);
            std::copy_n(found.yes.word.begin(), words_, out[k].in + first_ / 64);
            std::copy_n(found.unknown.word.begin(), words_, out[k].unknown + first_ / 64);
        }
    }
}

void pass_runner::ask(const clause& c, const bits& who, answer& out) {
    if (c.shared == none) return ask_anew(c, who, out);
    kept& k = shared_[c.shared];
    bits left;
    std::uint64_t any = 0, before = 0;
    for (std::size_t w = 0; w < words_; ++w) {
        any |= left.word[w] = who.word[w] & ~k.asked.word[w];
        before |= k.asked.word[w];
    }
    if (before == 0) {
        ask_anew(c, who, k.found);
        k.asked = who;
    } else if (any != 0) {
        answer more;
        ask_anew(c, left, more);
        for (std::size_t w = 0; w < words_; ++w) {
            k.asked.word[w] |= left.word[w];
            k.found.yes.word[w] |= more.yes.word[w];
            k.found.unknown.word[w] |= more.unknown.word[w];
        }
    }
    for (std::size_t w = 0; w < words_; ++w) {
        out.yes.word[w] = k.found.yes.word[w] & who.word[w];
        out.unknown.word[w] = k.found.unknown.word[w] & who.word[w];
    }
}

void pass_runner::ask_anew(const clause& c, const bits& who, answer& out) {
    switch (c.what) {
        case clause::form::all_of: return logic(c, who, out, true);
        case clause::form::any_of: return logic(c, who, out, false);
        case clause::form::inverse:
            ask(c.parts[0], who, out);
            for (std::size_t w = 0; w < words_; ++w) out.yes.word[w] = who.word[w] & ~out.yes.word[w] & ~out.unknown.word[w];
            return;
        case clause::form::known:
            ask(c.parts[0], who, out);
            out.unknown.word.fill(0);
            return;
        case clause::form::sequence: return sequence(c, who, out);
        default: return leaf(c, who, out);
    }
}

/// Each part is asked only about those whom the parts before have not decided: of `all`, for whom it is not no.
void pass_runner::logic(const clause& c, const bits& who, answer& out, bool all) {
    bits open = who;
    answer part;
    out.unknown.word.fill(0);
    for (const clause& p : c.parts) {
        ask(p, open, part);
        std::uint64_t any = 0;
        for (std::size_t w = 0; w < words_; ++w) {
            const std::uint64_t decided = all ? open.word[w] & ~part.yes.word[w] & ~part.unknown.word[w] : part.yes.word[w];
            any |= open.word[w] &= ~decided;
            out.unknown.word[w] = (out.unknown.word[w] | part.unknown.word[w]) & ~decided;   // once unknown, only the deciding answer changes it
        }
        if (any == 0) break;
    }
    for (std::size_t w = 0; w < words_; ++w) {
        out.unknown.word[w] &= open.word[w];
        out.yes.word[w] = all ? open.word[w] & ~out.unknown.word[w] : who.word[w] & ~open.word[w];
    }
}

void pass_runner::leaf(const clause& c, const bits& who, answer& out) {
    if (texts(c, who, out) || by_masks(c, who, out)) return;
    lent<std::uint32_t> places{numbers_};
    lent<truth> found{truths_};
    const picked some = list(who, places.data());
    switch (c.what) {
        case clause::form::compare: compare(c, some, found.data()); break;
        case clause::form::among: among(c, some, found.data()); break;
        case clause::form::holds: holds(c, some, found.data()); break;
        default: plain(c, some, found.data());
    }
    take(found.data(), who, out);
}

// ---- to bits and from bits

pass_runner::picked pass_runner::list(const bits& b, std::uint32_t* places) const {
    std::uint32_t n = 0;
    each_bit(b.word.data(), words_, [&](std::uint32_t i) { places[n++] = i; });
    return {places, n};
}

void pass_runner::take(const truth* from, const bits& who, answer& out) const {
    static_assert(sizeof(truth) == 1);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
    kernels_.between_8(bytes, count_, static_cast<std::uint8_t>(truth::yes), static_cast<std::uint8_t>(truth::yes), out.yes.word.data());
    kernels_.between_8(bytes, count_, static_cast<std::uint8_t>(truth::unknown), static_cast<std::uint8_t>(truth::unknown), out.unknown.word.data());
    for (std::size_t w = 0; w < words_; ++w) {
        out.yes.word[w] &= who.word[w];
        out.unknown.word[w] &= who.word[w];
    }
}

void pass_runner::take_compared(node_kind op, std::int64_t x, const std::int64_t* v, const std::uint8_t* there, const bits& who, answer& out) const {
    const interval_of<std::int64_t> in{op, x};
    bits present = who;
    if (there != nullptr) {
        kernels_.between_8(there, count_, 1, 255, present.word.data());
        for (std::size_t w = 0; w < words_; ++w) present.word[w] &= who.word[w];
    }
    kernels_.between_64(v, count_, in.low, in.high, out.yes.word.data());
    for (std::size_t w = 0; w < words_; ++w) {
        out.unknown.word[w] = who.word[w] & ~present.word[w];
        out.yes.word[w] = in.none ? 0 : (in.inverse ? ~out.yes.word[w] : out.yes.word[w]) & present.word[w];
    }
}

void pass_runner::take_counted(node_kind op, std::uint32_t x, const std::uint32_t* n, const bits& who, answer& out) const {
    const interval_of<std::uint32_t> in{op, x};
    kernels_.between_32(n, count_, in.low, in.high, out.yes.word.data());
    for (std::size_t w = 0; w < words_; ++w) {
        out.unknown.word[w] = 0;
        out.yes.word[w] = in.none ? 0 : (in.inverse ? ~out.yes.word[w] : out.yes.word[w]) & who.word[w];
    }
}

void pass_runner::take_texts(bool among, const std::vector<std::uint8_t>& numbers, const std::uint8_t* codes, const bits& who, answer& out) const {
    bits one;
    std::fill_n(out.yes.word.begin(), words_, 0);
    for (const auto k : numbers) {
        kernels_.between_8(codes, count_, k, k, one.word.data());
        for (std::size_t w = 0; w < words_; ++w) out.yes.word[w] |= one.word[w];
    }
    kernels_.between_8(codes, count_, narrow_codes::missing, narrow_codes::missing, out.unknown.word.data());
    for (std::size_t w = 0; w < words_; ++w) {
        out.unknown.word[w] &= who.word[w];
        out.yes.word[w] = (among ? out.yes.word[w] : ~out.yes.word[w]) & who.word[w] & ~out.unknown.word[w];
    }
}

/// Of an attribute that never changes.
bool pass_runner::texts(const clause& c, const bits& who, answer& out) {
    const pass_term& t = c.term;
    if (!t.of_attribute || t.narrow == nullptr || t.narrow->code.size() < first_ + std::size_t{count_}) return false;
    const bool equals = c.what == clause::form::compare && c.constant.type == value_type::text && (c.op == node_kind::equal || c.op == node_kind::not_equal);
    if (!equals && c.what != clause::form::among) return false;
    take_texts(c.what == clause::form::among || c.op == node_kind::equal, c.numbers, t.narrow->code.data() + first_, who, out);
    return true;
}

// ---- contact by contact

void pass_runner::compare(const clause& c, picked who, truth* out) {
    if (!c.term.of_attribute && c.term.aggregate == aggregate::count && c.constant.type == value_type::integer && c.constant.i >= 0 && c.constant.i < INT32_MAX) {
        lent<std::uint32_t> n{numbers_};
        counts(c.term, who, n.data());
        with_operator(c.op, [&](auto op) {
            const auto x = static_cast<std::int32_t>(c.constant.i);
            each(who, [&](std::uint32_t i) { out[i] = to_truth(op(static_cast<std::int32_t>(n[i]), x)); });
        });
        return;
    }
    lent<std::int64_t> v{integers_};
    lent<std::uint8_t> there{bytes_};
    values(c.term, who, v.data(), there.data());
    const bool by_number = c.term.type == c.constant.type && c.term.type != value_type::decimal && c.term.type != value_type::text_list &&
                           (c.term.type != value_type::text || c.op == node_kind::equal || c.op == node_kind::not_equal);
    if (by_number) {
        with_operator(c.op, [&](auto op) {
            const std::int64_t x = c.constant.i;
            each(who, [&](std::uint32_t i) { out[i] = there[i] != 0 ? to_truth(op(v[i], x)) : truth::unknown; });
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
    if (!c.term.of_attribute && (c.term.aggregate == aggregate::did || c.term.aggregate == aggregate::never)) {
        lent<std::uint32_t> n{numbers_};
        counts(c.term, who, n.data());
        const bool never = c.term.aggregate == aggregate::never;
        each(who, [&](std::uint32_t i) { out[i] = to_truth((n[i] == 0) == never); });
        return;
    }
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
        lent<std::uint32_t> n{numbers_};
        counts(t, who, n.data());
        each(who, [&](std::uint32_t i) {
            out[i] = t.aggregate == aggregate::count ? n[i] : (n[i] == 0) == (t.aggregate == aggregate::never);
            there[i] = 1;
        });
    } else if (t.aggregate == aggregate::sum && running_sums(t, who, out)) {
        each(who, [&](std::uint32_t i) { there[i] = 1; });
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
            edges(t, who, lo.data(), hi.data(), first, of_time, out, there);
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

}  // namespace journeyman::detail
