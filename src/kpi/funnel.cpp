#include "journeyman/kpi/funnel.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "core/interval.hpp"
#include "kpi/funnel_count.hpp"
#include "kpi/funnel_source.hpp"

namespace journeyman {
namespace detail {
namespace {

/// Texts of a cell; of the total, none.
using cell_key = std::vector<std::string>;

struct cell_counts {
    std::vector<std::int64_t> units;   // by step
    std::int64_t immature = 0;
};

class reporting {
public:
    reporting(const history& h, const event_funnel& f, const funnel_options& o, funnel_source& source, instant end)
        : history_{h}, f_{f}, o_{o}, source_{source}, matcher_{f, *o.context.zone, end} {
        out_.steps = f.steps.size();
        out_.dimensions = f.rules.by.size();
        for (const auto& [name, event] : f.steps) out_.names.push_back(name);
        out_.cells_apart = f.rules.attribution == attribution::step || f.rules.attribution == attribution::all_events;
        out_.within = f.within;
        out_.within_of_step = f.rules.window_from == funnel_rules::window_from_t::previous_step;
        out_.zone = o.context.zone;
        out_.end = end;
        cells_[{}].units.resize(f.steps.size());
        if (o.units) columns();
    }

    funnel_report run() {
        source_.each([&](const funnel_unit& u, const funnel_hits& hits) {
            if (source_.plan().entries) entries(hits, [&](const funnel_match& m, const funnel_hits& of) { entry(u, of, m); });
            else unit(u, hits);
        });
        return finish();
    }
    funnel_report finish(std::vector<std::int64_t> counted = {}, std::int64_t immature = 0) {
        if (!counted.empty()) cells_[{}] = {std::move(counted), immature};
        rows();
        return std::move(out_);
    }

private:
    using attribution = funnel_rules::attribution_t;

    cell_key key_of(const funnel_hit& h) {
        cell_key key;
        for (const auto& v : source_.read(source_.plan().by, h)) key.push_back(v.is_missing() ? "(missing)" : to_text(v, source_.pool()));
        return key;
    }

    /// Numbers of the hits that share the values of `held`, for each of the values.
    std::vector<std::vector<std::uint32_t>> held_parts(const funnel_hits& hits) {
        std::map<std::vector<std::int64_t>, std::vector<std::uint32_t>> parts;
        for (std::uint32_t k = 0; k < hits.size(); ++k) {
            std::vector<std::int64_t> key;
            for (const auto& v : source_.read(source_.plan().held, hits[k])) {
                if (v.is_missing()) break;
                key.push_back(static_cast<std::int64_t>(v.type));
                key.push_back(v.type == value_type::decimal ? std::bit_cast<std::int64_t>(v.d) : v.i);
            }
            if (key.size() == 2 * source_.plan().held.size()) parts[key].push_back(k);
        }
        std::vector<std::vector<std::uint32_t>> out;
        for (auto& [key, numbers] : parts) out.push_back(std::move(numbers));
        return out;
    }
    static funnel_hits chosen(const funnel_hits& hits, const std::vector<std::uint32_t>& numbers) {
        funnel_hits out;
        for (const auto k : numbers) out.push_back(hits[k]);
        return out;
    }

    /// The best of the chains; with `held`, of those whose events share its values.
    funnel_match match(const funnel_hits& hits) {
        if (source_.plan().held.empty()) return matcher_.match(hits);
        funnel_match best;
        bool some_left_out = false;
        for (const auto& numbers : held_parts(hits)) {
            auto m = matcher_.match(chosen(hits, numbers));
            some_left_out = some_left_out || m.left_out;
            for (auto& x : m.best.hits) if (x != no_hit) x = numbers[x];
            const bool open = best.open || m.open;
            const auto end = [&](const funnel_match& x) { return hits[x.best.hits[static_cast<std::size_t>(std::bit_width(x.best.taken) - 1)]].at; };
            if (m.best.level > best.best.level || (m.best.level > 0 && m.best.level == best.best.level && end(m) < end(best))) best = m;
            best.open = open;
        }
        if (best.best.level == 0) best.left_out = some_left_out;
        best.open = best.open && best.best.level < static_cast<int>(f_.steps.size());
        return best;
    }
    /// Calls f(match, hits) for each entry; gives how many were complete. See `funnel_matcher::each_entry`.
    template <class F> std::size_t entries(const funnel_hits& hits, F f) {
        if (source_.plan().held.empty()) return matcher_.each_entry(hits, [&](const funnel_match& m) { f(m, hits); });
        std::size_t complete = 0;
        for (const auto& numbers : held_parts(hits)) {
            const auto mine = chosen(hits, numbers);
            complete += matcher_.each_entry(mine, [&](const funnel_match& m) { f(m, mine); });
        }
        return complete;
    }

    void unit(const funnel_unit& u, const funnel_hits& hits) {
        const auto m = match(hits);
        if (m.best.level == 0 && !m.left_out) return;
        const bool apart = f_.rules.attribution == attribution::step || f_.rules.attribution == attribution::all_events;
        add({}, m);
        if (source_.plan().by.empty() || apart) record(u, {}, m, hits);
        if (source_.plan().by.empty()) return;
        if (!apart) {
            const auto is_step = [](const funnel_hit& h) { return h.steps != 0; };
            const auto& of = f_.rules.attribution == attribution::first ? *std::find_if(hits.begin(), hits.end(), is_step) : *std::find_if(hits.rbegin(), hits.rend(), is_step);
            const auto key = key_of(of);
            add(key, m);
            record(u, key, m, hits);
            return;
        }
        std::map<cell_key, std::vector<std::uint32_t>> parts;
        const std::uint32_t step = f_.rules.attribution == attribution::step ? 1U << (f_.rules.attribution_step - 1) : ~0U;
        for (std::uint32_t k = 0; k < hits.size(); ++k)
            if (step == ~0U || (hits[k].steps & step) != 0) parts[key_of(hits[k])].push_back(k);
        for (const auto& [key, numbers] : parts) {
            funnel_hits mine;
            if (step == ~0U) for (const auto k : numbers) mine.push_back(hits[k]);
            else {
                mine = hits;
                for (auto& h : mine) h.steps &= ~step;
                for (const auto k : numbers) mine[k].steps |= step;
            }
            const auto there = match(mine);
            if (step != ~0U && (there.best.taken & step) == 0) continue;
            add(key, there);
            record(u, key, there, mine);
        }
    }

    void entry(const funnel_unit& u, const funnel_hits& hits, const funnel_match& m) {
        add({}, m);
        cell_key key;
        if (!source_.plan().by.empty() && m.best.level > 0) {
            auto s = static_cast<std::size_t>(std::countr_zero(m.best.taken));
            if (f_.rules.attribution == attribution::last) s = static_cast<std::size_t>(std::bit_width(m.best.taken) - 1);
            if (f_.rules.attribution == attribution::step) s = static_cast<std::size_t>(f_.rules.attribution_step - 1);
            if ((m.best.taken >> s & 1U) != 0) {
                key = key_of(hits[m.best.hits[s]]);
                add(key, m);
            }
        }
        record(u, key, m, hits);
    }

    void add(const cell_key& key, const funnel_match& m) {
        if (m.open && f_.rules.censoring == funnel_rules::censoring_t::left_out) return;
        auto& cell = cells_[key];
        cell.units.resize(f_.steps.size());
        for (std::size_t s = 0; s < f_.steps.size(); ++s) cell.units[s] += m.best.taken >> s & 1U;
        cell.immature += m.open;
    }

    // ---- units
    void columns() {
        auto& t = out_.units;
        if (source_.plan().by_contact) t.add_column("contact_id", history_.data().contacts.type());
        for (const auto& u : f_.rules.unit) if (u != "contact" && u != "entry") t.add_column(u, value_type::text);
        if (t.size() == 0) t.add_column("unit", value_type::text);
        unit_columns_ = t.size();
        for (const auto& [name, b] : f_.rules.by) t.add_column(name, value_type::text);
        t.add_column("level", value_type::integer);
        t.add_column("immature", value_type::boolean);
        for (std::size_t s = 0; s < f_.steps.size(); ++s) t.add_column("step_" + std::to_string(s + 1), value_type::instant);
        if (o_.completions) t.add_column("completions", value_type::integer);
    }
    void record(const funnel_unit& u, const cell_key& key, const funnel_match& m, const funnel_hits& hits) {
        if (!o_.units) return;
        auto& t = out_.units;
        std::size_t c = 0;
        if (source_.plan().by_contact) history_.data().contacts.push_to(t[c++], u.contact);
        for (const auto& v : u.fields) t[c++].push_text(to_text(v, source_.pool()));
        if (c == 0) t[c++].push_text("*");
        for (std::size_t k = 0; k < f_.rules.by.size(); ++k) {
            if (key.empty()) t[c++].push_missing();
            else t[c++].push_text(key[k]);
        }
        if (m.left_out) t[c++].push_missing();
        else t[c++].push_integer(m.best.level);
        t[c++].push_integer(m.open);
        for (std::size_t s = 0; s < f_.steps.size(); ++s) {
            if ((m.best.taken >> s & 1U) != 0) t[c++].push_integer(hits[m.best.hits[s]].at);
            else t[c++].push_missing();
        }
        if (o_.completions) t[c++].push_integer(source_.plan().entries ? m.best.level == static_cast<int>(f_.steps.size()) : static_cast<std::int64_t>(entries(hits, [](const funnel_match&, const funnel_hits&) {})));
    }

    // ---- counts
    void rows() {
        auto& t = out_.rows;
        for (const auto& [name, b] : f_.rules.by) t.add_column(name, value_type::text);
        t.add_column("step", value_type::integer);
        t.add_column("name", value_type::text);
        t.add_column("units", value_type::integer);
        for (const auto* name : {"share", "share_of_previous", "low", "high"}) t.add_column(name, value_type::decimal);
        t.add_column("immature", value_type::integer);
        for (const auto& [key, cell] : cells_) {
            const auto all = f_.rules.denominator == funnel_rules::denominator_t::all_contacts ? static_cast<std::int64_t>(source_.contacts()) : cell.units[0];
            for (std::size_t s = 0; s < f_.steps.size(); ++s) {
                std::size_t c = 0;
                for (std::size_t k = 0; k < f_.rules.by.size(); ++k) {
                    if (key.empty()) t[c++].push_missing();
                    else t[c++].push_text(key[k]);
                }
                t[c++].push_integer(static_cast<std::int64_t>(s + 1));
                t[c++].push_text(f_.steps[s].first);
                t[c++].push_integer(cell.units[s]);
                share(t[c++], cell.units[s], all);
                share(t[c++], cell.units[s], s == 0 ? all : cell.units[s - 1]);
                if (all > 0 && cell.units[s] <= all) {
                    const auto bounds = wilson(static_cast<double>(cell.units[s]), static_cast<double>(all), o_.level);
                    t[c++].push_decimal(bounds.low);
                    t[c++].push_decimal(bounds.high);
                } else {
                    t[c++].push_missing();
                    t[c++].push_missing();
                }
                if (s == 0) t[c].push_integer(cell.immature);
                else t[c].push_missing();
            }
        }
    }
    static void share(table_column& to, std::int64_t part, std::int64_t whole) {
        if (whole == 0) to.push_missing();
        else to.push_decimal(static_cast<double>(part) / static_cast<double>(whole));
    }

    const history& history_;
    const event_funnel& f_;
    const funnel_options& o_;
    funnel_source& source_;
    funnel_matcher matcher_;
    std::map<cell_key, cell_counts> cells_;
    std::size_t unit_columns_ = 0;
    funnel_report out_;
};

funnel_report measure(const history& h, const event_funnel& f, const funnel_options& o, bool plainly) {
    if (!(o.level > 0 && o.level < 1)) throw error{"funnel.level", "level", "the level of intervals lies between 0 and 1, such as 0.95"};
    funnel_source source{h, f, plan_funnel(f, h, o.context, o.known)};
    const instant end = end_of_known(h, f.rules.to);
    reporting out{h, f, o, source, end};
    if (!plainly && !o.units)
        if (auto counted = count_funnel(h.data(), f, source, end)) return out.finish(std::move(counted->units), counted->immature);
    return out.run();
}

}  // namespace
}  // namespace detail

funnel_report measure_funnel(const history& h, const event_funnel& f, const funnel_options& o) { return detail::measure(h, f, o, false); }
funnel_report measure_funnel_plainly(const history& h, const event_funnel& f, const funnel_options& o) { return detail::measure(h, f, o, true); }

void check_funnel(const event_funnel& f, compiler& c, const std::string& place, problems& out) {
    detail::plan_funnel(f, c, place, out);
}

}  // namespace journeyman
