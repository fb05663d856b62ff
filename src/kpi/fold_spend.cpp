#include "journeyman/predicate/evaluate.hpp"
#include "kpi/fold.hpp"

namespace journeyman::detail {

/// By its own columns: there is no contact.
void fold_spend(const kpi_definitions& defs, const program& prog, const history_data& h, const table_span& span, std::vector<kpi_totals>& kpis, cell_texts& texts) {
    const auto& table = h.spend;
    if (table.at.empty()) return;
    const auto find = [&](std::string_view name) -> const column* {
        for (const auto& [n, c] : table.columns) if (n == name) return &c;
        return name == "amount" ? &table.amount : nullptr;
    };
    // Rows of spend look like events to a `where`; there is no contact.
    std::vector<const column*> columns;
    for (const auto& p : prog.properties) columns.push_back(find(p));
    stream_slice rows;
    std::vector<std::uint32_t> order(table.at.size(), 0);
    rows.at = table.at.data();
    rows.order = order.data();
    rows.columns = columns.data();
    rows.count = static_cast<std::uint32_t>(table.at.size());
    const std::vector<stream_slice> no_streams(prog.streams.size());
    const std::vector<attribute_slice> no_attributes(prog.attributes.size());
    contact_view nobody;
    nobody.streams = no_streams.data();
    nobody.attributes = no_attributes.data();

    const column *segment = find("segment"), *campaign = find("campaign");
    const auto text = [&](const column* c, std::uint32_t row) { return c == nullptr ? 0 : texts.number(c->at(row), *h.pool); };
    for (auto& k : kpis) {
        if (!k.plan().value.has(aggregate::spend)) continue;
        const auto& p = k.plan();
        std::vector<const column*> by;
        for (const auto& d : p.by) by.push_back(d.spend.empty() ? nullptr : find(d.spend));
        const std::uint32_t scope = p.written->scope.empty() ? 0 : texts.number(p.written->scope);
        for (std::uint32_t r = 0; r < rows.count; ++r) {
            const instant t{microseconds{table.at[r]}};
            if (t >= span.end) break;
            if (t < k.when().earliest()) continue;
            const std::uint32_t of = text(segment, r);
            const bool unscoped = scope != 0 && of == 0;
            if (scope != 0 && of != 0 && of != scope) continue;
            std::vector<std::uint32_t> key;
            for (const auto* c : by) key.push_back(text(c, r));
            const auto add = [&](amount& a) {
                const value v = table.amount.at(r);
                if (v.type == value_type::decimal) a.decimals.add(v.d);
                else a.whole += v.i;
            };
            bool counted = false;                          // once among the unscoped, however many measures count it
            for (std::size_t m = 0; m < p.measures.size(); ++m) {
                if (p.measures[m].kind != aggregate::spend) continue;
                if (p.measures[m].predicate != none && ask(prog, p.measures[m].predicate, nobody, t, {&rows, prog.stream_slot(spend_stream), r}) != truth::yes) continue;
                k.when().holding(t, [&](std::uint32_t period) {
                    const auto c = k.when().all()[period].campaign;
                    if (c != no_period && text(campaign, r) != texts.number(defs.campaigns[c].name)) return;
                    if (unscoped) {
                        if (!counted) add(k.unscoped[period]);
                        return;
                    }
                    add(k.at(0, period).sum(m));
                    if (!p.by.empty()) add(k.at(k.cell(key), period).sum(m));
                });
                counted = true;
            }
        }
    }
}

}  // namespace journeyman::detail
