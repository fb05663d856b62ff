// A ten-step workflow with two waits for events, a split, a cap and quiet hours over the made-up year, beside a state machine written by hand on the same columns;
// ten workflows at once; two threads; bytes a journey. Information; both must send, put off and suppress the same.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "journeyman/core/hash.hpp"
#include "journeyman/run/replay.hpp"
#include "year.hpp"

namespace {

using namespace bench;

jm::workflow ten_steps(const std::string& name) {
    return jm::workflow(name).on(jm::event("form_submitted")).again({jm::reentry_rule::after_exit, {}, {}})
        .step("welcome", jm::send("email").next("opened"))
        .step("opened", jm::wait_for(jm::event("email_opened")).timeout(2_d).then("which").otherwise("reminder"))
        .step("reminder", jm::send("email").next("which"))
        .step("which", jm::step{jm::split_step{{{50, "offer_a"}, {50, "offer_b"}}}})
        .step("offer_a", jm::send("email").next("buys"))
        .step("offer_b", jm::send("email").next("buys"))
        .step("buys", jm::wait_for(jm::event("purchase")).timeout(5_d).then("thanks").otherwise("nudge"))
        .step("nudge", jm::send("email").next("rest"))
        .step("rest", jm::wait(3_d))
        .step("thanks", jm::send("email"));
}
jm::policies rules() {
    jm::policies p;
    p.quiet.push_back({{22 * 60}, {8 * 60}, {}, {}});
    p.caps.push_back({"email", 3, jm::length{7_d}, false});
    return p;
}

/// One for everybody; ten, of which each contact may enter two; ten, each for everybody.
jm::workflow_definitions definitions(int which) {
    jm::workflow_definitions d;
    d.policies = rules();
    if (which == 0) d.workflows.push_back(ten_steps("w"));
    for (int k = 0; which != 0 && k < 10; ++k) {
        auto w = ten_steps("w" + std::to_string(k));
        static constexpr std::array<const char*, 5> occupations{"freelance", "unemployed", "student", "hr", "manager"};
        if (which == 1) w = w.audience(jm::attr("occupation") == occupations[static_cast<std::size_t>(k) / 2]);
        d.workflows.push_back(std::move(w));
    }
    return d;
}

enum send : std::uint32_t { welcome, reminder, offer_a, offer_b, nudge, thanks };
constexpr std::array<std::string_view, 6> names{"welcome", "reminder", "offer_a", "offer_b", "nudge", "thanks"};
enum what : std::uint8_t { was_sent, deferred, suppressed };
struct row { std::uint32_t contact; send step; what status; std::int64_t at; };

/// The same by hand: merges the three streams of a contact; one state, one deadline, the last three sends.
class by_hand {
public:
    by_hand() {
        const auto& h = year().data();
        opened_ = &h.stream("email_opened")->rows;
        form_ = &h.stream("form_submitted")->rows;
        purchase_ = &h.stream("purchase")->rows;
        for (std::uint32_t k = 0; k < contacts; ++k)
            if (form_->dense[k] != form_->dense[k + 1]) walk(k);
    }
    std::vector<row> out;
    std::uint64_t handled = 0;

private:
    enum class state { none, sending, opened, buys, rest };
    static constexpr std::int64_t hour = 3'600'000'000, never = INT64_MAX;

    void go(state s, std::int64_t length) { state_ = s, deadline_ = at_ + length; }
    /// False when it is put off.
    bool pass(send step) {
        const auto in_day = at_ % day_us;
        if (in_day >= 22 * hour || in_day < 8 * hour) {
            out.push_back({contact_, step, deferred, at_});
            waiting_ = step;
            state_ = state::sending;
            deadline_ = at_ - in_day + (in_day >= 22 * hour ? day_us : 0) + 8 * hour;
            return false;
        }
        if (sends_[next_] + 7 * day_us > at_) {                // the third last still counts
            out.push_back({contact_, step, suppressed, at_});
            return true;
        }
        sends_[next_] = at_;
        next_ = (next_ + 1) % 3;
        out.push_back({contact_, step, was_sent, at_});
        return true;
    }
    void send_it(send step) { if (pass(step)) after(step); }
    void after(send step) {
        switch (step) {
            case welcome: go(state::opened, 2 * day_us); break;
            case reminder: split(); break;
            case offer_a:
            case offer_b: go(state::buys, 5 * day_us); break;
            case nudge: go(state::rest, 3 * day_us); break;
            case thanks: state_ = state::none; break;
        }
    }
    void split() {
        const double x = jm::stable_hash{}.add(std::uint64_t{0}).add("w").add("which").add(std::to_string(contact_)).unit();
        send_it(x < 0.5 ? offer_a : offer_b);
    }
    void time_out() {
        ++handled;
        at_ = deadline_;
        switch (state_) {
            case state::sending: send_it(waiting_); break;
            case state::opened: send_it(reminder); break;
            case state::buys: send_it(nudge); break;
            default: state_ = state::none;
        }
    }
    void walk(std::uint32_t k) {
        contact_ = k;
        state_ = state::none;
        sends_.fill(-10 * 365 * day_us);
        next_ = 0;
        std::uint32_t o = opened_->dense[k], f = form_->dense[k], p = purchase_->dense[k];
        const std::uint32_t o_end = opened_->dense[k + 1], f_end = form_->dense[k + 1], p_end = purchase_->dense[k + 1];
        for (;;) {
            const std::int64_t to = o < o_end ? opened_->at[o] : never, tf = f < f_end ? form_->at[f] : never, tp = p < p_end ? purchase_->at[p] : never;
            const std::int64_t t = std::min({to, tf, tp});
            if (state_ != state::none && t > deadline_) {
                time_out();
                continue;
            }
            if (t == never) return;
            ++handled;
            at_ = t;
            if (t == tf) {
                ++f;
                if (state_ == state::none) send_it(welcome);
            } else if (t == to) {
                ++o;
                if (state_ == state::opened) split();
            } else {
                ++p;
                if (state_ == state::buys) send_it(thanks);
            }
        }
    }
    const jm::timeline *opened_, *form_, *purchase_;
    std::uint32_t contact_ = 0;
    state state_ = state::none;
    send waiting_ = welcome;
    std::array<std::int64_t, 3> sends_{};
    std::size_t next_ = 0;
    std::int64_t at_ = 0, deadline_ = 0;
};

void check() {
    const auto run = jm::replay(definitions(0), year(), {.until = until, .threads = 2});
    const auto& ours = run.steps();
    std::array<std::array<std::int64_t, 3>, 6> hand{};
    for (const auto& r : by_hand{}.out) ++hand[r.step][r.status];
    constexpr std::array<const char*, 3> columns{"sent", "deferred", "suppressed_cap"};
    for (std::size_t m = 0; m < names.size(); ++m)
        for (std::size_t r = 0; r < ours.rows(); ++r)
            for (std::size_t c = 0; c < 3; ++c)
                if (ours.column("step").text(r) == names[m] && std::get<std::int64_t>(ours.column(columns[c]).at(r)) != hand[m][c]) {
                    std::cerr << names[m] << ": replay has " << std::get<std::int64_t>(ours.column(columns[c]).at(r)) << ' ' << columns[c] << ", by hand " << hand[m][c] << '\n';
                    std::exit(1);
                }
    std::cerr << "a running journey takes " << sizeof(jm::journey_state) << " bytes\n";
}

/// What the system has taken for this process: mostly clearing pages.
double system_ms() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return static_cast<double>(u.ru_stime.tv_sec) * 1e3 + static_cast<double>(u.ru_stime.tv_usec) / 1e3;
}
void replayed(benchmark::State& state) {
    const auto d = definitions(static_cast<int>(state.range(0)));
    std::uint64_t handled = 0;
    double system = 0;
    const auto journeys = jm::replay(d, year(), {.until = until}).journeys().rows();
    for (auto _ : state) {
        const auto before = system_ms();
        const auto run = jm::replay(d, year(), {.until = until, .threads = static_cast<int>(state.range(1))});
        system += system_ms() - before;
        handled += run.handled();
    }
    state.counters["handled/s"] = benchmark::Counter(static_cast<double>(handled), benchmark::Counter::kIsRate);
    state.counters["handled"] = static_cast<double>(handled) / static_cast<double>(state.iterations());
    state.counters["system_ms"] = system / static_cast<double>(state.iterations());
    state.counters["journeys"] = static_cast<double>(journeys);
}
void handwritten(benchmark::State& state) {
    std::uint64_t handled = 0;
    year();
    for (auto _ : state) {
        const by_hand run;
        handled += run.handled;
        benchmark::DoNotOptimize(run.out.data());
    }
    state.counters["handled/s"] = benchmark::Counter(static_cast<double>(handled), benchmark::Counter::kIsRate);
    state.counters["handled"] = static_cast<double>(handled) / static_cast<double>(state.iterations());
}

}  // namespace

// workflows: 0 one for everybody, 1 ten of which each contact may enter two, 2 ten for everybody
BENCHMARK(replayed)->ArgNames({"workflows", "threads"})->Args({0, 1})->Args({0, 2})->Args({1, 1})->Args({2, 1})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(handwritten)->Unit(benchmark::kMillisecond)->UseRealTime();

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    check();
    benchmark::RunSpecifiedBenchmarks();
}
