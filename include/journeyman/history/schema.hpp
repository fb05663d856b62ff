#pragma once
// What a history holds: attributes and properties with their types.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/core/value.hpp"

namespace journeyman {

/// Names and types of attributes, account attributes, events and their properties. Declared ones (`types`) count as known.
struct schema {
    std::map<std::string, value_type, std::less<>> contact;                                      // attributes
    std::map<std::string, value_type, std::less<>> account;
    std::map<std::string, std::map<std::string, value_type, std::less<>>, std::less<>> events;   // event → property → type

    /// Adds what a `types` entry declares: "contact.x", "account.x", "EVENT.x" → a type's name; "EVENT" → "event".
    /// An entry that contradicts what is there throws `error` (code `type.declared`).
    void declare(std::string_view name, std::string_view type);
    /// All names of attributes ("account." before those of accounts), for suggestions.
    [[nodiscard]] std::vector<std::string> attribute_names() const;
    [[nodiscard]] std::vector<std::string> event_names() const;
    friend bool operator==(const schema&, const schema&) = default;
};

}  // namespace journeyman
