// Choices that are never taken, waits that cannot end, policies that block for ever.

#include <algorithm>
#include <array>

#include "workflow/graph.hpp"

namespace journeyman {
namespace {

class choice_check {
public:
    choice_check(const workflow& w, const reasoning& reason, problems& out) : reason_{reason}, out_{out} {
        for (const auto& [name, s] : w.steps) {
            place_ = "workflows." + w.name + ".steps." + name;
            if (const auto* b = std::get_if<branch_step>(&s.kind())) branch(*b);
            if (const auto* f = std::get_if<wait_for_step>(&s.kind())) wait(*f);
            if (const auto* p = std::get_if<split_step>(&s.kind())) split(*p);
        }
    }

private:
    void add(const char* code, const std::string& key, std::string message) { out_.add({code, place_ + key, std::move(message), severity::warning}); }

    bool can_happen(const wait_outcome& o) const { return (o.event ? reason_.constant(o.event->data().where) : reason_.constant(o.when)) != always::no; }
    void branch(const branch_step& b) {
        std::size_t decided = b.choices.size();
        for (std::size_t k = 0; k < b.choices.size(); ++k) {
            const auto key = ".branch." + std::to_string(k) + ".if";
            const auto& [when, then] = b.choices[k];
            std::size_t earlier = 0;                       // that is yes whenever this one is
            while (earlier < k && (when.empty() || !reason_.implies(when, b.choices[earlier].first))) ++earlier;
            if (decided < k) add("workflow.choice", key, "this is never asked: choice " + std::to_string(decided) + " (from 0) is always taken; take one of them out");
            else if (reason_.constant(when) == always::no) add("workflow.choice", key, "this is never yes, so the choice is never taken; change it, or take it out");
            else if (earlier < k && b.choices[earlier].first.equals(when)) add("workflow.choice", key, "an earlier choice asks the same, so this one is never taken; change it, or take it out");
            else if (earlier < k) add("workflow.choice", key, "choice " + std::to_string(earlier) + " (from 0) is yes whenever this is, so this one is never taken; put it before, or take it out");
            if (decided == b.choices.size() && reason_.constant(when) == always::yes) decided = k;
        }
        if (decided < b.choices.size() && !b.otherwise.empty()) add("workflow.choice", ".else", "choice " + std::to_string(decided) + " (from 0) is always taken, so `else` never is; a branch that does not branch can be left out");
    }
    void wait(const wait_for_step& f) {
        for (std::size_t k = 0; k < f.outcomes.size(); ++k)
            if (!can_happen(f.outcomes[k])) add("workflow.choice", f.single ? ".wait_for" : ".wait_for." + std::to_string(k), "what is awaited here never comes true; change it, or take it out");
        if (!f.timeout && !f.outcomes.empty() && std::none_of(f.outcomes.begin(), f.outcomes.end(), [&](const auto& o) { return can_happen(o); })) add("workflow.wait", ".wait_for", "this wait cannot end: nothing of what it waits for can happen, and it has no timeout; add `timeout`");
    }
    void split(const split_step& p) {
        for (std::size_t k = 0; k < p.choices.size(); ++k)
            if (p.choices[k].first == 0) add("workflow.choice", ".split." + std::to_string(k) + ".weight", "a weight of 0 is never taken; give it a share, or take it out");
    }

    const reasoning& reason_;
    problems& out_;
    std::string place_;
};

constexpr std::size_t minutes_of_week = 7 * 24 * 60;

}  // namespace

void check_choices(const workflow& w, const reasoning& reason, problems& out) { choice_check{w, reason, out}; }

void check_policies(const policies& p, problems& out) {
    for (std::size_t k = 0; k < p.caps.size(); ++k)
        if (p.caps[k].at_most == 0)
            out.add({"policy.blocks", "policies.caps." + std::to_string(k) + ".at_most", "a cap of 0 suppresses every send" + (p.caps[k].channel.empty() ? std::string{} : " by " + p.caps[k].channel) + "; give it room, or take it out", severity::warning});
    std::vector<std::string> channels{""};
    for (const auto& q : p.quiet) if (std::find(channels.begin(), channels.end(), q.channel) == channels.end()) channels.push_back(q.channel);
    bool everywhere = false;
    for (const auto& channel : channels) {
        std::array<bool, minutes_of_week> quiet{};
        for (const auto& q : p.quiet) {
            if (!q.channel.empty() && q.channel != channel) continue;
            const int length = q.to.minutes > q.from.minutes ? q.to.minutes - q.from.minutes : q.to.minutes + 24 * 60 - q.from.minutes;
            for (unsigned d = 0; d < 7; ++d) {
                if (!q.on.empty() && std::find(q.on.begin(), q.on.end(), std::chrono::weekday{d}) == q.on.end()) continue;
                for (int m = 0; m < length; ++m) quiet[(d * 24 * 60 + static_cast<unsigned>(q.from.minutes + m)) % minutes_of_week] = true;
            }
        }
        if (!everywhere && std::all_of(quiet.begin(), quiet.end(), [](bool x) { return x; })) {
            everywhere = channel.empty();
            out.add({"policy.blocks", "policies.quiet_hours", "quiet hours cover the whole week" + (channel.empty() ? std::string{} : " for " + channel) + ", so nothing is ever sent; leave a time to send", severity::warning});
        }
    }
}

}  // namespace journeyman
