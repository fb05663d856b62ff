#include <algorithm>
#include <numeric>

#include "history/ingest.hpp"

namespace journeyman::detail {

void build_spend(ingestion& in, raw_table& table) {
    std::vector<std::int64_t> at(table.rows);
    std::vector<std::uint32_t> rows;
    cell_block times, amounts;
    cell_reader time_reader{*table.timestamp, value_type::instant, in.how("timestamp", *table.timestamp)};
    const conversion how = in.how("amount", *table.amount);
    value_type type = in.declared_type("spend.amount");
    if (type != value_type::money) type = in.natural(table, "amount", *table.amount, how) == value_type::money ? value_type::money : value_type::decimal;
    cell_reader amount_reader{*table.amount, type, how};
    column amount{type};
    for (std::size_t begin = 0; begin < table.rows; begin += block_rows) {
        const std::size_t count = std::min(block_rows, table.rows - begin);
        time_reader.read(begin, count, times);
        amount_reader.read(begin, count, amounts);
        std::vector<fault> why(count, fault::none);
        for (const auto& [row, f] : times.faults) why[row - begin] = f;
        for (std::size_t i = 0; i < count; ++i) {
            at[begin + i] = times.integers[i];
            amount.push(amounts.at(type, i));
            const std::size_t row = begin + i;
            if (!times.valid.test(i)) in.reject(table, row, why[i] == fault::none ? "no timestamp" : timestamp_reason(why[i]), shown(table.timestamp->cell(row)));
            else if (amounts.valid.test(i)) rows.push_back(static_cast<std::uint32_t>(row));
            else if (const raw_cell c = table.amount->cell(row); c.type == value_type::missing) in.reject(table, row, "no amount", "");
            else in.reject_cell(table, row, fault::unreadable, "amount", *table.amount);
        }
    }
    std::stable_sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) { return at[a] < at[b]; });
    spend_table& out = in.data->spend;
    out.amount = column{type};
    for (const auto r : rows) {
        out.at.push_back(at[r]);
        out.amount.push(amount.at(r));
    }
    for (const auto& [name, source] : table.fields) {
        conversion field_how = in.how(name, *source);
        value_type t = in.declared_type("spend." + name);
        field_how.strict = t == value_type::missing;
        if (t == value_type::missing) t = in.natural(table, name, *source, field_how);
        if (t == value_type::missing) t = value_type::text;
        cell_reader reader{*source, t, field_how};
        column cells{t};
        std::vector<std::uint8_t> used(table.rows, 0);
        for (const auto r : rows) used[r] = 1;
        for (std::size_t begin = 0; begin < table.rows; begin += block_rows) {
            const std::size_t count = std::min(block_rows, table.rows - begin);
            reader.read(begin, count, times);
            for (const auto& [row, f] : times.faults) if (used[row] != 0) in.reject_cell(table, row, f, name, *source);
            for (std::size_t i = 0; i < count; ++i) cells.push(times.at(t, i));
        }
        column sorted{t};
        for (const auto r : rows) sorted.push(cells.at(r));
        out.columns.emplace_back(name, std::move(sorted));
    }
    std::sort(out.columns.begin(), out.columns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

}  // namespace journeyman::detail
