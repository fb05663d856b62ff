#include "journeyman/segment/rfm.hpp"

#include <algorithm>
#include <compare>
#include <numeric>

#include "segment/questions.hpp"

namespace journeyman {
namespace {

/// What is compared: a number as it is, so that no two values become equal by rounding.
std::weak_ordering order(const value& a, const value& b) {
    if (a.type != value_type::decimal && b.type != value_type::decimal) return a.i <=> b.i;
    return std::strong_order(a.as_decimal() + 0.0, b.as_decimal() + 0.0);   // + 0.0: the two zeros are one
}

/// 1 … scores by the middle of the ranks of those that are equal.
std::vector<std::int64_t> scored(const std::vector<value>& x, int scores) {
    std::vector<std::size_t> by(x.size());
    std::iota(by.begin(), by.end(), std::size_t{0});
    std::sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) { return order(x[a], x[b]) < 0; });
    std::vector<std::int64_t> out(x.size());
    for (std::size_t first = 0; first < by.size();) {
        std::size_t end = first + 1;
        while (end < by.size() && order(x[by[first]], x[by[end]]) == 0) ++end;
        const auto score = static_cast<std::int64_t>(1 + static_cast<std::size_t>(scores) * (first + end) / (2 * by.size()));
        for (; first < end; ++first) out[by[first]] = score;
    }
    return out;
}

}  // namespace

table rfm(const history& h, const selector& event, const std::string& property, instant at, int scores, const vocabulary& v, const progress_listener& progress) {
    if (scores < 2 || scores > 9) throw error{"rfm.scores", "scores", "scores are the digits 1 to `scores`, so there are from 2 to 9 of them"};
    auto whole = event.data();
    whole.property.clear();                  // when and how often look at events, not at a property
    const selector any{std::move(whole)};
    detail::questions ask{h, v};
    const auto last = ask.add(any.last_time(), "event"), count = ask.add(any.count(), "event"), sum = ask.add(event.sum(property), "property");
    std::vector<std::uint32_t> who;
    std::vector<value> when, often, much;
    detail::each_contact(h, ask.program(), progress, [&](history_reader& reader, std::uint32_t k) {
        if (!reader.exists(at)) return;
        const auto& seen = reader.see(at);
        const value t = detail::answer(*ask.program(), last, seen, at);
        if (t.is_missing()) return;
        who.push_back(k);
        when.push_back(t);
        often.push_back(detail::answer(*ask.program(), count, seen, at));
        much.push_back(detail::answer(*ask.program(), sum, seen, at));
    });
    const auto r = scored(when, scores), f = scored(often, scores), m = scored(much, scores);
    const auto& ids = h.data().contacts;
    const auto amount = ask.type_of(sum) == value_type::missing ? value_type::decimal : ask.type_of(sum);   // nobody has spent anything yet
    table out{{"contact_id", ids.type()}, {"recency", value_type::duration}, {"frequency", value_type::integer}, {"monetary", amount},
              {"r", value_type::integer}, {"f", value_type::integer}, {"m", value_type::integer}, {"score", value_type::text}};
    for (std::size_t i = 0; i < who.size(); ++i) {
        ids.push_to(out[0], who[i]);
        out[1].push_integer((at - when[i].as_instant()).count());
        out[2].push_integer(often[i].i);
        out[3].push(much[i], *h.data().pool);
        out[4].push_integer(r[i]);
        out[5].push_integer(f[i]);
        out[6].push_integer(m[i]);
        out[7].push_text(std::to_string(100 * r[i] + 10 * f[i] + m[i]));
    }
    return out;
}

}  // namespace journeyman
