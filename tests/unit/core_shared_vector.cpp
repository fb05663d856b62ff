#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

#include "journeyman/core/shared_vector.hpp"

using journeyman::shared_vector;

TEST_CASE("shared_vector: copies share their items until one is changed, and the other keeps what it had") {
    shared_vector<int> a{1, 2, 3};
    shared_vector<int> b = a;
    CHECK(a.shares_with(b));
    b.set(1, 20);
    CHECK_FALSE(a.shares_with(b));
    CHECK(a == shared_vector<int>{1, 2, 3});
    CHECK(b == shared_vector<int>{1, 20, 3});
    const int* before = b.data();
    b.set(0, 10);                                  // alone by now: in place
    CHECK(b.data() == before);
    shared_vector<int> c = b;
    c.push_back(4);
    CHECK(b.size() == 3);
    CHECK(c.back() == 4);
    CHECK(c.at(3) == 4);
    CHECK_THROWS_AS((void)b.at(3), std::out_of_range);
}

TEST_CASE("shared_vector: what was moved from, or never had any, is empty and can be filled") {
    shared_vector<int> a{1};
    const shared_vector<int> b = std::move(a);
    CHECK(a.empty());                              // NOLINT: what is left is promised
    CHECK(b.size() == 1);
    a.push_back(7);
    CHECK(a.front() == 7);
    CHECK(b[0] == 1);
    const shared_vector<int> none{std::vector<int>{}};
    CHECK(none.begin() == none.end());
    CHECK(none == shared_vector<int>{});
}
