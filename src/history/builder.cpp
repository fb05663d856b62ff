#include "journeyman/history/builder.hpp"

#include "history/arrivals.hpp"
#include "history/rejections.hpp"
#include "history/source_loose.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman {

namespace {

detail::raw_cell cell_of(const scalar& s) {
    detail::raw_cell c;
    c.type = type_of(s);
    std::visit(
        [&](const auto& x) {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t>) c.i = x;
            else if constexpr (std::is_same_v<T, double>) c.d = x;
            else if constexpr (std::is_same_v<T, money>) c.i = x.minor;
            else if constexpr (std::is_same_v<T, std::string>) c.text = x;
            else if constexpr (std::is_same_v<T, day> || std::is_same_v<T, instant>) c.i = x.time_since_epoch().count();
            else if constexpr (std::is_same_v<T, length>) {
                if (!x.is_fixed()) throw error{"type.length", "", "'" + to_text(x) + "' has no fixed length, so it is no value; use days (d) or shorter units"};
                c.i = x.fixed.count();
            } else if constexpr (std::is_same_v<T, std::vector<std::string>>) c.list.assign(x.begin(), x.end());
        },
        s);
    return c;
}

}  // namespace

struct history_builder::impl {
    read_options options;
    detail::loose_tables tables;
    detail::rejection_log log;
    explicit impl(read_options o) : options{std::move(o)}, tables{"", options.infer} {}

    void put(const fields& all) {
        for (const auto& [name, value] : all) {
            if (std::holds_alternative<std::monostate>(value)) tables.nothing(name);
            else tables.cell(name, cell_of(value));
        }
        tables.next();
    }
};

history_builder::history_builder(read_options options) : impl_{std::make_unique<impl>(std::move(options))} {}
history_builder::~history_builder() = default;
history_builder::history_builder(history_builder&&) noexcept = default;
history_builder& history_builder::operator=(history_builder&&) noexcept = default;

history_builder& history_builder::contact(std::string_view id, fields attributes, std::optional<instant> created_at) {
    impl_->tables.contact({.id = id, .created = created_at});
    impl_->put(attributes);
    return *this;
}

history_builder& history_builder::contact(std::string_view id, instant at, fields attributes, std::optional<instant> arrived) {
    impl_->tables.contact({.id = id, .at = at, .arrived = arrived});
    impl_->put(attributes);
    return *this;
}

history_builder& history_builder::account(std::string_view id, fields attributes) {
    impl_->tables.account({.id = id});
    impl_->put(attributes);
    return *this;
}

history_builder& history_builder::account(std::string_view id, instant at, fields attributes, std::optional<instant> arrived) {
    impl_->tables.account({.id = id, .at = at, .arrived = arrived});
    impl_->put(attributes);
    return *this;
}

history_builder& history_builder::event(std::string_view contact, std::string_view name, instant at, fields properties, std::string_view event_id, std::optional<instant> arrived) {
    impl_->tables.event(name, {.id = contact, .at = at, .arrived = arrived, .event_id = event_id});
    impl_->put(properties);
    return *this;
}

history_builder& history_builder::spend(instant at, double amount, fields columns) {
    impl_->tables.spend(at, amount);
    impl_->put(columns);
    return *this;
}

history_builder& history_builder::reject(std::string table, std::int64_t row, std::string reason, std::string example) {
    impl_->log.add(table, row, reason, example);
    return *this;
}

history history_builder::finish() && {
    const auto done = std::exchange(impl_, std::make_unique<impl>(impl_->options));
    return detail::ingest(std::move(done->tables).finish(), done->options, std::move(done->log));
}

history history::append(history_builder more) const {
    auto& done = *more.impl_;
    auto log = detail::log_of(*data_);
    log.append(std::move(done.log));
    auto options = detail::options_of(*data_);
    for (const auto& [name, type] : done.options.types) options.types.emplace(name, type);
    return detail::ingest(std::move(done.tables).finish(), options, std::move(log), data_.get());
}

}  // namespace journeyman
