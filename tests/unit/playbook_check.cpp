// Every problem of a playbook at once, each once, at its place.
#include "journeyman/playbook/playbook.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "journeyman/history/builder.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

jm::history known()
{
    jm::history_builder build;
    build.contact("anna", t0, {{"city", "Roma"}, {"points", 3}});
    build.event("anna", "purchase", t0 + 1_h, {{"amount", 5.0}});
    return std::move(build).finish();
}

bool has(const jm::problems& all, std::string_view code, std::string_view place)
{
    return std::count_if(all.begin(), all.end(), [&](const jm::problem& p) { return p.code == code && p.place == place; }) == 1;
}

}  // namespace

TEST_CASE("a playbook built in code is checked by paths")
{
    const auto p = jm::playbook("Europe/Rome").add(jm::segment{"a", jm::call(jm::function::segment, {"b"})}, jm::segment{"b", jm::attr("city") == "Roma"});
    CHECK(p.check().empty());
    CHECK(p.check(known()).empty());

    auto q = p.add(jm::segment{"c", jm::attr("town") == "Roma"}, jm::segment{"d", jm::call(jm::function::segment, {"c"})}, jm::segment{"a", {}}, jm::segment{"e", jm::call(jm::function::segment, {"nobody"}), "", {}, {}, "funnel"});
    auto found = q.check();   // without a history, names of attributes are taken as they come
    CAPTURE(found);
    CHECK(has(found, "playbook.name", "segments.a"));
    CHECK(has(found, "playbook.missing", "segments.a"));
    CHECK(has(found, "segment.unknown", "segments.e.where"));
    CHECK(has(found, "name.unknown", "segments.e.funnel"));
    CHECK(found.size() == 4);
    found = q.check(known());
    CHECK(has(found, "name.unknown", "segments.c.where"));   // said at c, and not again at d
    CHECK(found.size() == 5);

    q = p;
    q.timezone = "Europe/Roma";
    CHECK(has(q.check(), "time.zone", "timezone"));
    CHECK_THROWS_AS((void)q.context(), jm::error);
}

TEST_CASE("a playbook from a file is checked at its places")
{
    const auto p = jm::playbook::parse(R"(timezone: UTC
segments:
  a: segment("b")
  b: {where: segment("a") and x}
  c: segment("zz") or y > 3
  d: segment("c")
  e: {where: now, collect: {g: [did(z), townn]}}
funnels: {digital: {stages: [{name: x, when: did(y)}, {name: y, when: points}]}}
workflows:
  w:
    trigger: hand
    audience: segment("c")
    steps: {s: {send: email, next: t}}
kpis: {k: {value: new(a) / new(b), scope: aa, every: month, direction: up, improve: [{action: x, workflow: ww}]}}
)", "p.yaml");
    const auto found = p.check();
    CAPTURE(found);
    CHECK(has(found, "segment.circle", "p.yaml:3:6"));
    CHECK(has(found, "segment.unknown", "p.yaml:5:6"));
    CHECK(has(found, "type.not_a_predicate", "p.yaml:7:14"));
    CHECK(has(found, "name.unknown", "p.yaml:13:36"));
    CHECK(has(found, "segment.unknown", "p.yaml:14:43"));
    CHECK(has(found, "name.unknown", "p.yaml:14:108"));
    const auto with_history = p.check(known());
    CHECK(has(with_history, "name.unknown", "p.yaml:7:41"));
    CHECK(has(with_history, "type.not_a_predicate", "p.yaml:8:71"));
    CHECK(with_history.errors() > found.errors());
    for (const auto& x : with_history) CHECK(x.place.starts_with("p.yaml:"));
}

TEST_CASE("a history's names, those declared and those that workflows make are known")
{
    const auto p = jm::playbook::parse(R"(timezone: UTC
types: {contact.renewal: day}
segments:
  a: renewal > "2026-01-01"
  b: stage == "new" and level > 2
  c: did(qualified where score > 3)
workflows:
  w:
    trigger: {event: purchase}
    steps:
      s: {set: {stage: new, level: {expr: points + 1}}, next: e}
      e: {emit: qualified, properties: {score: {expr: points * 10}}}
)");
    for (const auto& x : p.check(known())) CHECK_MESSAGE(x.severity == jm::severity::note, x.message);
    const auto wrong = jm::playbook::parse("timezone: UTC\ntypes: {contact.city: integer}\n", "p.yaml").check(known());
    CHECK(has(wrong, "type.declared", "p.yaml:2:23"));
}

TEST_CASE("the founding playbooks have no problem of their own")
{
    for (const auto* name : {"webinar", "trial"}) {
        const auto found = jm::playbook::load(std::string{JOURNEYMAN_SOURCE_DIR} + "/examples/skilltime/" + name + ".yaml").check();
        CAPTURE(found);
        CHECK(found.errors() == 0);
    }
}
