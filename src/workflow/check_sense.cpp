// Whether a workflow can do what it is for: who can enter, which channels they can get, what looks back too short, which sends a cap never lets through.

#include <algorithm>
#include <set>

#include "journeyman/core/value.hpp"
#include "predicate/walk.hpp"
#include "workflow/graph.hpp"

namespace journeyman {
namespace {

class sense_check {
public:
    sense_check(const workflow& w, const policies& p, const reasoning& r, bool started, problems& out) : w_{w}, policies_{p}, reason_{r}, out_{out}, place_{"workflows." + w.name} {
        entry();
        ends(started);
        for (const auto& [name, s] : w.steps)
            if (const auto* send = std::get_if<send_step>(&s.kind())) channels(name, *send);
        looking_back();
        for (std::size_t k = 0; k < policies_.caps.size(); ++k) full_cap(k);
    }

private:
    void add(const char* code, const std::string& key, std::string message) { out_.add({code, place_ + key, std::move(message), severity::warning}); }

    static expression segment_of(const std::string& name) { return call(function::segment, {expression{name}}); }

    void entry() {
        if (reason_.constant(w_.audience_) == always::no) add("workflow.audience", ".audience", "the audience is never yes, so nobody enters; change it, or take it out");
        else if (const auto* in = std::get_if<enters_trigger>(&w_.trigger); in != nullptr && reason_.exclude({w_.audience_, segment_of(in->segment)}))
            add("workflow.audience", ".audience", "nobody in the audience is in the segment \"" + in->segment + "\", so who enters it is never let in; change one of them");
        else if (const auto* left = std::get_if<leaves_trigger>(&w_.trigger); left != nullptr && reason_.implies(w_.audience_, segment_of(left->segment)))
            add("workflow.audience", ".audience", "all of the audience are in the segment \"" + left->segment + "\", so who leaves it is never let in; change one of them");
        if (const auto* e = std::get_if<event_trigger>(&w_.trigger); e != nullptr && reason_.constant(e->selector.data().where) == always::no)
            add("workflow.trigger", ".trigger", "the filter of the trigger is never yes, so no journey ever begins; change it, or take it out");
    }
    void ends(bool started) {
        expression enters = w_.audience_;
        if (const auto* e = std::get_if<event_trigger>(&w_.trigger); e != nullptr && !started && !e->selector.data().without) {
            const auto& s = e->selector.data();
            enters = enters.empty() ? e->selector.did() : enters && e->selector.did();
            if (!s.prefix && !s.where.empty()) enters = enters && event(s.event).did();
        }
        const auto look = [&](const expression& e, const char* what, const std::string& done) {
            if (e.empty()) return;
            if (reason_.constant(e) == always::no) add("workflow.goal", std::string{"."} + what, std::string{"the "} + what + " can never be met: it is never yes; change it, or take it out");
            else if (reason_.constant(e) == always::yes || reason_.implies(enters, e)) add("workflow.goal", std::string{"."} + what, std::string{"whoever may enter "} + done + " already, so every journey ends at once; ask for what happens later, such as `since entry`");
        };
        look(w_.goal_, "goal", "has met the goal");
        look(w_.exit_, "exit", "is to leave");
    }

    /// Consents that a send on the channel needs.
    std::vector<expression> needed(const std::string& channel, const send_step& s) const {
        std::vector<expression> out;
        for (const auto& [name, e] : policies_.consent)
            if (s.transactional ? name == channel + ".transactional" : name == channel || (!s.topic.empty() && name == channel + "." + s.topic)) out.push_back(e);
        return out;
    }
    void channels(const std::string& step, const send_step& s) {
        const auto key = ".steps." + step + ".send";
        if (!s.transactional && !policies_.holdout.empty() && (reason_.constant(policies_.holdout) == always::yes || reason_.implies(w_.audience_, policies_.holdout)))
            add("workflow.channel", key, "all of the audience are held out, so this is never sent; change the holdout or the audience");
        if (s.preferred || s.channels.empty()) return;
        const auto out_of_reach = [&](const std::string& channel) {
            auto all = needed(channel, s);
            if (all.empty()) return false;
            all.push_back(w_.audience_);
            return reason_.exclude(all);
        };
        if (std::all_of(s.channels.begin(), s.channels.end(), out_of_reach))
            add("workflow.channel", key, "the audience cannot get this: nobody in it consents to " + s.channels[0] + (s.channels.size() > 1 ? " or any other channel here" : "") + "; change the channel, the audience or the consent");
    }

    // ---- windows shorter than the wait before them
    void looking_back() {
        const auto ways = named_ways_of(w_);
        for (std::size_t k = 0; k < w_.steps.size(); ++k) {
            const auto& s = w_.steps[k].second;
            const auto* wait = std::get_if<wait_step>(&s.kind());
            const auto* awaits = std::get_if<wait_for_step>(&s.kind());
            const auto took = wait != nullptr ? wait->duration : awaits != nullptr ? awaits->timeout : std::nullopt;
            if (!took || !took->is_fixed()) continue;
            std::set<std::size_t> seen;
            for (const auto& way : ways[k]) if (wait != nullptr || way.outcome == "timeout") looked_at_after(k, *took, way.to, ways, seen);
        }
    }
    /// `took` lasted the wait at step `waited`; what comes after it without another wait.
    void looked_at_after(std::size_t waited, const length& took, std::size_t at, const std::vector<std::vector<named_way>>& ways, std::set<std::size_t>& seen) {
        if (at >= w_.steps.size() || !seen.insert(at).second) return;
        const auto& [name, s] = w_.steps[at];
        const auto look = [&](const expression& e, const std::string& key) {
            detail::each_node(e, [&](const node& n) {
                for (const auto& x : n.selectors)
                    if (x.window.kind == window_kind::last && x.window.last.is_fixed() && x.window.last.fixed < took.fixed && reported_.insert(key + "/" + x.event).second)
                        add("workflow.window", key, "this looks back " + to_text(x.window.last) + ", but the wait at \"" + w_.steps[waited].first + "\" before it takes " + to_text(took) + ", so what \"" + x.event + "\" did in its first " + to_text(length{took.fixed - x.window.last.fixed}) +
                            " is not seen; widen the window, or write `since step(\"" + w_.steps[waited].first + "\")`");
            });
        };
        if (const auto* b = std::get_if<branch_step>(&s.kind())) {
            for (std::size_t i = 0; i < b->choices.size(); ++i) look(b->choices[i].first, ".steps." + name + ".branch." + std::to_string(i) + ".if");
        } else if (const auto* f = std::get_if<wait_for_step>(&s.kind())) {
            for (std::size_t i = 0; i < f->outcomes.size(); ++i) look(f->outcomes[i].when, ".steps." + name + (f->single ? ".wait_for" : ".wait_for." + std::to_string(i)));
            return;
        } else if (std::holds_alternative<wait_step>(s.kind())) {
            return;
        }
        for (const auto& way : ways[at]) looked_at_after(waited, took, way.to, ways, seen);
    }

    // ---- sends that find a cap full on every way to them
    void full_cap(std::size_t k) {
        const auto& cap = policies_.caps[k];
        const auto* per = std::get_if<length>(&cap.per);
        if (per == nullptr || !per->is_fixed() || cap.defer || cap.at_most <= 0) return;
        const auto counts = [&](const step& s) {
            const auto* send = std::get_if<send_step>(&s.kind());
            return send != nullptr && !send->transactional && (cap.channel.empty() || (send->channels.size() == 1 && send->channels[0] == cap.channel));
        };
        // For each step the ages, at the most, of the sends before it that the cap still counts: one list a way.
        using ages = std::vector<std::int64_t>;
        constexpr std::size_t most_ways = 64;
        const auto ways = ways_of(w_);
        std::vector<std::set<ages>> before(w_.steps.size());
        for (std::size_t i = 0; i < w_.steps.size(); ++i) if (w_.steps[i].first == w_.first) before[i].insert(ages{});
        for (const auto i : in_order(ways)) {
            const auto& [name, s] = w_.steps[i];
            if (before[i].empty() || before[i].size() > most_ways) return;
            const bool sends = counts(s);
            const auto full = [&](const ages& a) { return a.size() >= static_cast<std::size_t>(cap.at_most); };
            if (sends && std::all_of(before[i].begin(), before[i].end(), full))
                add("workflow.cap", ".steps." + name + ".send", "on every way to this send the cap of " + std::to_string(cap.at_most) + " per " + to_text(*per) + (cap.channel.empty() ? "" : " by " + cap.channel) +
                    " is full when those before it were sent, so it is suppressed; wait longer, widen the cap, or let it `defer`");
            const auto stays = longest_stay(s);
            for (auto a : before[i]) {
                if (sends && !full(a)) a.push_back(0);
                for (auto& age : a) age = stays > per->fixed.count() - age ? per->fixed.count() : age + stays;
                std::erase_if(a, [&](std::int64_t age) { return age >= per->fixed.count(); });
                for (const auto to : ways[i]) if (to < before.size()) before[to].insert(a);
            }
        }
    }
    /// Steps that can be reached, each after those that lead to it.
    std::vector<std::size_t> in_order(const std::vector<std::vector<std::size_t>>& ways) const {
        std::vector<std::size_t> out;
        std::vector<bool> seen(ways.size(), false);
        const auto visit = [&](const auto& self, std::size_t k) -> void {
            if (k >= seen.size() || seen[k]) return;
            seen[k] = true;
            for (const auto to : ways[k]) self(self, to);
            out.push_back(k);
        };
        for (std::size_t k = 0; k < w_.steps.size(); ++k) if (w_.steps[k].first == w_.first) visit(visit, k);
        std::reverse(out.begin(), out.end());
        return out;
    }

    const workflow& w_;
    const policies& policies_;
    const reasoning& reason_;
    problems& out_;
    std::string place_;
    std::set<std::string> reported_;
};

}  // namespace

void check_sense(const workflow& w, const policies& p, const reasoning& r, bool started, problems& out) { sense_check{w, p, r, started, out}; }

}  // namespace journeyman
