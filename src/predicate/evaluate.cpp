#include "journeyman/predicate/evaluate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "journeyman/core/exact_sum.hpp"
#include "journeyman/core/hash.hpp"
#include "predicate/compare.hpp"

namespace journeyman {
namespace {

using std::int64_t;
__extension__ typedef __int128 wide;   // sums of integers do not overflow on the way

/// A value and how fast it moves with `now` (per microsecond): `now - x` moves by 1.
struct timed {
    value v;
    double rate = 0;
};

using detail::compare_numbers;

class evaluation {
public:
    evaluation(const program& p, const contact_view& v, instant t, instant& next) : p_{p}, v_{v}, t_{t}, next_{next} {}

    timed eval(node_id id, event_ref e) {
        const auto& n = p_.nodes[id];
        switch (n.kind) {
            case node_kind::literal: return {n.constant};
            case node_kind::list: return {n.constant};
            case node_kind::attribute:
            case node_kind::account_attribute: return {v_.attributes[n.slot].now()};
            case node_kind::property: return {e ? e.property(n.slot) : value{}};
            case node_kind::event_time: return {e ? value::of(e.place().at) : value{}};
            case node_kind::event_name: return {e ? value::of(p_.stream_texts[e.slot]) : value{}};
            case node_kind::trigger_property: return {v_.journey != nullptr && v_.journey->trigger ? v_.journey->trigger.property(n.slot) : value{}};
            case node_kind::now: return {value::of(t_), 1};
            case node_kind::not_: return {value::of(!truth_of(arg(n, 0), e))};
            case node_kind::negate: {
                auto x = eval(arg(n, 0), e);
                if (x.v.is_missing()) return x;
                if (x.v.type == value_type::decimal) x.v.d = -x.v.d; else x.v.i = -x.v.i;
                return {x.v, -x.rate};
            }
            case node_kind::and_: return {value::of(logic(n, e, truth::no))};
            case node_kind::or_: return {value::of(logic(n, e, truth::yes))};
            case node_kind::add:
            case node_kind::subtract: return add_up(n, e);
            case node_kind::multiply:
            case node_kind::divide: return scale(n, e);
            case node_kind::equal: case node_kind::not_equal: case node_kind::less: case node_kind::less_equal:
            case node_kind::greater: case node_kind::greater_equal: {
                const auto a = eval(arg(n, 0), e), b = eval(arg(n, 1), e);
                return {value::of(compare(n.kind, a, b))};
            }
            case node_kind::between: {
                const auto x = eval(arg(n, 0), e), a = eval(arg(n, 1), e), b = eval(arg(n, 2), e);
                return {value::of(both(compare(node_kind::greater_equal, x, a), compare(node_kind::less_equal, x, b)))};
            }
            case node_kind::in: return {value::of(in_list(n, e))};
            case node_kind::not_in: return {value::of(!in_list(n, e))};
            case node_kind::contains: case node_kind::starts_with: case node_kind::ends_with:
            case node_kind::has_any: case node_kind::has_all: return {value::of(text_test(n, e))};
            case node_kind::matches: {
                const auto a = eval(arg(n, 0), e).v;
                return {a.is_missing() ? value{} : value::of(n.matcher->found_in(p_.pool->view(a.as_text())))};
            }
            case node_kind::call: return call(n, e);
            case node_kind::aggregate: return {n.aggregate == aggregate::sequence ? value::of(sequence(n)) : fold(n)};
        }
        return {};
    }

    template <class F>
    void each_counted(const compiled_selector& s, F f) {
        const bounds b = window_of(s.window);
        each(s, b, [&](event_ref e, instant leaves) {
            f(e, leaves);
            return true;
        });
    }

    bool counts(const compiled_selector& s, event_ref e) {
        const bounds b = window_of(s.window);
        if (!b.known || !s.listens(e.slot)) return false;
        instant moves = end_of_time;
        const bool in = inside(s.window, b, e.place(), moves);
        if ((!in && moves == end_of_time) || !takes(s, e)) return false;
        at(moves);
        if (!in) return false;
        if (s.without == none) return true;
        instant from = end_of_time;
        if (uncrossed(s, e, from)) return true;
        at(from);
        return false;
    }

private:
    node_id arg(const compiled_node& n, std::uint32_t k) const { return p_.arguments[n.args + k]; }
    truth truth_of(node_id id, event_ref e) { return eval(id, e).v.as_truth(); }
    void at(instant t) { if (t > t_ && t < next_) next_ = t; }
    static truth both(truth a, truth b) {
        if (a == truth::no || b == truth::no) return truth::no;
        return a == truth::unknown || b == truth::unknown ? truth::unknown : truth::yes;
    }

    // A decided `and` or `or` waits only for the clause that decided it.
    truth logic(const compiled_node& n, event_ref e, truth deciding) {
        const instant before = next_;
        truth result = !deciding;
        for (std::uint32_t k = 0; k < n.count; ++k) {
            const instant so_far = next_;
            next_ = before;
            const truth x = truth_of(arg(n, k), e);
            if (x == deciding) return x;
            next_ = std::min(next_, so_far);
            if (x == truth::unknown) result = x;
        }
        return result;
    }

    // ---- comparison, and when time alone moves it
    truth compare(node_kind k, const timed& a, const timed& b) {
        if (const double rate = a.rate - b.rate; rate != 0 && !a.v.is_missing() && !b.v.is_missing()) {
            value x = a.v, y = b.v;
            detail::meet(p_, x, y);
            if (x.type == y.type || (is_number(x.type) && is_number(y.type))) crossing(x, y, rate);
        }
        return detail::compare_values(p_, k, a.v, b.v);
    }
    void crossing(const value& x, const value& y, double rate) {
        if (std::fabs(rate) == 1.0 && !is_number(x.type)) {
            int64_t gap = 0;                                 // microseconds until they meet
            if (__builtin_sub_overflow(y.i, x.i, &gap)) return;
            if (rate < 0) gap = -gap;
            at(add_saturated(t_, microseconds{gap}));
            at(add_saturated(t_, microseconds{gap + 1}));
            return;
        }
        const double gap = ((is_number(y.type) ? y.as_decimal() : static_cast<double>(y.i)) - (is_number(x.type) ? x.as_decimal() : static_cast<double>(x.i))) / rate;
        // Rounding: look again a little early, then microsecond by microsecond until it has passed.
        if (gap >= -4 && gap < 9e18) at(add_saturated(t_, microseconds{std::max<int64_t>(1, static_cast<int64_t>(gap * (1 - 1e-12)) - 2)}));
    }
    truth in_list(const compiled_node& n, event_ref e) {
        const auto x = eval(arg(n, 0), e);
        const auto& list = p_.nodes[arg(n, 1)];
        if (x.v.is_missing()) return truth::unknown;
        if (list.kind != node_kind::list) {
            const auto l = eval(arg(n, 1), e).v;
            if (l.is_missing()) return truth::unknown;
            const auto& items = p_.pool->list(l.as_list());
            return to_truth(std::find(items.begin(), items.end(), x.v.as_text()) != items.end());
        }
        truth result = truth::no;
        for (std::uint32_t k = 0; k < list.count; ++k) {
            const truth same = compare(node_kind::equal, x, eval(p_.arguments[list.args + k], e));
            if (same == truth::yes) return same;
            if (same == truth::unknown) result = same;
        }
        return result;
    }
    truth text_test(const compiled_node& n, event_ref e) {
        const auto a = eval(arg(n, 0), e).v, b = eval(arg(n, 1), e).v;
        if (a.is_missing() || b.is_missing()) return truth::unknown;
        if (a.type == value_type::text_list) {
            const auto& items = p_.pool->list(a.as_list());
            const auto has = [&](text_id t) { return std::find(items.begin(), items.end(), t) != items.end(); };
            if (b.type == value_type::text) return to_truth(has(b.as_text()));
            const auto& wanted = p_.pool->list(b.as_list());
            return to_truth(n.kind == node_kind::has_any ? std::any_of(wanted.begin(), wanted.end(), has) : std::all_of(wanted.begin(), wanted.end(), has));
        }
        const auto x = p_.pool->view(a.as_text()), y = p_.pool->view(b.as_text());
        if (n.kind == node_kind::starts_with) return to_truth(x.starts_with(y));
        if (n.kind == node_kind::ends_with) return to_truth(x.ends_with(y));
        return to_truth(x.find(y) != x.npos);
    }

    // ---- arithmetic
    timed add_up(const compiled_node& n, event_ref e) {
        const auto a = eval(arg(n, 0), e);
        const auto& right = p_.nodes[arg(n, 1)];
        const bool minus = n.kind == node_kind::subtract;
        if (a.v.is_missing()) return {};
        if (right.kind == node_kind::literal && right.span.months != 0) return shift(a, minus ? -right.span : right.span);
        const auto b = eval(arg(n, 1), e);
        if (b.v.is_missing()) return {};
        const double rate = minus ? a.rate - b.rate : a.rate + b.rate;
        if (is_number(a.v.type)) {
            int64_t out = 0;
            if (a.v.type == b.v.type && a.v.type != value_type::decimal && !(minus ? __builtin_sub_overflow(a.v.i, b.v.i, &out) : __builtin_add_overflow(a.v.i, b.v.i, &out))) return {value::of(a.v.type, out), rate};
            return {value::of(minus ? a.v.as_decimal() - b.v.as_decimal() : a.v.as_decimal() + b.v.as_decimal()), rate};
        }
        value x = a.v, y = b.v;
        constexpr int64_t day_us = 86'400'000'000;
        if (x.type == value_type::day && y.type == value_type::day) return {value::of(microseconds{(x.i - y.i) * day_us})};
        if (x.type == value_type::day && y.type == value_type::duration && y.i % day_us == 0) return {value::of(value_type::day, minus ? x.i - y.i / day_us : x.i + y.i / day_us)};
        if (x.type == value_type::day) x = value::of(start_of(x.as_day(), *p_.zone));
        if (y.type == value_type::day) y = value::of(start_of(y.as_day(), *p_.zone));
        int64_t out = 0;
        if (minus ? __builtin_sub_overflow(x.i, y.i, &out) : __builtin_add_overflow(x.i, y.i, &out)) return {};
        const bool both_instants = x.type == value_type::instant && y.type == value_type::instant;
        return {value::of(both_instants ? value_type::duration : x.type == value_type::instant || y.type == value_type::instant ? value_type::instant : value_type::duration, out), rate};
    }
    // Calendar months: within one local day the result moves with its argument; look again at the next local midnight and offset change.
    timed shift(const timed& a, length by) {
        if (a.v.type == value_type::day) return {value::of(std::chrono::floor<std::chrono::days>(add_months(local_instant{a.v.as_day()}, by.months)))};
        if (a.v.type != value_type::instant) return {};
        const instant from = a.v.as_instant(), to = add(from, by, *p_.zone);
        if (a.rate != 0) {
            const auto ahead = [&](instant x, instant origin) { if (x != end_of_time) at(add_saturated(t_, x - origin)); };
            ahead(start_of_next(calendar_unit::day, from, *p_.zone), from);
            ahead(p_.zone->next_change(from), from);
            ahead(p_.zone->next_change(to), to);
        }
        return {value::of(to), a.rate};
    }
    timed scale(const compiled_node& n, event_ref e) {
        const auto a = eval(arg(n, 0), e), b = eval(arg(n, 1), e);
        if (a.v.is_missing() || b.v.is_missing()) return {};
        const auto number = [](const value& v) { return is_number(v.type) ? v.as_decimal() : static_cast<double>(v.i); };
        if (n.kind == node_kind::divide) {
            const double d = number(b.v);
            if (d == 0) return {};
            const double q = number(a.v) / d;
            if (a.v.type == value_type::duration && is_number(b.v.type)) return {value::of(microseconds{std::llround(q)}), a.rate / d};
            return {value::of(q), a.rate / d};
        }
        int64_t out = 0;
        if (a.v.type == value_type::integer && b.v.type == value_type::integer && !__builtin_mul_overflow(a.v.i, b.v.i, &out)) return {value::of(out), a.rate * number(b.v) + b.rate * number(a.v)};
        const double product = number(a.v) * number(b.v), rate = a.rate * number(b.v) + b.rate * number(a.v);
        if (a.v.type == value_type::duration || b.v.type == value_type::duration) return {value::of(microseconds{std::llround(product)}), rate};
        return {value::of(product), rate};
    }

    // ---- functions
    timed call(const compiled_node& n, event_ref e) {
        switch (n.function) {
            case function::exists: return {value::of(!eval(arg(n, 0), e).v.is_missing())};
            case function::missing: return {value::of(eval(arg(n, 0), e).v.is_missing())};
            case function::coalesce:
                for (std::uint32_t k = 0; k < n.count; ++k)
                    if (auto x = eval(arg(n, k), e); !x.v.is_missing()) return x;
                return {};
            case function::if_: return eval(arg(n, truth_of(arg(n, 0), e) == truth::yes ? 1 : 2), e);
            case function::segment: return {value::of(truth_of(n.slot, {}) == truth::yes)};
            case function::consent: return {n.slot == none ? value::of(true) : value::of(truth_of(n.slot, {}))};
            case function::bucket: return {value::of(stable_hash{}.add(p_.pool->view(n.constant.as_text())).add(v_.id).unit())};
            case function::changed_time: return {changed_time(v_.attributes[n.slot])};
            case function::abs: {
                auto x = eval(arg(n, 0), e);
                if (x.v.is_missing()) return x;
                if (x.rate != 0) crossing(x.v, x.v.type == value_type::decimal ? value::of(0.0) : value::of(x.v.type, 0), x.rate);
                const bool negative = x.v.type == value_type::decimal ? x.v.d < 0 : x.v.i < 0;
                if (!negative) return x;
                if (x.v.type == value_type::decimal) x.v.d = -x.v.d; else x.v.i = -x.v.i;
                return {x.v, -x.rate};
            }
            case function::round: {
                const auto x = eval(arg(n, 0), e);
                if (x.v.is_missing() || x.v.type == value_type::integer) return x;
                const double y = x.v.as_decimal(), r = std::floor(y + 0.5);
                if (x.rate != 0) { crossing(x.v, value::of(r + 0.5), x.rate); crossing(x.v, value::of(r - 0.5), x.rate); }
                return {std::fabs(r) < 9e18 ? value::of(static_cast<int64_t>(r)) : value::of(r)};
            }
            case function::lower:
            case function::upper: {
                const auto x = eval(arg(n, 0), e).v;
                if (x.is_missing()) return {};
                std::string s{p_.pool->view(x.as_text())};
                for (char& c : s) c = static_cast<char>(n.function == function::lower ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : (c >= 'a' && c <= 'z' ? c - 32 : c));
                return {value::of(p_.pool->intern(s))};
            }
            case function::length: {
                const auto x = eval(arg(n, 0), e).v;
                if (x.is_missing()) return {};
                if (x.type == value_type::text_list) return {value::of(static_cast<int64_t>(p_.pool->list(x.as_list()).size()))};
                int64_t points = 0;
                for (const char c : p_.pool->view(x.as_text())) points += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                return {value::of(points)};
            }
            case function::start_of: return start_of_unit(static_cast<calendar_unit>(n.slot), eval(arg(n, 0), e));
            case function::anniversary: return anniversary(eval(arg(n, 0), e).v);
            case function::year: case function::month: case function::day: case function::weekday: case function::hour: return part(n.function, eval(arg(n, 0), e));
            case function::first_ever: return {value::of(first_ever(n, e))};
        }
        return {};
    }
    value changed_time(const attribute_slice& a) const {
        const value present = a.now();
        if (present.is_missing()) return {};
        std::uint32_t k = a.count;
        while (k > 0 && a.change(k - 1) == present) --k;
        if (k < a.count && !(k == 0 && a.base == present)) return value::of(a.place(k));
        return v_.exists_from == beginning_of_time ? value{} : value::of(v_.exists_from);
    }
    timed start_of_unit(calendar_unit u, const timed& x) {
        if (x.v.is_missing()) return {};
        if (x.v.type == value_type::day) return {value::of(start_of(u, x.v.as_day(), p_.weeks))};
        if (x.rate != 0) at(add_saturated(t_, start_of_next(u, x.v.as_instant(), *p_.zone, 1, p_.weeks) - x.v.as_instant()));
        return {value::of(start_of(u, x.v.as_instant(), *p_.zone, p_.weeks))};
    }
    // The day in this year of the playbook's calendar; 29 February is the 28th in other years.
    timed anniversary(const value& x) {
        if (x.is_missing()) return {};
        const auto& zone = *p_.zone;
        const auto of = x.type == value_type::day ? x.as_day() : std::chrono::floor<std::chrono::days>(zone.to_local(x.as_instant()));
        const std::chrono::year_month_day then{of}, today{std::chrono::floor<std::chrono::days>(zone.to_local(t_))};
        at(start_of_next(calendar_unit::year, t_, zone));
        return {value::of(std::chrono::floor<std::chrono::days>(add_months(local_instant{of}, 12 * (static_cast<int>(today.year()) - static_cast<int>(then.year())))))};
    }
    timed part(function f, const timed& x) {
        if (x.v.is_missing()) return {};
        const auto& zone = local_zone(p_, v_);
        const local_instant l = x.v.type == value_type::day ? local_instant{x.v.as_day()} : zone.to_local(x.v.as_instant());
        const auto d = std::chrono::floor<std::chrono::days>(l);
        if (x.rate != 0) {
            const instant i = x.v.as_instant();
            const auto end = f == function::hour ? zone.to_instant(std::chrono::floor<std::chrono::hours>(l) + std::chrono::hours{1}) : start_of_next(calendar_unit::day, i, zone);
            at(add_saturated(t_, std::max(end, instant{i + microseconds{1}}) - i));
            if (zone.next_change(i) != end_of_time) at(add_saturated(t_, zone.next_change(i) - i));
        }
        const std::chrono::year_month_day ymd{d};
        switch (f) {
            case function::year: return {value::of(int64_t{static_cast<int>(ymd.year())})};
            case function::month: return {value::of(int64_t{static_cast<unsigned>(ymd.month())})};
            case function::day: return {value::of(int64_t{static_cast<unsigned>(ymd.day())})};
            case function::weekday: return {value::of(int64_t{std::chrono::weekday{d}.iso_encoding()})};
            default: return {value::of(int64_t{std::chrono::floor<std::chrono::hours>(l - d).count()})};
        }
    }
    truth first_ever(const compiled_node& n, event_ref e) {
        if (!e) return truth::unknown;
        const truth here = truth_of(arg(n, 0), e);
        if (here != truth::yes) return here;
        const position place = e.place();
        for (std::uint32_t s = 0; s < p_.streams.size(); ++s) {
            if (p_.streams[s].starts_with('$') && s != e.slot) continue;
            for (std::uint32_t k = 0; k < v_.streams[s].count && v_.streams[s].place(k) < place; ++k)
                if (truth_of(arg(n, 0), {&v_.streams[s], s, k}) == truth::yes) return truth::no;
        }
        return truth::yes;
    }

    // ---- events in a window
    struct bounds {
        instant from = beginning_of_time, to = end_of_time;   // [from, to)
        position after{beginning_of_time, 0};                 // strictly after, when `has_after`
        bool has_after = false, known = true;
        double from_rate = 0, to_rate = 0;
    };
    std::pair<instant, double> bound(node_id n) {
        const auto x = eval(n, {});
        if (x.v.is_missing()) return {end_of_time, std::nan("")};
        return {x.v.type == value_type::day ? start_of(x.v.as_day(), *p_.zone) : x.v.as_instant(), x.rate};
    }
    bounds window_of(const compiled_window& w) {
        bounds b;
        switch (w.kind) {
            case window_kind::all: break;
            case window_kind::last:
                if (w.last.is_fixed()) b.from = add_saturated(add_saturated(t_, -w.last.fixed), microseconds{1});
                break;
            case window_kind::since: std::tie(b.from, b.from_rate) = bound(w.from); break;
            case window_kind::before: std::tie(b.to, b.to_rate) = bound(w.to); break;
            case window_kind::between: std::tie(b.from, b.from_rate) = bound(w.from); std::tie(b.to, b.to_rate) = bound(w.to); break;
            case window_kind::this_unit: b.from = start_of(w.unit, t_, *p_.zone, p_.weeks); break;
            case window_kind::previous_unit:
                b.from = start_of_next(w.unit, t_, *p_.zone, -1, p_.weeks);
                b.to = start_of(w.unit, t_, *p_.zone, p_.weeks);
                break;
            case window_kind::since_entry:
            case window_kind::since_step:
                b.has_after = true;
                if (v_.journey == nullptr) b.after = {end_of_time, 0};
                else if (w.kind == window_kind::since_entry) b.after = v_.journey->entry;
                else b.after = v_.journey->steps == nullptr ? position{end_of_time, 0} : v_.journey->steps[w.step];
                b.known = b.after.at != end_of_time;
                break;
        }
        if (std::isnan(b.from_rate) || std::isnan(b.to_rate)) b.known = false;
        return b;
    }
    // Whether an event stands in the window, and when time alone would move it out or in.
    bool inside(const compiled_window& w, const bounds& b, position x, instant& moves) {
        moves = end_of_time;
        if (w.kind == window_kind::last && !w.last.is_fixed()) {
            const instant leaves = add(x.at, w.last, *p_.zone);
            if (leaves <= t_) return false;
            moves = leaves;
            return true;
        }
        if (b.has_after && x <= b.after) return false;
        if (x.at < b.from) return false;
        if (x.at >= b.to) {
            if (b.to_rate > 0) moves = add_saturated(t_, x.at - b.to + microseconds{1});
            else if (w.kind == window_kind::previous_unit) moves = start_of_next(w.unit, t_, *p_.zone, 1, p_.weeks);
            return false;
        }
        if (w.kind == window_kind::last) moves = add_saturated(x.at, w.last.fixed);
        else if (b.from_rate > 0) moves = add_saturated(t_, x.at - b.from + microseconds{1});
        else if (w.kind == window_kind::this_unit || w.kind == window_kind::previous_unit) moves = start_of_next(w.unit, t_, *p_.zone, 1, p_.weeks);
        return true;
    }
    // `without`: yes when the event counts already; `moves` when it would begin to.
    bool uncrossed(const compiled_selector& s, event_ref e, instant& moves) {
        const value key = e.property(s.without_on);
        if (key.is_missing()) return false;
        const instant deadline = s.without_within ? add(e.place().at, *s.without_within, *p_.zone) : end_of_time;
        const auto& other = p_.selectors[s.without];
        for (const auto slot : other.streams) {
            const auto& slice = v_.streams[slot];
            for (std::uint32_t k = slice.count; k-- > 0 && slice.place(k) > e.place();)
                if (slice.place(k).at <= deadline && slice.property(s.without_on, k) == key && takes(other, {&slice, slot, k})) return false;
        }
        if (s.without_within && t_ < deadline) { moves = deadline; return false; }
        return true;
    }
    bool takes(const compiled_selector& s, event_ref e) { return s.where == none || truth_of(s.where, e) == truth::yes; }

    /// Calls f(event, leaves) for each event that counts, by (instant, order); events that may come in by time alone lower `next`.
    template <class F>
    void each(const compiled_selector& s, const bounds& b, F f) {
        if (!b.known) return;
        const auto streams = static_cast<std::uint32_t>(s.streams.size());
        std::array<std::uint32_t, 4> few{};                  // this runs for every aggregate of every contact: no heap for the usual few
        std::vector<std::uint32_t> many;
        if (streams > few.size()) many.resize(streams);
        std::uint32_t* const cursor = many.empty() ? few.data() : many.data();
        const bool skip = b.from > earliest_instant && s.window.kind != window_kind::previous_unit;
        for (std::uint32_t i = 0; i < streams; ++i) {
            const auto& slice = v_.streams[s.streams[i]];
            if (skip) cursor[i] = static_cast<std::uint32_t>(std::lower_bound(slice.at, slice.at + slice.count, b.from.time_since_epoch().count()) - slice.at);
        }
        for (;;) {
            std::uint32_t best = none;
            for (std::uint32_t i = 0; i < streams; ++i) {
                const auto& slice = v_.streams[s.streams[i]];
                if (cursor[i] < slice.count && (best == none || slice.place(cursor[i]) < v_.streams[s.streams[best]].place(cursor[best]))) best = i;
            }
            if (best == none) return;
            const event_ref e{&v_.streams[s.streams[best]], s.streams[best], cursor[best]++};
            instant moves = end_of_time;
            const bool in = inside(s.window, b, e.place(), moves);
            if (!in && moves == end_of_time) continue;
            if (!takes(s, e)) continue;
            if (!in) { at(moves); continue; }
            if (s.without != none) {
                instant counts_from = end_of_time;
                if (!uncrossed(s, e, counts_from)) { at(counts_from); continue; }
            }
            if (!f(e, moves)) return;
        }
    }

    /// Without a window or a filter nothing before the last matters.
    value last_of_all(const compiled_node& n, const compiled_selector& s) {
        event_ref last;
        for (const auto slot : s.streams)
            if (const auto& slice = v_.streams[slot]; slice.count > 0)
                if (const event_ref e{&slice, slot, slice.count - 1}; !last || e.place() > last.place()) last = e;
        if (!last) return {};
        return n.aggregate == aggregate::last_time ? value::of(last.place().at) : s.property == none ? value{} : last.property(s.property);
    }

    value fold(const compiled_node& n) {
        const auto& s = p_.selectors[n.slot];
        const bounds b = window_of(s.window);
        if (!b.known) return {};
        if ((n.aggregate == aggregate::last || n.aggregate == aggregate::last_time) && s.window.kind == window_kind::all && s.where == none && s.without == none) return last_of_all(n, s);
        int64_t count = 0;
        value kept;
        bool any = false;
        instant last_leaves = beginning_of_time;
        exact_sum decimals;
        wide integers = 0;
        std::set<int64_t> codes;
        std::set<double> numbers;
        each(s, b, [&](event_ref e, instant leaves) {
            if (n.aggregate == aggregate::did || n.aggregate == aggregate::never) {
                last_leaves = std::max(last_leaves, leaves);
                any = true;
                return leaves != end_of_time;                  // nothing can lengthen it further
            }
            value x;
            if (s.property != none) x = e.property(s.property);
            const bool of_property = n.aggregate == aggregate::sum || n.aggregate == aggregate::avg || n.aggregate == aggregate::min || n.aggregate == aggregate::max || n.aggregate == aggregate::distinct;
            if (of_property && x.is_missing()) return true;
            at(leaves);
            ++count;
            switch (n.aggregate) {
                case aggregate::sum:
                case aggregate::avg:
                    if (x.type == value_type::decimal) decimals.add(x.d); else integers += x.i;
                    break;
                case aggregate::min:
                case aggregate::max:
                    if (kept.is_missing()) kept = x;
                    else {
                        const auto order = x.type == value_type::text ? std::partial_ordering{p_.pool->view(x.as_text()) <=> p_.pool->view(kept.as_text())} : is_number(x.type) ? compare_numbers(x, kept) : std::partial_ordering{x.i <=> kept.i};
                        if (n.aggregate == aggregate::min ? order < 0 : order > 0) kept = x;
                    }
                    break;
                case aggregate::distinct:
                    if (is_number(x.type)) numbers.insert(x.as_decimal()); else codes.insert(x.i);
                    break;
                // The first decides, and nothing changes before it leaves.
                case aggregate::first: kept = x; return false;
                case aggregate::first_time: kept = value::of(e.place().at); return false;
                case aggregate::last: kept = x; break;
                case aggregate::last_time: kept = value::of(e.place().at); break;
                default: break;
            }
            any = true;
            return true;
        });
        switch (n.aggregate) {
            case aggregate::count: return value::of(count);
            case aggregate::did: if (any) at(last_leaves); return value::of(any);
            case aggregate::never: if (any) at(last_leaves); return value::of(!any);
            case aggregate::distinct: return value::of(static_cast<int64_t>(codes.size() + numbers.size()));
            case aggregate::sum:
            case aggregate::avg: {
                if (n.aggregate == aggregate::avg && count == 0) return {};
                const bool money = s.property_type == value_type::money;
                const bool whole = s.property_type != value_type::decimal && decimals.empty();
                if (n.aggregate == aggregate::sum && whole && integers <= INT64_MAX && integers >= INT64_MIN) {
                    const auto total = static_cast<int64_t>(integers);
                    return money || s.property_type == value_type::duration ? value::of(s.property_type, total) : value::of(total);
                }
                if (integers != 0) decimals.add(money ? static_cast<double>(integers) / minor_units : static_cast<double>(integers));
                if (n.aggregate == aggregate::sum) return value::of(decimals.value());
                const double mean = decimals.value() / static_cast<double>(count);
                return s.property_type == value_type::duration ? value::of(microseconds{std::llround(mean)}) : value::of(mean);
            }
            default: return kept;
        }
    }

    // Any start may begin a chain; for each number of steps done the latest start is kept. Events are distinct.
    truth sequence(const compiled_node& n) {
        struct item { position place; event_ref e; };
        std::vector<item> all;
        std::vector<std::vector<bool>> fits;
        std::set<std::uint32_t> slots;
        std::vector<bounds> windows;
        for (std::uint32_t k = 0; k < n.slots; ++k) {
            const auto& s = p_.selectors[n.slot + k];
            windows.push_back(window_of(s.window));
            if (!windows.back().known) return truth::unknown;
            slots.insert(s.streams.begin(), s.streams.end());
        }
        for (const auto slot : slots)
            for (std::uint32_t i = 0; i < v_.streams[slot].count; ++i) all.push_back({v_.streams[slot].place(i), {&v_.streams[slot], slot, i}});
        std::sort(all.begin(), all.end(), [](const item& a, const item& b) { return a.place < b.place; });
        std::vector<instant> start(n.slots, beginning_of_time);
        const bool bounded = n.span.months != 0 || n.span.fixed.count() != 0;
        bool done = false;
        for (const auto& x : all) {
            for (std::uint32_t k = n.slots; k-- > 0;) {
                const auto& s = p_.selectors[n.slot + k];
                if (!s.listens(x.e.slot) || (k > 0 && start[k - 1] == beginning_of_time)) continue;
                if (k > 0 && bounded && x.place.at > add(start[k - 1], n.span, *p_.zone)) continue;
                instant moves = end_of_time;
                const bool in = inside(s.window, windows[k], x.place, moves);
                if ((!in && moves == end_of_time) || !takes(s, x.e)) continue;
                at(moves);
                if (!in) continue;
                const instant from = k == 0 ? x.place.at : start[k - 1];
                start[k] = std::max(start[k], from);
                if (k + 1 == n.slots) done = true;
            }
        }
        return to_truth(done);
    }

    const program& p_;
    const contact_view& v_;
    instant t_;
    instant& next_;
};

}  // namespace

value evaluate(const program& p, node_id n, const contact_view& v, instant t, instant& next, event_ref event) { return evaluation{p, v, t, next}.eval(n, event).v; }

void each_counted(const program& p, node_id n, const contact_view& v, instant t, const std::function<void(event_ref, instant)>& f) {
    instant next = end_of_time;
    evaluation{p, v, t, next}.each_counted(p.selectors[p.nodes[n].slot], f);
}

bool selects(const program& p, selector_id id, const contact_view& v, event_ref event, instant t) {
    const auto& s = p.selectors[id];
    if (!s.listens(event.slot)) return false;
    return s.where == none || ask(p, s.where, v, t, event) == truth::yes;
}

bool counts(const program& p, selector_id id, const contact_view& v, event_ref event, instant t, instant& next) { return evaluation{p, v, t, next}.counts(p.selectors[id], event); }

}  // namespace journeyman
