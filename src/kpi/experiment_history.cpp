// The units of an experiment, from a history.

#include "journeyman/core/error.hpp"
#include "journeyman/kpi/experiment.hpp"
#include "kpi/counted_events.hpp"

namespace journeyman {

experiment_units experiment_of(const history& h, const experiment_question& q) {
    const instant until = detail::end_of(h, q.until);
    detail::counted_events ask{h, q.context};
    const auto arm = ask.add_expression(q.arm, "arm");
    experiment_units out;
    struct asked { std::size_t metric, variable; node_id node; };
    std::vector<asked> all;
    for (std::size_t m = 0; m < q.metrics.size(); ++m) {
        const auto& metric = q.metrics[m];
        const expression* parts[] = {&metric.value, &metric.den, &metric.pre, &metric.pre_den};
        out.metrics.push_back({metric.name, {}});
        for (std::size_t k = 0; k < 4; ++k) {
            if (parts[k]->empty()) continue;
            const auto place = "metrics." + metric.name;
            const auto n = ask.add_expression(*parts[k], place);
            const auto type = ask.type_of(n);
            if (type != value_type::missing && type != value_type::boolean && type != value_type::duration && !is_number(type))
                throw error{"type.mismatch", place, "a metric is a number, a duration or yes/no; " + parts[k]->to_text() + " is of type " + std::string{to_string(type)}};
            all.push_back({m, k, n});
        }
    }
    detail::group_numbers arms;
    ask.each_contact(until, [&](std::uint32_t contact) {
        const value a = ask.at_end(arm);
        if (a.is_missing()) return;
        out.contacts.push_back(contact);
        out.arm.push_back(arms.number(to_text(a, *h.data().pool)));
        for (const auto& [m, k, node] : all) {
            const value v = ask.at_end(node);
            const bool number = v.type == value_type::boolean || v.type == value_type::duration || is_number(v.type);
            const double x = !number ? 0 : v.type == value_type::duration ? static_cast<double>(v.i) / 86'400e6 : v.as_decimal();   // in days
            out.metrics[m].values[k].push_back(x);
        }
    });
    auto [texts, places] = arms.sorted();
    out.arms = std::move(texts);
    for (auto& a : out.arm) a = places[a];
    return out;
}

std::vector<arm_sums> sums_of(const experiment_units& u, std::size_t metric) {
    const auto& v = u.metrics.at(metric).values;
    return sums_of(u.arm, u.arms.size(), {v[0], v[1], v[2], v[3]});
}

arm_units units_of(const experiment_units& u, std::size_t metric, std::size_t arm) {
    const auto& v = u.metrics.at(metric).values;
    arm_units out;
    for (std::size_t i = 0; i < u.arm.size(); ++i) {
        if (u.arm[i] != arm) continue;
        out.post.push_back(v[arm_sums::post].at(i));
        if (!v[arm_sums::den].empty()) out.den.push_back(v[arm_sums::den].at(i));
    }
    return out;
}

}  // namespace journeyman
