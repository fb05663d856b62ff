#pragma once
// What an append must know of the tables that came before.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "history/evidence.hpp"
#include "history/source.hpp"

namespace journeyman::detail {

// Places in the order of one instant (T2): changes of contacts and accounts, what has a sequence or comes as records, events.
// Each counts from its own beginning, so that rows which come later find their place among those there are.
inline constexpr std::uint32_t first_of_contacts = 0, first_of_accounts = 1U << 28, first_in_sequence = 1U << 29, first_of_events = 1U << 31, end_of_events = 0xf000'0000U;   // what a run adds stands behind

/// Which column: of a kind of table, of one event name (empty: a table of all), by name.
using column_key = std::tuple<raw_table::kind, std::string, std::string>;

struct arrivals {
    read_options options;
    std::map<std::string, std::int64_t, std::less<>> rows;                       // by the name of a table: how many came
    std::uint32_t contact_rows = 0, account_rows = 0, event_rows = 0;            // how many places are taken
    std::vector<std::int64_t> sequence;                                          // of those in sequence, ascending; what came without a number has that of the one before
    std::vector<std::uint8_t> contact_from_beginning, account_from_beginning;    // by number: whether it has a row that holds from the beginning
    std::map<column_key, type_evidence> evidence;
    std::shared_ptr<const std::vector<std::uint64_t>> event_ids;                 // one bit a text; null: not looked up yet
};

/// The options a history was read with.
inline read_options options_of(const history_data& h) { return h.arrivals == nullptr ? read_options{} : h.arrivals->options; }
/// Its rejections, to go on with.
inline rejection_log log_of(const history_data& h) { return {h, h.arrivals == nullptr ? decltype(arrivals::rows){} : h.arrivals->rows}; }

}  // namespace journeyman::detail
