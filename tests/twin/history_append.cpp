// A history that was appended to, against one built of everything at once: the same tables, answers and rejections, however it was split.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <sstream>

#include "dice.hpp"
#include "journeyman/history/tables.hpp"
#include "journeyman/journeyman.hpp"

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

constexpr jm::instant t0 = std::chrono::sys_days{2026y / 3 / 1};

std::string as_text(const jm::table& t) {
    std::ostringstream out;
    t.write_csv(out);
    return out.str();
}

/// All that can be seen of a history.
void check_equal(const jm::history& a, const jm::history& b) {
    const auto schema = [](const jm::schema& s) {
        std::string out;
        const auto put = [&](const auto& all) { for (const auto& [name, type] : all) out += name + ": " + std::string{jm::to_string(type)} + "\n"; };
        put(s.contact);
        put(s.account);
        for (const auto& [event, properties] : s.events) {
            out += event + "\n";
            put(properties);
        }
        return out;
    };
    CHECK(schema(a.schema()) == schema(b.schema()));
    CHECK(as_text(a.events()) == as_text(b.events()));
    CHECK(as_text(a.contacts()) == as_text(b.contacts()));
    CHECK(as_text(a.accounts()) == as_text(b.accounts()));
    CHECK(as_text(a.spend()) == as_text(b.spend()));
    CHECK(as_text(a.rejected()) == as_text(b.rejected()));
    CHECK(as_text(a.rejected_counts()) == as_text(b.rejected_counts()));
    CHECK(a.data().span() == b.data().span());
    for (int day = 0; day < 40; day += 7) CHECK(as_text(a.contacts(t0 + std::chrono::hours{24 * day})) == as_text(b.contacts(t0 + std::chrono::hours{24 * day})));
    // The order of all inputs of a contact is the same, whatever the numbers.
    const auto order = [](const jm::history& h) {
        struct input { std::string contact; std::int64_t at; std::uint32_t order; std::string what; };
        std::vector<input> all;
        const auto put = [&](const auto& streams) {
            for (const auto& s : streams)
                for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
                    const auto [begin, end] = s.rows.range(k);
                    for (auto r = begin; r < end; ++r) all.push_back({h.data().contacts.name(k), s.rows.at[r], s.rows.order[r], s.name});
                }
        };
        put(h.data().streams);
        put(h.data().contact_attributes);
        std::sort(all.begin(), all.end(), [](const input& x, const input& y) { return std::tie(x.contact, x.at, x.order, x.what) < std::tie(y.contact, y.at, y.order, y.what); });
        std::string out;
        for (const auto& x : all) out += x.contact + " " + std::to_string(x.at) + " " + x.what + "\n";
        return out;
    };
    CHECK(order(a) == order(b));
    for (const char* text : {"count(a, last 9d) >= 2", "did(b) and never(a, last 3d)", "exists(plan) or plan == \"paid\"", "sum(a.x) > 20", "sequence(a, b, within 5d)", "now - changed_time(plan) < 5d", "account.size > 2"}) {
        std::optional<jm::expression> p;
        try {
            (void)jm::compile(jm::expression::parse(text), b.schema(), b.data().pool);
        } catch (const jm::error&) {
            continue;   // this history has no such name
        }
        p = jm::expression::parse(text);
        CAPTURE(text);
        CHECK(jm::membership(a, *p, t0, t0 + 50_d) == jm::membership(b, *p, t0, t0 + 50_d));
        CHECK(a.select(*p, t0 + 20_d).ids() == b.select(*p, t0 + 20_d).ids());
    }
}

using fact = std::function<void(jm::history_builder&)>;

std::vector<fact> random_facts(dice& random) {
    std::vector<fact> out;
    const auto when = [&] { return t0 + std::chrono::hours{random.draw(40 * 4) * 6}; };   // coarse: many at one instant
    const auto late = [&](jm::instant t) { return random.draw(5) == 0 ? std::optional{t + 3_d} : std::nullopt; };
    const int n = 30 + static_cast<int>(random.draw(60));
    for (int k = 0; k < n; ++k) {
        const auto who = "c" + std::to_string(random.draw(9));
        const auto firm = "f" + std::to_string(random.draw(3));
        const auto t = when();
        const auto arrived = late(t);
        switch (random.draw(12)) {
            case 0: out.push_back([=, plan = random.draw(2) == 0 ? "free" : "paid", created = random.draw(2) == 0 ? std::optional{t} : std::nullopt](auto& b) { b.contact(who, {{"plan", std::string{plan}}}, created); }); break;
            case 1: out.push_back([=, plan = random.draw(2) == 0 ? "free" : "paid"](auto& b) { b.contact(who, t, {{"plan", std::string{plan}}}, arrived); }); break;
            case 2: out.push_back([=](auto& b) { b.contact(who, t, {{"account_id", firm}}, arrived); }); break;
            case 3: out.push_back([=, size = static_cast<std::int64_t>(random.draw(5))](auto& b) { b.account(firm, t, {{"size", size}}); }); break;
            case 4: out.push_back([=, size = static_cast<double>(random.draw(50)) / 10](auto& b) { b.account(firm, {{"size", size}}); }); break;
            case 5: out.push_back([=, amount = static_cast<double>(random.draw(50))](auto& b) { b.spend(t, amount, {{"channel", std::string{"ads"}}}); }); break;
            case 6: out.push_back([=](auto& b) { b.event("", "a", t); }); break;
            case 7: out.push_back([=](auto& b) { b.event(who, "new_" + firm, t, {{"note", std::string{"n"}}}); }); break;
            default: {
                const bool whole = random.draw(2) == 0;
                const auto x = random.draw(80);
                const auto id = random.draw(3) == 0 ? "id" + std::to_string(random.draw(12)) : std::string{};
                const char* name = random.draw(2) == 0 ? "a" : "b";
                out.push_back([=](auto& b) {
                    jm::fields f{{"k", static_cast<std::int64_t>(x % 3)}};
                    if (whole) f.emplace_back("x", static_cast<std::int64_t>(x)); else f.emplace_back("x", static_cast<double>(x) / 4);
                    b.event(who, name, t, f, id, arrived);
                });
            }
        }
    }
    return out;
}

}  // namespace

TEST_CASE("facts appended are facts that came at once")
{
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        dice random{seed * 2 + 1};
        const auto facts = random_facts(random);
        jm::history_builder whole;
        for (const auto& f : facts) f(whole);
        jm::history appended;
        for (std::size_t k = 0; k < facts.size();) {
            const std::size_t end = std::min(facts.size(), k + 1 + random.draw(facts.size()));
            jm::history_builder part;
            for (; k < end; ++k) facts[k](part);
            appended = appended.append(std::move(part));
        }
        check_equal(appended, std::move(whole).finish());
    }
}

TEST_CASE("tables appended are tables that came at once")
{
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        dice random{(seed + 1000) * 2 + 1};
        const auto when = [&] { return jm::to_text(t0 + std::chrono::hours{random.draw(40 * 4) * 6}); };
        const bool log = random.draw(2) == 0, integers = random.draw(3) == 0, sequence = random.draw(3) == 0, numbers_only = random.draw(2) == 0;
        const auto id = [&] { return random.draw(20) == 0 ? std::string{} : (integers && random.draw(40) != 0 ? "" : "c") + std::to_string(random.draw(12)); };
        const auto number = [&](std::uint64_t k) { return random.draw(6) == 0 ? std::string{} : std::to_string(random.draw(2) == 0 ? k : 1000 - k); };   // each once
        std::vector<std::string> contacts, events, accounts, spend;
        for (std::uint64_t k = 0; k < 25; ++k) {
            const std::string plan = random.draw(3) == 0 ? "" : random.draw(2) == 0 ? "free" : "paid";
            const std::string cleared = random.draw(4) == 0 ? "plan" : "";
            contacts.push_back(log ? id() + "," + plan + ",f" + std::to_string(random.draw(3)) + "," + when() + "," + cleared + "," + number(2 * k + 1) : id() + "," + plan + ",f" + std::to_string(random.draw(3)) + "," + (random.draw(2) == 0 ? when() : ""));
        }
        for (std::uint64_t k = 0; k < 60; ++k) {
            const std::string x = random.draw(4) == 0 ? "" : std::to_string(random.draw(90)) + (k > 20 && random.draw(8) == 0 ? ".5" : "");
            const std::string code = k > 40 && !numbers_only && random.draw(6) == 0 ? "none" : std::to_string(random.draw(90));
            const std::string event_id = random.draw(3) == 0 ? "id" + std::to_string(sequence ? k : random.draw(15)) : "";
            events.push_back(id() + "," + (random.draw(20) == 0 ? "" : random.draw(2) == 0 ? "a" : random.draw(3) == 0 ? "c" : "b") + "," + (random.draw(20) == 0 ? "soon" : when()) + "," + x + "," + code + "," + event_id + "," + number(2 * k));
        }
        for (int k = 0; k < 5; ++k) accounts.push_back("f" + std::to_string(random.draw(4)) + "," + std::to_string(random.draw(5)));
        for (int k = 0; k < 5; ++k) spend.push_back(when() + "," + std::to_string(random.draw(100)) + "," + (random.draw(2) == 0 ? "ads" : ""));
        const auto read = [&](const jm::history* before, std::array<std::size_t, 8> from) {
            const auto text = [&](const char* header, const std::vector<std::string>& rows, std::size_t begin, std::size_t end) {
                std::string out = header;
                for (std::size_t k = begin; k < end; ++k) out += "\n" + rows[k];
                return out + "\n";
            };
            const std::string header = std::string{"contact_id,event,timestamp,x,code,event_id"} + (sequence ? ",sequence" : ",nothing");
            const std::string c = text(log ? (sequence ? "contact_id,plan,account_id,timestamp,cleared,sequence" : "contact_id,plan,account_id,timestamp,cleared,rank") : "contact_id,plan,account_id,created_at", contacts, from[0], from[1]);
            const std::string e = text(header.c_str(), events, from[2], from[3]), a = text("account_id,size", accounts, from[4], from[5]), s = text("timestamp,amount,channel", spend, from[6], from[7]);
            jm::table_sources all;
            if (from[0] < from[1]) all.contacts = {.csv = "contacts", .text = c};
            if (from[2] < from[3]) all.events = {.csv = "events", .text = e};
            if (from[4] < from[5]) all.accounts = {.csv = "accounts", .text = a};
            if (from[6] < from[7]) all.spend = {.csv = "spend", .text = s};
            return before == nullptr ? jm::history_from_tables(all.contacts, all.events, all.accounts, all.spend) : before->append(all);
        };
        const auto whole = read(nullptr, {0, contacts.size(), 0, events.size(), 0, accounts.size(), 0, spend.size()});
        std::array<std::size_t, 4> done{}, sizes{contacts.size(), events.size(), accounts.size(), spend.size()};
        jm::history appended;
        while (done != sizes) {
            std::array<std::size_t, 8> part{};
            for (std::size_t k = 0; k < 4; ++k) {
                part[2 * k] = done[k];
                done[k] = std::min(sizes[k], done[k] + random.draw(sizes[k] + 1));
                part[2 * k + 1] = done[k];
            }
            appended = read(&appended, part);
        }
        check_equal(appended, whole);
    }
}
