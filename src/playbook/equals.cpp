#include <algorithm>

#include "journeyman/playbook/playbook.hpp"

namespace journeyman {
namespace {

/// A dimension given as a text and one given as an expression are the same when they say the same.
kpi with_read_dimensions(kpi k) {
    for (auto& e : k.by) {
        if (e.empty() || e->kind != node_kind::literal) continue;
        const auto* text = std::get_if<std::string>(&e->value);
        if (text == nullptr || text->starts_with("event.")) continue;
        try {
            e = expression::parse(*text, bare_names::property);
        } catch (const error&) {   // the check says what is wrong with it
        }
    }
    return k;
}

template <class T> bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return equals(x, y); });
}

}  // namespace

bool equals(const playbook& a, const playbook& b) {
    return a.name == b.name && a.timezone == b.timezone && a.currency == b.currency && a.weeks == b.weeks && a.types == b.types && same(a.segments, b.segments) && same(a.funnels, b.funnels) &&
           equals(a.policies, b.policies) && same(a.workflows, b.workflows) &&
           std::equal(a.kpis_.begin(), a.kpis_.end(), b.kpis_.begin(), b.kpis_.end(), [](const kpi& x, const kpi& y) { return equals(with_read_dimensions(x), with_read_dimensions(y)); }) &&
           same(a.campaigns, b.campaigns) && same(a.dimensions, b.dimensions) && a.report == b.report;
}

}  // namespace journeyman
