#include <cmath>

#include "history_arrow.hpp"
#include "history_support.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;
using namespace journeyman::literals;
namespace a = arrow_test;
using history_test::csv;
using history_test::rejected;
using history_test::us;

namespace {

const std::int64_t t0 = us("2026-01-01T00:00:00Z");
const a::array when = a::instants({t0, t0 + 1, t0 + 2});

history events(std::vector<a::array> columns, const read_options& options = {}) {
    a::stream s{std::move(columns)};
    return history::from_arrow(nullptr, s.get(), nullptr, nullptr, options);
}
history contacts(std::vector<a::array> columns, const read_options& options = {}) {
    a::stream s{std::move(columns)};
    return history::from_arrow(s.get(), nullptr, nullptr, nullptr, options);
}

}  // namespace

TEST_CASE("texts in every layout, dictionaries and offsets give one history") {
    const a::texts ids{"anna", "a much longer identity", "anna"}, names{"x", "y", "x"}, props{"p", std::nullopt, "something longer than twelve"};
    const std::string want = csv(events({a::text("contact_id", ids), a::text("event", names), when, a::text("v", props)}).events());
    CHECK(want == "contact_id,event,timestamp,v\na much longer identity,y,2026-01-01T00:00:00.000001Z,\nanna,x,2026-01-01T00:00:00Z,p\nanna,x,2026-01-01T00:00:00.000002Z,something longer than twelve\n");
    for (const std::size_t offset : {0U, 1U, 7U, 8U, 9U, 65U}) {
        CAPTURE(offset);
        for (const char* format : {"u", "U", "vu"}) {
            CAPTURE(format);
            CHECK(csv(events({a::text("contact_id", ids, format, offset), a::text("event", names, format, offset), a::instants({t0, t0 + 1, t0 + 2}, "tsu:UTC", offset), a::text("v", props, format, offset)}).events()) == want);
            // Dictionaries: of each layout of text, with a null inside, and with an offset of their own.
            const a::array values = a::text("", {"anna", "a much longer identity"}, format, offset);
            CHECK(csv(events({a::coded<std::int32_t>("contact_id", {0, 1, 0}, values, "i", offset), a::coded<std::int8_t>("event", {1, 0, 1}, a::text("", {"y", "x"}, format), "c"), when,
                              a::coded<std::uint16_t>("v", {2, 1, 0}, a::text("", {"something longer than twelve", std::nullopt, "p"}, format), "S", offset)})
                          .events()) == want);
            CHECK(csv(events({a::coded<std::int64_t>("contact_id", {0, 1, 0}, values, "l"), a::coded<std::uint8_t>("event", {1, 0, 1}, a::text("", {"y", "x"}), "C"), when, a::coded<std::int32_t>("v", {0, std::nullopt, 1}, a::text("", {"p", "something longer than twelve"}, format))}).events()) == want);
        }
    }
    CHECK(a::alive == 0);
}

TEST_CASE("rows rejected before and after duplicates are looked for are counted together") {
    const auto h = events({a::coded<std::int32_t>("contact_id", {std::nullopt, 0, 1}, a::text("", {"", "anna"})), a::text("event", {"x", "x", "x"}), when, a::text("event_id", {"1", "2", "3"})});
    CHECK(rejected(h) == "events 0 no contact_id; events 1 no contact_id");
    CHECK(h.data().rejected_counts == decltype(h.data().rejected_counts){{{"events", "no contact_id"}, 2}});
    CHECK(h.events_count() == 1);
}

TEST_CASE("batches, also empty ones, are one table; a struct may have an offset") {
    {
        const auto batch = [](a::texts ids, std::vector<std::optional<std::int64_t>> at, a::texts v) { return std::vector<a::array>{a::text("contact_id", ids), a::coded<std::int8_t>("event", std::vector<std::optional<std::int8_t>>(ids.size(), 0), a::text("", {"x"}), "c"), a::instants(at), a::text("v", v)}; };
        a::stream s{std::vector<std::vector<a::array>>{batch({"b", "a"}, {t0 + 5, t0}, {"1", "2"}), batch({}, {}, {}), batch({"b"}, {t0}, {"3"})}};
        CHECK(csv(history::from_arrow(nullptr, s.get()).events()) == "contact_id,event,timestamp,v\na,x,2026-01-01T00:00:00Z,2\nb,x,2026-01-01T00:00:00Z,3\nb,x,2026-01-01T00:00:00.000005Z,1\n");
        CHECK((s.get()->release == nullptr));
        a::stream cut{std::vector<std::vector<a::array>>{batch({"b", "a", "c"}, {t0 + 5, t0, t0 + 1}, {"1", "2", "3"})}, 1};
        CHECK(csv(history::from_arrow(nullptr, cut.get()).events()) == "contact_id,event,timestamp,v\na,x,2026-01-01T00:00:00Z,2\nc,x,2026-01-01T00:00:00.000001Z,3\n");
    }
    CHECK(a::alive == 0);
}

TEST_CASE("instants of all units and zones; without a zone only where the reader is told") {
    const auto one = [](a::array at, const read_options& options = {}) { return events({a::text("contact_id", {"a"}), a::text("event", {"x"}), std::move(at)}, options); };
    const auto stamp = [](const history& h) { return h.events_count() == 0 ? rejected(h) : to_text(h.events().column("timestamp").at(0)); };
    CHECK(stamp(one(a::instants({1'700'000'000}, "tss:UTC"))) == "2023-11-14T22:13:20Z");
    CHECK(stamp(one(a::instants({1'700'000'000'001}, "tsm:Europe/Rome"))) == "2023-11-14T22:13:20.001000Z");
    CHECK(stamp(one(a::instants({1'700'000'000'000'001}, "tsu:+02:00"))) == "2023-11-14T22:13:20.000001Z");
    CHECK(stamp(one(a::instants({1'700'000'000'000'001'999}, "tsn:UTC"))) == "2023-11-14T22:13:20.000001Z");
    CHECK(stamp(one(a::instants({-1}, "tsn:UTC"))) == "1969-12-31T23:59:59.999999Z");   // down, not towards zero
    CHECK(stamp(one(a::instants({us("2026-03-29T02:30:00Z")}, "tsu:"))) == "events 0 timestamp without a zone: 2026-03-29T02:30:00");
    read_options rome;
    rome.timezone = load_zone("Europe/Rome");
    CHECK(stamp(one(a::instants({us("2026-03-29T02:30:00Z")}, "tsu:"), rome)) == "2026-03-29T01:30:00Z");   // does not exist: forward by the gap (T6)
    CHECK(stamp(one(a::instants({us("2026-10-25T02:30:00Z") / 1'000'000}, "tss:"), rome)) == "2026-10-25T00:30:00Z");   // twice: the first
    CHECK(stamp(one(a::instants({us("2026-03-29T02:30:00Z")}), rome)) == "2026-03-29T02:30:00Z");   // has a zone: as it is
    CHECK(stamp(one(a::fixed<std::int32_t>("timestamp", "tdD", {20'000}))) == "events 0 timestamp without a zone: 2024-10-04");
    CHECK(stamp(one(a::fixed<std::int32_t>("timestamp", "tdD", {20'000}), rome)) == "2024-10-03T22:00:00Z");
    CHECK(stamp(one(a::fixed<std::int64_t>("timestamp", "tdm", {20'000LL * 86'400'000}), rome)) == "2024-10-03T22:00:00Z");
    CHECK(stamp(one(a::text("timestamp", {"2026-01-01T00:00:00+01:00"}))) == "2025-12-31T23:00:00Z");
    CHECK(stamp(one(a::text("timestamp", {"2026-01-01T00:00:00"}))) == "events 0 timestamp without a zone: 2026-01-01T00:00:00");
    CHECK(stamp(one(a::text("timestamp", {"yesterday"}))) == "events 0 unreadable timestamp: yesterday");
    CHECK(stamp(one(a::text("timestamp", {std::nullopt}))) == "events 0 no timestamp");
    CHECK(stamp(one(a::fixed<std::int64_t>("timestamp", "l", {1'700'000'000}))) == "events 0 unreadable timestamp: 1700000000");   // of which unit?
    CHECK(stamp(one(a::instants({latest_instant.time_since_epoch().count()}))) == "9999-12-31T23:59:59.999999Z");
    CHECK(one(a::instants({latest_instant.time_since_epoch().count() + 1})).data().rejected.at(0).reason == "instant out of range");
    CHECK(one(a::instants({earliest_instant.time_since_epoch().count() - 1})).data().rejected.at(0).reason == "instant out of range");
    CHECK(one(a::instants({INT64_MAX}, "tss:UTC")).data().rejected.at(0).reason == "instant out of range");
    CHECK(one(a::instants({INT64_MAX}, "tss:"), rome).data().rejected.at(0).reason == "instant out of range");
}

TEST_CASE("every type of column") {
    const history h = contacts({a::text("contact_id", {"a", "b"}), a::fixed<std::int8_t>("i8", "c", {-1, std::nullopt}), a::fixed<std::uint8_t>("u8", "C", {255, 0}), a::fixed<std::int16_t>("i16", "s", {-300, 0}), a::fixed<std::uint32_t>("u32", "I", {4'000'000'000U, 0}),
                                a::fixed<std::uint64_t>("u64", "L", {~std::uint64_t{0}, 5}), a::fixed<float>("f", "f", {0.5F, std::nanf("")}), a::fixed<double>("g", "g", {0.1, std::nan("")}), a::fixed<std::uint16_t>("half", "e", {0x3c00, 0xc100}),
                                a::booleans("yes", {true, std::nullopt}), a::booleans("no", {false, true}, 5), a::fixed<std::int64_t>("wait", "tDs", {90, std::nullopt}), a::lists("tags", {{"p", "q"}, {}}), a::lists("big", {{}, {"r"}}, "+L"), a::coded<std::int32_t>("ci", {1, 0}, a::fixed<std::int64_t>("", "l", {7, 8}))});
    CHECK(csv(h.contacts()) == "contact_id,big,ci,f,g,half,i16,i8,no,tags,u32,u64,u8,wait,yes\n"
                               "a,,8,0.5,0.1,1,-300,-1,false,\"p, q\",4000000000,,255,1m30s,true\n"
                               "b,r,7,,,-2.5,0,,true,,0,5,0,,\n");
    CHECK(rejected(h) == "contacts 0 unreadable value in u64: -1");
    CHECK(h.contacts().column("tags").present(1));   // an empty list is a value
    CHECK(h.schema().contact.at("tags") == value_type::text_list);
}

TEST_CASE("decimals of a hundred and twenty-eight bits are the nearest double") {
    const auto read = [](std::int64_t high, std::uint64_t low, const char* format) {
        a::array d = a::fixed<std::int64_t>("d", format, {0});
        d.buffers[1].clear();
        a::append(d.buffers[1], low);
        a::append(d.buffers[1], high);
        return std::get<double>(contacts({a::text("contact_id", {"a"}), d}).contacts().column("d").at(0));
    };
    CHECK(read(0, 12345, "d:10,2") == 123.45);
    CHECK(read(-1, static_cast<std::uint64_t>(-12345), "d:10,2") == -123.45);
    CHECK(read(0, 1, "d:38,30,128") == 1e-30);
    CHECK(read(5, 0, "d:38,0") == 92233720368547758080.0);
}

TEST_CASE("what cannot be read as any type is reported, cell by cell") {
    a::array odd = a::fixed<std::int64_t>("odd", "+s", {1, std::nullopt});
    odd.format = "w:8";
    const history h = events({a::text("contact_id", {"a", "b"}), a::text("event", {"x", "x"}), a::instants({t0, t0}), odd});
    CHECK(h.events_count() == 2);
    CHECK(h.data().rejected_counts.at({"events", "unreadable value in odd"}) == 1);
}

TEST_CASE("contacts without a time exist always, or from created_at, which stays an attribute") {
    const history h = contacts({a::text("contact_id", {"b", "a", "b", "", std::nullopt}), a::text("plan", {"gold", "free", "other", "x", "y"}), a::fixed<std::int64_t>("created_at", "tsu:UTC", {t0, std::nullopt, t0, t0, t0}), a::fixed<std::int64_t>("account_id", "l", {7, 8, 7, 7, 7})});
    CHECK(csv(h.contacts()) == "contact_id,account_id,created_at,plan\na,8,,free\nb,7,2026-01-01T00:00:00Z,gold\n");
    CHECK(rejected(h) == "contacts 2 duplicate contact_id: b; contacts 3 no contact_id; contacts 4 no contact_id");
    CHECK(h.contacts(instant{microseconds{t0 - 1}}).rows() == 1);
    CHECK(h.schema().contact.at("account_id") == value_type::text);
    CHECK(h.schema().contact.at("created_at") == value_type::instant);
}

TEST_CASE("a change log: an empty cell leaves as it was, `cleared` takes away") {
    const auto log = [](a::array cleared) {
        return contacts({a::text("contact_id", {"a", "a", "a", "a"}), a::instants({t0, t0 + 1, t0 + 2, t0 + 3}), a::text("plan", {"free", std::nullopt, std::nullopt, "gold"}), a::fixed<std::int64_t>("age", "l", {1, 2, std::nullopt, std::nullopt}), std::move(cleared)});
    };
    for (const auto& cleared : {a::text("cleared", {std::nullopt, std::nullopt, "plan, age", std::nullopt}), a::text("cleared", {std::nullopt, "", "plan age", std::nullopt}), a::lists("cleared", {{}, {}, {"plan", "age"}, {}})}) {
        const history h = log(cleared);
        CHECK(rejected(h).empty());
        const auto as_of = [&](std::int64_t t) { return csv(h.contacts(instant{microseconds{t}})).substr(20); };
        CHECK(h.contacts(instant{microseconds{t0 - 1}}).rows() == 0);
        CHECK(as_of(t0) == "a,1,free\n");
        CHECK(as_of(t0 + 1) == "a,2,free\n");
        CHECK(as_of(t0 + 2) == "a,,\n");
        CHECK(as_of(t0 + 3) == "a,,gold\n");
    }
    CHECK(rejected(log(a::text("cleared", {"paln", std::nullopt, std::nullopt, std::nullopt}))) == "contacts 0 unknown name in cleared: paln");
}

TEST_CASE("order at one instant: by sequence where given, else contacts and accounts, then events (T2)") {
    const auto orders = [](std::vector<a::array> contact_extra, std::vector<a::array> event_extra) {
        std::vector<a::array> c{a::text("contact_id", {"a", "a"}), a::instants({t0, t0}), a::text("plan", {"free", "gold"})}, e{a::text("contact_id", {"a", "a"}), a::text("event", {"x", "x"}), a::instants({t0, t0}), a::text("v", {"first", "second"})};
        c.insert(c.end(), contact_extra.begin(), contact_extra.end());
        e.insert(e.end(), event_extra.begin(), event_extra.end());
        a::stream cs{c}, es{e};
        const history h = history::from_arrow(cs.get(), es.get());
        std::map<std::uint32_t, std::string> out;
        const auto& plan = *h.data().contact_attribute("plan");
        const auto& x = *h.data().stream("x");
        for (std::size_t r = 0; r < 2; ++r) {
            out[plan.rows.order[r]] = to_text(plan.values.at(r), *h.data().pool);
            out[x.rows.order[r]] = to_text(x.properties.find("v")->at(r), *h.data().pool);
        }
        std::string all;
        for (const auto& [order, what] : out) all += what + " ";
        return all;
    };
    const auto sequence = [](std::vector<std::optional<std::int64_t>> s) { return std::vector<a::array>{a::fixed<std::int64_t>("sequence", "l", s)}; };
    CHECK(orders({}, {}) == "free gold first second ");
    CHECK(orders(sequence({10, 30}), sequence({20, 5})) == "second free first gold ");
    CHECK(orders(sequence({10, 30}), {}) == "free gold first second ");
    CHECK(orders({}, sequence({2, 1})) == "free gold second first ");
    CHECK(orders(sequence({std::nullopt, 9}), sequence({std::nullopt, 3})) == "free second gold first ");   // without a number: changes before, events after
    CHECK(orders(sequence({1, 2}), sequence({1, 2})) == "free first gold second ");   // equal numbers: changes first
}

TEST_CASE("arrived_at is kept where it differs") {
    const history h = events({a::text("contact_id", {"a", "a", "a"}), a::text("event", {"x", "x", "y"}), a::instants({t0, t0 + 5, t0}), a::fixed<std::int64_t>("arrived_at", "tsu:UTC", {std::nullopt, t0 + 9, t0})});
    CHECK(h.data().stream("x")->arrived == std::vector<std::int64_t>{t0, t0 + 9});
    CHECK(h.data().stream("y")->arrived.empty());
}

TEST_CASE("event ids: the first copy wins; other columns decide whether copies agree") {
    const auto ids = a::text("event_id", {"e1", "e1", "e1", "", std::nullopt, std::nullopt});
    const history h = events({a::text("contact_id", {"a", "a", "a", "a", "a", "ghost"}), a::text("event", {"x", "x", "x", "x", "x", ""}), a::instants({t0, t0, t0, t0, t0, t0}), a::fixed<std::int64_t>("n", "l", {1, 1, 2, 3, 4, 5}), a::fixed<std::int64_t>("arrived_at", "tsu:UTC", {t0, t0 + 7, t0, t0, t0, t0}), ids});
    CHECK(rejected(h) == "events 1 duplicate event_id: e1; events 2 conflicting event_id: e1; events 5 no event name");
    CHECK(h.events_count() == 3);
    CHECK(h.contacts_count() == 1);
    const history numbers = events({a::text("contact_id", {"a", "b"}), a::text("event", {"x", "y"}), a::instants({t0, t0}), a::fixed<std::int64_t>("event_id", "l", {5, 5})});
    CHECK(rejected(numbers) == "events 1 conflicting event_id: 5");
}

TEST_CASE("integer ids sort as numbers, if all tables have them; else all are text") {
    const auto both = [](a::array contact_ids, a::array event_ids) {
        a::stream c{{std::move(contact_ids)}}, e{std::vector<a::array>{std::move(event_ids), a::text("event", {"x"}), a::instants({t0})}};
        return history::from_arrow(c.get(), e.get());
    };
    const auto names = [](const history& h) {
        std::string out;
        for (std::uint32_t k = 0; k < h.contacts_count(); ++k) out += h.data().contacts.name(k) + " ";
        return out;
    };
    const history numbers = both(a::fixed<std::int32_t>("contact_id", "i", {10, 9, -1}), a::fixed<std::int64_t>("contact_id", "l", {1'000'000'000'000}));
    CHECK(numbers.data().contacts.are_integers());
    CHECK(names(numbers) == "-1 9 10 1000000000000 ");
    CHECK(numbers.data().contacts.find("10") == 2U);
    CHECK_FALSE(numbers.data().contacts.find("010x"));
    CHECK(numbers.contacts()[0].type() == value_type::integer);
    const history mixed = both(a::fixed<std::int32_t>("contact_id", "i", {10, 9, 100}), a::text("contact_id", {"9"}));
    CHECK_FALSE(mixed.data().contacts.are_integers());
    CHECK(names(mixed) == "10 100 9 ");
    CHECK(mixed.contacts_count() == 3);
    // pandas makes decimals of integers with gaps.
    const history pandas = both(a::fixed<double>("contact_id", "g", {10.0, std::nan("")}), a::fixed<std::int64_t>("contact_id", "l", {10}));
    CHECK(names(pandas) == "10 ");
    CHECK(rejected(pandas) == "contacts 1 no contact_id");
    const history empty_text = both(a::fixed<std::int32_t>("contact_id", "i", {2, 1}), a::fixed<std::int64_t>("contact_id", "l", {3}));
    CHECK(names(empty_text) == "1 2 3 ");
}

TEST_CASE("a stream keeps only the properties it has; each may have a type of its own") {
    read_options options;
    options.types = {{"x.code", "text"}};
    const history h = events({a::text("contact_id", {"a", "a"}), a::text("event", {"x", "y"}), a::instants({t0, t0}), a::fixed<std::int64_t>("code", "l", {7, 8}), a::text("only_y", {std::nullopt, "v"}), a::text("nobody", {std::nullopt, std::nullopt})}, options);
    CHECK(h.schema().events.at("x") == std::map<std::string, value_type, std::less<>>{{"code", value_type::text}});
    CHECK(h.schema().events.at("y") == std::map<std::string, value_type, std::less<>>{{"code", value_type::integer}, {"only_y", value_type::text}});
    CHECK(csv(h.events()) == "contact_id,event,timestamp,code,only_y\na,x,2026-01-01T00:00:00Z,7,\na,y,2026-01-01T00:00:00Z,8,v\n");
}

TEST_CASE("columns are renamed; what is missing is an error with the nearest names") {
    read_options options;
    options.columns = {{"", {{"contact_id", "user"}, {"plan", "tier"}, {"unknown", "nowhere"}}}, {"events", {{"timestamp", "when"}}}};
    const history h = events({a::text("user", {"a"}), a::text("event", {"x"}), a::fixed<std::int64_t>("when", "tsu:UTC", {t0}), a::text("tier", {"gold"})}, options);
    CHECK(csv(h.events()) == "contact_id,event,timestamp,plan\na,x,2026-01-01T00:00:00Z,gold\n");
    CHECK_THROWS_WITH_AS(events({a::text("contactid", {"a"}), a::text("event", {"x"}), a::instants({t0})}), doctest::Contains("Did you mean contactid?"), error);
    options.columns = {{"events", {{"timestamp", "wehn"}}}};
    CHECK_THROWS_WITH_AS(events({a::text("contact_id", {"a"}), a::text("event", {"x"}), a::fixed<std::int64_t>("when", "tsu:UTC", {t0})}, options), doctest::Contains("Did you mean when?"), error);
    options.columns = {{"evnets", {}}};
    CHECK_THROWS_AS(events({a::text("contact_id", {"a"}), a::text("event", {"x"}), a::instants({t0})}, options), error);
    CHECK(a::alive == 0);
}

TEST_CASE("spend: amounts and any other column") {
    a::stream s{std::vector<a::array>{a::instants({t0 + 1, t0, t0}), a::fixed<std::int64_t>("amount", "l", {3, 2, std::nullopt}), a::text("channel", {"ads", "mail", "x"})}};
    read_options options;
    options.types = {{"spend.amount", "money"}};
    const history h = history::from_arrow(nullptr, nullptr, nullptr, s.get(), options);
    CHECK(csv(h.spend()) == "timestamp,amount,channel\n2026-01-01T00:00:00Z,2.00,mail\n2026-01-01T00:00:00.000001Z,3.00,ads\n");
    CHECK(rejected(h) == "spend 2 no amount");
    CHECK(h.schema().events.empty());
}

TEST_CASE("empty tables, events alone, contacts alone") {
    const history none = events({a::text("contact_id", {}), a::text("event", {}), a::instants({})});
    CHECK(none.contacts_count() == 0);
    CHECK(none.events_count() == 0);
    CHECK(contacts({a::text("contact_id", {"a"})}).contacts_count() == 1);
    CHECK(events({a::text("contact_id", {"a"}), a::text("event", {"x"}), a::instants({t0})}).contacts(instant{microseconds{t0}}).rows() == 1);
    CHECK(history::from_arrow(nullptr, nullptr).contacts_count() == 0);
    const history nulls = contacts({a::text("contact_id", {"a"}), [] { a::array n; n.name = "nothing"; n.format = "n"; n.length = 1; n.nulls = 1; return n; }()});
    CHECK(nulls.contacts().column("nothing").at(0) == scalar{});
}

TEST_CASE("what is no table, or damaged, is an error and leaks nothing") {
    const auto code_of = [](auto&& f) {
        try {
            f();
        } catch (const error& e) {
            return e.code();
        }
        return std::string{};
    };
    CHECK(code_of([] { events({a::text("contact_id", {"\xff\xfe"}), a::text("event", {"x"}), a::instants({t0})}); }) == "input.utf8");
    CHECK(code_of([] { events({a::text("contact_id", {"\xff\xfe"}, "vu"), a::text("event", {"x"}), a::instants({t0})}); }) == "input.utf8");
    CHECK(code_of([] { events({a::coded<std::int32_t>("contact_id", {5}, a::text("", {"a"})), a::text("event", {"x"}), a::instants({t0})}); }) == "input.arrow");
    CHECK(code_of([] {
              a::array falls = a::text("contact_id", {"ab", "cd"});
              falls.buffers[1].assign("\0\0\0\0\3\0\0\0\1\0\0\0", 12);
              events({falls, a::text("event", {"x", "x"}), a::instants({t0, t0})});
          }) == "input.arrow");
    CHECK(code_of([] {
              a::stream s{std::vector<a::array>{a::text("contact_id", {"a"})}};
              s.get()->release(s.get());
              history::from_arrow(s.get(), nullptr);
          }) == "input.arrow");
    CHECK(code_of([] {
              a::stream ok{std::vector<a::array>{a::text("contact_id", {"a"})}}, bad{std::vector<a::array>{a::text("contact_id", {"a"})}};
              history::from_arrow(ok.get(), bad.get());
          }) == "input.column");
    CHECK(a::alive == 0);
}
