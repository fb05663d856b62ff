// Replay of the webinar workflow over a made-up year (design §8): 400,000 contacts, 20 M events, of which it listens to one in five.
// Information, not a gate. Beside it a state machine written by hand for this one question, on the same columns; both must send the same messages.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numbers>

#include "journeyman/run/replay.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

constexpr std::uint32_t contacts = 400'000;
constexpr double events = 20e6;
constexpr std::int64_t day_us = 86'400'000'000, year_from = 1'735'689'600'000'000, year_to = year_from + 365 * day_us;
const jm::instant until{jm::microseconds{year_to + 30 * day_us}};   // every journey comes to its end

/// SplitMix64: the same numbers everywhere.
class numbers {
public:
    std::uint64_t next() {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }
    double unit() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }
    double exponential(double mean) { return -mean * std::log(unit()); }
    double normal() { return std::sqrt(-2 * std::log(unit())) * std::cos(2 * std::numbers::pi * unit()); }
    int poisson(double mean) {
        int k = 0;
        for (double x = exponential(1); x < mean; x += exponential(1)) ++k;
        return k;
    }

private:
    std::uint64_t state_ = 7;
};

/// What the workflow listens to, and the most frequent stream, to which it does not.
constexpr std::array<std::pair<const char*, double>, 4> streams{{{"email_opened", .12}, {"form_submitted", .04}, {"page_viewed", .36}, {"purchase", .034}}};

jm::history made_up_year() {
    auto h = std::make_shared<jm::history_data>();
    numbers draw;
    jm::column audience{jm::value_type::text}, occupation{jm::value_type::text};
    const auto text = [&](const char* s) { return jm::value::of(h->pool->intern(s)); };
    const std::array<jm::value, 5> occupations{text("freelance"), text("unemployed"), text("student"), text("hr"), text("manager")};
    const std::array<double, 5> shares{.30, .50, .65, .85, 1};
    std::vector<double> weights(contacts);
    double all = 0;
    for (std::uint32_t k = 0; k < contacts; ++k) {
        h->contacts.integers.push_back(k);
        const auto o = static_cast<std::size_t>(std::lower_bound(shares.begin(), shares.end(), draw.unit()) - shares.begin());
        occupation.push(occupations[o]);
        audience.push(text(o < 3 ? "B2C" : "B2B"));
        all += weights[k] = std::min(std::exp(1.5 * draw.normal()), 250.0);
    }
    for (const auto& [name, _] : streams) {
        h->streams.emplace_back();
        h->streams.back().name = name;
        h->streams.back().rows.dense.push_back(0);
        h->schema.events[name];
    }
    std::array<std::vector<std::int64_t>, streams.size()> at;
    std::uint32_t order = 0;
    for (std::uint32_t k = 0; k < contacts; ++k) {
        for (auto& a : at) a.clear();
        for (int sessions = draw.poisson(weights[k] / all * events / 5); sessions > 0; --sessions) {
            double t = static_cast<double>(year_from) + draw.unit() * 365 * day_us;
            for (int left = 1 + draw.poisson(4); left > 0; --left, t += draw.exponential(600e6)) {
                double name = draw.unit();
                for (std::size_t s = 0; s < streams.size(); ++s)
                    if ((name -= streams[s].second) < 0) {
                        if (t < static_cast<double>(year_to)) at[s].push_back(static_cast<std::int64_t>(t));
                        break;
                    }
            }
        }
        for (std::size_t s = 0; s < streams.size(); ++s) {
            auto& rows = h->streams[s].rows;
            std::sort(at[s].begin(), at[s].end());
            for (const auto t : at[s]) {
                rows.at.push_back(t);
                rows.order.push_back(order++);
            }
            rows.dense.push_back(static_cast<std::uint32_t>(rows.at.size()));
        }
    }
    const auto attribute = [&](const char* name, jm::column c) {
        h->contact_attributes.emplace_back();
        h->contact_attributes.back().name = name;
        h->contact_attributes.back().type = jm::value_type::text;
        h->contact_attributes.back().base = std::move(c);
        h->schema.contact[name] = jm::value_type::text;
    };
    attribute("audience", std::move(audience));
    attribute("occupation", std::move(occupation));
    return jm::history{std::move(h)};
}

const jm::history& year() {
    static const jm::history h = made_up_year();
    return h;
}

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
