// From purchases to what the buy-till-you-die models look at.

#include <algorithm>
#include <numeric>

#include "journeyman/core/error.hpp"
#include "journeyman/kpi/lifetime_value.hpp"
#include "kpi/counted_events.hpp"

namespace journeyman {
namespace {

/// The number of the unit that holds a day since 1970.
std::int64_t unit_of(std::int64_t d, calendar_unit unit, week_start weeks) {
    const std::chrono::year_month_day ymd{day{std::chrono::days{d}}};
    const std::int64_t months = std::int64_t{static_cast<int>(ymd.year())} * 12 + static_cast<unsigned>(ymd.month()) - 1;
    switch (unit) {
        case calendar_unit::day: return d;
        case calendar_unit::week: {                          // 1970-01-01 was a Thursday
            const std::int64_t shifted = d + (weeks == week_start::monday ? 3 : 4);
            return shifted >= 0 ? shifted / 7 : (shifted - 6) / 7;
        }
        case calendar_unit::month: return months;
        case calendar_unit::quarter: return months >= 0 ? months / 3 : (months - 2) / 3;
        case calendar_unit::year: break;
    }
    return static_cast<int>(ymd.year());
}

struct bought {
    std::int64_t day;
    double amount;
};

struct filling {
    customers out;
    std::int64_t until, until_unit, split, split_unit;
    bool has_split;
    calendar_unit unit;
    week_start weeks;
    double scale;

    filling(std::int64_t until_day, std::optional<std::int64_t> split_day, calendar_unit u, week_start w, double s)
        : until{until_day}, until_unit{unit_of(until_day, u, w)}, split{split_day.value_or(until_day)}, split_unit{unit_of(split, u, w)}, has_split{split_day.has_value()}, unit{u}, weeks{w}, scale{s} {
        if (!(scale > 0)) throw error{"lifetime_value.scale", "scale", "a scale is above 0"};
        if (split > until) throw error{"lifetime_value.split", "split", "the split lies after the end"};
        out.duration = static_cast<double>(until_unit - split_unit) / scale;
    }
    /// The purchases of one customer, by day; false when it had none by the split.
    bool add(const std::vector<bought>& all) {
        if (all.empty() || all.front().day > split) return false;
        const auto first = unit_of(all.front().day, unit, weeks);
        std::int64_t now = first, holdout_unit = first - 1;
        double repeats = 0, money = 0, later_units = 0, later_money = 0, later = 0;
        for (const auto& b : all) {
            if (b.day > until) break;
            const auto u = unit_of(b.day, unit, weeks);
            if (b.day > split) {
                if (u != holdout_unit) ++later_units;
                holdout_unit = u;
                later_money += b.amount;
                ++later;
                continue;
            }
            if (u != now) ++repeats;
            now = u;
            if (u != first) money += b.amount;
        }
        out.x.push_back(repeats);
        out.t_x.push_back(static_cast<double>(now - first) / scale);
        out.T.push_back(static_cast<double>(split_unit - first) / scale);
        out.money.push_back(repeats == 0 ? 0 : money / repeats);
        if (has_split) {
            out.holdout.push_back(later_units);
            out.holdout_money.push_back(later == 0 ? 0 : later_money / later);
        }
        return true;
    }
};

std::int64_t day_of(instant t, const time_zone& zone) { return std::chrono::floor<std::chrono::days>(zone.to_local(t)).time_since_epoch().count(); }

}  // namespace

customers customers_of(const history& h, const purchase_question& q) {
    const instant until = detail::end_of(h, q.until);
    const auto& zone = *q.context.zone;
    filling fill{day_of(until, zone), q.split ? std::optional{day_of(*q.split, zone)} : std::nullopt, q.unit, q.context.weeks, q.scale};
    detail::counted_events ask{h, q.context};
    const auto purchase = ask.add(q.purchase, "purchase");
    const auto& property = q.purchase.data().property;
    const auto slot = property.empty() ? none : ask.add_property(property);
    std::vector<node_id> by;
    for (const auto& text : q.by) by.push_back(ask.add_dimension(text, purchase, "by"));

    detail::group_numbers groups;
    std::vector<bought> mine;
    std::vector<value> key(by.size());
    ask.each_contact(until, [&](std::uint32_t contact) {
        mine.clear();
        for (const auto& e : ask.events(purchase)) {
            const value v = slot == none ? value{} : e.property(slot);
            mine.push_back({day_of(e.place().at, zone), is_number(v.type) ? v.as_decimal() : 0});
        }
        if (!fill.add(mine)) return;
        const auto first = ask.events(purchase).front();
        for (std::size_t k = 0; k < by.size(); ++k) key[k] = ask.at(by[k], first.place(), first);
        fill.out.contacts.push_back(contact);
        fill.out.group.push_back(groups.number(detail::joined(key, *h.data().pool)));
    });
    auto [texts, places] = groups.sorted();
    fill.out.groups = std::move(texts);
    for (auto& g : fill.out.group) g = places[g];
    return std::move(fill.out);
}

table customers::to_table(const history* h) const {
    constexpr auto d = value_type::decimal;
    table out{{"contact_id", h != nullptr ? h->data().contacts.type() : value_type::integer}, {"group", value_type::text}, {"x", d}, {"t_x", d}, {"T", d}, {"money", d}};
    if (!holdout.empty())
        for (const auto* name : {"holdout", "holdout_money"}) out.add_column(name, d);
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (h != nullptr) h->data().contacts.push_to(out[0], contacts[i]);
        else out[0].push_integer(contacts[i]);
        out[1].push_text(groups[group[i]]);
        std::size_t at = 2;
        for (const auto* column : {&x, &t_x, &T, &money}) out[at++].push_decimal((*column)[i]);
        if (holdout.empty()) continue;
        out[at++].push_decimal(holdout[i]);
        out[at].push_decimal(holdout_money[i]);
    }
    return out;
}

customers customers_of(std::span<const std::uint32_t> customer, std::span<const std::int32_t> days, std::span<const double> amount, std::size_t count, std::int32_t until, std::optional<std::int32_t> split, calendar_unit unit, double scale) {
    if (days.size() != customer.size() || (!amount.empty() && amount.size() != customer.size())) throw error{"lifetime_value.columns", "", "the columns are of unequal length; give a customer, a day and an amount for each purchase"};
    std::vector<std::vector<bought>> all(count);
    for (std::size_t i = 0; i < customer.size(); ++i) {
        if (customer[i] >= count) throw error{"lifetime_value.columns", "customer", "row " + std::to_string(i) + " is of a customer that there is not"};
        all[customer[i]].push_back({days[i], amount.empty() ? 0 : amount[i]});
    }
    filling fill{until, split ? std::optional<std::int64_t>{*split} : std::nullopt, unit, week_start::monday, scale};
    for (std::size_t k = 0; k < count; ++k) {
        std::stable_sort(all[k].begin(), all[k].end(), [](const bought& a, const bought& b) { return a.day < b.day; });
        if (!fill.add(all[k])) continue;
        fill.out.contacts.push_back(static_cast<std::uint32_t>(k));
        fill.out.group.push_back(0);
    }
    fill.out.groups = {""};
    return std::move(fill.out);
}

}  // namespace journeyman
