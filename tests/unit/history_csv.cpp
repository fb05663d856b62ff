#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "journeyman/journeyman.hpp"

namespace jm = journeyman;
using namespace std::chrono_literals;

TEST_CASE("CSV files: typed columns, an empty cell is missing, what cannot be used is listed")
{
    const auto folder = std::filesystem::temp_directory_path() / "journeyman_history_csv";
    std::filesystem::create_directories(folder);
    const auto write = [&](const char* name, const char* text) { std::ofstream{folder / name} << text; return folder / name; };
    const auto contacts = write("contacts.csv", "contact_id,plan,age\nanna,gold,30\nbea,,41\n");
    const auto events = write("events.csv", "contact_id,event,timestamp,amount\nanna,purchase,2026-01-02T00:00:00Z,10.5\nbea,purchase,2026-01-03T00:00:00,1\ncarla,login,2026-01-04T00:00:00Z,\n");
    const auto h = jm::history::from_csv(contacts, events);
    CHECK(h.contacts_count() == 3);
    CHECK(h.events_count() == 2);
    REQUIRE(h.rejected().rows() == 1);
    CHECK(h.rejected().column("reason").text(0) == "timestamp without a zone");
    const jm::instant at = std::chrono::sys_days{2026y / 2 / 1};
    CHECK(h.select(jm::expression::parse("age > 35 and missing(plan)"), at).ids() == std::vector<std::string>{"bea"});
    CHECK(h.select(jm::expression::parse("sum(purchase.amount) == 10.5"), at).ids() == std::vector<std::string>{"anna"});
    std::filesystem::remove_all(folder);
}
