// Samples: stable, nested, with attributes as of the instant.
#include "segment_support.hpp"

#include <set>

using namespace segment_test;

namespace {

std::set<std::string> ids(const jm::table& t) {
    std::set<std::string> out;
    for (std::size_t r = 0; r < t.rows(); ++r) out.emplace(t[0].text(r));
    return out;
}

}  // namespace

TEST_CASE("a sample: rows of contacts, as many as asked or as there are")
{
    const auto h = six();
    const auto all = h.select(jm::expression{true}, t0 + 96_h);
    CHECK(csv(sample(h, all, 9, 1, t0 + 96_h)) == csv(h.contacts(t0 + 96_h)));
    CHECK(csv(sample(h, h.select(jm::attr("city") == "Torino", t0 + 96_h), 1, 0, t0 + 96_h)) == "contact_id,city,likes,points\nann,Torino,\"tea, tea, art\",4\n");
    CHECK(sample(h, all, 0, 1, t0 + 96_h).rows() == 0);
}

TEST_CASE("a sample is the same for ever: nested in size, others for another seed, undisturbed by who leaves")
{
    jm::history_builder build;
    for (int k = 0; k < 1000; ++k) build.contact("c" + std::to_string(k), {{"n", k}});
    const auto h = std::move(build).finish();
    const auto all = h.select(jm::expression{true}, t0), half = h.select(jm::attr("n") < 500, t0);
    const auto ten = ids(sample(h, all, 10, 7, t0)), hundred = ids(sample(h, all, 100, 7, t0)), of_half = ids(sample(h, half, 100, 7, t0));
    CHECK(ten == std::set<std::string>{"c110", "c216", "c222", "c251", "c320", "c350", "c495", "c552", "c729", "c785"});   // written down: a change of the hash must not pass unseen
    CHECK(std::includes(hundred.begin(), hundred.end(), ten.begin(), ten.end()));
    CHECK(ids(sample(h, all, 10, 8, t0)) != ten);
    for (const auto& id : hundred)
        if (std::stoi(id.substr(1)) < 500) CHECK(of_half.contains(id));
    // Not more of one half than chance would have it (mean 50, five standard deviations are 25).
    const auto low = std::count_if(hundred.begin(), hundred.end(), [](const auto& id) { return std::stoi(id.substr(1)) < 500; });
    CHECK(low > 25);
    CHECK(low < 75);
}
