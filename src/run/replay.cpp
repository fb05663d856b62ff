#include "journeyman/run/replay.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <thread>
#include <utility>

#include "journeyman/predicate/evaluate.hpp"
#include "run/feed.hpp"
#include "run/run_data.hpp"
#include "workflow/graph.hpp"
#include "workflow/machine.hpp"

namespace journeyman {
namespace {

struct limits {
    instant start = beginning_of_time, until;
    node_id only = none;
};

/// Rows of one range of contacts.
class range_rows final : public journey_sink {
public:
    range_rows(run_part& out, std::uint32_t contact) : contact{contact}, out_{out} {}
    std::uint32_t contact;

    void act(const action& a) override {
        out_.actions.push_back({contact, a.workflow, a.step, a.journey, a.channel, static_cast<std::uint32_t>(out_.values.size()), a.at.at, a.until, a.at.order, a.status, a.reason});
        out_.values.insert(out_.values.end(), a.values.begin(), a.values.end());
    }
    void leave(const stay& s) override { out_.stays.emplace_back(contact, s); }
    void end(const journey_state& j, instant at) override { out_.journeys.push_back(row(j, at)); }
    void emitted(std::uint32_t stream, position at, std::span<const std::uint32_t> properties, std::span<const value> cells) override {
        out_.caused.push_back({contact, stream, at, false, {properties.begin(), properties.end()}, {cells.begin(), cells.end()}});
    }
    void changed(std::uint32_t attribute, position at, const value& v) override { out_.caused.push_back({contact, attribute, at, true, {}, {v}}); }
    /// Who still runs when the run ends.
    void close(const contact_state& s) {
        for (const auto& j : s.journeys) {
            out_.stays.emplace_back(contact, stay{j.workflow, j.step, j.number, none, passage::running, j.reached, position{end_of_time, 0}});
            out_.journeys.push_back(row(j, end_of_time));
        }
    }

private:
    journey_row row(const journey_state& j, instant left) const { return {contact, j.workflow, j.number, j.step, j.entry.at, left, j.outcome, j.each}; }
    run_part& out_;
};

class walker {
public:
    walker(const workflow_program& w, const history_data& h, run_order order, const limits& l) : program_{w}, limits_{l}, feed_{w, h, order} {
        for (const auto& x : w.workflows) once_ = once_ && x.reentry.kind == reentry_rule::once;
    }

    void walk(std::uint32_t begin, std::uint32_t end, run_part& out) {
        out.actions.reserve(actions_);                                  // as many as the last time, and some
        out.stays.reserve(stays_);
        range_rows rows{out, begin};
        detail::machine machine{program_, state_, feed_, rows};
        for (rows.contact = begin; rows.contact < end; ++rows.contact)
            if (feed_.concerns(rows.contact)) contact(machine, rows, out);
        out.moved = std::exchange(feed_.moved, {});
        actions_ = out.actions.size() * 9 / 8;
        stays_ = out.stays.size() * 9 / 8;
    }

private:
    void contact(detail::machine& machine, range_rows& rows, run_part& out) {
        feed_.load(rows.contact);
        if (limits_.only != none) {
            feed_.see_before({limits_.start, 0xffffffffU});
            if (feed_.view().exists_from > limits_.start || ask(*program_.predicates, limits_.only, feed_.view(), limits_.start) != truth::yes) return;
            feed_.load(rows.contact);
        }
        feed_.see_before({limits_.start, 0});
        machine.begin(limits_.start);
        for (;;) {
            const bool resting = idle(program_, state_);
            if (resting && once_ && through(program_, state_)) break;
            const instant timer = next_timer(program_, state_);
            position place = feed_.next(resting);
            if (resting && timer != end_of_time && place.at > timer) {
                // At the instant of a timer no input is passed over: what time changes there is seen on it.
                feed_.see_before({timer, 0});
                if (const auto any = feed_.next(false); any.at == timer) place = any;
            }
            if (std::min(place.at, timer) > limits_.until || std::min(place.at, timer) == end_of_time) break;
            if (place.at <= timer) {                                    // T2: inputs, then timers
                const input in = feed_.take(state_, place);
                if (in.event) ++out.handled;
                machine.input(in);
            } else {
                ++out.handled;
                feed_.see_before({timer, 0xffffffffU});
                machine.timers(timer);
            }
        }
        rows.close(state_);
    }

    const workflow_program& program_;
    const limits& limits_;
    history_feed feed_;
    contact_state state_;
    std::size_t actions_ = 0, stays_ = 0;
    bool once_ = true;                                                  // every workflow runs once
};

instant last_arrival(const history_data& h) {
    auto last = std::numeric_limits<std::int64_t>::min();
    const auto look = [&](const auto& streams) {
        for (const auto& s : streams) for (const auto t : s.arrived) last = std::max(last, t);
    };
    look(h.streams);
    look(h.contact_attributes);
    look(h.account_attributes);
    return instant{microseconds{last}};
}

void throw_errors(const problems& found) {
    if (found.errors() == 0) return;
    const problem* first = nullptr;
    for (const auto& p : found) if (p.severity == severity::error && first == nullptr) first = &p;
    const auto more = found.errors() - 1;
    throw error{first->code, first->place, first->message + (more == 0 ? "" : " (and " + std::to_string(more) + " more: see check())")};
}

}  // namespace

run replay(const workflow_definitions& d, const history& h, const run_options& o) {
    const auto& data = h.data();
    if (o.start && o.until && *o.until < *o.start) throw error{"run.window", "", "`until` (" + to_text(*o.until) + ") lies before `start` (" + to_text(*o.start) + ")"};

    schema known = data.schema;
    for (const auto& [name, type] : d.types) known.declare(name, type);
    add_made(d.workflows, d.context, known);
    compiler c{std::move(known), data.pool, d.context};
    problems found;
    check_graphs(d.workflows, d.policies, found);
    limits l;
    if (!o.only.empty()) l.only = c.add_predicate(o.only, "only");
    const auto program = compile_workflows(d, c, found);
    found.add(c.found());
    throw_errors(found);

    auto out = std::make_shared<run_data>();
    out->program = program;
    out->given = h;
    if (!o.until || (!o.start && (!program->timed.empty() || l.only != none))) {
        const auto span = data.span();
        if (!span) return run{out};
        l.start = span->first;
        l.until = o.order == run_order::arrival ? std::max(span->second, last_arrival(data)) : span->second;
    }
    if (o.start) l.start = *o.start;
    if (o.until) l.until = *o.until;

    const auto contacts = static_cast<std::uint32_t>(h.contacts_count());
    const unsigned threads = o.threads > 0 ? static_cast<unsigned>(o.threads) : std::max(1U, std::thread::hardware_concurrency());
    const std::uint32_t size = std::clamp<std::uint32_t>(contacts / (threads * 16) + 1, 64, 16'384);
    const std::uint32_t ranges = (contacts + size - 1) / size;
    out->parts.resize(ranges);
    std::vector<std::exception_ptr> failures(ranges + 1);
    std::atomic<std::uint32_t> taken{0}, done{0};
    std::atomic<bool> stop{false};

    const auto work = [&](bool first) {
        std::optional<walker> w;
        for (std::uint32_t k = 0; !stop && (k = taken++) < ranges;) {
            try {
                if (!w) w.emplace(*program, data, o.order, l);
                w->walk(k * size, std::min(contacts, (k + 1) * size), out->parts[k]);
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

    return run{out};
}

}  // namespace journeyman
