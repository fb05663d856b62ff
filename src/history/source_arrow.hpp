#pragma once
// Arrow streams as raw tables: buffers are read where they lie.

#include <string>

#include "history/source.hpp"
#include "journeyman/core/arrow_abi.hpp"

namespace journeyman::detail {

/// Takes the stream over (it is released, also when this throws). Errors: code `input.arrow`.
raw_table read_arrow(ArrowArrayStream* stream, raw_table::kind what, std::string label);

}  // namespace journeyman::detail
