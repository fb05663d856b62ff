#include "journeyman/segment/sample.hpp"

#include <algorithm>

#include "journeyman/core/hash.hpp"

namespace journeyman {

table sample(const history& h, const selection& s, std::size_t n, std::uint64_t seed, instant at) {
    const auto& ids = h.data().contacts;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> drawn;
    drawn.reserve(s.count());
    for (const auto k : s.numbers()) drawn.emplace_back(stable_hash{}.add("sample").add(seed).add(ids.name(k)).value(), k);
    const auto kept = drawn.begin() + static_cast<std::ptrdiff_t>(std::min(n, drawn.size()));
    std::nth_element(drawn.begin(), kept, drawn.end());
    std::vector<std::uint32_t> numbers;
    for (auto it = drawn.begin(); it != kept; ++it) numbers.push_back(it->second);
    std::sort(numbers.begin(), numbers.end());
    return h.contacts(at, numbers);
}

}  // namespace journeyman
