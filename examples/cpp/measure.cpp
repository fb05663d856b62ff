// A measure of one's own: the average basket. It folds, merges and has a value; nothing else is asked of it.
// Run it from the root of the repository.
#include <iostream>

#include <journeyman/journeyman.hpp>

namespace jm = journeyman;

namespace {

struct basket {
    double sum = 0;
    int purchases = 0;
    void update(const jm::event_view& purchase)
    {
        sum += purchase.number("amount").value_or(0);
        ++purchases;
    }
    void merge(const basket& other)
    {
        sum += other.sum;
        purchases += other.purchases;
    }
    std::optional<double> value() const { return purchases == 0 ? std::nullopt : std::optional{sum / purchases}; }   // of nothing, nothing
};
static_assert(jm::measure<basket>);

}  // namespace

int main()
try {
    jm::read_options options;
    options.timezone = jm::load_zone("Europe/Rome");
    const jm::history history = jm::history::from_csv("examples/cpp/contacts.csv", "examples/cpp/events.csv", {}, {}, options);

    const auto bought = jm::event("purchase");
    std::cout << history.fold<basket>(bought) << '\n'
              << history.fold<basket>(bought, {.by = {"contact.occupation"}}) << '\n'
              << history.fold<basket>(bought.where(jm::prop("amount") > 1000)) << '\n';
} catch (const jm::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
