#include "journeyman/workflow/check.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <map>
#include <set>

#include "journeyman/workflow/compiled.hpp"
#include "workflow/graph.hpp"

namespace journeyman {
namespace {

using graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using vertex = boost::graph_traits<graph>::vertex_descriptor;
using edge = boost::graph_traits<graph>::edge_descriptor;

/// The path of each circle, found where an edge leads back to a step still open.
class circle_finder : public boost::default_dfs_visitor {
public:
    explicit circle_finder(std::vector<std::vector<vertex>>& circles) : circles_{&circles}, open_{std::make_shared<std::vector<vertex>>()} {}
    void discover_vertex(vertex v, const graph&) { open_->push_back(v); }
    void finish_vertex(vertex, const graph&) { open_->pop_back(); }
    void back_edge(edge e, const graph& g) {
        const auto from = std::find(open_->begin(), open_->end(), boost::target(e, g));
        circles_->emplace_back(from, open_->end());
    }

private:
    std::vector<std::vector<vertex>>* circles_;
    std::shared_ptr<std::vector<vertex>> open_;      // boost copies visitors
};

class reach_marker : public boost::default_bfs_visitor {
public:
    explicit reach_marker(std::vector<bool>& reached) : reached_{&reached} {}
    void discover_vertex(vertex v, const graph&) { (*reached_)[v] = true; }

private:
    std::vector<bool>* reached_;
};

/// One workflow's steps and where they lead.
class graph_check {
public:
    graph_check(const workflow& w, const std::vector<std::string>& workflows, problems& out) : workflow_{w}, workflows_{workflows}, out_{out}, place_{"workflows." + w.name}, graph_(w.steps.size()) {
        for (const auto& [name, _] : w.steps) names_.push_back(name);
    }

    void run() {
        if (workflow_.steps.empty()) return add("workflow.steps", place_ + ".steps", "a workflow needs at least one step");
        std::set<std::string> seen;
        for (const auto& n : names_) {
            if (n.empty() || n == "end") add("workflow.name", place_ + ".steps." + n, n.empty() ? "a step needs a name" : "`end` is the end of a journey; name the step otherwise");
            if (!seen.insert(n).second) add("workflow.name", place_ + ".steps." + n, "there are two steps of this name; give one another");
        }
        for (std::size_t k = 0; k < names_.size(); ++k) edges_of(k);
        const auto first = std::find(names_.begin(), names_.end(), workflow_.first);
        if (first == names_.end()) {
            add("name.unknown", place_ + ".first", "there is no step \"" + workflow_.first + "\" to begin with." + did_you_mean(workflow_.first, names_));
            return;
        }
        circles();
        unreachable(static_cast<vertex>(first - names_.begin()));
    }

private:
    void add(std::string code, std::string place, std::string message, severity s = severity::error) { out_.add({std::move(code), std::move(place), std::move(message), s}); }

    void leads(std::size_t from, const std::string& to, const std::string& key) {
        if (to.empty() || to == "end") return;
        const auto it = std::find(names_.begin(), names_.end(), to);
        if (it == names_.end()) add("name.unknown", place_ + ".steps." + names_[from] + "." + key, "there is no step \"" + to + "\"." + did_you_mean(to, names_));
        else boost::add_edge(from, static_cast<vertex>(it - names_.begin()), graph_);
    }

    void edges_of(std::size_t k) {
        const auto& s = workflow_.steps[k].second;
        const std::string place = place_ + ".steps." + names_[k];
        if (const auto* f = std::get_if<wait_for_step>(&s.kind())) {
            for (std::size_t i = 0; i < f->outcomes.size(); ++i) leads(k, f->outcomes[i].then, f->single ? "then" : "wait_for." + std::to_string(i) + ".then");
            leads(k, f->otherwise, "else");
            if (f->timeout && f->otherwise.empty()) add("workflow.outcome", place + ".else", "nothing says where the timeout leads, so the journey ends there; say `else: end`, or name a step", severity::warning);
            if (!f->timeout && !f->otherwise.empty()) add("workflow.outcome", place + ".else", "`else` is where the timeout leads, but there is no timeout; add `timeout`, or take `else` out");
        } else if (const auto* b = std::get_if<branch_step>(&s.kind())) {
            for (std::size_t i = 0; i < b->choices.size(); ++i) leads(k, b->choices[i].second, "branch." + std::to_string(i) + ".then");
            leads(k, b->otherwise, "else");
            if (b->choices.empty()) add("workflow.outcome", place + ".branch", "a branch needs at least one choice");
            if (b->otherwise.empty()) add("workflow.outcome", place + ".else", "a branch needs an `else`, since no choice may be yes; say `else: end`, or name a step");
        } else if (const auto* p = std::get_if<split_step>(&s.kind())) {
            for (std::size_t i = 0; i < p->choices.size(); ++i) leads(k, p->choices[i].second, "split." + std::to_string(i) + ".then");
        } else {
            if (const auto* t = std::get_if<start_step>(&s.kind()); t != nullptr && std::find(workflows_.begin(), workflows_.end(), t->workflow) == workflows_.end())
                add("name.unknown", place + ".start", "there is no workflow \"" + t->workflow + "\"." + did_you_mean(t->workflow, workflows_));
            if (!std::holds_alternative<exit_step>(s.kind())) leads(k, s.next_step, "next");
            return;
        }
        if (!s.next_step.empty()) add("workflow.outcome", place + ".next", "a " + std::string{kind_name(s.kind())} + " names where it leads in its outcomes; take `next` out");
    }

    void circles() {
        std::vector<std::vector<vertex>> found;
        boost::depth_first_search(graph_, boost::visitor(circle_finder{found}));
        for (const auto& c : found) {
            std::string path;
            for (const auto v : c) path += names_[v] + " → ";
            add("workflow.circle", place_ + ".steps." + names_[c.front()], "steps lead back to themselves: " + path + names_[c.front()] + "; a journey goes forward only. For repeats use `reentry`");
        }
    }
    void unreachable(vertex first) {
        std::vector<bool> reached(names_.size(), false);
        boost::breadth_first_search(graph_, first, boost::visitor(reach_marker{reached}));
        for (std::size_t k = 0; k < names_.size(); ++k)
            if (!reached[k]) add("workflow.unreachable", place_ + ".steps." + names_[k], "no way leads to this step from \"" + workflow_.first + "\"; lead a step to it, or take it out", severity::warning);
    }

    const workflow& workflow_;
    const std::vector<std::string>& workflows_;
    problems& out_;
    std::string place_;
    graph graph_;
    std::vector<std::string> names_;
};

void check_trigger(const workflow& w, problems& out) {
    if (const auto* d = std::get_if<date_trigger>(&w.trigger); d != nullptr && d->yearly && w.reentry.kind == reentry_rule::once)
        out.add({"workflow.reentry", "workflows." + w.name + ".reentry", "a yearly trigger with re-entry `once` runs in the first year only; say `after_exit`", severity::warning});
}

/// The `start` and `emit` steps that a journey can pass, from its entry to its end, at one instant.
std::vector<std::size_t> caused_at_once(const workflow& w) {
    const auto ways = ways_of(w);
    const auto waits = [&](std::size_t k) { return k < w.steps.size() && (std::holds_alternative<wait_step>(w.steps[k].second.kind()) || std::holds_alternative<wait_for_step>(w.steps[k].second.kind())); };
    std::vector<bool> seen(w.steps.size(), false), ends(w.steps.size() + 1, false);
    ends.back() = true;
    std::vector<std::size_t> out;
    const auto visit = [&](const auto& self, std::size_t k) -> void {
        if (k >= seen.size() || seen[k] || waits(k)) return;
        seen[k] = true;
        ends[k] = std::holds_alternative<exit_step>(w.steps[k].second.kind());
        for (const auto to : ways[k]) {
            self(self, to);
            ends[k] = ends[k] || ends[to];
        }
        const auto& kind = w.steps[k].second.kind();
        if (ends[k] && (std::holds_alternative<start_step>(kind) || std::holds_alternative<emit_step>(kind))) out.push_back(k);
    };
    for (std::size_t k = 0; k < w.steps.size(); ++k) if (w.steps[k].first == w.first) visit(visit, k);
    return out;
}

/// Workflows that can cause each other without end at one instant (W4).
void check_causes(const std::vector<workflow>& workflows, problems& out) {
    graph g(workflows.size());
    std::map<std::pair<vertex, vertex>, std::string> by;       // the step that does it
    for (vertex u = 0; u < workflows.size(); ++u)
        for (const auto k : caused_at_once(workflows[u]))
            for (vertex v = 0; v < workflows.size(); ++v) {
                const auto& [name, s] = workflows[u].steps[k];
                const auto* start = std::get_if<start_step>(&s.kind());
                const auto* emits = std::get_if<emit_step>(&s.kind());
                const auto* trigger = std::get_if<event_trigger>(&workflows[v].trigger);
                const bool hears = trigger != nullptr && emits != nullptr && trigger->selector.data().event == emits->event && !trigger->selector.data().prefix && trigger->selector.data().where.empty() && !trigger->selector.data().without;
                if (workflows[v].reentry.kind == reentry_rule::after_exit && (hears || (start != nullptr && start->workflow == workflows[v].name)) && by.emplace(std::pair{u, v}, name).second) boost::add_edge(u, v, g);
            }
    std::vector<std::vector<vertex>> found;
    boost::depth_first_search(g, boost::visitor(circle_finder{found}));
    for (const auto& c : found) {
        std::string path;
        for (const auto v : c) path += workflows[v].name + " → ";
        const auto first = c.front(), next = c.size() > 1 ? c[1] : first;
        out.add({"workflow.circle", "workflows." + workflows[first].name + ".steps." + by[{first, next}], "workflows can cause each other without end at one instant: " + path + workflows[first].name + "; give one of them re-entry `once`, a wait, or a filter on what starts it", severity::warning});
    }
}

}  // namespace

std::vector<std::vector<named_way>> named_ways_of(const workflow& w) {
    std::vector<std::vector<named_way>> out(w.steps.size());
    for (std::size_t k = 0; k < w.steps.size(); ++k) {
        const auto to = [&](const std::string& name, std::string_view outcome) {
            std::size_t n = w.steps.size();
            if (!name.empty() && name != "end") {
                const auto it = std::find_if(w.steps.begin(), w.steps.end(), [&](const auto& s) { return s.first == name; });
                if (it == w.steps.end()) return;
                n = static_cast<std::size_t>(it - w.steps.begin());
            }
            out[k].push_back({n, outcome});
        };
        const auto& s = w.steps[k].second;
        if (const auto* f = std::get_if<wait_for_step>(&s.kind())) {
            for (const auto& o : f->outcomes) to(o.then, "then");
            if (f->timeout) to(f->otherwise, "timeout");
        } else if (const auto* b = std::get_if<branch_step>(&s.kind())) {
            for (const auto& c : b->choices) to(c.second, "if");
            to(b->otherwise, "else");
        } else if (const auto* p = std::get_if<split_step>(&s.kind())) {
            for (const auto& c : p->choices) to(c.second, "split");
        } else if (std::holds_alternative<exit_step>(s.kind())) {
            to("end", "exited");
        } else {
            to(s.next_step, "next");
        }
    }
    return out;
}

std::vector<std::vector<std::size_t>> ways_of(const workflow& w) {
    std::vector<std::vector<std::size_t>> out;
    for (const auto& ways : named_ways_of(w)) {
        auto& mine = out.emplace_back();
        for (const auto& way : ways) mine.push_back(way.to);
    }
    return out;
}

void check_graphs(const std::vector<workflow>& workflows, const policies& rules, problems& out, const compile_context* context) {
    constexpr std::size_t most = 65'535;   // a journey knows its workflow and its step by two bytes each
    if (workflows.size() > most) return out.add({"workflow.limit", "workflows", "there are more than 65,535 workflows; divide the playbook", severity::error});
    for (const auto& w : workflows)
        if (w.steps.size() > most) return out.add({"workflow.limit", "workflows." + w.name + ".steps", "a workflow has at most 65,535 steps; divide it into several", severity::error});
    const reasoning reason{context};
    const auto at_first = out.errors();
    std::vector<std::string> names;
    for (const auto& w : workflows) {
        if (w.name.empty()) out.add({"workflow.name", "workflows", "a workflow needs a name", severity::error});
        if (std::find(names.begin(), names.end(), w.name) != names.end()) out.add({"workflow.name", "workflows." + w.name, "there are two workflows of this name; give one another", severity::error});
        names.push_back(w.name);
    }
    std::set<std::string> started;
    for (const auto& w : workflows)
        for (const auto& [_, s] : w.steps)
            if (const auto* t = std::get_if<start_step>(&s.kind())) started.insert(t->workflow);
    for (const auto& w : workflows) {
        const auto before = out.errors();
        graph_check{w, names, out}.run();
        check_trigger(w, out);
        check_choices(w, reason, out);
        if (out.errors() != before) continue;
        check_bounds(w, out);
        check_sense(w, rules, reason, started.contains(w.name), out);
    }
    if (out.errors() == at_first) {
        check_bounds(workflows, rules, out);
        check_causes(workflows, out);
    }
    check_policies(rules, out);
}

void check_workflows(const std::vector<workflow>& workflows, const policies& rules, const std::vector<std::string>& segments, compiler& c, problems& out, const compile_context* context) {
    check_graphs(workflows, rules, out, context);
    workflow_definitions d;
    d.workflows = workflows;
    d.policies = rules;
    // Which channels a segment prefers is not known here; that a `preferred` send finds some is checked where it is.
    for (const auto& s : segments) d.segments.emplace_back(s, std::vector<std::string>{"preferred"});
    const auto before = c.found().size();
    compile_workflows(d, c, out);
    for (std::size_t k = before; k < c.found().size(); ++k) out.add(c.found()[k]);
}

}  // namespace journeyman
