#include "journeyman/run/run.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <tuple>

#include "run/run_data.hpp"

namespace journeyman {
namespace {

void text_or_missing(table_column& c, std::string_view s) {
    if (s.empty()) c.push_missing();
    else c.push_text(s);
}

std::string json_of(const compiled_step& s, std::span<const value> values, const text_pool& pool) {
    nlohmann::ordered_json out = nlohmann::ordered_json::object();
    for (std::size_t k = 0; k < s.with.size(); ++k) {
        auto& cell = out[s.with[k].first];
        const auto& v = values[k];
        switch (v.type) {
            case value_type::missing: cell = nullptr; break;
            case value_type::boolean: cell = v.i != 0; break;
            case value_type::integer: cell = v.i; break;
            case value_type::decimal:
            case value_type::money: cell = v.as_decimal(); break;
            case value_type::text_list:
                cell = nlohmann::ordered_json::array();
                for (const auto t : pool.list(v.as_list())) cell.push_back(std::string{pool.view(t)});
                break;
            default: cell = to_text(v, pool);
        }
    }
    return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

table make_actions(const run_data& d) {
    const auto& names = d.given.data().contacts;
    const auto& pool = *d.given.data().pool;
    table t{{"contact_id", names.type()}, {"workflow", value_type::text}, {"version", value_type::text}, {"journey", value_type::integer}, {"step", value_type::text}, {"phase", value_type::text},
            {"kind", value_type::text}, {"channel", value_type::text}, {"template", value_type::text}, {"at", value_type::instant}, {"status", value_type::text}, {"reason", value_type::text},
            {"until", value_type::instant}, {"owner", value_type::text}, {"due", value_type::instant}, {"values", value_type::text}, {"key", value_type::text}};
    std::vector<action_row> rows;
    d.each_action([&](std::uint32_t contact, const step_action& a) { rows.push_back({contact, a}); });
    std::vector<std::pair<instant, std::size_t>> order;              // contacts are in order already
    for (const auto& r : rows) order.emplace_back(r.what.at.at, order.size());
    std::sort(order.begin(), order.end());
    for (const auto& [at, r] : order) {
        const auto& [contact, a] = rows[r];
        const auto& w = d.program->workflows[a.workflow];
        const auto& s = w.steps[a.step];
        std::size_t c = 0;
        names.push_to(t[c++], contact);
        t[c++].push_text(w.name);
        t[c++].push_text(w.version);
        t[c++].push_integer(a.journey);
        t[c++].push_text(s.name);
        text_or_missing(t[c++], s.phase);
        t[c++].push_text(kind_name(s.kind));
        text_or_missing(t[c++], a.channel == none ? std::string_view{} : d.program->channels[a.channel]);
        text_or_missing(t[c++], template_of(s));
        t[c++].push(at);
        t[c++].push_text(to_string(a.status));
        text_or_missing(t[c++], to_string(a.reason));
        const auto* task = std::get_if<task_step>(&s.kind);
        if (a.until != end_of_time && task == nullptr) t[c++].push(a.until);
        else t[c++].push_missing();
        text_or_missing(t[c++], task == nullptr ? std::string_view{} : task->owner);
        if (a.until != end_of_time && task != nullptr) t[c++].push(a.until);
        else t[c++].push_missing();
        if (s.with.empty()) t[c++].push_missing();
        else t[c++].push_text(json_of(s, a.values, pool));
        t[c++].push_text(action_key(w, names.name(contact), a.journey, s));
    }
    return t;
}

table make_journeys(const run_data& d) {
    const auto& names = d.given.data().contacts;
    table t{{"contact_id", names.type()}, {"workflow", value_type::text}, {"version", value_type::text}, {"journey", value_type::integer}, {"entered_at", value_type::instant},
            {"left_at", value_type::instant}, {"outcome", value_type::text}, {"at_step", value_type::text}, {"key", value_type::text}};
    std::vector<journey_row> rows;
    d.each_journey([&](const journey_row& j) { rows.push_back(j); });
    std::sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
        return std::tie(a.entered, a.contact, d.program->workflows[a.workflow].name, a.number) < std::tie(b.entered, b.contact, d.program->workflows[b.workflow].name, b.number);
    });
    for (const auto& j : rows) {
        const auto& w = d.program->workflows[j.workflow];
        names.push_to(t[0], j.contact);
        t[1].push_text(w.name);
        t[2].push_text(w.version);
        t[3].push_integer(j.number);
        t[4].push(j.entered);
        if (j.outcome == journey_outcome::running) t[5].push_missing();
        else t[5].push(j.left);
        t[6].push_text(to_string(j.outcome));
        t[7].push_text(w.steps[j.at_step].name);
        if (j.each.is_missing()) t[8].push_missing();
        else t[8].push_text(to_text(j.each, *d.given.data().pool));
    }
    return t;
}

struct step_totals {
    std::int64_t entered = 0, moved = 0, completed = 0, goal = 0, exited = 0, waiting = 0, sent = 0, deferred = 0;
    std::int64_t suppressed[5] = {};
    std::vector<std::int64_t> times;
};

table make_steps(const run_data& d) {
    const auto& workflows = d.program->workflows;
    std::vector<std::vector<step_totals>> totals;
    for (const auto& w : workflows) totals.emplace_back(w.steps.size());
    d.each_stay([&](std::uint32_t, const stay& s) {
        auto& x = totals[s.workflow][s.step];
        ++x.entered;
        if (s.to.at == end_of_time) {
            ++x.waiting;
            return;
        }
        x.times.push_back((s.to.at - s.from.at).count());
        if (s.next != none) ++x.moved;
        else if (s.by == passage::goal) ++x.goal;
        else if (s.by == passage::exited) ++x.exited;
        else ++x.completed;
    });
    d.each_action([&](std::uint32_t, const step_action& a) {
        auto& x = totals[a.workflow][a.step];
        if (a.status == action_status::sent) ++x.sent;
        else if (a.status == action_status::deferred) ++x.deferred;
        else if (a.status == action_status::suppressed) ++x.suppressed[static_cast<std::size_t>(a.reason)];
    });
    table t{{"workflow", value_type::text}, {"step", value_type::text}, {"phase", value_type::text}, {"entered", value_type::integer}, {"moved_on", value_type::integer}, {"completed", value_type::integer},
            {"goal", value_type::integer}, {"exited", value_type::integer}, {"waiting", value_type::integer}, {"sent", value_type::integer}, {"deferred", value_type::integer},
            {"suppressed_consent", value_type::integer}, {"suppressed_holdout", value_type::integer}, {"suppressed_quiet_hours", value_type::integer}, {"suppressed_cap", value_type::integer},
            {"time_p25", value_type::duration}, {"time_p50", value_type::duration}, {"time_p75", value_type::duration}, {"time_p90", value_type::duration}};
    for (std::size_t w = 0; w < workflows.size(); ++w) {
        for (std::size_t k = 0; k < workflows[w].steps.size(); ++k) {
            auto& x = totals[w][k];
            std::sort(x.times.begin(), x.times.end());
            std::size_t c = 0;
            t[c++].push_text(workflows[w].name);
            t[c++].push_text(workflows[w].steps[k].name);
            text_or_missing(t[c++], workflows[w].steps[k].phase);
            for (const auto n : {x.entered, x.moved, x.completed, x.goal, x.exited, x.waiting, x.sent, x.deferred, x.suppressed[1], x.suppressed[2], x.suppressed[3], x.suppressed[4]}) t[c++].push_integer(n);
            for (const std::size_t percent : {25, 50, 75, 90}) {
                if (x.times.empty()) t[c++].push_missing();
                else t[c++].push_integer(x.times[(x.times.size() * percent + 99) / 100 - 1]);
            }
        }
    }
    return t;
}

table make_edges(const run_data& d) {
    // From `none` come those who enter; to `none` go those who leave.
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::string_view>, std::vector<std::int64_t>> times;
    d.each_journey([&](const journey_row& j) { times[{j.workflow, 0, d.program->workflows[j.workflow].first + 1, "entered"}].push_back(0); });
    d.each_stay([&](std::uint32_t, const stay& s) {
        if (s.to.at != end_of_time) times[{s.workflow, s.step + 1, s.next == none ? 0 : s.next + 1, to_string(s.by)}].push_back((s.to.at - s.from.at).count());
    });
    table t{{"workflow", value_type::text}, {"from", value_type::text}, {"to", value_type::text}, {"outcome", value_type::text}, {"count", value_type::integer}, {"time_p50", value_type::duration}};
    for (auto& [edge, spent] : times) {
        const auto& [w, from, to, by] = edge;
        const auto& steps = d.program->workflows[w].steps;
        t[0].push_text(d.program->workflows[w].name);
        text_or_missing(t[1], from == 0 ? std::string_view{} : steps[from - 1].name);
        text_or_missing(t[2], to == 0 ? std::string_view{} : steps[to - 1].name);
        t[3].push_text(by);
        t[4].push_integer(static_cast<std::int64_t>(spent.size()));
        const auto middle = spent.begin() + static_cast<std::ptrdiff_t>((spent.size() + 1) / 2 - 1);   // nearest rank, as in `steps`
        std::nth_element(spent.begin(), middle, spent.end());
        if (from == 0) t[5].push_missing();
        else t[5].push_integer(*middle);
    }
    return t;
}

std::vector<journey_span> make_spans(const run_data& d) {
    std::vector<journey_span> out;
    d.each_stay([&](std::uint32_t contact, const stay& s) {
        const auto& w = d.program->workflows[s.workflow];
        out.push_back({contact, w.name, w.version, w.steps[s.step].name, s.from, s.to.at == end_of_time ? position{end_of_time, 0xffffffffU} : s.to});
    });
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return std::tie(a.contact, a.from) < std::tie(b.contact, b.from); });
    return out;
}

}  // namespace

run::run() : data_{std::make_shared<const run_data>()} {}
run::run(std::shared_ptr<const run_data> d) : data_{std::move(d)} {}
const table& run::actions() const { return data_->actions_table.get([&] { return make_actions(*data_); }); }
const table& run::journeys() const { return data_->journeys_table.get([&] { return make_journeys(*data_); }); }
const table& run::steps() const { return data_->steps_table.get([&] { return make_steps(*data_); }); }
const table& run::edges() const { return data_->edges_table.get([&] { return make_edges(*data_); }); }
const history& run::history() const { return data_->made.get([&] { return history_with_run(*data_); }); }
const std::vector<journey_span>& run::spans() const { return data_->spans.get([&] { return make_spans(*data_); }); }
workflow_program_ptr run::compiled() const { return data_->program; }
std::vector<running_journey> run::in_flight() const {
    std::vector<running_journey> out;
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, instant> entered;
    data_->each_journey([&](const journey_row& j) { if (j.outcome == journey_outcome::running) entered[{j.contact, j.workflow, j.number}] = j.entered; });
    data_->each_stay([&](std::uint32_t contact, const stay& s) {
        if (s.by != passage::running) return;
        const auto& w = data_->program->workflows[s.workflow];
        running_journey j{data_->given.data().contacts.name(contact), w.name, w.version, w.steps[s.step].name, s.journey, w.reentry.kind == reentry_rule::each ? data_->program->predicates->properties[w.each] : std::string{},
                          entered[{contact, s.workflow, s.journey}], s.from.at, {}};
        out.push_back(std::move(j));
    });
    return out;
}
std::uint64_t run::handled() const {
    std::uint64_t n = 0;
    for (const auto& p : data_->parts) n += p.handled;
    return n;
}

measured_run measured(const run& r) { return {&r.history(), &r.spans()}; }

}  // namespace journeyman
