#include "journeyman/playbook/playbook.hpp"

#include <algorithm>
#include <charconv>

namespace journeyman {
namespace {

template <class T> const T* find_by_name(const std::vector<T>& all, std::string_view name) {
    const auto it = std::find_if(all.begin(), all.end(), [&](const T& x) { return x.name == name; });
    return it == all.end() ? nullptr : &*it;
}

/// "kpis.cpa.value:1:17" → its length without the place in the text, and that place.
struct text_position {
    std::size_t path_size;
    int line, column;
};
std::optional<text_position> position_of(std::string_view path) {
    const auto second = path.rfind(':');
    if (second == path.npos || second == 0) return std::nullopt;
    const auto first = path.rfind(':', second - 1);
    if (first == path.npos) return std::nullopt;
    text_position p{first, 0, 0};
    const auto whole = [](std::string_view s, int& out) {
        const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), out);
        return bad == std::errc{} && end == s.data() + s.size();
    };
    if (!whole(path.substr(first + 1, second - first - 1), p.line) || !whole(path.substr(second + 1), p.column)) return std::nullopt;
    return p;
}

}  // namespace

const segment* playbook::find_segment(std::string_view n) const { return find_by_name(segments, n); }
const workflow* playbook::find_workflow(std::string_view n) const { return find_by_name(workflows, n); }
const kpi* playbook::find_kpi(std::string_view n) const { return find_by_name(kpis_, n); }

compile_context playbook::context() const {
    compile_context c;
    try {
        c.zone = load_zone(timezone);
    } catch (const error& e) {
        throw error{e.code(), place("timezone"), e.message()};
    }
    c.weeks = weeks;
    for (const auto& s : segments)
        if (!s.where.empty()) c.segments.emplace(s.name, s.where);
    for (const auto& [channel, when] : policies.consent)
        if (!when.empty()) c.consent.emplace(channel, when);
    return c;
}

error playbook::placed(const error& e) const {
    const auto path = e.place().substr(0, e.place().find(':'));
    const auto at = place(path);
    if (at == path) return e;
    return {e.code(), at + (path == e.place() ? "" : " (" + e.place() + ")"), e.message()};
}

std::string playbook::place(const std::string& path) const {
    if (const auto it = places.find(path); it != places.end()) return it->second;
    if (places.empty()) return path;
    std::string_view rest = path;
    const auto in_text = position_of(path);
    if (in_text) {
        rest = rest.substr(0, in_text->path_size);
        // Where the file holds the text letter by letter, its column is known.
        if (const auto begin = places.find(std::string{rest} + ":1:1"); begin != places.end() && in_text->line == 1) {
            const auto colon = begin->second.rfind(':');
            int column = 0;
            std::from_chars(begin->second.data() + colon + 1, begin->second.data() + begin->second.size(), column);
            return begin->second.substr(0, colon + 1) + std::to_string(column + in_text->column - 1);
        }
    }
    // Else the nearest part of the definition that the file has.
    while (!rest.empty()) {
        if (const auto it = places.find(std::string{rest}); it != places.end()) return it->second;
        const auto dot = rest.rfind('.');
        rest = dot == rest.npos ? std::string_view{} : rest.substr(0, dot);
    }
    return path;
}

}  // namespace journeyman
