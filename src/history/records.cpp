// JSON Lines in the form of the Segment spec: one record a line, in order of arrival.

#include <simdjson.h>

#include <string>

#include "history/arrivals.hpp"
#include "history/convert.hpp"
#include "history/rejections.hpp"
#include "history/source_arrow.hpp"
#include "history/source_csv.hpp"
#include "history/source_loose.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman {

namespace {

namespace dom = simdjson::dom;
using detail::raw_cell;

constexpr std::size_t deepest = 64;   // nested objects

class record_reader {
public:
    record_reader(const read_options& options, const history_data* before) : options_{options}, before_{before} {
        room(0);
        if (before != nullptr) log_ = detail::log_of(*before);
    }

    void line(const char* text, std::size_t size, std::int64_t row) {
        row_ = row;
        dom::element record;
        if (size > parser_.capacity()) room(size);
        if (const auto bad = parser_.parse(text, size, false).get(record); bad != simdjson::SUCCESS) {
            return reject(bad == simdjson::DEPTH_ERROR ? "nested too deep" : "malformed JSON", {text, size});
        }
        dom::object object;
        if (record.get(object) != simdjson::SUCCESS) return reject("not a record", {text, size});
        read(object, {text, size});
    }
    history finish(ArrowArrayStream* spend, std::int64_t lines) && {
        auto tables = std::move(tables_).finish();
        if (spend != nullptr) {
            tables.push_back(detail::read_arrow(spend, detail::raw_table::kind::spend, "spend"));
            detail::assign_columns(tables.back(), options_);
        }
        return detail::ingest(std::move(tables), options_, std::move(log_), before_, lines);
    }

private:
    void room(std::size_t bytes) {
        if (parser_.allocate(std::max<std::size_t>(bytes, 1 << 12), deepest) != simdjson::SUCCESS) throw error{"limit.record", "records", "a record of " + std::to_string(bytes) + " bytes does not fit the memory"};
    }
    void reject(std::string_view reason, std::string_view example) { log_.add("records", row_, reason, example); }

    void read(const dom::object& record, std::string_view whole) {
        std::string_view type;
        if (record["type"].get(type) != simdjson::SUCCESS) return reject("no type", whole);
        if (type == "alias") return reject("alias is not supported", whole);
        if (type != "identify" && type != "track" && type != "page" && type != "screen" && type != "group") return reject("unknown type", type);

        detail::loose_tables::fact f;
        f.row = row_;
        std::string id, group, message;
        bool group_is_integer = false;
        const bool has_id = identity(record, "userId", id, f.id_is_integer);
        if (!has_id && type != "group") return reject("no contact_id", whole);
        f.id = id;
        if (!time(record, f)) return;
        if (bool ignored = false; identity(record, "messageId", message, ignored)) f.event_id = message;

        if (type == "identify") {
            tables_.contact(f);
            object(record, "traits");
        } else if (type == "group") {
            if (!identity(record, "groupId", group, group_is_integer)) return reject("no account_id", whole);
            if (has_id) {
                tables_.contact(f);
                raw_cell c;
                c.type = value_type::text;
                c.text = group;
                tables_.cell("account_id", c);
            }
            f.id = group;
            f.id_is_integer = group_is_integer;
            tables_.account(f);
            object(record, "traits");
        } else if (type == "track") {
            std::string_view name;
            if (record["event"].get(name) != simdjson::SUCCESS || name.empty()) return reject("no event name", whole);
            tables_.event(name, f);
            object(record, "properties");
        } else {
            tables_.event(type, f);
            if (std::string_view name; record["name"].get(name) == simdjson::SUCCESS) {
                raw_cell c;
                c.type = value_type::text;
                c.text = name;
                tables_.cell("name", c);
            }
            object(record, "properties");
        }
        tables_.next();
    }

    /// A text that is not empty, or an integer.
    static bool identity(const dom::object& record, std::string_view key, std::string& out, bool& integer) {
        dom::element e;
        if (record[key].get(e) != simdjson::SUCCESS) return false;
        integer = e.type() == dom::element_type::INT64;
        if (integer) out = std::to_string(std::int64_t{e});
        else if (e.type() == dom::element_type::UINT64) out = std::to_string(std::uint64_t{e});
        else if (e.type() == dom::element_type::STRING) out = std::string_view{e};
        return !out.empty();
    }

    bool time(const dom::object& record, detail::loose_tables::fact& f) {
        dom::element e;
        if (record["timestamp"].get(e) != simdjson::SUCCESS || e.is_null()) {
            reject("no timestamp", "");
            return false;
        }
        instant at;
        if (const auto why = instant_of(e, at); why != detail::fault::none) {
            reject(why == detail::fault::no_zone ? "timestamp without a zone" : why == detail::fault::out_of_range ? "instant out of range" : "unreadable timestamp", simdjson::minify(e));
            return false;
        }
        f.at = at;
        if (record["receivedAt"].get(e) == simdjson::SUCCESS && !e.is_null()) {
            if (instant_of(e, at) == detail::fault::none) f.arrived = at;
            else reject("unreadable value in receivedAt", simdjson::minify(e));
        }
        return true;
    }
    detail::fault instant_of(const dom::element& e, instant& out) {
        raw_cell c;
        if (e.get(c.text) != simdjson::SUCCESS) return detail::fault::unreadable;
        c.type = value_type::text;
        value v;
        detail::conversion how;
        how.zone = options_.timezone.get();
        const auto why = detail::convert(c, value_type::instant, how, v);
        if (why == detail::fault::none) out = v.as_instant();
        return why;
    }

    void object(const dom::object& record, std::string_view key) {
        dom::element e;
        if (record[key].get(e) != simdjson::SUCCESS || e.is_null()) return;
        dom::object inner;
        if (e.get(inner) != simdjson::SUCCESS) return reject("unreadable value in " + std::string{key}, simdjson::minify(e));
        members(inner, "");
    }
    /// Nested objects are names with dots.
    void members(const dom::object& all, const std::string& prefix) {
        for (const auto& [key, e] : all) {
            const std::string name = prefix + std::string{key};
            raw_cell c;
            switch (e.type()) {
                case dom::element_type::OBJECT: members(dom::object{e}, name + "."); continue;
                case dom::element_type::NULL_VALUE: tables_.nothing(name); continue;
                case dom::element_type::STRING: c.type = value_type::text; c.text = std::string_view{e}; break;
                case dom::element_type::BOOL: c.type = value_type::boolean; c.i = bool{e}; break;
                case dom::element_type::INT64: c.type = value_type::integer; c.i = std::int64_t{e}; break;
                case dom::element_type::UINT64: c.type = value_type::decimal; c.d = static_cast<double>(std::uint64_t{e}); break;
                case dom::element_type::DOUBLE: c.type = value_type::decimal; c.d = double{e}; break;
                case dom::element_type::ARRAY:
                    if (!list(dom::array{e}, c)) {
                        reject("unreadable value in " + name, simdjson::minify(e));
                        continue;
                    }
            }
            tables_.cell(name, c);
        }
    }
    /// Texts as they are, numbers and yes/no as text; what is nested further is no list of texts.
    bool list(const dom::array& items, raw_cell& out) {
        out.type = value_type::text_list;
        for (const dom::element item : items) {
            switch (item.type()) {
                case dom::element_type::STRING: out.list.push_back(std::string_view{item}); break;
                case dom::element_type::OBJECT:
                case dom::element_type::ARRAY: return false;
                case dom::element_type::NULL_VALUE: break;
                default: out.list.push_back(tables_.texts().keep(simdjson::minify(item)));
            }
        }
        return true;
    }

    const read_options& options_;
    const history_data* before_;
    dom::parser parser_;
    detail::loose_tables tables_{"records", true};
    detail::rejection_log log_;
    std::int64_t row_ = 0;
};

history read_records(std::string text, const std::string& place, const read_options& options, ArrowArrayStream* spend, const history_data* before = nullptr) {
    const detail::stream_owner owned{spend};
    const std::size_t begin = text.compare(0, 3, "\xef\xbb\xbf") == 0 ? 3 : 0;
    const std::size_t end = text.size();
    detail::check_utf8(std::string_view{text}.substr(begin), place);
    text.append(simdjson::SIMDJSON_PADDING, ' ');
    record_reader reader{options, before};
    std::int64_t row = 0;
    for (std::size_t from = begin; from < end; ++row) {
        const std::size_t to = std::min(text.find('\n', from), end);
        const std::string_view line{text.data() + from, to - from};
        if (line.find_first_not_of(" \t\r") != std::string_view::npos) reader.line(line.data(), line.size(), row);
        from = to + 1;
    }
    return std::move(reader).finish(spend, row);
}

}  // namespace

history history::from_records(const std::filesystem::path& file, const read_options& options, ArrowArrayStream* spend) {
    return read_records(detail::read_whole_file(file), file.string(), options, spend);
}
history history::from_records_text(std::string_view json_lines, const read_options& options, ArrowArrayStream* spend) {
    return read_records(std::string{json_lines}, "records", options, spend);
}

history history::append_records(const std::filesystem::path& file) const {
    return read_records(detail::read_whole_file(file), file.string(), detail::options_of(*data_), nullptr, data_.get());
}
history history::append_records_text(std::string_view json_lines) const { return read_records(std::string{json_lines}, "records", detail::options_of(*data_), nullptr, data_.get()); }

}  // namespace journeyman
