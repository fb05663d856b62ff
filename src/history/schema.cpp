#include "journeyman/history/schema.hpp"

#include "journeyman/core/error.hpp"

namespace journeyman {

void schema::declare(std::string_view name, std::string_view type) {
    if (type == "event") { events.try_emplace(std::string{name}); return; }
    const value_type t = parse_value_type(type);
    if (t == value_type::missing) throw error{"type.declared", std::string{name}, "\"" + std::string{type} + "\" is no type; write text, yes/no, integer, decimal, money, day, instant, duration or list"};
    const auto dot = name.rfind('.');
    if (dot == name.npos) throw error{"type.declared", std::string{name}, "write contact.NAME, account.NAME or EVENT.NAME"};
    auto& into = name.starts_with("contact.") ? contact : name.starts_with("account.") ? account : events[std::string{name.substr(0, dot)}];
    const auto field = name.starts_with("contact.") || name.starts_with("account.") ? name.substr(8) : name.substr(dot + 1);
    const auto [it, fresh] = into.emplace(std::string{field}, t);
    if (!fresh && it->second != t) {
        if (is_number(it->second) && is_number(t)) return;
        throw error{"type.declared", std::string{name}, "declared as " + std::string{to_string(t)} + ", but the history holds " + std::string{to_string(it->second)}};
    }
}

std::vector<std::string> schema::attribute_names() const {
    std::vector<std::string> out;
    for (const auto& [n, _] : contact) out.push_back(n);
    for (const auto& [n, _] : account) out.push_back("account." + n);
    return out;
}
std::vector<std::string> schema::event_names() const {
    std::vector<std::string> out;
    for (const auto& [n, _] : events) out.push_back(n);
    return out;
}

}  // namespace journeyman
