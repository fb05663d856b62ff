#include "journeyman/kpi/report.hpp"

#include <algorithm>

#include "history/tasks.hpp"
#include "kpi/counted.hpp"
#include "kpi/trend.hpp"

namespace journeyman {
namespace {

using namespace detail;

bool has_cohort(const formula& f) { return f.has(aggregate::starters) || f.has(aggregate::converted) || f.has(aggregate::elapsed); }

/// The numbers of one KPI, before they are written: what of a report takes time.
struct reckoned_kpi {
    struct row {
        std::size_t cell;
        std::uint32_t period;
        const totals* counts;                      // null: nothing counted
        std::vector<std::optional<double>> amounts;
        std::optional<double> value;
        std::optional<interval> bounds;
    };
    struct cell_trend {
        std::size_t cell;
        std::vector<std::pair<int, double>> values;   // of the last whole periods, by number
        detail::trend found;
    };
    const counted_kpi* counts = nullptr;
    const kpi* written = nullptr;
    formula of;
    std::optional<periods> when;
    std::vector<row> rows;                         // by period, then cell
    std::vector<cell_trend> trends;
};

reckoned_kpi reckon(const kpi_definitions& d, const counted& c, const counted_kpi& k, double level) {
    reckoned_kpi out;
    out.counts = &k;
    const auto written = std::find_if(d.kpis.begin(), d.kpis.end(), [&](const kpi& x) { return x.name == k.name; });
    if (written == d.kpis.end()) throw error{"kpi.state", "kpis." + k.name, "the state was counted by a playbook with this KPI; here is none of its name"};
    out.written = &*written;
    problems found;
    const formula& f = out.of = formula{written->value, written->proportion, "kpis." + k.name + ".value", found};
    found.throw_first_error();
    const periods& when = out.when.emplace(*written, d.campaigns, *c.span, *d.context.zone, d.context.weeks);
    const auto same = [](const period& a, const period& b) { return a.from == b.from && a.to == b.to; };
    if (f.measures().size() != k.shape->kinds.size() || !std::equal(when.all().begin(), when.all().end(), k.when.begin(), k.when.end(), same))
        throw error{"kpi.state", "kpis." + k.name, "the state was counted by other definitions, or other rules of the time zone; count again"};

    const auto sorted = k.totals->sorted(c.texts);
    std::vector<std::size_t> cells;
    for (const auto cell : sorted) {
        bool occurs = cell == 0;
        for (std::size_t p = 0; p < when.rows() && !occurs; ++p) occurs = k.totals->find(cell, p) != nullptr;
        if (occurs) cells.push_back(cell);
    }
    const totals nothing{*k.shape};
    count_intervals of_counts{level};
    for (std::uint32_t p = 0; p < when.rows(); ++p)
        for (const auto cell : cells) {
            const totals* t = k.totals->find(cell, p);
            auto x = amounts_of(d, k, when.all()[p], t);
            auto value = f.value(x);
            auto bounds = f.bounds(x, t == nullptr ? nothing : *t, static_cast<std::size_t>(k.contacts[p]), of_counts);
            out.rows.push_back({cell, p, t, std::move(x), value, bounds});
        }
    constexpr std::size_t most = 36;
    if (written->period == kpi_period::campaign) return out;                 // these have no order
    for (const auto cell : sorted) {
        std::vector<std::pair<int, double>> values;
        for (std::size_t p = when.rows(); p > 0 && values.size() < most; --p)
            if (!when.all()[p - 1].partial)
                if (const auto x = f.value(amounts_of(d, k, when.all()[p - 1], k.totals->find(cell, p - 1)))) values.emplace_back(static_cast<int>(p), *x);
        if (values.size() < 2) continue;
        std::reverse(values.begin(), values.end());
        const auto found_trend = trend_of(values);
        out.trends.push_back({cell, std::move(values), found_trend});
    }
    return out;
}

class reporting {
public:
    reporting(const kpi_definitions& d, const counted& c, double level) : defs_{d}, texts_{c.texts}, level_{level} {
        for (const auto& k : c.kpis)
            for (const auto& by : k.by)
                if (by != "campaign" && std::find(dimensions_.begin(), dimensions_.end(), by) == dimensions_.end()) dimensions_.push_back(by);
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
        out_.trend = table{{"kpi", text}, {"scope", text}};
        for (const auto& d_name : dimensions_) out_.trend.add_column(d_name, text);
        out_.trend.add_column("periods", value_type::integer);
        for (const auto* name : {"first", "last", "change", "slope", "p"}) out_.trend.add_column(name, decimal);
        out_.trend.add_column("trend", text);
        out_.trend.add_column("better", value_type::boolean);
        out_.improve = table{{"kpi", text}, {"period", value_type::instant}, {"action", text}, {"workflow", text}, {"campaign", text}};
    }

    void add(const reckoned_kpi& k) {
        auto r = k.rows.begin();
        for (std::uint32_t p = 0; p < k.when->rows(); ++p) {
            for (; r != k.rows.end() && r->period == p; ++r) row(k, *r);
            if (const auto it = k.counts->totals->unscoped.find(p); it != k.counts->totals->unscoped.end()) {
                out_.unscoped_spend[0].push_text(k.written->name);
                start(out_.unscoped_spend[1], k.when->all()[p]);
                out_.unscoped_spend[2].push_decimal(it->second.value(minor_units));
            }
        }
        for (const auto& t : k.trends) trend(k, t);
    }
    void warn(problem p) { out_.problems.add(std::move(p)); }
    /// A bare name that nothing has is likely a slip.
    void look_for_slips(const counted& c) {
        for (const auto& name : dimensions_) {
            static constexpr std::string_view words[] = {"segment", "campaign", "workflow", "version", "step"};
            const bool given = std::any_of(defs_.dimensions.begin(), defs_.dimensions.end(), [&](const auto& d) { return d.name == name; });
            if (given || std::find(std::begin(words), std::end(words), name) != std::end(words)) continue;
            bool cells = false, there = false;
            for (const auto& k : c.kpis)
                for (std::size_t cell = 1; cell < k.totals->cells(); ++cell)
                    if (const auto* text = cell_text(k, cell, name)) {
                        cells = true;
                        there = there || *text != "(missing)";
                    }
            if (cells && !there) warn({"kpi.by", "by", "nothing that counts has `" + name + "`: all of it is (missing). A bare name is a property of the event, or a column of the spend; attributes are written contact.x and account.x", severity::warning});
        }
    }
    kpi_report take() { return std::move(out_); }

private:
    static void start(table_column& column, const period& p) {
        if (p.campaign == no_period) column.push(p.from);
        else column.push_missing();
    }
    static void push(table_column& column, const std::optional<double>& x) {
        if (x) column.push_decimal(*x);
        else column.push_missing();
    }
    static void push(table_column& column, const std::string* x) {
        if (x != nullptr) column.push_text(*x);
        else column.push_missing();
    }
    static void push(table_column& column, const std::string& x) {
        if (x.empty()) column.push_missing();
        else column.push_text(x);
    }

    /// What the cell says of a dimension; null of the total, and of a dimension that the KPI lacks.
    const std::string* cell_text(const counted_kpi& k, std::size_t cell, const std::string& name) const {
        const auto d = std::find(k.by.begin(), k.by.end(), name);
        return cell == 0 || d == k.by.end() ? nullptr : &texts_.text(k.totals->key(cell)[static_cast<std::size_t>(d - k.by.begin())]);
    }
    std::optional<double> target(const reckoned_kpi& k, std::size_t cell, const period& p) const {
        if (const auto* t = std::get_if<double>(&k.written->target)) return *t;
        const auto* t = std::get_if<relative_target>(&k.written->target);
        if (t == nullptr || p.compared == no_period) return {};
        const auto before = k.of.value(amounts_of(defs_, *k.counts, k.when->all()[p.compared], k.counts->totals->find(cell, p.compared)));
        if (!before) return {};
        return *before * (k.written->direction == kpi_direction::down ? 1 - t->change : 1 + t->change);
    }

    void row(const reckoned_kpi& k, const reckoned_kpi::row& r) {
        const auto& written = *k.written;
        const auto& f = k.of;
        const period& p = k.when->all()[r.period];
        std::size_t c = 0;
        auto& rows = out_.rows;
        rows[c++].push_text(written.name);
        push(rows[c++], written.scope);
        start(rows[c++], p);
        if (p.campaign != no_period) rows[c++].push_text(defs_.campaigns[p.campaign].name);
        else push(rows[c++], cell_text(*k.counts, r.cell, "campaign"));
        rows[c++].push_integer(p.partial);
        for (const auto& name : dimensions_) push(rows[c++], cell_text(*k.counts, r.cell, name));
        push(rows[c++], r.value);
        push(rows[c++], f.is_division() ? f.numerator(r.amounts) : std::nullopt);
        push(rows[c++], f.is_division() ? f.denominator(r.amounts) : std::nullopt);
        push(rows[c++], r.bounds ? std::optional{r.bounds->low} : std::nullopt);
        push(rows[c++], r.bounds ? std::optional{r.bounds->high} : std::nullopt);
        if (has_cohort(f)) rows[c++].push_integer(r.counts == nullptr ? 0 : r.counts->immature_contacts());
        else rows[c++].push_missing();
        if (std::holds_alternative<std::monostate>(written.target)) {
            for (int n = 0; n < 3; ++n) rows[c++].push_missing();
            return;
        }
        const auto aim = target(k, r.cell, p);
        const bool met = aim && r.value && (written.direction == kpi_direction::down ? *r.value <= *aim : *r.value >= *aim);
        push(rows[c++], aim);
        rows[c++].push_text(!aim || !r.value ? "no_data" : met ? "met" : "missed");
        rows[c++].push_integer(aim && r.value && r.bounds && (*aim < r.bounds->low || *aim > r.bounds->high));
        if (r.cell != 0 || !aim || !r.value || met) return;
        for (const auto& i : written.improve) {
            out_.improve[0].push_text(written.name);
            start(out_.improve[1], p);
            out_.improve[2].push_text(i.action);
            push(out_.improve[3], i.workflow);
            push(out_.improve[4], p.campaign == no_period ? std::string{} : defs_.campaigns[p.campaign].name);
        }
    }
    void trend(const reckoned_kpi& k, const reckoned_kpi::cell_trend& t) {
        const auto& values = t.values;
        const bool sure = t.found.p && *t.found.p < 1 - level_ && t.found.slope != 0;
        std::size_t c = 0;
        auto& out = out_.trend;
        out[c++].push_text(k.written->name);
        push(out[c++], k.written->scope);
        for (const auto& name : dimensions_) push(out[c++], cell_text(*k.counts, t.cell, name));
        out[c++].push_integer(static_cast<std::int64_t>(values.size()));
        const double last = values.back().second;
        for (const double x : {values.front().second, last, last - values[values.size() - 2].second, t.found.slope}) out[c++].push_decimal(x);
        push(out[c++], t.found.p);
        out[c++].push_text(!sure ? "none" : t.found.slope > 0 ? "rising" : "falling");
        if (sure && k.written->direction) out[c].push_integer((t.found.slope > 0) == (*k.written->direction == kpi_direction::up));
        else out[c].push_missing();
    }

    const kpi_definitions& defs_;
    const cell_texts& texts_;
    double level_;
    std::vector<std::string> dimensions_;
    kpi_report out_;
};

}  // namespace

std::vector<std::optional<double>> detail::amounts_of(const kpi_definitions& d, const counted_kpi& k, const period& p, const totals* t) {
    std::vector<std::optional<double>> out;
    for (std::size_t m = 0; m < k.shape->kinds.size(); ++m) {
        if (k.shape->kinds[m] != total_kind::budget) out.emplace_back(t == nullptr ? 0.0 : t->total(m));
        else if (p.campaign != no_period) out.push_back(d.campaigns[p.campaign].budget);
        else out.emplace_back();
    }
    return out;
}

kpi_report detail::report(const kpi_definitions& d, const counted& c, double level, unsigned threads) {
    if (!(level > 0 && level < 1)) throw error{"kpi.level", "level", "the level of intervals lies between 0 and 1, such as 0.95"};
    reporting out{d, c, level};
    if (!c.span) {
        out.warn({"kpi.window", "", "there are no rows: the history has no event, no change and no spend, so no first and no last instant; give `start` and `end`", severity::warning});
        return out.take();
    }
    std::vector<reckoned_kpi> kpis(c.kpis.size());
    share(kpis.size(), threads, [&](std::size_t k) { kpis[k] = reckon(d, c, c.kpis[k], level); });
    for (const auto& k : kpis) out.add(k);
    out.look_for_slips(c);
    return out.take();
}

void check_kpis(const kpi_definitions& d, compiler& c, problems& out) { make_plan(d, c, {}, out); }

kpi_report compute_kpis(const kpi_definitions& d, const history& h, const std::vector<journey_span>& journeys, const kpi_options& o) { return report(d, count(d, h, journeys, o), o.level, thread_count(o.threads)); }

kpi_report report_kpis(const kpi_definitions& d, const kpi_state& s, double level) { return report(d, *s.counted(), level, 1); }

}  // namespace journeyman
