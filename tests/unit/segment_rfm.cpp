// RFM scores: quantiles with ties, and who has a row.
#include "segment_support.hpp"

using namespace segment_test;

TEST_CASE("rfm: one row for each who bought, the latest and the most are best")
{
    CHECK(csv(rfm(six(), jm::event("purchase"), "amount", t0 + 120_h)) ==
          "contact_id,recency,frequency,monetary,r,f,m,score\n"
          "ann,1d,2,15,3,5,4,354\n"
          "ben,1d,1,20,3,2,5,325\n"
          "cat,3d,1,7,1,2,2,122\n"
          "eve,0s,1,1.5,5,2,1,521\n");
    // Until the second day, and the selector's own property; the window counts back from the instant, its start out.
    CHECK(csv(rfm(six(), jm::event("purchase").property("amount"), "", t0 + 48_h)) == "contact_id,recency,frequency,monetary,r,f,m,score\nann,1d,1,10,2,3,4,234\ncat,0s,1,7,4,3,2,432\n");
    CHECK(csv(rfm(six(), jm::event("purchase").last(1_d), "amount", t0 + 48_h)) == "contact_id,recency,frequency,monetary,r,f,m,score\ncat,0s,1,7,3,3,3,333\n");
    CHECK(rfm(six(), jm::event("purchase"), "amount", t0).rows() == 0);
}

TEST_CASE("rfm: without ties each score has its fifth")
{
    jm::history_builder build;
    for (int k = 0; k < 20; ++k) build.event("c" + std::to_string(100 + k), "purchase", t0 + k * 1_h, {{"amount", k}});
    const auto t = rfm(std::move(build).finish(), jm::event("purchase"), "amount", t0 + 30_h);
    for (std::size_t k = 0; k < 20; ++k) {
        CHECK(t.column("r").integers()[k] == 1 + static_cast<std::int64_t>(k) / 4);
        CHECK(t.column("m").integers()[k] == 1 + static_cast<std::int64_t>(k) / 4);
        CHECK(t.column("f").integers()[k] == 3);
    }
    CHECK(t.column("monetary").type() == jm::value_type::integer);
}

TEST_CASE("rfm: errors")
{
    CHECK(code_of([] { rfm(six(), jm::event("purchase"), "amount", t0, 1); }) == "rfm.scores scores");
    CHECK(code_of([] { rfm(six(), jm::event("purchase"), "amount", t0, 10); }) == "rfm.scores scores");
    CHECK(code_of([] { rfm(six(), jm::event("purchase"), "", t0); }) == "predicate.shape ");
    CHECK(code_of([] { rfm(six(), jm::event("purchase").where(jm::prop("amount") == "x"), "amount", t0); }) == "type.mismatch event");
}
