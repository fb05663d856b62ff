// Sizes of segments, stages of their funnels, data to collect.
#include "journeyman/playbook/playbook.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <sstream>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

jm::history four()
{
    jm::history_builder build;
    build.contact("anna", t0, {{"city", "Roma"}, {"points", 0}});
    build.contact("bruno", t0, {{"city", "Roma"}});
    build.contact("carla", t0, {{"city", "Milano"}, {"points", 4}});
    build.contact("dario", t0, {{"points", 1}});
    build.contact("late", t0 + 10_d, {{"city", "Roma"}});
    for (const auto* who : {"anna", "bruno", "carla"}) build.event(who, "form", t0 + 1_h, {{"channel", "ads"}});
    build.event("anna", "purchase", t0 + 2_h, {{"amount", 5.0}});
    build.event("dario", "purchase", t0 + 2_h, {{"amount", 0.0}});
    return std::move(build).finish();
}

std::string csv(const jm::table& t)
{
    std::ostringstream out;
    t.write_csv(out);
    std::string s = out.str();
    std::erase(s, '\r');
    return s;
}

const char* written = R"(
timezone: UTC
segments:
  roman: {where: city == "Roma", title: Romans, funnel: f, collect: {who: [city, points], did: [did(purchase), count(form)]}}
  all: {where: "true", funnel: f, collect: {money: [sum(purchase.amount), last_time(form)]}}
  nobody: {where: city == "Napoli", collect: {who: [city]}}
funnels:
  f: {stages: [{name: seen, when: "true"}, {name: lead, when: did(form)}, {name: customer, when: did(purchase)}]}
)";

}  // namespace

TEST_CASE("sizes: members, unknown, and the share of those that exist")
{
    const auto p = jm::playbook::parse(written);
    CHECK(csv(p.sizes(four(), t0 + 1_d)) == "segment,title,members,unknown,share\nroman,Romans,2,1,0.5\nall,,4,0,1\nnobody,,0,1,0\n");
    CHECK(csv(p.sizes(four(), t0 - 1_d)) == "segment,title,members,unknown,share\nroman,Romans,0,0,\nall,,0,0,\nnobody,,0,0,\n");
}

TEST_CASE("stages: the last that is yes, and those before it are reached")
{
    const auto p = jm::playbook::parse(written);
    // dario bought without a form: he stands at the last stage, and has reached all.
    CHECK(csv(p.stages(four(), t0 + 1_d)) == "segment,funnel,stage,standing,reached\nroman,f,seen,0,2\nroman,f,lead,1,2\nroman,f,customer,1,1\nall,f,seen,0,4\nall,f,lead,2,4\nall,f,customer,2,2\n");
}

TEST_CASE("coverage: an attribute exists, an aggregate is neither missing, 0 nor no")
{
    const auto p = jm::playbook::parse(written);
    const auto c = p.coverage(four(), t0 + 1_d);
    CHECK(csv(c.fields) ==
          "segment,group,expression,members,present,share\nroman,who,city,2,2,1\nroman,who,points,2,1,0.5\nroman,did,did(purchase),2,1,0.5\nroman,did,count(form),2,2,1\n"
          "all,money,sum(purchase.amount),4,1,0.25\nall,money,last_time(form),4,3,0.75\nnobody,who,city,0,0,\n");
    CHECK(csv(c.lacking) ==
          "segment,expression,contact_id\nroman,points,bruno\nroman,did(purchase),bruno\nall,sum(purchase.amount),bruno\nall,sum(purchase.amount),carla\nall,sum(purchase.amount),dario\nall,last_time(form),dario\n");
}

TEST_CASE("what cannot be asked is an error at its place")
{
    const auto p = jm::playbook::parse("timezone: UTC\nsegments: {a: {where: town == 1, collect: {x: [y]}, funnel: g}}\n", "p.yaml");
    for (const auto& ask : {std::function<void()>{[&] { (void)p.sizes(four(), t0); }}, {[&] { (void)p.coverage(four(), t0); }}}) {
        try {
            ask();
            FAIL("it was answered");
        } catch (const jm::error& e) {
            CHECK(e.code() == "name.unknown");
            CHECK(e.place() == "p.yaml:2:23");
        }
    }
    CHECK_THROWS_AS((void)p.stages(four(), t0), jm::error);
}
