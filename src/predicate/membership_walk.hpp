#pragma once
// The answer for one contact over a stretch of time, as steps. `and`, `or` and `not` combine the steps of their clauses;
// a clause that counts events is a sweep over their instants, any other is asked whenever it could change.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/reader.hpp"

namespace journeyman::detail {

/// The answer from an instant on, until the next step.
struct step {
    std::int64_t from = 0;
    truth value = truth::no;
};

/// One stay; `left` is missing (the largest instant) for who is still in at the end.
struct stay {
    static constexpr std::int64_t stays = std::numeric_limits<std::int64_t>::max();
    std::uint32_t contact = 0;
    std::int64_t entered = 0, left = stays;
    friend bool operator==(const stay&, const stay&) = default;
};

/// What of a history a node reads: slots of its program, ascending.
struct slots_read {
    std::vector<std::uint32_t> streams, attributes;
};
slots_read read_by(const program&, node_id);

/// contact_id, entered_at, left_at.
table stays_table(const history_data&, const std::vector<stay>&);

class membership_walk {
public:
    /// `follow`: `next()` will be asked.
    membership_walk(program_ptr, const history_data&, node_id, instant start, instant end, bool follow = false);
    ~membership_walk();
    membership_walk(const membership_walk&) = delete;
    membership_walk& operator=(const membership_walk&) = delete;

    /// The stays of all contacts, by contact and time. Who has no row in what the predicate reads gets the answer of such a contact, worked out once.
    void all(std::vector<stay>& out);
    /// Appends those of one contact. Best asked in ascending order.
    void one(std::uint32_t contact, std::vector<stay>& out);
    /// Of the contact walked last: the answer stays as it was at the end until this instant at least, unless an input comes.
    [[nodiscard]] std::int64_t next() const { return next_; }

private:
    struct part;
    const std::vector<step>& walk(part&);
    void sweep(part&);
    struct stretch { std::int64_t from, to; };
    std::span<const std::int64_t> entered(part&);
    std::span<const stretch> stretches(part&, std::span<const std::int64_t> enters);
    void sweep_enough(part&, std::span<const std::int64_t> enters);
    void ask_along(part&);
    static void combine(part&, const std::vector<step>&, truth deciding);
    std::unique_ptr<part> plan(node_id);
    std::unique_ptr<part> plan_counted(node_id);
    static std::optional<truth> of_nobody(const part&);
    std::vector<std::uint64_t> others(const part&) const;

    program_ptr program_;
    const history_data& history_;
    history_reader reader_;
    std::int64_t start_, end_;
    std::unique_ptr<part> root_;
    std::uint32_t contact_ = 0;          // the one being walked, from `from_` on
    std::int64_t from_ = 0, next_ = 0;
    bool loaded_ = false;                // by the reader
    bool follow_;
};

}  // namespace journeyman::detail
