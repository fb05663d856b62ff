#include "kpi/steady.hpp"

#include <algorithm>
#include <optional>

#include "journeyman/predicate/evaluate.hpp"

namespace journeyman::detail {

bool is_steady(const program& p, node_id id, std::vector<std::uint32_t>& attributes) {
    if (id == none) return true;
    const auto& n = p.nodes[id];
    switch (n.kind) {
        case node_kind::literal: case node_kind::list: return true;
        case node_kind::attribute:
            attributes.push_back(n.slot);
            return true;
        case node_kind::not_: case node_kind::negate: case node_kind::and_: case node_kind::or_:
        case node_kind::add: case node_kind::subtract: case node_kind::multiply: case node_kind::divide:
        case node_kind::equal: case node_kind::not_equal: case node_kind::less: case node_kind::less_equal: case node_kind::greater: case node_kind::greater_equal:
        case node_kind::in: case node_kind::not_in: case node_kind::between: case node_kind::contains: case node_kind::starts_with: case node_kind::ends_with:
        case node_kind::has_any: case node_kind::has_all: case node_kind::matches: break;
        case node_kind::call:
            switch (n.function) {
                case function::segment: case function::consent: return is_steady(p, n.slot, attributes);
                case function::exists: case function::missing: case function::coalesce: case function::if_:
                case function::lower: case function::upper: case function::length: case function::abs: case function::round: break;
                default: return false;
            }
            break;
        default: return false;
    }
    for (std::uint32_t k = 0; k < n.count; ++k)
        if (!is_steady(p, p.arguments[n.args + k], attributes)) return false;
    return true;
}

namespace {

/// The slots on which scope and breakdown hang; nothing where they hang on more, or no contact is asked.
std::optional<crowd> crowd_of(const program& program, const plan& p, const kpi_plan& k) {
    crowd c;
    const auto asks = std::find_if(k.measures.begin(), k.measures.end(), [](const auto& m) { return m.a != none || m.kind == aggregate::members; });
    if (asks == k.measures.end() || k.written->period == kpi_period::campaign) return {};
    c.asked = &k;
    c.measure = static_cast<std::size_t>(asks - k.measures.begin());
    bool steady = is_steady(program, k.scope, c.attributes);
    for (std::size_t d = 0; d < k.by.size() && steady; ++d) {
        switch (k.by[d].kind) {
            case dimension_plan::attribute:
                c.attributes.push_back(k.by[d].slot);
                steady = !program.attributes[k.by[d].slot].of_account;
                break;
            case dimension_plan::segment:
                for (const auto segment : p.segments) steady = steady && is_steady(program, segment, c.attributes);
                break;
            case dimension_plan::value: steady = is_steady(program, asks->dimensions[d], c.attributes); break;
            default: steady = false;           // the event's own, campaigns, journeys
        }
    }
    if (!steady) return {};
    std::sort(c.attributes.begin(), c.attributes.end());
    c.attributes.erase(std::unique(c.attributes.begin(), c.attributes.end()), c.attributes.end());
    return c;
}

}  // namespace

std::vector<standing> standings_of(const program& program, const plan& p, std::vector<std::unique_ptr<crowd>>& crowds) {
    std::vector<standing> out(p.kpis.size());
    const auto alike = [](const kpi_plan& a, const kpi_plan& b) {
        return a.written->scope == b.written->scope && std::equal(a.by.begin(), a.by.end(), b.by.begin(), b.by.end(), [](const auto& x, const auto& y) { return x.name == y.name && x.kind == y.kind; });
    };
    for (std::size_t k = 0; k < out.size(); ++k) {
        auto c = crowd_of(program, p, p.kpis[k]);
        if (!c) continue;
        for (const auto& other : crowds)
            if (alike(*other->asked, p.kpis[k])) out[k].of = other.get();
        if (out[k].of == nullptr) {
            crowds.push_back(std::make_unique<crowd>(std::move(*c)));
            out[k].of = crowds.back().get();
        }
    }
    return out;
}

bool count_quickly(const program& program, const history_reader& reader, standing& mine, instant end, kpi_totals& k, std::size_t measure, quick_scratch& scratch) {
    const auto& m = k.plan().measures[measure];
    if (m.kind != aggregate::events && m.kind != aggregate::contacts && m.kind != aggregate::sum && m.kind != aggregate::actions) return false;
    const auto& s = program.selectors[m.a];
    if (m.looks || s.without != none || !k.when().plain()) return false;
    const auto& here = *mine.here();
    if (!here.in_scope) return true;
    const auto& bounds = k.when().bounds();
    const std::size_t periods = bounds.size() / 2;
    auto& counts = scratch.counts;
    counts.assign(periods, 0);
    if (m.kind == aggregate::sum) scratch.sums.resize(periods);
    const std::int64_t last = end.time_since_epoch().count();
    std::size_t least = periods, most = 0;     // periods with something
    std::size_t unseen = periods;              // of contacts: once in a period is enough
    for (std::size_t k_stream = 0; k_stream < s.streams.size() && unseen != 0; ++k_stream) {
        const auto& all = reader.all(s.streams[k_stream]);
        std::size_t p = 0;
        for (std::uint32_t i = 0; i < all.count; ++i) {
            const std::int64_t t = all.at[i];
            if (t >= last) break;
            if (t >= bounds[2 * p + 1]) p = k.when().ending_after(t, p);
            if (p == periods) break;
            if (t < bounds[2 * p] || (m.kind == aggregate::contacts && counts[p] != 0)) continue;
            const event_ref e{&all, s.streams[k_stream], i};
            if (s.where != none && ask(program, s.where, reader.view(), instant{microseconds{t}}, e) != truth::yes) continue;
            if (m.kind == aggregate::sum) {
                const value v = e.property(s.property);
                if (v.is_missing()) continue;
                add_value(scratch.sums[p], v, m.type);
            }
            ++counts[p];
            least = std::min(least, p);
            most = std::max(most, p + 1);
            if (m.kind == aggregate::contacts && --unseen == 0) break;
        }
    }
    const bool products = k.shape().products;
    for (std::size_t p = least; p < most; ++p) {
        if (counts[p] == 0) continue;
        const auto period = k.when().calendar()[p];
        const auto give = [&](amount& to) {
            if (m.kind == aggregate::sum) to.merge(scratch.sums[p]);
            else to.whole += counts[p];
        };
        if (products) {
            give(k.of_contact(0, period).of_contact(measure));
            for (const auto key : here.cells) give(k.of_contact(mine.cell(k, key), period).of_contact(measure));
        } else {
            give(mine.sum(k, measure, 0, p));
            for (const auto key : here.cells) give(mine.sum(k, measure, key + 1, p));
        }
        if (m.kind == aggregate::sum) scratch.sums[p].clear();
    }
    return true;
}

}  // namespace journeyman::detail
