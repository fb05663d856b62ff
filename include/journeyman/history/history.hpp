#pragma once
// The history: contacts, accounts, events and spend, columnar, immutable once built, cheap to copy (shared).

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/core/table.hpp"
#include "journeyman/core/zone.hpp"
#include "journeyman/history/schema.hpp"
#include "journeyman/history/stream.hpp"

struct ArrowArrayStream;

namespace journeyman {

class expression;
class history_builder;
class selection;
class selector;
struct fold_options;
struct table_sources;
namespace detail { struct arrivals; }

/// Ids in their sort order: number k is the k-th smallest. Text (by bytes) or integers, as they came in.
class id_column {
public:
    std::vector<std::int64_t> integers;          // when the ids are integers
    std::vector<text_id> texts;                  // else
    const text_pool* pool = nullptr;
    [[nodiscard]] bool are_integers() const { return !integers.empty(); }
    [[nodiscard]] std::size_t size() const { return integers.empty() ? texts.size() : integers.size(); }
    /// As text: an integer in decimal.
    [[nodiscard]] std::string name(std::uint32_t k) const { return are_integers() ? std::to_string(integers[k]) : std::string{pool->view(texts[k])}; }
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view id) const;
    /// The type of a table's column of them, and one into it.
    [[nodiscard]] value_type type() const { return are_integers() ? value_type::integer : value_type::text; }
    void push_to(table_column& column, std::uint32_t k) const {
        if (are_integers()) column.push_integer(integers[k]);
        else column.push_text(pool->view(texts[k]));
    }
};

/// A row that could not be used, or a row that was used with a remark (duplicate id).
struct rejection {
    std::string table;      // "contacts", "events", "accounts", "spend", "records"
    std::int64_t row = 0;   // from 0, of the table as it came in
    std::string reason;     // stable: "no contact_id", "no timestamp", "timestamp without a zone", "unreadable value in COLUMN", "duplicate event_id", "conflicting event_id", "instant out of range" …
    std::string example;    // the offending cell, cut at 80 characters
};

struct spend_table {
    std::vector<std::int64_t> at;          // sorted
    column amount;                         // decimal or money
    std::vector<std::pair<std::string, column>> columns;   // channel, campaign, segment and any other, sorted by name
};

/// What a history is made of; immutable behind `history`.
struct history_data {
    text_pool_ptr pool = std::make_shared<text_pool>();
    id_column contacts;
    id_column accounts;
    std::vector<std::int64_t> exists_from;             // by contact; empty when all exist always
    std::int64_t all_exist_from = std::numeric_limits<std::int64_t>::max();   // from here on all do, if that is known
    std::vector<attribute_stream> contact_attributes;  // sorted by name; the contact's account is the attribute `account_id`
    std::vector<attribute_stream> account_attributes;  // sorted by name
    std::vector<event_stream> streams;                 // sorted by name
    spend_table spend;
    journeyman::schema schema;
    std::vector<rejection> rejected;                   // all of them, at most 1,000 a reason listed; counts in rejected_counts
    std::map<std::pair<std::string, std::string>, std::int64_t> rejected_counts;   // (table, reason) → rows
    std::shared_ptr<const detail::arrivals> arrivals;  // what an append must know of the tables that came

    [[nodiscard]] const event_stream* stream(std::string_view name) const;
    [[nodiscard]] const attribute_stream* contact_attribute(std::string_view name) const;
    [[nodiscard]] const attribute_stream* account_attribute(std::string_view name) const;
    /// First and last instant of events, changes and spend; nothing when there are none.
    [[nodiscard]] std::optional<std::pair<instant, instant>> span() const;
};

/// How tables are read (design §10).
struct read_options {
    std::map<std::string, std::map<std::string, std::string>> columns{};   // table ("" for all) → our name → theirs, e.g. {"": {"contact_id": "user_id"}}
    std::map<std::string, std::string> types{};                          // "contact.renewal" → "day", "purchase.code" → "text"
    std::map<std::string, std::string> formats{};                        // column → strptime format ("%m/%d/%Y %H:%M")
    zone_ptr timezone{};                                                 // of instants without a zone; null refuses them
    bool infer = false;                                                  // for the builder: a name whose every text has the shape of a day, or of an instant with a zone, is such (records and CSV always do so)
    unsigned threads = 0;                                                // how many may share the rows of events; 0: all there are. The history is the same, to the bit
};

/// What happened: contacts, accounts, events and spend. A value: copies share.
class history {
public:
    history();   // empty
    explicit history(std::shared_ptr<const history_data> data);

    /// Tables by the Arrow C stream interface; null for a table that is not there. The streams are consumed and released.
    static history from_arrow(ArrowArrayStream* contacts, ArrowArrayStream* events, ArrowArrayStream* accounts = nullptr, ArrowArrayStream* spend = nullptr, const read_options& = {});
    /// CSV files (RFC 4180, header line); an empty path for a table that is not there. Errors: code `input.csv` with file and line.
    static history from_csv(const std::filesystem::path& contacts, const std::filesystem::path& events, const std::filesystem::path& accounts = {}, const std::filesystem::path& spend = {}, const read_options& = {});
    /// JSON Lines in the form of the Segment spec, a file; spend, which that has no record for, as a table, consumed and released.
    static history from_records(const std::filesystem::path& file, const read_options& = {}, ArrowArrayStream* spend = nullptr);
    /// The same from memory.
    static history from_records_text(std::string_view json_lines, const read_options& = {}, ArrowArrayStream* spend = nullptr);

    /// The history of what came so far and, after it, of this: the same as of all the tables at once, each in the order it came in. This one
    /// stays as it is; both share what they have in common. Read with the options that this one was read with.
    /// `table_sources` are in history/tables.hpp; a builder adds its facts after all that is there.
    [[nodiscard]] history append(const table_sources& more) const;
    [[nodiscard]] history append(history_builder more) const;
    [[nodiscard]] history append_records(const std::filesystem::path& file) const;
    [[nodiscard]] history append_records_text(std::string_view json_lines) const;

    [[nodiscard]] const history_data& data() const { return *data_; }
    [[nodiscard]] const std::shared_ptr<const history_data>& share() const { return data_; }
    [[nodiscard]] std::size_t contacts_count() const { return data_->contacts.size(); }
    [[nodiscard]] std::size_t events_count() const;
    /// First and last instant of events, changes and spend, as `history_data::span`, and of the events of one name; looked for once, by whoever asks first.
    [[nodiscard]] std::optional<std::pair<instant, instant>> span() const;
    [[nodiscard]] std::optional<std::pair<instant, instant>> span(std::string_view event) const;
    [[nodiscard]] const journeyman::schema& schema() const { return data_->schema; }

    /// contact_id, account_id?, attributes… as of an instant (default: the end of time), one row a contact that exists by then, sorted by id.
    [[nodiscard]] table contacts(std::optional<instant> at = {}) const;
    /// Of these contacts alone, by number, in their order.
    [[nodiscard]] table contacts(std::optional<instant> at, const std::vector<std::uint32_t>& only) const;
    [[nodiscard]] table accounts(std::optional<instant> at = {}) const;
    /// contact_id, event, timestamp, properties…, [event_id], [arrived_at], by contact, instant, order.
    [[nodiscard]] table events() const;
    [[nodiscard]] table spend() const;
    /// table, row, reason, example.
    [[nodiscard]] table rejected() const;
    /// table, reason, rows: the counts behind `rejected()`.
    [[nodiscard]] table rejected_counts() const;

    /// Contacts for whom `p` is yes at `at`. Defined with predicate/select.hpp; `select` there takes segments and a zone too.
    [[nodiscard]] selection select(const expression& p, instant at) const;
    /// by…, value: a measure of one's own over the events of a selector. Defined with kpi/measure.hpp.
    template <class M> [[nodiscard]] table fold(const selector&) const;
    template <class M> [[nodiscard]] table fold(const selector&, const fold_options&) const;

private:
    struct spans;
    [[nodiscard]] const spans& found_spans() const;
    std::shared_ptr<const history_data> data_;
    std::shared_ptr<spans> spans_;                     // shared by copies
};

}  // namespace journeyman
