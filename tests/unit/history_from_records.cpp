#include "history_support.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;
using history_test::at;
using history_test::csv;
using history_test::rejected;

namespace {

history read(const std::string& lines, const read_options& options = {}) { return history::from_records_text(lines, options); }
std::string track(const std::string& properties, const std::string& event = "x", const std::string& more = "") {
    return R"({"type":"track","userId":"a","event":")" + event + R"(","timestamp":"2026-01-01T00:00:00Z")" + more + R"(,"properties":)" + properties + "}\n";
}

}  // namespace

TEST_CASE("identify, track, page, screen and group") {
    const history h = read(R"({"type":"identify","userId":"a","timestamp":"2026-01-01T00:00:00Z","traits":{"plan":"gold","address":{"city":"Roma","zip":{"code":"00184"}},"tags":["x","y"],"renewal":"2026-12-01"}}
{"type":"identify","userId":"a","timestamp":"2026-01-02T00:00:00Z","traits":{"plan":null,"never":null,"address":{"city":"Milano"}}}
{"type":"page","userId":"a","name":"/pricing","timestamp":"2026-01-03T00:00:00Z","properties":{"referrer":"ads"}}
{"type":"screen","userId":"b","timestamp":"2026-01-03T00:00:00Z"}
{"type":"group","userId":"a","groupId":"acme","timestamp":"2026-01-04T00:00:00Z","traits":{"size":50}}
{"type":"group","groupId":"other","timestamp":"2026-01-04T00:00:00Z","traits":{"size":7.5}}
)");
    CHECK(rejected(h).empty());
    CHECK(csv(h.contacts()) == "contact_id,account_id,address.city,address.zip.code,plan,renewal,tags\na,acme,Milano,00184,,2026-12-01,\"x, y\"\nb,,,,,,\n");
    CHECK(to_text(h.contacts(at("2026-01-01T00:00:00Z")).column("plan").at(0)) == "gold");
    CHECK(csv(h.accounts()) == "account_id,size\nacme,50\nother,7.5\n");
    CHECK(csv(h.events()) == "contact_id,event,timestamp,name,referrer\na,page,2026-01-03T00:00:00Z,/pricing,ads\nb,screen,2026-01-03T00:00:00Z,,\n");
    CHECK(h.schema().contact.at("renewal") == value_type::day);
}

TEST_CASE("every record that cannot be used is counted, by line") {
    const history h = read("{\"type\":\"track\",\"event\":\"x\",\"timestamp\":\"2026-01-01T00:00:00Z\"}\n\nnot json\n[1]\n{\"userId\":\"a\"}\n"
                           R"({"type":"alias","userId":"a","previousId":"b","timestamp":"2026-01-01T00:00:00Z"}
{"type":"dance","userId":"a","timestamp":"2026-01-01T00:00:00Z"}
{"type":"track","userId":"a","event":"x"}
{"type":"track","userId":"a","event":"x","timestamp":"soon"}
{"type":"track","userId":"a","event":"x","timestamp":1700000000}
{"type":"track","userId":"a","event":"x","timestamp":"2026-01-01T00:00:00"}
{"type":"track","userId":"a","timestamp":"2026-01-01T00:00:00Z"}
{"type":"track","userId":"","event":"x","timestamp":"2026-01-01T00:00:00Z"}
{"type":"group","userId":"a","timestamp":"2026-01-01T00:00:00Z"}
{"type":"track","userId":"a","event":"x","timestamp":"9999-12-31T23:59:59-23:00"}
{"type":"track","userId":"a","event":"x","timestamp":"2026-01-01T00:00:00Z","properties":7}
)");
    std::string reasons;
    for (const auto& r : h.data().rejected) reasons += std::to_string(r.row) + " " + r.reason + "; ";
    CHECK(reasons == "0 no contact_id; 2 malformed JSON; 3 not a record; 4 no type; 5 alias is not supported; 6 unknown type; 7 no timestamp; 8 unreadable timestamp; 9 unreadable timestamp; 10 timestamp without a zone; 11 no event name; 12 no contact_id; 13 no account_id; 14 instant out of range; 15 unreadable value in properties; ");
    CHECK(h.events_count() == 1);   // the last one is kept, without its properties
    CHECK(h.contacts_count() == 1);
}

TEST_CASE("types are guessed by event and property") {
    const history h = read(track(R"({"d":"2026-01-01","i":"2026-01-01T00:00:00Z","n":1,"t":"2026-01-01","e":""})") + track(R"({"d":"2026-02-01","i":"2026-01-01T00:00:00+02:00","n":1.5,"t":"no day","e":"2026-01-01"})") + track(R"({"n":"text"})", "y"));
    const auto& x = h.schema().events.at("x");
    CHECK(x.at("d") == value_type::day);
    CHECK(x.at("i") == value_type::instant);
    CHECK(x.at("n") == value_type::decimal);
    CHECK(x.at("t") == value_type::text);
    CHECK(x.at("e") == value_type::text);   // "" is a value, and no day
    CHECK(h.schema().events.at("y").at("n") == value_type::text);
    read_options options;
    options.types = {{"x.d", "text"}, {"x.n", "money"}};
    const history declared = read(track(R"({"d":"2026-01-01","n":1.5})"), options);
    CHECK(declared.schema().events.at("x") == std::map<std::string, value_type, std::less<>>{{"d", value_type::text}, {"n", value_type::money}});
}

TEST_CASE("cells that do not fit are rejected, the record is kept") {
    const history h = read(track(R"({"v":1})") + track(R"({"v":"one"})") + track(R"({"v":2})") + track(R"({"v":{"deep":true}})") + track(R"({"list":[{"sku":1}]})") + track(R"({"list":["a",1,true,null]})"));
    CHECK(h.events_count() == 6);
    CHECK(rejected(h) == "records 1 unreadable value in v: one; records 4 unreadable value in list: [{\"sku\":1}]");
    CHECK(to_text(h.events().column("list").at(5)) == "a, 1, true");
    CHECK(to_text(h.events().column("v.deep").at(3)) == "true");
}

TEST_CASE("ids are integers when all are JSON integers") {
    const auto one = [](const std::string& id) { return R"({"type":"track","userId":)" + id + R"(,"event":"x","timestamp":"2026-01-01T00:00:00Z"})" "\n"; };
    CHECK(read(one("10") + one("9")).data().contacts.integers == std::vector<std::int64_t>{9, 10});
    CHECK(read(one("10") + one("\"9\"")).data().contacts.name(0) == "10");
    CHECK(read(one("true")).contacts_count() == 0);
}

TEST_CASE("messageId makes copies one event, receivedAt says when it came") {
    const history h = read(track("{}", "x", R"(,"messageId":"m1","receivedAt":"2026-01-02T00:00:00Z")") + track("{}", "x", R"(,"messageId":"m1","receivedAt":"2026-01-05T00:00:00Z")") + track("{}", "y", R"(,"messageId":"m1")"));
    CHECK(rejected(h) == "records 1 duplicate event_id: m1; records 2 conflicting event_id: m1");
    CHECK(csv(h.events()) == "contact_id,event,timestamp,event_id,arrived_at\na,x,2026-01-01T00:00:00Z,m1,2026-01-02T00:00:00Z\n");
}

TEST_CASE("order is that of the lines, across types of records") {
    const history h = read(track("{}") + R"({"type":"identify","userId":"a","timestamp":"2026-01-01T00:00:00Z","traits":{"plan":"gold"}})" "\n" + track("{}"));
    const auto& x = h.data().stream("x")->rows.order;
    const auto plan = h.data().contact_attribute("plan")->rows.order.at(0);
    CHECK(x.at(0) < plan);
    CHECK(plan < x.at(1));
}

TEST_CASE("limits: depth, length, nothing at all") {
    std::string deep = "1";
    for (int i = 0; i < 5000; ++i) deep = "{\"a\":" + deep + "}";
    CHECK(rejected(read(track(deep))).find("records 0 nested too deep") == 0);
    const std::string large(3 << 20, 'x');
    CHECK(read(track("{\"v\":\"" + large + "\"}")).events().column("v").text(0).size() == large.size());
    CHECK(read("").contacts_count() == 0);
    CHECK(read("\n \r\n").contacts_count() == 0);
    CHECK(read("\xef\xbb\xbf" + track("{}")).events_count() == 1);
    CHECK_THROWS_WITH_AS(read("{}\n\xff\n"), doctest::Contains("records:2"), error);
    CHECK_THROWS_WITH_AS(history::from_records("/nosuch/file.jsonl"), doctest::Contains("[input.file]"), error);
    CHECK(read(track("{}").substr(0, track("{}").size() - 1)).events_count() == 1);   // no last line end
}
