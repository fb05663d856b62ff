#pragma once
// A program's window on a history: goes contact by contact, and shows each as of a place in the order.

#include <cstdint>
#include <string>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/view.hpp"

namespace journeyman {

/// Not for several threads: each takes its own. Contacts are best asked in ascending order.
class history_reader {
public:
    history_reader(program_ptr p, const history_data& h);

    /// Loads a contact; nothing is visible until `see` is called. (`see_all` shows everything.)
    void load(std::uint32_t contact);

    /// Everything at or before `p` is visible (T2); going forward is cheap, going back works too.
    const contact_view& see(position p) {
        for (std::uint32_t s = 0; s < all_.size(); ++s) move(all_[s], seen_[s].count, p);
        for (std::uint32_t a = 0; a < all_attributes_.size(); ++a) if (!program_->attributes[a].of_account) move(all_attributes_[a], seen_attributes_[a].count, p);
        if (account_slot_ != none) see_account(p);
        return view_;
    }
    /// Everything at or before `t`.
    const contact_view& see(instant t) { return see(position{t, 0xffffffffU}); }

    /// Whether the loaded contact exists at `t`.
    [[nodiscard]] bool exists(instant t) const { return t >= view_.exists_from; }
    [[nodiscard]] const contact_view& view() const { return view_; }
    /// The whole of a stream, an attribute, of the loaded contact.
    [[nodiscard]] const stream_slice& all(std::uint32_t stream_slot) const { return all_[stream_slot]; }
    [[nodiscard]] const attribute_slice& all_changes(std::uint32_t attribute_slot) const { return all_attributes_[attribute_slot]; }
    [[nodiscard]] const program& compiled() const { return *program_; }
    [[nodiscard]] const program_ptr& compiled_ptr() const { return program_; }
    /// The account of this id (an attribute `account_id`); `none` when there is none.
    [[nodiscard]] std::uint32_t account_named(const value& id) const;
    /// Its attributes into `all_changes`, with nothing of them visible; `see` does so by itself.
    void load_account(std::uint32_t account);
    /// The slot of `account_id`, when the program looks at accounts.
    [[nodiscard]] std::uint32_t account_slot() const { return account_slot_; }
    void set_journey(const journey_view* j) { view_.journey = j; }

private:
    template <class Slice>
    static void move(const Slice& all, std::uint32_t& count, position p) {
        const auto t = p.at.time_since_epoch().count();
        const auto after = [&](std::uint32_t i) { return all.at[i] > t || (all.at[i] == t && all.order[i] > p.order); };
        if (count > 0 && after(count - 1)) {                    // backwards
            std::uint32_t lo = 0, hi = count - 1;
            while (lo < hi) {
                const auto mid = (lo + hi) / 2;
                if (after(mid)) hi = mid; else lo = mid + 1;
            }
            count = lo;
            return;
        }
        std::uint32_t step = 1;                                 // galloping forwards
        while (count + step <= all.count && !after(count + step - 1)) { count += step; step *= 2; }
        while (step > 0) {
            if (count + step <= all.count && !after(count + step - 1)) count += step;
            step /= 2;
        }
    }
    void see_account(position p);

    program_ptr program_;
    const history_data* history_;
    struct stream_source { const event_stream* stream; std::size_t cursor = 0; std::vector<const column*> columns; };
    struct attribute_source { const attribute_stream* stream; std::size_t cursor = 0; };
    std::vector<stream_source> streams_;
    std::vector<attribute_source> attributes_;
    std::vector<stream_slice> all_, seen_;
    std::vector<attribute_slice> all_attributes_, seen_attributes_;
    std::uint32_t account_slot_ = none;                         // attribute slot of account_id, when account attributes are used
    std::vector<std::pair<std::uint32_t, std::uint32_t>> account_numbers_;   // text id → account number, sorted
    std::uint32_t account_ = none;
    std::string id_;
    contact_view view_;
};

}  // namespace journeyman
