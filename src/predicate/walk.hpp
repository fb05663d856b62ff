#pragma once
// Every node of a tree, from the root, as written: through operands, selectors, their `where`, `without` and windows.

#include "journeyman/predicate/expression.hpp"

namespace journeyman::detail {

template <class F> void each_node(const expression& e, const F& f);

template <class F> void each_node(const selector_data& s, const F& f)
{
    each_node(s.where, f);
    if (s.without != nullptr) {
        each_node(*s.without, f);
    }
    each_node(s.window.from, f);
    each_node(s.window.to, f);
}

template <class F> void each_node(const expression& e, const F& f)
{
    if (e.empty()) {
        return;
    }
    f(*e);
    for (const auto& a : e->args) {
        each_node(a, f);
    }
    for (const auto& s : e->selectors) {
        each_node(s, f);
    }
}

/// The names of the segments a tree asks about, in order.
template <class Tree, class F> void each_named_segment(const Tree& tree, const F& f)
{
    each_node(tree, [&](const node& n) {
        if (n.kind == node_kind::call && n.function == function::segment) {
            f(std::get<std::string>(n.args[0]->value));
        }
    });
}

}  // namespace journeyman::detail
