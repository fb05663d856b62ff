#include "journeyman/history/history.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <span>

#include "history/arrivals.hpp"
#include "history/source_arrow.hpp"
#include "history/source_csv.hpp"
#include "journeyman/history/tables.hpp"

namespace journeyman {

std::optional<std::uint32_t> id_column::find(std::string_view id) const {
    if (are_integers()) {
        std::int64_t wanted = 0;
        const auto [end, bad] = std::from_chars(id.data(), id.data() + id.size(), wanted);
        if (bad != std::errc{} || end != id.data() + id.size()) return std::nullopt;
        const auto it = std::lower_bound(integers.begin(), integers.end(), wanted);
        if (it == integers.end() || *it != wanted) return std::nullopt;
        return static_cast<std::uint32_t>(it - integers.begin());
    }
    const auto it = std::lower_bound(texts.begin(), texts.end(), id, [&](text_id t, std::string_view s) { return pool->view(t) < s; });
    if (it == texts.end() || pool->view(*it) != id) return std::nullopt;
    return static_cast<std::uint32_t>(it - texts.begin());
}

namespace {

template <class T>
const T* by_name(const std::vector<T>& all, std::string_view name) {
    const auto it = std::lower_bound(all.begin(), all.end(), name, [](const T& x, std::string_view n) { return x.name < n; });
    return it != all.end() && it->name == name ? &*it : nullptr;
}

}  // namespace

const event_stream* history_data::stream(std::string_view name) const { return by_name(streams, name); }
const attribute_stream* history_data::contact_attribute(std::string_view name) const { return by_name(contact_attributes, name); }
const attribute_stream* history_data::account_attribute(std::string_view name) const { return by_name(account_attributes, name); }

std::optional<std::pair<instant, instant>> history_data::span() const {
    std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = std::numeric_limits<std::int64_t>::min();
    const auto see = [&](std::span<const std::int64_t> at) {
        if (at.empty()) return;
        const auto [low, high] = std::minmax_element(at.begin(), at.end());
        first = std::min(first, *low);
        last = std::max(last, *high);
    };
    for (const auto& s : streams) see(s.rows.at);
    for (const auto& a : contact_attributes) see(a.rows.at);
    for (const auto& a : account_attributes) see(a.rows.at);
    see(spend.at);
    if (first > last) return std::nullopt;
    return std::pair{instant{microseconds{first}}, instant{microseconds{last}}};
}

history::history() {
    static const auto empty = [] {
        auto data = std::make_shared<history_data>();
        data->contacts.pool = data->pool.get();
        data->accounts.pool = data->pool.get();
        return std::shared_ptr<const history_data>{data};
    }();
    *this = history{empty};
}

struct history::spans {
    std::once_flag once;
    std::optional<std::pair<instant, instant>> all;
    std::vector<std::optional<std::pair<instant, instant>>> streams;
};

history::history(std::shared_ptr<const history_data> data) : data_{std::move(data)}, spans_{std::make_shared<spans>()} {}

const history::spans& history::found_spans() const {
    std::call_once(spans_->once, [&] {
        spans_->all = data_->span();
        for (const auto& s : data_->streams) {
            spans_->streams.emplace_back();
            if (s.rows.rows() == 0) continue;
            const auto [low, high] = std::minmax_element(s.rows.at.begin(), s.rows.at.end());
            spans_->streams.back() = std::pair{instant{microseconds{*low}}, instant{microseconds{*high}}};
        }
    });
    return *spans_;
}
std::optional<std::pair<instant, instant>> history::span() const { return found_spans().all; }
std::optional<std::pair<instant, instant>> history::span(std::string_view event) const {
    const auto* s = data_->stream(event);
    return s == nullptr ? std::nullopt : found_spans().streams[static_cast<std::size_t>(s - data_->streams.data())];
}

std::size_t history::events_count() const {
    std::size_t n = 0;
    for (const auto& s : data_->streams) n += s.rows.rows();
    return n;
}

namespace {

std::vector<detail::raw_table> read_tables(const table_source& contacts, const table_source& events, const table_source& accounts, const table_source& spend, const read_options& options) {
    using kind = detail::raw_table::kind;
    struct given { const table_source& from; kind what; const char* label; };
    const given all[] = {{contacts, kind::contacts, "contacts"}, {accounts, kind::accounts, "accounts"}, {events, kind::events, "events"}, {spend, kind::spend, "spend"}};
    const detail::stream_owner owned[] = {detail::stream_owner{contacts.stream}, detail::stream_owner{accounts.stream}, detail::stream_owner{events.stream}, detail::stream_owner{spend.stream}};
    std::vector<detail::raw_table> tables;
    for (const auto& [from, what, label] : all) {
        if (from.stream != nullptr) tables.push_back(detail::read_arrow(from.stream, what, label));
        else if (from.text) tables.push_back(detail::read_csv_text(*from.text, from.csv.string(), what, label));
        else if (!from.csv.empty()) tables.push_back(detail::read_csv(from.csv, what, label));
        else continue;
        detail::assign_columns(tables.back(), options);
    }
    return tables;
}

}  // namespace

history history_from_tables(const table_source& contacts, const table_source& events, const table_source& accounts, const table_source& spend, const read_options& options) {
    return detail::ingest(read_tables(contacts, events, accounts, spend, options), options);
}

history history::append(const table_sources& more) const {
    const auto options = detail::options_of(*data_);
    return detail::ingest(read_tables(more.contacts, more.events, more.accounts, more.spend, options), options, detail::log_of(*data_), data_.get());
}

history history::from_arrow(ArrowArrayStream* contacts, ArrowArrayStream* events, ArrowArrayStream* accounts, ArrowArrayStream* spend, const read_options& options) {
    return history_from_tables({.stream = contacts}, {.stream = events}, {.stream = accounts}, {.stream = spend}, options);
}

history history::from_csv(const std::filesystem::path& contacts, const std::filesystem::path& events, const std::filesystem::path& accounts, const std::filesystem::path& spend, const read_options& options) {
    return history_from_tables({.csv = contacts}, {.csv = events}, {.csv = accounts}, {.csv = spend}, options);
}

}  // namespace journeyman
