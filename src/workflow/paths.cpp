#include "journeyman/workflow/paths.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dominator_tree.hpp>

#include "journeyman/core/error.hpp"
#include "predicate/walk.hpp"
#include "workflow/graph.hpp"

namespace journeyman {
namespace {

std::size_t number_of(const workflow& w, std::string_view step, const char* place) {
    std::vector<std::string> names;
    for (std::size_t k = 0; k < w.steps.size(); ++k) {
        if (w.steps[k].first == step) return k;
        names.push_back(w.steps[k].first);
    }
    throw error{"name.unknown", place, "workflow \"" + w.name + "\" has no step \"" + std::string{step} + "\"." + did_you_mean(step, names)};
}

/// The steps that the first one leads to by ways that `open` lets through.
template <class F>
std::vector<bool> reached_by(const workflow& w, F open) {
    const auto ways = named_ways_of(w);
    std::vector<bool> seen(w.steps.size(), false);
    std::vector<std::size_t> stack;
    const auto reach = [&](std::size_t k) {
        if (k < seen.size() && !seen[k]) seen[k] = true, stack.push_back(k);
    };
    for (std::size_t k = 0; k < w.steps.size(); ++k) if (w.steps[k].first == w.first) reach(k);
    while (!stack.empty()) {
        const auto k = stack.back();
        stack.pop_back();
        for (const auto& way : ways[k]) if (open(k, way.outcome)) reach(way.to);
    }
    return seen;
}

}  // namespace

std::vector<std::pair<std::string, std::vector<std::string>>> dominators(const workflow& w) {
    using graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;
    const auto ways = ways_of(w);
    const auto reached = reached_by(w, [](std::size_t, std::string_view) { return true; });
    graph g(w.steps.size());
    for (std::size_t k = 0; k < ways.size(); ++k)
        for (const auto to : ways[k]) if (to < w.steps.size() && reached[k]) boost::add_edge(k, to, g);   // steps that nobody reaches lead nowhere
    const auto none_of_them = boost::graph_traits<graph>::null_vertex();
    std::vector<std::size_t> above(w.steps.size(), none_of_them);
    const std::size_t first = w.steps.empty() ? 0 : number_of(w, w.first, "first");
    if (!w.steps.empty()) boost::lengauer_tarjan_dominator_tree(g, first, boost::make_iterator_property_map(above.begin(), boost::get(boost::vertex_index, g)));
    std::vector<std::pair<std::string, std::vector<std::string>>> out;
    for (std::size_t k = 0; k < w.steps.size(); ++k) {
        auto& mine = out.emplace_back(w.steps[k].first, std::vector<std::string>{}).second;
        if (k != first && above[k] == none_of_them) continue;
        for (std::size_t at = k; at != none_of_them; at = above[at]) mine.push_back(w.steps[at].first);
        std::reverse(mine.begin(), mine.end());
    }
    return out;
}

bool passes(const workflow& w, std::string_view step, std::string_view through, std::string_view outcome) {
    static const std::vector<std::string> known{"next", "then", "timeout", "if", "else", "split"};
    if (!outcome.empty() && std::find(known.begin(), known.end(), outcome) == known.end()) throw error{"name.unknown", "outcome", "\"" + std::string{outcome} + "\" is no outcome of a step." + did_you_mean(outcome, known)};
    const auto to = number_of(w, step, "step"), at = number_of(w, through, "through");
    if (to == at) return outcome.empty();
    return !reached_by(w, [&](std::size_t from, std::string_view by) { return from != at || (!outcome.empty() && by != outcome); })[to];
}

std::vector<met_event> events_met(const workflow& w) {
    std::vector<met_event> out;
    const auto name = [](const selector_data& s) { return s.event + (s.prefix ? "*" : ""); };
    const auto add = [&](std::string event, const char* role, const std::string& step) {
        const bool known = std::any_of(out.begin(), out.end(), [&](const auto& x) { return x.event == event && x.role == role && x.step == step; });
        if (!known) out.push_back({std::move(event), role, step});
    };
    const auto asked = [&](const expression& e, const char* role, const std::string& step) {
        detail::each_node(e, [&](const node& n) { for (const auto& s : n.selectors) add(name(s), role, step); });
    };
    if (const auto* t = std::get_if<event_trigger>(&w.trigger)) add(name(t->selector.data()), "trigger", {});
    asked(w.goal_, "goal", {});
    asked(w.exit_, "exit", {});
    for (const auto& [step, s] : w.steps) {
        if (const auto* f = std::get_if<wait_for_step>(&s.kind()))
            for (const auto& o : f->outcomes) {
                if (o.event) add(name(o.event->data()), "awaited", step);
                asked(o.when, "awaited", step);
            }
        if (const auto* b = std::get_if<branch_step>(&s.kind()))
            for (const auto& [when, then] : b->choices) asked(when, "asked", step);
        if (const auto* e = std::get_if<emit_step>(&s.kind())) add(e->event, "emitted", step);
    }
    return out;
}

}  // namespace journeyman
