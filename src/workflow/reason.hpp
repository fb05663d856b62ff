#pragma once
// What follows from a predicate alone, whoever is asked: enough to find choices that are never taken. It may miss something, and is never wrong.

#include <vector>

#include "journeyman/predicate/program.hpp"

namespace journeyman {

enum class always : std::uint8_t { no, yes, open };

/// With the segments and consents that predicates may name; without one they stay closed.
class reasoning {
public:
    explicit reasoning(const compile_context* context = nullptr) : context_{context} {}

    /// What a predicate is at any time; `open` when it depends. No: it is never yes.
    [[nodiscard]] always constant(const expression&) const;
    /// Whether b is yes whenever a is.
    [[nodiscard]] bool implies(const expression& a, const expression& b) const { return implies(a, b, 0); }
    /// Whether they are never yes together, at one instant. Empty ones do not count.
    [[nodiscard]] bool exclude(const std::vector<expression>&) const;

private:
    bool implies(const expression& a, const expression& b, int depth) const;
    /// Its parts where it is an `and`, segments opened.
    void conjuncts(const expression&, std::vector<expression>& out, int depth) const;
    const expression* opened(const expression&) const;
    const compile_context* context_;
};

}  // namespace journeyman
