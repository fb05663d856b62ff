// Playbooks to YAML and JSON: what is read again equals what was written.

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "playbook/document.hpp"

namespace journeyman {
namespace {

using detail::document;

/// Whether a text is its own YAML, in every reader, inside a list too.
bool stands_bare(const std::string& s) {
    if (length l; !s.empty() && s[0] >= '0' && s[0] <= '9' && parse_length(s, l)) return true;
    if (s.empty() || s.back() == ' ' || s.back() == ':') return false;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0; };
    if (!letter(s[0]) && s[0] != '_') return false;
    if (s.find_first_of(",[]{}\n\r\t\\") != s.npos || s.find(": ") != s.npos || s.find(" #") != s.npos) return false;
    if (std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) return false;
    static constexpr std::string_view words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"};
    std::string lower = s;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return std::find(std::begin(words), std::end(words), lower) == std::end(words);
}

bool needs_escapes(const std::string& s) {
    return std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void emit_text(YAML::Emitter& out, const std::string& s) {
    if (stands_bare(s)) out << s;
    else if (needs_escapes(s) || s.find('"') == s.npos) out << YAML::DoubleQuoted << s;
    else out << YAML::SingleQuoted << s;
}

/// A leaf of a few short values stands on one line.
bool is_short(const document& d) {
    constexpr std::size_t width = 80;
    if (d.empty()) return true;
    return std::none_of(d.begin(), d.end(), [](const document& x) { return x.is_structured(); }) && d.dump(-1, ' ', false, document::error_handler_t::replace).size() <= width;
}

void emit(YAML::Emitter& out, const document& d, int depth) {
    switch (d.type()) {
        case document::value_t::object:
            out << (depth > 1 && is_short(d) ? YAML::Flow : YAML::Block) << YAML::BeginMap;
            for (const auto& [key, value] : d.items()) {
                out << YAML::Key;
                emit_text(out, key);
                out << YAML::Value;
                emit(out, value, depth + 1);
            }
            out << YAML::EndMap;
            break;
        case document::value_t::array:
            out << (is_short(d) ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
            for (const auto& item : d) emit(out, item, depth + 1);
            out << YAML::EndSeq;
            break;
        case document::value_t::string: emit_text(out, d.get_ref<const std::string&>()); break;
        case document::value_t::boolean: out << (d.get<bool>() ? "true" : "false"); break;
        case document::value_t::number_float: {
            // The shortest text that reads back the same, and that reads as a decimal.
            auto text = to_text(d.get<double>());
            if (text.find_first_of(".en") == text.npos) text += ".0";
            out << text;
            break;
        }
        case document::value_t::null: out << "null"; break;
        default: out << d.dump(); break;   // whole numbers
    }
}

}  // namespace

std::string playbook::to_yaml() const {
    YAML::Emitter out;
    out.SetIndent(2);
    emit(out, detail::to_document(*this), 0);
    return std::string{out.c_str(), out.size()} + "\n";
}

std::string playbook::to_json() const { return detail::to_document(*this).dump(2, ' ', false, detail::document::error_handler_t::replace); }

}  // namespace journeyman
