#include "kpi/totals.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace journeyman::detail {

void totals::end_contact() {
    const std::size_t n = now_.size();
    if (!products_.empty()) {
        for (std::size_t j = 0; j < n; ++j) {
            const amount& x = now_[j];
            if (x.whole == 0 && x.decimals.empty()) continue;
            for (std::size_t k = 0; k <= j; ++k) {
                const amount& y = now_[k];
                if (y.whole == 0 && y.decimals.empty()) continue;
                amount& product = products_[at(j, k)];
                if (x.decimals.empty() && y.decimals.empty() && is_small(x.whole) && is_small(y.whole)) {
                    product.whole += x.whole * y.whole;
                    continue;
                }
                // The rounding error of a product is a double too, so the sum stays exact and free of order.
                const double a = x.value(shape_->divisors[j]), b = y.value(shape_->divisors[k]), p = a * b;
                product.decimals.add(p);
                if (std::isfinite(p)) product.decimals.add(std::fma(a, b, -p));
            }
        }
    }
    for (std::size_t j = 0; j < n; ++j) {
        sums_[j].merge(now_[j]);
        now_[j].clear();
    }
    immature_ += immature_now_;
    immature_now_ = 0;
    open_ = false;
}

void totals::merge(const totals& o, const std::vector<std::uint32_t>& numbers) {
    for (std::size_t m = 0; m < sums_.size(); ++m) sums_[m].merge(o.sums_[m]);
    for (std::size_t k = 0; k < products_.size(); ++k) products_[k].merge(o.products_[k]);
    for (const auto& [measure, others] : o.accounts_) {
        auto& mine = accounts_[measure];
        for (const auto n : others.numbers) mine.numbers.insert(numbers[n]);
        mine.sketch.merge(others.sketch);
    }
    immature_ += o.immature_;
}

void cell_totals::merge(const cell_totals& o, const std::vector<std::uint32_t>& numbers) {
    for (std::uint32_t c = 0; c < o.keys_.size(); ++c) {
        auto key = *o.keys_[c];
        for (auto& n : key) n = numbers[n];
        const auto mine = cell(std::move(key));
        for (std::uint32_t p = 0; p < o.totals_[c].size(); ++p)
            if (o.totals_[c][p]) at(mine, p).merge(*o.totals_[c][p], numbers);
    }
    for (const auto& [period, money] : o.unscoped) unscoped[period].merge(money);
}

std::vector<std::size_t> cell_totals::sorted(const cell_texts& texts) const {
    std::vector<std::size_t> out(cells());
    for (std::size_t c = 0; c < out.size(); ++c) out[c] = c;
    std::sort(out.begin() + 1, out.end(), [&](std::size_t a, std::size_t b) {
        const auto &x = key(a), &y = key(b);
        return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), [&](std::uint32_t i, std::uint32_t j) { return texts.text(i) < texts.text(j); });
    });
    return out;
}

double totals::total(std::size_t measure) const {
    if (shape_->kinds[measure] == total_kind::accounts) {
        const auto it = accounts_.find(measure);
        if (it == accounts_.end()) return 0;
        return shape_->precision == 0 ? static_cast<double>(it->second.numbers.size()) : it->second.sketch.estimate();
    }
    return sums_[measure].value(shape_->divisors[measure]);
}

double totals::product(std::size_t j, std::size_t k) const {
    return products_.empty() ? 0.0 : products_[at(j, k)].value(shape_->divisors[j] * shape_->divisors[k]);
}

std::uint32_t cell_totals::cell(std::vector<std::uint32_t> key) {
    const auto [it, fresh] = index_.try_emplace(std::move(key), static_cast<std::uint32_t>(keys_.size()));
    if (fresh) {
        keys_.push_back(&it->first);
        totals_.emplace_back();
    }
    return it->second;
}

totals& cell_totals::at(std::uint32_t cell, std::uint32_t period) {
    auto& by_period = totals_[cell];
    if (by_period.empty()) by_period.resize(periods_);
    if (!by_period[period]) by_period[period] = std::make_unique<totals>(*shape_);
    return *by_period[period];
}

std::uint32_t cell_texts::number(const value& v, const text_pool& pool) {
    if (v.is_missing()) return 0;
    const std::int64_t bits = v.type == value_type::decimal ? std::bit_cast<std::int64_t>(v.d) : v.i;
    const auto [it, fresh] = by_value_[static_cast<std::size_t>(v.type)].try_emplace(bits, 0);
    if (fresh) it->second = number(to_text(v, pool));
    return it->second;
}

std::vector<std::uint32_t> cell_texts::take(const cell_texts& o) {
    std::vector<std::uint32_t> out;
    out.reserve(o.size());
    for (const auto* t : o.texts_) out.push_back(number(*t));
    return out;
}

}  // namespace journeyman::detail
