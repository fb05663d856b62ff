#include "journeyman/predicate/membership.hpp"

#include <algorithm>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"

namespace journeyman {
namespace {

/// The first instant after those visible at which something of the loaded contact happens.
instant next_input(const history_reader& r) {
    instant next = end_of_time;
    const auto& p = r.compiled();
    const auto look = [&](const auto& all, std::uint32_t seen) {
        if (seen < all.count) next = std::min(next, instant{microseconds{all.at[seen]}});
    };
    for (std::uint32_t s = 0; s < p.streams.size(); ++s) look(r.all(s), r.view().streams[s].count);
    for (std::uint32_t a = 0; a < p.attributes.size(); ++a) look(r.all_changes(a), r.view().attributes[a].count);
    return next;
}

}  // namespace

table membership(const history& h, const expression& e, instant start, instant end, const compile_context& context) {
    const auto [program, n] = compile(e, h.schema(), h.data().pool, context);
    return membership(h, program, n, start, end);
}

table membership(const history& h, const program_ptr& program, node_id n, instant start, instant end) {
    if (end <= start) throw error{"predicate.window", "", "the end must be after the start"};
    const auto& ids = h.data().contacts;
    table out{{"contact_id", ids.type()}, {"entered_at", value_type::instant}, {"left_at", value_type::instant}};
    history_reader reader{program, h.data()};
    for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
        reader.load(k);
        const auto stay = [&](instant entered, std::optional<instant> left) {
            ids.push_to(out[0], k);
            out[1].push(entered);
            if (left) out[2].push(*left);
            else out[2].push_missing();
        };
        std::optional<instant> entered;
        for (instant t = std::max(start, reader.view().exists_from); t < end;) {
            instant next = end_of_time;
            const bool in = evaluate(*program, n, reader.see(t), t, next).is_yes();
            if (in && !entered) entered = t;
            if (!in && entered) {
                stay(*entered, t);
                entered.reset();
            }
            t = std::min(next, next_input(reader));
        }
        if (entered) stay(*entered, std::nullopt);
    }
    return out;
}

}  // namespace journeyman
