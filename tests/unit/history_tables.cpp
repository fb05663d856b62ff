#include "journeyman/history/tables.hpp"

#include "history_arrow.hpp"
#include "history_support.hpp"
#include "journeyman/core/error.hpp"

using namespace journeyman;
namespace a = arrow_test;
using history_test::csv;
using history_test::us;

namespace {

a::stream logins() { return a::stream{{a::text("contact_id", {"007"}), a::text("event", {"login"}), a::instants({us("2026-01-01T00:00:00Z")})}}; }

}  // namespace

TEST_CASE("CSV beside an Arrow stream is read as beside CSV") {
    read_options options;
    options.formats["born"] = "%Y%m%d";
    auto s = logins();
    const history h = history_from_tables({.text = "contact_id,born,zip\n007,19700131,00144\n"}, {.stream = s.get()}, {}, {}, options);
    CHECK(csv(h.contacts()) == "contact_id,born,zip\n007,1970-01-31,00144\n");
    CHECK(h.events_count() == 1);
}

TEST_CASE("a text is called by the name given, and streams are released when another table is unreadable") {
    const int before = a::alive;
    {
        auto s = logins();
        try {
            history_from_tables({.csv = "people.csv.gz", .text = "contact_id\n\"open"}, {.stream = s.get()});
            FAIL("no error");
        } catch (const error& e) {
            CHECK(e.code() == "input.csv");
            CHECK(e.place().starts_with("people.csv.gz:"));
        }
    }
    CHECK(a::alive == before);
}
