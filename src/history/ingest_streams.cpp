// The second pass over events: a stream from its buckets.

#include <algorithm>
#include <array>

#include "history/ingest.hpp"
#include "history/ingest_staged.hpp"

namespace journeyman::detail {

namespace {

class stream_finisher {
public:
    stream_finisher(staged_events& all, std::uint32_t s, std::size_t contacts) : all_{all}, s_{s}, contacts_{contacts} {}

    event_stream run() {
        const partition& p = all_.streams[s_];
        const std::size_t n = p.rows();
        event_stream out;
        std::vector<std::int64_t> at = std::move(all_.at[s_]), arrived;
        std::vector<std::uint32_t> order = std::move(all_.order[s_]), ids;
        if (all_.event_id && std::any_of(all_.event_id.data() + p.begin, all_.event_id.data() + p.end, [](std::uint32_t id) { return id != static_cast<std::uint32_t>(no_text); })) reserve_large(ids, n);
        if (all_.arrived && !std::equal(all_.arrived.data() + p.begin, all_.arrived.data() + p.end, at.begin())) reserve_large(arrived, n);
        std::vector<sorted_column> columns;
        for (staged_column& c : all_.columns) {
            if (!c.whole && c.present[s_] == 0) continue;
            columns.emplace_back();
            sorted_column& to = columns.back();
            to.from = &c;
            if (c.whole) {
                if (c.type == value_type::text) to.codes = std::move(c.whole_codes[s_]);
                else to.integers = std::move(c.whole_integers[s_]);
                continue;
            }
            to.whole = c.present[s_] == n;
            if (!to.whole) to.valid.assign((n + 63) / 64, 0);
            switch (storage_of(c.type)) {
                case storage::bytes: to.bytes.reserve(n); break;
                case storage::codes: reserve_large(to.codes, n); break;
                case storage::integers: reserve_large(to.integers, n); break;
                case storage::decimals: reserve_large(to.decimals, n); break;
                case storage::none: break;
            }
        }
        for (std::uint32_t b = 0; b < p.buckets; ++b) {
            const std::size_t from = all_.starts[p.first_key + b], to = all_.starts[p.first_key + b + 1];
            if (from == to) continue;
            sort_bucket(from, to - from, from - p.begin, b << p.shift, std::size_t{1} << p.shift, at.data(), order.data());
            in_place(at.data() + (from - p.begin));
            in_place(order.data() + (from - p.begin));
            if (ids.capacity() > 0) gather(all_.event_id.data() + from, ids);
            if (arrived.capacity() > 0) gather(all_.arrived.data() + from, arrived);
            for (sorted_column& c : columns) gather_column(c, from, from - p.begin);
        }
        begins_.push_back(static_cast<std::uint32_t>(n));
        out.rows = timeline_of(owners_, begins_, contacts_, std::move(at), std::move(order));
        out.ids = std::move(ids);
        out.arrived = std::move(arrived);
        for (sorted_column& c : columns) {
            column ready;
            switch (storage_of(c.from->type)) {
                case storage::bytes: ready = column::adopt_bytes(std::move(c.bytes), std::move(c.valid)); break;
                case storage::codes: ready = column::adopt_codes(c.from->type, std::move(c.codes), std::move(c.valid)); break;
                case storage::integers: ready = column::adopt_integers(c.from->type, std::move(c.integers), std::move(c.valid)); break;
                case storage::decimals: ready = column::adopt_decimals(std::move(c.decimals), std::move(c.valid)); break;
                case storage::none: break;
            }
            out.properties.columns.emplace_back(c.from->name, std::move(ready));
        }
        std::sort(out.properties.columns.begin(), out.properties.columns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        return out;
    }

private:
    struct sorted_column {
        staged_column* from = nullptr;
        bool whole = true;                    // nothing missing
        std::vector<std::uint8_t> bytes{};
        std::vector<std::uint32_t> codes{};
        std::vector<std::int64_t> integers{};
        std::vector<double> decimals{};
        std::vector<std::uint64_t> valid{};
    };

    /// Fills `permutation_`: which row of the bucket comes where. Notes the owners.
    void sort_bucket(std::size_t from, std::size_t n, std::size_t row, std::uint32_t first_contact, std::size_t contacts, const std::int64_t* at, const std::uint32_t* order) {
        const std::uint16_t* owner = all_.owner.data() + from;
        at += row;
        order += row;
        permutation_.resize(n);
        const auto row_base = static_cast<std::uint32_t>(row);
        ranges_.clear();
        if (contacts <= 8 * n + 64) {
            counts_.assign(contacts + 1, 0);
            for (std::size_t i = 0; i < n; ++i) ++counts_[owner[i] + std::size_t{1}];
            for (std::size_t c = 0; c < contacts; ++c) {
                if (counts_[c + 1] != 0) {
                    owners_.push_back(first_contact + static_cast<std::uint32_t>(c));
                    begins_.push_back(row_base + counts_[c]);
                    ranges_.push_back(counts_[c]);
                }
                counts_[c + 1] += counts_[c];
            }
            for (std::size_t i = 0; i < n; ++i) permutation_[counts_[owner[i]]++] = static_cast<std::uint32_t>(i);
        } else {
            keys_.resize(n);
            for (std::size_t i = 0; i < n; ++i) keys_[i] = static_cast<std::uint64_t>(owner[i]) << 32 | i;
            std::sort(keys_.begin(), keys_.end());
            for (std::size_t k = 0; k < n; ++k) {
                permutation_[k] = static_cast<std::uint32_t>(keys_[k]);
                if (k > 0 && keys_[k] >> 32 == keys_[k - 1] >> 32) continue;
                owners_.push_back(first_contact + static_cast<std::uint32_t>(keys_[k] >> 32));
                begins_.push_back(row_base + static_cast<std::uint32_t>(k));
                ranges_.push_back(static_cast<std::uint32_t>(k));
            }
        }
        ranges_.push_back(static_cast<std::uint32_t>(n));
        const auto before = [&](std::uint32_t a, std::uint32_t b) { return at[a] != at[b] ? at[a] < at[b] : order[a] < order[b]; };
        for (std::size_t k = 0; k + 1 < ranges_.size(); ++k) {
            const auto begin = permutation_.begin() + ranges_[k], end = permutation_.begin() + ranges_[k + 1];
            if (!std::is_sorted(begin, end, before)) std::stable_sort(begin, end, before);
        }
    }

    template <class T>
    void in_place(T* cells) {
        auto& copy = [this]() -> std::vector<T>& {
            if constexpr (sizeof(T) == 8) return wide_;
            else return narrow_;
        }();
        copy.assign(cells, cells + permutation_.size());
        for (std::size_t k = 0; k < permutation_.size(); ++k) cells[k] = copy[permutation_[k]];
    }
    template <class T>
    void gather(const T* from, std::vector<T>& to) const {
        std::array<T, 1024> some;
        for (std::size_t k = 0; k < permutation_.size(); k += some.size()) {
            const std::size_t m = std::min(some.size(), permutation_.size() - k);
            for (std::size_t i = 0; i < m; ++i) some[i] = from[permutation_[k + i]];
            to.insert(to.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(m));
        }
    }
    template <class T>
    void gather_present(const T* from, const std::uint8_t* valid, T nothing, std::vector<T>& to) const {
        for (const auto i : permutation_) to.push_back(valid[i] != 0 ? from[i] : nothing);
    }
    void gather_column(sorted_column& c, std::size_t from, std::size_t row) {
        const staged_column& s = *c.from;
        if (s.whole) return s.type == value_type::text ? in_place(c.codes.data() + row) : in_place(c.integers.data() + row);
        const std::uint8_t* valid = s.valid.data() + from;
        if (!c.whole) for (std::size_t k = 0; k < permutation_.size(); ++k) c.valid[(row + k) >> 6] |= static_cast<std::uint64_t>(valid[permutation_[k]]) << ((row + k) & 63);
        switch (storage_of(s.type)) {
            case storage::bytes: return c.whole ? gather(s.bytes.data() + from, c.bytes) : gather_present(s.bytes.data() + from, valid, std::uint8_t{0}, c.bytes);
            case storage::codes: return c.whole ? gather(s.codes.data() + from, c.codes) : gather_present(s.codes.data() + from, valid, static_cast<std::uint32_t>(no_text), c.codes);
            case storage::integers: return c.whole ? gather(s.integers.data() + from, c.integers) : gather_present(s.integers.data() + from, valid, std::int64_t{0}, c.integers);
            case storage::decimals: return c.whole ? gather(s.decimals.data() + from, c.decimals) : gather_present(s.decimals.data() + from, valid, 0.0, c.decimals);
            case storage::none: return;
        }
    }
    staged_events& all_;
    std::uint32_t s_;
    std::size_t contacts_;
    std::vector<std::uint32_t> permutation_, counts_, ranges_, owners_, begins_;
    std::vector<std::uint64_t> keys_;
    std::vector<std::int64_t> wide_;
    std::vector<std::uint32_t> narrow_;
};

}  // namespace

timeline timeline_of(const std::vector<std::uint32_t>& owners, const std::vector<std::uint32_t>& begins, std::size_t contacts, shared_vector<std::int64_t> at, shared_vector<std::uint32_t> order) {
    timeline rows;
    rows.at = std::move(at);
    rows.order = std::move(order);
    if (owners.size() <= contacts / 8) {
        rows.owners = owners;
        rows.begins = begins;
        return rows;
    }
    std::vector<std::uint32_t> dense;
    dense.reserve(contacts + 1);
    for (std::size_t k = 0; k < owners.size(); ++k) {
        while (dense.size() <= owners[k]) dense.push_back(begins[k]);
    }
    while (dense.size() <= contacts) dense.push_back(begins.back());
    rows.dense = std::move(dense);
    return rows;
}

event_stream finish_stream(staged_events& all, std::uint32_t stream, std::size_t contacts) { return stream_finisher{all, stream, contacts}.run(); }

}  // namespace journeyman::detail
