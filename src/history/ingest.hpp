#pragma once
// The one way into a history: raw tables in, typed, numbered, sorted streams out. Parts of `ingest`.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "history/arrivals.hpp"
#include "history/convert.hpp"
#include "history/owners.hpp"
#include "history/rejections.hpp"
#include "history/scratch.hpp"
#include "history/source.hpp"
#include "history/tasks.hpp"

namespace journeyman::detail {

/// More names than this are data, not names; and a row's stream fits two bytes.
inline constexpr std::size_t most_event_names = 65'535;
/// Too few rows for a thread to be worth its start.
inline constexpr std::size_t fewest_rows = std::size_t{1} << 16;
static_assert(fewest_rows % block_rows == 0);
inline constexpr std::int64_t from_the_beginning = std::numeric_limits<std::int64_t>::min();

/// Rows that one thread went through: it gave numbers of its own.
struct scanned_part {
    std::size_t begin = 0, end = 0;
    std::vector<std::uint16_t> streams;    // by its own number: the stream
    std::vector<std::uint32_t> owners;     // by its own number: the first number; empty: they are the same
};

/// What a first pass over a table found, by row.
struct scanned_table {
    raw_table* table = nullptr;
    unwritten_vector<std::uint32_t> owner; // numbers of the part (events) or first numbers, then final ones; nobody: the row is rejected
    std::vector<std::int64_t> at;          // empty when reading it again is as quick (events of an Arrow table)
    std::vector<std::uint32_t> order;      // empty: first_order + row
    std::uint32_t first_order = 0;
    unwritten_vector<std::uint16_t> stream;   // events: numbers of the part
    std::vector<scanned_part> parts;       // events
    std::vector<std::size_t> stream_rows;  // by stream, duplicates included
    std::vector<std::uint32_t> event_id;   // as texts; empty without ids
    [[nodiscard]] std::uint32_t order_of(std::size_t row) const { return order.empty() ? first_order + static_cast<std::uint32_t>(row) : order[row]; }
};

void reject(rejection_log&, const raw_table&, std::size_t row, std::string_view reason, std::string_view example);
/// A cell of an attribute or property; the row is kept without it.
void reject_cell(rejection_log&, const raw_table&, std::size_t row, fault, const std::string& name, const column_source&);

struct ingestion {
    ingestion(const read_options& o, const history_data* earlier);
    const read_options& options;
    const history_data* before;                         // what this is appended to; null: nothing
    std::shared_ptr<arrivals> seen;                     // with what was before
    std::vector<std::uint32_t> moved;                   // rows in sequence before, by their place: their place now; empty when all stay
    unsigned threads = thread_count(options.threads);
    std::shared_ptr<history_data> data = std::make_shared<history_data>();
    rejection_log log;
    owners contacts, accounts;
    std::vector<scanned_table> tables;
    std::vector<std::string> event_names;               // by stream number
    std::vector<std::uint32_t> stream_of_text;          // by text number; nobody: not an event name yet
    std::vector<std::int64_t> first_seen;               // by contact: the first event or change
    std::map<std::string, value_type, std::less<>> declared;

    [[nodiscard]] text_pool& pool() const { return *data->pool; }
    /// The type that the cells of a column have by themselves, with those of the tables before.
    value_type natural(const raw_table&, const std::string& name, const column_source&, const conversion&);
    [[nodiscard]] conversion how(const std::string& ours, const column_source& source) const;
    [[nodiscard]] value_type declared_type(const std::string& name) const {
        const auto it = declared.find(name);
        return it == declared.end() ? value_type::missing : it->second;
    }
    void reject(const raw_table& t, std::size_t row, std::string_view reason, std::string_view example) { detail::reject(log, t, row, reason, example); }
    void reject_cell(const raw_table& t, std::size_t row, fault f, const std::string& name, const column_source& source) { detail::reject_cell(log, t, row, f, name, source); }
    std::uint32_t stream_number(text_id name);
};

std::string_view timestamp_reason(fault);
error too_many_names(std::string_view last);

// ingest_scan.cpp: which rows can be used, whose they are, in which order they came
void order_tables(ingestion&);
void scan_events(ingestion&, const std::vector<scanned_table*>&);
void scan_changes(ingestion&, scanned_table&);
// ingest_attributes.cpp
void build_attributes(ingestion&, scanned_table&);
// ingest_events.cpp
void build_events(ingestion&, scanned_table&);
/// Of a property of an event, declared or by its cells; missing when nothing is known.
value_type property_type(const arrivals&, const std::string& event, const std::string& name);
// ingest_streams.cpp
/// With the index that suits how many have rows. `begins` has one more than `owners`.
timeline timeline_of(const std::vector<std::uint32_t>& owners, const std::vector<std::uint32_t>& begins, std::size_t contacts, shared_vector<std::int64_t> at, shared_vector<std::uint32_t> order);
// ingest_spend.cpp
void build_spend(ingestion&, raw_table&);
// ingest.cpp
void build_schema(history_data&, const read_options&);
// append_duplicates.cpp
/// Whether the row's event is in the history before, by its id; if so, it is rejected.
void drop_known(ingestion&, scanned_table&);
// append_merge.cpp
/// Both histories in one; `later` was ingested as what comes after `before`.
history merge(const history_data& before, const ingestion& later);

}  // namespace journeyman::detail
