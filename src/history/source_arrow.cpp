#include "history/source_arrow.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "history/convert.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman::detail {

namespace {

enum class layout : std::uint8_t { null, bits, i8, i16, i32, i64, u8, u16, u32, u64, f16, f32, f64, decimal128, text32, text64, view, list32, list64, none };

/// What a format string says.
struct meaning {
    layout how = layout::none;
    value_type type = value_type::missing;
    std::int64_t multiply = 1, divide = 1;   // to our unit
    bool naive = false;
    int scale = 0;                           // decimal128
    bool whole_days = false;                 // date64: milliseconds that are days
};

meaning read_format(std::string_view f) {
    using enum layout;
    const auto unit = [](char c, meaning m) {
        if (c == 's') m.multiply = 1'000'000;
        else if (c == 'm') m.multiply = 1000;
        else if (c == 'n') m.divide = 1000;
        else if (c != 'u') m.how = none;
        return m;
    };
    if (f == "n") return {null};
    if (f == "b") return {bits, value_type::boolean};
    constexpr std::pair<char, layout> integers[] = {{'c', i8}, {'s', i16}, {'i', i32}, {'l', i64}, {'C', u8}, {'S', u16}, {'I', u32}, {'L', u64}};
    if (f.size() == 1) {
        for (const auto& [c, l] : integers) if (c == f[0]) return {l, value_type::integer};
    }
    if (f == "e") return {f16, value_type::decimal};
    if (f == "f") return {f32, value_type::decimal};
    if (f == "g") return {f64, value_type::decimal};
    if (f == "u") return {text32, value_type::text};
    if (f == "U") return {text64, value_type::text};
    if (f == "vu") return {view, value_type::text};
    if (f == "tdD") return {i32, value_type::day};
    if (f == "tdm") { meaning m{i64, value_type::day}; m.whole_days = true; return m; }
    if (f.size() >= 4 && f.substr(0, 2) == "ts" && f[3] == ':') {
        meaning m = unit(f[2], {i64, value_type::instant});
        m.naive = f.size() == 4;
        return m;
    }
    if (f.size() == 3 && f.substr(0, 2) == "tD") return unit(f[2], {i64, value_type::duration});
    if (f.substr(0, 2) == "d:") {   // d:precision,scale[,bits]
        const auto comma = f.find(',');
        if (comma == std::string_view::npos) return {};
        const auto second = f.find(',', comma + 1);
        if (second != std::string_view::npos && f.substr(second + 1) != "128") return {};
        meaning m{decimal128, value_type::decimal};
        const auto scale = f.substr(comma + 1, second == std::string_view::npos ? second : second - comma - 1);
        std::from_chars(scale.data(), scale.data() + scale.size(), m.scale);
        return m;
    }
    if (f == "+l") return {list32, value_type::text_list};
    if (f == "+L") return {list64, value_type::text_list};
    return {};
}

int buffers_of(layout l) {
    switch (l) {
        case layout::null: return 0;
        case layout::text32:
        case layout::text64: return 3;
        default: return 2;
    }
}

struct batches {
    ArrowSchema schema{};
    std::vector<ArrowArray> arrays;
    std::vector<std::size_t> begins{0};
    ~batches() {
        for (auto& a : arrays) if (a.release != nullptr) a.release(&a);
        if (schema.release != nullptr) schema.release(&schema);
    }
};

double half_to_double(std::uint16_t h) {
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    const double sign = (h & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    if (exponent == 31) return fraction != 0 ? std::nan("") : sign * HUGE_VAL;
    return sign * std::ldexp(fraction + 1024, exponent - 25);
}

double decimal_to_double(const void* at, int scale) {
    __extension__ using wide = __int128;
    wide x = 0;
    std::memcpy(&x, at, 16);
    constexpr double exact[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    constexpr wide mantissa = wide{1} << 53;
    // One division of two exact doubles is rounded correctly; beyond, the digits are read as text.
    if (x <= mantissa && x >= -mantissa && scale >= 0 && scale <= 22) return static_cast<double>(x) / exact[scale];
    std::string digits;
    const bool negative = x < 0;
    for (wide rest = x; rest != 0; rest /= 10) digits.insert(digits.begin(), static_cast<char>('0' + (rest % 10 < 0 ? -(rest % 10) : rest % 10)));
    digits = (negative ? "-" : "") + (digits.empty() ? "0" : digits) + "e" + std::to_string(-scale);
    double out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
}

class arrow_column : public column_source {
public:
    arrow_column(std::string name, std::shared_ptr<const batches> all, std::size_t index) : column_source{std::move(name)}, all_{std::move(all)} {
        const ArrowSchema& s = *all_->schema.children[index];
        dictionary_ = s.dictionary != nullptr;
        has_bits_ = std::string_view{s.format}.substr(0, 2) != "+u" && std::string_view{s.format}.substr(0, 2) != "+r";   // unions, run-ends
        m_ = read_format(dictionary_ ? s.dictionary->format : s.format);
        if (dictionary_) index_ = read_format(s.format).how;
        if (dictionary_ && (index_ < layout::i8 || index_ > layout::u64)) m_ = {};
        if (m_.type == value_type::text_list) {
            item_ = s.n_children == 1 && s.children[0]->dictionary == nullptr ? read_format(s.children[0]->format) : meaning{};
            if (item_.type != value_type::text || dictionary_) m_ = {};
        }
        for (std::size_t b = 0; b < all_->arrays.size(); ++b) {
            const ArrowArray& parent = all_->arrays[b];
            chunk c;
            c.array = parent.children[index];
            c.rows = all_->begins[b + 1] - all_->begins[b];
            c.offset = static_cast<std::size_t>(parent.offset + c.array->offset);
            c.values = dictionary_ ? c.array->dictionary : c.array;
            check(c);
            c.base = dictionary_ ? static_cast<std::size_t>(c.values->offset) : c.offset;
            c.valid = bits_of(*c.array, dictionary_ ? index_ : m_.how);
            c.values_valid = dictionary_ ? bits_of(*c.values, m_.how) : nullptr;
            if (c.array->null_count == 0) c.valid = nullptr;
            chunks_.push_back(c);
        }
    }

    [[nodiscard]] kind holds() const override {
        switch (m_.how) {
            case layout::none: return kind::none;
            case layout::f16:
            case layout::f32:
            case layout::f64:
            case layout::decimal128: return kind::decimals;
            case layout::text32:
            case layout::text64:
            case layout::view: return kind::texts;
            case layout::list32:
            case layout::list64: return kind::lists;
            default: return kind::integers;
        }
    }
    [[nodiscard]] value_type natural(const conversion& how) const override {
        if (m_.type == value_type::text && !how.format.empty()) return type_of_format(how.format);
        return m_.type;
    }
    [[nodiscard]] bool naive() const override { return m_.naive; }
    [[nodiscard]] bool never_missing() const override {
        if (m_.how == layout::null || holds() == kind::decimals || holds() == kind::none) return false;   // a decimal may be no number
        return std::all_of(chunks_.begin(), chunks_.end(), [&](const chunk& c) { return c.valid == nullptr && (!dictionary_ || c.values_valid == nullptr || c.values->null_count == 0); });
    }

    void read_integers(std::size_t begin, std::size_t count, std::int64_t* out, row_bits& valid, std::vector<std::pair<std::size_t, fault>>& faults) const override {
        spans(begin, count, [&](const chunk& c, std::size_t row, std::size_t n, std::size_t to) {
            if (m_.how == layout::null) return;
            mark(c, row, n, to, valid);
            if (dictionary_) {
                for (std::size_t i = 0; i < n; ++i) out[to + i] = valid.test(to + i) ? integer(c, c.base + index(c, row + i)) : 0;
            } else {
                copy_integers(c, c.base + row, n, out + to);
            }
            scale(begin, n, out, to, valid, faults);
        });
    }
    void read_decimals(std::size_t begin, std::size_t count, double* out, row_bits& valid) const override {
        spans(begin, count, [&](const chunk& c, std::size_t row, std::size_t n, std::size_t to) {
            mark(c, row, n, to, valid);
            if (!dictionary_ && m_.how == layout::f64) std::memcpy(out + to, static_cast<const double*>(c.values->buffers[1]) + c.base + row, n * sizeof(double));
            else for (std::size_t i = 0; i < n; ++i) out[to + i] = valid.test(to + i) ? decimal(c, physical(c, row + i)) : 0.0;
            // What is not a number is missing ("no data" is empty, never NaN): pandas writes it so.
            for (std::size_t i = 0; i < n; ++i) if (std::isnan(out[to + i])) valid.reset(to + i);
        });
    }
    void read_texts(std::size_t begin, std::size_t count, std::string_view* out, row_bits& valid) const override {
        spans(begin, count, [&](const chunk& c, std::size_t row, std::size_t n, std::size_t to) {
            mark(c, row, n, to, valid);
            if (!dictionary_ && m_.how == layout::text32) {
                const auto* at = static_cast<const std::int32_t*>(c.values->buffers[1]) + c.base + row;
                const auto* bytes = static_cast<const char*>(c.values->buffers[2]);
                for (std::size_t i = 0; i < n; ++i) out[to + i] = {bytes + at[i], static_cast<std::size_t>(at[i + 1] - at[i])};
                return;
            }
            for (std::size_t i = 0; i < n; ++i) out[to + i] = valid.test(to + i) ? text(c, physical(c, row + i)) : std::string_view{};
        });
    }
    bool read_run(std::size_t begin, std::size_t count, std::uint32_t* codes, row_bits& valid, text_run& run) const override {
        if (!dictionary_) return false;
        const std::size_t b = chunk_at(begin);
        const chunk& c = chunks_[b];
        const std::size_t row = begin - all_->begins[b], n = std::min(count, c.rows - row);
        mark(c, row, n, 0, valid);
        const auto size = static_cast<std::size_t>(c.values->length);
        const auto take = [&]<class T>(const T* from) {
            for (std::size_t i = 0; i < n; ++i) codes[i] = static_cast<std::uint32_t>(from[i]);
        };
        const void* from = c.array->buffers[1];
        const std::size_t at = c.offset + row;
        switch (index_) {
            case layout::i8: take(static_cast<const std::int8_t*>(from) + at); break;
            case layout::u8: take(static_cast<const std::uint8_t*>(from) + at); break;
            case layout::i16: take(static_cast<const std::int16_t*>(from) + at); break;
            case layout::u16: take(static_cast<const std::uint16_t*>(from) + at); break;
            case layout::i32: take(static_cast<const std::int32_t*>(from) + at); break;
            case layout::u32: take(static_cast<const std::uint32_t*>(from) + at); break;
            case layout::i64: take(static_cast<const std::int64_t*>(from) + at); break;
            default: take(static_cast<const std::uint64_t*>(from) + at); break;
        }
        bool outside = false;
        for (std::size_t i = 0; i < n; ++i) outside |= codes[i] >= size;
        if (outside) {
            for (std::size_t i = 0; i < n; ++i) if (valid.test(i) && codes[i] >= size) bad("an index lies outside its dictionary");
        }
        run = {codes, n, same_dictionary(c), size};
        return true;
    }
    [[nodiscard]] std::optional<std::string_view> run_text(const text_run& run, std::uint32_t code) const override {
        const chunk& c = *static_cast<const chunk*>(run.key);
        if (c.values_valid != nullptr && !bit(c.values_valid, c.base + code)) return std::nullopt;
        return text(c, c.base + code);
    }
    [[nodiscard]] std::vector<text_run> dictionaries() const override {
        std::vector<text_run> out;
        if (!dictionary_) return out;
        for (const chunk& c : chunks_) {
            if (&c != &chunks_.front() && same_dictionary(c) == &chunks_.front()) continue;
            out.push_back({nullptr, 0, &c, static_cast<std::size_t>(c.values->length)});
        }
        return out;
    }
    [[nodiscard]] raw_cell cell(std::size_t row) const override {
        const std::size_t b = chunk_at(row);
        const chunk& c = chunks_[b];
        const std::size_t r = row - all_->begins[b];
        raw_cell out;
        if (m_.how == layout::null || !present(c, r)) return out;
        out.type = m_.type;
        out.naive = m_.naive;
        switch (holds()) {
            case kind::integers: {
                row_bits valid;
                std::vector<std::pair<std::size_t, fault>> faults;
                read_integers(row, 1, &out.i, valid, faults);
                return out;
            }
            case kind::decimals:
                out.d = decimal(c, physical(c, r));
                if (std::isnan(out.d)) out.type = value_type::missing;
                return out;
            case kind::texts: out.text = text(c, physical(c, r)); return out;
            case kind::lists: {
                const std::size_t at = c.base + r;
                const auto range = [&]<class T>(const T* offsets) { return std::pair{static_cast<std::size_t>(offsets[at]), static_cast<std::size_t>(offsets[at + 1])}; };
                const auto [from, to] = m_.how == layout::list32 ? range(static_cast<const std::int32_t*>(c.array->buffers[1])) : range(static_cast<const std::int64_t*>(c.array->buffers[1]));
                const ArrowArray& items = *c.array->children[0];
                const auto* valid = items.null_count == 0 ? nullptr : static_cast<const std::uint8_t*>(items.buffers[0]);
                for (std::size_t k = from; k < to; ++k) {
                    const auto place = k + static_cast<std::size_t>(items.offset);
                    if (valid == nullptr || bit(valid, place)) out.list.push_back(utf8(text_in(items, item_.how, place)));
                }
                return out;
            }
            default: out.type = value_type::text; out.text = "(a type that cannot be read)"; return out;
        }
    }

private:
    struct chunk {
        const ArrowArray* array = nullptr;
        const ArrowArray* values = nullptr;      // the dictionary, or the array itself
        std::size_t rows = 0, offset = 0, base = 0;
        const std::uint8_t* valid = nullptr;
        const std::uint8_t* values_valid = nullptr;
    };

    [[noreturn]] void bad(const std::string& what) const { throw error{"input.arrow", name(), what + "; the Arrow data are damaged, write them again"}; }

    static bool bit(const std::uint8_t* bits, std::size_t i) { return ((bits[i >> 3] >> (i & 7)) & 1) != 0; }
    [[nodiscard]] const std::uint8_t* bits_of(const ArrowArray& a, layout l) const { return l == layout::null || !has_bits_ || a.n_buffers < 1 ? nullptr : static_cast<const std::uint8_t*>(a.buffers[0]); }

    void check(const chunk& c) const {
        if (c.array->offset < 0 || c.array->length < 0) bad("a negative length or offset");
        if (static_cast<std::size_t>(c.array->length) < c.rows) bad("a column is shorter than its table");
        if (m_.how == layout::none) return;
        if (dictionary_ && c.values == nullptr) bad("a dictionary is not there");
        if (c.array->n_buffers < (dictionary_ ? 2 : buffers_of(m_.how)) || c.values->n_buffers < buffers_of(m_.how)) bad("a buffer is not there");
        if (c.rows > 0 && m_.how != layout::null && c.array->buffers[1] == nullptr) bad("a buffer is empty");
        if (m_.type == value_type::text_list && c.array->n_children != 1) bad("a list has no items");
        if (c.rows > 0 && (m_.how == layout::text32 || m_.how == layout::text64)) check_text(*c.values, dictionary_ ? static_cast<std::size_t>(c.values->length) : c.rows, dictionary_ ? static_cast<std::size_t>(c.values->offset) : c.offset);
    }
    void check_text(const ArrowArray& a, std::size_t n, std::size_t from) const {
        if (n == 0) return;
        const auto run = [&]<class T>(const T* at) {
            bool falls = at[from] < 0;
            for (std::size_t i = from; i < from + n; ++i) falls |= at[i + 1] < at[i];
            if (falls) bad("the offsets of its texts fall");
            const auto* bytes = static_cast<const char*>(a.buffers[2]);
            const auto size = static_cast<std::size_t>(at[from + n] - at[from]);
            if (size == 0) return;
            if (bytes == nullptr) bad("a buffer is empty");
            if (!simdjson::validate_utf8(bytes + at[from], size)) throw error{"input.utf8", name(), "the column holds bytes that are no UTF-8; decode the texts where they are read"};
        };
        if (m_.how == layout::text32) run(static_cast<const std::int32_t*>(a.buffers[1]));
        else run(static_cast<const std::int64_t*>(a.buffers[1]));
    }
    [[nodiscard]] std::size_t chunk_at(std::size_t row) const {
        return static_cast<std::size_t>(std::upper_bound(all_->begins.begin(), all_->begins.end(), row) - all_->begins.begin()) - 1;
    }
    /// f(chunk, row in it, rows, place in the block) for each piece of [begin, begin + count).
    template <class F>
    void spans(std::size_t begin, std::size_t count, F&& f) const {
        std::size_t b = chunk_at(begin);
        for (std::size_t done = 0; done < count; ++b) {
            const std::size_t row = begin + done - all_->begins[b], n = std::min(count - done, chunks_[b].rows - row);
            if (n > 0) f(chunks_[b], row, n, done);
            done += n;
        }
    }
    [[nodiscard]] bool present(const chunk& c, std::size_t row) const {
        if (c.valid != nullptr && !bit(c.valid, c.offset + row)) return false;
        return c.values_valid == nullptr || !dictionary_ || bit(c.values_valid, c.base + index(c, row));
    }
    void mark(const chunk& c, std::size_t row, std::size_t n, std::size_t to, row_bits& valid) const {
        if (c.valid == nullptr) valid.set_range(to, n);
        else valid.copy(c.valid, c.offset + row, to, n);
        if (dictionary_ && c.values_valid != nullptr && c.values->null_count != 0) {
            for (std::size_t i = 0; i < n; ++i) if (valid.test(to + i) && !bit(c.values_valid, c.base + index(c, row + i))) valid.reset(to + i);
        }
    }
    [[nodiscard]] std::size_t index(const chunk& c, std::size_t row) const {
        const std::int64_t k = integer_at(c.array->buffers[1], index_, c.offset + row);
        if (k < 0 || k >= c.values->length) bad("an index lies outside its dictionary");
        return static_cast<std::size_t>(k);
    }
    [[nodiscard]] std::size_t physical(const chunk& c, std::size_t row) const { return c.base + (dictionary_ ? index(c, row) : row); }
    static std::int64_t integer_at(const void* from, layout l, std::size_t i) {
        switch (l) {
            case layout::bits: return bit(static_cast<const std::uint8_t*>(from), i);
            case layout::i8: return static_cast<const std::int8_t*>(from)[i];
            case layout::u8: return static_cast<const std::uint8_t*>(from)[i];
            case layout::i16: return static_cast<const std::int16_t*>(from)[i];
            case layout::u16: return static_cast<const std::uint16_t*>(from)[i];
            case layout::i32: return static_cast<const std::int32_t*>(from)[i];
            case layout::u32: return static_cast<const std::uint32_t*>(from)[i];
            case layout::u64: return static_cast<std::int64_t>(static_cast<const std::uint64_t*>(from)[i]);
            default: return static_cast<const std::int64_t*>(from)[i];
        }
    }
    [[nodiscard]] std::int64_t integer(const chunk& c, std::size_t i) const { return integer_at(c.values->buffers[1], m_.how, i); }
    void copy_integers(const chunk& c, std::size_t from, std::size_t n, std::int64_t* out) const {
        if (m_.how == layout::i64 || m_.how == layout::u64) {
            std::memcpy(out, static_cast<const std::int64_t*>(c.values->buffers[1]) + from, n * 8);
        } else if (m_.how == layout::i32) {
            const auto* at = static_cast<const std::int32_t*>(c.values->buffers[1]) + from;
            for (std::size_t i = 0; i < n; ++i) out[i] = at[i];
        } else {
            for (std::size_t i = 0; i < n; ++i) out[i] = integer(c, from + i);
        }
    }
    /// To our units, where the source has others.
    void scale(std::size_t begin, std::size_t n, std::int64_t* out, std::size_t to, row_bits& valid, std::vector<std::pair<std::size_t, fault>>& faults) const {
        if (m_.whole_days) {
            for (std::size_t i = to; i < to + n; ++i) out[i] = std::chrono::floor<std::chrono::days>(std::chrono::milliseconds{out[i]}).count();
        } else if (m_.divide != 1) {
            for (std::size_t i = to; i < to + n; ++i) out[i] = out[i] / m_.divide - (out[i] % m_.divide < 0);
        } else if (m_.multiply != 1) {
            for (std::size_t i = to; i < to + n; ++i) {
                if (!__builtin_mul_overflow(out[i], m_.multiply, &out[i]) || !valid.test(i)) continue;
                valid.reset(i);
                faults.emplace_back(begin + i, fault::out_of_range);
            }
        } else if (m_.how == layout::u64) {
            for (std::size_t i = to; i < to + n; ++i) {
                if (out[i] >= 0 || !valid.test(i)) continue;
                valid.reset(i);
                faults.emplace_back(begin + i, fault::unreadable);
            }
        }
    }
    [[nodiscard]] double decimal(const chunk& c, std::size_t i) const {
        const void* at = c.values->buffers[1];
        switch (m_.how) {
            case layout::f16: return half_to_double(static_cast<const std::uint16_t*>(at)[i]);
            case layout::f32: return static_cast<double>(static_cast<const float*>(at)[i]);
            case layout::decimal128: return decimal_to_double(static_cast<const char*>(at) + i * 16, m_.scale);
            default: return static_cast<const double*>(at)[i];
        }
    }
    [[nodiscard]] std::string_view text(const chunk& c, std::size_t i) const { return text_in(*c.values, m_.how, i); }
    [[nodiscard]] std::string_view text_in(const ArrowArray& a, layout l, std::size_t i) const {
        if (l == layout::view) {
            const auto* v = static_cast<const char*>(a.buffers[1]) + i * 16;
            std::int32_t head[4];
            std::memcpy(head, v, 16);
            if (head[0] < 0) bad("a text of negative length");
            const auto size = static_cast<std::size_t>(head[0]);
            if (size <= 12) return utf8({v + 4, size});
            if (head[2] < 0 || head[2] + 3 >= a.n_buffers) bad("a text lies outside its buffers");
            return utf8({static_cast<const char*>(a.buffers[2 + head[2]]) + head[3], size});
        }
        const auto cut = [&]<class T>(const T* at) { return std::string_view{static_cast<const char*>(a.buffers[2]) + at[i], static_cast<std::size_t>(at[i + 1] - at[i])}; };
        return l == layout::text32 ? cut(static_cast<const std::int32_t*>(a.buffers[1])) : cut(static_cast<const std::int64_t*>(a.buffers[1]));
    }
    [[nodiscard]] std::string_view utf8(std::string_view s) const {
        for (const char c : s) {
            if (static_cast<unsigned char>(c) < 0x80) continue;
            if (!simdjson::validate_utf8(s.data(), s.size())) throw error{"input.utf8", name(), "the column holds bytes that are no UTF-8; decode the texts where they are read"};
            break;
        }
        return s;
    }
    /// Batches cut from one table often share their dictionary: then it is read once.
    [[nodiscard]] const chunk* same_dictionary(const chunk& c) const {
        const chunk& first = chunks_.front();
        const bool shared = c.values->length == first.values->length && c.base == first.base && c.values->n_buffers == first.values->n_buffers &&
                            std::equal(c.values->buffers, c.values->buffers + c.values->n_buffers, first.values->buffers);
        return shared ? &first : &c;
    }

    std::shared_ptr<const batches> all_;
    meaning m_, item_;
    bool dictionary_ = false, has_bits_ = true;
    layout index_ = layout::none;
    std::vector<chunk> chunks_;
};

}  // namespace

raw_table read_arrow(ArrowArrayStream* stream, raw_table::kind what, std::string label) {
    if (stream->release == nullptr) throw error{"input.arrow", label, "the Arrow stream has been read already; give a fresh one"};
    const stream_owner owner{stream};
    const auto must = [&](int code) {
        if (code == 0) return;
        const char* why = stream->get_last_error(stream);
        throw error{"input.arrow", label, "the Arrow stream cannot be read: " + std::string{why != nullptr ? why : std::strerror(code)}};
    };
    auto all = std::make_shared<batches>();
    must(stream->get_schema(stream, &all->schema));
    if (all->schema.format == nullptr || std::string_view{all->schema.format} != "+s") throw error{"input.arrow", label, "this Arrow stream is no table (its schema is not a struct); give a table or record batches"};
    for (;;) {
        ArrowArray batch{};
        must(stream->get_next(stream, &batch));
        if (batch.release == nullptr) break;
        all->arrays.push_back(batch);
        if (batch.n_children != all->schema.n_children) throw error{"input.arrow", label, "a batch has other columns than the schema; write the table again"};
        all->begins.push_back(all->begins.back() + static_cast<std::size_t>(batch.length));
    }
    raw_table out;
    out.what = what;
    out.label = std::move(label);
    out.rows = all->begins.back();
    for (std::size_t i = 0; i < static_cast<std::size_t>(all->schema.n_children); ++i) {
        const char* name = all->schema.children[i]->name;
        if (name != nullptr && std::any_of(out.columns.begin(), out.columns.end(), [&](const auto& c) { return c->name() == name; })) throw error{"input.arrow", out.label, "two columns are called '" + std::string{name} + "'; rename one"};
        out.columns.push_back(std::make_unique<arrow_column>(name != nullptr ? name : "", all, i));
    }
    out.memory = all;
    return out;
}

}  // namespace journeyman::detail
