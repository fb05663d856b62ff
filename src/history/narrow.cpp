#include "journeyman/history/narrow.hpp"

#include <algorithm>
#include <bit>

#include "history/scratch.hpp"
#include "history/settle.hpp"

namespace journeyman {
namespace {

/// Buckets span what most rows lie in; an instant far off must not make all of them coarse. Whatever is chosen, answers are the same.
void choose_buckets(narrow_times& out, const timeline& rows) {
    const std::size_t n = rows.rows(), step = std::max<std::size_t>(n / 1000, 1);
    std::vector<std::int64_t> some;
    for (std::size_t r = 0; r < n; r += step) some.push_back(rows.at[r]);
    std::sort(some.begin(), some.end());
    const std::int64_t low = some[some.size() / 100], high = some[some.size() - 1 - some.size() / 100];
    const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low), margin = span / 8;
    const auto below = static_cast<std::uint64_t>(low) - static_cast<std::uint64_t>(out.first), above = static_cast<std::uint64_t>(out.last) - static_cast<std::uint64_t>(high);
    const std::uint64_t before = std::min(margin, below), after = std::min(margin, above);
    out.base = low - static_cast<std::int64_t>(before);
    out.shift = std::max(static_cast<int>(std::bit_width(span + before + after)) - 16, 0);
}

narrow_times make(const timeline& rows) {
    narrow_times out;
    const std::size_t n = rows.rows();
    if (n == 0) return out;
    const std::int64_t* at = rows.at.data();
    out.of = at;
    out.first = out.last = at[0];
    for (std::size_t r = 0; r < n; ++r) {
        out.first = std::min(out.first, at[r]);
        out.last = std::max(out.last, at[r]);
    }
    choose_buckets(out, rows);
    detail::reserve_large(out.bucket, n);
    detail::reserve_large(out.place, n);
    out.bucket.resize(n);
    out.place.resize(n);
    for (std::size_t r = 0; r < n; ++r) out.bucket[r] = out.bucket_of(at[r]);
    const auto fill = [&](std::uint32_t owner, std::uint32_t begin, std::uint32_t end) { std::fill(out.place.begin() + begin, out.place.begin() + end, static_cast<std::uint16_t>(owner % contacts_at_once)); };
    for (std::uint32_t c = 0; c + 1 < rows.dense.size(); ++c) {
        fill(c, rows.dense[c], rows.dense[c + 1]);
        out.latest.push_back(rows.dense[c] < rows.dense[c + 1] ? out.bucket[rows.dense[c + 1] - 1] : std::uint16_t{0});
    }
    if (rows.dense.empty()) for (std::size_t k = 0; k < rows.owners.size(); ++k) fill(rows.owners[k], rows.begins[k], rows.begins[k + 1]);
    return out;
}

narrow_codes make(const column& cells) {
    constexpr auto unmet = std::uint16_t{0xffff};
    narrow_codes out;
    const auto codes = cells.codes();
    out.of = codes.data();
    std::uint32_t most = 0;
    for (std::size_t r = 0; r < codes.size(); ++r) if (cells.present(r)) most = std::max(most, codes[r]);
    std::vector<std::uint16_t> number(std::size_t{most} + 1, unmet);
    detail::reserve_large(out.code, codes.size());
    out.code.resize(codes.size());
    for (std::size_t r = 0; r < codes.size(); ++r) {
        if (!cells.present(r)) {
            out.code[r] = narrow_codes::missing;
            continue;
        }
        std::uint16_t& mine = number[codes[r]];
        if (mine == unmet) {
            if (out.texts.size() == narrow_codes::missing) {
                narrow_codes none;
                none.of = out.of;
                return none;
            }
            mine = static_cast<std::uint16_t>(out.texts.size());
            out.texts.push_back(codes[r]);
        }
        out.code[r] = static_cast<std::uint8_t>(mine);
    }
    out.fits = true;
    return out;
}

}  // namespace

std::shared_ptr<const narrow_times> narrow(const timeline& rows) {
    if (rows.narrow.settled()) {
        auto shared = rows.narrow.get([&] { return make(rows); });
        if (shared->of == rows.at.data() && shared->bucket.size() == rows.rows()) return shared;
    }
    return std::make_shared<const narrow_times>(make(rows));
}

std::shared_ptr<const narrow_codes> narrow(const column& cells) {
    if (cells.narrow().settled()) {
        auto shared = cells.narrow().get([&] { return make(cells); });
        if (shared->of == cells.codes().data() && (!shared->fits || shared->code.size() == cells.size())) return shared;
    }
    return std::make_shared<const narrow_codes>(make(cells));
}

void detail::settle(history_data& h) {
    const auto settle_texts = [](column& c) { if (c.type() == value_type::text) c.settle(); };
    for (auto& s : h.streams) {
        s.rows.narrow.settle();
        for (auto& [name, cells] : s.properties.columns) settle_texts(cells);
    }
    for (auto& a : h.contact_attributes) settle_texts(a.base);
}

}  // namespace journeyman
