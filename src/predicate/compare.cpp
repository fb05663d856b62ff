#include "predicate/compare.hpp"

namespace journeyman::detail {

std::partial_ordering compare_numbers(const value& a, const value& b) {
    if (a.type == b.type && a.type != value_type::decimal) return a.i <=> b.i;
    if (a.type == value_type::integer && b.type == value_type::decimal) return static_cast<long double>(a.i) <=> static_cast<long double>(b.d);
    if (a.type == value_type::decimal && b.type == value_type::integer) return static_cast<long double>(a.d) <=> static_cast<long double>(b.i);
    return a.as_decimal() <=> b.as_decimal();
}

void meet(const program& p, value& a, value& b) {
    if (a.type == value_type::day && b.type == value_type::instant) a = value::of(start_of(a.as_day(), *p.zone));
    if (b.type == value_type::day && a.type == value_type::instant) b = value::of(start_of(b.as_day(), *p.zone));
}

truth compare_values(const program& p, node_kind k, value a, value b) {
    if (a.is_missing() || b.is_missing()) return truth::unknown;
    meet(p, a, b);
    std::partial_ordering order = std::partial_ordering::unordered;
    if (is_number(a.type) && is_number(b.type)) {
        order = compare_numbers(a, b);
    } else if (a.type != b.type) {
        return truth::unknown;
    } else if (a.type == value_type::text) {
        if (k == node_kind::equal) return to_truth(a.i == b.i);
        if (k == node_kind::not_equal) return to_truth(a.i != b.i);
        order = p.pool->view(a.as_text()) <=> p.pool->view(b.as_text());
    } else {
        order = a.i <=> b.i;
    }
    if (order == std::partial_ordering::unordered) return truth::unknown;
    switch (k) {
        case node_kind::equal: return to_truth(order == 0);
        case node_kind::not_equal: return to_truth(order != 0);
        case node_kind::less: return to_truth(order < 0);
        case node_kind::less_equal: return to_truth(order <= 0);
        case node_kind::greater: return to_truth(order > 0);
        default: return to_truth(order >= 0);
    }
}

}  // namespace journeyman::detail
