// Overlaps: pairs, who is in no other, the matrix.
#include "segment_support.hpp"

using namespace segment_test;

TEST_CASE("overlap: counts of each pair, shares of nobody are missing")
{
    const auto o = overlap(six(), {{"buyers", jm::event("purchase").did()}, {"lovers", jm::binary(jm::node_kind::contains, jm::attr("likes"), "tea")}, {"none", jm::expression{false}}, {"pointed", jm::attr("points") >= 2}}, t0 + 96_h);
    // buyers: ann ben cat; lovers: ann cat; pointed: ann ben eve
    CHECK(csv(o.pairs) ==
          "segment_a,segment_b,both,only_a,only_b,jaccard,share_of_a,share_of_b\n"
          "buyers,lovers,2,1,0,0.6666666666666666,0.6666666666666666,1\n"
          "buyers,none,0,3,0,0,0,\n"
          "buyers,pointed,2,1,1,0.5,0.6666666666666666,0.6666666666666666\n"
          "lovers,none,0,2,0,0,0,\n"
          "lovers,pointed,1,1,2,0.25,0.5,0.3333333333333333\n"
          "none,pointed,0,0,3,0,,0\n");
    CHECK(csv(o.exclusive) == "segment,members,exclusive,share\nbuyers,3,0,0\nlovers,2,0,0\nnone,0,0,\npointed,3,1,0.3333333333333333\n");
    CHECK(csv(o.matrix) == "segment,buyers,lovers,none,pointed\nbuyers,3,2,0,2\nlovers,2,2,0,1\nnone,0,0,0,0\npointed,2,1,0,3\n");
    CHECK(code_of([] { overlap(six(), {{"x", jm::attr("city")}}, t0); }) == "type.not_a_predicate segments.x");
}

TEST_CASE("overlap of a playbook: all its segments, errors at their place in the file")
{
    const auto p = jm::playbook::parse("segments:\n  buyers: did(purchase)\n  rich: segment(\"buyers\") and points > 3\n");
    CHECK(csv(p.overlap(six(), t0 + 96_h).pairs) == "segment_a,segment_b,both,only_a,only_b,jaccard,share_of_a,share_of_b\nbuyers,rich,1,2,0,0.3333333333333333,0.3333333333333333,1\n");
    CHECK(csv(p.overlap(six(), t0 + 96_h).exclusive) == "segment,members,exclusive,share\nbuyers,3,2,0.6666666666666666\nrich,1,0,0\n");
    const auto bad = jm::playbook::parse("segments:\n  x: town == \"Roma\"\n");
    CHECK(code_of([&] { static_cast<void>(bad.overlap(six(), t0)); }).starts_with("name.unknown playbook:2:"));
}
