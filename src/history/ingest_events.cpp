// Events into streams. Two passes over the columns: the first scatters rows by (stream, range of contacts) into buckets that
// fit the cache; the second sorts each bucket by contact there, by counting. Both keep the order of arrival; rows of a contact
// are sorted by time only where they came out of order. A radix sort, most significant digits first, whose first digit
// is as wide as the caches and the TLB bear.

#include <algorithm>
#include <bit>

#include "history/ingest.hpp"
#include "history/scratch.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman::detail {

namespace {

constexpr std::size_t bucket_rows = 1 << 14;
constexpr std::uint32_t widest_shift = 16;   // so that a contact within its bucket fits two bytes

struct partition {
    std::uint32_t first_key = 0;   // of the stream's buckets
    std::uint32_t shift = 0;       // contacts of bucket b: [b << shift, (b + 1) << shift)
    std::uint32_t buckets = 0;
    std::size_t begin = 0, end = 0;
};

/// One column in the order of the partitions: as one type, for the streams that give it this type.
struct staged_column {
    std::string name;
    value_type type = value_type::missing;
    std::vector<std::uint8_t> for_stream;   // empty: for all
    cell_reader reader;
    scratch<std::uint8_t> bytes{}, valid{};
    scratch<std::uint32_t> codes{};
    scratch<std::int64_t> integers{};
    scratch<double> decimals{};
    // Where every row of every stream has a cell, they go to their stream at once: by stream.
    bool whole = false;
    std::vector<std::vector<std::uint32_t>> whole_codes{};
    std::vector<std::vector<std::int64_t>> whole_integers{};
    std::vector<std::size_t> present{};     // by stream
    [[nodiscard]] bool serves(std::uint32_t stream) const { return for_stream.empty() || for_stream[stream] != 0; }
};

template <class T>
void scatter(T* out, const T* in, const std::uint32_t* dest, const row_bits& rows, bool all, std::size_t count) {
    if (all) {
        for (std::size_t i = 0; i < count; ++i) out[dest[i]] = in[i];
    } else {
        rows.each(count, [&](std::size_t i) { out[dest[i]] = in[i]; });
    }
}

/// The same into one vector a stream.
template <class T>
void scatter_whole(const std::vector<T*>& out, const T* in, const std::uint16_t* stream, const std::uint32_t* place, const row_bits& rows, bool all, std::size_t count) {
    T* const* to = out.data();
    if (all) {
        for (std::size_t i = 0; i < count; ++i) to[stream[i]][place[i]] = in[i];
    } else {
        rows.each(count, [&](std::size_t i) { to[stream[i]][place[i]] = in[i]; });
    }
}

class event_builder {
public:
    event_builder(ingestion& in, scanned_table& t) : in_{in}, t_{t}, table_{*t.table}, contacts_{in.data->contacts.size()}, streams_(in.event_names.size()) {}

    void run() {
        divide();
        if (rows_ == 0) {
            for (const auto& [name, source] : table_.fields) (void)in_.natural(table_, name, *source, in_.how(name, *source));   // later tables are to know
            return;
        }
        choose_columns();
        stage();
        for (std::uint32_t s = 0; s < streams_.size(); ++s) {
            if (streams_[s].begin != streams_[s].end) finish(s);
        }
    }

private:
    /// Final contact numbers, and how many rows each bucket gets.
    void divide() {
        const auto& rank = in_.contacts.rank();
        std::vector<std::size_t> counts(streams_.size(), 0);
        for (std::size_t r = 0; r < table_.rows; ++r) {
            if (t_.owner[r] == nobody) continue;
            t_.owner[r] = rank[t_.owner[r]];
            ++counts[t_.stream[r]];
        }
        const auto contact_bits = static_cast<std::uint32_t>(std::bit_width(std::max<std::size_t>(contacts_, 1) - 1));
        std::uint32_t keys = 0;
        for (std::size_t s = 0; s < streams_.size(); ++s) {
            partition& p = streams_[s];
            if (counts[s] == 0) continue;
            const auto wanted = static_cast<std::uint32_t>(std::bit_width((counts[s] - 1) / bucket_rows));
            p.shift = std::min(contact_bits > wanted ? contact_bits - wanted : 0, widest_shift);
            p.buckets = static_cast<std::uint32_t>((std::max<std::size_t>(contacts_, 1) - 1) >> p.shift) + 1;
            p.first_key = keys;
            keys += p.buckets;
            rows_ += counts[s];
        }
        starts_.assign(keys + std::size_t{1}, 0);
        for (std::size_t r = 0; r < table_.rows; ++r) {
            if (t_.owner[r] != nobody) ++starts_[key(r) + 1];
        }
        for (std::size_t k = 1; k < starts_.size(); ++k) starts_[k] += starts_[k - 1];
        for (partition& p : streams_) {
            p.begin = starts_[p.first_key];
            p.end = starts_[p.first_key + p.buckets];
        }
    }
    [[nodiscard]] std::uint32_t key(std::size_t row) const {
        const partition& p = streams_[t_.stream[row]];
        return p.first_key + (t_.owner[row] >> p.shift);
    }

    template <class T>
    std::vector<std::vector<T>> per_stream() const {
        std::vector<std::vector<T>> out(streams_.size());
        for (std::size_t s = 0; s < streams_.size(); ++s) {
            const std::size_t n = streams_[s].end - streams_[s].begin;
            if (n == 0) continue;
            reserve_large(out[s], n);
            out[s].resize(n);
        }
        return out;
    }
    template <class T>
    static std::vector<T*> places(std::vector<std::vector<T>>& all) {
        std::vector<T*> out;
        for (auto& v : all) out.push_back(v.data());
        return out;
    }

    void choose_columns() {
        for (const auto& [name, source] : table_.fields) {
            conversion how = in_.how(name, *source);
            const value_type own = in_.natural(table_, name, *source, how);
            std::vector<value_type> types(streams_.size(), own);
            for (std::size_t s = 0; s < streams_.size(); ++s) types[s] = property_type(*in_.seen, in_.event_names[s], name);
            std::vector<value_type> distinct;
            for (std::size_t s = 0; s < streams_.size(); ++s) {
                if (streams_[s].begin != streams_[s].end && std::find(distinct.begin(), distinct.end(), types[s]) == distinct.end()) distinct.push_back(types[s]);
            }
            for (const value_type type : distinct) {
                // A source whose type is unknown is read as text, so that its cells are at least reported.
                const value_type readable = type == value_type::missing && source->holds() == column_source::kind::none ? value_type::text : type;
                if (readable == value_type::missing) continue;
                how.strict = type == own;
                staged_column c{name, readable, {}, cell_reader{*source, readable, how}};
                if (distinct.size() > 1) for (const auto t : types) c.for_stream.push_back(t == type);
                c.present.assign(streams_.size(), 0);
                c.whole = distinct.size() == 1 && c.reader.never_missing();
                const std::size_t n = rows_;
                if (c.whole) {
                    if (readable == value_type::text) c.whole_codes = per_stream<std::uint32_t>();
                    else c.whole_integers = per_stream<std::int64_t>();
                } else switch (storage_of(readable)) {
                    case storage::bytes: c.bytes = scratch<std::uint8_t>{n}; break;
                    case storage::codes: c.codes = scratch<std::uint32_t>{n}; break;
                    case storage::integers: c.integers = scratch<std::int64_t>{n}; break;
                    case storage::decimals: c.decimals = scratch<double>{n}; break;
                    case storage::none: break;
                }
                if (!c.whole) c.valid = scratch<std::uint8_t>{n, true};
                columns_.push_back(std::move(c));
            }
        }
    }

    /// The first pass.
    void stage() {
        owner_ = scratch<std::uint16_t>{rows_};
        at_ = per_stream<std::int64_t>();
        order_ = per_stream<std::uint32_t>();
        if (!t_.event_id.empty()) event_id_ = scratch<std::uint32_t>{rows_};
        if (table_.arrived != nullptr) arrived_ = scratch<std::int64_t>{rows_};
        const auto at_places = places(at_);
        const auto order_places = places(order_);
        std::vector<std::size_t> heads(starts_.begin(), starts_.end() - 1);
        std::vector<std::uint32_t> order(block_rows);
        std::vector<std::uint16_t> local(block_rows);
        cell_block times, arrivals;
        cell_reader time_reader{*table_.timestamp, value_type::instant, in_.how("timestamp", *table_.timestamp)};
        std::unique_ptr<cell_reader> arrival_reader;
        if (table_.arrived != nullptr) arrival_reader = std::make_unique<cell_reader>(*table_.arrived, value_type::instant, in_.how("arrived_at", *table_.arrived));
        for (std::size_t begin = 0; begin < table_.rows; begin += block_rows) {
            const std::size_t count = std::min(block_rows, table_.rows - begin);
            const std::uint16_t* stream = t_.stream.data() + begin;
            row_bits rows;
            bool all = true;
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint32_t owner = t_.owner[begin + i];
                if (owner == nobody) {
                    all = false;
                    continue;
                }
                rows.set(i);
                const partition& p = streams_[stream[i]];
                const std::size_t to = heads[p.first_key + (owner >> p.shift)]++;
                dest_[i] = static_cast<std::uint32_t>(to);
                place_[i] = static_cast<std::uint32_t>(to - p.begin);
                local[i] = static_cast<std::uint16_t>(owner & ((1U << p.shift) - 1));
            }
            scatter(owner_.data(), local.data(), dest_.data(), rows, all, count);
            const std::int64_t* at = t_.at.empty() ? nullptr : t_.at.data() + begin;
            if (at == nullptr) {
                time_reader.read(begin, count, times);
                at = times.integers.data();
            }
            scatter_whole(at_places, at, stream, place_.data(), rows, all, count);
            for (std::size_t i = 0; i < count; ++i) order[i] = t_.order_of(begin + i);
            scatter_whole(order_places, order.data(), stream, place_.data(), rows, all, count);
            if (event_id_) scatter(event_id_.data(), t_.event_id.data() + begin, dest_.data(), rows, all, count);
            if (arrived_) {
                arrival_reader->read(begin, count, arrivals);
                for (const auto& [row, f] : arrivals.faults) if (t_.owner[row] != nobody) in_.reject_cell(table_, row, f, "arrived_at", *table_.arrived);
                for (std::size_t i = 0; i < count; ++i) if (!arrivals.valid.test(i)) arrivals.integers[i] = at[i];
                scatter(arrived_.data(), arrivals.integers.data(), dest_.data(), rows, all, count);
            }
            for (staged_column& c : columns_) stage_column(c, begin, count, rows, all);
        }
        t_.owner = {};
        t_.at = {};
        t_.order = {};
        t_.event_id = {};
        t_.stream = {};
    }

    void stage_column(staged_column& c, std::size_t begin, std::size_t count, const row_bits& rows, bool all_rows) {
        c.reader.read(begin, count, block_);
        const std::uint16_t* stream = t_.stream.data() + begin;
        if (c.whole) {
            if (c.type == value_type::text) scatter_whole(places(c.whole_codes), block_.codes.data(), stream, place_.data(), rows, all_rows, count);
            else scatter_whole(places(c.whole_integers), block_.integers.data(), stream, place_.data(), rows, all_rows, count);
            return;
        }
        for (const auto& [row, f] : block_.faults) {
            if (t_.owner[row] != nobody && c.serves(t_.stream[row])) in_.reject_cell(table_, row, f, c.name, c.reader.source());
        }
        row_bits wanted = block_.valid;
        bool all = all_rows;
        for (std::size_t w = 0; w * 64 < count; ++w) {
            wanted.set_word(w, wanted.word(w) & rows.word(w));
            all &= wanted.word(w) == (count - w * 64 >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (count - w * 64)) - 1);
        }
        if (!c.for_stream.empty()) {
            wanted.each(count, [&](std::size_t i) { if (!c.serves(stream[i])) { wanted.reset(i); all = false; } });
        }
        std::uint8_t* valid = c.valid.data();
        const std::uint32_t* dest = dest_.data();
        wanted.each(count, [&](std::size_t i) {
            valid[dest[i]] = 1;
            ++c.present[stream[i]];
        });
        switch (storage_of(c.type)) {
            case storage::bytes: return scatter(c.bytes.data(), block_.bytes.data(), dest, wanted, all, count);
            case storage::codes: return scatter(c.codes.data(), block_.codes.data(), dest, wanted, all, count);
            case storage::integers: return scatter(c.integers.data(), block_.integers.data(), dest, wanted, all, count);
            case storage::decimals: return scatter(c.decimals.data(), block_.decimals.data(), dest, wanted, all, count);
            case storage::none: return;
        }
    }

    // ---- the second pass, one stream

    struct sorted_column {
        staged_column* from = nullptr;
        bool whole = true;                    // nothing missing
        std::vector<std::uint8_t> bytes{};
        std::vector<std::uint32_t> codes{};
        std::vector<std::int64_t> integers{};
        std::vector<double> decimals{};
        std::vector<std::uint64_t> valid{};
    };

    void finish(std::uint32_t s) {
        const partition& p = streams_[s];
        const std::size_t n = p.end - p.begin;
        event_stream out;
        out.name = in_.event_names[s];
        std::vector<std::int64_t> at = std::move(at_[s]), arrived;
        std::vector<std::uint32_t> order = std::move(order_[s]), ids;
        owners_.clear();
        begins_.clear();
        if (event_id_ && std::any_of(event_id_.data() + p.begin, event_id_.data() + p.end, [](std::uint32_t id) { return id != static_cast<std::uint32_t>(no_text); })) reserve_large(ids, n);
        if (arrived_ && !std::equal(arrived_.data() + p.begin, arrived_.data() + p.end, at.begin())) reserve_large(arrived, n);
        std::vector<sorted_column> columns;
        for (staged_column& c : columns_) {
            if (!c.whole && c.present[s] == 0) continue;
            columns.emplace_back();
            sorted_column& to = columns.back();
            to.from = &c;
            if (c.whole) {
                if (c.type == value_type::text) to.codes = std::move(c.whole_codes[s]);
                else to.integers = std::move(c.whole_integers[s]);
                continue;
            }
            to.whole = c.present[s] == n;
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
            const std::size_t from = starts_[p.first_key + b], to = starts_[p.first_key + b + 1];
            if (from == to) continue;
            sort_bucket(from, to - from, from - p.begin, b << p.shift, std::size_t{1} << p.shift, at.data(), order.data());
            in_place(at.data() + (from - p.begin));
            in_place(order.data() + (from - p.begin));
            if (ids.capacity() > 0) gather(event_id_.data() + from, ids);
            if (arrived.capacity() > 0) gather(arrived_.data() + from, arrived);
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
        in_.data->streams.push_back(std::move(out));
    }

    /// Fills `permutation_`: which row of the bucket comes where. Notes the owners.
    void sort_bucket(std::size_t from, std::size_t n, std::size_t row, std::uint32_t first_contact, std::size_t contacts, const std::int64_t* at, const std::uint32_t* order) {
        const std::uint16_t* owner = owner_.data() + from;
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

    ingestion& in_;
    scanned_table& t_;
    const raw_table& table_;
    std::size_t contacts_, rows_ = 0;
    std::vector<partition> streams_;
    std::vector<std::size_t> starts_;
    std::vector<staged_column> columns_;
    scratch<std::uint16_t> owner_;                    // within the bucket
    std::vector<std::vector<std::int64_t>> at_;       // by stream, in place
    std::vector<std::vector<std::uint32_t>> order_;
    scratch<std::uint32_t> event_id_;
    scratch<std::int64_t> arrived_;
    std::vector<std::uint32_t> dest_ = std::vector<std::uint32_t>(block_rows), place_ = std::vector<std::uint32_t>(block_rows);   // over all streams, within the stream
    cell_block block_;
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

void build_events(ingestion& in, scanned_table& t) { event_builder{in, t}.run(); }

}  // namespace journeyman::detail
