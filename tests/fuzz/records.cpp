// JSON Lines in the form of the Segment spec: an error, or a history; the same text twice gives the same one.

#include "fuzz/fuzz.hpp"
#include "journeyman/history/history.hpp"

namespace jm = journeyman;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const auto h = jm::history::from_records_text(fuzz::text(data, size));
        fuzz::insist(h.events() == jm::history::from_records_text(fuzz::text(data, size)).events(), "the same text, the same history");
        static_cast<void>(h.contacts());
        static_cast<void>(h.accounts());
        static_cast<void>(h.rejected());
    } catch (const jm::error&) {
    }
    return 0;
}
