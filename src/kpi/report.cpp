#include "journeyman/kpi/report.hpp"

#include <algorithm>

#include "kpi/fold.hpp"

namespace journeyman {
namespace {

using namespace detail;

/// How many contacts exist one microsecond before the end of each period.
std::size_t existing(const history_data& h, instant end) {
    if (h.exists_from.empty()) return h.contacts.size();
    return static_cast<std::size_t>(std::count_if(h.exists_from.begin(), h.exists_from.end(), [&](std::int64_t from) { return from < end.time_since_epoch().count(); }));
}

class reporting {
public:
    reporting(const kpi_definitions& d, const plan& p, const history_data& h, const kpi_options& o, const cell_texts& texts) : defs_{d}, history_{h}, options_{o}, texts_{texts} {
        for (const auto& k : p.kpis)
            for (const auto& by : k.by)
                if (by.name != "campaign" && std::find(dimensions_.begin(), dimensions_.end(), by.name) == dimensions_.end()) dimensions_.push_back(by.name);
        const auto text = value_type::text;
        const auto decimal = value_type::decimal;
        out_.rows = table{{"kpi", text}, {"scope", text}, {"period", value_type::instant}, {"campaign", text}, {"partial", value_type::boolean}};
        for (const auto& d_name : dimensions_) out_.rows.add_column(d_name, text);
        for (const auto* name : {"value", "numerator", "denominator", "low", "high"}) out_.rows.add_column(name, decimal);
        out_.rows.add_column("immature", value_type::integer);
        out_.rows.add_column("target", decimal);
        out_.rows.add_column("status", text);
        out_.rows.add_column("certain", value_type::boolean);
        out_.unscoped_spend = table{{"kpi", text}, {"period", value_type::instant}, {"amount", decimal}};
        out_.improve = table{{"kpi", text}, {"period", value_type::instant}, {"action", text}, {"workflow", text}, {"campaign", text}};
    }

    void add(const kpi_totals& k) {
        std::vector<std::size_t> cells{0};
        for (std::size_t c = 1; c < k.cells(); ++c)
            for (std::size_t p = 0; p < k.when().rows(); ++p)
                if (k.find(c, p) != nullptr) { cells.push_back(c); break; }
        std::sort(cells.begin() + 1, cells.end(), [&](std::size_t a, std::size_t b) {
            const auto &x = k.key(a), &y = k.key(b);
            return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), [&](std::uint32_t i, std::uint32_t j) { return texts_.text(i) < texts_.text(j); });
        });
        std::vector<std::size_t> contacts;
        for (std::size_t p = 0; p < k.when().rows(); ++p) contacts.push_back(existing(history_, k.when().all()[p].to));
        for (std::uint32_t p = 0; p < k.when().rows(); ++p) {
            for (const auto c : cells) row(k, c, p, contacts[p]);
            if (const auto it = k.unscoped.find(p); it != k.unscoped.end()) {
                out_.unscoped_spend[0].push_text(k.plan().written->name);
                start(out_.unscoped_spend[1], k.when().all()[p]);
                out_.unscoped_spend[2].push_decimal(it->second.value(spend_divisor()));
            }
        }
    }
    kpi_report take() { return std::move(out_); }

private:
    [[nodiscard]] double spend_divisor() const { return history_.spend.amount.type() == value_type::money ? minor_units : 1; }
    static void start(table_column& column, const period& p) {
        if (p.campaign == no_period) column.push(p.from);
        else column.push_missing();
    }
    static void push(table_column& column, const std::optional<double>& x) {
        if (x) column.push_decimal(*x);
        else column.push_missing();
    }
    static void push(table_column& column, const std::string& x) {
        if (x.empty()) column.push_missing();
        else column.push_text(x);
    }

    std::vector<std::optional<double>> amounts(const kpi_totals& k, std::size_t cell, std::size_t period) const {
        const totals* t = k.find(cell, period);
        std::vector<std::optional<double>> out;
        const auto& measures = k.plan().measures;
        for (std::size_t m = 0; m < measures.size(); ++m) {
            if (measures[m].kind != aggregate::budget) out.emplace_back(t == nullptr ? 0.0 : t->total(m));
            else if (const auto c = k.when().all()[period].campaign; c != no_period) out.push_back(defs_.campaigns[c].budget);
            else out.emplace_back();
        }
        return out;
    }

    std::optional<double> target(const kpi_totals& k, std::size_t cell, const period& p) const {
        const kpi& written = *k.plan().written;
        if (const auto* t = std::get_if<double>(&written.target)) return *t;
        const auto* t = std::get_if<relative_target>(&written.target);
        if (t == nullptr || p.compared == no_period) return {};
        const auto before = k.plan().value.value(amounts(k, cell, p.compared));
        if (!before) return {};
        return *before * (written.direction == kpi_direction::down ? 1 - t->change : 1 + t->change);
    }

    void row(const kpi_totals& k, std::size_t cell, std::uint32_t period_index, std::size_t contacts) {
        const kpi& written = *k.plan().written;
        const auto& f = k.plan().value;
        const period& p = k.when().all()[period_index];
        const totals* t = k.find(cell, period_index);
        const auto x = amounts(k, cell, period_index);
        const auto value = f.value(x);
        const totals nothing{k.plan()};
        const auto bounds = f.bounds(x, t == nullptr ? nothing : *t, contacts, options_.level);

        std::size_t c = 0;
        auto& rows = out_.rows;
        rows[c++].push_text(written.name);
        push(rows[c++], written.scope);
        start(rows[c++], p);
        const auto by_campaign = std::find_if(k.plan().by.begin(), k.plan().by.end(), [](const auto& d) { return d.name == "campaign"; });
        if (p.campaign != no_period) rows[c++].push_text(defs_.campaigns[p.campaign].name);
        else if (cell != 0 && by_campaign != k.plan().by.end()) rows[c++].push_text(texts_.text(k.key(cell)[static_cast<std::size_t>(by_campaign - k.plan().by.begin())]));
        else rows[c++].push_missing();
        rows[c++].push_integer(p.partial);
        for (const auto& name : dimensions_) {
            const auto d = std::find_if(k.plan().by.begin(), k.plan().by.end(), [&](const auto& by) { return by.name == name; });
            if (cell == 0 || d == k.plan().by.end()) rows[c++].push_missing();
            else rows[c++].push_text(texts_.text(k.key(cell)[static_cast<std::size_t>(d - k.plan().by.begin())]));
        }
        push(rows[c++], value);
        push(rows[c++], f.is_division() ? f.numerator(x) : std::nullopt);
        push(rows[c++], f.is_division() ? f.denominator(x) : std::nullopt);
        push(rows[c++], bounds ? std::optional{bounds->low} : std::nullopt);
        push(rows[c++], bounds ? std::optional{bounds->high} : std::nullopt);
        if (k.plan().has_cohort()) rows[c++].push_integer(t == nullptr ? 0 : t->immature_contacts());
        else rows[c++].push_missing();
        if (std::holds_alternative<std::monostate>(written.target)) {
            for (int n = 0; n < 3; ++n) rows[c++].push_missing();
            return;
        }
        const auto aim = target(k, cell, p);
        const bool met = aim && value && (written.direction == kpi_direction::down ? *value <= *aim : *value >= *aim);
        push(rows[c++], aim);
        rows[c++].push_text(!aim || !value ? "no_data" : met ? "met" : "missed");
        rows[c++].push_integer(aim && value && bounds && (*aim < bounds->low || *aim > bounds->high));
        if (cell != 0 || !aim || !value || met) return;
        for (const auto& i : written.improve) {
            out_.improve[0].push_text(written.name);
            start(out_.improve[1], p);
            out_.improve[2].push_text(i.action);
            push(out_.improve[3], i.workflow);
            push(out_.improve[4], p.campaign == no_period ? std::string{} : defs_.campaigns[p.campaign].name);
        }
    }

    const kpi_definitions& defs_;
    const history_data& history_;
    const kpi_options& options_;
    const cell_texts& texts_;
    std::vector<std::string> dimensions_;
    kpi_report out_;
};

}  // namespace

void check_kpis(const kpi_definitions& d, compiler& c, problems& out) { make_plan(d, c, {}, out); }

kpi_report compute_kpis(const kpi_definitions& d, const history& h, const std::vector<journey_span>& journeys, const kpi_options& o) {
    const auto& data = h.data();
    schema known = data.schema;
    for (const auto& [name, type] : d.types) known.declare(name, type);
    auto& columns = known.events[spend_stream];
    for (const auto& [name, column] : data.spend.columns) columns.emplace(name, column.type());
    columns.emplace("amount", data.spend.amount.type());

    compiler c{std::move(known), data.pool, d.context};
    problems found;
    plan p = make_plan(d, c, o, found);
    found.throw_first_error();
    for (auto& k : p.kpis)
        for (auto& m : k.measures)
            if (m.kind == aggregate::spend && data.spend.amount.type() == value_type::money) m.divisor = minor_units;

    const auto program = c.finish();
    cell_texts texts;
    reporting out{d, p, data, o, texts};
    const auto span = span_of(data, o);
    if (!span) return out.take();
    std::vector<kpi_totals> all;
    all.reserve(p.kpis.size());
    for (const auto& k : p.kpis) all.emplace_back(k, periods{*k.written, d.campaigns, *span, *d.context.zone, d.context.weeks});
    fold(d, p, program, data, journeys, *span, all, texts);
    for (const auto& k : all) out.add(k);
    return out.take();
}

}  // namespace journeyman
