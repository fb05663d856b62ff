#include "predicate/select_passes.hpp"

#include <algorithm>
#include <bit>

#include "journeyman/predicate/evaluate.hpp"
#include "predicate/compare.hpp"

namespace journeyman::detail {

namespace {

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

}  // namespace

void pass_runner::run(std::uint32_t first, std::uint32_t end, std::vector<std::uint32_t>& in, std::vector<std::uint32_t>& unknown) {
    lent<truth> answer{truths_};
    lent<std::uint32_t> everybody{numbers_}, some{numbers_}, yes{numbers_};
    for (std::uint32_t i = 0; i < chunk; ++i) everybody[i] = i;
    const bool all_exist = h_.exists_from.empty() || t_ >= h_.all_exist_from;
    for (first_ = first; first_ < end; first_ += chunk) {
        count_ = std::min(chunk, end - first_);
        picked who{everybody.data(), count_};
        if (!all_exist) {
            const std::int64_t* from = h_.exists_from.data() + first_;
            std::uint32_t n = 0;
            for (std::uint32_t i = 0; i < count_; ++i) {
                some[n] = i;
                n += from[i] <= t_;
            }
            who = {some.data(), n};
        }
        ask(plan_, who, answer.data());
        std::uint32_t found = 0;
        unsigned any = 0;
        for (const auto i : who) {
            const truth x = answer[i];
            yes[found] = first_ + i;
            found += x == truth::yes;
            any |= static_cast<unsigned>(x);
        }
        in.insert(in.end(), yes.data(), yes.data() + found);
        if ((any & static_cast<unsigned>(truth::unknown)) == 0) continue;
        for (const auto i : who) if (answer[i] == truth::unknown) unknown.push_back(first_ + i);
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
    if (c.parts.empty()) {
        for (const auto i : who) out[i] = !deciding;
        return;
    }
    lent<truth> part{truths_};
    lent<std::uint32_t> open{numbers_};
    ask(c.parts[0], who, out);
    std::uint32_t n = 0;
    for (const auto i : who) {
        open[n] = i;
        n += out[i] != deciding;
    }
    for (std::size_t k = 1; k < c.parts.size() && n > 0; ++k) {
        ask(c.parts[k], {open.data(), n}, part.data());
        std::uint32_t left = 0;
        for (std::uint32_t j = 0; j < n; ++j) {
            const std::uint32_t i = open[j];
            const truth was = out[i], is = part[i];
            out[i] = is == deciding || was == !deciding ? is : was;      // once unknown, only the deciding answer changes it
            open[left] = i;
            left += is != deciding;
        }
        n = left;
    }
}

/// The texts of an attribute that never changes, for the whole chunk; null when it has no such form.
const std::uint32_t* pass_runner::fixed_texts(const pass_term& t) const {
    if (!t.of_attribute || t.attribute == nullptr || t.type != value_type::text) return nullptr;
    const attribute_stream& a = *t.attribute;
    return a.rows.rows() == 0 && a.base.size() >= first_ + std::size_t{count_} ? a.base.codes().data() + first_ : nullptr;
}

void pass_runner::compare(const clause& c, picked who, truth* out) {
    if (const auto* codes = fixed_texts(c.term); codes != nullptr && c.constant.type == value_type::text && (c.op == node_kind::equal || c.op == node_kind::not_equal)) {
        const auto wanted = static_cast<std::uint32_t>(c.constant.i), lacking = static_cast<std::uint32_t>(no_text);
        // By bits, not by branches that texts at random mislead: 1 is yes, 2 unknown.
        if (c.op == node_kind::equal) each(who, [=](std::uint32_t i) { out[i] = static_cast<truth>(unsigned{codes[i] == wanted} | unsigned{codes[i] == lacking} << 1); });
        else each(who, [=](std::uint32_t i) { out[i] = static_cast<truth>(unsigned{codes[i] != wanted && codes[i] != lacking} | unsigned{codes[i] == lacking} << 1); });
        return;
    }
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
    if (const auto* codes = fixed_texts(c.term); codes != nullptr) {
        const auto lacking = static_cast<std::uint32_t>(no_text);
        each(who, [=](std::uint32_t i) { out[i] = static_cast<truth>(unsigned{codes[i] == lacking} << 1); });
        for (const auto wanted : c.codes) each(who, [=](std::uint32_t i) { out[i] = static_cast<truth>(static_cast<unsigned>(out[i]) | unsigned{codes[i] == wanted}); });
        return;
    }
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
