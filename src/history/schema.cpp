#include "journeyman/history/schema.hpp"

#include "journeyman/core/error.hpp"

namespace journeyman {

namespace {

using types = std::map<std::string, value_type, std::less<>>;

void declare_in(types& all, std::string_view owner, std::string_view name, value_type type) {
    const auto [it, fresh] = all.emplace(std::string{name}, type);
    if (fresh || it->second == type || (is_number(it->second) && is_number(type))) return;   // numbers compare as numbers
    if (it->second == value_type::missing) {
        it->second = type;
        return;
    }
    throw error{"type.declared", std::string{owner} + std::string{name}, "it is declared as " + std::string{to_string(type)} + ", but the history holds " + std::string{to_string(it->second)} + "; declare the same type when the history is read, or leave it out"};
}

}  // namespace

void schema::declare(std::string_view name, std::string_view type) {
    if (type == "event") {
        events.try_emplace(std::string{name});
        return;
    }
    const value_type t = parse_value_type(type);
    if (t == value_type::missing) throw error{"type.declared", std::string{name}, "'" + std::string{type} + "' is no type." + did_you_mean(type, {"text", "yes/no", "integer", "decimal", "money", "day", "instant", "duration", "list", "event"})};
    for (const std::string_view owner : {"contact.", "account."}) {
        if (name.substr(0, owner.size()) != owner) continue;
        return declare_in(owner == "contact." ? contact : account, owner, name.substr(owner.size()), t);
    }
    // Names may hold dots: the longest known event that fits, else up to the first dot.
    auto dot = name.rfind('.');
    while (dot != std::string_view::npos && dot > 0 && events.find(name.substr(0, dot)) == events.end()) dot = name.rfind('.', dot - 1);
    if (dot == std::string_view::npos || dot == 0) dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) {
        throw error{"type.declared", std::string{name}, "write contact.NAME, account.NAME or EVENT.NAME before a type; or the type `event` for an event"};
    }
    auto event = events.find(name.substr(0, dot));
    if (event == events.end()) event = events.try_emplace(std::string{name.substr(0, dot)}).first;
    declare_in(event->second, name.substr(0, dot + 1), name.substr(dot + 1), t);
}

std::vector<std::string> schema::attribute_names() const {
    std::vector<std::string> out;
    for (const auto& [name, type] : contact) out.push_back(name);
    for (const auto& [name, type] : account) out.push_back("account." + name);
    return out;
}

std::vector<std::string> schema::event_names() const {
    std::vector<std::string> out;
    for (const auto& [name, properties] : events) out.push_back(name);
    return out;
}

}  // namespace journeyman
