#include "journeyman/core/text_pool.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace journeyman;

TEST_CASE("a text is stored once and keeps its number and place") {
    text_pool pool;
    const text_id a = pool.intern("anna");
    const char* place = pool.view(a).data();
    std::vector<text_id> ids;
    for (int i = 0; i < 20'000; ++i) ids.push_back(pool.intern("t" + std::to_string(i)));
    CHECK(pool.intern("anna") == a);
    CHECK(pool.view(a).data() == place);
    for (int i = 0; i < 20'000; ++i) REQUIRE(pool.view(ids[static_cast<std::size_t>(i)]) == "t" + std::to_string(i));
    CHECK(pool.size() == 20'001);
    CHECK(pool.find("t77") == ids[77]);
    CHECK_FALSE(pool.find("nobody"));
    CHECK_FALSE(text_pool{}.find("x"));
}

TEST_CASE("empty, long and binary texts") {
    text_pool pool;
    const std::string large(1 << 19, 'x'), zero{"a\0b", 3};
    const text_id e = pool.intern(""), l = pool.intern(large), z = pool.intern(zero), s = pool.intern("a");
    CHECK(pool.view(e).empty());
    CHECK(pool.view(l) == large);
    CHECK(pool.view(z) == zero);
    CHECK(pool.view(s) == "a");
    CHECK(pool.intern(large) == l);
    CHECK(pool.size() == 4);
}

TEST_CASE("many at once, with repeats") {
    text_pool pool;
    std::vector<std::string> owned;
    for (int i = 0; i < 5000; ++i) owned.push_back("k" + std::to_string(i * 7 % 911));
    const std::vector<std::string_view> texts(owned.begin(), owned.end());
    std::vector<text_id> ids(texts.size());
    pool.intern_many(texts.data(), texts.size(), ids.data());
    CHECK(pool.size() == 911);
    for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(pool.view(ids[i]) == texts[i]);
}

TEST_CASE("equal lists have equal numbers") {
    text_pool pool;
    const text_id a = pool.intern("a"), b = pool.intern("b");
    CHECK(pool.intern_list({a, b}) == pool.intern_list({a, b}));
    CHECK(pool.intern_list({a, b}) != pool.intern_list({b, a}));
    CHECK(pool.list(pool.intern_list({})).empty());
}

TEST_CASE("reading needs no lock while others intern") {
    text_pool pool;
    const text_id a = pool.intern("anna");
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 5000; ++i) {
                const text_id id = pool.intern(std::to_string(i * (t + 1)));
                if (pool.view(id) != std::to_string(i * (t + 1)) || pool.view(a) != "anna") std::abort();
            }
        });
    }
    for (auto& t : threads) t.join();
    CHECK(pool.view(a) == "anna");
}
