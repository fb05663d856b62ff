#include "predicate/membership_part.hpp"

#include <algorithm>
#include <bit>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reads.hpp"

namespace journeyman::detail {

// ---- what a node reads

namespace {

/// Whether what a `where` says of an event never changes: it looks at nothing but the event.
bool of_event_alone(const program& p, node_id id) {
    const auto& n = p.nodes[id];
    switch (n.kind) {
        case node_kind::attribute: case node_kind::account_attribute: case node_kind::trigger_property: case node_kind::now:
        case node_kind::call: case node_kind::aggregate: return false;
        default: break;
    }
    for (std::uint32_t k = 0; k < n.count; ++k) if (!of_event_alone(p, p.arguments[n.args + k])) return false;
    return true;
}

}  // namespace

slots_read read_by(const program& p, node_id n) {
    reads all;
    add_reads_of_node(p, n, all);
    slots_read out;
    for (std::uint32_t s = 0; s < p.streams.size(); ++s) if (all.stream(s)) out.streams.push_back(s);
    for (std::uint32_t a = 0; a < p.attributes.size(); ++a) if (all.attribute(a)) out.attributes.push_back(a);
    return out;
}

// ---- the plan

membership_walk::membership_walk(program_ptr p, const history_data& h, node_id n, instant start, instant end, bool follow)
    : program_{std::move(p)}, history_{h}, reader_{program_, h}, start_{start.time_since_epoch().count()}, end_{end.time_since_epoch().count()}, root_{plan(n)}, follow_{follow} {}
membership_walk::~membership_walk() = default;

std::unique_ptr<membership_walk::part> membership_walk::plan(node_id id) {
    const auto& n = program_->nodes[id];
    if (auto counted = plan_counted(id)) return counted;
    auto out = std::make_unique<part>();
    const bool both = n.kind == node_kind::and_;
    if ((both || n.kind == node_kind::or_) && n.count > 0) {
        out->what = both ? part::kind::all_of : part::kind::any_of;
        for (std::uint32_t k = 0; k < n.count; ++k) out->parts.push_back(plan(program_->arguments[n.args + k]));
        // The quick ones first: when they decide, the others are not asked.
        std::stable_sort(out->parts.begin(), out->parts.end(), [](const auto& a, const auto& b) { return a->what == part::kind::counted && b->what != part::kind::counted; });
        return out;
    }
    if (n.kind == node_kind::not_) {
        out->what = part::kind::inverse;
        out->parts.push_back(plan(program_->arguments[n.args]));
        return out;
    }
    if (n.kind == node_kind::call && n.function == function::segment) {
        out->what = part::kind::settled;
        out->parts.push_back(plan(n.slot));
        return out;
    }
    out->node = id;
    out->reads = read_by(*program_, id);
    return out;
}

std::unique_ptr<membership_walk::part> membership_walk::plan_counted(node_id id) {
    const auto& p = *program_;
    const auto& n = p.nodes[id];
    auto out = std::make_unique<part>();
    node_id fold = id;
    switch (n.kind) {
        case node_kind::equal: case node_kind::not_equal: case node_kind::less: case node_kind::less_equal: case node_kind::greater: case node_kind::greater_equal: {
            fold = p.arguments[n.args];
            const auto& number = p.nodes[p.arguments[n.args + 1]];
            if (number.kind != node_kind::literal || number.type != value_type::integer || number.constant.type != value_type::integer) return {};
            if (p.nodes[fold].kind != node_kind::aggregate || p.nodes[fold].aggregate != aggregate::count) return {};
            out->comparison = n.kind;
            out->number = number.constant.i;
            break;
        }
        case node_kind::aggregate:
            if (n.aggregate != aggregate::did && n.aggregate != aggregate::never) return {};
            if (n.aggregate == aggregate::never) out->comparison = node_kind::less;
            break;
        default: return {};
    }
    out->selector = p.nodes[fold].slot;
    const auto& s = p.selectors[out->selector];
    if (s.without != none || (s.window.kind != window_kind::all && s.window.kind != window_kind::last)) return {};
    if (s.where != none && !of_event_alone(p, s.where)) return {};
    out->what = part::kind::counted;
    out->filtered = s.where != none;
    out->windowed = s.window.kind == window_kind::last;
    out->last = s.window.last;
    for (const auto slot : s.streams)
        if (const auto* stream = history_.stream(p.streams[slot])) out->sources.push_back({&stream->rows, slot});
    return out;
}

// ---- walking

const std::vector<step>& membership_walk::walk(part& p) {
    p.steps.clear();
    switch (p.what) {
        case part::kind::counted: sweep(p); break;
        case part::kind::asked: ask_along(p); break;
        case part::kind::inverse:
            for (const auto& s : walk(*p.parts[0])) p.steps.push_back({s.from, !s.value});
            break;
        case part::kind::settled:
            for (const auto& s : walk(*p.parts[0])) p.push(s.from, to_truth(s.value == truth::yes));
            break;
        case part::kind::all_of:
        case part::kind::any_of: {
            const truth deciding = to_truth(p.what == part::kind::any_of);
            for (const auto& clause : p.parts) {
                if (p.steps.size() == 1 && p.steps[0].value == deciding) break;
                const auto& more = walk(*clause);
                if (p.steps.empty()) p.steps = more;
                else combine(p, more, deciding);
            }
            break;
        }
    }
    return p.steps;
}

/// Both step functions at once, in three-valued logic.
void membership_walk::combine(part& p, const std::vector<step>& b, truth deciding) {
    p.spare.swap(p.steps);
    p.steps.clear();
    const auto& a = p.spare;
    for (std::size_t i = 0, k = 0;;) {
        const truth x = a[i].value, y = b[k].value;
        const truth both = x == deciding || y == deciding ? deciding : x == truth::unknown || y == truth::unknown ? truth::unknown : !deciding;
        p.push(std::max(a[i].from, b[k].from), both);
        const bool more_a = i + 1 < a.size(), more_b = k + 1 < b.size();
        if (!more_a && !more_b) return;
        const std::int64_t next_a = more_a ? a[i + 1].from : stay::stays, next_b = more_b ? b[k + 1].from : stay::stays;
        i += more_a && next_a <= next_b;
        k += more_b && next_b <= next_a;
    }
}

/// When the events that a part counts entered, of the contact at hand, ascending.
std::span<const std::int64_t> membership_walk::entered(part& p) {
    if (contact_ < p.contact) for (auto& s : p.sources) s.cursor = 0;
    p.contact = contact_;
    if (p.sources.size() == 1 && !p.filtered) {
        const auto [begin, end] = p.sources[0].rows->range(contact_, p.sources[0].cursor);
        return {p.sources[0].rows->at.data() + begin, end - begin};
    }
    p.enters.clear();
    for (auto& s : p.sources) {
        const auto [begin, end] = s.rows->range(contact_, s.cursor);
        if (begin == end) continue;
        if (!p.filtered) {
            p.enters.insert(p.enters.end(), s.rows->at.begin() + begin, s.rows->at.begin() + end);
            continue;
        }
        if (!loaded_) reader_.load(contact_);
        loaded_ = true;
        const auto& all = reader_.all(s.slot);
        for (std::uint32_t k = 0; k < all.count; ++k)
            if (selects(*program_, p.selector, reader_.view(), {&all, s.slot, k}, all.place(k).at)) p.enters.push_back(all.at[k]);
    }
    if (p.sources.size() > 1) std::sort(p.enters.begin(), p.enters.end());
    return p.enters;
}

void membership_walk::sweep(part& p) {
    const auto all = entered(p);
    const std::int64_t* enters = all.data();
    const std::size_t count = all.size();
    if (p.of_stretches()) {
        sweep_enough(p, all);
        return;
    }
    const std::int64_t* leaves = enters;
    std::int64_t later = 0;              // leaves[k] + later is when k leaves
    std::size_t leaving = p.windowed ? count : 0;
    if (p.windowed && p.last.is_fixed()) {
        later = std::min(p.last.fixed.count(), stay::stays / 2);   // so that no sum overflows
    } else if (p.windowed) {
        p.leaves.clear();
        for (std::size_t k = 0; k < count; ++k) p.leaves.push_back(add(instant{microseconds{enters[k]}}, p.last, *program_->zone).time_since_epoch().count());
        std::sort(p.leaves.begin(), p.leaves.end());   // months are clamped, so that a later event may leave earlier
        leaves = p.leaves.data();
    }
    std::size_t in = 0, out = 0;
    const auto see = [&](std::int64_t t) {
        while (in < count && enters[in] <= t) ++in;
        while (out < leaving && leaves[out] + later <= t) ++out;
        p.push(t, to_truth(p.holds(static_cast<std::int64_t>(in) - static_cast<std::int64_t>(out))));
    };
    see(from_);
    for (;;) {
        std::int64_t t = in < count ? enters[in] : stay::stays;
        if (out < leaving) t = std::min(t, leaves[out] + later);
        if (t >= end_) {
            next_ = std::min(next_, t);
            return;
        }
        see(t);
    }
}

/// At least k events are in the window from the k-th of them on until the first leaves: no need to look at each instant, and no branch
/// that hangs on what the contact did.
std::span<const membership_walk::stretch> membership_walk::stretches(part& p, std::span<const std::int64_t> enters) {
    const std::int64_t length = p.windowed ? std::min(p.last.fixed.count(), stay::stays / 2) : 0;   // so that no sum overflows
    const std::int64_t start = from_, stop = end_;
    const auto least = static_cast<std::size_t>(p.least());
    std::size_t count = enters.size();
    while (count > 0 && enters[count - 1] >= stop) --count;
    if (p.stretches.size() < count + 1) p.stretches.resize(count + 1);
    stretch* out = p.stretches.data();
    if (count < least) return {};
    if (!p.windowed) {
        out[0] = {std::max(enters[least - 1], start), stay::stays};
        return {out, 1};
    }
    std::size_t n = 0;
    std::int64_t from = start, to = start;      // the one that is open
    for (std::size_t k = 0; k + least <= count; ++k) {
        const std::int64_t end = enters[k] + length, begin = std::max(enters[k + least - 1], start);
        const bool any = begin < end, anew = any & (begin > to);
        out[n] = {from, to};
        n += anew & (from < to);
        const std::int64_t renew = -std::int64_t{anew}, extend = -std::int64_t{any};   // all bits or none
        from = (begin & renew) | (from & ~renew);
        to = (end & extend) | (to & ~extend);
    }
    out[n] = {from, to};
    n += from < to;
    return {out, n};
}

void membership_walk::sweep_enough(part& p, std::span<const std::int64_t> enters) {
    const truth in = p.enough();
    if (p.least() == 0) {   // of anybody
        p.push(from_, in);
        return;
    }
    std::int64_t to = from_;
    for (const auto& s : stretches(p, enters)) {
        if (to < s.from) p.push(to, !in);
        p.push(s.from, in);
        to = s.to;
    }
    if (to < end_) p.push(to, !in);
    if (!follow_) return;
    // What comes after the end may change it: the first to enter, and the first to leave.
    std::size_t first = enters.size();
    while (first > 0 && enters[first - 1] >= end_) --first;
    if (first < enters.size()) next_ = std::min(next_, enters[first]);
    if (!p.windowed) return;
    const std::int64_t length = std::min(p.last.fixed.count(), stay::stays / 2);
    while (first > 0 && enters[first - 1] + length >= end_) --first;
    if (first < enters.size()) next_ = std::min(next_, enters[first] + length);
}

void membership_walk::ask_along(part& p) {
    if (!loaded_) reader_.load(contact_);
    loaded_ = true;
    std::int64_t t = from_;
    while (t < end_) {
        instant next = end_of_time;
        const instant at{microseconds{t}};
        const auto& view = reader_.see(at);
        p.push(t, evaluate(*program_, p.node, view, at, next).as_truth());
        t = next.time_since_epoch().count();
        const auto look = [&](const auto& all, std::uint32_t seen) { if (seen < all.count) t = std::min(t, all.at[seen]); };
        for (const auto s : p.reads.streams) look(reader_.all(s), view.streams[s].count);
        for (const auto a : p.reads.attributes) look(reader_.all_changes(a), view.attributes[a].count);
    }
    next_ = std::min(next_, t);
}

void membership_walk::one(std::uint32_t contact, std::vector<stay>& out) {
    contact_ = contact;
    from_ = history_.exists_from.empty() ? start_ : std::max(start_, history_.exists_from[contact]);
    loaded_ = false;
    next_ = from_ >= end_ ? from_ : stay::stays;
    if (from_ >= end_) return;
    if (root_->what == part::kind::counted && root_->of_stretches() && root_->least() > 0 && root_->enough() == truth::yes && !follow_) {   // the same, without the detour by steps
        for (const auto& s : stretches(*root_, entered(*root_))) out.push_back({contact, s.from, s.to < end_ ? s.to : stay::stays});
        return;
    }
    const auto& steps = walk(*root_);
    for (std::size_t k = 0; k < steps.size(); ++k)
        if (steps[k].value == truth::yes) out.push_back({contact, steps[k].from, k + 1 < steps.size() ? steps[k + 1].from : stay::stays});
}

void membership_walk::all(std::vector<stay>& out) {
    const auto n = static_cast<std::uint32_t>(history_.contacts.size());
    if (program_->uses_id) {
        for (std::uint32_t k = 0; k < n; ++k) one(k, out);
        return;
    }
    const auto rows = others(*root_);
    std::vector<stay> empty;             // of who is as if without rows, from the start on
    for (std::uint32_t k = 0; k < n; ++k) {
        if (((rows[k >> 6] >> (k & 63)) & 1) != 0) continue;
        contact_ = k;
        from_ = start_;
        loaded_ = false;
        const auto& steps = walk(*root_);
        for (std::size_t i = 0; i < steps.size(); ++i)
            if (steps[i].value == truth::yes) empty.push_back({0, steps[i].from, i + 1 < steps.size() ? steps[i + 1].from : stay::stays});
        break;
    }
    for (std::size_t w = 0; w < rows.size(); ++w) {
        std::uint64_t word = rows[w];
        if (!empty.empty()) word = n - w * 64 >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (n - w * 64)) - 1;
        for (; word != 0; word &= word - 1) {
            const auto k = static_cast<std::uint32_t>(w * 64) + static_cast<std::uint32_t>(std::countr_zero(word));
            if (((rows[w] >> (k & 63)) & 1) != 0) {
                one(k, out);
                continue;
            }
            const std::int64_t from = history_.exists_from.empty() ? start_ : std::max(start_, history_.exists_from[k]);
            for (const auto& s : empty)
                if (s.left > from && from < end_) out.push_back({k, std::max(s.entered, from), s.left});
        }
    }
}

}  // namespace journeyman::detail
