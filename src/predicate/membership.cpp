#include "journeyman/predicate/membership.hpp"

#include <algorithm>
#include <limits>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "predicate/select_plan.hpp"

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

/// A stretch of time, its end excluded.
struct stay {
    std::int64_t from, to;
};
using stays = std::vector<stay>;   // ascending, apart

void complement(std::int64_t begin, std::int64_t end, stays& all) {
    stays out;
    for (const auto& s : all) {
        if (begin < s.from) out.push_back({begin, s.from});
        begin = s.to;
    }
    if (begin < end) out.push_back({begin, end});
    all = std::move(out);
}

stays both(const stays& a, const stays& b) {
    stays out;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        const std::int64_t from = std::max(a[i].from, b[j].from), to = std::min(a[i].to, b[j].to);
        if (from < to) out.push_back({from, to});
        if (a[i].to < b[j].to) ++i; else ++j;
    }
    return out;
}

/// A predicate over time, as far as it counts events.
struct clause {
    enum class form : std::uint8_t { at_least, inverse, known, all_of, any_of, plain };
    form what = form::plain;
    std::vector<clause> parts{};
    detail::row_choice rows{};                                          // at_least: which rows, whatever their time
    std::uint32_t least = 1;
    std::int64_t window = std::numeric_limits<std::int64_t>::max();     // how long a row counts
    node_id node = none;                                                // plain: for the evaluator
};

class planner {
public:
    planner(const program& p, const history_data& h) : p_{p}, h_{h} {}
    [[nodiscard]] clause plan(node_id id) const {
        const auto& n = p_.nodes[id];
        using form = clause::form;
        switch (n.kind) {
            case node_kind::and_: return of(form::all_of, n);
            case node_kind::or_: return of(form::any_of, n);
            case node_kind::not_: return of(form::inverse, n);
            case node_kind::call:
                if (n.function == function::segment) return {form::known, {plan(n.slot)}};
                break;
            case node_kind::aggregate:
                if (n.aggregate == aggregate::did) return counted(id, id, node_kind::greater_equal, 1);
                if (n.aggregate == aggregate::never) return counted(id, id, node_kind::less, 1);
                break;
            case node_kind::greater_equal:
            case node_kind::greater:
            case node_kind::less:
            case node_kind::less_equal: {
                const auto &a = p_.nodes[p_.arguments[n.args]], &b = p_.nodes[p_.arguments[n.args + 1]];
                if (a.kind == node_kind::aggregate && a.aggregate == aggregate::count && b.kind == node_kind::literal && b.type == value_type::integer) {
                    return counted(id, p_.arguments[n.args], n.kind, b.constant.i);
                }
                break;
            }
            default: break;
        }
        return plain(id);
    }

private:
    static clause plain(node_id id) {
        clause c;
        c.node = id;
        return c;
    }
    [[nodiscard]] clause of(clause::form f, const compiled_node& n) const {
        clause c;
        c.what = f;
        for (std::uint32_t k = 0; k < n.count; ++k) c.parts.push_back(plan(p_.arguments[n.args + k]));
        return c;
    }
    [[nodiscard]] clause counted(node_id whole, node_id fold, node_kind op, std::int64_t k) const {
        const auto& s = p_.selectors[p_.nodes[fold].slot];
        if (s.without != none || (s.window.kind != window_kind::all && s.window.kind != window_kind::last) || k < 0 || k > 1'000'000) return plain(whole);
        auto rows = detail::plan_rows(p_, h_, s, end_of_time);
        if (!rows) return plain(whole);
        clause c;
        c.what = clause::form::at_least;
        c.rows = std::move(*rows);
        c.least = static_cast<std::uint32_t>(k + (op == node_kind::greater || op == node_kind::less_equal));
        if (s.window.kind == window_kind::last) c.window = s.window.last.fixed.count();
        if (op == node_kind::greater_equal || op == node_kind::greater) return c;
        return {clause::form::inverse, {std::move(c)}};
    }

    const program& p_;
    const history_data& h_;
};

/// When a predicate is yes, and when it is no (what is unknown is neither): of clauses that count, from their rows at once; of the others,
/// by asking the evaluator whenever they may change.
class over_time {
public:
    over_time(const program_ptr& p, const history_data& h, node_id n) : p_{p}, plan_{planner{*p, h}.plan(n)}, reader_{p, h} {}

    /// Within [begin, end).
    void yes(std::uint32_t contact, std::int64_t begin, std::int64_t end, stays& out) {
        contact_ = contact;
        loaded_ = false;
        when(plan_, true, begin, end, out);
    }

private:
    void when(const clause& c, bool wanted, std::int64_t begin, std::int64_t end, stays& out) {
        switch (c.what) {
            case clause::form::at_least:
                enough(c, begin, end, out);
                if (!wanted) complement(begin, end, out);
                return;
            case clause::form::inverse: return when(c.parts[0], !wanted, begin, end, out);
            case clause::form::known:
                when(c.parts[0], true, begin, end, out);
                if (!wanted) complement(begin, end, out);
                return;
            case clause::form::all_of:
            case clause::form::any_of: {
                // An `and` is yes where all are, no where any is; an `or` the other way. "Where any" is the complement of "where none".
                const bool all = (c.what == clause::form::all_of) == wanted;
                stays common{{begin, end}}, one;
                for (const auto& x : c.parts) {
                    one.clear();
                    when(x, wanted, begin, end, one);
                    if (!all) complement(begin, end, one);
                    common = both(common, one);
                    if (common.empty()) break;
                }
                if (!all) complement(begin, end, common);
                out = std::move(common);
                return;
            }
            case clause::form::plain: return asked(c.node, wanted, begin, end, out);
        }
    }
    /// At least k rows are in the window from the k-th of them on until the first leaves.
    void enough(const clause& c, std::int64_t begin, std::int64_t end, stays& out) {
        if (c.least == 0) {
            out.push_back({begin, end});
            return;
        }
        const auto& rows = c.rows.stream->rows;
        const auto [first, last] = rows.range(contact_);
        const std::int64_t* at = rows.at.data() + first;
        std::size_t n = last - first;
        if (!c.rows.where.empty()) {
            chosen_.clear();
            for (auto r = first; r < last; ++r) {
                if (std::all_of(c.rows.where.begin(), c.rows.where.end(), [&](const auto& t) { return t.yes(*p_, r); })) chosen_.push_back(rows.at[r]);
            }
            at = chosen_.data();
            n = chosen_.size();
        }
        for (std::size_t i = 0; i + c.least <= n; ++i) {
            std::int64_t leaves = 0;
            if (__builtin_add_overflow(at[i], c.window, &leaves)) leaves = end;
            leaves = std::min(leaves, end);
            const std::int64_t enters = std::max(at[i + c.least - 1], begin);
            if (enters >= leaves) continue;
            if (!out.empty() && out.back().to >= enters) out.back().to = leaves;
            else out.push_back({enters, leaves});
        }
    }
    void asked(node_id n, bool wanted, std::int64_t begin, std::int64_t end, stays& out) {
        if (!loaded_) reader_.load(contact_);
        loaded_ = true;
        const instant until{microseconds{end}};
        for (instant t{microseconds{begin}}; t < until;) {
            instant next = end_of_time;
            const truth x = evaluate(*p_, n, reader_.see(t), t, next).as_truth();
            const std::int64_t from = t.time_since_epoch().count();
            t = std::min(next, next_input(reader_));
            if (x != to_truth(wanted)) continue;
            const std::int64_t to = std::min(t, until).time_since_epoch().count();
            if (!out.empty() && out.back().to == from) out.back().to = to;
            else out.push_back({from, to});
        }
    }

    const program_ptr& p_;
    clause plan_;
    history_reader reader_;
    std::uint32_t contact_ = 0;
    bool loaded_ = false;
    std::vector<std::int64_t> chosen_;
};

/// `when(contact, begin, end, out)` fills the stays of one contact.
template <class F>
table stays_of_all(const history_data& h, instant start, instant end, F when) {
    if (end <= start) throw error{"predicate.window", "", "the end must be after the start"};
    table out{{"contact_id", h.contacts.type()}, {"entered_at", value_type::instant}, {"left_at", value_type::instant}};
    const std::int64_t from = start.time_since_epoch().count(), to = end.time_since_epoch().count();
    stays all;
    for (std::uint32_t k = 0; k < h.contacts.size(); ++k) {
        const std::int64_t begin = h.exists_from.empty() ? from : std::max(from, h.exists_from[k]);
        if (begin >= to) continue;
        all.clear();
        when(k, begin, to, all);
        for (const auto& s : all) {
            h.contacts.push_to(out[0], k);
            out[1].push_integer(s.from);
            if (s.to < to) out[2].push_integer(s.to);
            else out[2].push_missing();
        }
    }
    return out;
}

}  // namespace

table membership(const history& h, const expression& e, instant start, instant end, const compile_context& context) {
    const auto [program, n] = compile(e, h.schema(), h.data().pool, context);
    return membership(h, program, n, start, end);
}

table membership(const history& h, const program_ptr& program, node_id n, instant start, instant end) {
    over_time ask{program, h.data(), n};
    return stays_of_all(h.data(), start, end, [&](std::uint32_t contact, std::int64_t begin, std::int64_t until, stays& out) { ask.yes(contact, begin, until, out); });
}

table membership_plainly(const history& h, const program_ptr& program, node_id n, instant start, instant end) {
    history_reader reader{program, h.data()};
    return stays_of_all(h.data(), start, end, [&](std::uint32_t contact, std::int64_t begin, std::int64_t until, stays& out) {
        reader.load(contact);
        for (std::int64_t t = begin; t < until;) {
            const instant asked{microseconds{t}};
            instant next = end_of_time;
            const bool in = evaluate(*program, n, reader.see(asked), asked, next).is_yes();
            const std::int64_t to = std::min(std::min(next, next_input(reader)).time_since_epoch().count(), until);
            if (in && !out.empty() && out.back().to == t) out.back().to = to;
            else if (in) out.push_back({t, to});
            t = to;
        }
    });
}

}  // namespace journeyman
