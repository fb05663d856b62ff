#pragma once
// Runs the passes of a plan over ranges of contacts.

#include <optional>
#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "predicate/select_plan.hpp"

namespace journeyman::detail {

/// For one thread. Contacts are gone through in chunks that stay in the cache.
class pass_runner {
public:
    pass_runner(const program_ptr& p, const history_data& h, const clause& plan, instant at) : p_{p}, h_{h}, plan_{plan}, at_{at}, t_{at.time_since_epoch().count()} {}

    /// Appends those of [first, end) who are in, and those for whom it is unknown.
    void run(std::uint32_t first, std::uint32_t end, std::vector<std::uint32_t>& in, std::vector<std::uint32_t>& unknown);

private:
    static constexpr std::uint32_t chunk = 2048;
    /// Places in the chunk, ascending.
    struct picked {
        const std::uint32_t* place = nullptr;
        std::uint32_t count = 0;
        [[nodiscard]] const std::uint32_t* begin() const { return place; }
        [[nodiscard]] const std::uint32_t* end() const { return place + count; }
    };
    template <class T>
    struct lent {                                        // scratch of one chunk, given back when it goes
        std::vector<std::vector<T>>& shelf;
        std::vector<T> own;
        explicit lent(std::vector<std::vector<T>>& s) : shelf{s} {
            if (!shelf.empty()) {
                own = std::move(shelf.back());
                shelf.pop_back();
            }
            own.resize(chunk + 1);
        }
        lent(const lent&) = delete;
        lent& operator=(const lent&) = delete;
        ~lent() { shelf.push_back(std::move(own)); }
        T* data() { return own.data(); }
        T& operator[](std::size_t i) { return own[i]; }
    };

    /// f(place) for each of them: without the detour by the list when that is everybody, so that the loop can go by vectors.
    template <class F>
    void each(picked who, F f) const {
        const std::uint32_t n = count_;
        if (who.count == n) for (std::uint32_t i = 0; i < n; ++i) f(i);
        else for (const auto i : who) f(i);
    }

    void ask(const clause&, picked, truth* out);
    void logic(const clause&, picked, truth* out, truth deciding);
    void compare(const clause&, picked, truth* out);
    void among(const clause&, picked, truth* out);
    void holds(const clause&, picked, truth* out);
    void sequence(const clause&, picked, truth* out);
    bool chained(const clause&, std::uint32_t contact);
    void plain(const clause&, picked, truth* out);

    /// Fills values and whether they are there. What does not fit the term's type is in `odd_`.
    void values(const pass_term&, picked, std::int64_t* out, std::uint8_t* there);
    void attribute(const pass_term&, picked, std::int64_t* out, std::uint8_t* there);
    [[nodiscard]] const std::uint32_t* fixed_texts(const pass_term&) const;
    void counts(const pass_term&, picked, std::uint32_t* out);
    bool running_sums(const pass_term&, picked, std::int64_t* out);
    void edges(const pass_term&, picked, const std::uint32_t* lo, const std::uint32_t* hi, bool first, bool of_time, std::int64_t* out, std::uint8_t* there) const;
    void sums(const pass_term&, picked, const std::uint32_t* lo, const std::uint32_t* hi, std::int64_t* out, std::uint8_t* there);
    void distincts(const pass_term&, picked, const std::uint32_t* lo, const std::uint32_t* hi, std::int64_t* out);
    [[nodiscard]] bool crossed(const crossing&, std::uint32_t contact, std::uint32_t row, const event_stream& of) const;

    /// Where each contact's rows begin in the stream: chunk + 1 numbers.
    const std::uint32_t* begins(const event_stream&, std::uint32_t* scratch) const;
    /// The rows of the window, by place.
    void ranges(const row_choice&, picked, std::uint32_t* lo, std::uint32_t* hi);
    [[nodiscard]] bool passes(const row_choice& c, std::uint32_t row) const {
        for (const auto& t : c.where) if (!t.yes(*p_, row)) return false;
        return true;
    }

    const program_ptr& p_;
    const history_data& h_;
    const clause& plan_;
    instant at_;
    std::int64_t t_;
    std::uint32_t first_ = 0, count_ = 0;                // the chunk at hand
    std::vector<std::vector<truth>> truths_;
    std::vector<std::vector<std::uint32_t>> numbers_;
    std::vector<std::vector<std::int64_t>> integers_;
    std::vector<std::vector<std::uint8_t>> bytes_;
    std::vector<std::uint32_t> running_;                 // rows of the chunk so far, by row
    std::vector<std::uint64_t> pairs_;
    std::vector<std::uint32_t> seen_by_;                 // by text number: the stamp of whom it was met for last
    std::uint32_t stamp_ = 0;
    std::vector<std::pair<std::uint32_t, value>> odd_;
    struct link { std::int64_t at; std::uint32_t order; std::int64_t done; };
    std::vector<link> links_, earlier_;
    std::optional<history_reader> reader_;
};

}  // namespace journeyman::detail
