#pragma once
// Measures of one's own: anything that folds events, can be merged, and has a value. `history.fold<basket>(event("purchase"), {.by = {"channel"}})`.

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// One event, as a measure sees it. Valid during the call.
class event_view {
public:
    event_view(const history_data& h, const event_stream& s, std::uint32_t contact, std::uint32_t row) : history_{&h}, stream_{&s}, contact_{contact}, row_{row} {}
    [[nodiscard]] std::string_view name() const { return stream_->name; }
    [[nodiscard]] instant at() const { return instant{microseconds{stream_->rows.at[row_]}}; }
    [[nodiscard]] std::string contact() const { return history_->contacts.name(contact_); }
    /// Missing where the event, or every event of its name, lacks it.
    [[nodiscard]] scalar property(std::string_view name) const;
    /// An integer, decimal or amount of money (in units) as a number; nothing for any other, and where it is missing.
    [[nodiscard]] std::optional<double> number(std::string_view name) const;

private:
    const history_data* history_;
    const event_stream* stream_;
    std::uint32_t contact_, row_;
};

/// A monoid (design §2.3): starts empty, takes events of one contact in order, and merges with what others took. Its value may be missing (an empty optional).
template <class M>
concept measure = std::default_initializable<M> && std::copyable<M> && requires(M m, const M& other, const event_view& e) {
    m.update(e);
    m.merge(other);
    { other.value() } -> std::convertible_to<std::optional<double>>;
};

struct fold_options {
    std::vector<std::string> by = {};        // as in a KPI: a property of the event, `contact.x`, or an expression; read at the event, after it is seen
    std::optional<instant> at = {};          // as of this instant; default: everything
    compile_context context = {};            // zone and segments of the expressions
};

namespace detail {

using fold_key = std::vector<std::optional<std::string>>;   // by `by`; nothing: missing

/// The part of `fold` that no measure changes: calls `f(part, event, key)` for each event that counts. Contacts are folded in parts that do not depend on the machine.
void fold_events(const history&, const selector&, const fold_options&, const std::function<void(std::size_t part, const event_view&, const fold_key&)>& f);
table fold_table(const std::vector<std::string>& by, const std::vector<std::pair<fold_key, std::optional<double>>>& rows);

}  // namespace detail

/// by…, value: one row a cell, sorted; without `by` one row. The selector counts what `count(selector)` counts at that instant, windows and `without` included.
/// Throws the first error of the type check.
template <measure M>
[[nodiscard]] table fold(const history& h, const selector& s, const fold_options& o = {})
{
    std::vector<std::map<detail::fold_key, M>> parts;
    detail::fold_events(h, s, o, [&](std::size_t part, const event_view& e, const detail::fold_key& key) {
        if (parts.size() <= part) parts.resize(part + 1);
        parts[part][key].update(e);
    });
    std::map<detail::fold_key, M> all;
    if (o.by.empty()) all[{}];
    for (const auto& part : parts)
        for (const auto& [key, m] : part) all[key].merge(m);
    std::vector<std::pair<detail::fold_key, std::optional<double>>> rows;
    for (const auto& [key, m] : all) rows.emplace_back(key, m.value());
    return detail::fold_table(o.by, rows);
}

template <class M>
table history::fold(const selector& s) const { return journeyman::fold<M>(*this, s); }
template <class M>
table history::fold(const selector& s, const fold_options& o) const { return journeyman::fold<M>(*this, s, o); }

}  // namespace journeyman
