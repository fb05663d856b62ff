#include "journeyman/core/value.hpp"

#include <array>
#include <type_traits>
#include <utility>

#include "journeyman/core/error.hpp"

namespace journeyman {

namespace {
constexpr std::array<std::string_view, 10> type_names{"missing", "yes/no", "integer", "decimal", "money", "text", "day", "instant", "duration", "list"};
}

std::string_view to_string(value_type t) { return type_names[static_cast<std::size_t>(t)]; }

value_type parse_value_type(std::string_view name) {
    if (name == "number") return value_type::decimal;
    for (std::size_t i = 1; i < type_names.size(); ++i) {
        if (type_names[i] == name) return static_cast<value_type>(i);
    }
    if (name == "boolean") return value_type::boolean;
    if (name == "list of texts" || name == "text_list") return value_type::text_list;
    return value_type::missing;
}

value_type type_of(const scalar& s) {
    // In the order of the variant.
    constexpr std::array types{value_type::missing, value_type::boolean, value_type::integer, value_type::decimal, value_type::money,
                               value_type::text, value_type::day, value_type::instant, value_type::duration, value_type::text_list};
    static_assert(types.size() == std::variant_size_v<scalar>);
    return types[s.index()];
}

value intern(const scalar& s, text_pool& pool) {
    return std::visit(
        [&](const auto& x) -> value {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::is_same_v<T, std::monostate>) return {};
            else if constexpr (std::is_same_v<T, money>) return value::of(value_type::money, x.minor);
            else if constexpr (std::is_same_v<T, std::string>) return value::of(pool.intern(x));
            else if constexpr (std::is_same_v<T, length>) {
                if (!x.is_fixed()) throw error{"type.length", "", "'" + to_text(x) + "' has no fixed length, so it is no value; use days (d) or shorter units"};
                return value::of(x.fixed);
            } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
                std::vector<text_id> items;
                items.reserve(x.size());
                for (const auto& item : x) items.push_back(pool.intern(item));
                return value::of(pool.intern_list(items));
            } else return value::of(x);
        },
        s);
}

scalar to_scalar(const value& v, const text_pool& pool) {
    switch (v.type) {
        case value_type::missing: return {};
        case value_type::boolean: return v.i != 0;
        case value_type::integer: return v.i;
        case value_type::decimal: return v.d;
        case value_type::money: return money{v.i};
        case value_type::text: return std::string{pool.view(v.as_text())};
        case value_type::day: return v.as_day();
        case value_type::instant: return v.as_instant();
        case value_type::duration: return length{v.as_duration()};
        case value_type::text_list: {
            std::vector<std::string> out;
            for (const text_id t : pool.list(v.as_list())) out.emplace_back(pool.view(t));
            return out;
        }
    }
    return {};
}

std::string to_text(const scalar& s) {
    return std::visit(
        [](const auto& x) -> std::string {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::is_same_v<T, std::monostate>) return {};
            else if constexpr (std::is_same_v<T, bool>) return x ? "true" : "false";
            else if constexpr (std::is_same_v<T, std::int64_t>) return std::to_string(x);
            else if constexpr (std::is_same_v<T, std::string>) return x;
            else if constexpr (std::is_same_v<T, money>) {
                const auto minor = x.minor < 0 ? 0 - static_cast<std::uint64_t>(x.minor) : static_cast<std::uint64_t>(x.minor);
                std::string cents = std::to_string(minor % minor_units);
                if (cents.size() < 2) cents.insert(0, "0");
                return (x.minor < 0 ? "-" : "") + std::to_string(minor / minor_units) + "." + cents;
            } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
                std::string out;
                for (const auto& item : x) out += (out.empty() && &item == &x.front() ? "" : ", ") + item;
                return out;
            } else return to_text(x);
        },
        s);
}

std::string to_text(const value& v, const text_pool& pool) { return to_text(to_scalar(v, pool)); }

}  // namespace journeyman
