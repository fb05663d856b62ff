#include "journeyman/kpi/diagnosis.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kpi/counted.hpp"

namespace journeyman {
namespace {

using namespace detail;

/// `factor · numerator / denominator`, however the constants stand.
struct ratio {
    expression numerator, denominator;
    double factor = 1;
};
std::optional<double> constant(const expression& e) {
    problems out;
    const formula f{e, false, "", out};
    if (out.errors() != 0 || !f.measures().empty()) return {};
    return f.value({});
}
std::optional<ratio> ratio_of(const expression& e) {
    const node& n = *e;
    if (n.kind == node_kind::negate) {
        auto r = ratio_of(n.args[0]);
        if (r) r->factor = -r->factor;
        return r;
    }
    if (n.kind != node_kind::divide && n.kind != node_kind::multiply) return {};
    for (const std::size_t side : {0U, 1U}) {
        const auto c = constant(n.args[1 - side]);
        if (!c || (n.kind == node_kind::divide && side == 1)) continue;
        auto r = ratio_of(n.args[side]);
        if (r) r->factor *= n.kind == node_kind::divide ? 1 / *c : *c;
        return r;
    }
    return n.kind == node_kind::divide ? std::optional{ratio{n.args[0], n.args[1], 1}} : std::nullopt;
}

/// Whether the cells' values add up: a sum of measures with constant factors.
bool is_sum(const expression& e) {
    const node& n = *e;
    switch (n.kind) {
        case node_kind::aggregate: return true;
        case node_kind::negate: return is_sum(n.args[0]);
        case node_kind::add: case node_kind::subtract: return is_sum(n.args[0]) && is_sum(n.args[1]);
        case node_kind::multiply: return (constant(n.args[0]) && is_sum(n.args[1])) || (constant(n.args[1]) && is_sum(n.args[0]));
        case node_kind::divide: return constant(n.args[1]) && is_sum(n.args[0]);
        default: return false;
    }
}
bool is_money(const expression& e) {
    problems out;
    const formula f{e, false, "", out};
    return f.has(aggregate::spend) && std::all_of(f.measures().begin(), f.measures().end(), [](const auto& m) { return is_fixed(*m); });
}

/// Value and interval of one KPI in one cell and period.
struct reading {
    std::optional<double> value;
    std::optional<interval> bounds;
    [[nodiscard]] double or_nothing() const { return value.value_or(0); }
};

void push(table_column& column, const std::optional<double>& x) {
    if (x) column.push_decimal(*x);
    else column.push_missing();
}
template <class... T>
void push_row(table& t, T&&... cells) {
    std::size_t c = 0;
    const auto put = [&](const auto& x) {
        if constexpr (std::is_convertible_v<decltype(x), std::string_view>) t[c++].push_text(x);
        else if constexpr (std::is_same_v<std::decay_t<decltype(x)>, bool> || std::is_integral_v<std::decay_t<decltype(x)>>) t[c++].push_integer(x);
        else push(t[c++], x);
    };
    (put(cells), ...);
}

class diagnosing {
public:
    diagnosing(const kpi_definitions& d, const kpi& k, const diagnosis_options& o) : defs_{d}, kpi_{k}, options_{o}, ratio_{ratio_of(k.value)} {
        const auto decimal = value_type::decimal;
        const auto text = value_type::text;
        out_.change = table{{"kpi", text}, {"period", value_type::instant}, {"campaign", text}, {"against", value_type::instant}, {"against_campaign", text}};
        for (const auto* name : {"value", "low", "high", "before", "before_low", "before_high", "change", "change_low", "change_high"}) out_.change.add_column(name, decimal);
        out_.change.add_column("certain", value_type::boolean);
        out_.parts = table{{"dimension", text}, {"cell", text}};
        for (const auto* name : {"value", "before", "share", "share_before", "effect", "mix", "rate", "rest"}) out_.parts.add_column(name, decimal);
        out_.costs = table{{"dimension", text}, {"cell", text}, {"spend", decimal}, {"count", decimal}, {"cost", decimal}, {"low", decimal}, {"high", decimal}, {"rank", value_type::integer}, {"certain", value_type::boolean}};
        out_.moves = table{{"dimension", text}, {"from", text}, {"to", text}, {"amount", decimal}, {"lost", decimal}, {"gained", decimal}, {"net", decimal}, {"low", decimal}, {"high", decimal}};
    }

    diagnosis over(const history& h, const std::vector<journey_span>& journeys) {
        // The KPI alone, and by each dimension itself, its numerator and its denominator: all in one pass.
        auto by = options_.by.empty() ? kpi_.by : options_.by;
        if (by.empty()) by.push_back(expression::parse("segment", bare_names::property));
        kpi_definitions d = defs_;
        d.kpis.clear();
        const auto add = [&](std::string name, const expression& value, bool proportion, std::vector<expression> dimensions) {
            kpi k = kpi_;
            k.name = std::move(name);
            k.value = value;
            k.proportion = proportion;
            k.by = std::move(dimensions);
            k.target = std::monostate{};
            d.kpis.push_back(std::move(k));
        };
        add(kpi_.name, kpi_.value, kpi_.proportion, {});
        for (const auto& dimension : by) {
            const auto name = kpi_.name + " by " + dimension.to_text();
            add(name, kpi_.value, kpi_.proportion, {dimension});
            if (!ratio_) continue;
            add(name + ", numerator", ratio_->numerator, false, {dimension});
            add(name + ", denominator", ratio_->denominator, false, {dimension});
        }
        kpi_options o;
        o.threads = options_.threads;
        o.end = options_.end;
        if (options_.against || options_.period) o.start = std::min(options_.against.value_or(*options_.period), options_.period.value_or(*options_.against));
        if (const auto known = h.span(); o.start && known && !o.end && *o.start > known->second)
            throw error{"kpi.window", "kpis." + kpi_.name, "the period of " + to_text(*o.start) + " comes after all that is known, to " + to_text(known->second) + "; name an earlier one, or give `end`"};
        counted_ = count(d, h, journeys, o);
        definitions_ = &d;
        if (!counted_.span) throw error{"kpi.window", "kpis." + kpi_.name, "the history has no instant, so there is nothing to compare"};
        for (const auto& k : d.kpis) {
            problems found;
            formulas_.emplace_back(k.value, k.proportion, "kpis." + kpi_.name, found);
        }
        choose_periods();
        change();
        for (std::size_t k = 1; k < d.kpis.size(); k += ratio_ ? 3 : 1) parts(k);
        return std::move(out_);
    }

private:
    // ---- which periods
    void choose_periods() {
        const periods when{definitions_->kpis[0], defs_.campaigns, *counted_.span, *defs_.context.zone, defs_.context.weeks};
        when_ = when.all();
        when_.resize(when.rows());
        if (kpi_.period == kpi_period::campaign) {
            now_ = options_.campaign.empty() ? last_with_value() : campaign(options_.campaign);
            before_ = options_.against_campaign.empty() ? previous() : campaign(options_.against_campaign);
        } else {
            now_ = options_.period ? holding(*options_.period) : last_with_value();
            before_ = options_.against ? holding(*options_.against) : previous();
        }
    }
    std::size_t campaign(const std::string& name) const {
        std::vector<std::string> names;
        for (std::size_t p = 0; p < when_.size(); ++p) {
            names.push_back(defs_.campaigns[when_[p].campaign].name);
            if (names.back() == name) return p;
        }
        throw error{"name.unknown", "campaigns." + name, "there is no campaign \"" + name + "\"." + did_you_mean(name, names)};
    }
    std::size_t holding(instant t) const {
        for (std::size_t p = 0; p < when_.size(); ++p)
            if (t >= when_[p].from && t < when_[p].to) return p;
        throw error{"kpi.window", "kpis." + kpi_.name, to_text(t) + " lies in no period before the end, " + to_text(counted_.span->end)};
    }
    std::size_t last_with_value() {
        for (std::size_t p = when_.size(); p > 0; --p)
            if (!when_[p - 1].partial && read(0, 0, p - 1).value) return p - 1;
        throw error{"kpi.window", "kpis." + kpi_.name, "no whole period has a value; name a period"};
    }
    std::size_t previous() const {
        if (now_ == 0) throw error{"kpi.window", "kpis." + kpi_.name, "there is no period before the first one of the history; name another, or what to compare with"};
        return now_ - 1;
    }

    // ---- values
    reading read(std::size_t kpi, std::size_t cell, std::size_t p) const {
        const auto& k = counted_.kpis[kpi];
        const auto& f = formulas_[kpi];
        const totals* t = k.totals->find(cell, p);
        const totals nothing{*k.shape};
        const auto x = amounts_of(*definitions_, k, k.when[p], t);
        return {f.value(x), f.bounds(x, t == nullptr ? nothing : *t, static_cast<std::size_t>(k.contacts[p]), options_.level)};
    }

    void change() {
        const auto now = read(0, 0, now_), before = read(0, 0, before_);
        auto& t = out_.change;
        std::size_t c = 0;
        t[c++].push_text(kpi_.name);
        for (const auto p : {now_, before_}) {
            if (when_[p].campaign == no_period) {
                t[c++].push(when_[p].from);
                t[c++].push_missing();
            } else {
                t[c++].push_missing();
                t[c++].push_text(defs_.campaigns[when_[p].campaign].name);
            }
        }
        const auto low = [](const reading& r) { return r.bounds ? std::optional{r.bounds->low} : std::nullopt; };
        const auto high = [](const reading& r) { return r.bounds ? std::optional{r.bounds->high} : std::nullopt; };
        for (const auto& x : {now.value, low(now), high(now), before.value, low(before), high(before)}) push(t[c++], x);
        std::optional<double> by, least, most;
        if (now.value && before.value) by = *now.value - *before.value;
        if (by && now.bounds && before.bounds) {
            least = *by - std::hypot(*now.value - now.bounds->low, before.bounds->high - *before.value);
            most = *by + std::hypot(now.bounds->high - *now.value, *before.value - before.bounds->low);
        }
        for (const auto& x : {by, least, most}) push(t[c++], x);
        t[c].push_integer(least && (*least > 0 || *most < 0));
    }

    // ---- by one dimension: `kpi` is the KPI by it, then its numerator, then its denominator
    struct part {
        std::string cell;
        reading value[2];                                  // now, before
        double over[2] = {0, 0}, under[2] = {0, 0};        // numerator, denominator
        std::optional<double> effect, mix, rate;
        double share[2] = {0, 0};
    };

    void parts(std::size_t kpi) {
        const auto& name = counted_.kpis[kpi].by[0];
        std::vector<part> all;
        for (const auto cell : counted_.kpis[kpi].totals->sorted(counted_.texts)) {
            if (cell == 0) continue;
            const auto& totals = *counted_.kpis[kpi].totals;
            if (totals.find(cell, now_) == nullptr && totals.find(cell, before_) == nullptr) continue;
            part p{counted_.texts.text(totals.key(cell)[0]), {read(kpi, cell, now_), read(kpi, cell, before_)}, {}, {}, {}, {}, {}, {}};
            for (const std::size_t side : {0U, 1U}) {
                const auto at = side == 0 ? now_ : before_;
                if (!ratio_) continue;
                p.over[side] = of_cell(kpi + 1, totals.key(cell), at).or_nothing();
                p.under[side] = of_cell(kpi + 2, totals.key(cell), at).or_nothing();
            }
            all.push_back(std::move(p));
        }
        if (ratio_) split(all);
        else if (is_sum(kpi_.value))
            for (auto& p : all) p.effect = p.value[0].or_nothing() - p.value[1].or_nothing();
        std::stable_sort(all.begin(), all.end(), [](const part& a, const part& b) { return std::fabs(a.effect.value_or(0)) > std::fabs(b.effect.value_or(0)); });
        write(name, all);
        if (ratio_ && is_money(ratio_->numerator)) costs(name, kpi, all);
    }
    /// The cell of another KPI with this key: the same dimension, so the same texts.
    reading of_cell(std::size_t kpi, const std::vector<std::uint32_t>& key, std::size_t p) const {
        const auto& t = *counted_.kpis[kpi].totals;
        for (std::size_t c = 1; c < t.cells(); ++c)
            if (t.key(c) == key) return read(kpi, c, p);
        return {};
    }

    /// The change of Σ over / Σ under, cell by cell.
    void split(std::vector<part>& all) const {
        long double under[2] = {0, 0}, whole[2] = {0, 0};
        for (const std::size_t side : {0U, 1U}) {
            for (const auto& p : all) under[side] += p.under[side];
            if (under[side] == 0) return;                                    // no data: nothing to split
            for (const auto& p : all) whole[side] += p.over[side] / under[side];
        }
        const long double middle = (whole[0] + whole[1]) / 2;
        for (auto& p : all) {
            long double share[2], rate_sum = 0;
            int rates = 0;
            for (const std::size_t side : {0U, 1U}) {
                share[side] = p.under[side] / under[side];
                p.share[side] = static_cast<double>(share[side]);
                if (p.under[side] == 0) continue;
                rate_sum += static_cast<long double>(p.over[side]) / p.under[side];
                ++rates;
            }
            // A cell that is in one of the periods alone has the value it has there: its coming or going is mix.
            const long double shift = share[0] - share[1], mix = rates == 0 ? 0 : shift * (rate_sum / rates - middle);
            const long double effect = p.over[0] / under[0] - p.over[1] / under[1] - shift * middle;
            p.effect = static_cast<double>(ratio_->factor * effect);
            p.mix = static_cast<double>(ratio_->factor * mix);
            p.rate = static_cast<double>(ratio_->factor * (effect - mix));
        }
    }

    void write(const std::string& name, const std::vector<part>& all) {
        auto& t = out_.parts;
        const auto now = read(0, 0, now_).value, before = read(0, 0, before_).value;
        std::optional<double> change, mix, rate, rest;
        if (now && before) change = *now - *before;
        const bool is_split = std::any_of(all.begin(), all.end(), [](const part& p) { return p.effect.has_value(); });
        const bool shares = ratio_ && is_split;
        const auto sum = [&](const std::optional<double> part::*of) {
            return std::accumulate(all.begin(), all.end(), 0.0L, [&](long double s, const part& p) { return s + (p.*of).value_or(0); });
        };
        if (shares) {
            mix = static_cast<double>(sum(&part::mix));
            rate = static_cast<double>(sum(&part::rate));
        }
        if (change) rest = static_cast<double>(*change - sum(&part::effect));
        const std::optional<double> one = shares ? std::optional{1.0} : std::nullopt;
        t[0].push_text(name);
        t[1].push_missing();
        std::size_t c = 2;
        for (const auto& x : {now, before, one, one, change, mix, rate, rest}) push(t[c++], x);
        for (const auto& p : all) {
            const auto share = [&](std::size_t side) { return shares ? std::optional{p.share[side]} : std::nullopt; };
            push_row(t, name, p.cell, p.value[0].value, p.value[1].value, share(0), share(1), p.effect, p.mix, p.rate, std::optional<double>{});
        }
    }

    // ---- where money buys the most
    void costs(const std::string& name, std::size_t kpi, std::vector<part> all) {
        std::erase_if(all, [](const part& p) { return p.over[0] <= 0; });
        const auto cost = [](const part& p) { return p.value[0].value.value_or(HUGE_VAL); };
        std::stable_sort(all.begin(), all.end(), [&](const part& a, const part& b) { return cost(a) < cost(b); });
        if (all.empty()) return;
        const part& best = all.front();
        std::int64_t rank = 0;
        for (const auto& p : all) {
            const auto& b = p.value[0].bounds;
            const bool certain = b && best.value[0].bounds && b->low > best.value[0].bounds->high;
            push_row(out_.costs, name, p.cell, std::optional{p.over[0]}, std::optional{p.under[0]}, p.value[0].value, b ? std::optional{b->low} : std::nullopt, b ? std::optional{b->high} : std::nullopt, ++rank, certain);
        }
        if (!best.value[0].value) return;
        for (const auto& p : all)
            if (&p != &best) move(name, kpi, p, best);
    }
    void move(const std::string& name, std::size_t kpi, const part& from, const part& to) {
        const double amount = options_.shift * from.over[0];
        const double lost = 1 - std::pow(1 - options_.shift, options_.returns), gained = std::pow(1 + amount / to.over[0], options_.returns) - 1;   // by unit of the count
        const auto counts = [&](const part& p) {
            const auto& t = *counted_.kpis[kpi + 2].totals;
            for (std::size_t c = 1; c < t.cells(); ++c)
                if (counted_.texts.text(t.key(c)[0]) == p.cell) return read(kpi + 2, c, now_).bounds;
            return read(kpi + 2, 0, now_).value ? garwood_of_none() : std::nullopt;
        };
        const double net = gained * to.under[0] - lost * from.under[0];
        std::optional<double> low, high;
        if (const auto a = counts(to), b = counts(from); a && b) {           // MOVER, of a difference
            low = net - std::hypot(gained * (to.under[0] - a->low), lost * (b->high - from.under[0]));
            high = net + std::hypot(gained * (a->high - to.under[0]), lost * (from.under[0] - b->low));
        }
        push_row(out_.moves, name, from.cell, to.cell, std::optional{amount}, std::optional{lost * from.under[0]}, std::optional{gained * to.under[0]}, std::optional{net}, low, high);
    }
    std::optional<interval> garwood_of_none() const { return garwood(0, options_.level); }

    const kpi_definitions& defs_;
    const kpi& kpi_;
    const diagnosis_options& options_;
    std::optional<ratio> ratio_;
    const kpi_definitions* definitions_ = nullptr;
    counted counted_;
    std::vector<formula> formulas_;
    std::vector<period> when_;
    std::size_t now_ = 0, before_ = 0;
    diagnosis out_;
};

}  // namespace

diagnosis diagnose_kpi(const kpi_definitions& d, const history& h, const std::vector<journey_span>& journeys, const std::string& name, const diagnosis_options& o) {
    if (!(o.shift > 0 && o.shift <= 1)) throw error{"kpi.diagnosis", "shift", "the share of spend to move lies above 0, up to 1, such as 0.1"};
    if (!(o.returns > 0 && o.returns <= 1)) throw error{"kpi.diagnosis", "returns", "the exponent of returns lies above 0, up to 1: 1 where each unit of money brings what the average one brought"};
    if (!(o.level > 0 && o.level < 1)) throw error{"kpi.level", "level", "the level of intervals lies between 0 and 1, such as 0.95"};
    const auto k = std::find_if(d.kpis.begin(), d.kpis.end(), [&](const kpi& x) { return x.name == name; });
    if (k == d.kpis.end()) {
        std::vector<std::string> names;
        for (const auto& x : d.kpis) names.push_back(x.name);
        throw error{"name.unknown", "kpis." + name, "there is no KPI \"" + name + "\"." + did_you_mean(name, names)};
    }
    return diagnosing{d, *k, o}.over(h, journeys);
}

}  // namespace journeyman
