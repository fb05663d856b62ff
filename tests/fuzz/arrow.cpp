// Tables by the Arrow interface: sound arrays of any type, layout, offset and batching, with any values in them. An error, or a history.

#include <array>
#include <limits>

#include "fuzz/fuzz.hpp"
#include "journeyman/history/history.hpp"
#include "unit/history_arrow.hpp"

namespace jm = journeyman;

namespace {

using fuzz::choices;

constexpr const char* names[] = {"contact_id", "event", "timestamp", "event_id", "sequence", "arrived_at", "cleared", "created_at",
                                 "account_id", "amount", "channel", "plan", "a.b", "timezone", "", "\xff"};
constexpr const char* layouts[] = {"c", "C", "s", "S", "i", "I", "l", "L", "f", "g", "e", "b", "u", "U", "vu", "z", "tdD", "tdm", "tss:UTC", "tsm:", "tsu:UTC",
                                   "tsn:Europe/Rome", "tsu:Nowhere/There", "tDu", "tts", "ttu", "n", "+l", "+L", "dictionary of u", "dictionary of vu", "dictionary of l", "tDn", "tsu:+02:00"};

std::string word(choices& c)
{
    static constexpr const char* words[] = {"a", "b", "purchase", "", "2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31 00:00:00", "12", "1.5", "true", "x,y", "Europe/Rome", "\xff\xfe", "$enter", "a longer text than twelve bytes"};
    return words[c.below(std::size(words))];
}

template <class T> std::vector<std::optional<T>> cells(choices& c, std::size_t rows)
{
    std::vector<std::optional<T>> out(rows);
    for (auto& cell : out) {
        switch (c.below(8)) {
        case 0: break;
        case 1: cell = std::numeric_limits<T>::max(); break;
        case 2: cell = std::numeric_limits<T>::lowest(); break;
        case 3: cell = std::numeric_limits<T>::quiet_NaN(); break;   // zero for integers
        case 4: cell = static_cast<T>(static_cast<std::int64_t>(c.word() >> 1)); break;
        default: cell = static_cast<T>(c.below(4)); break;
        }
    }
    return out;
}

arrow_test::texts text_cells(choices& c, std::size_t rows)
{
    arrow_test::texts out(rows);
    for (auto& cell : out) {
        if (c.below(6) != 0) {
            cell = word(c);
        }
    }
    return out;
}

arrow_test::array column(choices& c, std::string name, std::string layout, std::size_t rows)
{
    const std::size_t offset = c.below(4) == 0 ? static_cast<std::size_t>(c.below(10)) : 0;
    switch (layout[0]) {
    case 'c': return arrow_test::fixed<std::int8_t>(name, layout, cells<std::int8_t>(c, rows), offset);
    case 'C': return arrow_test::fixed<std::uint8_t>(name, layout, cells<std::uint8_t>(c, rows), offset);
    case 's': return arrow_test::fixed<std::int16_t>(name, layout, cells<std::int16_t>(c, rows), offset);
    case 'S': return arrow_test::fixed<std::uint16_t>(name, layout, cells<std::uint16_t>(c, rows), offset);
    case 'i': return arrow_test::fixed<std::int32_t>(name, layout, cells<std::int32_t>(c, rows), offset);
    case 'I': return arrow_test::fixed<std::uint32_t>(name, layout, cells<std::uint32_t>(c, rows), offset);
    case 'L': return arrow_test::fixed<std::uint64_t>(name, layout, cells<std::uint64_t>(c, rows), offset);
    case 'f': return arrow_test::fixed<float>(name, layout, cells<float>(c, rows), offset);
    case 'g': return arrow_test::fixed<double>(name, layout, cells<double>(c, rows), offset);
    case 'e': return arrow_test::fixed<std::uint16_t>(name, layout, cells<std::uint16_t>(c, rows), offset);
    case 'b': {
        std::vector<std::optional<bool>> bits(rows);
        for (auto& b : bits) {
            if (c.below(5) != 0) {
                b = c.yes();
            }
        }
        return arrow_test::booleans(name, bits, offset);
    }
    case 'u': case 'U': case 'v': case 'z': return arrow_test::text(name, text_cells(c, rows), layout, offset);
    case 'n': {
        auto a = arrow_test::array{};
        a.name = name;
        a.format = layout;
        a.length = rows;
        a.nulls = static_cast<std::int64_t>(rows);
        return a;
    }
    case '+': {
        std::vector<std::vector<std::string>> lists(rows);
        for (auto& l : lists) {
            for (int k = c.below(3); k > 0; --k) {
                l.push_back(word(c));
            }
        }
        return arrow_test::lists(name, lists, layout);
    }
    case 'd': {
        const auto size = static_cast<std::size_t>(1 + c.below(4));
        const auto of = layout.substr(std::string_view{"dictionary of "}.size());
        auto values = of == "l" ? arrow_test::fixed<std::int64_t>("", of, cells<std::int64_t>(c, size)) : arrow_test::text("", text_cells(c, size), of);
        std::vector<std::optional<std::int8_t>> codes(rows);
        for (auto& code : codes) {
            if (c.below(6) != 0) {
                code = static_cast<std::int8_t>(c.below(static_cast<int>(size)));
            }
        }
        return arrow_test::coded<std::int8_t>(name, codes, std::move(values), "c", offset);
    }
    default: break;
    }
    const bool narrow = layout == "tdD" || layout == "tts";
    return narrow ? arrow_test::fixed<std::int32_t>(name, layout, cells<std::int32_t>(c, rows), offset)
                  : arrow_test::fixed<std::int64_t>(name, layout, cells<std::int64_t>(c, rows), offset);
}

/// A table that is mostly what it should be: all batches have the same columns.
std::vector<std::vector<arrow_test::array>> table(choices& c, std::initializer_list<const char*> wanted)
{
    std::vector<std::pair<std::string, std::string>> columns;
    for (const auto* name : wanted) {
        if (c.below(12) == 0) {
            continue;
        }
        static constexpr const char* usual[] = {"u", "vu", "l", "dictionary of u"};
        const std::string layout = c.below(6) == 0 ? layouts[c.below(std::size(layouts))]
            : std::string_view{name} == "timestamp"  ? "tsu:UTC" : usual[c.below(std::size(usual))];
        columns.emplace_back(name, layout);
    }
    for (int k = c.below(4); k > 0; --k) {
        columns.emplace_back(names[c.below(std::size(names))], layouts[c.below(std::size(layouts))]);
    }
    std::vector<std::vector<arrow_test::array>> batches(static_cast<std::size_t>(1 + c.below(3)));
    for (auto& batch : batches) {
        const auto rows = static_cast<std::size_t>(c.below(12));
        for (const auto& [name, layout] : columns) {
            batch.push_back(column(c, name, layout, rows));
        }
    }
    return batches;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    choices c{data, size};
    jm::read_options options;
    if (c.yes()) {
        options.timezone = jm::load_zone("Europe/Rome");
    }
    if (c.below(4) == 0) {
        options.types = {{"contact.plan", "text"}, {"purchase.amount", "money"}, {"contact.channel", "day"}};
    }
    {
        arrow_test::stream contacts{table(c, {"contact_id", "plan"})}, events{table(c, {"contact_id", "event", "timestamp", "amount"})};
        const bool with_spend = c.yes();
        arrow_test::stream spend{table(c, {"timestamp", "amount", "channel"})};
        try {
            const auto h = jm::history::from_arrow(c.yes() ? contacts.get() : nullptr, events.get(), nullptr, with_spend ? spend.get() : nullptr, options);
            static_cast<void>(h.contacts());
            static_cast<void>(h.events());
            static_cast<void>(h.spend());
            static_cast<void>(h.rejected());
        } catch (const jm::error&) {
        }
    }
    fuzz::insist(arrow_test::alive == 0, "every array, schema and stream is released");
    return 0;
}
