#include "kpi/funnel_match.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace journeyman::detail {
namespace {

using order_t = funnel_rules::order_t;
using adjacency_t = funnel_rules::adjacency_t;
using anchor_t = funnel_rules::anchor_t;
using repeats_t = funnel_rules::repeats_t;

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

constexpr std::uint32_t bit(int step) { return 1U << static_cast<unsigned>(step); }

bool augment(int step, std::span<const funnel_hit> events, std::uint32_t& asked, std::uint32_t steps, std::array<std::uint32_t, most_steps>& of) {
    for (std::uint32_t e = 0; e < events.size(); ++e) {
        if ((events[e].steps & bit(step)) == 0) continue;
        int holder = -1;
        for (int s = 0; s < static_cast<int>(most_steps); ++s) if ((steps & bit(s)) != 0 && of[static_cast<std::size_t>(s)] == e) holder = s;
        if (holder == step) continue;
        if (holder >= 0) {
            if ((asked & bit(holder)) != 0) continue;
            asked |= bit(holder);
            if (!augment(holder, events, asked, steps, of)) continue;
        }
        of[static_cast<std::size_t>(step)] = e;
        return true;
    }
    return false;
}

}  // namespace

bool matched(std::uint32_t steps, std::span<const funnel_hit> events, std::array<std::uint32_t, most_steps>* chosen) {
    if (static_cast<std::size_t>(std::popcount(steps)) > events.size()) return false;
    std::array<std::uint32_t, most_steps> of{};
    of.fill(no_hit);
    for (int s = 0; s < static_cast<int>(most_steps); ++s) {
        if ((steps & bit(s)) == 0) continue;
        std::uint32_t asked = bit(s);
        if (!augment(s, events, asked, steps, of)) return false;
    }
    if (chosen != nullptr) *chosen = of;
    return true;
}

/// A chain under way. Which of two goes on as well as the other is settled at the end of each instant: see `settle`.
struct funnel_matcher::partial {
    std::uint32_t taken = 0;
    std::uint32_t fresh = 0;           // of them, by the group of events at hand
    int step = 0;                      // the last it took, from 0
    int left = -1;                     // steps it may still take, once it has met an exclusion
    bool ended = false;                // it takes no more steps, but may still meet an exclusion before its window ends
    std::int64_t start = 0, last = 0, until = 0;
    std::array<std::uint32_t, most_steps> hits;
};

funnel_matcher::funnel_matcher(const event_funnel& f, const time_zone& zone, instant end)
    : rules_{f.rules}, zone_{zone}, within_{f.within}, steps_{static_cast<int>(f.steps.size())}, end_{end.time_since_epoch().count()} {
    if (rules_.event_gap) gap_ = rules_.event_gap->fixed.count();
    for (const int s : rules_.optional_steps) optional_ |= bit(s - 1);
    greedy_ = rules_.adjacency == adjacency_t::listed || rules_.adjacency == adjacency_t::all || (rules_.repeats != repeats_t::allowed && rules_.repeats != repeats_t::end_walk);
}

/// The last instant inside a window that begins at `from`.
std::int64_t funnel_matcher::deadline(std::int64_t from) const {
    if (!within_) return never;
    const auto t = journeyman::add(instant{microseconds{from}}, *within_, zone_).time_since_epoch().count();
    return rules_.window_end_inclusive ? t : t - 1;
}

/// One pass over the hits of a unit.
class funnel_matcher::walk {
public:
    walk(const funnel_matcher& m, std::span<const funnel_hit> hits) : m_{m}, r_{m.rules_}, hits_{hits} {}

    funnel_match run() {
        for (std::uint32_t i = 0; i < hits_.size() && !(over_ && chains_.empty());) {
            std::uint32_t j = i;
            while (j < hits_.size() && hits_[j].at == hits_[i].at) ++j;
            at_one_instant(i, j);
            i = j;
        }
        bool open = false;
        const bool gone = m_.gap_ && recorded_ && m_.end_ - *recorded_ > *m_.gap_;   // whatever comes, comes too late after the last
        for (const auto& p : chains_) {
            finish(p);
            open = open || (!gone && !p.ended && p.until >= m_.end_);
        }
        funnel_match out;
        out.left_out = top_ > 0 && (best_.level < top_);
        if (!out.left_out) out.best = best_;
        out.open = open && !out.left_out && out.best.level < m_.steps_;
        return out;
    }

private:
    void at_one_instant(std::uint32_t from, std::uint32_t to) {
        t_ = hits_[from].at;
        std::uint32_t exclusions = 0, steps = 0;
        for (auto k = from; k < to; ++k) {
            exclusions |= hits_[k].exclusions;
            steps |= hits_[k].steps;
        }
        drop([&](const partial& p) { return p.until < t_; });
        if (steps != 0 || r_.adjacency == adjacency_t::all) {
            if (m_.gap_ && recorded_ && t_ - *recorded_ > *m_.gap_) end_all();
            recorded_ = t_;
        }
        if (over_) {}
        else if (m_.greedy_) greedily(from, to);
        else if (r_.tie_rule == funnel_rules::tie_t::step_order) together(from, to);
        else for (auto k = from; k < to && !over_; ++k) together(k, k + 1);
        if (exclusions != 0) meet(exclusions);
        settle();
    }

    // ---- chains may pass by what they could take: all alternatives are kept
    void together(std::uint32_t from, std::uint32_t to) {
        group_ = hits_.subspan(from, to - from);
        first_ = from;
        for (auto& p : chains_) p.fresh = 0;
        const bool walking = r_.adjacency == adjacency_t::walk;
        if (walking && begun_ && std::any_of(group_.begin(), group_.end(), [](const funnel_hit& h) { return h.steps == 0; })) return end_walk();
        const bool was_begun = begun_;
        for (int s = 0; s < m_.steps_; ++s) {
            std::uint32_t many = 0, hit = 0;
            for (std::uint32_t k = 0; k < group_.size(); ++k)
                if ((group_[k].steps & bit(s)) != 0 && many++ == 0) hit = first_ + k;
            if (many == 0) continue;
            if (s == 0) {
                if (!was_begun || (r_.anchor != anchor_t::first && !m_.only_first_)) begin(hit);
                begun_ = true;
                continue;
            }
            if (r_.repeats == repeats_t::end_walk && (reached_ & bit(s)) != 0) return end_walk();
            if (walking && begun_ && (reached_ & bit(s - 1)) == 0) {
                if (r_.skip_ahead == funnel_rules::skip_ahead_t::end) return end_walk();
                continue;
            }
            const std::size_t n = chains_.size();
            for (std::size_t k = 0; k < n; ++k)
                if (may_take(chains_[k], s) && fits(chains_[k].fresh | bit(s), (chains_[k].fresh & 1U) != 0)) take(partial{chains_[k]}, s, hit);
            if (many > 1 && r_.repeats == repeats_t::end_walk && (reached_ & bit(s)) != 0) return end_walk();
        }
    }

    /// Whether the group has events for these steps of one chain.
    [[nodiscard]] bool fits(std::uint32_t steps, bool starts_here) const {
        if (!r_.one_event_many_steps) return matched(steps, group_, nullptr);
        const auto covers = [&](std::uint32_t wanted, std::size_t without) {
            for (std::size_t k = 0; k < group_.size(); ++k) if (k != without) wanted &= ~group_[k].steps;
            return wanted == 0;
        };
        if (!starts_here || r_.start_event_many_steps) return covers(steps, group_.size());
        for (std::size_t k = 0; k < group_.size(); ++k)
            if ((group_[k].steps & 1U) != 0 && covers(steps & ~1U, k)) return true;
        return false;
    }

    [[nodiscard]] bool may_take(const partial& p, int s) const {
        if (p.ended || t_ > p.until || s <= p.step || p.left == 0 || (r_.strict_increase && p.last == t_)) return false;
        for (int between = p.step + 1; between < s; ++between) if ((m_.optional_ & bit(between)) == 0) return false;
        return true;
    }

    void begin(std::uint32_t hit) {
        partial p{};
        p.hits.fill(no_hit);
        p.start = t_;
        take(std::move(p), 0, hit);
    }
    void take(partial p, int s, std::uint32_t hit) {
        p.step = s;
        p.taken |= bit(s);
        p.fresh |= bit(s);
        p.hits[static_cast<std::size_t>(s)] = hit;
        p.last = t_;
        if (s == 0 || r_.window_from == funnel_rules::window_from_t::previous_step) p.until = m_.deadline(t_);
        if (p.left > 0) --p.left;
        reached_ |= bit(s);
        top_ = std::max(top_, s + 1);
        for (const auto& q : chains_)
            if (q.taken == p.taken && q.fresh == p.fresh && q.start == p.start && q.last == p.last && q.left == p.left && !q.ended) return;
        if (std::array<std::uint32_t, most_steps> of{}; !r_.one_event_many_steps && !m_.greedy_ && std::popcount(p.fresh) > 1 && matched(p.fresh, group_, &of))
            for (std::size_t k = 0; k < most_steps; ++k) if (of[k] != no_hit) p.hits[k] = first_ + of[k];   // steps of one instant by events of their own
        if (r_.exclusions.empty()) consider(p);
        chains_.push_back(std::move(p));
    }

    // ---- an event that is the next step is taken
    void greedily(std::uint32_t from, std::uint32_t to) {
        sorted_.clear();
        for (auto k = from; k < to; ++k) sorted_.push_back(k);
        if (r_.tie_rule == funnel_rules::tie_t::step_order)
            std::stable_sort(sorted_.begin(), sorted_.end(), [&](std::uint32_t a, std::uint32_t b) {   // by their steps, the first first, as texts are sorted
                std::uint32_t x = hits_[a].steps, y = hits_[b].steps;
                for (; x != 0 && y != 0; x &= x - 1, y &= y - 1)
                    if (std::countr_zero(x) != std::countr_zero(y)) return std::countr_zero(x) < std::countr_zero(y);
                return x == 0 && y != 0;
            });
        for (const auto k : sorted_) {
            if (over_) return;
            one(k);
        }
    }
    void one(std::uint32_t hit) {
        const std::uint32_t steps = hits_[hit].steps;
        if (r_.repeats == repeats_t::end_walk && (steps & reached_ & ~1U) != 0) return end_walk();
        const bool first = (steps & 1U) != 0;
        std::size_t kept = 0;
        for (std::size_t k = 0; k < chains_.size(); ++k) {
            partial& p = chains_[k];
            bool stays = true;
            if (!p.ended && !(r_.strict_increase && p.last == t_)) {
                const int next = next_step(p, steps);
                if (r_.repeats == repeats_t::reset && first) stays = false;
                else if (next > 0) advance(p, next, hit);
                else if (r_.repeats == repeats_t::end_chain_last) stays = (steps & bit(p.step)) == 0;
                else if (r_.repeats == repeats_t::end_chain_any) stays = (steps & (bit(p.step + 1) - 1)) == 0;
                if (next == 0 && ((r_.adjacency == adjacency_t::listed && steps != 0) || r_.adjacency == adjacency_t::all)) stays = false;
            }
            if (!stays) {
                if (r_.exclusions.empty()) continue;
                p.ended = true;
            }
            if (kept != k) chains_[kept] = p;
            ++kept;
        }
        chains_.resize(kept);
        if (!first) return;
        const bool restarts = r_.repeats == repeats_t::reset && !m_.only_first_;
        if (!begun_ || restarts || (r_.anchor != anchor_t::first && !m_.only_first_)) {
            const std::size_t before = chains_.size();
            begin(hit);
            if (r_.one_event_many_steps && r_.start_event_many_steps && !r_.strict_increase && chains_.size() > before)
                if (const int next = next_step(chains_.back(), steps); next > 0) advance(chains_.back(), next, hit);
        }
        begun_ = true;
    }
    /// 0: none.
    [[nodiscard]] int next_step(const partial& p, std::uint32_t steps) const {
        for (int s = p.step + 1; s < m_.steps_; ++s) {
            if ((steps & bit(s)) != 0 && may_take(p, s)) return s;
            if ((m_.optional_ & bit(s)) == 0) break;
        }
        return 0;
    }
    void advance(partial& p, int s, std::uint32_t hit) {
        while (s > 0) {
            p.step = s;
            p.taken |= bit(s);
            p.hits[static_cast<std::size_t>(s)] = hit;
            if (p.left > 0) --p.left;
            reached_ |= bit(s);
            top_ = std::max(top_, s + 1);
            s = r_.one_event_many_steps && !r_.strict_increase ? next_step(p, hits_[hit].steps) : 0;
        }
        p.last = t_;
        if (r_.window_from == funnel_rules::window_from_t::previous_step) p.until = m_.deadline(t_);
        if (r_.exclusions.empty()) consider(p);
    }

    void end_all() {
        if (r_.exclusions.empty()) chains_.clear();
        for (auto& p : chains_) p.ended = true;
    }
    void end_walk() {
        over_ = true;
        end_all();
    }

    // ---- exclusions: met strictly between the instants of two steps, or before the end of the window
    void meet(std::uint32_t exclusions) {
        for (auto& p : chains_) {
            if (p.left >= 0 || (r_.window_end_inclusive && t_ >= p.until)) continue;
            for (std::size_t k = 0; k < r_.exclusions.size(); ++k) {
                const auto& x = r_.exclusions[k];
                if ((exclusions & bit(static_cast<int>(k))) == 0 || p.step + 1 < x.from_step || p.step + 1 >= x.to_step) continue;
                const auto since = p.hits[static_cast<std::size_t>(x.from_step - 1)];
                if (since != no_hit && hits_[since].at < t_) p.left = 1;  // a chain that passed from_step by meets none
            }
        }
    }

    // ---- the end of an instant
    /// Of chains that took the same steps the newest goes on at least as well as the others, unless exclusions or a window from the last step tell them apart.
    void settle() {
        if (chains_.size() < 2) return;
        const bool by_last = r_.window_from == funnel_rules::window_from_t::previous_step && m_.within_;
        std::size_t kept = 0;
        for (std::size_t k = 0; k < chains_.size(); ++k) {
            bool better = true;
            for (std::size_t j = 0; j < kept && better; ++j) {
                partial& q = chains_[j];
                const partial& p = chains_[k];
                if (q.taken != p.taken || q.left != p.left || q.ended != p.ended) continue;
                if (!r_.exclusions.empty() && q.start != p.start) continue;
                if (by_last && q.last != p.last) continue;
                if (p.start > q.start) q = p;
                better = false;
            }
            if (!better) continue;
            if (kept != k) chains_[kept] = chains_[k];
            ++kept;
        }
        chains_.resize(kept);
    }
    template <class F> void drop(F gone) {
        std::erase_if(chains_, [&](const partial& p) {
            if (!gone(p)) return false;
            finish(p);
            return true;
        });
    }
    /// Nothing more can happen to it.
    void finish(const partial& p) {
        if (!r_.exclusions.empty() && p.left < 0) consider(p);
    }
    /// The furthest, then that of most steps, then the first to get there, then the latest start.
    void consider(const partial& p) {
        const int level = p.step + 1;
        const auto rank = [](const funnel_chain& c) { return std::popcount(c.taken); };
        if (best_.level > level) return;
        if (best_.level == level) {
            const int mine = std::popcount(p.taken), other = rank(best_);
            const auto a = end_of(p.hits, p.step), b = end_of(best_.hits, best_.level - 1);
            if (mine < other || (mine == other && (a > b || (a == b && p.start <= best_start_)))) return;
        }
        best_.level = level;
        best_.taken = p.taken;
        best_.hits = p.hits;
        best_start_ = p.start;
    }
    [[nodiscard]] std::pair<std::int64_t, std::uint32_t> end_of(const std::array<std::uint32_t, most_steps>& hits, int step) const {
        const auto h = hits[static_cast<std::size_t>(step)];
        return {hits_[h].at, r_.tie_rule == funnel_rules::tie_t::step_order ? 0 : h};
    }

    const funnel_matcher& m_;
    const funnel_rules& r_;
    std::span<const funnel_hit> hits_, group_;
    std::uint32_t first_ = 0;
    std::int64_t t_ = 0;
    std::optional<std::int64_t> recorded_;
    std::vector<partial> chains_;
    std::vector<std::uint32_t> sorted_;
    std::uint32_t reached_ = 0;
    int top_ = 0;
    bool begun_ = false, over_ = false;
    funnel_chain best_;
    std::int64_t best_start_ = 0;
};

funnel_match funnel_matcher::match(std::span<const funnel_hit> hits) const {
    if (rules_.order == order_t::presence) return presence(hits);
    if (rules_.order == order_t::unordered) return unordered(hits);
    return walk{*this, hits}.run();
}

funnel_match funnel_matcher::one_entry(std::span<const funnel_hit> hits) const {
    funnel_matcher once = *this;
    once.only_first_ = true;
    return once.match(hits);
}

}  // namespace journeyman::detail
