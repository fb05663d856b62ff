#include "history/convert.hpp"

#include <date/date.h>

#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

namespace journeyman::detail {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view s) {
    while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
    while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
    return s;
}

bool same_letters(std::string_view s, std::string_view lower) {
    if (s.size() != lower.size()) return false;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if ((s[i] | 0x20) != lower[i]) return false;
    }
    return true;
}

bool parse_integer(std::string_view s, std::int64_t& out) {
    const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), out);
    return bad == std::errc{} && end == s.data() + s.size() && !s.empty();
}

/// A number a person would write: not "inf", not "nan".
bool parse_decimal(std::string_view s, double& out) {
    if (s.empty()) return false;
    const char first = s.front() == '-' && s.size() > 1 ? s[1] : s.front();
    if ((first < '0' || first > '9') && first != '.') return false;
    const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), out);
    return bad == std::errc{} && end == s.data() + s.size() && std::isfinite(out);
}

/// Leading zeros mean something ("00184" is a postal code, "007" an id), so such a text is no number.
bool leads_with_zero(std::string_view s) {
    if (!s.empty() && s.front() == '-') s.remove_prefix(1);
    return s.size() > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9';
}

bool to_minor(double units, std::int64_t& out) {
    const double minor = std::round(units * static_cast<double>(minor_units));
    if (!(std::fabs(minor) < 9.2e18)) return false;
    out = static_cast<std::int64_t>(minor);
    return true;
}

fault in_range(instant t, value& out) {
    if (t < earliest_instant || t > latest_instant) return fault::out_of_range;
    out = value::of(t);
    return fault::none;
}

fault from_wall(std::int64_t reading, const conversion& how, value& out) {
    const instant as_utc{microseconds{reading}};
    if (as_utc < earliest_instant || as_utc > latest_instant) return fault::out_of_range;
    if (how.zone == nullptr) return fault::no_zone;
    return in_range(how.zone->to_instant(local_instant{microseconds{reading}}), out);
}

constexpr std::int64_t us_day = 86'400'000'000;

fault from_day(std::int64_t days, const conversion& how, value& out) {
    std::int64_t us = 0;
    if (__builtin_mul_overflow(days, us_day, &us)) return fault::out_of_range;
    return from_wall(us, how, out);
}

/// By strptime format; `zoned` when the format read an offset.
bool parse_format(std::string_view s, const std::string& format, std::int64_t& wall, bool& zoned) {
    std::istringstream in{std::string{s}};
    date::local_time<std::chrono::microseconds> t;
    std::string abbreviation;
    std::chrono::minutes offset{0};
    date::from_stream(in, format.c_str(), t, &abbreviation, &offset);
    if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) return false;
    zoned = format.find("%z") != std::string::npos || format.find("%Ez") != std::string::npos || format.find("%Oz") != std::string::npos;
    wall = (t.time_since_epoch() - (zoned ? offset : std::chrono::minutes{0})).count();
    return true;
}

fault text_to_instant(std::string_view s, const conversion& how, value& out) {
    if (!how.format.empty()) {
        std::int64_t wall = 0;
        bool zoned = false;
        if (!parse_format(s, how.format, wall, zoned)) return fault::unreadable;
        return zoned ? in_range(instant{microseconds{wall}}, out) : from_wall(wall, how, out);
    }
    parsed_instant p;
    day d;
    if (parse_instant(s, p)) return p.had_zone ? in_range(p.at, out) : from_wall(p.at.time_since_epoch().count(), how, out);
    if (parse_day(s, d)) return from_day(d.time_since_epoch().count(), how, out);
    return fault::unreadable;
}

fault text_to_day(std::string_view s, const conversion& how, value& out) {
    if (!how.format.empty()) {
        std::int64_t wall = 0;
        bool zoned = false;
        if (!parse_format(s, how.format, wall, zoned)) return fault::unreadable;
        out = value::of(value_type::day, std::chrono::floor<std::chrono::days>(microseconds{wall}).count());
        return fault::none;
    }
    day d;
    parsed_instant p;
    if (!parse_day(s, d)) {
        if (!parse_instant(s, p)) return fault::unreadable;
        d = day{std::chrono::floor<std::chrono::days>(p.at.time_since_epoch())};
    }
    out = value::of(d);
    return fault::none;
}

value list_of(const std::vector<std::string_view>& items, text_pool& pool) {
    std::vector<text_id> ids;
    ids.reserve(items.size());
    for (const auto item : items) ids.push_back(pool.intern(item));
    return value::of(pool.intern_list(ids));
}

fault text_to(std::string_view s, value_type type, const conversion& how, value& out) {
    if (type == value_type::text) {
        out = value::of(how.pool->intern(s));
        return fault::none;
    }
    if (type == value_type::text_list) {
        std::vector<std::string_view> items;
        const char separator = s.find(';') != std::string_view::npos ? ';' : ',';
        for (std::size_t from = 0; from <= s.size();) {
            const auto to = std::min(s.find(separator, from), s.size());
            if (const auto item = trimmed(s.substr(from, to - from)); !item.empty()) items.push_back(item);
            from = to + 1;
        }
        out = list_of(items, *how.pool);
        return fault::none;
    }
    s = trimmed(s);
    switch (type) {
        case value_type::boolean:
            for (const std::string_view yes : {"true", "yes"}) if (same_letters(s, yes)) { out = value::of(true); return fault::none; }
            for (const std::string_view no : {"false", "no"}) if (same_letters(s, no)) { out = value::of(false); return fault::none; }
            if (s == "1" || s == "0") { out = value::of(s == "1"); return fault::none; }
            return fault::unreadable;
        case value_type::integer:
            out = value::of(std::int64_t{0});
            if (parse_integer(s, out.i)) return fault::none;
            if (double d = 0; parse_decimal(s, d) && d == std::floor(d) && std::fabs(d) < 9e15) { out.i = static_cast<std::int64_t>(d); return fault::none; }
            return fault::unreadable;
        case value_type::decimal:
            out = value::of(0.0);
            return parse_decimal(s, out.d) ? fault::none : fault::unreadable;
        case value_type::money: {
            out = value::of(value_type::money, 0);
            double d = 0;
            return parse_decimal(s, d) && to_minor(d, out.i) ? fault::none : fault::unreadable;
        }
        case value_type::day: return text_to_day(s, how, out);
        case value_type::instant: return text_to_instant(s, how, out);
        case value_type::duration: {
            length l;
            if (!parse_length(s, l) || !l.is_fixed()) return fault::unreadable;
            out = value::of(l.fixed);
            return fault::none;
        }
        default: return fault::unreadable;
    }
}

}  // namespace

fault convert(const raw_cell& c, value_type type, const conversion& how, value& out) {
    out = {};
    if (c.type == value_type::missing) return fault::unreadable;
    if (c.type == value_type::text) return text_to(c.text, type, how, out);
    if (c.type == value_type::instant && c.naive) {
        if (type == value_type::instant) return from_wall(c.i, how, out);
        if (type == value_type::day) { out = value::of(type, std::chrono::floor<std::chrono::days>(microseconds{c.i}).count()); return fault::none; }
    }
    if (type == value_type::instant && c.type == value_type::instant) return in_range(instant{microseconds{c.i}}, out);
    if (c.type == type) {
        if (type == value_type::decimal) {
            out = value::of(c.d);
            return fault::none;
        }
        out = type == value_type::text_list ? list_of(c.list, *how.pool) : value::of(type, c.i);
        return fault::none;
    }
    switch (type) {
        case value_type::boolean:
            if (c.type != value_type::integer || (c.i != 0 && c.i != 1)) return fault::unreadable;
            out = value::of(c.i == 1);
            return fault::none;
        case value_type::integer:
            if (c.type != value_type::decimal || c.d != std::floor(c.d) || std::fabs(c.d) > 9.2e18) return fault::unreadable;
            out = value::of(static_cast<std::int64_t>(c.d));
            return fault::none;
        case value_type::decimal:
            if (c.type != value_type::integer && c.type != value_type::money) return fault::unreadable;
            out = value::of(value::of(c.type, c.i).as_decimal());
            return fault::none;
        case value_type::money: {
            std::int64_t minor = 0;
            if (c.type == value_type::integer ? __builtin_mul_overflow(c.i, minor_units, &minor) : c.type != value_type::decimal || !to_minor(c.d, minor)) return fault::unreadable;
            out = value::of(type, minor);
            return fault::none;
        }
        case value_type::text:
            if (c.type == value_type::text_list) return fault::unreadable;
            out = value::of(how.pool->intern(shown(c)));
            return fault::none;
        case value_type::text_list:
            out = value::of(how.pool->intern_list({how.pool->intern(shown(c))}));
            return fault::none;
        case value_type::day:
            if (c.type != value_type::instant) return fault::unreadable;
            out = value::of(day{std::chrono::floor<std::chrono::days>((how.zone == nullptr ? *utc() : *how.zone).to_local(instant{microseconds{c.i}}))});
            return fault::none;
        case value_type::instant: return c.type == value_type::day ? from_day(c.i, how, out) : fault::unreadable;
        default: return fault::unreadable;
    }
}

std::string shown(const raw_cell& c) {
    switch (c.type) {
        case value_type::missing: return {};
        case value_type::text: return std::string{c.text};
        case value_type::boolean: return c.i != 0 ? "true" : "false";
        case value_type::integer: return std::to_string(c.i);
        case value_type::decimal: return to_text(c.d);
        case value_type::money: return to_text(scalar{money{c.i}});
        case value_type::day: return to_text(day{std::chrono::days{c.i}});
        case value_type::duration: return to_text(length{microseconds{c.i}});
        case value_type::instant: {
            std::string out = to_text(instant{microseconds{c.i}});
            if (c.naive) out.pop_back();
            return out;
        }
        case value_type::text_list: {
            std::string out = "[";
            for (const auto item : c.list) out += (out.size() > 1 ? ", " : "") + std::string{item};
            return out + "]";
        }
    }
    return {};
}

bool same(const raw_cell& a, const raw_cell& b) {
    return a.type == b.type && a.i == b.i && (a.d == b.d || (std::isnan(a.d) && std::isnan(b.d))) && a.text == b.text && a.list == b.list;
}

// ---- guessing

value_type type_of_format(std::string_view format) {
    for (std::size_t i = 0; i + 1 < format.size(); ++i) {
        if (format[i] != '%') continue;
        if (std::string_view{"HIMSTRXcrpQ"}.find(format[++i]) != std::string_view::npos) return value_type::instant;
    }
    return value_type::day;
}

type_guess::type_guess(const conversion& how) : zone_known_{how.zone != nullptr}, formatted_{!how.format.empty()} {
    if (formatted_) format_type_ = type_of_format(how.format);
}

void type_guess::see(std::string_view s) {
    any_ = true;
    if (formatted_) return;
    if (boolean_ && !same_letters(s, "true") && !same_letters(s, "false")) boolean_ = false;
    if (decimal_ || integer_) {
        std::int64_t i = 0;
        double d = 0;
        const bool zeros = leads_with_zero(s);
        if (zeros || !parse_integer(s, i)) integer_ = false;
        if (decimal_ && !integer_ && (zeros || !parse_decimal(s, d))) decimal_ = false;
    }
    if (day_) {
        day d;
        if (!parse_day(s, d)) day_ = false;
    }
    if (instant_) {
        parsed_instant p;
        if (!parse_instant(s, p) || (!p.had_zone && !zone_known_)) instant_ = false;
    }
}

void type_guess::add(const type_guess& other) {
    any_ |= other.any_;
    boolean_ &= other.boolean_;
    integer_ &= other.integer_;
    decimal_ &= other.decimal_;
    day_ &= other.day_;
    instant_ &= other.instant_;
    if (!other.formatted_) return;
    formatted_ = true;
    format_type_ = other.format_type_;
}

value_type type_guess::type(bool texts_only) const {
    if (!any_) return value_type::missing;
    if (formatted_) return format_type_;
    if (!texts_only) {
        if (boolean_) return value_type::boolean;
        if (integer_) return value_type::integer;
        if (decimal_) return value_type::decimal;
    }
    return day_ ? value_type::day : instant_ ? value_type::instant : value_type::text;
}

// ---- reading

namespace {

bool of_a_kind(value_type cell, value_type column) {
    return cell == column || (cell == value_type::integer && column == value_type::decimal) ||
           (cell == value_type::text && (column == value_type::day || column == value_type::instant));
}

}  // namespace

void cell_reader::put(std::size_t begin, std::size_t i, const raw_cell& c, cell_block& out) {
    value v;
    if (const fault f = convert(c, type_, how_, v); f == fault::none) out.put(i, v);
    else out.faults.emplace_back(begin + i, f);
}

void cell_reader::read(std::size_t begin, std::size_t count, cell_block& out) {
    out.prepare(type_);
    if (type_ == value_type::missing) return;
    using kind = column_source::kind;
    switch (source_->holds()) {
        case kind::integers:
        case kind::decimals: return read_fixed(begin, count, out);
        case kind::texts: return read_text(begin, count, out);
        case kind::lists:
            for (std::size_t i = 0; i < count; ++i) {
                if (const raw_cell c = source_->cell(begin + i); c.type != value_type::missing) put(begin, i, c, out);
            }
            return;
        case kind::cells:
            cells_.clear();
            source_->read_cells(begin, count, cells_);
            for (const auto& [i, c] : cells_) {
                if (how_.strict && !of_a_kind(c.type, type_)) out.faults.emplace_back(begin + i, fault::unreadable);
                else put(begin, i, c, out);
            }
            return;
        case kind::none:
            for (std::size_t i = 0; i < count; ++i) {
                if (source_->cell(begin + i).type != value_type::missing) out.faults.emplace_back(begin + i, fault::unreadable);
            }
            return;
    }
}

void cell_reader::read_fixed(std::size_t begin, std::size_t count, cell_block& out) {
    const value_type natural = source_->natural(how_);
    if (source_->holds() == column_source::kind::decimals) {
        if (type_ == value_type::decimal) return source_->read_decimals(begin, count, out.decimals.data(), out.valid);
        decimals_.resize(block_rows);
        row_bits valid;
        source_->read_decimals(begin, count, decimals_.data(), valid);
        raw_cell c;
        c.type = natural;
        valid.each(count, [&](std::size_t i) {
            c.d = decimals_[i];
            put(begin, i, c, out);
        });
        return;
    }
    const bool plain = natural == type_ && !source_->naive();
    if (plain && storage_of(type_) == storage::integers) {
        source_->read_integers(begin, count, out.integers.data(), out.valid, out.faults);
        if (type_ == value_type::instant) {
            constexpr std::int64_t low = earliest_instant.time_since_epoch().count(), high = latest_instant.time_since_epoch().count();
            bool outside = false;
            for (std::size_t i = 0; i < count; ++i) outside |= out.integers[i] < low || out.integers[i] > high;
            if (outside) {
                const row_bits valid = out.valid;
                valid.each(count, [&](std::size_t i) {
                    if (out.integers[i] >= low && out.integers[i] <= high) return;
                    out.valid.reset(i);
                    out.faults.emplace_back(begin + i, fault::out_of_range);
                });
            }
        }
        return;
    }
    integers_.resize(block_rows);
    row_bits valid;
    source_->read_integers(begin, count, integers_.data(), valid, out.faults);
    if (plain && type_ == value_type::boolean) {
        for (std::size_t i = 0; i < count; ++i) out.bytes[i] = static_cast<std::uint8_t>(integers_[i] & 1);
        out.valid = valid;
        return;
    }
    if (natural == value_type::integer && type_ == value_type::decimal) {
        for (std::size_t i = 0; i < count; ++i) out.decimals[i] = static_cast<double>(integers_[i]);
        out.valid = valid;
        return;
    }
    raw_cell c;
    c.type = natural;
    c.naive = source_->naive();
    valid.each(count, [&](std::size_t i) {
        c.i = integers_[i];
        put(begin, i, c, out);
    });
}

bool cell_reader::never_missing() const {
    using kind = column_source::kind;
    if (!source_->never_missing()) return false;
    return type_ == value_type::text ? source_->holds() == kind::texts : type_ == value_type::integer && source_->holds() == kind::integers && source_->natural(how_) == type_;
}

bool cell_reader::ready_to_share(std::size_t most) {
    if (storage_of(type_) != storage::codes) return true;
    if (type_ != value_type::text || source_->holds() != column_source::kind::texts) return false;
    const std::vector<text_run> all = source_->dictionaries();
    std::size_t texts = 0;
    for (const auto& run : all) texts += run.size;
    if (all.empty() || texts > most) return false;
    for (const auto& run : all) {
        meanings_.assign(run.size, {});
        for (std::uint32_t code = 0; code < run.size; ++code) (void)meaning_of(run, code);
    }
    meanings_.clear();   // what was learnt is in the pool
    return true;
}

const cell_reader::meaning& cell_reader::meaning_of(const text_run& run, std::uint32_t code) {
    meaning& m = meanings_[code];
    if (!m.known) {
        m.known = true;
        if (const auto text = source_->run_text(run, code)) {
            raw_cell c;
            c.type = value_type::text;
            c.text = *text;
            m.why = convert(c, type_, how_, m.cell);
        }
    }
    return m;
}

bool cell_reader::read_dictionary(std::size_t begin, std::size_t count, cell_block& out) {
    constexpr std::uint32_t unknown = 0xffffffffU;
    run_codes_.resize(block_rows);
    for (std::size_t done = 0; done < count;) {
        text_run run;
        row_bits valid;
        if (!source_->read_run(begin + done, count - done, run_codes_.data(), valid, run)) return false;
        if (run.key != dictionary_ || meanings_.size() != run.size) {
            dictionary_ = run.key;
            meanings_.assign(run.size, {});
            known_codes_.assign(run.size, unknown);
        }
        if (type_ == value_type::text) {
            valid.each(run.count, [&](std::size_t i) {
                std::uint32_t& code = known_codes_[run_codes_[i]];
                if (code == unknown) {
                    const meaning& m = meaning_of(run, run_codes_[i]);
                    if (m.cell.is_missing()) return;   // a dictionary may hold a null
                    code = static_cast<std::uint32_t>(m.cell.i);
                }
                out.codes[done + i] = code;
                out.valid.set(done + i);
            });
        } else {
            valid.each(run.count, [&](std::size_t i) {
                const meaning& m = meaning_of(run, run_codes_[i]);
                if (m.why != fault::none) out.faults.emplace_back(begin + done + i, m.why);
                else if (!m.cell.is_missing()) out.put(done + i, m.cell);
            });
        }
        done += run.count;
    }
    return true;
}

void cell_reader::read_text(std::size_t begin, std::size_t count, cell_block& out) {
    if (read_dictionary(begin, count, out)) return;
    texts_.resize(block_rows);
    if (type_ == value_type::text) {
        source_->read_texts(begin, count, texts_.data(), out.valid);
        // Close up, so that what is missing is not interned.
        std::size_t n = 0;
        out.valid.each(count, [&](std::size_t i) { texts_[n++] = texts_[i]; });
        ids_.resize(block_rows);
        how_.pool->intern_many(texts_.data(), n, ids_.data());
        n = 0;
        out.valid.each(count, [&](std::size_t i) { out.codes[i] = static_cast<std::uint32_t>(ids_[n++]); });
        return;
    }
    row_bits valid;
    source_->read_texts(begin, count, texts_.data(), valid);
    raw_cell c;
    c.type = value_type::text;
    valid.each(count, [&](std::size_t i) {
        c.text = texts_[i];
        put(begin, i, c, out);
    });
}

}  // namespace journeyman::detail
