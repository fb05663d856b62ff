#include "kpi/steady.hpp"

#include <algorithm>
#include <optional>

#include "journeyman/predicate/reads.hpp"

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

/// What scope and breakdown hang on; nothing where that is an account, a journey or a campaign too, or no contact is asked.
std::optional<crowd> crowd_of(const program& program, const plan& p, const kpi_plan& k) {
    crowd c;
    const auto asks = std::find_if(k.measures.begin(), k.measures.end(), [](const auto& m) { return m.a != none || m.kind == aggregate::members; });
    if (asks == k.measures.end()) return {};
    c.asked = &k;
    c.measure = static_cast<std::size_t>(asks - k.measures.begin());
    std::vector<node_id> nodes{k.scope}, values;
    for (std::size_t d = 0; d < k.by.size(); ++d) {
        switch (k.by[d].kind) {
            case dimension_plan::attribute: c.attributes.push_back(k.by[d].slot); break;
            case dimension_plan::segment: nodes.insert(nodes.end(), p.segments.begin(), p.segments.end()); break;
            case dimension_plan::property: c.properties.emplace_back(d, k.by[d].slot); break;
            case dimension_plan::value:
                if (const auto node = asks->dimensions[d]; node != none && program.nodes[node].kind == node_kind::property) c.properties.emplace_back(d, program.nodes[node].slot);
                else values.push_back(node);
                break;
            default: return {};                // campaigns, journeys
        }
    }
    reads all, asked;                          // what is no predicate is asked after each of its inputs
    for (const auto slot : c.attributes) {
        if (asked.attributes.size() <= slot) asked.attributes.resize(slot + 1, false);
        asked.attributes[slot] = true;
    }
    for (const auto node : values) add_reads_of_node(program, node, asked);
    all = asked;
    bool follows = std::all_of(values.begin(), values.end(), [&](const auto node) { return is_timeless(program, node); });
    stays moves;
    moves.predicates = nodes;                  // the scope, then the segments
    nodes.insert(nodes.end(), values.begin(), values.end());
    c.steady = k.written->period != kpi_period::campaign;
    for (const auto node : nodes) {
        c.steady = c.steady && is_steady(program, node, c.attributes);
        follows = follows && !reads_event(program, node);
        add_reads_of_node(program, node, all);
    }
    for (std::uint32_t s = 0; s < program.streams.size(); ++s)
        if (all.stream(s)) moves.streams.push_back(s);
    for (std::uint32_t s = 0; s < program.streams.size(); ++s)
        if (asked.stream(s)) moves.asked_streams.push_back(s);
    for (std::uint32_t a = 0; a < program.attributes.size(); ++a) {
        if (!all.attribute(a)) continue;
        moves.attributes.push_back(a);
        if (asked.attribute(a)) moves.asked_attributes.push_back(a);
        if (program.attributes[a].of_account) follows = c.steady = false;
    }
    if (follows) c.moves = std::move(moves);
    if (!c.steady && !follows) return {};
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

void crowd::prepare(const program& p, const history_data& h) {
    constexpr std::uint64_t most = 1 << 16;
    std::uint64_t combinations = 1;
    for (const auto slot : attributes) {
        streams_.push_back(h.contact_attribute(p.attributes[slot].name));
        const auto* a = streams_.back();
        if (a == nullptr || a->base.size() == 0) continue;                 // missing
        if (a->base.type() != value_type::text) return;
        auto texts = narrow(a->base);
        if (!texts->fits || texts->code.size() < h.contacts.size()) return;
        const auto factor = static_cast<std::uint32_t>(combinations);
        combinations *= texts->texts.size() + 1;
        if (combinations > most) return;
        codes_.push_back({std::move(texts), factor});
    }
    by_code_.assign(combinations, unasked);
}

}  // namespace journeyman::detail
