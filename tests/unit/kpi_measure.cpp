#include "journeyman/kpi/measure.hpp"

#include <doctest/doctest.h>

#include "journeyman/history/builder.hpp"
#include "journeyman/predicate/select.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

/// How many, and the ids of contacts in the order in which they came.
struct diary {
    std::vector<std::string> names;
    void update(const jm::event_view& e) { names.push_back(e.contact() + " " + std::string{e.name()} + " " + jm::to_text(e.at())); }
    void merge(const diary& o) { names.insert(names.end(), o.names.begin(), o.names.end()); }
    [[nodiscard]] double value() const { return static_cast<double>(names.size()); }
};
struct total {
    double sum = 0;
    int of = 0;
    void update(const jm::event_view& e) { if (const auto x = e.number("amount")) sum += *x, ++of; }
    void merge(const total& o) { sum += o.sum; of += o.of; }
    [[nodiscard]] std::optional<double> value() const { return of == 0 ? std::nullopt : std::optional{sum}; }
};
struct no_merge {
    void update(const jm::event_view&) {}
    [[nodiscard]] double value() const { return 0; }
};
static_assert(jm::measure<diary> && jm::measure<total> && !jm::measure<no_merge>);

const jm::instant t0 = std::chrono::sys_days{2026y / 1 / 1};

jm::history shop() {
    jm::history_builder b;
    b.contact("anna", t0, {{"city", "Roma"}});
    b.contact("anna", t0 + 2_d, {{"city", "Milano"}});
    b.contact("bea", t0, {});
    b.event("anna", "purchase", t0 + 1_d, {{"amount", 10}, {"channel", "web"}});
    b.event("anna", "purchase", t0 + 3_d, {{"amount", 20}, {"channel", "shop"}});
    b.event("bea", "purchase", t0 + 4_d, {{"channel", "web"}});
    b.event("bea", "visit", t0 + 4_d);
    return std::move(b).finish();
}

std::vector<std::string> cells(const jm::table& t) {
    std::vector<std::string> out;
    for (std::size_t r = 0; r < t.rows(); ++r) {
        std::string line;
        for (const auto& c : t.columns()) line += (c.present(r) ? jm::to_text(c.at(r)) : "-") + "|";
        out.push_back(line);
    }
    return out;
}

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a measure of one's own folds the events of a selector") {
    const auto h = shop();
    CHECK(cells(h.fold<diary>(jm::event("purchase"))) == lines{"3|"});
    CHECK(cells(h.fold<diary>(jm::any_event())) == lines{"4|"});
    CHECK(cells(h.fold<total>(jm::event("purchase"))) == lines{"30|"});
    CHECK(cells(h.fold<total>(jm::event("purchase").where(jm::prop("amount") > 15))) == lines{"20|"});
    CHECK(cells(h.fold<total>(jm::event("visit"))) == lines{"-|"});          // of nothing, missing
    CHECK(cells(h.fold<diary>(jm::event("nothing"))) == lines{"0|"});
}

TEST_CASE("a fold counts what count() counts at that instant") {
    const auto h = shop();
    const auto lately = jm::event("purchase").last(2_d);
    CHECK(cells(h.fold<diary>(lately, {.at = t0 + 4_d})) == lines{"2|"});
    CHECK(cells(h.fold<diary>(lately, {.at = t0 + 5_d})) == lines{"1|"});    // anna's second has left at exactly its time
    CHECK(cells(h.fold<diary>(jm::event("purchase"), {.at = t0 + 3_d})) == lines{"2|"});
}

TEST_CASE("a fold is broken down by what was so at the event") {
    const auto h = shop();
    CHECK(cells(h.fold<total>(jm::event("purchase"), {.by = {"channel"}})) == lines{"shop|20|", "web|10|"});
    CHECK(cells(h.fold<diary>(jm::event("purchase"), {.by = {"contact.city"}})) == lines{"-|1|", "Milano|1|", "Roma|1|"});
    CHECK(cells(h.fold<diary>(jm::event("purchase"), {.by = {"channel", "contact.city"}})) == lines{"shop|Milano|1|", "web|-|1|", "web|Roma|1|"});
    CHECK(cells(h.fold<diary>(jm::event("nothing"), {.by = {"contact.city"}})).empty());
    CHECK_THROWS_AS(static_cast<void>(h.fold<diary>(jm::event("purchase"), {.by = {"contact.citty"}})), jm::error);
}

TEST_CASE("parts folded apart and merged are the whole, in order") {
    jm::history_builder b;
    constexpr int contacts = 10'000;                                        // more than one part
    std::vector<std::string> expected;
    for (int c = 0; c < contacts; ++c) {
        const auto id = "c" + std::to_string(100'000 + c);
        b.event(id, "purchase", t0 + std::chrono::minutes{contacts - c}, {{"amount", c}});
        expected.push_back(id + " purchase " + jm::to_text(jm::instant{t0 + std::chrono::minutes{contacts - c}}));
    }
    const auto h = std::move(b).finish();
    CHECK(cells(h.fold<total>(jm::event("purchase"))) == lines{std::to_string(contacts / 2 * (contacts - 1)) + "|"});
    diary whole;
    std::size_t parts = 0;
    std::map<std::size_t, diary> by_part;
    jm::detail::fold_events(h, jm::event("purchase"), {}, [&](std::size_t part, const jm::event_view& e, const auto&) { by_part[part].update(e); parts = std::max(parts, part + 1); });
    for (const auto& [part, d] : by_part) whole.merge(d);
    CHECK(parts == 3);
    CHECK(whole.names == expected);
}
