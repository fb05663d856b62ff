#include "journeyman/kpi/kpi.hpp"

#include <algorithm>

namespace journeyman {
namespace {

bool same(const expression& a, const expression& b) { return a.empty() || b.empty() ? a.empty() == b.empty() : a.equals(b); }

}  // namespace

bool equals(const kpi& a, const kpi& b) {
    return a.name == b.name && a.title == b.title && a.unit == b.unit && same(a.value, b.value) && a.proportion == b.proportion && a.scope == b.scope &&
           a.period == b.period && a.direction == b.direction && a.target == b.target && std::equal(a.by.begin(), a.by.end(), b.by.begin(), b.by.end(), same) && a.improve == b.improve;
}

bool equals(const campaign& a, const campaign& b) {
    return a.name == b.name && a.title == b.title && a.channel == b.channel && a.from == b.from && a.to == b.to && a.budget == b.budget && same(a.where, b.where);
}

bool equals(const dimension& a, const dimension& b) { return a.name == b.name && same(a.value, b.value) && a.spend == b.spend; }

}  // namespace journeyman
