// The bytes of a state of KPIs, with the check at their end made right: an error, or a state that says the same again.

#include "fuzz/fuzz.hpp"
#include "journeyman/core/hash.hpp"
#include "journeyman/kpi/state.hpp"

namespace jm = journeyman;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string bytes{fuzz::text(data, size)};
    auto check = jm::stable_hash{}.add(bytes).value();
    for (int k = 0; k < 8; ++k, check >>= 8) {
        bytes += static_cast<char>(check & 0xffU);
    }
    try {
        const auto state = jm::kpi_state::from_bytes(bytes);
        const auto again = state.to_bytes();
        fuzz::insist(jm::kpi_state::from_bytes(again).to_bytes() == again, "a state reads back as itself");
        auto twice = state;
        twice.merge(state);
    } catch (const jm::error&) {
    }
    return 0;
}
