// The state of one contact as JSON: names for numbers, values with their types.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "journeyman/core/error.hpp"
#include "workflow/contact_states.hpp"

namespace journeyman {
namespace {

using json = nlohmann::ordered_json;

[[noreturn]] void broken(const std::string& what) { throw error{"state.json", "", "this is no saved state: " + what}; }

json instant_json(instant t) { return t.time_since_epoch().count(); }
instant instant_of(const json& j) { return instant{microseconds{j.get<std::int64_t>()}}; }
json place_json(position p) { return {instant_json(p.at), p.order}; }
position place_of(const json& j) { return {instant_of(j.at(0)), j.at(1).get<std::uint32_t>()}; }

/// [type, value], or null. A decimal keeps its bits: JSON numbers are read back as they were written.
json value_json(const value& v, const text_pool& pool) {
    if (v.is_missing()) return nullptr;
    json x;
    if (v.type == value_type::text) x = pool.view(v.as_text());
    else if (v.type == value_type::text_list) {
        x = json::array();
        for (const auto t : pool.list(v.as_list())) x.push_back(pool.view(t));
    } else if (v.type == value_type::decimal) x = v.d;
    else x = v.i;
    return {to_string(v.type), std::move(x)};
}
value value_of(const json& j, text_pool& pool) {
    if (j.is_null()) return {};
    const auto type = parse_value_type(j.at(0).get<std::string>());
    const auto& x = j.at(1);
    if (type == value_type::text) return value::of(pool.intern(x.get<std::string>()));
    if (type == value_type::text_list) {
        std::vector<text_id> items;
        for (const auto& t : x) items.push_back(pool.intern(t.get<std::string>()));
        return value::of(pool.intern_list(items));
    }
    if (type == value_type::missing) broken("no value has the type " + j.at(0).dump());
    return type == value_type::decimal ? value::of(x.get<double>()) : value::of(type, x.get<std::int64_t>());
}

}  // namespace

/// Of one text.
struct contact_states::reader {
    static std::string to_json(const contact_state& s) {
        json out{{"state", 1}, {"contact", s.id_}};
        if (s.exists_from_) out["exists_from"] = instant_json(*s.exists_from_);
        out["begun"] = s.begun_;
        out["now"] = instant_json(s.now_);
        out["late"] = s.late_;
        if (s.program_ == nullptr) return out.dump();
        const auto& w = *s.program_;
        const auto& p = *w.predicates;
        const auto events = [&](const std::vector<contact_state::row>& rows) {
            json all = json::array();
            for (const auto& r : rows) {
                json properties = json::object();
                for (const auto& [slot, v] : r.cells) properties[p.properties[slot]] = value_json(v, *p.pool);
                all.push_back({{"event", p.streams[r.slot]}, {"at", place_json(r.place)}, {"properties", std::move(properties)}});
            }
            return all;
        };
        out["events"] = events(s.events_);
        out["triggers"] = events(s.triggers_);
        out["attributes"] = json::array();
        for (const auto& r : s.changes_) {
            const auto& a = p.attributes[r.slot];
            out["attributes"].push_back({{"name", (a.of_account ? "account." : "contact.") + a.name}, {"at", place_json(r.place)}, {"value", value_json(r.cells[0].second, *p.pool)}});
        }
        const auto& js = s.journeys_;
        const auto trigger = [&](kept_event e) { return e ? json(index_of(s, e)) : json(nullptr); };
        out["journeys"] = json::array();
        for (const auto& j : js.running) {
            const auto& f = w.workflows[j.workflow];
            json x{{"workflow", f.name}, {"version", f.version}, {"number", j.number}, {"step", f.steps[j.step].name}, {"entered", place_json(j.entry())}, {"reached", place_json(j.reached())},
                   {"deadline", instant_json(j.deadline)}, {"next", instant_json(j.next)}, {"deferred", j.deferred != 0}, {"trigger", trigger(j.trigger)}};
            if (j.zone != none) x["zone"] = p.pool->view(static_cast<text_id>(j.zone));
            if (w.keeps_steps)
                for (std::size_t k = 0; k < f.steps.size(); ++k)
                    if (const auto at = js.steps[j.steps + k]; at.at != end_of_time) x["steps"][f.steps[k].name] = place_json(at);
            out["journeys"].push_back(std::move(x));
        }
        out["workflows"] = json::object();
        for (std::size_t k = 0; k < js.workflows.size(); ++k) {
            const auto& m = js.workflows[k];
            json each = json::array();
            for (const auto& v : m.each) each.push_back(value_json(v, *p.pool));
            out["workflows"][w.workflows[k].name] = {{"version", w.workflows[k].version}, {"journeys", m.journeys}, {"last_entry", instant_json(m.last_entry)}, {"in", m.in}, {"next", instant_json(m.next)}, {"fired", instant_json(m.fired)}, {"each", std::move(each)}};
        }
        out["pending"] = json::array();
        for (const auto& e : js.pending) out["pending"].push_back({{"workflow", w.workflows[e.workflow].name}, {"event", trigger(e.event)}, {"due", instant_json(e.due)}});
        out["sends"] = json::array();
        for (const auto& x : js.sends) out["sends"].push_back({instant_json(x.at), w.channels[x.channel]});
        out["last"] = place_json(js.last);
        out["caused"] = js.caused;
        return out.dump(-1, ' ', false, json::error_handler_t::replace);
    }

    static contact_state from_json(std::string_view text, const workflow_program_ptr& program) {
        try {
            return read(json::parse(text), program);
        } catch (const json::exception& e) {
            broken(e.what());
        }
    }

    /// Where it stands among all triggers.
    static std::size_t index_of(const contact_state& s, kept_event e) {
        std::uint32_t row = 0;
        for (std::size_t k = 0; k < s.triggers_.size(); ++k)
            if (s.triggers_[k].slot == contact_world::slot_of(e) && row++ == e.row) return k;
        return s.triggers_.size();
    }
    static contact_state read(const json& j, const workflow_program_ptr& program) {
        if (j.value("state", 0) != 1) broken("it does not say `\"state\": 1`");
        contact_state s{j.at("contact").get<std::string>()};
        s.program_ = program;
        if (j.contains("exists_from")) s.exists_from_ = instant_of(j["exists_from"]);
        s.begun_ = j.at("begun").get<bool>();
        s.now_ = instant_of(j.at("now"));
        s.late_ = j.at("late").get<std::uint32_t>();
        if (!j.contains("journeys")) return s;
        const auto& w = *program;
        const auto& p = *w.predicates;
        // What the program does not look at is left out.
        std::vector<kept_event> triggers;
        const auto row_of = [&](const json& e, std::uint32_t slot) {
            contact_state::row r{slot, place_of(e.at("at")), {}};
            for (const auto& [name, v] : e.at("properties").items())
                if (const auto c = p.property_slot(name); c != none) r.cells.emplace_back(c, value_of(v, *p.pool));
            return r;
        };
        for (const auto& e : j.at("events"))
            if (const auto slot = p.stream_slot(e.at("event").get<std::string>()); slot != none) s.events_.push_back(row_of(e, slot));
        for (const auto& e : j.at("triggers")) {
            const auto slot = p.stream_slot(e.at("event").get<std::string>());
            if (slot == none) {
                triggers.emplace_back();
                continue;
            }
            const auto before = std::count_if(s.triggers_.begin(), s.triggers_.end(), [&](const auto& r) { return r.slot == slot; });
            triggers.push_back(contact_world::copy_of(slot, static_cast<std::uint32_t>(before)));
            s.triggers_.push_back(row_of(e, slot));
        }
        for (const auto& a : j.at("attributes")) {
            const auto name = a.at("name").get<std::string>();
            const bool account = name.starts_with("account.");
            if (const auto slot = p.attribute_slot(account, std::string_view{name}.substr(8)); slot != none) s.changes_.push_back({slot, place_of(a.at("at")), {{0, value_of(a.at("value"), *p.pool)}}});
        }
        const auto trigger = [&](const json& x) { return x.is_null() ? kept_event{} : triggers.at(x.get<std::size_t>()); };
        const auto number = [&](const std::string& name) {
            std::uint32_t k = 0;
            while (k < w.workflows.size() && w.workflows[k].name != name) ++k;
            return k;
        };
        auto& js = s.journeys_;
        js.workflows.resize(s.begun_ ? w.workflows.size() : 0);
        std::vector<bool> known(w.workflows.size(), false);
        for (const auto& [name, m] : j.at("workflows").items()) {
            const auto k = number(name);
            if (k >= js.workflows.size()) continue;
            known[k] = m.at("version").get<std::string>() == w.workflows[k].version;
            js.workflows[k] = {m.at("journeys").get<std::uint32_t>(), 0, instant_of(m.at("last_entry")), {}, m.at("in").get<bool>(), instant_of(m.at("next")), instant_of(m.at("fired"))};
            for (const auto& v : m.at("each")) js.workflows[k].each.push_back(value_of(v, *p.pool));
        }
        for (std::uint32_t k = 0; k < js.workflows.size(); ++k) if (!known[k]) s.unarmed_.push_back(k);
        for (const auto& x : j.at("journeys")) js.running.push_back(journey(x, w, number(x.at("workflow").get<std::string>()), trigger(x.at("trigger")), js));
        std::stable_sort(js.running.begin(), js.running.end(), [](const auto& a, const auto& b) { return a.workflow < b.workflow; });
        for (const auto& x : js.running) ++js.workflows[x.workflow].running;
        for (const auto& e : j.at("pending"))
            if (const auto k = number(e.at("workflow").get<std::string>()); k < w.workflows.size()) js.pending.push_back({k, trigger(e.at("event")), instant_of(e.at("due"))});
        for (const auto& x : j.at("sends"))
            if (const auto c = std::find(w.channels.begin(), w.channels.end(), x.at(1).get<std::string>()); c != w.channels.end()) js.sends.push_back({instant_of(x.at(0)), static_cast<std::uint32_t>(c - w.channels.begin())});
        js.last = place_of(j.at("last"));
        js.caused = j.at("caused").get<int>();
        s.due_ = s.begun_ ? next_timer(w, js) : end_of_time;
        return s;
    }
    static journey_state journey(const json& x, const workflow_program& w, std::uint32_t k, kept_event trigger, contact_journeys& js) {
        const auto name = x.at("workflow").get<std::string>(), version = x.at("version").get<std::string>(), step = x.at("step").get<std::string>();
        const auto refuse = [&](const std::string& why) { throw error{"state.version", "workflows." + name, "a journey stands at step \"" + step + "\" of version " + version + ", and " + why + "; go on with the playbook it began with, or `upgrade` it"}; };
        if (k == w.workflows.size()) refuse("this playbook has no such workflow");
        const auto& f = w.workflows[k];
        if (f.version != version) refuse("this playbook has version " + f.version);
        journey_state out;
        out.workflow = static_cast<std::uint16_t>(k);
        out.number = x.at("number").get<std::uint32_t>();
        const auto entry = place_of(x.at("entered"));
        out.entered = entry.at;
        out.entered_order = entry.order;
        const auto at = std::find_if(f.steps.begin(), f.steps.end(), [&](const auto& s) { return s.name == step; });
        if (at == f.steps.end()) broken("workflow \"" + name + "\" has no step \"" + step + "\"");
        out.reach(static_cast<std::uint16_t>(at - f.steps.begin()), place_of(x.at("reached")));
        out.deadline = instant_of(x.at("deadline"));
        out.next = instant_of(x.at("next"));
        out.deferred = x.at("deferred").get<bool>() ? 1 : 0;
        out.trigger = trigger;
        if (x.contains("zone")) out.zone = static_cast<std::uint32_t>(w.predicates->pool->intern(x["zone"].get<std::string>()));
        if (w.keeps_steps) {
            out.steps = static_cast<std::uint32_t>(js.steps.size()) & 0x1fff'ffffU;
            for (const auto& s : f.steps) js.steps.push_back(x.contains("steps") && x["steps"].contains(s.name) ? place_of(x["steps"][s.name]) : position{end_of_time, 0});
        }
        return out;
    }
};

std::string contact_states::to_json(const contact_state& s) { return reader::to_json(s); }
contact_state contact_states::from_json(std::string_view text, const workflow_program_ptr& program) { return reader::from_json(text, program); }
contact_state contact_states::moved(const contact_state& s, const workflow_program_ptr& to, const std::vector<std::pair<running_journey, landing>>& landings, const step_moves& moves) {
    auto state = json::parse(reader::to_json(s));
    for (auto& j : state["journeys"])
        for (const auto& [from, l] : landings) {
            if (j["workflow"] != from.workflow || j["number"] != from.number) continue;
            j["version"] = l.version;
            j["step"] = l.step;
            const auto renamed = moves.find(from.workflow);
            if (!j.contains("steps") || renamed == moves.end()) continue;
            json steps = json::object();
            for (const auto& [name, at] : j["steps"].items()) {
                const auto it = renamed->second.find(name);
                steps[it == renamed->second.end() ? name : it->second] = at;
            }
            j["steps"] = std::move(steps);
        }
    return reader::read(state, to);
}

std::string contact_state::to_json() const { return contact_states::to_json(*this); }
contact_state contact_state::from_json(std::string_view text, const workflow_program_ptr& program) { return contact_states::from_json(text, program); }

}  // namespace journeyman
