#include <filesystem>
#include <fstream>

#include "history_support.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;
using history_test::at;
using history_test::csv;
using history_test::rejected;

namespace {

class folder {
public:
    folder() : path_{std::filesystem::temp_directory_path() / ("journeyman_csv_" + std::to_string(std::hash<const void*>{}(this)))} { std::filesystem::create_directories(path_); }
    ~folder() { std::filesystem::remove_all(path_); }
    std::filesystem::path write(const std::string& name, std::string_view text) const {
        std::ofstream{path_ / name, std::ios::binary} << text;
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

history contacts(std::string_view text, const read_options& options = {}) {
    const folder f;
    return history::from_csv(f.write("contacts.csv", text), {}, {}, {}, options);
}
history events(std::string_view text, const read_options& options = {}) {
    const folder f;
    return history::from_csv({}, f.write("events.csv", text), {}, {}, options);
}
std::string why(std::string_view text) {
    try {
        contacts(text);
    } catch (const error& e) {
        const std::string place = e.place();
        return e.code() + " " + place.substr(place.find("contacts.csv")) + " " + e.message();
    }
    return {};
}
value_type guessed_type(std::string_view cells, const read_options& options = {}) {
    std::string text = "contact_id,x\n";
    int k = 0;
    for (std::size_t from = 0; from <= cells.size();) {
        const auto to = std::min(cells.find('|', from), cells.size());
        text += "c" + std::to_string(k++) + "," + std::string{cells.substr(from, to - from)} + "\n";
        from = to + 1;
    }
    return contacts(text, options).schema().contact.at("x");
}

}  // namespace

TEST_CASE("the type of a column is guessed from all its cells") {
    CHECK(guessed_type("true|false|True|") == value_type::boolean);
    CHECK(guessed_type("1|-2|0||") == value_type::integer);
    CHECK(guessed_type("1|2.5") == value_type::decimal);
    CHECK(guessed_type(".5|1e3") == value_type::decimal);
    CHECK(guessed_type("9223372036854775807") == value_type::integer);
    CHECK(guessed_type("9223372036854775808") == value_type::decimal);
    CHECK(guessed_type("2026-01-31|2024-02-29") == value_type::day);
    CHECK(guessed_type("2026-01-31|2023-02-29") == value_type::text);
    CHECK(guessed_type("2026-01-31T00:00:00Z|2026-01-31 00:00+02:00") == value_type::instant);
    CHECK(guessed_type("2026-01-31T00:00:00") == value_type::text);   // in which zone?
    CHECK(guessed_type("2026-01-31|2026-01-31T00:00:00Z") == value_type::text);
    CHECK(guessed_type("1|two") == value_type::text);
    CHECK(guessed_type("true|1") == value_type::text);
    CHECK(guessed_type("00184|20121") == value_type::text);   // postal codes
    CHECK(guessed_type("inf|nan") == value_type::text);
    CHECK(guessed_type("|") == value_type::text);
    read_options rome;
    rome.timezone = load_zone("Europe/Rome");
    CHECK(guessed_type("2026-01-31T00:00:00|2026-01-31T00:00:00Z", rome) == value_type::instant);
}

TEST_CASE("RFC 4180: quotes, line breaks, both line ends, a byte order mark, blank lines, no last line end") {
    CHECK(csv(contacts("\xef\xbb\xbf" "contact_id,note\r\na,\"one, \"\"two\"\"\r\nthree\"\r\n\r\nb,\"\"\nc,").contacts()) == "contact_id,note\na,\"one, \"\"two\"\"\r\nthree\"\nb,\nc,\n");
    CHECK(contacts("contact_id;plan\na;gold\n").schema().contact.count("plan") == 1);
    CHECK(contacts("contact_id\tplan\na\tgold\n").schema().contact.count("plan") == 1);
    CHECK(contacts("contact_id,na;me\na,x\n").schema().contact.count("na;me") == 1);
    CHECK(contacts("contact_id\n").contacts_count() == 0);
}

TEST_CASE("a malformed file is an error with its line") {
    CHECK(why("") == "input.csv contacts.csv:1 the file is empty; its first line must name the columns");
    CHECK(why("contact_id,a\nx,1\ny\n").find("input.csv contacts.csv:3 the row has 1 cells, the header 2") == 0);
    CHECK(why("contact_id,a\nx,1,2\n").find("input.csv contacts.csv:2 the row has more cells than the header (2)") == 0);
    CHECK(why("contact_id,a\nx,\"one\ntwo\n").find("input.csv contacts.csv:2 a quoted cell is not closed") == 0);
    CHECK(why("contact_id,a\n\"x\ny\",1\nz,o\"ne\n").find("input.csv contacts.csv:4 a quote stands inside") == 0);
    CHECK(why("contact_id,a\nx,\"one\"two\n").find("input.csv contacts.csv:2 there is text after the closing quote") == 0);
    CHECK(why("contact_id,a,a\n").find("input.csv contacts.csv:") == 0);
    CHECK(why("contact_id\na\n\xff\n").find("input.utf8 contacts.csv:3") == 0);
    CHECK(why("contactid,plan\na,b\n").find("Did you mean contactid?") != std::string::npos);
    CHECK_THROWS_WITH_AS(history::from_csv("/nosuch/file.csv", {}), doctest::Contains("[input.file]"), error);
    CHECK_THROWS_WITH_AS(history::from_csv(std::filesystem::temp_directory_path(), {}), doctest::Contains("this is a folder"), error);
}

TEST_CASE("ids are integers only when all are written so") {
    CHECK(contacts("contact_id\n10\n9\n").data().contacts.are_integers());
    CHECK_FALSE(contacts("contact_id\n10\n09\n").data().contacts.are_integers());
    CHECK_FALSE(contacts("contact_id\n10\nx\n").data().contacts.are_integers());
    const folder f;
    const history h = history::from_csv(f.write("c.csv", "contact_id\n10\n9\n"), f.write("e.csv", "contact_id,event,timestamp\nanna,x,2026-01-01T00:00:00Z\n9,x,2026-01-01T00:00:00Z\n"));
    CHECK(h.contacts_count() == 3);
    CHECK(h.data().contacts.name(0) == "10");
    const history only = history::from_csv(f.write("c.csv", "contact_id\n10\n9\n"), f.write("e.csv", "contact_id,event,timestamp\n"));
    CHECK(only.data().contacts.are_integers());   // an empty table has no say
}

TEST_CASE("formats by column name, and instants without a zone") {
    read_options options;
    options.columns = {{"", {{"timestamp", "won_date"}}}};
    options.formats = {{"won_date", "%m/%d/%Y %H:%M"}, {"signed", "%d.%m.%Y"}, {"stamp", "%Y%m%d%H%M%S%z"}};
    const std::string_view text = "contact_id,event,won_date,signed,stamp\na,won,2/26/2018 19:58,31.12.2025,20260101000000+0100\na,won,13/1/2018 0:00,31.13.2025,\n";
    const history refused = events(text, options);
    CHECK(rejected(refused) == "events 0 timestamp without a zone: 2/26/2018 19:58; events 1 unreadable timestamp: 13/1/2018 0:00");
    options.timezone = load_zone("America/Sao_Paulo");
    const history h = events(text, options);
    CHECK(csv(h.events()) == "contact_id,event,timestamp,signed,stamp\na,won,2018-02-26T22:58:00Z,2025-12-31,2025-12-31T23:00:00Z\n");
    CHECK(rejected(h) == "events 1 unreadable timestamp: 13/1/2018 0:00");
}

TEST_CASE("declared types win over guesses") {
    read_options options;
    options.types = {{"contact.code", "text"}, {"contact.price", "money"}, {"contact.tags", "list"}, {"contact.ok", "yes/no"}, {"contact.age", "integer"}, {"contact.wait", "duration"}};
    const history h = contacts("contact_id,code,price,tags,ok,age,wait\na,7,12.5,\"x, y\",yes,3.0,1h30m\nb,8,x,,maybe,3.5,1mo\n", options);
    CHECK(csv(h.contacts()) == "contact_id,age,code,ok,price,tags,wait\na,3,7,true,12.50,\"x, y\",1h30m\nb,,8,,,,\n");
    CHECK(rejected(h) == "contacts 1 unreadable value in price: x; contacts 1 unreadable value in ok: maybe; contacts 1 unreadable value in age: 3.5; contacts 1 unreadable value in wait: 1mo");
}

TEST_CASE("rows that cannot be used, by row") {
    const history h = events("contact_id,event,timestamp\n,x,2026-01-01T00:00:00Z\na,,2026-01-01T00:00:00Z\na,x,\na,x,soon\na,x,2026-01-01\na,x,2026-01-01T00:00:00Z\na,x,9999-12-31T23:59:59-01:00\n");
    CHECK(rejected(h) == "events 0 no contact_id; events 1 no event name; events 2 no timestamp; events 3 unreadable timestamp: soon; events 4 timestamp without a zone: 2026-01-01; events 6 instant out of range: 9999-12-31T23:59:59-01:00");
    CHECK(h.events_count() == 1);
}

TEST_CASE("what a history writes, it reads again") {
    const folder f;
    history_builder b;
    b.contact("a", {{"plan", std::string{"gold"}}, {"n", std::int64_t{1}}}).contact("b", {{"plan", std::string{"fr,ee"}}});
    b.event("a", "x", at("2026-01-01T00:00:00.000001Z"), {{"v", 0.1}}).event("b", "y", at("2026-01-02T00:00:00Z"), {{"w", true}});
    b.spend(at("2026-01-03T00:00:00Z"), 2.5, {{"channel", std::string{"ads"}}});
    const history h = std::move(b).finish();
    const history again = history::from_csv(f.write("c.csv", csv(h.contacts())), f.write("e.csv", csv(h.events())), {}, f.write("s.csv", csv(h.spend())));
    CHECK(again.contacts() == h.contacts());
    CHECK(again.events() == h.events());
    CHECK(again.spend() == h.spend());
    CHECK(again.schema() == h.schema());
    CHECK(again.rejected().rows() == 0);
}

TEST_CASE("accounts: a table, or a change log") {
    const folder f;
    const history h = history::from_csv(f.write("c.csv", "contact_id,account_id\na,7\nb,\n"), {}, f.write("a.csv", "account_id,timestamp,size,cleared\n7,2026-01-01T00:00:00Z,50,\n7,2026-01-02T00:00:00Z,,size\n,2026-01-02T00:00:00Z,1,\n"));
    CHECK(to_text(h.accounts(at("2026-01-01T00:00:00Z")).column("size").at(0)) == "50");
    CHECK(h.accounts().column("size").at(0) == scalar{});
    CHECK(h.data().accounts.find("7") == 0U);
    CHECK(rejected(h) == "accounts 2 no account_id");
    CHECK(csv(h.contacts()) == "contact_id,account_id\na,7\nb,\n");
}
