#pragma once
// Expressions asked of all contacts of a history: compiled together, one pass contact by contact.

#include <string>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman::detail {

/// Everything asked goes through one compiler, so that slots are shared. The first problem is thrown.
class questions {
public:
    questions(const history& h, const vocabulary& v) : compiler_{v.known ? *v.known : h.schema(), h.data().pool, v.context} {}

    node_id add(const expression& e, const std::string& place, value_type wanted = value_type::missing) {
        return sound([&] { return compiler_.add_expression(e, place, wanted); });
    }
    node_id add_predicate(const expression& e, const std::string& place) {
        return sound([&] { return compiler_.add_predicate(e, place); });
    }
    [[nodiscard]] value_type type_of(node_id n) const { return compiler_.type_of(n); }
    const program_ptr& program() {
        if (!program_) program_ = compiler_.finish();
        return program_;
    }

private:
    template <class F> node_id sound(F f) {
        const auto before = compiler_.found().size();
        const auto n = f();
        compiler_.found().throw_first_error(before);
        program_ = nullptr;
        return n;
    }

    compiler compiler_;
    program_ptr program_;
};

inline void tell(const progress_listener& progress, std::size_t done, std::size_t all) {
    if (progress && !progress(all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all))) throw error{"run.stopped", "", "the work was stopped before its end"};
}

/// Calls f(reader, contact) for every contact, loaded, in ascending order.
template <class F> void each_contact(const history& h, const program_ptr& p, const progress_listener& progress, F f) {
    history_reader reader{p, h.data()};
    const auto all = static_cast<std::uint32_t>(h.contacts_count());
    for (std::uint32_t k = 0; k < all; ++k) {
        if (k % 4096 == 0) tell(progress, k, all);
        reader.load(k);
        f(reader, k);
    }
}

/// The value of an expression about the loaded contact.
inline value answer(const program& p, node_id n, const contact_view& v, instant t) {
    instant unused = end_of_time;
    return evaluate(p, n, v, t, unused);
}

}  // namespace journeyman::detail
