#include "workflow/keeping.hpp"

#include <algorithm>

#include "journeyman/core/zone.hpp"

namespace journeyman {
namespace {

void add_window(const program& p, const compiled_window& w, stream_keeping& k) {
    switch (w.kind) {
        case window_kind::last: k.last.push_back(w.last); return;
        case window_kind::this_unit: k.units.emplace_back(w.unit, 0); return;
        case window_kind::previous_unit: k.units.emplace_back(w.unit, -1); return;
        case window_kind::since_entry:
        case window_kind::since_step: k.journeys = true; return;
        case window_kind::since:
        case window_kind::between: {
            const auto& from = p.nodes[w.from];
            if (from.kind != node_kind::literal || from.constant.is_missing()) break;
            k.since = std::min(k.since, from.constant.type == value_type::day ? start_of(from.constant.as_day(), *p.zone) : from.constant.as_instant());
            return;
        }
        case window_kind::all:
        case window_kind::before: break;
    }
    k.always = true;
}

class keeping {
public:
    explicit keeping(const workflow_program& w) : p_{*w.predicates}, out_(p_.streams.size()) {
        for (const auto& n : p_.nodes) {
            if (n.kind == node_kind::aggregate)
                for (std::uint32_t k = 0; k < std::max(n.slots, 1U); ++k) counted(p_.selectors[n.slot + k]);
            if (n.kind == node_kind::call && n.function == function::first_ever)
                for (auto& k : out_) k.always = true;
        }
        // What starts a journey is kept with it, and an awaited event ends its wait when it comes: only what could cross them is looked for later.
        for (const auto& f : w.workflows) {
            if (f.trigger.kind == compiled_trigger::event && f.trigger.selector != none) crossing(p_.selectors[f.trigger.selector], p_.selectors[f.trigger.selector].window);
            for (const auto& s : f.steps)
                for (const auto& o : s.outcomes) {
                    if (o.event == none || o.plain) continue;
                    const compiled_window since_entry{.kind = window_kind::since_entry};
                    for (const auto slot : p_.selectors[o.event].streams) add_window(p_, since_entry, out_[slot]);
                    crossing(p_.selectors[o.event], since_entry);
                }
        }
    }
    std::vector<stream_keeping> out() { return std::move(out_); }

private:
    void counted(const compiled_selector& s) {
        for (const auto slot : s.streams) add_window(p_, s.window, out_[slot]);
        crossing(s, s.window);
    }
    /// A B that crosses an A comes after it.
    void crossing(const compiled_selector& s, const compiled_window& window) {
        if (s.without == none) return;
        for (const auto slot : p_.selectors[s.without].streams) add_window(p_, window, out_[slot]);
    }

    const program& p_;
    std::vector<stream_keeping> out_;
};

}  // namespace

std::vector<stream_keeping> keeping_of(const workflow_program& w) { return keeping{w}.out(); }

std::vector<bool> keeps_changes_of(const program& p) {
    std::vector<bool> out(p.attributes.size(), false);
    for (const auto& n : p.nodes)
        if (n.kind == node_kind::call && n.function == function::changed_time) out[n.slot] = true;
    return out;
}

bool keeps(const stream_keeping& k, const program& p, instant event, instant now, instant first_entry) {
    if (k.always || event >= k.since || (k.journeys && event >= first_entry)) return true;
    return std::any_of(k.last.begin(), k.last.end(), [&](const length& d) { return add(event, d, *p.zone) > now; }) ||
           std::any_of(k.units.begin(), k.units.end(), [&](const auto& u) { return event >= (u.second == 0 ? start_of(u.first, now, *p.zone, p.weeks) : start_of_next(u.first, now, *p.zone, u.second, p.weeks)); });
}

}  // namespace journeyman
