#include "history/evidence.hpp"

namespace journeyman::detail {

void type_evidence::see(const raw_cell& c, const conversion& how) {
    const auto k = static_cast<std::size_t>(kind_of(c.type));
    if (counts_[k]++ == 0) first_[k] = ++kinds_;
    decimals_ |= c.type == value_type::decimal;
    if (c.type != value_type::text) return;
    if (!has_cell_texts_) cell_texts_ = type_guess{how};
    has_cell_texts_ = true;
    cell_texts_.see(c.text);
}

type_evidence column_source::evidence(const conversion& how) const { return type_evidence::told(natural(how)); }

namespace {

void add_guess(type_guess& guess, bool& there, const type_guess& later, bool has_later) {
    if (!has_later) return;
    if (there) guess.add(later);
    else guess = later;
    there = true;
}

/// The first stays, but numbers fit each other.
value_type join(value_type a, value_type b) {
    if (a == value_type::missing) return b;
    if (b == value_type::missing || a == b) return a;
    return is_number(a) && is_number(b) ? value_type::decimal : a;
}

}  // namespace

void type_evidence::add(const type_evidence& later) {
    if (settled_ == value_type::missing) settled_ = kind();
    told_ = join(told_, later.told_);
    add_guess(texts_, has_texts_, later.texts_, later.has_texts_);
    add_guess(cell_texts_, has_cell_texts_, later.cell_texts_, later.has_cell_texts_);
    decimals_ |= later.decimals_;
    guess_ |= later.guess_;
    for (std::uint8_t place = 1; place <= later.kinds_; ++place) {
        for (std::size_t k = 0; k < counts_.size(); ++k) {
            if (later.first_[k] != place) continue;
            if (counts_[k] == 0) first_[k] = ++kinds_;
            counts_[k] += later.counts_[k];
        }
    }
}

value_type type_evidence::kind() const {
    if (settled_ != value_type::missing) return settled_;
    value_type best = value_type::missing;
    std::size_t most = 0;
    for (std::uint8_t place = 1; place <= kinds_; ++place) {   // on a tie the kind seen first
        for (std::size_t k = 0; k < counts_.size(); ++k) {
            if (first_[k] != place || counts_[k] <= most) continue;
            most = counts_[k];
            best = static_cast<value_type>(k);
        }
    }
    return best;
}

value_type type_evidence::type_of_cells() const {
    const value_type best = kind();
    if (best == value_type::integer && decimals_) return value_type::decimal;
    if (best != value_type::text || !guess_) return best;
    const value_type t = cell_texts_.type(true);
    return t == value_type::missing ? value_type::text : t;
}

value_type type_evidence::type() const {
    value_type out = join(told_, has_texts_ ? texts_.type() : value_type::missing);
    out = join(out, type_of_cells());
    // Nobody has one: the header names it, and text fits what will come.
    return out == value_type::missing && has_texts_ ? value_type::text : out;
}

}  // namespace journeyman::detail
