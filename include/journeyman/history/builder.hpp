#pragma once
// Building a history fact by fact, in order of arrival.

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/history/history.hpp"

namespace journeyman {

/// Collects facts, then builds the sorted, columnar history once. Rows that cannot be used are listed by `history::rejected()`.
class history_builder {
public:
    explicit history_builder(read_options options = {});
    ~history_builder();
    history_builder(history_builder&&) noexcept;
    history_builder& operator=(history_builder&&) noexcept;

    /// A contact that exists always, with these attributes (`created_at`, when given, is when it begins to exist).
    history_builder& contact(std::string_view id, fields attributes, std::optional<instant> created_at = {});
    /// A change of attributes at an instant. `arrived`: when it came in, if late.
    history_builder& contact(std::string_view id, instant at, fields attributes, std::optional<instant> arrived = {});
    history_builder& account(std::string_view id, fields attributes);
    history_builder& account(std::string_view id, instant at, fields attributes, std::optional<instant> arrived = {});
    history_builder& event(std::string_view contact, std::string_view name, instant at, fields properties = {}, std::string_view event_id = {}, std::optional<instant> arrived = {});
    history_builder& spend(instant at, double amount, fields columns = {});
    /// Lists a row that a reader could not use.
    history_builder& reject(std::string table, std::int64_t row, std::string reason, std::string example);
    /// Sorts and freezes. The builder is empty afterwards.
    history finish() &&;

private:
    friend class history;
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace journeyman
