#include "journeyman/core/table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <ostream>

#include "journeyman/core/error.hpp"

namespace journeyman {

void table_column::push(const scalar& s) {
    const value_type given = type_of(s);
    if (given == value_type::missing) return push_missing();
    if (given == value_type::integer && type_ == value_type::decimal) return push_decimal(static_cast<double>(std::get<std::int64_t>(s)));
    if (given != type_) throw error{"table.type", name_, "a " + std::string{to_string(given)} + " does not fit a column of " + std::string{to_string(type_)}};
    switch (type_) {
        case value_type::boolean: return push_integer(std::get<bool>(s));
        case value_type::integer: return push_integer(std::get<std::int64_t>(s));
        case value_type::decimal: return push_decimal(std::get<double>(s));
        case value_type::money: return push_integer(std::get<money>(s).minor);
        case value_type::text: return push_text(std::get<std::string>(s));
        case value_type::day: return push_integer(std::get<day>(s).time_since_epoch().count());
        case value_type::instant: return push(std::get<instant>(s));
        case value_type::duration: {
            const auto& l = std::get<length>(s);
            if (!l.is_fixed()) throw error{"type.length", name_, "'" + to_text(l) + "' has no fixed length, so it is no value"};
            return push_integer(l.fixed.count());
        }
        case value_type::text_list:
            lists_.push_back(std::get<std::vector<std::string>>(s));
            present_.push_back(1);
            return;
        case value_type::missing: return;
    }
}

void table_column::push(const value& v, const text_pool& pool) {
    if (v.is_missing()) return push_missing();
    if (v.type == type_) {
        if (v.type == value_type::text) return push_text(pool.view(v.as_text()));
        if (v.type == value_type::decimal) return push_decimal(v.d);
        if (v.type == value_type::text_list) return push(to_scalar(v, pool));
        return push_integer(v.i);
    }
    if (type_ == value_type::decimal && is_number(v.type)) return push_decimal(v.as_decimal());
    if (type_ == value_type::text) return push_text(to_text(v, pool));
    throw error{"table.type", name_, "a " + std::string{to_string(v.type)} + " does not fit a column of " + std::string{to_string(type_)}};
}

void table_column::reserve(std::size_t rows) {
    present_.reserve(rows);
    if (type_ == value_type::text) offsets_.reserve(rows + 1);
    else if (type_ == value_type::decimal) decimals_.reserve(rows);
    else if (type_ == value_type::text_list) lists_.reserve(rows);
    else integers_.reserve(rows);
}

void table_column::push_missing() {
    present_.push_back(0);
    switch (type_) {
        case value_type::missing: break;
        case value_type::decimal: decimals_.push_back(0.0); break;
        case value_type::text: offsets_.push_back(offsets_.back()); break;
        case value_type::text_list: lists_.emplace_back(); break;
        default: integers_.push_back(0);
    }
}

void table_column::push_text(std::string_view s) {
    bytes_.append(s);
    offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
    present_.push_back(1);
}

void table_column::push_integers(std::span<const std::int64_t> all, std::optional<std::int64_t> missing) {
    if (type_ == value_type::decimal || type_ == value_type::text || type_ == value_type::text_list || type_ == value_type::missing) {
        for (const auto x : all) missing == x ? push_missing() : push_integer(x);
        return;
    }
    const std::size_t before = size();
    integers_.insert(integers_.end(), all.begin(), all.end());
    present_.resize(before + all.size(), 1);
    if (!missing) return;
    for (std::size_t k = 0; k < all.size(); ++k) {
        const bool has = all[k] != *missing;
        present_[before + k] = has;
        integers_[before + k] = has ? all[k] : 0;
    }
}

void table_column::push_integer(std::int64_t x) {
    if (type_ == value_type::decimal) return push_decimal(static_cast<double>(x));
    integers_.push_back(x);
    present_.push_back(1);
}

void table_column::push_decimal(double x) {
    decimals_.push_back(x);
    present_.push_back(1);
}

scalar table_column::at(std::size_t row) const {
    if (!present(row)) return {};
    switch (type_) {
        case value_type::missing: return {};
        case value_type::boolean: return integers_[row] != 0;
        case value_type::integer: return integers_[row];
        case value_type::decimal: return decimals_[row];
        case value_type::money: return money{integers_[row]};
        case value_type::text: return std::string{text(row)};
        case value_type::day: return day{std::chrono::days{integers_[row]}};
        case value_type::instant: return instant{microseconds{integers_[row]}};
        case value_type::duration: return length{microseconds{integers_[row]}};
        case value_type::text_list: return lists_[row];
    }
    return {};
}

bool operator==(const table_column& a, const table_column& b) {
    return a.name_ == b.name_ && a.type_ == b.type_ && a.present_ == b.present_ && a.integers_ == b.integers_ && a.offsets_ == b.offsets_ && a.bytes_ == b.bytes_ &&
           a.lists_ == b.lists_ &&
           // By bits: "no data" is missing, so a NaN is a value like another.
           std::equal(a.decimals_.begin(), a.decimals_.end(), b.decimals_.begin(), b.decimals_.end(),
                      [](double x, double y) { return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y); });
}

bool operator==(const table& a, const table& b) { return a.columns_ == b.columns_; }

const table_column& table::column(std::string_view name) const {
    std::vector<std::string> names;
    for (const auto& c : columns_) {
        if (c.name() == name) return c;
        names.push_back(c.name());
    }
    throw error{"table.column", std::string{name}, "the table has no column '" + std::string{name} + "'." + did_you_mean(name, names)};
}

namespace {

void write_cell(std::ostream& out, std::string_view cell) {
    if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
        out << cell;
        return;
    }
    out << '"';
    for (const char c : cell) {
        if (c == '"') out << '"';
        out << c;
    }
    out << '"';
}

/// Columns on a terminal, near enough: code points.
std::size_t width(std::string_view s) {
    return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// Six digits, and two places at least, are what an eye can use; CSV and Arrow have all of them.
std::string shown(double x) {
    const double size = std::abs(x);
    if (!(size >= 1e-4 && size < 1e15)) return to_text(scalar{x});
    std::array<char, 40> buffer;
    const int places = std::max(2, 5 - static_cast<int>(std::floor(std::log10(size))));
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, std::chars_format::fixed, places).ptr;
    std::string out{buffer.data(), end};
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
    return out;
}

std::string shown(const scalar& s) {
    constexpr std::size_t widest = 60;
    if (const auto* x = std::get_if<double>(&s)) return shown(*x);
    std::string out = to_text(s);
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';   // a cell stays on its line
    }
    if (width(out) <= widest) return out;
    std::size_t cut = widest - 1;
    std::size_t end = 0;
    for (; end < out.size(); ++end) {
        if ((static_cast<unsigned char>(out[end]) & 0xc0U) != 0x80U && cut-- == 0) break;
    }
    return out.substr(0, end) + "…";
}

}  // namespace

void table::write_csv(std::ostream& out) const {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (c > 0) out << ',';
        write_cell(out, columns_[c].name());
    }
    out << '\n';
    for (std::size_t r = 0; r < rows(); ++r) {
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (c > 0) out << ',';
            const bool empty_text = columns_[c].type() == value_type::text && columns_[c].present(r) && columns_[c].text(r).empty();
            if (empty_text) out << "\"\"";   // not missing
            else write_cell(out, to_text(columns_[c].at(r)));
        }
        out << '\n';
    }
}

std::ostream& operator<<(std::ostream& out, const table& t) {
    constexpr std::size_t most = 40;
    const std::size_t rows = std::min(t.rows(), most);
    std::vector<std::vector<std::string>> cells(t.size());
    std::vector<std::size_t> widths(t.size());
    for (std::size_t c = 0; c < t.size(); ++c) {
        widths[c] = width(t[c].name());
        for (std::size_t r = 0; r < rows; ++r) {
            cells[c].push_back(shown(t[c].at(r)));
            widths[c] = std::max(widths[c], width(cells[c].back()));
        }
    }
    const auto line = [&](auto cell) {
        std::string text;
        for (std::size_t c = 0; c < t.size(); ++c) {
            const std::string& s = cell(c);
            const std::string gap(widths[c] - width(s), ' ');
            const bool right = is_number(t[c].type());
            if (c > 0) text += "  ";
            text += right ? gap + s : s + gap;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    };
    line([&](std::size_t c) -> const std::string& { return t[c].name(); });
    for (std::size_t r = 0; r < rows; ++r) line([&](std::size_t c) -> const std::string& { return cells[c][r]; });
    if (t.rows() > rows) out << "… " << t.rows() - rows << " more rows\n";
    return out;
}

}  // namespace journeyman
