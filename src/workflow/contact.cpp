#include "journeyman/workflow/contact.hpp"

#include <algorithm>
#include <cmath>

#include "journeyman/core/error.hpp"
#include "journeyman/workflow/upgrade.hpp"
#include "workflow/contact_states.hpp"
#include "workflow/keeping.hpp"
#include "workflow/machine.hpp"

namespace journeyman {
namespace {

[[noreturn]] void mismatch(const std::string& place, const scalar& s, value_type wanted) {
    throw error{"type.mismatch", place, "\"" + to_text(s) + "\" is " + std::string{to_string(type_of(s))} + ", not " + std::string{to_string(wanted)} + "; give a value of that type, or declare another under `types`"};
}

/// As the program knows it.
value typed(const scalar& s, value_type wanted, const std::string& place, text_pool& pool) {
    const auto have = type_of(s);
    if (have == value_type::missing || wanted == value_type::missing || have == wanted) return intern(s, pool);
    const auto* whole = std::get_if<std::int64_t>(&s);
    const auto* part = std::get_if<double>(&s);
    if (wanted == value_type::decimal && whole != nullptr) return value::of(static_cast<double>(*whole));
    if (wanted == value_type::integer && part != nullptr && std::fabs(*part) < 9e15 && *part == std::trunc(*part)) return value::of(static_cast<std::int64_t>(*part));
    if (wanted == value_type::money && whole != nullptr && std::abs(*whole) < 90'000'000'000'000) return value::of(value_type::money, *whole * minor_units);
    if (wanted == value_type::money && part != nullptr && std::fabs(*part) < 9e13) return value::of(value_type::money, std::llround(*part * minor_units));
    if (const auto* text = std::get_if<std::string>(&s)) {
        day d;
        parsed_instant i;
        length l;
        if (wanted == value_type::day && parse_day(*text, d)) return value::of(d);
        if (wanted == value_type::instant && parse_instant(*text, i) && i.had_zone) return value::of(i.at);
        if (wanted == value_type::duration && parse_length(*text, l) && l.is_fixed()) return value::of(l.fixed);
    }
    mismatch(place, s, wanted);
}

}  // namespace

/// Shows a state to the machine, and takes what comes of it.
class contact_runner final : contact_world, journey_sink {
public:
    contact_runner(workflow_program_ptr w, const contact_state& s) : contact_world{w->predicates}, w_{std::move(w)}, p_{*w_->predicates}, state_{s.program_ == nullptr || s.program_ == w_ ? s : contact_state::from_json(s.to_json(), w_)} {
        state_.program_ = w_;
        view_.id = state_.id_;
        view_.exists_from = state_.exists_from_.value_or(end_of_time);
        for (const auto& e : state_.events_) {
            own_stream(e.slot);
            own_streams_[e.slot].insert(e.place, cells_of(e));
        }
        for (std::uint32_t k = 0; k < streams_.size(); ++k) if (own_streams_[k].used()) own_streams_[k].show(streams_[k]);
        for (const auto& c : state_.changes_) show_change(c);
        for (const auto& t : state_.triggers_) remember(t.slot, t.place, cells_of(t));
        if (!state_.unarmed_.empty()) {
            detail::machine machine{*w_, state_.journeys_, *this, *this};
            for (const auto k : std::exchange(state_.unarmed_, {})) machine.arm(k, state_.now_);
        }
    }

    void see(const input& in) {
        const auto come = understood(in);
        exist(in.at);
        take(come, {in.at, state_.late_++});
        settle(in.at);
    }
    void begin(instant start) {
        if (state_.exists_from_) {
            detail::machine{*w_, state_.journeys_, *this, *this}.begin(start);
            state_.begun_ = true;
        }                                                  // who does not exist yet begins with the first input
        settle(start);
    }
    void advance(const input& in) {
        const auto come = understood(in);
        const instant now = std::max({in.at, in.arrived.value_or(in.at), state_.now_});
        if (now == beginning_of_time) throw error{"input.instant", "at", "an input needs an instant; what a contact always had is for `see`, before it begins"};
        const bool tick = in.kind == input::kinds::tick, fresh = !state_.exists_from_;
        if (tick && fresh) return settle(now);             // nobody is there yet
        exist(now);
        if (!state_.begun_) begin(fresh ? add_saturated(now, microseconds{-1}) : now);
        detail::machine machine{*w_, state_.journeys_, *this, *this};
        for (instant t; (t = next_timer(*w_, state_.journeys_)) < now || (tick && t == now && t != end_of_time);) machine.timers(t);
        if (!tick) {
            seen_input seen;
            seen.place = place_after(state_.journeys_, {now, 0});
            const bool late = in.at < now;
            const auto what = take(come, late ? position{in.at, first_late + state_.late_++} : seen.place);
            seen.event = what.event;
            seen.attributes = what.attributes;
            if (seen.event || !seen.attributes.empty()) machine.input(seen);
        }
        settle(now);
    }
    void resume(const std::vector<std::pair<running_journey, landing>>& moved, instant at) {
        const instant now = std::max(at, state_.now_);
        detail::machine machine{*w_, state_.journeys_, *this, *this};
        for (const auto& [j, l] : moved) {
            if (l.how == landing::unchanged) continue;
            for (std::uint32_t k = 0; k < w_->workflows.size(); ++k) if (w_->workflows[k].name == j.workflow) machine.resume(k, j.number, now, l.how == landing::enters);
        }
        settle(now);
    }
    contact_state state() && { return std::move(state_); }
    std::vector<action> actions;

private:
    using row = contact_state::row;
    struct understood_input { std::vector<row> rows; bool event = false; };
    struct taken { event_ref event; std::vector<std::uint32_t> attributes; };

    std::span<const value> cells_of(const row& r) {
        row_cells_.assign(p_.properties.size(), value{});
        for (const auto& [slot, v] : r.cells) row_cells_[slot] = v;
        return row_cells_;
    }
    void show_change(const row& c) {
        own_attribute(c.slot);
        if (c.place.at == beginning_of_time) attributes_[c.slot].base = c.cells[0].second;
        else put_change(c.slot, c.place, c.cells[0].second);
    }

    /// What the program can see of it, with types; throws before anything is touched.
    understood_input understood(const input& in) const {
        understood_input out;
        const auto type_in = [](const auto& names, const std::string& name) {
            const auto it = names.find(name);
            return it == names.end() ? value_type::missing : it->second;
        };
        if (in.kind == input::kinds::event) {
            const auto slot = p_.stream_slot(in.name);
            if (slot == none) return out;
            out.event = true;
            out.rows.push_back({slot, {}, {}});
            const auto known = w_->known.events.find(in.name);
            for (const auto& [name, v] : in.values)
                if (const auto c = p_.property_slot(name); c != none)
                    if (const value x = typed(v, known == w_->known.events.end() ? value_type::missing : type_in(known->second, name), in.name + "." + name, *p_.pool); !x.is_missing()) out.rows[0].cells.emplace_back(c, x);
        } else if (in.kind != input::kinds::tick) {
            const bool account = in.kind == input::kinds::account;
            for (const auto& [name, v] : in.values)
                if (const auto slot = p_.attribute_slot(account, name); slot != none)
                    out.rows.push_back({slot, {}, {{0, typed(v, type_in(account ? w_->known.account : w_->known.contact, name), (account ? "account." : "contact.") + name, *p_.pool)}}});
        }
        return out;
    }
    void exist(instant now) {
        if (!state_.exists_from_) state_.exists_from_ = now;
        view_.exists_from = *state_.exists_from_;
    }

    taken take(const understood_input& in, position place) {
        taken out;
        for (const auto& r : in.rows) {
            auto& kept = (in.event ? state_.events_ : state_.changes_).emplace_back(r);
            kept.place = place;
            if (in.event) {
                own_stream(r.slot);
                out.event = put_event(r.slot, place, cells_of(r));
            } else {
                show_change(kept);
                out.attributes.push_back(r.slot);
            }
        }
        return out;
    }

    // ---- what comes out
    void act(const step_action& a, const contact_view&) override {
        const auto& w = w_->workflows[a.workflow];
        const auto& s = w.steps[a.step];
        action out;
        out.contact = state_.id_;
        out.workflow = w.name;
        out.version = w.version;
        out.step = s.name;
        out.phase = s.phase;
        out.kind = kind_name(s.kind);
        if (a.channel != none) out.channel = w_->channels[a.channel];
        out.template_name = template_of(s);
        out.journey = a.journey;
        out.status = a.status;
        out.reason = a.reason;
        out.at = a.at.at;
        const auto* task = std::get_if<task_step>(&s.kind);
        if (task != nullptr) out.owner = task->owner;
        if (a.until != end_of_time) (task != nullptr ? out.due : out.until) = a.until;
        for (std::size_t k = 0; k < s.with.size(); ++k) out.values.emplace_back(s.with[k].first, to_scalar(a.values[k], *p_.pool));
        out.key = action_key(w, state_.id_, a.journey, s);
        actions.push_back(std::move(out));
    }
    void leave(const stay&, const contact_view&) override {}
    void end(const journey_state&, const value&, instant) override {}
    void emitted(std::uint32_t stream, position at, std::span<const std::uint32_t> properties, std::span<const value> cells) override {
        auto& r = state_.events_.emplace_back(row{stream, at, {}});
        for (std::size_t k = 0; k < properties.size(); ++k) if (!cells[k].is_missing()) r.cells.emplace_back(properties[k], cells[k]);
    }
    void changed(std::uint32_t attribute, position at, const value& v) override { state_.changes_.push_back({attribute, at, {{0, v}}}); }

    // ---- what is left
    void settle(instant now) {
        state_.now_ = std::max(state_.now_, now);
        instant first_entry = end_of_time;
        for (const auto& j : state_.journeys_.running) first_entry = std::min(first_entry, j.entered);
        if (state_.begun_) std::erase_if(state_.events_, [&](const row& e) { return !keeps(w_->keeps[e.slot], p_, e.place.at, state_.now_, first_entry); });
        forget_changes();
        keep_triggers();
        state_.due_ = state_.begun_ ? next_timer(*w_, state_.journeys_) : end_of_time;
    }
    void forget_changes() {
        auto& all = state_.changes_;
        std::stable_sort(all.begin(), all.end(), [](const row& a, const row& b) { return std::tie(a.slot, a.place) < std::tie(b.slot, b.place); });
        std::vector<row> left;
        for (auto& c : all) {
            const bool same = !left.empty() && left.back().slot == c.slot;
            if (same && !w_->keeps_changes[c.slot]) left.back() = std::move(c);
            else left.push_back(std::move(c));
        }
        all = std::move(left);
    }
    /// Those that running journeys and triggers remember.
    void keep_triggers() {
        std::vector<std::pair<kept_event, kept_event>> moved;
        std::vector<row> left;
        const auto keep = [&](kept_event& k) {
            if (!k) return;
            const auto it = std::find_if(moved.begin(), moved.end(), [&](const auto& m) { return m.first == k; });
            if (it != moved.end()) {
                k = it->second;
                return;
            }
            const auto e = event(k);
            row r{e.slot, e.place(), {}};
            for (std::uint32_t c = 0; c < p_.properties.size(); ++c) if (const value v = e.property(c); !v.is_missing()) r.cells.emplace_back(c, v);
            const auto before = static_cast<std::uint32_t>(std::count_if(left.begin(), left.end(), [&](const row& x) { return x.slot == e.slot; }));
            left.push_back(std::move(r));
            const kept_event now{k.slot, before};
            moved.emplace_back(k, now);
            k = now;
        };
        for (auto& j : state_.journeys_.running) keep(j.trigger);
        for (auto& e : state_.journeys_.pending) keep(e.event);
        state_.triggers_ = std::move(left);
    }

    workflow_program_ptr w_;
    const program& p_;
    contact_state state_;
    std::vector<value> row_cells_;
};

std::vector<running_journey> contact_state::journeys() const {
    std::vector<running_journey> out;
    for (const auto& j : journeys_.running) {
        const auto& w = program_->workflows[j.workflow];
        out.push_back({id_, w.name, w.version, w.steps[j.step].name, j.number, w.reentry.kind == reentry_rule::each ? program_->predicates->properties[w.each] : std::string{}, j.entered, j.reached_at, j.deadline == end_of_time ? std::nullopt : std::optional{j.deadline}});
    }
    return out;
}

instant advance(const workflow_program_ptr& w, contact_state& s, const input& in, const std::function<void(const action&)>& sink) {
    contact_runner run{w, s};
    run.advance(in);
    for (const auto& a : run.actions) sink(a);
    s = std::move(run).state();
    return s.next_due();
}
instant upgrade(const workflow_program_ptr& to, contact_state& s, instant at, const step_moves& moves, const std::function<void(const action&)>& sink) {
    if (s.program_ == nullptr) return s.next_due();
    std::vector<std::pair<running_journey, landing>> landings;
    for (auto& j : s.journeys()) {
        auto l = land(*s.program_, *to, j, moves);
        if (l.how == landing::refused) throw error{"upgrade.refused", "workflows." + j.workflow + ".steps." + j.step, "journey " + std::to_string(j.number) + " of contact \"" + s.id() + "\" has no place to land: " + l.reason};
        landings.emplace_back(std::move(j), std::move(l));
    }
    contact_runner run{to, contact_states::moved(s, to, landings, moves)};
    run.resume(landings, at);
    for (const auto& a : run.actions) sink(a);
    s = std::move(run).state();
    return s.next_due();
}
void see(const workflow_program_ptr& w, contact_state& s, const input& in) {
    contact_runner run{w, s};
    run.see(in);
    s = std::move(run).state();
}
void begin(const workflow_program_ptr& w, contact_state& s, instant start) {
    contact_runner run{w, s};
    run.begin(start);
    s = std::move(run).state();
}

}  // namespace journeyman
