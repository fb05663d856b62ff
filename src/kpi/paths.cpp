#include "journeyman/kpi/paths.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>

#include "kpi/funnel_source.hpp"

namespace journeyman {
namespace {

constexpr std::uint32_t start_name = 0, end_name = 1, other_name = 2;

double share(std::size_t part, std::size_t whole) { return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole); }

/// Keys by count, the most frequent first, then as they are sorted.
template <class Map, class Count>
std::vector<typename Map::const_iterator> ranked(const Map& m, Count count) {
    std::vector<typename Map::const_iterator> out;
    for (auto it = m.begin(); it != m.end(); ++it) out.push_back(it);
    std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return count(a->second) > count(b->second); });
    return out;
}

}  // namespace

path_set::path_set(const history& h, const path_question& q) : names_{"(start)", "(end)", "(other)"} {
    event_funnel f;
    f.steps = q.events;
    if (f.steps.empty()) f.steps.emplace_back("", any_event());
    f.rules.unit = q.unit;
    f.rules.from = q.from;
    f.rules.to = q.to;
    f.rules.where = q.where;
    f.rules.audience = q.audience;
    if (!q.label.empty()) f.rules.by.emplace_back(q.label, q.label);
    if (q.gap && q.gap->count() < 0) throw error{"paths.gap", "gap", "`gap` is a positive length, such as 30m"};
    detail::funnel_source source{h, f, detail::plan_funnel(f, h, q.context, q.known)};

    std::unordered_map<std::string, std::uint32_t> numbers;
    std::unordered_map<std::int64_t, std::uint32_t> by_value;
    const auto number = [&](const std::string& name) {
        const auto [it, fresh] = numbers.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
        if (fresh) names_.push_back(name);
        return it->second;
    };
    const auto& streams = source.plan().program->streams;
    const auto name_of = [&](const detail::funnel_hit& x) -> std::uint32_t {
        if (!q.label.empty()) {
            const auto v = source.read(source.plan().by, x)[0];
            return v.is_missing() ? other_name : number(to_text(v, source.pool()));
        }
        if (!q.events.empty()) return number(q.events[static_cast<std::size_t>(std::countr_zero(x.steps))].first);
        const auto [it, fresh] = by_value.try_emplace(x.slot, 0);
        if (fresh) it->second = number(streams[x.slot]);
        return it->second;
    };
    source.each([&](const detail::funnel_unit&, const detail::funnel_hits& hits) {
        for (const auto& x : hits) {
            const auto name = name_of(x);
            if (name == other_name) continue;                     // it has no label
            const bool goes_on = points_.size() > begins_.back();
            if (goes_on && q.gap && x.at - points_.back().at > q.gap->count()) begins_.push_back(points_.size());
            else if (goes_on && q.collapse && points_.back().name == name) continue;
            points_.push_back({name, x.at});
        }
        if (points_.size() > begins_.back()) begins_.push_back(points_.size());
    });

    // Names sorted; the rare ones become one.
    std::vector<std::size_t> counts(names_.size());
    for (const auto& p : points_) ++counts[p.name];
    std::vector<std::uint32_t> order;
    for (std::uint32_t k = 3; k < names_.size(); ++k) order.push_back(k);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return counts[a] != counts[b] ? counts[a] > counts[b] : names_[a] < names_[b]; });
    order.resize(std::min(order.size(), q.most_names));
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return names_[a] < names_[b]; });
    std::vector<std::uint32_t> moved(names_.size(), other_name);
    std::vector<std::string> kept{"(start)", "(end)", "(other)"};
    for (const auto k : order) {
        moved[k] = static_cast<std::uint32_t>(kept.size());
        kept.push_back(names_[k]);
    }
    for (auto& p : points_) p.name = moved[p.name];
    names_ = std::move(kept);
}

table path_set::transitions() const {
    struct edge {
        std::size_t times = 0, paths = 0, last = 0;
        std::vector<std::int64_t> took;
    };
    std::map<std::pair<std::uint32_t, std::uint32_t>, edge> edges;
    std::vector<std::size_t> out_of(names_.size());
    for (std::size_t p = 0; p < paths(); ++p) {
        const auto follow = [&](std::uint32_t a, std::uint32_t b, std::optional<std::int64_t> took) {
            auto& e = edges[{a, b}];
            ++e.times;
            ++out_of[a];
            if (e.last != p + 1) ++e.paths;
            e.last = p + 1;
            if (took) e.took.push_back(*took);
        };
        follow(start_name, points_[begins_[p]].name, {});
        for (std::size_t k = begins_[p]; k + 1 < begins_[p + 1]; ++k) follow(points_[k].name, points_[k + 1].name, points_[k + 1].at - points_[k].at);
        follow(points_[begins_[p + 1] - 1].name, end_name, {});
    }
    table t{{"from", value_type::text}, {"to", value_type::text}, {"transitions", value_type::integer}, {"paths", value_type::integer}, {"share", value_type::decimal}, {"median_seconds", value_type::decimal}};
    for (const auto& it : ranked(edges, [](const edge& e) { return e.times; })) {
        const auto& [key, e] = *it;
        t[0].push_text(names_[key.first]);
        t[1].push_text(names_[key.second]);
        t[2].push_integer(static_cast<std::int64_t>(e.times));
        t[3].push_integer(static_cast<std::int64_t>(e.paths));
        t[4].push_decimal(share(e.times, out_of[key.first]));
        if (e.took.empty()) {
            t[5].push_missing();
            continue;
        }
        auto took = e.took;
        std::sort(took.begin(), took.end());
        const std::size_t n = took.size();
        t[5].push_decimal((static_cast<double>(took[(n - 1) / 2]) + static_cast<double>(took[n / 2])) / 2e6);
    }
    return t;
}

table path_set::sequences(std::size_t length, std::size_t most) const {
    if (length < 1 || length > 20) throw error{"paths.length", "length", "a sequence is 1 to 20 events long"};
    struct found {
        std::size_t times = 0, paths = 0, last = 0;
    };
    std::map<std::vector<std::uint32_t>, found> all;
    std::vector<std::uint32_t> key(length);
    for (std::size_t p = 0; p < paths(); ++p)
        for (std::size_t k = begins_[p]; k + length <= begins_[p + 1]; ++k) {
            for (std::size_t j = 0; j < length; ++j) key[j] = points_[k + j].name;
            auto& f = all[key];
            ++f.times;
            if (f.last != p + 1) ++f.paths;
            f.last = p + 1;
        }
    table t{{"sequence", value_type::text}, {"length", value_type::integer}, {"occurrences", value_type::integer}, {"paths", value_type::integer}, {"share", value_type::decimal}};
    for (const auto& it : ranked(all, [](const found& f) { return f.times; })) {
        if (t.rows() == most) break;
        std::string text;
        for (const auto n : it->first) text += (text.empty() ? "" : " > ") + names_[n];
        t[0].push_text(text);
        t[1].push_integer(static_cast<std::int64_t>(length));
        t[2].push_integer(static_cast<std::int64_t>(it->second.times));
        t[3].push_integer(static_cast<std::int64_t>(it->second.paths));
        t[4].push_decimal(share(it->second.paths, paths()));
    }
    return t;
}

table path_set::flows(const std::string& event, int steps) const {
    if (steps == 0 || steps > 50 || steps < -50) throw error{"paths.steps", "steps", "`steps` is 1 to 50, or -1 to -50 for what came before"};
    const auto it = std::find(names_.begin(), names_.end(), event);
    if (!event.empty() && it == names_.end()) throw error{"name.unknown", "event", "no path has an event \"" + event + "\"." + did_you_mean(event, names_)};
    const auto wanted = event.empty() ? start_name : static_cast<std::uint32_t>(it - names_.begin());
    if (event.empty() && steps < 0) throw error{"paths.steps", "steps", "nothing comes before the beginning of a path; name an event"};
    std::map<std::tuple<int, std::uint32_t, std::uint32_t>, std::size_t> all;
    for (std::size_t p = 0; p < paths(); ++p) {
        const auto begin = begins_[p], end = begins_[p + 1];
        auto k = begin;
        std::uint32_t from = start_name;
        if (!event.empty()) {
            while (k < end && points_[k].name != wanted) ++k;
            if (k == end) continue;
            from = wanted;
        }
        for (int s = 1; s <= std::abs(steps); ++s) {
            std::uint32_t to = 0;
            if (steps > 0) {
                const auto next = k + static_cast<std::size_t>(event.empty() ? s - 1 : s);
                to = next < end ? points_[next].name : end_name;
            } else {
                const auto back = static_cast<std::size_t>(s);
                to = k >= begin + back ? points_[k - back].name : start_name;
            }
            ++all[{steps > 0 ? s : -s, from, to}];
            if (to == end_name || to == start_name) break;
            from = to;
        }
    }
    table t{{"step", value_type::integer}, {"from", value_type::text}, {"to", value_type::text}, {"paths", value_type::integer}};
    for (const auto& [key, n] : all) {
        t[0].push_integer(std::get<0>(key));
        t[1].push_text(names_[std::get<1>(key)]);
        t[2].push_text(names_[std::get<2>(key)]);
        t[3].push_integer(static_cast<std::int64_t>(n));
    }
    return t;
}

table path_set::around(const std::string& event, int steps) const {
    const auto flow = flows(event, steps);
    std::map<int, std::map<std::string, std::size_t>> by_step;
    std::size_t all = 0;
    for (std::size_t r = 0; r < flow.rows(); ++r) {
        const int s = static_cast<int>(flow[0].integers()[r]);
        const auto n = static_cast<std::size_t>(flow[3].integers()[r]);
        by_step[std::abs(s)][std::string{flow[2].text(r)}] += n;
        if (std::abs(s) == 1) all += n;
    }
    table t{{"step", value_type::integer}, {"event", value_type::text}, {"paths", value_type::integer}, {"share", value_type::decimal}};
    for (const auto& [s, events] : by_step)
        for (const auto& it : ranked(events, [](std::size_t n) { return n; })) {
            t[0].push_integer(steps > 0 ? s : -s);
            t[1].push_text(it->first);
            t[2].push_integer(static_cast<std::int64_t>(it->second));
            t[3].push_decimal(share(it->second, all));
        }
    return t;
}

}  // namespace journeyman
