#pragma once
// The made-up year of design §8 for the replays: 400,000 contacts, 20 M events, of which the streams below are kept.

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "journeyman/history/history.hpp"

namespace bench {

namespace jm = journeyman;
using namespace jm::literals;

constexpr std::uint32_t contacts = 400'000;
constexpr double events = 20e6;
constexpr std::int64_t day_us = 86'400'000'000, year_from = 1'735'689'600'000'000, year_to = year_from + 365 * day_us;
inline const jm::instant until{jm::microseconds{year_to + 30 * day_us}};   // every journey comes to its end

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

inline jm::history made_up_year() {
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

inline const jm::history& year() {
    static const jm::history h = made_up_year();
    return h;
}

}  // namespace bench
