#pragma once
// A history small enough to count by hand.

#include "history_support.hpp"

#include "journeyman/journeyman.hpp"

namespace segment_test {

namespace jm = journeyman;
using namespace jm::literals;

inline const jm::instant t0 = history_test::at("2026-01-01T00:00:00Z");

/// Six contacts from t0 on (Fay from day 10), four of them with purchases on days 1 to 5.
inline jm::history six() {
    jm::history_builder build;
    const auto lives = [&](const char* id, int day, jm::fields traits) { build.contact(id, t0 + day * 24_h, std::move(traits)); };
    const auto buys = [&](const char* id, int day, double amount) { build.event(id, "purchase", t0 + day * 24_h, {{"amount", amount}}); };
    using names = std::vector<std::string>;
    lives("ann", 0, {{"city", "Roma"}, {"points", 4}, {"likes", names{"tea", "tea", "art"}}});
    lives("ben", 0, {{"city", "Roma"}, {"points", 2}});
    lives("cat", 0, {{"city", "Milano"}, {"likes", names{"tea"}}});
    lives("dan", 0, {{"points", 1}});
    lives("eve", 0, {{"city", "Napoli"}, {"points", 9}});
    lives("fay", 10, {{"city", "Roma"}});
    buys("ann", 1, 10), buys("ann", 4, 5), buys("ben", 4, 20), buys("cat", 2, 7), buys("eve", 5, 1.5);
    build.event("ben", "refund", t0 + 120_h);
    build.contact("ann", t0 + 72_h, {{"city", "Torino"}});
    return std::move(build).finish();
}

/// Lines that end with \n alone.
inline std::string csv(const jm::table& t) {
    auto s = history_test::csv(t);
    std::erase(s, '\r');
    return s;
}

template <class F> std::string code_of(F f) {
    try {
        f();
    } catch (const jm::error& e) {
        return e.code() + " " + e.place();
    }
    return "";
}

}  // namespace segment_test
