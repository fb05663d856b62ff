// Narrow doubles say of a row what the wide columns say, or that it has to be looked up there.

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "dice.hpp"
#include "journeyman/history/narrow.hpp"
#include "journeyman/history/stream.hpp"

using namespace journeyman;

namespace {

timeline sparse(std::vector<std::int64_t> at, std::vector<std::uint32_t> owners, std::vector<std::uint32_t> begins) {
    timeline t;
    t.order = std::vector<std::uint32_t>(at.size());
    t.at = std::move(at);
    t.owners = std::move(owners);
    t.begins = std::move(begins);
    return t;
}
column texts(const std::vector<std::uint32_t>& codes) {
    column c{value_type::text};
    for (const auto code : codes) c.push(value::of(value_type::text, code));
    return c;
}

}  // namespace

TEST_CASE("buckets never fall where instants rise, and hold the instants they say they hold") {
    dice d{3};
    std::vector<std::int64_t> at;
    for (int k = 0; k < 5000; ++k) at.push_back(1'700'000'000'000'000 + static_cast<std::int64_t>(d(365ULL * 86'400'000'000)));
    std::sort(at.begin(), at.end());
    const auto rows = sparse(at, {7}, {0, 5000});
    const auto n = narrow(rows);
    REQUIRE(n->bucket.size() == at.size());
    CHECK_FALSE(n->clamped());
    int wrong = 0;
    for (std::size_t r = 0; r < at.size(); ++r) {
        wrong += n->bucket[r] == n->bucket_of(at[r]) && at[r] >= n->from(n->bucket[r]) && at[r] - n->from(n->bucket[r]) < n->width() ? 0 : 1;
        wrong += r > 0 && n->bucket[r] < n->bucket[r - 1] ? 1 : 0;
        wrong += n->place[r] == 7 ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("an instant far off is clamped, and does not make the buckets of the others coarse") {
    std::vector<std::int64_t> at{std::numeric_limits<std::int64_t>::min() + 1};
    for (int k = 0; k < 1000; ++k) at.push_back(k * 1'000'000);
    at.push_back(std::numeric_limits<std::int64_t>::max() - 1);
    const auto n = narrow(sparse(at, {0}, {0, 1002}));
    CHECK(n->clamped());
    CHECK(n->bucket.front() == 0);
    CHECK(n->bucket.back() == 0xffff);
    CHECK(n->width() < 100'000);                   // a thousand seconds in 2^16 buckets
    CHECK(n->bucket[2] > n->bucket[1]);
}

TEST_CASE("no rows, one row, rows at one instant") {
    CHECK(narrow(timeline{})->bucket.empty());
    const auto one = narrow(sparse({5}, {contacts_at_once + 3}, {0, 1}));
    CHECK(one->place == std::vector<std::uint16_t>{3});
    const auto same = narrow(sparse({5, 5, 5}, {1, 2}, {0, 2, 3}));
    CHECK(same->bucket[0] == same->bucket[2]);
    CHECK(same->place == std::vector<std::uint16_t>{1, 1, 2});
}

TEST_CASE("a range of rows is the same in a dense and in a sparse timeline, asked at once or in ascending order") {
    auto rows = sparse({1, 2, 3, 4}, {2, 5}, {0, 3, 4});
    auto dense = rows;
    dense.owners.clear();
    dense.begins.clear();
    dense.dense = std::vector<std::uint32_t>{0, 0, 0, 3, 3, 3, 4};
    std::size_t a = 0, b = 0;
    for (std::uint32_t owner = 0; owner < 6; ++owner) {
        const auto [begin, end] = dense.range(owner);
        const auto sparse_range = rows.range(owner);
        CHECK(end - begin == sparse_range.second - sparse_range.first);
        if (begin != end) CHECK(sparse_range.first == begin);
        CHECK(rows.range(owner, a) == sparse_range);
        CHECK(dense.range(owner, b) == dense.range(owner));
    }
}

TEST_CASE("texts get one byte while there are at most 255 of them") {
    std::vector<std::uint32_t> codes;
    for (std::uint32_t k = 0; k < 255; ++k) codes.push_back(1000 - k);
    auto cells = texts(codes);
    cells.push({});
    const auto n = narrow(cells);
    REQUIRE(n->fits);
    CHECK(n->code[255] == narrow_codes::missing);
    CHECK(n->texts[n->code[17]] == codes[17]);
    CHECK(n->find(1000 - 254) == n->code[254]);
    CHECK(n->find(1) == -1);
    codes.push_back(1);
    CHECK_FALSE(narrow(texts(codes))->fits);
}

TEST_CASE("copies of a settled column share its double; what is changed gets another") {
    auto a = texts({4, 5});
    a.settle();
    const column b = a;
    CHECK(narrow(a) == narrow(b));
    a.push(value::of(value_type::text, 6));
    CHECK(narrow(a)->code.size() == 3);
    CHECK(narrow(b)->code.size() == 2);
}
