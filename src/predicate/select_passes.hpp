#pragma once
// Runs the passes of plans over ranges of contacts.

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "predicate/kernels.hpp"
#include "predicate/select_plan.hpp"

namespace journeyman::detail {

/// For one thread. Contacts are gone through in chunks that stay in the cache; of a chunk, answers are bits.
/// Of a stream either all rows of the chunk are read (`select_masks.cpp`: bits by row, then numbers by contact), or, where few contacts
/// are still open, those of each (`select_rows.cpp`).
class pass_runner {
public:
    static constexpr std::uint32_t chunk = contacts_at_once;
    /// Bits of contacts, by number.
    struct answers { std::uint64_t* in; std::uint64_t* unknown; };

    pass_runner(const program_ptr& p, const history_data& h, std::span<const clause> plans, std::uint32_t shared, instant at)
        : p_{p}, h_{h}, plans_{plans}, at_{at}, t_{at.time_since_epoch().count()}, shared_(shared) {}

    /// Sets the bits of [first, end), which begins at a multiple of `chunk`; `out` is as long as the plans.
    void run(std::uint32_t first, std::uint32_t end, std::span<const answers> out);

private:
    /// Places in the chunk. Only the first words_ words count.
    struct bits { std::array<std::uint64_t, chunk / 64> word; };
    struct answer { bits yes, unknown; };
    struct kept { bits asked; answer found; };           // of a clause that several share
    /// The same, listed, ascending.
    struct picked {
        const std::uint32_t* place = nullptr;
        std::uint32_t count = 0;
        [[nodiscard]] const std::uint32_t* begin() const { return place; }
        [[nodiscard]] const std::uint32_t* end() const { return place + count; }
    };
    template <class T>
    struct lent {                                        // scratch, given back when it goes
        std::vector<std::vector<T>>& shelf;
        std::vector<T> own;
        explicit lent(std::vector<std::vector<T>>& s, std::size_t n = chunk + 1) : shelf{s} {
            if (!shelf.empty()) {
                own = std::move(shelf.back());
                shelf.pop_back();
            }
            if (own.size() < n) own.resize(n);
        }
        lent(const lent&) = delete;
        lent& operator=(const lent&) = delete;
        ~lent() { shelf.push_back(std::move(own)); }
        T* data() { return own.data(); }
        T& operator[](std::size_t i) { return own[i]; }
    };
    /// The rows of the chunk's contacts in a stream: those of place i are [begin[i], begin[i + 1]).
    struct rows_here {
        const std::uint32_t* begin;
        std::uint32_t first, count;
        [[nodiscard]] std::size_t words() const { return (std::size_t{count} + 63) / 64; }
    };

    /// f(place) for each of them: without the detour by the list when that is everybody, so that the loop can go by vectors.
    template <class F>
    void each(picked who, F f) const {
        const std::uint32_t n = count_;
        if (who.count == n) for (std::uint32_t i = 0; i < n; ++i) f(i);
        else for (const auto i : who) f(i);
    }
    [[nodiscard]] std::uint32_t count(const bits& b) const { return static_cast<std::uint32_t>(kernels_.count(b.word.data(), words_)); }
    picked list(const bits&, std::uint32_t* places) const;
    /// From one byte a place, for those asked.
    void take(const truth* from, const bits& who, answer& out) const;
    /// From a number a place, where `there` (null: everywhere), else unknown.
    void take_compared(node_kind op, std::int64_t x, const std::int64_t* v, const std::uint8_t* there, const bits& who, answer& out) const;
    void take_counted(node_kind op, std::uint32_t x, const std::uint32_t* n, const bits& who, answer& out) const;
    /// From a narrow text a place: whether it is among `numbers`.
    void take_texts(bool among, const std::vector<std::uint8_t>& numbers, const std::uint8_t* codes, const bits& who, answer& out) const;

    void ask(const clause&, const bits& who, answer& out);
    void ask_anew(const clause&, const bits& who, answer& out);
    void logic(const clause&, const bits& who, answer& out, bool all);
    void leaf(const clause&, const bits& who, answer& out);
    [[nodiscard]] bool texts(const clause&, const bits& who, answer& out);
    [[nodiscard]] bool by_masks(const clause&, const bits& who, answer& out);
    void sequence(const clause&, const bits& who, answer& out);
    bool chained(const clause&, std::uint32_t place);
    /// By buckets alone: where `surely`, a yes is certain, else a no.
    bool chained_by_buckets(const clause&, std::uint32_t place, bool surely);
    /// The lowest bucket of the step's rows within [low, high]; -1 when none is.
    [[nodiscard]] int first_bucket(std::size_t step, std::uint32_t place, int low, int high) const;

    // ---- by contact
    void compare(const clause&, picked, truth* out);
    void among(const clause&, picked, truth* out);
    void holds(const clause&, picked, truth* out);
    void plain(const clause&, picked, truth* out);
    /// Fills values and whether they are there. What does not fit the term's type is in `odd_`.
    void values(const pass_term&, picked, std::int64_t* out, std::uint8_t* there);
    void attribute(const pass_term&, picked, std::int64_t* out, std::uint8_t* there);
    void counts(const pass_term&, picked, std::uint32_t* out);
    bool running_sums(const pass_term&, picked, std::int64_t* out);
    void edges(const pass_term&, picked, const std::uint32_t* lo, const std::uint32_t* hi, bool first, bool of_time, std::int64_t* out, std::uint8_t* there) const;
    void sums(const pass_term&, picked, const std::uint32_t* lo, const std::uint32_t* hi, std::int64_t* out, std::uint8_t* there);
    void distincts(const pass_term&, picked, const std::uint32_t* lo, const std::uint32_t* hi, std::int64_t* out);
    [[nodiscard]] bool crossed(const crossing&, std::uint32_t contact, std::uint32_t row, const event_stream& of) const;
    /// The rows of the window, by place.
    void ranges(const row_choice&, picked, std::uint32_t* lo, std::uint32_t* hi);
    [[nodiscard]] bool passes(const row_choice& c, std::uint32_t row) const {
        for (const auto& t : c.where) if (!t.yes(*p_, row)) return false;
        return true;
    }

    // ---- by masks: bit k is about row `first + k` of the chunk
    /// Where each contact's rows begin in the stream: chunk + 1 numbers.
    const std::uint32_t* begins(const event_stream&, std::uint32_t* scratch) const;
    rows_here rows_of(const event_stream&, std::uint32_t* scratch) const;
    /// Whether reading all rows is cheaper than looking for those of `asked` contacts.
    [[nodiscard]] static bool dense(const row_choice& c, rows_here rows, std::uint32_t asked) { return c.times != nullptr && rows.count <= std::uint64_t{128} * asked; }
    void window(const row_choice&, rows_here, std::int64_t from, std::int64_t until, std::uint64_t* out);
    void keep_passing(const row_choice&, rows_here, std::uint64_t* mask);
    void keep(const row_test&, rows_here, std::uint64_t* mask);
    /// Rows in the window that pass the tests.
    void mask(const row_choice&, rows_here, std::uint64_t* out);
    /// How many bits each contact has.
    void tally(const row_choice&, rows_here, const std::uint64_t* mask, std::uint32_t* out);
    /// The rows in the window, without a look at the tests: they stand together. Only for who is asked about and has at least so many;
    /// of others they are some rows, of who has fewer never more than there are.
    void spans(const row_choice&, rows_here, const bits& who, std::uint32_t least, std::uint32_t* lo, std::uint32_t* hi);
    [[nodiscard]] std::uint32_t end_before(const row_choice&, std::uint32_t begin, std::uint32_t end, std::int64_t bound) const;
    void uncrossed(const pass_term&, rows_here, const bits& who, std::uint64_t* mask);
    /// For each contact the row that `first` or `last` means; lo == hi where there is none.
    void edge_rows(const row_choice&, rows_here, const bits& who, bool first, std::uint32_t* lo, std::uint32_t* hi);
    void distinct_by_masks(const clause&, rows_here, const bits& who, std::int64_t* out);
    void edge_times(const clause&, rows_here, const bits& who, answer& out);

    const program_ptr& p_;
    const history_data& h_;
    std::span<const clause> plans_;
    instant at_;
    std::int64_t t_;
    const kernels& kernels_ = best_kernels();
    std::uint32_t first_ = 0, count_ = 0;                // the chunk at hand
    std::size_t words_ = 0;
    std::vector<kept> shared_;
    std::vector<std::vector<truth>> truths_;
    std::vector<std::vector<std::uint32_t>> numbers_;
    std::vector<std::vector<std::int64_t>> integers_;
    std::vector<std::vector<std::uint8_t>> bytes_;
    std::vector<std::vector<std::uint16_t>> halves_;
    std::vector<std::vector<std::uint64_t>> masks_;
    std::vector<std::uint64_t> pairs_;
    std::vector<std::uint32_t> seen_by_;                 // by text number: the stamp of whom it was met for last
    std::uint32_t stamp_ = 0;
    std::vector<std::pair<std::uint32_t, value>> odd_;
    struct link { std::int64_t at; std::uint32_t order; std::int64_t done; };
    std::vector<link> links_, earlier_;
    struct close { std::int64_t at, done; };             // a link by buckets
    std::vector<close> close_, closer_;
    struct step_rows {
        rows_here rows{};
        const std::uint64_t* mask = nullptr;             // of rows that pass the tests; null where there are none, or rows are tested when met
        const std::uint32_t* begin = nullptr;            // with `bucket`: of those that pass, by place
        const std::uint16_t* bucket = nullptr;           // null: not known beforehand
    };
    std::vector<step_rows> steps_;                       // of the sequence at hand
    std::vector<std::vector<std::uint32_t>> step_begins_;
    std::vector<std::vector<std::uint64_t>> step_masks_;
    std::vector<std::vector<std::uint16_t>> step_buckets_;
    std::vector<std::vector<std::uint32_t>> passing_begins_;
    std::optional<history_reader> reader_;
};

/// f(bit) for each that is 1.
template <class F>
void each_bit(const std::uint64_t* words, std::size_t n, F f) {
    for (std::size_t w = 0; w < n; ++w)
        for (std::uint64_t word = words[w]; word != 0; word &= word - 1) f(static_cast<std::uint32_t>(w * 64) + static_cast<std::uint32_t>(std::countr_zero(word)));
}

/// `f` is inlined for each operator, so that the loop inside has no branch.
template <class F>
void with_operator(node_kind k, F f) {
    switch (k) {
        case node_kind::equal: return f([](auto a, auto b) { return a == b; });
        case node_kind::not_equal: return f([](auto a, auto b) { return a != b; });
        case node_kind::less: return f([](auto a, auto b) { return a < b; });
        case node_kind::less_equal: return f([](auto a, auto b) { return a <= b; });
        case node_kind::greater: return f([](auto a, auto b) { return a > b; });
        default: return f([](auto a, auto b) { return a >= b; });
    }
}

/// What a comparison with x holds for, as [low, high], or all but that.
template <class T>
struct interval_of {
    T low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max();
    bool none = false, inverse = false;
    interval_of(node_kind op, T x) {
        switch (op) {
            case node_kind::equal: low = high = x; break;
            case node_kind::not_equal: low = high = x; inverse = true; break;
            case node_kind::less: none = x == low; high = below(x); break;
            case node_kind::less_equal: high = x; break;
            case node_kind::greater: none = x == high; low = above(x); break;
            default: low = x;
        }
    }
private:
    static T below(T x) {
        if constexpr (std::numeric_limits<T>::is_integer) return x == std::numeric_limits<T>::lowest() ? x : static_cast<T>(x - 1);
        else return std::nextafter(x, -std::numeric_limits<T>::infinity());
    }
    static T above(T x) {
        if constexpr (std::numeric_limits<T>::is_integer) return x == std::numeric_limits<T>::max() ? x : static_cast<T>(x + 1);
        else return std::nextafter(x, std::numeric_limits<T>::infinity());
    }
};

}  // namespace journeyman::detail
