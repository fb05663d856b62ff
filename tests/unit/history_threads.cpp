// The history is the same to the bit, however many threads build it.

#include <algorithm>

#include "history_arrow.hpp"
#include "history_support.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;
namespace a = arrow_test;
using history_test::us;

namespace {

constexpr std::size_t rows = 270'000;   // enough for four threads, and for pieces of the same thread

std::uint64_t chance(std::size_t row, std::uint64_t what) {
    std::uint64_t x = (row * 31 + what + 1) * 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9ULL;
    return x ^ (x >> 32);
}

/// A column of cells made by chance; one in `gaps` is missing (0: none).
template <class T, class F>
std::vector<std::optional<T>> cells(std::uint64_t what, std::size_t gaps, F&& cell) {
    std::vector<std::optional<T>> out(rows);
    for (std::size_t r = 0; r < rows; ++r) if (gaps == 0 || chance(r, what + 100) % gaps != 0) out[r] = cell(r, chance(r, what));
    return out;
}
a::texts some_texts(std::uint64_t what, std::size_t gaps, const std::string& stem, std::size_t kinds) {
    return cells<std::string>(what, gaps, [&](std::size_t, std::uint64_t x) { return stem + std::to_string(x % kinds); });
}
a::array times(std::size_t gaps) {
    // Out of order, with ties; some out of range.
    return a::instants(cells<std::int64_t>(2, gaps, [&](std::size_t r, std::uint64_t x) { return gaps != 0 && x % 997 == 0 ? std::int64_t{1} << 62 : us("2026-01-01T00:00:00Z") + static_cast<std::int64_t>(r / 50 + x % 400); }));
}
/// New names turn up late; one is held by a row that cannot be used.
a::texts names() {
    return cells<std::string>(3, 0, [](std::size_t r, std::uint64_t x) { return x % 3 != 0 ? std::string{"seen"} : r > rows * 3 / 4 && x % 5 == 0 ? "late" : "kind " + std::to_string(x % 7); });
}

history build(const std::vector<a::array>& columns, unsigned threads, read_options options = {}) {
    options.threads = threads;
    a::stream s{columns};
    return history::from_arrow(nullptr, s.get(), nullptr, nullptr, options);
}

template <class A, class B>
bool same(const A& x, const B& y) { return std::equal(x.begin(), x.end(), y.begin(), y.end()); }

/// To the bit, the numbers of texts included.
void check_same(const history& one, const history& other) {
    const history_data &x = one.data(), &y = other.data();
    REQUIRE(x.pool->size() == y.pool->size());
    for (std::uint32_t k = 0; k < x.pool->size(); ++k) REQUIRE(x.pool->view(text_id{k}) == y.pool->view(text_id{k}));
    CHECK(x.contacts.integers == y.contacts.integers);
    CHECK(x.contacts.texts == y.contacts.texts);
    CHECK(x.exists_from == y.exists_from);
    REQUIRE(x.streams.size() == y.streams.size());
    for (std::size_t s = 0; s < x.streams.size(); ++s) {
        const event_stream &p = x.streams[s], &q = y.streams[s];
        CAPTURE(p.name);
        CHECK(p.name == q.name);
        CHECK(p.rows.owners == q.rows.owners);
        CHECK(p.rows.begins == q.rows.begins);
        CHECK(p.rows.dense == q.rows.dense);
        CHECK(p.rows.at == q.rows.at);
        CHECK(p.rows.order == q.rows.order);
        CHECK(p.ids == q.ids);
        CHECK(p.arrived == q.arrived);
        REQUIRE(p.properties.columns.size() == q.properties.columns.size());
        for (std::size_t c = 0; c < p.properties.columns.size(); ++c) {
            const auto &[name, v] = p.properties.columns[c];
            const auto &[other_name, w] = q.properties.columns[c];
            CAPTURE(name);
            CHECK(name == other_name);
            CHECK(v.type() == w.type());
            CHECK(same(v.bytes(), w.bytes()));
            CHECK(same(v.codes(), w.codes()));
            CHECK(same(v.integers(), w.integers()));
            CHECK(same(v.decimals(), w.decimals()));
            CHECK(same(v.valid(), w.valid()));
        }
    }
    CHECK(history_test::rejected(one) == history_test::rejected(other));
    CHECK(x.rejected_counts == y.rejected_counts);
}
void check_threads(const std::vector<a::array>& columns, const read_options& options = {}) {
    const history one = build(columns, 1, options);
    CHECK(one.events_count() > rows / 2);
    for (const unsigned threads : {2U, 3U, 8U}) {
        CAPTURE(threads);
        check_same(one, build(columns, threads, options));
    }
    CHECK(a::alive == 0);
}

}  // namespace

TEST_CASE("any number of threads builds the same history: whole columns, integer ids, texts of dictionaries") {
    const auto ids = cells<std::int64_t>(1, 0, [](std::size_t r, std::uint64_t x) { return static_cast<std::int64_t>((x >> 8) % (r / 10 + 100)); });
    const auto codes = cells<std::int32_t>(4, 0, [](std::size_t, std::uint64_t x) { return static_cast<std::int32_t>(x % 3); });
    check_threads({a::fixed<std::int64_t>("contact_id", "l", ids), a::text("event", names()), times(0), a::coded<std::int32_t>("page", codes, a::text("", {"/c", "/unused", "/a"})), a::fixed<std::int64_t>("n", "l", cells<std::int64_t>(5, 0, [](std::size_t, std::uint64_t x) { return static_cast<std::int64_t>(x); }))});
}

TEST_CASE("any number of threads builds the same history: gaps, faults, types by event, text ids, late and double events") {
    // Doubles far apart, so that they fall to several threads.
    const auto ids = cells<std::string>(1, 900, [](std::size_t r, std::uint64_t x) { return (x % 2 == 0 ? "a contact with a long name " : "c") + std::to_string((x >> 8) % (r / 10 + 100)); });
    const auto event_ids = cells<std::string>(7, 4, [](std::size_t r, std::uint64_t x) { return "id " + std::to_string(x % 3 == 0 ? r % (rows / 2) : r); });
    read_options options;
    options.types = {{"seen.mixed", "integer"}, {"late.mixed", "text"}, {"seen.born", "day"}};
    auto name_cells = names();
    for (std::size_t r = 0; r < rows; r += 1000) name_cells[r] = r % 3000 == 0 ? std::optional<std::string>{} : std::optional<std::string>{""};
    check_threads({a::text("contact_id", ids), a::coded<std::int32_t>("event", cells<std::int32_t>(3, 0, [](std::size_t, std::uint64_t x) { return static_cast<std::int32_t>(x % 4); }), a::text("", {"late", "seen", "other", std::nullopt})), times(500),
                   a::text("event_id", event_ids), a::text("arrived_at", cells<std::string>(8, 2, [](std::size_t, std::uint64_t x) { return x % 50 == 0 ? "soon" : "2026-02-01T00:00:00Z"; })),
                   a::text("mixed", some_texts(9, 3, "", 4000)), a::text("born", cells<std::string>(10, 3, [](std::size_t, std::uint64_t x) { return x % 4 == 0 ? "yesterday" : "2001-02-0" + std::to_string(1 + x % 9); })),
                   a::text("word", some_texts(11, 2, "w", 9000), "vu"), a::coded<std::int32_t>("coded", cells<std::int32_t>(12, 2, [](std::size_t, std::uint64_t x) { return static_cast<std::int32_t>(x % 3); }), a::text("", {"x", std::nullopt, "y"})),
                   a::fixed<double>("price", "g", cells<double>(13, 3, [](std::size_t, std::uint64_t x) { return static_cast<double>(x % 100'000) / 7; })), a::booleans("flag", cells<bool>(14, 5, [](std::size_t, std::uint64_t x) { return x % 2 == 0; }))},
                  options);
    check_threads({a::text("contact_id", ids), a::text("event", name_cells), times(500), a::text("word", some_texts(11, 2, "w", 9000))});
}

TEST_CASE("a failure in one thread is told, and nothing leaks") {
    const auto ids = cells<std::int64_t>(1, 0, [](std::size_t, std::uint64_t x) { return static_cast<std::int64_t>(x % 1000); });
    auto codes = cells<std::int32_t>(4, 0, [](std::size_t, std::uint64_t x) { return static_cast<std::int32_t>(x % 2); });
    codes[200'000] = 7;   // outside the dictionary
    for (const unsigned threads : {1U, 2U, 8U}) {
        CHECK_THROWS_WITH_AS(build({a::fixed<std::int64_t>("contact_id", "l", ids), a::text("event", names()), times(0), a::coded<std::int32_t>("page", codes, a::text("", {"/a", "/b"}))}, threads), doctest::Contains("an index lies outside its dictionary"), error);
    }
    CHECK(a::alive == 0);
}
