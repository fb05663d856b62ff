// Names and quotes of the text form.

#include "predicate/expression_words.hpp"

#include <cstdio>

namespace journeyman::detail {

std::optional<char32_t> next_code_point(std::string_view s, std::size_t& i)
{
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(s[k]); };
    const unsigned first = byte(i);
    if (first < 0x80) {
        ++i;
        return first;
    }
    const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > s.size()) {
        return std::nullopt;
    }
    char32_t c = first & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
        if ((byte(i + k) & 0xc0) != 0x80) {
            return std::nullopt;
        }
        c = (c << 6) | (byte(i + k) & 0x3f);
    }
    const bool too_long = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
    if (too_long || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return std::nullopt;
    }
    i += length;
    return c;
}

std::size_t find_bad_utf8(std::string_view s)
{
    for (std::size_t i = 0; i < s.size();) {
        const auto at = i;
        if (!next_code_point(s, i)) {
            return at;
        }
    }
    return std::string_view::npos;
}

bool starts_name(char32_t c)
{
    if (c < 0x80) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';   // `$enter`, `$action`
    }
    // Blocks of letters; what lies between them is spaces, quotation marks, operators and other symbols.
    return (c >= 0xc0 && c < 0x2000 && c != 0xd7 && c != 0xf7 && c != 0x1680) || (c >= 0x2c00 && c < 0x2e00) || (c >= 0x3040 && c < 0xe000) ||
           (c >= 0xf900 && c < 0xfe00) || (c >= 0x20000 && c < 0xe0000);
}

bool continues_name(char32_t c) { return starts_name(c) || (c >= '0' && c <= '9'); }

bool is_bare_name(std::string_view s)
{
    bool start = true, part = false;   // at the start of the name; inside a part
    for (std::size_t i = 0; i < s.size();) {
        const auto c = next_code_point(s, i);
        if (!c) {
            return false;
        }
        if (*c == '.') {
            if (!part) {
                return false;
            }
            part = false;
            continue;
        }
        if (start ? !starts_name(*c) : !continues_name(*c)) {
            return false;
        }
        start = false;
        part = true;
    }
    return part;
}

std::string quoted(std::string_view s)
{
    std::string out = "\"";
    for (const char c : s) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                out += escape;
            } else {
                out += c;
            }
        }
    }
    return out += '"';
}

std::string to_text(source_place p) { return p.line == 0 ? std::string{} : std::to_string(p.line) + ':' + std::to_string(p.column); }

node attribute_node(std::string name)
{
    node n;
    n.kind = node_kind::attribute;
    if (name.starts_with("account.")) {
        n.kind = node_kind::account_attribute;
        name.erase(0, 8);
    } else if (name.starts_with("trigger.")) {
        n.kind = node_kind::trigger_property;
        name.erase(0, 8);
    } else if (name.starts_with("contact.")) {
        name.erase(0, 8);
    }
    n.name = std::move(name);
    return n;
}

selector_data named_event(std::string name)
{
    selector_data d;
    if (name.ends_with("\\*")) {
        name.erase(name.size() - 2, 1);
    } else if (name.ends_with('*')) {
        name.pop_back();
        d.prefix = true;
    }
    d.event = std::move(name);
    return d;
}

}  // namespace journeyman::detail
