#include "kpi/slots.hpp"

#include <algorithm>
#include <bit>

#include "predicate/kernels.hpp"

namespace journeyman::detail {

period_table::period_table(const narrow_times& times, const std::vector<std::int64_t>& bounds) {
    const auto none_of_them = static_cast<std::uint16_t>(bounds.size() / 2);
    between_.push_back(none_of_them);
    for (std::size_t p = 0; 2 * p < bounds.size(); ++p) {
        const std::int64_t from = bounds[2 * p], to = bounds[2 * p + 1];
        if (from >= to) continue;
        if (!edges_.empty() && edges_.back() == from) {
            between_.back() = static_cast<std::uint16_t>(p);
        } else {
            edges_.push_back(from);
            between_.push_back(static_cast<std::uint16_t>(p));
        }
        edges_.push_back(to);
        between_.push_back(none_of_them);
    }
    // What lies before the first row or after the last decides nothing.
    const auto begin = std::upper_bound(edges_.begin(), edges_.end(), times.first), end = std::upper_bound(begin, edges_.end(), times.last);
    between_ = {between_.begin() + (begin - edges_.begin()), between_.begin() + (end - edges_.begin()) + 1};
    edges_ = {begin, end};
    few_ = edges_.size() <= buckets_.size() && &best_kernels() != &plain_kernels();   // one row at a time, the table is quicker
    for (std::size_t k = 0; few_ && k < edges_.size(); ++k) buckets_[k] = times.bucket_of(edges_[k]);
    for (std::size_t k = 0; few_ && k <= edges_.size(); ++k) values_[k] = between_[k];
    std::size_t edge = 0;
    for (std::uint32_t first = 0; first <= 0xffff; first += 1U << shift) {
        const std::size_t before = edge;
        while (edge < edges_.size() && times.bucket_of(edges_[edge]) < first + (1U << shift)) ++edge;
        entry e{static_cast<std::uint16_t>(first - 1), 0, between_[before], between_[edge]};           // no bucket of these is first - 1
        if (edge > before) {
            e.low = times.bucket_of(edges_[before]);
            e.span = static_cast<std::uint16_t>(times.bucket_of(edges_[edge - 1]) - e.low);
        }
        entries_.push_back(e);
    }
}

void period_table::of(const std::uint16_t* bucket, const std::int64_t* at, std::uint32_t n, std::uint16_t* out) const {
    if (!few_) {
        for (std::uint32_t k = 0; k < n; ++k) out[k] = static_cast<std::uint16_t>(of(bucket[k], at + k));
        return;
    }
    constexpr std::uint32_t block = 4096;
    std::uint64_t on[block / 64];
    for (std::uint32_t first = 0; first < n; first += block) {
        const std::uint32_t m = std::min(block, n - first);
        best_kernels().ranks_16(bucket + first, m, buckets_.data(), edges_.size(), values_.data(), out + first, on);
        for (std::uint32_t w = 0; w < (m + 63) / 64; ++w)
            for (std::uint64_t left = on[w]; left != 0; left &= left - 1) {
                const std::uint32_t k = first + w * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
                out[k] = static_cast<std::uint16_t>(exact(at[k]));
            }
    }
}

std::uint32_t period_table::exact(std::int64_t at) const {
    return between_[static_cast<std::size_t>(std::upper_bound(edges_.begin(), edges_.end(), at) - edges_.begin())];
}

slot_stream::slot_stream(const program& p, const history_data& h, std::uint32_t slot, const std::vector<std::int64_t>& bounds) : stream_{h.stream(p.streams[slot])}, slot_{slot} {
    columns_.resize(p.properties.size(), nullptr);
    if (!empty()) {
        for (std::size_t k = 0; k < columns_.size(); ++k) columns_[k] = stream_->properties.find(p.properties[k]);
        times_ = narrow(stream_->rows);
        table_.emplace(*times_, bounds);
        all_.at = stream_->rows.at.data();
        all_.order = stream_->rows.order.data();
        all_.count = static_cast<std::uint32_t>(stream_->rows.rows());
    }
    all_.columns = columns_.data();
}

void slot_stream::slots(std::uint32_t first, std::uint32_t n, std::uint16_t* out) const {
    table_->of(times_->bucket.data() + first, stream_->rows.at.data() + first, n, out);
    for (const auto& c : codes_) {
        const std::uint8_t* code = c.of->code.data() + first;
        if (c.of->texts.size() <= 63) best_kernels().add_of_8(code, n, c.slot.data(), out);
        else
            for (std::uint32_t k = 0; k < n; ++k) out[k] = static_cast<std::uint16_t>(out[k] + c.slot[code[k]]);
    }
}

std::pair<std::uint32_t, std::uint32_t> slot_stream::range(std::uint32_t first, std::uint32_t last) const {
    const auto& r = stream_->rows;
    if (!r.dense.empty()) return {r.dense[first], r.dense[last]};
    const auto begin = [&](std::uint32_t owner) { return r.begins[static_cast<std::size_t>(std::lower_bound(r.owners.begin(), r.owners.end(), owner) - r.owners.begin())]; };
    return {begin(first), begin(last)};
}

std::size_t slot_frame::add(const program& p, const history_data& h, std::uint32_t slot) {
    for (std::size_t k = 0; k < streams_.size(); ++k)
        if (streams_[k].slot() == slot) return k;
    streams_.emplace_back(p, h, slot, bounds_);
    return streams_.size() - 1;
}

bool slot_frame::settle() {
    const std::uint32_t n = periods_count() + 1;
    if (n > most) return false;
    pitch_ = n <= 64 ? std::bit_ceil(n) : (n + 63) / 64 * 64;
    for (const auto property : properties_) {
        std::vector<std::pair<slot_stream*, std::shared_ptr<const narrow_codes>>> found;
        texts_.emplace_back();
        auto& texts = texts_.back();
        for (auto& s : streams_) {
            const column* cells = s.empty() ? nullptr : s.property(property);
            if (cells == nullptr || cells->size() == 0) continue;
            if (cells->type() != value_type::text) return false;
            auto codes = narrow(*cells);
            if (!codes->fits) return false;
            texts.insert(texts.end(), codes->texts.begin(), codes->texts.end());
            found.emplace_back(&s, std::move(codes));
        }
        std::sort(texts.begin(), texts.end());
        texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
        const std::uint64_t apart = std::uint64_t{combinations_} * pitch_;
        if (apart * (texts.size() + 1) > most) return false;
        for (auto& [s, codes] : found) {
            slot_stream::codes c{codes, {}};
            for (std::size_t k = 0; k < codes->texts.size(); ++k)
                c.slot[k] = static_cast<std::uint16_t>(apart * static_cast<std::uint64_t>(std::lower_bound(texts.begin(), texts.end(), codes->texts[k]) - texts.begin() + 1));
            s->codes_.push_back(std::move(c));
        }
        combinations_ *= static_cast<std::uint32_t>(texts.size() + 1);
    }
    for (auto& s : streams_) s.all_.columns = s.columns_.data();   // they may have moved
    return true;
}

value slot_frame::at(std::uint32_t combination, std::size_t k) const {
    for (std::size_t i = 0; i < k; ++i) combination /= static_cast<std::uint32_t>(texts_[i].size() + 1);
    const std::uint32_t code = combination % static_cast<std::uint32_t>(texts_[k].size() + 1);
    return code == 0 ? value{} : value::of(static_cast<text_id>(texts_[k][code - 1]));
}

void slot_frame::fold(const std::uint64_t* bits, std::uint32_t n, std::uint64_t* whole) const {
    const std::uint32_t width = words(), m = whole_words();
    if (m > 1) {
        std::fill_n(whole, std::size_t{n} * m, 0);
        for (std::uint32_t i = 0; i < n; ++i, bits += width, whole += m) {
            for (std::uint32_t w = 0; w < (combinations_ * pitch_ + 63) / 64; ++w) whole[w % m] |= bits[w];
            if (const auto p = periods_count(); p % 64 != 0) whole[p / 64] &= (std::uint64_t{1} << (p % 64)) - 1;   // what lies in none
        }
        return;
    }
    best_kernels().fold(bits, width, n, pitch_, (std::uint64_t{1} << periods_count()) - 1, whole);
}

}  // namespace journeyman::detail
