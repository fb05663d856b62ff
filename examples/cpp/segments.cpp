// Segments over CSV files: who is in at an instant, for whom it cannot be said, and since when.
// Run it from the root of the repository.
#include <chrono>
#include <iostream>

#include <journeyman/journeyman.hpp>

namespace jm = journeyman;
using namespace jm::literals;
using namespace std::chrono_literals;

namespace {

void print(const char* what, const std::vector<std::string>& ids)
{
    std::cout << what;
    for (const auto& id : ids) std::cout << ' ' << id;
    std::cout << '\n';
}

}  // namespace

int main()
try {
    // Instants in these files have no zone: the reader is told theirs.
    jm::compile_context rome;
    rome.zone = jm::load_zone("Europe/Rome");
    jm::read_options options;
    options.timezone = rome.zone;
    const jm::history history = jm::history::from_csv("examples/cpp/contacts.csv", "examples/cpp/events.csv", {}, {}, options);
    std::cout << history.contacts_count() << " contacts, " << history.events_count() << " events\n" << history.rejected() << '\n';

    const jm::instant spring = std::chrono::sys_days{2026y / 3 / 31} + 20h;
    const auto purchases = jm::event("purchase");
    rome.segments.emplace("customers", purchases.did());

    // Built by operators, or written: the same question.
    const jm::predicate regular = jm::attr("occupation") == "freelance" && purchases.where(jm::prop("amount") >= 50).last(60_d).count() >= 2;
    const auto written = jm::predicate::parse(R"(occupation == "freelance" and count(purchase where amount >= 50, last 60d) >= 2)");
    std::cout << regular << (regular.equals(written) ? "  (the same, written)\n" : "  (not the same!)\n");
    const jm::selection in = jm::select(history, regular, spring, rome);
    print("  in:     ", in.ids());
    print("  unknown:", in.unknown_ids());

    const auto promising = jm::predicate::parse(R"(not segment("customers") and did(page_viewed where page == "/pricing", this quarter))");
    print("promising:", jm::select(history, promising, spring - 1us, rome).ids());

    // A contact leaves "bought in the last 30 days" at the very microsecond.
    std::cout << '\n' << jm::membership(history, purchases.last(30_d).did(), std::chrono::sys_days{2026y / 1 / 1}, spring, rome);
} catch (const jm::error& e) {
    std::cerr << e.what() << '\n';   // code, place and remedy
    return 1;
}
