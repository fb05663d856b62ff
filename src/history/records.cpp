// JSON Lines in the form of the Segment spec: identify, track, page, screen, group.

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "journeyman/history/builder.hpp"

namespace journeyman {
namespace {

using json = nlohmann::json;

constexpr int max_nesting = 32;

/// Nested objects become names with dots; null is missing; a list of texts is a list.
void flatten(const json& object, const std::string& prefix, fields& into, int depth = 0) {
    if (depth > max_nesting) throw error{"input.records", "", "objects nested more than 32 deep"};
    for (const auto& [key, x] : object.items()) {
        const std::string name = prefix + key;
        if (x.is_object()) flatten(x, name + ".", into, depth + 1);
        else if (x.is_null()) into.emplace_back(name, scalar{});
        else if (x.is_boolean()) into.emplace_back(name, x.get<bool>());
        else if (x.is_number_unsigned() && x.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) into.emplace_back(name, x.get<double>());
        else if (x.is_number_integer()) into.emplace_back(name, x.get<std::int64_t>());
        else if (x.is_number()) into.emplace_back(name, x.get<double>());
        else if (x.is_string()) into.emplace_back(name, x.get<std::string>());
        else if (x.is_array()) {
            std::vector<std::string> items;
            for (const auto& item : x) items.push_back(item.is_string() ? item.get<std::string>() : item.dump());
            into.emplace_back(name, std::move(items));
        }
    }
}

std::string text_of(const json& record, const char* key) {
    const auto it = record.find(key);
    if (it == record.end() || it->is_null()) return {};
    return it->is_string() ? it->get<std::string>() : it->dump();
}

class reader {
public:
    explicit reader(const read_options& options) : options_{options}, build_{[&] { auto o = options; o.infer = true; return o; }()} {}

    void line(std::string_view text, std::int64_t row) {
        if (text.find_first_not_of(" \t\r") == text.npos) return;
        const json r = json::parse(text, nullptr, false);
        if (r.is_discarded() || !r.is_object()) { reject(row, "no JSON object", std::string{text}); return; }
        const auto type = text_of(r, "type"), who = text_of(r, "userId"), id = text_of(r, "messageId");
        instant at;
        if (!read_instant(r, "timestamp", row, at)) return;
        std::optional<instant> arrived;
        if (r.contains("receivedAt")) {
            instant a;
            if (!read_instant(r, "receivedAt", row, a)) return;
            arrived = a;
        }
        fields values;
        for (const char* key : {"traits", "properties"})
            if (const auto it = r.find(key); it != r.end() && it->is_object()) flatten(*it, "", values);
        if (type != "group" && who.empty()) { reject(row, "no contact_id", std::string{text}); return; }
        if (type == "identify") build_.contact(who, at, std::move(values), arrived);
        else if (type == "track") {
            const auto event = text_of(r, "event");
            if (event.empty()) { reject(row, "no event", std::string{text}); return; }
            build_.event(who, event, at, std::move(values), id, arrived);
        } else if (type == "page" || type == "screen") {
            if (const auto name = text_of(r, "name"); !name.empty()) values.emplace_back("name", name);
            build_.event(who, type, at, std::move(values), id, arrived);
        } else if (type == "group") {
            const auto group = text_of(r, "groupId");
            if (group.empty()) { reject(row, "no account_id", std::string{text}); return; }
            build_.account(group, at, std::move(values), arrived);
            if (!who.empty()) build_.contact(who, at, {{"account_id", group}}, arrived);
        } else reject(row, "unknown type", type);
    }
    history finish() { return std::move(build_).finish(); }

private:
    bool read_instant(const json& r, const char* key, std::int64_t row, instant& at) {
        const auto text = text_of(r, key);
        parsed_instant p;
        if (text.empty()) { reject(row, std::string{"no "} + key, ""); return false; }
        if (!parse_instant(text, p)) { reject(row, std::string{"unreadable "} + key, text); return false; }
        if (!p.had_zone && options_.timezone == nullptr) { reject(row, std::string{key} + " without a zone", text); return false; }
        at = p.had_zone ? p.at : options_.timezone->to_instant(local_instant{p.at.time_since_epoch()});
        return true;
    }
    void reject(std::int64_t row, std::string reason, std::string example) { build_.reject("records", row, std::move(reason), std::move(example)); }

    read_options options_;
    history_builder build_;
};

}  // namespace

history history::from_records_text(std::string_view text, const read_options& options) {
    reader r{options};
    std::int64_t row = 0;
    for (std::size_t at = 0; at < text.size(); ++row) {
        const auto end = std::min(text.find('\n', at), text.size());
        r.line(text.substr(at, end - at), row);
        at = end + 1;
    }
    return r.finish();
}

history history::from_records(const std::filesystem::path& file, const read_options& options) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw error{"input.file", file.string(), "cannot be read; is the path right?"};
    reader r{options};
    std::string text;
    for (std::int64_t row = 0; std::getline(in, text); ++row) r.line(text, row);
    return r.finish();
}

}  // namespace journeyman
