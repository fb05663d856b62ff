#include "journeyman/segment/segment.hpp"

#include <algorithm>

namespace journeyman {
namespace {

bool same(const expression& a, const expression& b) { return a.empty() || b.empty() ? a.empty() == b.empty() : a.equals(b); }

}  // namespace

bool equals(const segment& a, const segment& b) {
    const auto same_group = [](const auto& x, const auto& y) { return x.first == y.first && std::equal(x.second.begin(), x.second.end(), y.second.begin(), y.second.end(), same); };
    return a.name == b.name && same(a.where, b.where) && a.title == b.title && std::equal(a.collect.begin(), a.collect.end(), b.collect.begin(), b.collect.end(), same_group) && a.channels == b.channels &&
           a.funnel == b.funnel;
}

bool equals(const funnel& a, const funnel& b) {
    const auto same_stage = [](const funnel_stage& x, const funnel_stage& y) { return x.name == y.name && same(x.when, y.when); };
    const auto same_step = [](const auto& x, const auto& y) { return x.first == y.first && x.second.equals(y.second); };
    return a.name == b.name && std::equal(a.stages.begin(), a.stages.end(), b.stages.begin(), b.stages.end(), same_stage) &&
           std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(), same_step) && a.within == b.within && a.rules == b.rules;
}

}  // namespace journeyman
