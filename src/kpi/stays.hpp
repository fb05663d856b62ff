#pragma once
// Where a contact stands from when to when, for scopes and dimensions that change: worked out once for all KPIs that share them, not event by event.

#include <cstdint>
#include <memory>
#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "predicate/membership_walk.hpp"

namespace journeyman::detail {

/// Whether an expression about a contact reads the event at hand; filters of its selectors read their own.
bool reads_event(const program&, node_id);
/// Whether time alone never changes it.
bool is_timeless(const program&, node_id);

/// Of the contact at hand: pieces of time in which she stands where she stands. Predicates are walked as `membership` walks them; anything else that is read is asked after each of its inputs.
class stays {
public:
    struct stay {
        std::int64_t from = 0;
        bool in_scope = false;
        std::vector<std::uint32_t> cells;          // as crowd::known
    };
    std::vector<std::uint32_t> streams, attributes;          // slots of all that is read
    std::vector<std::uint32_t> asked_streams, asked_attributes;   // of what is no predicate
    std::vector<node_id> predicates;               // `none`: always yes

    /// Nobody asks about an instant before `start`, or from `end` on.
    void prepare(const program_ptr&, const history_data&, instant start, instant end);
    void clear() { pieces_.clear(); }
    /// The stay at a place. `ask(stay&, yes)` fills it in as of what the reader shows; `yes`: by predicate, null where they have to be asked too.
    template <class F>
    const stay& at(history_reader& reader, position p, F ask) {
        if (p.at < reader.view().exists_from || is_amid(reader, p)) {
            reader.see(p);
            amid_ = {};
            ask(amid_, p.at, static_cast<const std::vector<std::uint8_t>*>(nullptr));
            return amid_;
        }
        if (pieces_.empty()) {
            each_change(reader, [&](std::int64_t from, const std::vector<std::uint8_t>& yes) {
                const instant t{microseconds{from}};
                if (!asked_streams.empty() || !asked_attributes.empty()) reader.see(t);
                pieces_.push_back({from, false, {}});
                ask(pieces_.back(), t, &yes);
            });
            last_ = 0;
        }
        const std::int64_t t = p.at.time_since_epoch().count();
        if (pieces_[last_].from > t || (last_ + 1 < pieces_.size() && pieces_[last_ + 1].from <= t)) find(t);
        return pieces_[last_];
    }

private:
    /// Whether more of what is read comes at the same instant: pieces say how it ends.
    bool is_amid(const history_reader&, position);
    /// Calls f(from, yes) for each piece, in order.
    template <class F>
    void each_change(const history_reader& reader, F f) {
        gather(reader);
        std::vector<std::uint8_t> yes(predicates.size());
        for (std::size_t k = 0; k < predicates.size(); ++k) yes[k] = predicates[k] == none;
        for (std::size_t k = 0; k < changes_.size();) {
            const std::int64_t from = changes_[k].at;
            for (; k < changes_.size() && changes_[k].at == from; ++k)
                if (changes_[k].predicate != none) yes[changes_[k].predicate] = changes_[k].in;
            f(from, yes);
        }
    }
    void gather(const history_reader&);
    void find(std::int64_t);

    struct change { std::int64_t at; std::uint32_t predicate; bool in; };
    std::int64_t start_ = 0;
    std::vector<std::unique_ptr<membership_walk>> walks_;    // by predicate
    std::vector<detail::stay> walked_;
    std::vector<change> changes_;
    std::vector<std::uint32_t> cursors_;           // by what is read
    std::vector<stay> pieces_;
    std::size_t last_ = 0;
    stay amid_;
};

}  // namespace journeyman::detail
