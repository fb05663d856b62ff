// A CSV file of any of the four tables: an error, or a history whose tables can be asked for.

#include "fuzz/fuzz.hpp"
#include "history/source_csv.hpp"

namespace jm = journeyman;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    using kind = jm::detail::raw_table::kind;
    constexpr kind kinds[] = {kind::contacts, kind::accounts, kind::events, kind::spend};
    constexpr const char* labels[] = {"contacts", "accounts", "events", "spend"};
    const auto which = data[0] % 4U;
    jm::read_options options;
    if ((data[0] & 4U) != 0) {
        options.timezone = jm::load_zone("Europe/Rome");
        options.formats = {{"when", "%d/%m/%Y %H:%M"}};
        options.types = {{"contact.code", "text"}, {"contact.price", "money"}, {"contact.tags", "list"}, {"purchase.amount", "integer"}};
    }
    try {
        std::vector<jm::detail::raw_table> tables;
        tables.push_back(jm::detail::read_csv_text(fuzz::text(data, size).substr(1), "file.csv", kinds[which], labels[which]));
        jm::detail::assign_columns(tables.back(), options);
        const auto h = jm::detail::ingest(std::move(tables), options);
        static_cast<void>(h.contacts());
        static_cast<void>(h.accounts());
        static_cast<void>(h.events());
        static_cast<void>(h.spend());
        static_cast<void>(h.rejected());
    } catch (const jm::error&) {
    }
    return 0;
}
