// Membership of random predicates over random histories, against brute force: the answer at every input, at every input moved by
// every length of time, at every local midnight, and one microsecond on both sides of each.
#include <doctest/doctest.h>

#include <set>

#include "dice.hpp"
#include "journeyman/journeyman.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/membership.hpp"
#include "journeyman/predicate/reader.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

class random_questions : public dice {
public:
    explicit random_questions(std::uint64_t seed) : dice{seed * 2 + 1} {}
    template <std::size_t N>
    std::string one(const char* const (&of)[N]) { return of[draw(N)]; }

    jm::history history() {
        jm::history_builder b;
        const auto hours = [&](std::uint64_t n) { return t0 + std::chrono::hours{draw(n)}; };
        b.account("acme", {{"size", std::int64_t{3}}});
        for (int k = 0; k < 3; ++k) b.account(draw(2) == 0 ? "acme" : "bolt", hours(60 * 24), {{"size", static_cast<std::int64_t>(draw(6))}});
        for (int k = 0; k < 4; ++k) b.contact("c" + std::to_string(k), {{"plan", "free"}}, draw(2) == 0 ? std::optional{hours(20 * 24)} : std::nullopt);
        b.contact("zoe", {});
        b.contact("amy", {{"account_id", "acme"}, {"plan", "free"}});
        b.event("amy", "a", t0, {{"k", std::int64_t{1}}, {"x", 2.5}});
        b.event("amy", "b", t0, {{"k", std::int64_t{1}}, {"x", 2.5}});
        const std::uint64_t people = draw(2) == 0 ? 7 : 60;   // streams of most, and of few
        for (int e = 0; e < 90; ++e) {
            if (people > 7 && draw(3) != 0) continue;
            const auto who = "c" + std::to_string(draw(people));
            const auto when = hours(60 * 24);
            switch (draw(6)) {
                case 0: b.contact(who, when, {{"plan", std::string{draw(2) == 0 ? "free" : "paid"}}}); break;
                case 1:
                    if (draw(3) == 0) b.contact(who, when, {{"plan", jm::scalar{}}});
                    else if (draw(2) == 0) b.contact(who, when, {{"timezone", std::string{draw(2) == 0 ? "Asia/Tokyo" : "America/New_York"}}});
                    else b.contact(who, when, {{"account_id", std::string{draw(2) == 0 ? "acme" : "bolt"}}});
                    break;
                default: b.event(who, draw(3) == 0 ? "a" : draw(2) == 0 ? "b" : "ab", when, draw(5) == 0 ? jm::fields{} : jm::fields{{"k", static_cast<std::int64_t>(draw(3))}, {"x", static_cast<double>(draw(100)) / 4}});
            }
        }
        return std::move(b).finish();
    }
    std::string predicate(int depth) {
        if (depth > 0) {
            switch (draw(6)) {
                case 0: return "(" + predicate(depth - 1) + " and " + predicate(depth - 1) + ")";
                case 1: return "(" + predicate(depth - 1) + " or " + predicate(depth - 1) + " or " + predicate(depth - 1) + ")";
                case 2: return "not (" + predicate(depth - 1) + ")";
                case 3: return "if(" + predicate(depth - 1) + ", " + predicate(depth - 1) + ", " + predicate(depth - 1) + ")";
                default: break;
            }
        }
        const auto event = [&] { return one({"a", "b", "a*", "any"}); };
        const auto where = [&] { return one({"", "", " where x > 10", " where k == 1 or x < 3", " where k == 2 and contact.plan == \"paid\"", " where not (k == 0)"}); };
        const auto window = [&] { return one({"", ", last 30h", ", last 72h", ", last 9d", ", last 1mo", ", this week", ", previous week", ", this month", ", since \"2026-03-20\"", ", before \"2026-03-20\"", ", since now - 72h"}); };
        const auto compared = [&] { return one({" >= 2", " > 2", " <= 1", " < 2", " == 1", " != 1", " >= 0", " == 0"}); };
        switch (draw(16)) {
            case 0: case 1: case 2: return "count(" + event() + where() + window() + ")" + compared();
            case 3: return "did(" + event() + where() + window() + ")";
            case 4: return "never(" + event() + where() + window() + ")";
            case 5: return "sum(a.x" + where() + window() + ") > 20";
            case 6: return one({"plan == \"paid\"", "exists(plan)", "plan != \"free\"", "account.size > 2", "exists(account_id)"});
            case 7: return one({"now - last_time(a) > 72h", "now - changed_time(plan) < 30h", "now - first_time(b) <= 9d", "start_of(month, now) == start_of(month, last_time(a))"});
            case 8: return one({"sequence(a, b, a, within 72h)", "sequence(a where x > 5, b, within 9d)", "did(a without b on k within 30h, last 9d)", "count(a without b on k) >= 2"});
            case 9: return "distinct(b.k" + window() + ") == 2";
            case 10: return "last(b.x" + window() + ") > 10";
            case 11: return one({"weekday(now) <= 2", "hour(now) >= 9", "hour(last_time(a)) < 12"});
            case 12: return "segment(\"" + one({"buyers", "paying"}) + "\")";
            case 13: return one({"bucket(\"x\") < 0.5", "true", "false"});
            case 14: return "consent(\"" + one({"email", "sms"}) + "\")";
            default: return "count(" + event() + window() + ")" + compared();
        }
    }

    static constexpr jm::instant t0 = std::chrono::sys_days{2026y / 3 / 1};
};

bool was_in(const jm::table& stays, const std::string& id, std::int64_t t) {
    for (std::size_t r = 0; r < stays.rows(); ++r)
        if (stays[0].text(r) == id && stays[1].integers()[r] <= t && (!stays[2].present(r) || t < stays[2].integers()[r])) return true;
    return false;
}

}  // namespace

TEST_CASE("membership of random predicates is what brute force finds")
{
    jm::compile_context rome;
    rome.zone = jm::load_zone("Europe/Rome");
    rome.segments = {{"buyers", jm::expression::parse("count(a, last 9d) >= 1 and plan == \"paid\"")}, {"paying", jm::expression::parse("plan == \"paid\"")}};
    rome.consent = {{"email", jm::expression::parse("plan != \"free\" or did(b, last 72h)")}};
    const auto start = random_questions::t0 + 2_d, end = random_questions::t0 + 70_d;
    for (std::uint64_t seed = 0; seed < 250; ++seed) {
        random_questions random{seed};
        const auto h = random.history();
        for (int q = 0; q < 3; ++q) {
            const auto text = random.predicate(q);
            CAPTURE(seed);
            CAPTURE(text);
            const auto [program, n] = jm::compile(jm::expression::parse(text), h.schema(), h.data().pool, rome);
            const auto stays = jm::membership(h, program, n, start, end);
            CHECK(stays == jm::membership_plainly(h, program, n, start, end));
            // What could matter: inputs, moved by every length, and midnights.
            std::set<jm::instant> around{start, end - 1_us};
            const auto put = [&](jm::instant t) { for (const auto near : {t - 1_us, t, t + 1_us}) if (near >= start && near < end) around.insert(near); };
            std::set<jm::instant> inputs;
            for (const auto& s : h.data().streams) for (const auto t : s.rows.at) inputs.insert(jm::instant{jm::microseconds{t}});
            for (const auto& a : h.data().contact_attributes) for (const auto t : a.rows.at) inputs.insert(jm::instant{jm::microseconds{t}});
            for (const auto& a : h.data().account_attributes) for (const auto t : a.rows.at) inputs.insert(jm::instant{jm::microseconds{t}});
            for (const auto t : inputs) {
                for (const auto d : {0_h, 30_h, 72_h, 9_d}) put(t + d);
                put(jm::add(t, 1_mo, *rome.zone));
            }
            for (auto t = start; t < end; t += 24h) for (const auto zone : {"Europe/Rome", "Asia/Tokyo", "America/New_York"}) put(jm::start_of_next(jm::calendar_unit::day, t, *jm::load_zone(zone)));
            for (std::size_t r = 0; r < stays.rows(); ++r) {
                put(jm::instant{jm::microseconds{stays[1].integers()[r]}});
                if (stays[2].present(r)) put(jm::instant{jm::microseconds{stays[2].integers()[r]}});
            }
            jm::history_reader reader{program, h.data()};
            for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
                reader.load(k);
                for (const auto t : around) {
                    const bool in = reader.exists(t) && jm::ask(*program, n, reader.see(t), t) == jm::truth::yes;
                    if (in != was_in(stays, h.data().contacts.name(k), t.time_since_epoch().count())) {
                        FAIL_CHECK(h.data().contacts.name(k) << " at " << jm::to_text(t) << " should be " << (in ? "in" : "out"));
                        break;
                    }
                }
            }
            // The stream of changes gives the same, and so do the sizes.
            const auto moves = jm::changes(stays), sizes = jm::sizes(stays, start, end);
            std::set<std::string> members;
            std::size_t m = 0;
            for (std::size_t r = 0; r < sizes.rows(); ++r) {
                for (; m < moves.rows() && moves[1].integers()[m] <= sizes[0].integers()[r]; ++m) {
                    const std::string id{moves[0].text(m)};
                    CHECK((moves[2].text(m) == "entered" ? members.insert(id).second : members.erase(id) == 1));
                }
                CHECK(static_cast<std::int64_t>(members.size()) == sizes[1].integers()[r]);
            }
            std::int64_t rest = 0;   // one went when another came: no other size
            for (; m < moves.rows(); ++m) rest += moves[2].text(m) == "entered" ? 1 : -1;
            CHECK(rest == 0);
        }
    }
}
