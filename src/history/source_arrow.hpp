#pragma once
// Arrow streams as raw tables: buffers are read where they lie.

#include <string>

#include "history/source.hpp"
#include "journeyman/core/arrow_abi.hpp"

namespace journeyman::detail {

/// Releases a stream, if there is one and nobody has released it yet.
struct stream_owner {
    ArrowArrayStream* stream;
    explicit stream_owner(ArrowArrayStream* s) : stream{s} {}
    stream_owner(const stream_owner&) = delete;
    ~stream_owner() {
        if (stream != nullptr && stream->release != nullptr) stream->release(stream);
    }
};

/// Takes the stream over (it is released, also when this throws). Errors: code `input.arrow`.
raw_table read_arrow(ArrowArrayStream* stream, raw_table::kind what, std::string label);

}  // namespace journeyman::detail
