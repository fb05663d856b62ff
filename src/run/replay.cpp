#include "journeyman/run/replay.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "journeyman/predicate/evaluate.hpp"
#include "run/run_data.hpp"
#include "run/walk.hpp"
#include "workflow/graph.hpp"
#include "workflow/machine.hpp"

namespace journeyman {
namespace {

/// Rows of one range of contacts.
class range_rows final : public journey_sink {
public:
    range_rows(const workflow_program& w, run_part& out, std::uint32_t contact) : contact{contact}, w_{w}, out_{out} {}
    std::uint32_t contact;

    void act(const step_action& a, const contact_view&) override {
        out_.log.add(contact, a);
        out_.values.insert(out_.values.end(), a.values.begin(), a.values.end());
    }
    void leave(const stay& s, const contact_view&) override { out_.log.add(contact, s); }
    void end(const journey_state& j, const value& key, instant) override {
        if (w_.workflows[j.workflow].reentry.kind == reentry_rule::each) out_.keys.push_back(key);
    }
    void emitted(std::uint32_t stream, position at, std::span<const std::uint32_t> properties, std::span<const value> cells) override {
        out_.caused.push_back({contact, stream, at, false, {properties.begin(), properties.end()}, {cells.begin(), cells.end()}});
    }
    void changed(std::uint32_t attribute, position at, const value& v) override { out_.caused.push_back({contact, attribute, at, true, {}, {v}}); }
    /// Who still runs when the run ends.
    void close(const contact_world& world, const contact_journeys& s) {
        for (const auto& j : s.running) {
            out_.log.add(contact, stay{j.workflow, j.step, j.number, none, passage::running, j.reached(), position{end_of_time, 0}});
            end(j, key_of(w_, world, j), end_of_time);
        }
    }

private:
    const workflow_program& w_;
    run_part& out_;
};

/// Asks whether to go on: now and then, and not more often than it costs nothing.
class pulse {
public:
    pulse(std::atomic<bool>& abandoned, const run_options& o, bool tells) : abandoned_{abandoned}, progress_{o.progress}, tells_{tells && o.progress} {}
    /// Whether to go on; `share` is told, if a tenth of a second has passed.
    template <class F>
    bool operator()(F share) {
        if (++asked_ % 512 != 0) return true;
        return now(share);
    }
    template <class F>
    bool now(F share) {
        if (abandoned_) return false;
        if (!tells_) return true;
        const auto t = std::chrono::steady_clock::now();
        if (t - told_ < std::chrono::milliseconds{100}) return true;
        told_ = t;
        if (progress_(share())) return true;
        abandoned_ = true;
        throw error{"run.stopped", "", "the run was stopped before its end"};
    }

private:
    std::atomic<bool>& abandoned_;
    const std::function<bool(double)>& progress_;
    bool tells_;
    std::uint32_t asked_ = 0;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

class walker {
public:
    walker(const workflow_program& w, const history_data& h, run_order order, const walk_limits& l) : program_{w}, walk_{w, h, order, l} {}

    template <class Look>
    run_part walk(std::uint32_t begin, std::uint32_t end, Look look) {
        run_part out;                                                   // our own: parts side by side would share cache lines between threads
        range_rows rows{program_, out, begin};
        detail::machine machine{program_, walk_.state(), walk_.feed(), rows};
        for (rows.contact = begin; rows.contact < end; ++rows.contact) {
            if (!look()) return out;
            if (!walk_.feed().concerns(rows.contact)) continue;
            out.handled += walk_.run(machine, rows.contact, look);
            rows.close(walk_.feed(), walk_.state());
        }
        out.moved = std::exchange(walk_.feed().moved, {});
        return out;
    }

private:
    const workflow_program& program_;
    contact_walk walk_;
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
    try {
        found.throw_first_error();
    } catch (const error& e) {
        const auto more = found.errors() - 1;
        throw error{e.code(), e.place(), e.message() + (more == 0 ? "" : " (and " + std::to_string(more) + " more: see check())")};
    }
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
    walk_limits l;
    if (!o.only.empty()) l.only = c.add_predicate(o.only, "only");
    const auto program = compile_workflows(d, c, found);
    found.add(c.found());
    throw_errors(found);

    auto out = std::make_shared<run_data>();
    out->program = program;
    out->given = h;
    out->definitions = d;
    out->order = o.order;
    if (!o.until || (!o.start && (!program->timed.empty() || l.only != none))) {
        const auto span = data.span();
        if (!span) return run{out};
        l.start = span->first;
        l.until = o.order == run_order::arrival ? std::max(span->second, last_arrival(data)) : span->second;
    }
    if (o.start) l.start = *o.start;
    if (o.until) l.until = *o.until;
    out->start = l.start;
    out->until = l.until;

    const auto contacts = static_cast<std::uint32_t>(h.contacts_count());
    const unsigned threads = o.threads > 0 ? static_cast<unsigned>(o.threads) : std::max(1U, std::thread::hardware_concurrency());
    const std::uint32_t size = std::clamp<std::uint32_t>(contacts / (threads * 16) + 1, 64, 16'384);
    const std::uint32_t ranges = (contacts + size - 1) / size;
    out->parts.resize(ranges);
    std::vector<std::exception_ptr> failures(ranges + 1);
    std::atomic<std::uint32_t> taken{0}, done{0};
    std::atomic<bool> stop{false}, abandoned{false};                    // no more ranges; nor the rest of those begun
    const auto share = [&] { return static_cast<double>(done) / ranges; };
    std::mutex mutex;
    std::condition_variable one_less;
    unsigned at_work = 0;

    const auto work = [&](bool first) {
        std::optional<walker> w;
        pulse go_on{abandoned, o, first};
        for (std::uint32_t k = 0; !stop && (k = taken++) < ranges;) {
            try {
                if (!w) w.emplace(*program, data, o.order, l);
                out->parts[k] = w->walk(k * size, std::min(contacts, (k + 1) * size), [&] { return go_on(share); });
                ++done;
            } catch (...) {
                failures[k] = std::current_exception();
                stop = true;
            }
        }
        std::unique_lock lock{mutex};
        --at_work;
        one_less.notify_all();
        if (!first) return;
        // Who asked still wants to be told, and may stop what the others do.
        while (!one_less.wait_for(lock, std::chrono::milliseconds{100}, [&] { return at_work == 0; })) {
            try {
                go_on.now(share);
            } catch (...) {
                failures[ranges] = std::current_exception();
                stop = true;
            }
        }
    };
    {
        std::vector<std::jthread> others;
        at_work = std::max(1U, std::min<unsigned>(threads, ranges));
        for (unsigned k = at_work; k > 1; --k) others.emplace_back(work, false);
        work(true);
    }
    for (const auto& f : failures) if (f) std::rethrow_exception(f);   // ranges are taken in order, so the first is the same for any number of threads
    if (o.progress && !o.progress(1)) throw error{"run.stopped", "", "the run was stopped at its end"};

    return run{out};
}

}  // namespace journeyman
