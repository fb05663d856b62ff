#include "journeyman/core/hash.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace journeyman;

TEST_CASE("the stable hash never changes: splits and action keys rest on it") {
    CHECK(stable_hash{}.value() == 14087677454934409008ULL);
    CHECK(stable_hash{}.add("holdout-2026").add("anna").value() == 2637136191242289153ULL);
    CHECK(stable_hash{}.add("a").add("bc").value() != stable_hash{}.add("ab").add("c").value());
    const double u = stable_hash{}.add("x").unit();
    CHECK(u >= 0.0);
    CHECK(u < 1.0);
}

TEST_CASE("the quick hash tells near texts apart") {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(fast_hash(std::string(static_cast<std::size_t>(i % 40), 'a') + std::to_string(i)));
    CHECK(seen.size() == 1000);
    CHECK(fast_hash("") != fast_hash(std::string(1, '\0')));
    CHECK(fast_hash("abc") == fast_hash(std::string{"abc"}));
}
