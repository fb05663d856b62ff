#include "history/source_csv.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "history/convert.hpp"
#include "history/evidence.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman::detail {

namespace {

/// The cells of one column, unquoted, one after the other. An empty cell is missing.
class csv_column : public column_source {
public:
    using column_source::column_source;
    void push(std::string_view s) {
        bytes_.append(s);
        close();
    }
    void append(std::string_view s) { bytes_.append(s); }
    void close() { ends_.push_back(bytes_.size()); }

    [[nodiscard]] kind holds() const override { return kind::texts; }
    [[nodiscard]] value_type natural(const conversion& how) const override { return evidence(how).type(); }
    [[nodiscard]] type_evidence evidence(const conversion& how) const override {
        type_guess guess{how};
        for (std::size_t r = 0; r < ends_.size(); ++r) {
            if (const auto s = text(r); !s.empty()) guess.see(s);
        }
        return type_evidence::of_texts(guess);
    }
    void read_texts(std::size_t begin, std::size_t count, std::string_view* out, row_bits& valid) const override {
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = text(begin + i);
            if (!out[i].empty()) valid.set(i);
        }
    }
    [[nodiscard]] raw_cell cell(std::size_t row) const override {
        raw_cell c;
        c.text = text(row);
        if (!c.text.empty()) c.type = value_type::text;
        return c;
    }
    [[nodiscard]] std::size_t size() const { return ends_.size(); }

private:
    [[nodiscard]] std::string_view text(std::size_t r) const {
        const std::size_t from = r == 0 ? 0 : ends_[r - 1];
        return std::string_view{bytes_}.substr(from, ends_[r] - from);
    }
    std::string bytes_;
    std::vector<std::size_t> ends_;
};

class csv_parser {
public:
    csv_parser(std::string_view text, std::string place) : at_{text.data()}, end_{text.data() + text.size()}, place_{std::move(place)} {}

    raw_table parse() {
        raw_table out;
        if (at_ == end_) fail("input.csv", "the file is empty; its first line must name the columns");
        separator_ = guess_separator();
        std::vector<std::string> header;
        for (bool more = true; more;) {
            std::string cell;
            more = read_cell([&](std::string_view s) { cell.append(s); });
            header.push_back(std::move(cell));
        }
        for (std::size_t i = 0; i < header.size(); ++i) {
            if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) != header.begin() + static_cast<std::ptrdiff_t>(i)) {
                fail("input.csv", "two columns are called '" + header[i] + "'; rename one");
            }
        }
        std::vector<csv_column*> columns;
        for (auto& name : header) {
            auto c = std::make_unique<csv_column>(name);
            columns.push_back(c.get());
            out.columns.push_back(std::move(c));
        }
        while (skip_blank_lines()) {
            const std::size_t line = line_;
            std::size_t k = 0;
            for (bool more = true; more; ++k) {
                if (k == columns.size()) fail_at(line, "the row has more cells than the header (" + std::to_string(columns.size()) + "); quote cells that hold a '" + separator_ + "'");
                csv_column& c = *columns[k];
                more = read_cell([&](std::string_view s) { c.append(s); });
                c.close();
            }
            if (k < columns.size()) fail_at(line, "the row has " + std::to_string(k) + " cells, the header " + std::to_string(columns.size()) + "; is a line break or a quote missing or left over?");
            ++out.rows;
        }
        return out;
    }

private:
    [[noreturn]] void fail(const char* code, const std::string& what) const { throw error{code, place_ + ":" + std::to_string(line_), what}; }
    [[noreturn]] void fail_at(std::size_t line, const std::string& what) const { throw error{"input.csv", place_ + ":" + std::to_string(line), what}; }

    /// Comma; or what stands in the header when no comma does (spreadsheets in much of Europe write semicolons).
    [[nodiscard]] char guess_separator() const {
        const std::string_view line{at_, static_cast<std::size_t>(std::find(at_, end_, '\n') - at_)};
        if (line.find(',') != std::string_view::npos) return ',';
        if (line.find(';') != std::string_view::npos) return ';';
        return line.find('\t') != std::string_view::npos ? '\t' : ',';
    }
    bool skip_blank_lines() {
        while (at_ != end_ && (*at_ == '\n' || (*at_ == '\r' && at_ + 1 != end_ && at_[1] == '\n'))) {
            at_ += *at_ == '\r' ? 2 : 1;
            ++line_;
        }
        return at_ != end_;
    }
    /// Hands the cell over piece by piece; true when another one follows in the row.
    template <class F>
    bool read_cell(F&& piece) {
        if (at_ != end_ && *at_ == '"') {
            const std::size_t opened = line_;
            ++at_;
            for (;;) {
                const auto* quote = static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
                if (quote == nullptr) fail_at(opened, "a quoted cell is not closed before the end of the file; close it with a quote");
                line_ += static_cast<std::size_t>(std::count(at_, quote, '\n'));
                piece(std::string_view{at_, static_cast<std::size_t>(quote - at_)});
                at_ = quote + 1;
                if (at_ == end_ || *at_ != '"') break;
                piece("\"");
                ++at_;
            }
            if (at_ != end_ && *at_ != separator_ && *at_ != '\n' && *at_ != '\r') fail("input.csv", "there is text after the closing quote of a cell; double the quotes inside it");
        } else {
            const char* const from = at_;
            while (at_ != end_ && *at_ != separator_ && *at_ != '\n' && *at_ != '\r') {
                if (*at_ == '"') fail("input.csv", "a quote stands inside a cell that is not quoted; quote the whole cell and double the quotes inside it");
                ++at_;
            }
            if (at_ != from) piece(std::string_view{from, static_cast<std::size_t>(at_ - from)});
        }
        if (at_ == end_) return false;
        if (*at_ == separator_) {
            ++at_;
            return true;
        }
        if (*at_ == '\r') ++at_;
        if (at_ != end_ && *at_ == '\n') ++at_;
        ++line_;
        return false;
    }

    const char* at_;
    const char* end_;
    std::string place_;
    std::size_t line_ = 1;
    char separator_ = ',';
};

}  // namespace

std::string read_whole_file(const std::filesystem::path& path) {
    struct closer { void operator()(std::FILE* f) const { std::fclose(f); } };
    const std::string name = path.string();
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) throw error{"input.file", name, "this is a folder; give a file"};
    const std::unique_ptr<std::FILE, closer> file{std::fopen(name.c_str(), "rb")};
    if (!file) throw error{"input.file", name, "the file cannot be read: " + std::string{std::strerror(errno)} + "; is the path right?"};
    std::string text;
    const auto size = std::filesystem::file_size(path, ignored);
    if (!ignored) text.reserve(size);
    std::array<char, 1 << 16> buffer{};
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get())) text.append(buffer.data(), n);
    if (std::ferror(file.get()) != 0) throw error{"input.file", name, "the file cannot be read: " + std::string{std::strerror(errno)}};
    return text;
}

void check_utf8(std::string_view text, const std::string& place) {
    if (simdjson::validate_utf8(text.data(), text.size())) return;
    std::size_t line = 1;
    for (std::size_t from = 0; from < text.size(); ++line) {
        const std::size_t to = std::min(text.find('\n', from), text.size());
        if (!simdjson::validate_utf8(text.data() + from, to - from)) break;
        from = to + 1;
    }
    throw error{"input.utf8", place + ":" + std::to_string(line), "the file is no UTF-8 from here; save it as UTF-8"};
}

raw_table read_csv_text(std::string_view text, const std::string& place, raw_table::kind what, std::string label) {
    if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);   // a byte order mark
    check_utf8(text, place);
    raw_table out = csv_parser{text, place}.parse();
    out.what = what;
    out.label = std::move(label);
    out.place = place;
    return out;
}

raw_table read_csv(const std::filesystem::path& path, raw_table::kind what, std::string label) {
    return read_csv_text(read_whole_file(path), path.string(), what, std::move(label));
}

}  // namespace journeyman::detail
