#include "journeyman/predicate/reads.hpp"

#include <algorithm>

namespace journeyman {
namespace {

void put(std::vector<bool>& slots, std::uint32_t slot) {
    if (slots.size() <= slot) slots.resize(slot + 1, false);
    slots[slot] = true;
}

void put_attribute(const program& p, std::uint32_t slot, reads& out) {
    if (slot == none) return;
    put(out.attributes, slot);
    if (p.attributes[slot].of_account) put(out.attributes, p.attribute_slot(false, "account_id"));
}

void unite(std::vector<bool>& into, const std::vector<bool>& from) {
    for (std::uint32_t k = 0; k < from.size(); ++k) if (from[k]) put(into, k);
}

}  // namespace

void reads::add(const reads& other) {
    unite(streams, other.streams);
    unite(attributes, other.attributes);
}

void reads::add_stream(std::uint32_t slot) { put(streams, slot); }

void add_reads_of_zone(const program& p, reads& out) {
    put_attribute(p, p.timezone, out);
    put_attribute(p, p.account_timezone, out);
}

void add_reads_of_node(const program& p, node_id id, reads& out) {
    if (id == none) return;
    const auto& n = p.nodes[id];
    for (std::uint32_t k = 0; k < n.count; ++k) add_reads_of_node(p, p.arguments[n.args + k], out);
    switch (n.kind) {
        case node_kind::attribute:
        case node_kind::account_attribute: put_attribute(p, n.slot, out); break;
        case node_kind::aggregate:
            for (std::uint32_t k = 0; k < std::max(n.slots, 1U); ++k) add_reads_of_selector(p, n.slot + k, out);
            break;
        case node_kind::call:
            switch (n.function) {
                case function::segment:
                case function::consent: add_reads_of_node(p, n.slot, out); break;
                case function::changed_time: put_attribute(p, n.slot, out); break;
                case function::year: case function::month: case function::day: case function::weekday: case function::hour: add_reads_of_zone(p, out); break;
                case function::first_ever:
                    for (std::uint32_t s = 0; s < p.streams.size(); ++s) put(out.streams, s);
                    break;
                default: break;
            }
            break;
        default: break;
    }
}

void add_reads_of_selector(const program& p, selector_id id, reads& out) {
    if (id == none) return;
    const auto& s = p.selectors[id];
    for (const auto slot : s.streams) put(out.streams, slot);
    add_reads_of_node(p, s.where, out);
    add_reads_of_selector(p, s.without, out);
    add_reads_of_node(p, s.window.from, out);
    add_reads_of_node(p, s.window.to, out);
}

}  // namespace journeyman
