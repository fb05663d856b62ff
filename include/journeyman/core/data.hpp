#pragma once
// Data as a file holds them: a scalar, a list or a mapping. For what is kept and passed on without being understood here.

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "journeyman/core/value.hpp"

namespace journeyman {

struct data;
using data_list = std::vector<data>;
using data_mapping = std::vector<std::pair<std::string, data>>;

struct data {
    std::variant<scalar, data_list, data_mapping> is;

    data() = default;
    template <class T> requires(std::is_constructible_v<scalar, T> && !std::is_same_v<std::remove_cvref_t<T>, std::vector<std::string>>)
    data(T&& x) : is{scalar{std::forward<T>(x)}} {}
    data(data_list items) : is{std::move(items)} {}
    data(data_mapping entries) : is{std::move(entries)} {}
    /// A list of texts is a list of data.
    data(const std::vector<std::string>& texts) : is{data_list(texts.begin(), texts.end())} {}

    friend bool operator==(const data&, const data&) = default;
};

}  // namespace journeyman
