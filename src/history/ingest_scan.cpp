// The first pass: which rows can be used, whose they are, in which order they came.

#include <algorithm>
#include <limits>

#include "history/ingest.hpp"
#include "history/scratch.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman::detail {

// ---- order (T2)

namespace {

/// Rows that have a number, and where they are.
struct numbered {
    std::int64_t sequence;
    std::uint32_t place;   // without it: contacts before accounts before events, each as they came
    std::size_t table, row;
};

/// Places among what has a number: new rows stand after earlier ones with the same.
void place_in_sequence(ingestion& in, std::vector<numbered>& rows) {
    std::sort(rows.begin(), rows.end(), [](const numbered& a, const numbered& b) { return a.sequence != b.sequence ? a.sequence < b.sequence : a.place < b.place; });
    const std::vector<std::int64_t> earlier = std::move(in.seen->sequence);
    std::vector<std::int64_t>& all = in.seen->sequence = {};
    all.reserve(earlier.size() + rows.size());
    if (!earlier.empty() && rows.front().sequence < earlier.back()) in.moved.resize(earlier.size());
    std::size_t e = 0;
    for (const numbered& r : rows) {
        for (; e < earlier.size() && earlier[e] <= r.sequence; ++e) {
            if (!in.moved.empty()) in.moved[e] = static_cast<std::uint32_t>(all.size());
            all.push_back(earlier[e]);
        }
        in.tables[r.table].order[r.row] = first_in_sequence + static_cast<std::uint32_t>(all.size());
        all.push_back(r.sequence);
    }
    for (; e < earlier.size(); ++e) {
        if (!in.moved.empty()) in.moved[e] = static_cast<std::uint32_t>(all.size());
        all.push_back(earlier[e]);
    }
}

}  // namespace

void order_tables(ingestion& in) {
    // Contacts and accounts first, then events; each as in its table.
    std::stable_sort(in.tables.begin(), in.tables.end(), [](const auto& a, const auto& b) { return a.table->what < b.table->what; });
    arrivals& seen = *in.seen;
    const std::uint64_t earlier = seen.sequence.size();
    std::uint64_t highest = 0;   // of records
    std::vector<numbered> rows;
    for (std::size_t k = 0; k < in.tables.size(); ++k) {
        scanned_table& t = in.tables[k];
        const raw_table& table = *t.table;
        const bool contacts = table.what == raw_table::kind::contacts, accounts = table.what == raw_table::kind::accounts;
        std::uint32_t& taken = contacts ? seen.contact_rows : accounts ? seen.account_rows : seen.event_rows;
        const std::uint32_t first = contacts ? first_of_contacts : accounts ? first_of_accounts : first_of_events;
        const std::uint64_t room = contacts ? first_of_accounts : accounts ? first_in_sequence - first_of_accounts : end_of_events - first_of_events;
        t.first_order = first + taken;
        if (taken + std::uint64_t{table.rows} > room) throw error{"limit.rows", table.label, "more than " + std::to_string(room) + " rows of one kind of table; split the history by contacts"};
        if (!table.sequence_is_order) taken += static_cast<std::uint32_t>(table.rows);
        if (table.sequence == nullptr) continue;
        t.order.resize(table.rows);
        cell_reader reader{*table.sequence, value_type::integer, in.how("sequence", *table.sequence)};
        cell_block block;
        for (std::size_t begin = 0; begin < table.rows; begin += block_rows) {
            const std::size_t count = std::min(block_rows, table.rows - begin);
            reader.read(begin, count, block);
            for (const auto& [row, f] : block.faults) in.reject_cell(table, row, f, "sequence", *table.sequence);
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint32_t place = t.first_order + static_cast<std::uint32_t>(begin + i);
                if (table.sequence_is_order) {
                    highest = std::max(highest, static_cast<std::uint64_t>(block.integers[i]) + 1);
                    t.order[begin + i] = static_cast<std::uint32_t>(first_in_sequence + earlier + static_cast<std::uint64_t>(block.integers[i]));
                } else {
                    t.order[begin + i] = place;
                    if (block.valid.test(i)) rows.push_back({block.integers[i], place, k, begin + i});
                }
            }
        }
    }
    if (earlier + highest + rows.size() > first_of_events - first_in_sequence) throw error{"limit.rows", "", "more than 1.6 billion rows with a sequence; split the history by contacts"};
    seen.sequence.resize(seen.sequence.size() + highest, earlier == 0 ? std::numeric_limits<std::int64_t>::min() : seen.sequence.back());
    if (!rows.empty()) place_in_sequence(in, rows);
}

namespace {

void reject_row(rejection_log& log, const raw_table& t, std::size_t row, bool has_id, bool has_name, fault time) {
    const char* id = t.what == raw_table::kind::accounts ? "no account_id" : "no contact_id";
    if (!has_id) reject(log, t, row, id, "");
    else if (!has_name) reject(log, t, row, "no event name", "");
    else if (time == fault::none) reject(log, t, row, "no timestamp", "");
    else reject(log, t, row, timestamp_reason(time), shown(t.timestamp->cell(row)));
}

/// Faults of a block by row, so that looking one up costs nothing even when every row has one.
class fault_map {
public:
    void load(const cell_block& block, std::size_t begin) {
        if (!used_.empty()) for (const auto i : used_) faults_[i] = fault::none;
        used_.clear();
        if (block.faults.empty()) return;
        faults_.resize(block_rows, fault::none);
        for (const auto& [row, f] : block.faults) {
            faults_[row - begin] = f;
            used_.push_back(row - begin);
        }
    }
    [[nodiscard]] fault at(std::size_t i) const { return faults_.empty() ? fault::none : faults_[i]; }

private:
    std::vector<fault> faults_;
    std::vector<std::size_t> used_;
};

/// A part of a table of events, by one thread. Names and contacts get numbers of the part, in order of their rows, which `merge`
/// turns into those of all; so how the rows are parted cannot be seen afterwards.
class event_scan {
public:
    /// `ids`: what gives contacts their numbers; null: an owner table of the part.
    event_scan(ingestion& in, scanned_table& t, std::size_t begin, std::size_t end, owners* ids)
        : in_{in}, t_{t}, table_{*t.table}, begin_{begin}, end_{end}, shared_{ids != nullptr}, times_{*table_.timestamp, value_type::instant, in.how("timestamp", *table_.timestamp)}, ids_{*table_.id, shared_ ? *ids : own_} {
        own_.use_integers(in.contacts.integers(), end - begin);
        if (table_.event != nullptr) {
            names_ = std::make_unique<text_pool>();
            cells_ = std::make_unique<cell_reader>(*table_.event, value_type::text, conversion{names_.get(), nullptr, {}});
        } else if (!table_.event_name.empty()) {
            fixed_ = add_stream(table_.event_name);
        }
    }
    /// Finds the rows that can be used and their streams; with `number`, their contacts too.
    void run(bool number) {
        each_block([&](std::size_t begin, std::size_t count) {
            block(begin, count);
            if (number) return numbers(begin, count, usable_);
            std::fill_n(t_.owner.begin() + static_cast<std::ptrdiff_t>(begin), count, nobody);
            usable_.each(count, [&](std::size_t i) { t_.owner[begin + i] = 0; });
        });
    }
    /// After duplicates are gone: the contacts of the rows still there.
    void number_rest() {
        each_block([&](std::size_t begin, std::size_t count) {
            row_bits wanted;
            for (std::size_t i = 0; i < count; ++i) if (t_.owner[begin + i] != nobody) wanted.set(i);
            ids_.load(begin, count);
            numbers(begin, count, wanted);
        });
    }
    /// Part by part, in order of rows.
    void merge_names() {
        scanned_part& part = t_.parts.emplace_back();
        part.begin = begin_;
        part.end = end_;
        for (std::size_t s = 0; s < stream_names_.size(); ++s) {
            const std::uint32_t stream = in_.stream_number(in_.pool().intern(stream_names_[s]));
            part.streams.push_back(static_cast<std::uint16_t>(stream));
            if (stream >= t_.stream_rows.size()) t_.stream_rows.resize(stream + std::size_t{1}, 0);
            t_.stream_rows[stream] += rows_[s];
        }
        cells_.reset();
        names_.reset();
        merge_log();
    }
    void merge_contacts(scanned_part& part) {
        if (!shared_) part.owners = in_.contacts.absorb(std::move(own_));
        merge_log();
    }

private:
    template <class F>
    void each_block(F&& f) {
        for (std::size_t begin = begin_; begin < end_; begin += block_rows) f(begin, std::min(block_rows, end_ - begin));
    }
    std::uint32_t stream_number(text_id name) {
        const auto text = static_cast<std::size_t>(name);
        if (text >= stream_of_text_.size()) stream_of_text_.resize(std::max(text + 1, stream_of_text_.size() * 2), nobody);
        std::uint32_t& s = stream_of_text_[text];
        if (s == nobody) s = add_stream(names_->view(name));
        return s;
    }
    std::uint32_t add_stream(std::string_view name) {
        if (stream_names_.size() == most_event_names) throw too_many_names(name);
        stream_names_.emplace_back(name);
        rows_.push_back(0);
        return static_cast<std::uint32_t>(stream_names_.size() - 1);
    }
    void block(std::size_t begin, std::size_t count) {
        times_.read(begin, count, time_block_);
        ids_.load(begin, count);
        if (!t_.at.empty()) std::copy_n(time_block_.integers.begin(), count, t_.at.begin() + static_cast<std::ptrdiff_t>(begin));
        std::uint16_t* const streams = t_.stream.data() + begin;
        if (cells_ != nullptr) {
            cells_->read(begin, count, name_block_);
            const std::uint32_t* codes = name_block_.codes.data();
            std::uint32_t last_text = nobody, last_stream = nobody;
            const text_id empty = empty_name();
            name_block_.valid.each(count, [&](std::size_t i) {
                const std::uint32_t text = codes[i];
                if (text != last_text) {
                    last_text = text;
                    if (text_id{text} == empty) last_stream = nobody;
                    else if (text < stream_of_text_.size() && stream_of_text_[text] != nobody) last_stream = stream_of_text_[text];
                    else { pending_.push_back(i); last_text = nobody; return; }
                }
                streams[i] = static_cast<std::uint16_t>(last_stream);
                if (last_stream == nobody) nameless_.push_back(i);
            });
            for (const auto i : nameless_) name_block_.valid.reset(i);
        }
        usable_.clear();
        const auto full = [&](std::size_t w) { return count - w * 64 >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (count - w * 64)) - 1; };
        bool all = true;
        for (std::size_t w = 0; w * 64 < count; ++w) {
            const std::uint64_t word = time_block_.valid.word(w) & ids_.present().word(w) & (cells_ != nullptr ? name_block_.valid.word(w) : fixed_ != nobody ? ~std::uint64_t{0} : 0) & full(w);
            usable_.set_word(w, word);
            all &= word == full(w);
        }
        // A new event name makes a stream only when a row that can be used has it.
        for (const auto i : pending_) if (usable_.test(i)) streams[i] = static_cast<std::uint16_t>(stream_number(text_id{name_block_.codes[i]}));
        pending_.clear();
        nameless_.clear();
        if (cells_ == nullptr) std::fill_n(streams, count, static_cast<std::uint16_t>(fixed_));
        usable_.each(count, [&](std::size_t i) { ++rows_[streams[i]]; });
        if (all) return;
        faults_.load(time_block_, begin);
        for (std::size_t i = 0; i < count; ++i) {
            if (!usable_.test(i)) reject_row(log_, table_, begin + i, ids_.present().test(i), cells_ == nullptr ? fixed_ != nobody : name_block_.valid.test(i), faults_.at(i));
        }
    }
    void numbers(std::size_t begin, std::size_t count, const row_bits& wanted) {
        ids_.numbers(wanted, t_.owner.data() + begin);
        wanted.each(count, [&](std::size_t i) {
            if (t_.owner[begin + i] == nobody) reject(log_, table_, begin + i, "no contact_id", "");   // an empty text in a dictionary
        });
    }
    text_id empty_name() {
        if (!empty_) empty_ = names_->find("");
        return empty_.value_or(no_text);
    }
    void merge_log() { in_.log.append(std::move(log_)); }

    ingestion& in_;
    scanned_table& t_;
    const raw_table& table_;
    std::size_t begin_, end_;
    bool shared_;
    owners own_;
    std::unique_ptr<text_pool> names_;
    rejection_log log_;
    cell_reader times_;
    owner_reader ids_;
    std::unique_ptr<cell_reader> cells_;
    std::uint32_t fixed_ = nobody;
    std::vector<std::uint32_t> stream_of_text_;         // by text number; nobody: no stream yet
    std::vector<std::string> stream_names_;             // by stream
    std::vector<std::size_t> rows_;                     // the same
    cell_block time_block_, name_block_;
    row_bits usable_;
    fault_map faults_;
    std::vector<std::size_t> pending_, nameless_;
    std::optional<text_id> empty_;
};

void read_event_ids(ingestion& in, scanned_table& t) {
    const raw_table& table = *t.table;
    t.event_id.assign(table.rows, static_cast<std::uint32_t>(no_text));
    cell_reader reader{*table.event_id, value_type::text, conversion{in.data->pool.get(), nullptr, {}}};
    cell_block block;
    for (std::size_t begin = 0; begin < table.rows; begin += block_rows) {
        const std::size_t count = std::min(block_rows, table.rows - begin);
        reader.read(begin, count, block);
        block.valid.each(count, [&](std::size_t i) { t.event_id[begin + i] = block.codes[i]; });
    }
    if (const auto empty = in.pool().find("")) {   // no id either
        std::replace(t.event_id.begin(), t.event_id.end(), static_cast<std::uint32_t>(*empty), static_cast<std::uint32_t>(no_text));
    }
}

/// Everything but when they arrived.
bool same_event(const raw_table& t, std::size_t a, std::size_t b) {
    for (const column_source* c : {t.id, t.event, t.timestamp}) if (c != nullptr && !same(c->cell(a), c->cell(b))) return false;
    for (const auto& f : t.fields) if (!same(f.source->cell(a), f.source->cell(b))) return false;
    return true;
}

/// T8: the same id twice is one event; the first copy to arrive wins.
void drop_duplicates(ingestion& in, const std::vector<scanned_table*>& tables) {
    struct copy { std::uint32_t order; std::uint32_t table; std::uint32_t row; };
    std::vector<copy> best;
    std::vector<std::uint32_t> first(in.pool().size(), nobody);   // by id: its place in `best`
    for (std::uint32_t k = 0; k < tables.size(); ++k) {
        const scanned_table& t = *tables[k];
        for (std::uint32_t r = 0; r < t.event_id.size(); ++r) {
            if (t.owner[r] == nobody || t.event_id[r] == static_cast<std::uint32_t>(no_text)) continue;
            std::uint32_t& at = first[t.event_id[r]];
            const copy here{t.order_of(r), k, r};
            if (at == nobody) {
                at = static_cast<std::uint32_t>(best.size());
                best.push_back(here);
            } else if (here.order < best[at].order) {
                best[at] = here;
            }
        }
    }
    for (std::uint32_t k = 0; k < tables.size(); ++k) {
        scanned_table& t = *tables[k];
        for (std::uint32_t r = 0; r < t.event_id.size(); ++r) {
            if (t.owner[r] == nobody || t.event_id[r] == static_cast<std::uint32_t>(no_text)) continue;
            const copy& winner = best[first[t.event_id[r]]];
            if (winner.table == k && winner.row == r) continue;
            const bool alike = winner.table == k && same_event(*t.table, winner.row, r);
            in.reject(*t.table, r, alike ? "duplicate event_id" : "conflicting event_id", in.pool().view(text_id{t.event_id[r]}));
            t.owner[r] = nobody;
        }
    }
}

}  // namespace

void scan_events(ingestion& in, const std::vector<scanned_table*>& tables) {
    bool ids = false;
    for (const auto* t : tables) ids |= t->table->event_id != nullptr;
    std::vector<std::vector<std::unique_ptr<event_scan>>> scans;
    const auto merge_contacts = [](scanned_table& t, auto& parts) {
        for (std::size_t k = 0; k < parts.size(); ++k) parts[k]->merge_contacts(t.parts[k]);
        parts.clear();
    };
    for (auto* t : tables) {
        const raw_table& table = *t->table;
        reserve_large(t->owner, table.rows);
        reserve_large(t->stream, table.rows);
        t->owner.resize(table.rows);
        t->stream.resize(table.rows);
        if (table.timestamp->holds() != column_source::kind::integers || table.timestamp->naive()) t->at.resize(table.rows);
        auto& parts = scans.emplace_back();
        const std::size_t n = std::clamp<std::size_t>(table.rows / fewest_rows, 1, in.threads), size = (table.rows / n / block_rows + 1) * block_rows;
        for (std::size_t begin = 0; begin < table.rows; begin += size) {
            parts.push_back(std::make_unique<event_scan>(in, *t, begin, std::min(begin + size, table.rows), n == 1 ? &in.contacts : nullptr));
        }
        share(parts.size(), in.threads, [&](std::size_t k) { parts[k]->run(!ids); });
        for (auto& part : parts) part->merge_names();
        if (!ids) merge_contacts(*t, parts);
        if (table.event_id != nullptr) read_event_ids(in, *t);
    }
    if (!ids) return;
    if (in.before != nullptr) for (auto* t : tables) drop_known(in, *t);
    drop_duplicates(in, tables);
    for (std::size_t k = 0; k < tables.size(); ++k) {
        share(scans[k].size(), in.threads, [&](std::size_t p) { scans[k][p]->number_rest(); });
        merge_contacts(*tables[k], scans[k]);
    }
}

namespace {

/// Whether the history before has such a row of this contact or account.
bool held_from_beginning(const ingestion& in, raw_table::kind what, const std::string& id) {
    if (in.before == nullptr || in.before->arrivals == nullptr) return false;
    const bool accounts = what == raw_table::kind::accounts;
    const id_column& ids = accounts ? in.before->accounts : in.before->contacts;
    const auto k = ids.find(id);
    return k && ids.name(*k) == id && (accounts ? in.before->arrivals->account_from_beginning : in.before->arrivals->contact_from_beginning)[*k] != 0;
}

}  // namespace

void scan_changes(ingestion& in, scanned_table& t) {
    const raw_table& table = *t.table;
    owners& all = table.what == raw_table::kind::accounts ? in.accounts : in.contacts;
    owner_reader ids{*table.id, all};
    t.owner.assign(table.rows, nobody);
    t.at.assign(table.rows, from_the_beginning);
    std::unique_ptr<cell_reader> times;
    if (table.timestamp != nullptr) times = std::make_unique<cell_reader>(*table.timestamp, value_type::instant, in.how("timestamp", *table.timestamp));
    cell_block block;
    fault_map faults;
    std::vector<std::uint8_t> seen;
    for (std::size_t begin = 0; begin < table.rows; begin += block_rows) {
        const std::size_t count = std::min(block_rows, table.rows - begin);
        ids.load(begin, count);
        if (times != nullptr) times->read(begin, count, block);
        faults.load(block, begin);
        row_bits wanted;
        for (std::size_t i = 0; i < count; ++i) {
            const bool has_time = times == nullptr || block.valid.test(i) || (table.may_lack_timestamp && faults.at(i) == fault::none);
            if (ids.present().test(i) && has_time) wanted.set(i);
            else reject_row(in.log, table, begin + i, ids.present().test(i), true, faults.at(i));
        }
        ids.numbers(wanted, t.owner.data() + begin);
        wanted.each(count, [&](std::size_t i) {
            std::uint32_t& owner = t.owner[begin + i];
            if (owner == nobody) return in.reject(table, begin + i, table.what == raw_table::kind::accounts ? "no account_id" : "no contact_id", "");
            if (times != nullptr && block.valid.test(i)) {
                t.at[begin + i] = block.integers[i];
                return;
            }
            // A row that holds from the beginning: there is one for each.
            if (owner >= seen.size()) seen.resize(std::max<std::size_t>(owner + 1, seen.size() * 2), 0);
            if (seen[owner] == 0) {
                seen[owner] = 1;
                if (!held_from_beginning(in, table.what, all.name(owner))) return;
            }
            in.reject(table, begin + i, table.what == raw_table::kind::accounts ? "duplicate account_id" : "duplicate contact_id", shown(table.id->cell(begin + i)));
            owner = nobody;
        });
    }
}

}  // namespace journeyman::detail
