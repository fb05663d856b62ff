// `select` by passes over columns against `select_plainly`, contact by contact, on random histories.
#include "journeyman/predicate/select.hpp"

#include <doctest/doctest.h>

#include <random>

#include "journeyman/journeyman.hpp"
#include "journeyman/predicate/membership.hpp"

namespace jm = journeyman;

namespace {

constexpr std::int64_t hour = 3'600'000'000, day = 24 * hour;
const jm::instant begin{jm::microseconds{1'735'689'600'000'000}};   // 2025-01-01T00:00:00Z

struct made {
    std::mt19937 chance;
    std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(n)); }
    bool once_in(int n) { return below(n) == 0; }
    // Whole hours, so that instants meet, and windows end where events stand.
    jm::instant moment() { return begin + jm::microseconds{below(60 * 24) * hour}; }
    /// Once in a while centuries away, so that instants by buckets must be coarse, or their ends clamped.
    jm::instant event_moment() { return far != 0 && once_in(far) ? begin + jm::microseconds{(once_in(2) ? 1 : -1) * (200'000 + below(90'000)) * day} : moment(); }
    int far = 0;
    int texts = 4;               // how many pages there are

    /// `busy`: how many events there are to a contact; few make sparse streams, many long ones.
    jm::history history(int contacts, double busy) {
        jm::history_builder b;
        const char* pages[] = {"/p1", "/p2", "/p3", "/p7"};
        const char* cities[] = {"Roma", "Milano", "Bari"};
        for (int k = 0; k < contacts; ++k) {
            const std::string id = "c" + std::to_string(k);
            jm::fields f;
            if (!once_in(4)) f.emplace_back("city", std::string{cities[below(3)]});
            if (!once_in(3)) f.emplace_back("age", below(60));
            if (!once_in(3)) f.emplace_back("vip", once_in(2));
            if (once_in(2)) f.emplace_back("score", static_cast<double>(below(20)) / 4);
            if (once_in(5)) b.contact(id, moment(), std::move(f));
            else if (once_in(2)) b.contact(id, std::move(f), moment());
            else b.contact(id, std::move(f));
            if (once_in(3)) b.contact(id, moment(), {{"plan", std::string{pages[below(4)]}}, {"city", once_in(3) ? jm::scalar{} : jm::scalar{std::string{cities[below(3)]}}}});
        }
        const auto page = [&] { const auto k = below(texts); return k < 4 ? std::string{pages[k]} : "/more" + std::to_string(k); };
        const auto events = static_cast<int>(contacts * busy);
        for (int k = 0; k < events; ++k) {
            const std::string id = "c" + std::to_string(below(contacts + 5));   // some known by events alone
            switch (below(8)) {
                case 0: b.event(id, "refund", event_moment()); break;
                case 1: b.event(id, "cart", event_moment(), once_in(4) ? jm::fields{} : jm::fields{{"cart_id", below(4)}}); break;
                case 2:
                case 3: {
                    jm::fields f{{"cents", below(5000)}};
                    if (!once_in(3)) f.emplace_back("cart_id", below(4));
                    if (!once_in(3)) f.emplace_back("amount", static_cast<double>(below(1000)) / 10);
                    if (!once_in(4)) f.emplace_back("paid_at", moment());
                    if (once_in(60)) f[0].second = std::int64_t{4'611'686'018'427'387'904};   // two of them overflow
                    b.event(id, "purchase", event_moment(), std::move(f));
                    break;
                }
                default: b.event(id, "page", event_moment(), once_in(5) ? jm::fields{} : jm::fields{{"page", page()}, {"seconds", below(90)}, {"share", static_cast<double>(below(8)) / 4}});
            }
        }
        return std::move(b).finish();
    }
};

const char* const questions[] = {
    "count(purchase, last 30d) >= 2", "count(purchase) == 0", "count(page where seconds > 30, last 9d) > 1", "2 <= count(page, since \"2025-01-20\")",
    "count(purchase, before \"2025-02-01\") < 3", "count(page, between \"2025-01-10\" and \"2025-01-20T05:00:00Z\") between 1 and 3", "did(refund, this month)",
    "never(refund, previous month)", "did(page where page == \"/p3\" and seconds >= 20, this week)", "did(page where page in [\"/p1\", \"/p2\"], last 3d)",
    "did(page where page != \"/p1\", last 5d)", "never(purchase where amount > 50)", "count(any, last 5d) > 2", "count(p*, last 5d) > 2", "did(purchase, last 1mo)",
    "sum(purchase.cents, this year) > 3000", "sum(purchase.cents) > 4611686018427387904", "sum(purchase.cents) == 9223372036854775808", "sum(purchase.amount, last 20d) >= 50", "sum(purchase.amount) == 0",
    "sum(purchase.cents where amount < 40, last 40d) <= 100", "avg(purchase.amount) > 40", "max(purchase.cents, last 20d) > 2000", "min(page.page) == \"/p1\"",
    "distinct(page.page, last 20d) >= 3", "distinct(page.page where seconds > 10) == 2", "distinct(purchase.cart_id) > 1", "first(page.page) == \"/p7\"",
    "last(page.page) != \"/p7\"", "last(page.page where seconds < 50) == \"/p2\"", "last(purchase.amount) > 20", "last(page.page) > \"/p1\"", "last(purchase.cents) in [1, 2, 3]",
    "now - last_time(page) > 10d", "now - first_time(page where page == \"/p2\") <= 20d", "last_time(purchase) >= \"2025-02-01\"", "first_time(refund) < \"2025-01-15T00:00:00Z\"",
    "now - last(purchase.paid_at) > 3d", "first(purchase.paid_at) == last(purchase.paid_at)", "city == \"Roma\"", "city != \"Roma\"", "city in [\"Roma\", \"Bari\"]", "city not in [\"Roma\", \"Bari\"]",
    "plan == \"/p1\"", "not (plan == \"/p1\")", "age > 30", "age >= 30.5", "score > 2", "score == 2.5", "vip", "not vip", "age between 20 and 40", "city > \"M\"", "exists(city)",
    "city matches \"^R\"", "age > 30 and city == \"Roma\"", "age > 30 or city == \"Roma\" or count(page) > 2", "(vip or age < 20) and not (score > 1 and did(refund))", "vip == true",
    "segment(\"young\") and did(page)", "not segment(\"young\")", "segment(\"young\") or segment(\"busy\")", "bucket(\"x\") < 0.4 and did(page, last 10d)",
    "did(cart without purchase on cart_id within 5h, last 30d)", "count(cart without purchase on cart_id) >= 1", "never(cart without purchase where cents > 1000 on cart_id within 2d)",
    "did(cart without refund on cart_id within 5h)", "did(page without page on page within 1d, last 20d)", "sequence(page where page == \"/p3\", cart, purchase, within 14d)",
    "sequence(page, page, page, within 2d)", "sequence(cart, purchase)", "sequence(purchase)", "sequence(cart, purchase where amount > 30, refund, within 20d)", "sequence(page, purchase, within 1mo)",
    "sequence(page, cart, last 5d, purchase, within 9d)", "sequence(page where seconds > 60, page where page == \"/p1\", purchase where page == \"/p1\", within 20d)",
    "sequence(page where page in [\"/p1\", \"/p3\"], purchase, within 3d)", "did(page where share < 0.5, last 20d)", "count(page where share >= 1.5) > 2", "count(page where share != 1.0) > 2", "did(page where share == 1, last 9d)",
    "last_time(page where page == \"/p2\") < \"2025-02-10\"", "first_time(page) >= \"2025-01-02\"", "last(page.page, last 9d) in [\"/p1\", \"/p2\"]", "first(page.page where seconds > 45) != \"/p3\"",
    "now - last_time(purchase, before \"2025-01-20\") <= 15d", "distinct(page.page, last 20d) < 3", "distinct(page.page) != 2", "distinct(page.page) == 0", "count(page, last 30d) != 3", "never(page, last 3d)",
    "did(page where page == \"/more70\")", "did(cart where cart_id > 1 without purchase on cart_id within 12h)", "city == \"Roma\" and count(page, last 20d) >= 2 and sum(purchase.cents, this year) > 100 and never(refund, last 30d) and last(page.page) != \"/p7\"",
};

}  // namespace

TEST_CASE("passes over columns answer as contact by contact does") {
    made make{std::mt19937{20250101}};
    jm::compile_context context;
    context.segments.emplace("young", jm::predicate::parse("age < 30"));
    context.segments.emplace("busy", jm::predicate::parse("count(page, last 10d) >= 2"));
    int answered = 0;
    struct shape { int contacts; double busy; int far = 0, texts = 4; };
    for (const auto& [contacts, busy, far, texts] : {shape{300, 1.0}, {300, 8.0}, {60, 60.0}, {4500, 3.0}, {400, 0.05}, {1, 3.0}, {300, 9.0, 300}, {300, 9.0, 3}, {300, 20.0, 0, 90}, {2500, 6.0, 0, 400}}) {
        make.far = far;
        make.texts = texts;
        const jm::history h = make.history(contacts, busy);
        std::vector<jm::expression> all;
        for (const char* text : questions) {
            std::pair<jm::program_ptr, jm::node_id> compiled;
            try {
                compiled = jm::compile(jm::predicate::parse(text), h.schema(), h.data().pool, context);
            } catch (const jm::error&) {
                continue;   // a name this small history lacks; counted below
            }
            ++answered;
            all.push_back(jm::predicate::parse(text));
            for (int k = 0; k < 4; ++k) {
                const jm::instant t = make.moment();
                const auto fast = jm::select(h, compiled.first, compiled.second, t), plain = jm::select_plainly(h, compiled.first, compiled.second, t);
                INFO(text << " at " << jm::to_text(t) << ", contacts " << contacts);
                CHECK(fast.numbers() == plain.numbers());
                CHECK(fast.unknown_numbers() == plain.unknown_numbers());
            }
        }
        // All at once, some twice: what they share is asked once.
        all.insert(all.end(), all.begin(), all.begin() + 9);
        jm::compiler together{h.schema(), h.data().pool, context};
        std::vector<jm::node_id> nodes;
        for (const auto& e : all) nodes.push_back(together.add_predicate(e));
        const auto program = together.finish();
        const jm::instant t = make.moment();
        const auto found = jm::select_many(h, program, nodes, t, 2);
        for (std::size_t k = 0; k < all.size(); ++k) {
            const auto alone = jm::select(h, all[k], t, context);
            INFO(all[k].to_text() << " among others, at " << jm::to_text(t));
            CHECK(found[k].numbers() == alone.numbers());
            CHECK(found[k].unknown_numbers() == alone.unknown_numbers());
        }
    }
    CHECK(answered >= 9 * static_cast<int>(std::size(questions)));
}

TEST_CASE("membership from counts is what the evaluator finds")
{
    made make{std::mt19937{31}};
    jm::compile_context context;
    context.segments.emplace("young", jm::predicate::parse("age < 30"));
    context.segments.emplace("busy", jm::predicate::parse("count(page, last 10d) >= 2"));
    for (const auto& [contacts, busy] : {std::pair{120, 1.0}, {60, 12.0}, {300, 0.05}}) {
        const jm::history h = make.history(contacts, busy);
        for (const char* text :
             {"count(purchase, last 30d) >= 2", "count(page, last 2d) > 2", "count(page) < 3", "count(page, last 3d) <= 1", "count(page) >= 0", "did(page, last 1d)", "never(purchase, last 9d)",
              "did(page where page == \"/p3\" and seconds > 10, last 7d)", "count(page, last 1mo) >= 2", "count(page, this month) >= 1", "not did(page, last 2d)", "did(cart, last 5d) and never(purchase, last 5d)",
              "did(cart, last 5d) or not (count(page, last 5d) >= 2 and did(refund))", "segment(\"busy\") and not segment(\"young\")", "segment(\"busy\") or city == \"Roma\"", "not (age > 30) and did(page, last 4d)",
              "not (vip or did(page, last 4d))", "sum(purchase.cents, last 10d) > 3000 or count(page, last 3d) >= 1"}) {
            std::pair<jm::program_ptr, jm::node_id> compiled;
            try {
                compiled = jm::compile(jm::predicate::parse(text), h.schema(), h.data().pool, context);
            } catch (const jm::error&) {
                continue;
            }
            for (int k = 0; k < 2; ++k) {
                const jm::instant a = make.moment(), b = make.moment();
                if (a == b) continue;
                INFO(text << ", contacts " << contacts);
                CHECK(jm::membership(h, compiled.first, compiled.second, std::min(a, b), std::max(a, b)) == jm::membership_plainly(h, compiled.first, compiled.second, std::min(a, b), std::max(a, b)));
            }
        }
    }
}

TEST_CASE("threads do not change the answer") {
    made make{std::mt19937{7}};
    const jm::history h = make.history(70'000, 1.5);
    for (const char* text : {"count(purchase, last 30d) >= 1", "age > 30 or city matches \"a$\"", "sequence(page, purchase, within 9d)"}) {
        const auto [p, n] = jm::compile(jm::predicate::parse(text), h.schema(), h.data().pool);
        const auto t = begin + jm::microseconds{50 * day};
        const auto one = jm::select(h, p, n, t);
        CHECK(one.count() > 0);
        for (const unsigned threads : {2U, 3U, 64U}) {
            const auto many = jm::select(h, p, n, t, threads);
            CHECK(many.numbers() == one.numbers());
            CHECK(many.unknown_numbers() == one.unknown_numbers());
        }
    }
}
