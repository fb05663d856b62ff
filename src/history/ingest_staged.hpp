#pragma once
// Events between the two passes: by (stream, range of contacts), in buckets that fit the cache. Parts of `build_events`.

#include <cstdint>
#include <string>
#include <vector>

#include "history/convert.hpp"
#include "history/scratch.hpp"
#include "journeyman/history/stream.hpp"

namespace journeyman::detail {

/// Where the rows of a stream stand.
struct partition {
    std::uint32_t first_key = 0;   // of the stream's buckets
    std::uint32_t shift = 0;       // contacts of bucket b: [b << shift, (b + 1) << shift)
    std::uint32_t buckets = 0;
    std::size_t begin = 0, end = 0;
    [[nodiscard]] std::size_t rows() const { return end - begin; }
};

/// One column in the order of the partitions: as one type, for the streams that give it this type.
struct staged_column {
    std::string name;
    value_type type = value_type::missing;
    std::vector<std::uint8_t> for_stream;   // empty: for all
    cell_reader reader;                     // to be copied by who reads
    bool shared = true;                     // by several threads
    scratch<std::uint8_t> bytes{}, valid{};
    scratch<std::uint32_t> codes{};
    scratch<std::int64_t> integers{};
    scratch<double> decimals{};
    // Where every row of every stream has a cell, they go to their stream at once: by stream.
    bool whole = false;
    std::vector<std::vector<std::uint32_t>> whole_codes{};
    std::vector<std::vector<std::int64_t>> whole_integers{};
    std::vector<std::size_t> present{};     // by stream
    [[nodiscard]] bool serves(std::uint32_t stream) const { return for_stream.empty() || for_stream[stream] != 0; }
};

struct staged_events {
    std::vector<partition> streams;
    std::vector<std::size_t> starts;                 // by key: where the bucket begins
    std::vector<staged_column> columns;
    scratch<std::uint16_t> owner;                    // within the bucket
    std::vector<std::vector<std::int64_t>> at;       // by stream, in place
    std::vector<std::vector<std::uint32_t>> order;
    scratch<std::uint32_t> event_id;
    scratch<std::int64_t> arrived;
};

/// Sorts one stream; takes what of it is in place already. Streams may be finished at once by several threads.
event_stream finish_stream(staged_events&, std::uint32_t stream, std::size_t contacts);

}  // namespace journeyman::detail
