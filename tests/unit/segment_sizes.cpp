// Sizes by what is known of the contacts: a total and its cells.
#include "segment_support.hpp"

using namespace segment_test;

TEST_CASE("sizes of a selection: the total, then every cell that has a contact")
{
    const auto h = six();
    const auto at = t0 + 96_h;
    const auto pointed = h.select(jm::attr("points") >= 4, at);
    CHECK(csv(sizes(h, pointed, at, {{"city", jm::attr("city")}})) ==
          "city,contacts,members,unknown,share,share_of_members\n"
          ",5,2,1,0.4,1\n"
          "(missing),1,0,0,0,0\n"
          "Milano,1,0,1,0,0\n"
          "Napoli,1,1,0,1,0.5\n"
          "Roma,1,0,0,0,0\n"
          "Torino,1,1,0,1,0.5\n");
    CHECK(csv(sizes(h, pointed, at, {{"bought", jm::event("purchase").did()}, {"orders", jm::event("purchase").count()}})) ==
          "bought,orders,contacts,members,unknown,share,share_of_members\n"
          ",,5,2,1,0.4,1\n"
          "false,0,2,1,0,0.5,0.5\n"
          "true,1,2,0,1,0,0\n"
          "true,2,1,1,0,1,0.5\n");
    CHECK(csv(sizes(h, pointed, at, {})) == "contacts,members,unknown,share,share_of_members\n5,2,1,0.4,1\n");
    CHECK(csv(sizes(h, h.select(jm::expression{true}, t0 - 1_d), t0 - 1_d, {{"city", jm::attr("city")}})) == "city,contacts,members,unknown,share,share_of_members\n,0,0,0,,\n");
}

TEST_CASE("sizes: errors")
{
    const auto h = six();
    const auto all = h.select(jm::expression{true}, t0);
    CHECK(code_of([&] { sizes(h, all, t0, {{"city", jm::attr("city")}, {"city", jm::attr("points")}}); }) == "sizes.by by.city");
    CHECK(code_of([&] { sizes(h, all, t0, {{"members", jm::attr("city")}}); }) == "sizes.by by.members");
    CHECK(code_of([&] { sizes(h, all, t0, {{"x", jm::attr("town")}}); }) == "name.unknown by.x");
}

TEST_CASE("sizes of a playbook's segments: each with its total and its cells")
{
    const auto p = jm::playbook::parse("segments:\n  buyers: {where: did(purchase), title: Buyers}\n  rich: points > 3\n");
    CHECK(csv(p.sizes(six(), t0 + 96_h, {{"has likes", jm::exists(jm::attr("likes"))}})) ==
          "segment,title,has likes,contacts,members,unknown,share,share_of_members\n"
          "buyers,Buyers,,5,3,0,0.6,1\n"
          "buyers,Buyers,false,3,1,0,0.3333333333333333,0.3333333333333333\n"
          "buyers,Buyers,true,2,2,0,1,0.6666666666666666\n"
          "rich,,,5,2,1,0.4,1\n"
          "rich,,false,3,1,0,0.3333333333333333,0.5\n"
          "rich,,true,2,1,1,0.5,0.5\n");
}
