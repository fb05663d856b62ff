// The text of a predicate: whatever it is, an error or a tree whose forms read back to it, and which a history answers or refuses.

#include "fuzz/fuzz.hpp"
#include "journeyman/history/builder.hpp"
#include "journeyman/predicate/select.hpp"

namespace jm = journeyman;

namespace {

const jm::history& small_history()
{
    static const jm::history h = [] {
        jm::history_builder b;
        const jm::instant t{jm::microseconds{1'767'225'600'000'000}};
        b.contact("anna", {{"city", std::string{"Roma"}}, {"age", std::int64_t{40}}, {"renewal", jm::day{std::chrono::days{20'000}}}});
        b.contact("bea", t, {{"tags", std::vector<std::string>{"a", "b"}}, {"vip", true}, {"points", 1.5}});
        b.event("anna", "purchase", t, {{"amount", 50.0}, {"cart_id", std::string{"x"}}});
        b.event("anna", "login", t + jm::microseconds{1});
        b.event("bea", "purchase", t, {{"amount", 5.5}});
        return std::move(b).finish();
    }();
    return h;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    for (const auto names : {jm::bare_names::attribute, jm::bare_names::property}) {
        jm::expression e;
        try {
            e = jm::expression::parse(fuzz::text(data, size), names);
        } catch (const jm::error&) {
            continue;
        }
        fuzz::insist(jm::expression::parse(e.to_text()).equals(e), "the text reads back to the tree");
        fuzz::insist(jm::expression::from_json(e.to_json()).equals(e), "the JSON reads back to the tree");
        try {
            const jm::instant t{jm::microseconds{1'769'904'000'000'000}};
            static_cast<void>(small_history().select(e, t).ids());
        } catch (const jm::error&) {
        }
    }
    try {
        const auto s = jm::selector::parse(fuzz::text(data, size));
        fuzz::insist(jm::selector::parse(s.to_text()).equals(s), "the text reads back to the selector");
        fuzz::insist(jm::selector::from_json(s.to_json()).equals(s), "the JSON reads back to the selector");
    } catch (const jm::error&) {
    }
    return 0;
}
