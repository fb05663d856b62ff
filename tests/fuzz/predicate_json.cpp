// The JSON of a predicate: an error, or a tree whose forms read back to it.

#include "fuzz/fuzz.hpp"
#include "journeyman/predicate/expression.hpp"

namespace jm = journeyman;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    jm::expression e;
    try {
        e = jm::expression::from_json(fuzz::text(data, size));
    } catch (const jm::error&) {
        return 0;
    }
    fuzz::insist(jm::expression::from_json(e.to_json()).equals(e), "the JSON reads back to the tree");
    fuzz::insist(jm::expression::parse(e.to_text()).equals(e), "the text reads back to the tree");
    return 0;
}
