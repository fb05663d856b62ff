#include "journeyman/workflow/upgrade.hpp"

#include <algorithm>

#include "journeyman/core/error.hpp"

namespace journeyman {
namespace {

const compiled_workflow* workflow_of(const workflow_program& w, std::string_view name) {
    const auto it = std::find_if(w.workflows.begin(), w.workflows.end(), [&](const auto& f) { return f.name == name; });
    return it == w.workflows.end() ? nullptr : &*it;
}
const compiled_step* step_of(const compiled_workflow& w, std::string_view name) {
    const auto it = std::find_if(w.steps.begin(), w.steps.end(), [&](const auto& s) { return s.name == name; });
    return it == w.steps.end() ? nullptr : &*it;
}
std::vector<std::string> names_of(const compiled_workflow& w) {
    std::vector<std::string> out;
    for (const auto& s : w.steps) out.push_back(s.name);
    return out;
}
void check_moves(const workflow_program& from, const workflow_program& to, const step_moves& moves) {
    for (const auto& [name, steps] : moves) {
        const auto* old = workflow_of(from, name);
        const auto* fresh = workflow_of(to, name);
        if (old == nullptr || fresh == nullptr) throw error{"name.unknown", "moves." + name, "there is no workflow \"" + name + "\" in the " + (old == nullptr ? "old" : "new") + " version"};
        for (const auto& [a, b] : steps) {
            if (step_of(*old, a) == nullptr) throw error{"name.unknown", "moves." + name + "." + a, "the old version has no step \"" + a + "\"." + did_you_mean(a, names_of(*old))};
            if (step_of(*fresh, b) == nullptr) throw error{"name.unknown", "moves." + name + "." + a, "the new version has no step \"" + b + "\"." + did_you_mean(b, names_of(*fresh))};
        }
    }
}
table empty_plan() {
    return {{"contact_id", value_type::text}, {"workflow", value_type::text}, {"version", value_type::text}, {"journey", value_type::integer}, {"step", value_type::text},
            {"how", value_type::text}, {"to_version", value_type::text}, {"to_step", value_type::text}, {"reason", value_type::text}};
}
void add(table& out, const running_journey& j, const landing& l) {
    std::size_t c = 0;
    const auto text = [&](std::string_view s) {
        if (s.empty()) out[c++].push_missing();
        else out[c++].push_text(s);
    };
    out[c++].push_text(j.contact);
    text(j.workflow);
    text(j.version);
    out[c++].push_integer(j.number);
    text(j.step);
    text(to_string(l.how));
    text(l.version);
    text(l.step);
    text(l.reason);
}

}  // namespace

std::string_view to_string(landing::hows h) {
    static constexpr std::string_view names[] = {"unchanged", "continues", "enters", "refused"};
    return names[h];
}

landing land(const workflow_program& from, const workflow_program& to, const running_journey& j, const step_moves& moves) {
    const auto refuse = [](std::string why) { return landing{landing::refused, {}, {}, std::move(why)}; };
    const auto* fresh = workflow_of(to, j.workflow);
    if (fresh == nullptr) return refuse("workflow \"" + j.workflow + "\" is gone; keep it until its journeys are over");
    if (fresh->version == j.version) return {landing::unchanged, j.version, j.step, {}};
    const auto* old = workflow_of(from, j.workflow);
    if (old == nullptr || old->version != j.version) return refuse("it runs in version " + j.version + ", which is not the old one here" + (old == nullptr ? "" : " (" + old->version + ")") + "; plan from that version");

    std::string target = j.step;
    bool told = false;
    if (const auto w = moves.find(j.workflow); w != moves.end())
        if (const auto s = w->second.find(j.step); s != w->second.end()) target = s->second, told = true;
    const auto* before = step_of(*old, j.step);
    const auto* after = step_of(*fresh, target);
    if (after == nullptr) return refuse("step \"" + j.step + "\" is gone; say in `moves` where those who stand there go");
    const auto kind_before = kind_name(before->kind), kind_after = kind_name(after->kind);
    if (kind_before != kind_after && !told) return refuse("step \"" + j.step + "\" was a " + std::string{kind_before} + " and is a " + std::string{kind_after} + ", which cannot go on with it; say in `moves` which step is entered instead, this one perhaps");
    if (fresh->reentry.kind == reentry_rule::each && to.predicates->properties[fresh->each] != j.key)
        return refuse("the new version has one journey for each `" + to.predicates->properties[fresh->each] + "`, and this one began " + (j.key.empty() ? "without such a rule" : "for its `" + j.key + "`") + "; let it end in its own version");
    return {kind_before == kind_after ? landing::continues : landing::enters, fresh->version, target, {}};
}

table plan_upgrade(const workflow_program_ptr& from, const workflow_program_ptr& to, std::span<const running_journey> journeys, const step_moves& moves) {
    check_moves(*from, *to, moves);
    auto out = empty_plan();
    for (const auto& j : journeys) add(out, j, land(*from, *to, j, moves));
    return out;
}
table plan_upgrade(const workflow_program_ptr& from, const workflow_program_ptr& to, std::span<const contact_state> states, const step_moves& moves) {
    check_moves(*from, *to, moves);
    auto out = empty_plan();
    for (const auto& s : states)
        for (const auto& j : s.journeys()) add(out, j, land(*from, *to, j, moves));
    return out;
}

}  // namespace journeyman
