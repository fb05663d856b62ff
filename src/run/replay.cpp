#include "journeyman/run/replay.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <thread>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "run/run_data.hpp"
#include "workflow/graph.hpp"

namespace journeyman {
namespace {

struct limits {
    instant start = beginning_of_time, until = end_of_time;
    node_id only = none;
    instant only_at;
};

/// Rows of one range of contacts.
struct range_rows final : journey_sink {
    std::vector<action_row> actions;
    std::vector<stay_row> stays;
    std::vector<journey_row> journeys;
    std::uint64_t handled = 0;
    std::uint32_t contact = 0;

    void act(action a) override { actions.push_back({contact, std::move(a)}); }
    void leave(const stay& s) override { stays.push_back({contact, s}); }
    void end(const journey_state& j, instant at) override { journeys.push_back(row(j, at)); }
    /// Who still runs when the run ends.
    void close(const contact_state& s) {
        for (const auto& j : s.journeys) {
            stays.push_back({contact, {j.workflow, j.step, j.number, j.reached, position{end_of_time, 0}, none, to_string(journey_outcome::running)}});
            journeys.push_back(row(j, end_of_time));
        }
    }

private:
    journey_row row(const journey_state& j, instant left) const { return {contact, j.workflow, j.number, j.step, j.entry.at, left, j.outcome, j.each}; }
};

class walker {
public:
    walker(const workflow_program& w, const history_data& h, const limits& l) : program_{w}, limits_{l}, reader_{w.predicates, h} {
        for (std::uint32_t s = 0; s < w.triggered.size(); ++s)
            if (!w.triggered[s].empty()) triggers_.push_back(s);
    }

    void walk(std::uint32_t contact, range_rows& out) {
        reader_.load(contact);
        if (std::none_of(triggers_.begin(), triggers_.end(), [&](std::uint32_t s) { return reader_.all(s).count > 0; })) return;
        if (limits_.only != none) {
            const auto& view = reader_.see(limits_.only_at);
            if (!reader_.exists(limits_.only_at) || ask(*program_.predicates, limits_.only, view, limits_.only_at) != truth::yes) return;
        }
        const position before = limits_.start == beginning_of_time ? position{} : position{limits_.start - microseconds{1}, 0xffffffffU};
        reader_.see(before);
        out.contact = contact;
        state_.journeys.clear();
        state_.workflows.clear();
        state_.sends.clear();
        for (;;) {
            const auto [place, event] = state_.journeys.empty() ? next_trigger() : next_input();
            const instant timer = state_.next();
            if (place.at <= timer) {                                        // T2: inputs, then timers
                if (place.at > limits_.until || place.at == end_of_time) break;
                const auto& view = reader_.see(place);
                if (event) ++out.handled;
                advance(program_, state_, view, place, event, out);
            } else {
                if (timer > limits_.until) break;
                ++out.handled;
                advance(program_, state_, reader_.see(timer), timer, out);
            }
        }
        out.close(state_);
    }

private:
    struct input { position place{end_of_time, 0xffffffffU}; event_ref event; };

    void look_at_stream(std::uint32_t s, input& first) const {
        const auto& all = reader_.all(s);
        const auto seen = reader_.view().streams[s].count;
        if (seen < all.count)
            if (const auto p = all.place(seen); p < first.place) first = {p, {&all, s, seen}};
    }
    /// With nothing running, only what may start a journey matters.
    input next_trigger() const {
        input first;
        for (const auto s : triggers_) look_at_stream(s, first);
        return first;
    }
    input next_input() const {
        input first;
        const auto& p = *program_.predicates;
        for (std::uint32_t s = 0; s < p.streams.size(); ++s) look_at_stream(s, first);
        for (std::uint32_t a = 0; a < p.attributes.size(); ++a) {
            const auto& all = reader_.all_changes(a);
            const auto seen = reader_.view().attributes[a].count;
            if (seen >= all.count) continue;
            const position place{all.place(seen), all.order[seen]};
            if (place < first.place) first = {place, {}};
        }
        return first;
    }

    const workflow_program& program_;
    const limits& limits_;
    history_reader reader_;
    std::vector<std::uint32_t> triggers_;
    contact_state state_;
};

void throw_errors(const problems& found) {
    if (found.errors() == 0) return;
    const problem* first = nullptr;
    for (const auto& p : found) if (p.severity == severity::error && first == nullptr) first = &p;
    const auto more = found.errors() - 1;
    throw error{first->code, first->place, first->message + (more == 0 ? "" : " (and " + std::to_string(more) + " more: see check())")};
}

bool arrives_late(const history_data& h) {
    const auto late = [](const auto& s) {
        for (std::size_t k = 0; k < s.arrived.size(); ++k) if (s.arrived[k] != s.rows.at[k]) return true;
        return false;
    };
    return std::any_of(h.streams.begin(), h.streams.end(), late) || std::any_of(h.contact_attributes.begin(), h.contact_attributes.end(), late) || std::any_of(h.account_attributes.begin(), h.account_attributes.end(), late);
}

}  // namespace

run replay(const workflow_definitions& d, const history& h, const run_options& o) {
    const auto& data = h.data();
    if (o.order == run_order::arrival && arrives_late(data))
        throw error{"workflow.unsupported", "", "replay by arrival of a history with late inputs cannot be run yet; replay by event time (`order=\"event\"`)"};
    if (o.start && o.until && *o.until < *o.start) throw error{"run.window", "", "`until` (" + to_text(*o.until) + ") lies before `start` (" + to_text(*o.start) + ")"};

    schema known = data.schema;
    for (const auto& [name, type] : d.types) known.declare(name, type);
    compiler c{std::move(known), data.pool, d.context};
    problems found;
    std::vector<std::string> segments;
    for (const auto& [name, _] : d.context.segments) segments.push_back(name);
    check_graphs(d.workflows, segments, found);
    limits l;
    if (!o.only.empty()) l.only = c.add_predicate(o.only, "only");
    const auto program = compile_workflows(d, c, found);
    found.add(c.found());
    throw_errors(found);

    auto out = std::make_shared<run_data>();
    out->program = program;
    out->given = h;
    const auto span = data.span();
    if (!span) return run{out};
    if (o.start) l.start = *o.start;
    l.until = o.until.value_or(span->second);
    l.only_at = o.start.value_or(span->first);

    const auto contacts = static_cast<std::uint32_t>(h.contacts_count());
    const unsigned threads = o.threads > 0 ? static_cast<unsigned>(o.threads) : std::max(1U, std::thread::hardware_concurrency());
    const std::uint32_t size = std::clamp<std::uint32_t>(contacts / (threads * 16) + 1, 64, 16'384);
    const std::uint32_t ranges = (contacts + size - 1) / size;
    std::vector<range_rows> rows(ranges);
    std::vector<std::exception_ptr> failures(ranges + 1);
    std::atomic<std::uint32_t> taken{0}, done{0};
    std::atomic<bool> stop{false};

    const auto work = [&](bool first) {
        std::optional<walker> w;
        for (std::uint32_t k = 0; !stop && (k = taken++) < ranges;) {
            try {
                if (!w) w.emplace(*program, data, l);
                for (std::uint32_t contact = k * size; contact < std::min(contacts, (k + 1) * size); ++contact) w->walk(contact, rows[k]);
                ++done;
                if (first && o.progress && !o.progress(static_cast<double>(done) / ranges)) throw error{"run.stopped", "", "the run was stopped before its end"};
            } catch (...) {
                failures[k] = std::current_exception();
                stop = true;
            }
        }
    };
    {
        std::vector<std::jthread> others;
        for (unsigned k = 1; k < std::min<unsigned>(threads, ranges); ++k) others.emplace_back(work, false);
        work(true);
    }
    for (const auto& f : failures) if (f) std::rethrow_exception(f);   // ranges are taken in order, so the first is the same for any number of threads
    if (o.progress && !o.progress(1)) throw error{"run.stopped", "", "the run was stopped at its end"};

    std::size_t actions = 0, stays = 0, journeys = 0;
    for (const auto& r : rows) actions += r.actions.size(), stays += r.stays.size(), journeys += r.journeys.size();
    out->actions.reserve(actions);
    out->stays.reserve(stays);
    out->journeys.reserve(journeys);
    for (auto& r : rows) {
        std::move(r.actions.begin(), r.actions.end(), std::back_inserter(out->actions));
        out->stays.insert(out->stays.end(), r.stays.begin(), r.stays.end());
        out->journeys.insert(out->journeys.end(), r.journeys.begin(), r.journeys.end());
        out->handled += r.handled;
        r = {};
    }
    return run{out};
}

}  // namespace journeyman
