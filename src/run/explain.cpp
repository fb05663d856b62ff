// A run's journeys of one contact, told: the contact is walked again, exactly as it was, by a machine that is asked at each turn.

#include "journeyman/run/explain.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "journeyman/core/hash.hpp"
#include "predicate/explainer.hpp"
#include "run/run_data.hpp"
#include "run/walk.hpp"
#include "workflow/gates.hpp"

namespace journeyman {
namespace {

using detail::told_clause;

/// The predicates of a workflow, clause by clause.
struct told_step {
    std::vector<told_clause> outcomes;
    std::vector<std::string> awaited;                     // selectors, as written; empty where the outcome is a predicate
};
struct told_workflow {
    told_clause goal, exit;
    std::vector<told_step> steps;
};

class teller final : public journey_sink {
public:
    teller(const run_data& d, std::uint32_t contact) : run_{d}, contact_{contact} {
        const auto& data = d.given.data();
        schema known = data.schema;
        for (const auto& [name, type] : d.definitions.types) known.declare(name, type);
        add_made(d.definitions.workflows, d.definitions.context, known);
        compiler c{std::move(known), data.pool, d.definitions.context};
        const auto told = [&](const expression& e) { return detail::make_clause(c, d.definitions.context, e); };
        for (const auto& [name, e] : d.definitions.policies.consent) consents_.emplace_back(name, told(e));
        holdout_ = told(d.definitions.policies.holdout);
        std::vector<std::pair<std::string, told_workflow>> all;
        for (const auto& w : d.definitions.workflows) {
            workflow_scope scope;
            for (const auto& [name, s] : w.steps) scope.steps.push_back(name);
            if (const auto* t = std::get_if<event_trigger>(&w.trigger); t != nullptr && !t->selector.data().prefix) scope.trigger_events.push_back(t->selector.data().event);
            c.enter(std::move(scope));
            told_workflow out{told(w.goal_), told(w.exit_), {}};
            for (const auto& [name, s] : w.steps) {
                told_step step;
                if (const auto* b = std::get_if<branch_step>(&s.kind()))
                    for (const auto& [when, then] : b->choices) step.outcomes.push_back(told(when)), step.awaited.emplace_back();
                if (const auto* f = std::get_if<wait_for_step>(&s.kind()))
                    for (const auto& o : f->outcomes) step.outcomes.push_back(told(o.when)), step.awaited.push_back(o.event ? o.event->to_text() : std::string{});
                out.steps.push_back(std::move(step));
            }
            c.leave();
            all.emplace_back(w.name, std::move(out));
        }
        problems found;
        program_ = compile_workflows(d.definitions, c, found);
        for (const auto& w : program_->workflows) workflows_.push_back(std::move(std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.first == w.name; })->second));
    }

    std::vector<explained_journey> tell() {
        const walk_limits limits{run_.start, run_.until, none};
        contact_walk walk{*program_, run_.given.data(), run_.order, limits};
        walk_ = &walk;
        detail::machine machine{*program_, walk.state(), walk.feed(), *this};
        walk.run(machine, contact_, [] { return true; });
        walk.feed().see_before({run_.until, 0xffffffffU});
        for (const auto& j : walk.state().running) {
            auto& told = journey_of(j.workflow, j.number);
            journey_view shown{j.entry(), program_->keeps_steps ? walk.state().steps.data() + j.steps : nullptr, walk.feed().event(j.trigger)};
            contact_view view = walk.feed().view();
            view.journey = &shown;
            auto& s = stay_of(told, {j.workflow, j.step, j.number, none, passage::running, j.reached(), {}});
            questions(s, j.workflow, j.step, view, run_.until, none);
            if (j.deadline != end_of_time) s.until = j.deadline;
            const auto& kind = program_->workflows[j.workflow].steps[j.step].kind;
            s.why = j.deferred != 0 ? "its send was put off" : std::holds_alternative<wait_for_step>(kind) ? "it waits for " + awaited(j.workflow, j.step) : "it waits";
            if (s.until) s.why += " until " + to_text(*s.until);
            told.outcome = "running";
        }
        return std::move(out_);
    }

private:
    const compiled_step& step(std::uint32_t w, std::uint32_t s) const { return program_->workflows[w].steps[s]; }

    explained_journey& journey_of(std::uint32_t workflow, std::uint32_t number) {
        const auto& w = program_->workflows[workflow];
        const auto it = std::find_if(out_.begin(), out_.end(), [&](const auto& j) { return j.workflow == w.name && j.number == number; });
        if (it != out_.end()) return *it;
        const auto& running = walk_->state().running;
        const auto j = std::find_if(running.begin(), running.end(), [&](const auto& x) { return x.workflow == workflow && x.number == number; });
        explained_journey x;
        x.contact = run_.given.data().contacts.name(contact_);
        x.workflow = w.name;
        x.version = w.version;
        x.number = number;
        x.entered_at = j->entered;
        const auto key = key_of(*program_, walk_->feed(), *j);
        if (!key.is_missing()) x.key = to_text(key, *program_->predicates->pool);
        if (const auto e = walk_->feed().event(j->trigger)) x.trigger = event_text(e);
        else if (w.trigger.kind == compiled_trigger::enters || w.trigger.kind == compiled_trigger::leaves) x.trigger = w.trigger.kind == compiled_trigger::enters ? "it entered the segment" : "it left the segment";
        else if (w.trigger.kind == compiled_trigger::date) x.trigger = "its date came";
        else x.trigger = w.trigger.kind == compiled_trigger::schedule ? "the schedule" : "another workflow";
        out_.push_back(std::move(x));
        return out_.back();
    }
    std::string event_text(event_ref e) const {
        const auto& p = *program_->predicates;
        std::string out = p.streams[e.slot] + " at " + to_text(e.place().at);
        std::string inside;
        for (std::uint32_t c = 0; c < p.properties.size(); ++c)
            if (const value v = e.property(c); !v.is_missing()) inside += (inside.empty() ? "" : ", ") + p.properties[c] + ": " + to_text(v, *p.pool);
        return inside.empty() ? out : out + " (" + inside + ")";
    }
    /// The stay at a step that is open, or a new one.
    explained_step& stay_of(explained_journey& j, const stay& s) {
        const auto& c = step(s.workflow, s.step);
        if (j.steps.empty() || j.steps.back().left_at || j.steps.back().step != c.name) {
            explained_step x;
            x.step = c.name;
            x.kind = kind_name(c.kind);
            x.phase = c.phase;
            x.outcome = "running";
            j.steps.push_back(std::move(x));
        }
        j.steps.back().reached_at = s.from.at;
        return j.steps.back();
    }
    void ask(explained_step& to, std::string what, const told_clause& c, const contact_view& v, instant t) const {
        if (c.node != none) to.questions.push_back({std::move(what), detail::tell(*program_->predicates, v, t, c)});
    }
    /// Goal, exit, and the outcomes up to the one that was taken.
    void questions(explained_step& to, std::uint32_t w, std::uint32_t s, const contact_view& v, instant t, std::uint32_t upto) const {
        const auto& told = workflows_[w];
        ask(to, "goal", told.goal, v, t);
        ask(to, "exit", told.exit, v, t);
        const auto& outcomes = told.steps[s].outcomes;
        const bool branch = std::holds_alternative<branch_step>(step(w, s).kind);
        for (std::uint32_t k = 0; k < outcomes.size() && (upto == none || k <= upto); ++k) ask(to, (branch ? "choice " : "outcome ") + std::to_string(k + 1), outcomes[k], v, t);
    }
    std::string awaited(std::uint32_t w, std::uint32_t s) const {
        const auto& told = workflows_[w].steps[s];
        std::string out;
        for (std::size_t k = 0; k < told.outcomes.size(); ++k) out += (k == 0 ? "`" : ", or `") + (told.awaited[k].empty() ? told.outcomes[k].what.to_text() : told.awaited[k]) + "`";
        return out;
    }
    /// Which outcome led there: a predicate that is yes, or an event since the step was reached.
    std::uint32_t outcome_taken(const stay& s, const contact_view& v) const {
        const auto& c = step(s.workflow, s.step);
        for (std::uint32_t k = 0; k < c.outcomes.size(); ++k) {
            const auto& o = c.outcomes[k];
            if (o.then != s.next) continue;
            if (o.when != none ? journeyman::ask(*program_->predicates, o.when, v, s.to.at) == truth::yes : static_cast<bool>(last_event(o, s, v))) return k;
        }
        return none;
    }
    event_ref last_event(const compiled_outcome& o, const stay& s, const contact_view& v) const {
        const auto& p = *program_->predicates;
        event_ref last;
        for (const auto slot : p.selectors[o.event].streams)
            for (std::uint32_t k = v.streams[slot].count; k-- > 0 && v.streams[slot].place(k).at >= s.from.at;) {
                const event_ref e{&v.streams[slot], slot, k};
                if (!selects(p, o.event, v, e, s.to.at)) continue;
                if (!last || last.place() < e.place()) last = e;
                break;
            }
        return last;
    }
    std::string why(const stay& s, std::uint32_t taken, const contact_view& v) const {
        const auto& c = step(s.workflow, s.step);
        const auto& told = workflows_[s.workflow];
        const auto question = [&](std::uint32_t k) { return "`" + told.steps[s.step].outcomes[k].what.to_text() + "` is yes"; };
        switch (s.by) {
            case passage::goal: return "the goal is reached: `" + told.goal.what.to_text() + "`";
            case passage::exited: return std::holds_alternative<exit_step>(c.kind) ? "the step ends the journey" : "it is to leave: `" + told.exit.what.to_text() + "`";
            case passage::if_: return taken == none ? "" : "choice " + std::to_string(taken + 1) + ": " + question(taken);
            case passage::else_: return "no choice is yes";
            case passage::timeout: return "nothing of what it waited for came";
            case passage::then: {
                if (taken == none) return "";
                if (c.outcomes[taken].when != none) return question(taken);
                const auto e = last_event(c.outcomes[taken], s, v);
                return e ? event_text(e) + " came" : "`" + told.steps[s.step].awaited[taken] + "` came to count";
            }
            case passage::split: {
                const double x = stable_hash{}.add(std::uint64_t{0}).add(program_->workflows[s.workflow].name).add(c.name).add(v.id).unit();
                return "its share: " + to_text(x) + " of 1";
            }
            case passage::next: return std::holds_alternative<wait_step>(c.kind) ? "the wait is over" : "it is done";
            default: return "";
        }
    }

    void leave(const stay& s, const contact_view& v) override {
        auto& j = journey_of(s.workflow, s.journey);
        auto& x = stay_of(j, s);
        x.left_at = s.to.at;
        x.outcome = to_string(s.by);
        const auto taken = s.by == passage::then || s.by == passage::if_ ? outcome_taken(s, v) : none;
        questions(x, s.workflow, s.step, v, s.to.at, s.by == passage::goal || s.by == passage::exited ? 0 : taken);
        if (s.by == passage::goal || s.by == passage::exited) std::erase_if(x.questions, [&](const auto& q) { return q.what.starts_with("choice") || q.what.starts_with("outcome"); });
        x.why = why(s, taken, v);
        if (s.next != none) x.next = step(s.workflow, s.next).name;
    }
    void end(const journey_state& j, const value&, instant at) override {
        auto& x = journey_of(j.workflow, j.number);
        x.left_at = at;
        x.outcome = to_string(j.outcome());
    }
    void act(const step_action& a, const contact_view& v) override {
        const auto& running = walk_->state().running;
        const auto at = std::find_if(running.begin(), running.end(), [&](const auto& x) { return x.workflow == a.workflow && x.number == a.journey; });
        auto& x = stay_of(journey_of(a.workflow, a.journey), {a.workflow, a.step, a.journey, none, passage::running, at->reached(), {}});
        explained_action out{.channel = a.channel == none ? "" : program_->channels[a.channel], .status = std::string{to_string(a.status)}, .reason = std::string{to_string(a.reason)}, .why = {}, .at = a.at.at, .until = {}};
        if (a.until != end_of_time) out.until = a.until;
        const auto& c = step(a.workflow, a.step);
        switch (a.reason) {
            case action_reason::consent:
                if (a.channel == none) out.why = "the contact is in no segment that prefers a channel";
                else out.why = "there is no consent to " + out.channel;
                for (const auto& [name, told] : consents_)
                    if (const auto channel = name.substr(0, name.find('.')); channel == out.channel) ask(x, "consent " + name, told, v, a.at.at);
                break;
            case action_reason::holdout:
                out.why = "the contact is held out";
                ask(x, "holdout", holdout_, v, a.at.at);
                break;
            case action_reason::quiet_hours: out.why = a.until == end_of_time ? "quiet hours never end" : "quiet hours in " + std::string{local_zone(*program_->predicates, v).name()}; break;
            case action_reason::cap:
                for (const auto k : full_caps(*program_, v, a.at.at, walk_->state().sends, a.channel)) {
                    const auto& cap = program_->caps[k];
                    const auto* l = std::get_if<length>(&cap.per);
                    static constexpr const char* units[] = {"day", "week", "month", "quarter", "year"};
                    out.why += (out.why.empty() ? "the cap is full: at most " : ", at most ") + std::to_string(cap.at_most) + " per " + (l != nullptr ? to_text(*l) : units[static_cast<std::size_t>(std::get<calendar_unit>(cap.per))]) +
                               (cap.channel == none ? "" : " by " + program_->channels[cap.channel]);
                }
                break;
            case action_reason::nothing:
                if (std::holds_alternative<send_step>(c.kind) && c.transactional) out.why = "transactional";
                break;
        }
        x.actions.push_back(std::move(out));
    }

    const run_data& run_;
    std::uint32_t contact_;
    workflow_program_ptr program_;
    std::vector<told_workflow> workflows_;                // by workflow of the program
    std::vector<std::pair<std::string, told_clause>> consents_;
    told_clause holdout_;
    contact_walk* walk_ = nullptr;
    std::vector<explained_journey> out_;
};

}  // namespace

std::vector<explained_journey> run::explain(std::string_view contact, std::string_view workflow, std::uint32_t journey) const {
    const auto& d = *data_;
    const auto number = d.given.data().contacts.find(contact);
    if (!number) throw error{"name.unknown", "contact", "there is no contact \"" + std::string{contact} + "\" in the history"};
    std::vector<std::string> names;
    for (const auto& w : d.program->workflows) names.push_back(w.name);
    if (!workflow.empty() && std::find(names.begin(), names.end(), workflow) == names.end()) throw error{"name.unknown", "workflow", "there is no workflow \"" + std::string{workflow} + "\"." + did_you_mean(workflow, names)};
    bool any = false;
    d.each_journey([&](const journey_row& j) { any = any || j.contact == *number; });
    if (!any) return {};
    auto out = teller{d, *number}.tell();
    std::erase_if(out, [&](const explained_journey& j) { return (!workflow.empty() && j.workflow != workflow) || (journey != 0 && j.number != journey); });
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.entered_at < b.entered_at; });
    return out;
}

std::ostream& operator<<(std::ostream& out, const explained_journey& j) {
    out << j.contact << ": journey " << j.number << " through " << j.workflow << (j.key.empty() ? "" : " for " + j.key) << ", version " << j.version << "\n  " << to_text(j.entered_at) << "  entered: " << j.trigger << '\n';
    for (const auto& s : j.steps) {
        out << "  " << to_text(s.reached_at) << "  " << s.step << " (" << s.kind << (s.phase.empty() ? "" : ", " + s.phase) << ")\n";
        for (const auto& a : s.actions) {
            out << "      " << a.status << (a.channel.empty() ? "" : " by " + a.channel) << " at " << to_text(a.at) << (a.until ? (s.kind == "task" ? ", due " : ", to ") + to_text(*a.until) : "") << (a.why.empty() ? "" : ": " + a.why) << '\n';
        }
        for (const auto& q : s.questions) {
            std::ostringstream tree;
            tree << q.answer;
            std::istringstream lines{tree.str()};
            bool first = true;
            for (std::string line; std::getline(lines, line); first = false) out << "      " << (first ? q.what + ": " : std::string(q.what.size() + 2, ' ')) << line << '\n';
        }
        if (!s.left_at) out << "      " << s.why << '\n';
        else out << "      " << s.outcome << (s.next.empty() ? "" : " → " + s.next) << " at " << to_text(*s.left_at) << ": " << s.why << '\n';
    }
    if (j.left_at) out << "  " << to_text(*j.left_at) << "  " << j.outcome << '\n';
    return out;
}

}  // namespace journeyman
