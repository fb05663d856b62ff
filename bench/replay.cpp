// Replay of the webinar workflow over a made-up year (design §8): 400,000 contacts, 20 M events, of which it listens to one in five.
// Information, not a gate. Beside it a state machine written by hand for this one question, on the same columns; both must send the same messages.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "journeyman/run/replay.hpp"
#include "year.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

using namespace bench;

jm::workflow_definitions webinar(bool again) {
    jm::workflow_definitions d;
    d.workflows.push_back(jm::workflow("webinar").audience(jm::attr("audience") == "B2C" && jm::attr("occupation") == "freelance").on(jm::event("form_submitted"))
        .again({again ? jm::reentry_rule::after_exit : jm::reentry_rule::once, {}, {}})
        .step("welcome", jm::send("email").next("opened"))
        .step("opened", jm::wait_for(jm::event("email_opened")).timeout(2_d).then("follow_up").otherwise("reminder"))
        .step("reminder", jm::send("email").next("follow_up"))
        .step("follow_up", jm::send("email").next("buys"))
        .step("buys", jm::wait_for(jm::event("purchase")).timeout(5_d).then("post_sale").otherwise("purchase_reminder"))
        .step("purchase_reminder", jm::send("email").next("buys_late"))
        .step("buys_late", jm::wait_for(jm::event("purchase")).timeout(7_d).then("post_sale").otherwise("end"))
        .step("post_sale", jm::send("email")));
    return d;
}

enum message : std::uint32_t { welcome, reminder, follow_up, purchase_reminder, post_sale };
struct sent { std::uint32_t contact; message what; std::int64_t at; };

/// The same by hand: merges the three streams of a contact, one state, one deadline. Counts the events looked at and the timeouts.
class by_hand {
public:
    explicit by_hand(bool again) : again_{again} {
        const auto& h = year().data();
        const auto freelance = h.pool->intern("freelance"), b2c = h.pool->intern("B2C");
        const auto& audience = h.contact_attribute("audience")->base;
        const auto& occupation = h.contact_attribute("occupation")->base;
        opened_ = &h.stream("email_opened")->rows;
        form_ = &h.stream("form_submitted")->rows;
        purchase_ = &h.stream("purchase")->rows;
        for (std::uint32_t k = 0; k < contacts; ++k)
            if (form_->dense[k] != form_->dense[k + 1] && audience.codes()[k] == static_cast<std::uint32_t>(b2c) && occupation.codes()[k] == static_cast<std::uint32_t>(freelance)) walk(k);
    }
    std::vector<sent> out;
    std::uint64_t handled = 0;

private:
    enum class state { none, opened, buys, buys_late };
    void send(message m, std::int64_t at) { out.push_back({contact_, m, at}); }
    void time_out() {
        ++handled;
        at_ = deadline_;
        if (state_ == state::opened) send(reminder, at_), send(follow_up, at_), go(state::buys, 5);
        else if (state_ == state::buys) send(purchase_reminder, at_), go(state::buys_late, 7);
        else state_ = state::none;
    }
    void go(state s, int days) { state_ = s; deadline_ = at_ + days * day_us; }
    void walk(std::uint32_t k) {
        constexpr std::int64_t never = INT64_MAX;
        contact_ = k;
        state_ = state::none;
        bool done = false;
        std::uint32_t o = opened_->dense[k], f = form_->dense[k], p = purchase_->dense[k];
        const std::uint32_t o_end = opened_->dense[k + 1], f_end = form_->dense[k + 1], p_end = purchase_->dense[k + 1];
        for (;;) {
            if (state_ == state::none && done && !again_) return;
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
                if (state_ == state::none) send(welcome, at_), go(state::opened, 2), done = true;
            } else if (t == to) {
                ++o;
                if (state_ == state::opened) send(follow_up, at_), go(state::buys, 5);
            } else {
                ++p;
                if (state_ == state::buys || state_ == state::buys_late) send(post_sale, at_), state_ = state::none;
            }
        }
    }
    bool again_;
    const jm::timeline *opened_, *form_, *purchase_;
    std::uint32_t contact_ = 0;
    state state_ = state::none;
    std::int64_t at_ = 0, deadline_ = 0;
};

void check(bool again) {
    const auto ours = jm::replay(webinar(again), year(), {.until = until, .threads = 2}).steps();
    std::array<std::int64_t, 5> hand{};
    for (const auto& s : by_hand{again}.out) ++hand[s.what];
    constexpr std::array<std::string_view, 5> names{"welcome", "reminder", "follow_up", "purchase_reminder", "post_sale"};
    for (std::size_t m = 0; m < names.size(); ++m)
        for (std::size_t r = 0; r < ours.rows(); ++r)
            if (ours.column("step").text(r) == names[m] && std::get<std::int64_t>(ours.column("sent").at(r)) != hand[m]) {
                std::cerr << names[m] << ": replay sends " << std::get<std::int64_t>(ours.column("sent").at(r)) << ", by hand " << hand[m] << '\n';
                std::exit(1);
            }
}

void rates(benchmark::State& state, std::uint64_t handled, std::uint64_t actions) {
    state.counters["handled/s"] = benchmark::Counter(static_cast<double>(handled), benchmark::Counter::kIsRate);
    state.counters["handled"] = static_cast<double>(handled) / static_cast<double>(state.iterations());
    state.counters["actions"] = static_cast<double>(actions) / static_cast<double>(state.iterations());
}

void replayed(benchmark::State& state) {
    const auto d = webinar(state.range(0) != 0);
    const auto& h = year();
    std::uint64_t handled = 0, actions = 0;
    for (auto _ : state) {
        const auto run = jm::replay(d, h, {.until = until, .threads = static_cast<int>(state.range(1))});
        handled += run.handled();
        if (state.range(2) != 0) actions += run.actions().rows();
    }
    rates(state, handled, actions);
}

void handwritten(benchmark::State& state) {
    std::uint64_t handled = 0, actions = 0;
    year();
    for (auto _ : state) {
        const by_hand run{state.range(0) != 0};
        handled += run.handled;
        actions += run.out.size();
    }
    rates(state, handled, actions);
}

}  // namespace

BENCHMARK(replayed)->ArgNames({"again", "threads", "table"})->ArgsProduct({{0, 1}, {1, 2}, {0}})->Args({1, 1, 1})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(handwritten)->ArgName("again")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    check(false);
    check(true);
    benchmark::RunSpecifiedBenchmarks();
}
