#pragma once
// What an expression looks at: whoever waits for its value to change needs to listen to nothing else, time apart.

#include <cstdint>
#include <vector>

#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Stream slots and attribute slots of a program.
struct reads {
    std::vector<bool> streams, attributes;
    void add(const reads& other);
    void add_stream(std::uint32_t slot);
    [[nodiscard]] bool stream(std::uint32_t slot) const { return slot < streams.size() && streams[slot]; }
    [[nodiscard]] bool attribute(std::uint32_t slot) const { return slot < attributes.size() && attributes[slot]; }
};

/// Adds what the node, or the selector with its filters and window, reads; `none` reads nothing.
void add_reads_of_node(const program&, node_id, reads& out);
void add_reads_of_selector(const program&, selector_id, reads& out);
/// The contact's zone (T7).
void add_reads_of_zone(const program&, reads& out);

}  // namespace journeyman
