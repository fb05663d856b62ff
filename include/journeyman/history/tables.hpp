#pragma once
// A history from tables that come in different forms: Arrow streams beside CSV files.

#include <filesystem>
#include <optional>
#include <string_view>

#include "journeyman/history/history.hpp"

namespace journeyman {

/// Where one table comes from. The default is a table that is not there.
struct table_source {
    ArrowArrayStream* stream = nullptr;          // consumed and released, also when another table cannot be read
    std::filesystem::path csv{};                 // a CSV file (RFC 4180, header line), whatever it is called
    std::optional<std::string_view> text{};      // or what stands in it: then `csv` is only its name in messages
};

/// All tables of a history, or of what is appended to one.
struct table_sources {
    table_source contacts{}, events{}, accounts{}, spend{};
};

/// `history::from_arrow` and `history::from_csv` at once: a CSV file is read the same way whatever stands beside it. Errors: theirs.
history history_from_tables(const table_source& contacts, const table_source& events, const table_source& accounts = {}, const table_source& spend = {}, const read_options& = {});

}  // namespace journeyman
