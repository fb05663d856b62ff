#pragma once
// CSV files (RFC 4180) as raw tables.

#include <filesystem>
#include <string>

#include "history/source.hpp"

namespace journeyman::detail {

/// The whole file as text, UTF-8 checked, without a byte order mark. Errors: code `input.file`, `input.utf8`.
std::string read_whole_file(const std::filesystem::path&);
/// Throws (code `input.utf8`) with the first line that is no UTF-8.
void check_utf8(std::string_view text, const std::string& place);
/// Errors: code `input.csv` with file and line.
raw_table read_csv(const std::filesystem::path&, raw_table::kind what, std::string label);
raw_table read_csv_text(std::string_view text, const std::string& place, raw_table::kind what, std::string label);

}  // namespace journeyman::detail
