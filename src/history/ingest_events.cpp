// Events into streams. Two passes over the columns: the first scatters rows by (stream, range of contacts) into buckets that
// fit the cache; the second sorts each bucket by contact there, by counting. Both keep the order of arrival; rows of a contact
// are sorted by time only where they came out of order. A radix sort, most significant digits first, whose first digit
// is as wide as the caches and the TLB bear.
// Threads share the first pass by rows, whose places are counted beforehand, and the second by streams.

#include <algorithm>
#include <bit>
#include <mutex>

#include "history/ingest.hpp"
#include "history/ingest_staged.hpp"

namespace journeyman::detail {

namespace {

constexpr std::size_t bucket_rows = 1 << 14;
constexpr std::uint32_t widest_shift = 16;   // so that a contact within its bucket fits two bytes
constexpr std::size_t most_pieces = 64;

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

/// Rows that one thread stages at a stretch.
struct piece {
    std::size_t begin = 0, end = 0;
    const scanned_part* part = nullptr;
    const std::uint32_t* finals = nullptr;   // by number of the part: the contact
    std::vector<std::uint32_t> heads;        // by key: first how many of its rows go there, then where its next one goes
    rejection_log arrivals;
    std::vector<rejection_log> cells;        // by column
};

/// A block of rows on their way.
struct moving_block {
    std::vector<std::uint32_t> dest = std::vector<std::uint32_t>(block_rows), place = std::vector<std::uint32_t>(block_rows);   // over all streams, within the stream
    row_bits rows;                           // those that can be used
    bool all = true;
    cell_block cells;
};

class event_builder {
public:
    event_builder(ingestion& in, scanned_table& t) : in_{in}, t_{t}, table_{*t.table}, contacts_{in.data->contacts.size()}, streams_{to_.streams} { streams_.resize(in.event_names.size()); }

    void run() {
        divide();
        if (rows_ == 0) {
            for (const auto& [name, source] : table_.fields) (void)in_.natural(table_, name, *source, in_.how(name, *source));   // later tables are to know
            return;
        }
        choose_columns();
        make_room();
        stage();
        std::vector<event_stream> done(by_size_.size());
        share(by_size_.size(), in_.threads, [&](std::size_t k) {
            done[k] = finish_stream(to_, by_size_[k], contacts_);
            done[k].name = in_.event_names[by_size_[k]];
        });
        for (auto& stream : done) in_.data->streams.push_back(std::move(stream));
    }

private:
    /// Final contacts and streams, and where the rows of each piece go in each bucket.
    void divide() {
        t_.stream_rows.resize(streams_.size(), 0);
        const auto contact_bits = static_cast<std::uint32_t>(std::bit_width(std::max<std::size_t>(contacts_, 1) - 1));
        std::uint32_t keys = 0;
        for (std::size_t s = 0; s < streams_.size(); ++s) {
            partition& p = streams_[s];
            if (t_.stream_rows[s] == 0) continue;
            const auto wanted = static_cast<std::uint32_t>(std::bit_width((t_.stream_rows[s] - 1) / bucket_rows));
            p.shift = std::min(contact_bits > wanted ? contact_bits - wanted : 0, widest_shift);
            p.buckets = static_cast<std::uint32_t>((std::max<std::size_t>(contacts_, 1) - 1) >> p.shift) + 1;
            p.first_key = keys;
            keys += p.buckets;
        }
        const auto finals = final_numbers();
        const std::size_t size = std::max(fewest_rows, (table_.rows / most_pieces / block_rows + 1) * block_rows);
        for (std::size_t k = 0; k < t_.parts.size(); ++k) {
            const scanned_part& part = t_.parts[k];
            for (std::size_t begin = part.begin; begin < part.end; begin += size) {
                piece& x = pieces_.emplace_back();
                x.begin = begin;
                x.end = std::min(begin + size, part.end);
                x.part = &part;
                x.finals = part.owners.empty() ? in_.contacts.rank().data() : finals[k].data();
            }
        }
        share(pieces_.size(), in_.threads, [&](std::size_t k) { count(pieces_[k], keys); });
        to_.starts.assign(keys + std::size_t{1}, 0);
        std::size_t next = 0;
        for (std::size_t key = 0; key < keys; ++key) {
            to_.starts[key] = next;
            for (piece& x : pieces_) next += std::exchange(x.heads[key], static_cast<std::uint32_t>(next));
        }
        to_.starts[keys] = rows_ = next;
        for (std::uint32_t s = 0; s < streams_.size(); ++s) {
            partition& p = streams_[s];
            p.begin = to_.starts[p.first_key];
            p.end = to_.starts[p.first_key + p.buckets];
            if (p.rows() > 0) by_size_.push_back(s);
        }
        std::stable_sort(by_size_.begin(), by_size_.end(), [&](std::uint32_t a, std::uint32_t b) { return streams_[a].rows() > streams_[b].rows(); });
    }
    /// By part and its numbers, where it has numbers of its own.
    [[nodiscard]] std::vector<std::vector<std::uint32_t>> final_numbers() const {
        const auto& rank = in_.contacts.rank();
        std::vector<std::vector<std::uint32_t>> out;
        for (const scanned_part& part : t_.parts) {
            auto& finals = out.emplace_back();
            for (const auto first : part.owners) finals.push_back(rank[first]);
        }
        return out;
    }
    void count(piece& x, std::uint32_t keys) {
        x.heads.assign(keys, 0);
        std::uint32_t* const owner = t_.owner.data();
        std::uint16_t* const stream = t_.stream.data();
        const std::uint16_t* const streams = x.part->streams.data();
        for (std::size_t r = x.begin; r < x.end; ++r) {
            if (owner[r] == nobody) continue;
            owner[r] = x.finals[owner[r]];
            stream[r] = streams[stream[r]];
            ++x.heads[key(stream[r], owner[r])];
        }
    }
    [[nodiscard]] std::uint32_t key(std::uint16_t stream, std::uint32_t owner) const {
        const partition& p = streams_[stream];
        return p.first_key + (owner >> p.shift);
    }

    void choose_columns() {
        for (const auto& [name, source] : table_.fields) {
            conversion how = in_.how(name, *source);
            const value_type own = in_.natural(table_, name, *source, how);
            std::vector<value_type> types(streams_.size(), own);
            for (std::size_t s = 0; s < streams_.size(); ++s) types[s] = property_type(*in_.seen, in_.event_names[s], name);
            std::vector<value_type> distinct;
            for (std::size_t s = 0; s < streams_.size(); ++s) {
                if (streams_[s].rows() > 0 && std::find(distinct.begin(), distinct.end(), types[s]) == distinct.end()) distinct.push_back(types[s]);
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
                c.shared = c.reader.ready_to_share(std::max<std::size_t>(4096, rows_ / 16));
                const std::size_t n = rows_;
                if (!c.whole) {
                    switch (storage_of(readable)) {
                        case storage::bytes: c.bytes = scratch<std::uint8_t>{n}; break;
                        case storage::codes: c.codes = scratch<std::uint32_t>{n}; break;
                        case storage::integers: c.integers = scratch<std::int64_t>{n}; break;
                        case storage::decimals: c.decimals = scratch<double>{n}; break;
                        case storage::none: break;
                    }
                    c.valid = scratch<std::uint8_t>{n, true};
                }
                to_.columns.push_back(std::move(c));
            }
        }
    }
    void make_room() {
        to_.owner = scratch<std::uint16_t>{rows_};
        if (!t_.event_id.empty()) to_.event_id = scratch<std::uint32_t>{rows_};
        if (table_.arrived != nullptr) to_.arrived = scratch<std::int64_t>{rows_};
        const auto by_stream = [&](auto& all) { all.resize(streams_.size()); };
        by_stream(to_.at);
        by_stream(to_.order);
        for (staged_column& c : to_.columns) {
            if (!c.whole) continue;
            if (c.type == value_type::text) by_stream(c.whole_codes);
            else by_stream(c.whole_integers);
        }
        share(by_size_.size(), in_.threads, [&](std::size_t k) {
            const std::uint32_t s = by_size_[k];
            const auto room = [&](auto& all) {
                if (all.empty()) return;
                reserve_large(all[s], streams_[s].rows());
                all[s].resize(streams_[s].rows());
            };
            room(to_.at);
            room(to_.order);
            for (staged_column& c : to_.columns) {
                room(c.whole_codes);
                room(c.whole_integers);
            }
        });
    }
    template <class T>
    static std::vector<T*> places(std::vector<std::vector<T>>& all) {
        std::vector<T*> out;
        for (auto& v : all) out.push_back(v.data());
        return out;
    }

    /// The first pass.
    void stage() {
        const bool all_shared = std::all_of(to_.columns.begin(), to_.columns.end(), [](const staged_column& c) { return c.shared; });
        share(pieces_.size(), in_.threads, [&](std::size_t k) { stage_piece(pieces_[k], !all_shared); });
        // Columns whose texts get their numbers as they are met: each by one thread, row by row.
        moving_block block;
        for (std::size_t c = 0; c < to_.columns.size(); ++c) {
            staged_column& column = to_.columns[c];
            if (column.shared) continue;
            cell_reader reader = column.reader;
            for (piece& x : pieces_) {
                for (std::size_t begin = x.begin; begin < x.end; begin += block_rows) {
                    const std::size_t count = std::min(block_rows, x.end - begin);
                    recall(block, begin, count);
                    stage_column(column, reader, block, begin, count, column.present, x.cells[c]);
                }
            }
        }
        for (piece& x : pieces_) in_.log.append(std::move(x.arrivals));
        for (std::size_t c = 0; c < to_.columns.size(); ++c) for (piece& x : pieces_) in_.log.append(std::move(x.cells[c]));
        pieces_.clear();
        t_.owner = {};
        t_.at = {};
        t_.order = {};
        t_.event_id = {};
        t_.stream = {};
    }
    void stage_piece(piece& x, bool remember) {
        const auto at_places = places(to_.at);
        const auto order_places = places(to_.order);
        std::vector<std::uint32_t> order(block_rows);
        std::vector<std::uint16_t> local(block_rows);
        moving_block block;
        cell_block times, arrivals;
        cell_reader time_reader{*table_.timestamp, value_type::instant, in_.how("timestamp", *table_.timestamp)};
        std::unique_ptr<cell_reader> arrival_reader;
        if (table_.arrived != nullptr) arrival_reader = std::make_unique<cell_reader>(*table_.arrived, value_type::instant, in_.how("arrived_at", *table_.arrived));
        x.cells.resize(to_.columns.size());
        std::vector<cell_reader> readers;
        std::vector<std::vector<std::size_t>> present;
        for (const staged_column& c : to_.columns) {
            readers.push_back(c.reader);
            present.emplace_back(c.shared && !c.whole ? streams_.size() : 0, 0);
        }
        for (std::size_t begin = x.begin; begin < x.end; begin += block_rows) {
            const std::size_t count = std::min(block_rows, x.end - begin);
            place(x, block, begin, count, local.data(), remember);
            const std::uint16_t* stream = t_.stream.data() + begin;
            scatter(to_.owner.data(), local.data(), block.dest.data(), block.rows, block.all, count);
            const std::int64_t* at = t_.at.empty() ? nullptr : t_.at.data() + begin;
            if (at == nullptr) {
                time_reader.read(begin, count, times);
                at = times.integers.data();
            }
            scatter_whole(at_places, at, stream, block.place.data(), block.rows, block.all, count);
            for (std::size_t i = 0; i < count; ++i) order[i] = t_.order_of(begin + i);
            scatter_whole(order_places, order.data(), stream, block.place.data(), block.rows, block.all, count);
            if (to_.event_id) scatter(to_.event_id.data(), t_.event_id.data() + begin, block.dest.data(), block.rows, block.all, count);
            if (to_.arrived) {
                arrival_reader->read(begin, count, arrivals);
                for (const auto& [row, f] : arrivals.faults) if (t_.owner[row] != nobody) reject_cell(x.arrivals, table_, row, f, "arrived_at", *table_.arrived);
                for (std::size_t i = 0; i < count; ++i) if (!arrivals.valid.test(i)) arrivals.integers[i] = at[i];
                scatter(to_.arrived.data(), arrivals.integers.data(), block.dest.data(), block.rows, block.all, count);
            }
            for (std::size_t c = 0; c < to_.columns.size(); ++c) {
                if (to_.columns[c].shared) stage_column(to_.columns[c], readers[c], block, begin, count, present[c], x.cells[c]);
            }
        }
        const std::lock_guard lock{counting_};
        for (std::size_t c = 0; c < to_.columns.size(); ++c) {
            for (std::size_t s = 0; s < present[c].size(); ++s) to_.columns[c].present[s] += present[c][s];
        }
    }
    /// Where the rows of a block go. `remember`: for `recall`, in the place of the contact.
    void place(piece& x, moving_block& block, std::size_t begin, std::size_t count, std::uint16_t* local, bool remember) {
        std::uint32_t* const owners = t_.owner.data() + begin;
        const std::uint16_t* const stream = t_.stream.data() + begin;
        std::uint32_t* const heads = x.heads.data();
        block.rows.clear();
        block.all = true;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t owner = owners[i];
            if (owner == nobody) {
                block.all = false;
                continue;
            }
            block.rows.set(i);
            const partition& p = streams_[stream[i]];
            const std::uint32_t to = heads[p.first_key + (owner >> p.shift)]++;
            block.dest[i] = to;
            block.place[i] = static_cast<std::uint32_t>(to - p.begin);
            local[i] = static_cast<std::uint16_t>(owner & ((1U << p.shift) - 1));
        }
        if (remember) block.rows.each(count, [&](std::size_t i) { owners[i] = block.dest[i]; });
    }
    void recall(moving_block& block, std::size_t begin, std::size_t count) const {
        block.rows.clear();
        block.all = true;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t to = t_.owner[begin + i];
            if (to == nobody) {
                block.all = false;
                continue;
            }
            block.rows.set(i);
            block.dest[i] = to;
            block.place[i] = static_cast<std::uint32_t>(to - streams_[t_.stream[begin + i]].begin);
        }
    }

    void stage_column(staged_column& c, cell_reader& reader, moving_block& block, std::size_t begin, std::size_t count, std::vector<std::size_t>& present, rejection_log& log) const {
        cell_block& cells = block.cells;
        reader.read(begin, count, cells);
        const std::uint16_t* stream = t_.stream.data() + begin;
        if (c.whole) {
            if (c.type == value_type::text) scatter_whole(places(c.whole_codes), cells.codes.data(), stream, block.place.data(), block.rows, block.all, count);
            else scatter_whole(places(c.whole_integers), cells.integers.data(), stream, block.place.data(), block.rows, block.all, count);
            return;
        }
        for (const auto& [row, f] : cells.faults) {
            if (t_.owner[row] != nobody && c.serves(t_.stream[row])) reject_cell(log, table_, row, f, c.name, reader.source());
        }
        row_bits wanted = cells.valid;
        bool all = block.all;
        for (std::size_t w = 0; w * 64 < count; ++w) {
            wanted.set_word(w, wanted.word(w) & block.rows.word(w));
            all &= wanted.word(w) == (count - w * 64 >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (count - w * 64)) - 1);
        }
        if (!c.for_stream.empty()) {
            wanted.each(count, [&](std::size_t i) { if (!c.serves(stream[i])) { wanted.reset(i); all = false; } });
        }
        std::uint8_t* valid = c.valid.data();
        const std::uint32_t* dest = block.dest.data();
        wanted.each(count, [&](std::size_t i) {
            valid[dest[i]] = 1;
            ++present[stream[i]];
        });
        switch (storage_of(c.type)) {
            case storage::bytes: return scatter(c.bytes.data(), cells.bytes.data(), dest, wanted, all, count);
            case storage::codes: return scatter(c.codes.data(), cells.codes.data(), dest, wanted, all, count);
            case storage::integers: return scatter(c.integers.data(), cells.integers.data(), dest, wanted, all, count);
            case storage::decimals: return scatter(c.decimals.data(), cells.decimals.data(), dest, wanted, all, count);
            case storage::none: return;
        }
    }

    ingestion& in_;
    scanned_table& t_;
    const raw_table& table_;
    std::size_t contacts_, rows_ = 0;
    staged_events to_;
    std::vector<partition>& streams_;
    std::vector<std::uint32_t> by_size_;              // streams that have rows, the longest first
    std::vector<piece> pieces_;
    std::mutex counting_;
};

}  // namespace

void build_events(ingestion& in, scanned_table& t) { event_builder{in, t}.run(); }

}  // namespace journeyman::detail
