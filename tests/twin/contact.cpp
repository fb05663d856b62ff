// The embedder's loop against replay: contact by contact, input by input in order of arrival, the state saved and loaded now and then.
#include <doctest/doctest.h>

#include <sstream>

#include "journeyman/workflow/contact.hpp"
#include "twin/workflows.hpp"
#include "unit/run_support.hpp"

namespace {

using namespace workflows;

jm::policies any_policies(dice& d) {
    jm::policies p;
    if (d.one_in(2)) p.caps.push_back({d.one_in(2) ? "email" : "", 1 + d.below(3), d.one_in(2) ? std::variant<jm::length, jm::calendar_unit>{jm::length{std::chrono::hours{24 * (1 + d.below(6))}}} : jm::calendar_unit::week, d.one_in(2)});
    if (d.one_in(2)) p.quiet.push_back({{60 * d.below(24)}, {60 * d.below(24)}, {}, {}});
    if (d.one_in(3)) p.consent.emplace_back("email", question(d, false));
    return p;
}

std::string written(const jm::fields& values) {
    if (values.empty()) return "-";
    std::string out;
    for (const auto& [name, v] : values) {
        const bool text = std::holds_alternative<std::string>(v);
        out += (out.empty() ? "{\"" : ",\"") + name + "\":" + (std::holds_alternative<std::monostate>(v) ? "null" : text ? "\"" + jm::to_text(v) + "\"" : jm::to_text(v));
    }
    return out + "}";
}
std::string written(const jm::action& a) {
    std::ostringstream out;
    const auto or_none = [](const std::string& s) { return s.empty() ? "-" : s; };
    out << a.contact << ' ' << a.workflow << ' ' << a.version << ' ' << a.journey << ' ' << a.step << ' ' << a.kind << ' ' << or_none(a.channel) << ' ' << jm::to_text(a.at) << ' ' << jm::to_string(a.status) << ' '
        << or_none(std::string{jm::to_string(a.reason)}) << ' ' << (a.until ? jm::to_text(*a.until) : "-") << ' ' << written(a.values) << ' ' << a.key << '\n';
    return out.str();
}

std::size_t agree(unsigned seed) {
    dice d{seed};
    const auto all = crowd(d);
    const auto h = history_of(all);
    jm::workflow_definitions defs;
    for (int k = d.below(3); k >= 0; --k) defs.workflows.push_back(any_workflow(d, "w" + std::to_string(k)));
    defs.context.zone = jm::load_zone("Europe/Rome");
    defs.context.segments.emplace("s", question(d, false));
    defs.segments = {{"s", {}}};
    defs.policies = any_policies(d);
    for (const auto& [channel, p] : defs.policies.consent) defs.context.consent.emplace(channel, p);

    CAPTURE(seed);
    std::string replayed, circle;
    const jm::run_options options{.start = begins, .until = ends, .order = jm::run_order::arrival, .threads = 1, .only = jm::attr("mark") != "z" || jm::missing(jm::attr("mark"))};
    try {
        const auto r = jm::replay(defs, h, options);
        replayed = support::lines(r.actions(), {"contact_id", "workflow", "version", "journey", "step", "kind", "channel", "at", "status", "reason", "until", "values", "key"});
    } catch (const jm::error& e) {
        circle = e.code();
    }

    auto known = h.schema();
    jm::add_made(defs.workflows, defs.context, known);
    jm::compiler c{known, std::make_shared<jm::text_pool>(), defs.context};
    jm::problems found;
    const auto program = jm::compile_workflows(defs, c, found);
    std::vector<jm::action> actions;
    const auto sink = [&](const jm::action& a) { actions.push_back(a); };
    try {
        for (const auto& one : all) {
            jm::contact_state s{one.id, jm::beginning_of_time};
            jm::see(program, s, jm::input::always(one.attributes));
            jm::begin(program, s, begins);
            const auto give = [&](const jm::input& in) {
                jm::advance(program, s, in, sink);
                if (d.one_in(4)) s = jm::contact_state::from_json(s.to_json(), program);
            };
            for (const auto& f : one.facts) {
                while (d.one_in(2) && s.next_due() < f.arrives) give(jm::input::tick(s.next_due()));
                auto in = f.event.empty() ? jm::input::change(f.at, f.fields) : jm::input::event(f.event, f.at, f.fields);
                in.arrived = f.arrives;
                give(in);
            }
            give(jm::input::tick(ends));
        }
    } catch (const jm::error& e) {
        CHECK(e.code() == circle);
        return 0;
    }
    CHECK(circle.empty());
    std::stable_sort(actions.begin(), actions.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    std::string advanced;
    for (const auto& a : actions) advanced += written(a);
    CHECK(advanced == replayed);
    return actions.size();
}

}  // namespace

TEST_CASE("contacts advanced one by one do what a replay by arrival does, to the byte")
{
    std::size_t actions = 0;
    for (unsigned seed = 5'000; seed < 5'500; ++seed) actions += agree(seed);
    CHECK(actions > 2'500);
}
