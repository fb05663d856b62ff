#include "predicate/membership_walk.hpp"

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

struct membership_walk::part {
    enum class kind : std::uint8_t { all_of, any_of, inverse, settled, counted, asked };

    kind what = kind::asked;
    std::vector<std::unique_ptr<part>> parts{};
    node_id node = none;                             // asked
    slots_read reads{};
    // counted: how many events of these streams stand in the window, compared with a number
    struct source { const timeline* rows; std::uint32_t slot; std::size_t cursor = 0; };
    std::vector<source> sources{};
    std::uint32_t contact = 0;                       // the one before, as cursors go forward only
    selector_id selector = none;
    bool filtered = false, windowed = false;
    length last{};
    node_kind comparison = node_kind::greater_equal;
    std::int64_t number = 1;
    std::vector<std::int64_t> enters{}, leaves{};
    std::vector<step> steps{}, spare{};

    [[nodiscard]] bool holds(std::int64_t count) const {
        switch (comparison) {
            case node_kind::equal: return count == number;
            case node_kind::not_equal: return count != number;
            case node_kind::less: return count < number;
            case node_kind::less_equal: return count <= number;
            case node_kind::greater: return count > number;
            default: return count >= number;
        }
    }
    [[nodiscard]] bool monotone() const { return comparison != node_kind::equal && comparison != node_kind::not_equal; }
    void push(std::int64_t from, truth v) {
        if (steps.empty() || steps.back().value != v) steps.push_back({from, v});
    }
};

membership_walk::membership_walk(program_ptr p, const history_data& h, node_id n, instant start, instant end, bool follow)
    : program_{std::move(p)}, history_{h}, reader_{program_, h}, reads_{read_by(*program_, n)}, start_{start.time_since_epoch().count()}, end_{end.time_since_epoch().count()}, root_{plan(n)}, follow_{follow} {}
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

void membership_walk::sweep(part& p) {
    if (contact_ < p.contact) for (auto& s : p.sources) s.cursor = 0;
    p.contact = contact_;
    const std::int64_t* enters = nullptr;
    std::size_t count = 0;
    if (p.sources.size() == 1 && !p.filtered) {
        const auto [begin, end] = p.sources[0].rows->range(contact_, p.sources[0].cursor);
        enters = p.sources[0].rows->at.data() + begin;
        count = end - begin;
    } else {
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
        enters = p.enters.data();
        count = p.enters.size();
    }
    if (p.monotone() && (!p.windowed || p.last.is_fixed())) {
        sweep_enough(p, enters, count);
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

/// At least k events are in the window from the k-th of them on until the first leaves: no need to look at each instant.
void membership_walk::sweep_enough(part& p, const std::int64_t* enters, std::size_t count) {
    const bool more = p.comparison == node_kind::greater || p.comparison == node_kind::less_equal, inverse = p.comparison == node_kind::less || p.comparison == node_kind::less_equal;
    const truth in = to_truth(!inverse);
    const std::int64_t length = p.windowed ? std::min(p.last.fixed.count(), stay::stays / 2) : 0;   // so that no sum overflows
    if (p.number < (more ? 0 : 1)) {   // of anybody
        p.push(from_, in);
        return;
    }
    const auto least = static_cast<std::uint64_t>(p.number) + (more ? 1U : 0U);
    const std::int64_t start = from_, stop = end_;
    std::int64_t from = start, to = start;      // the stretch that is open
    for (std::size_t k = 0; k + least <= count; ++k) {
        const std::int64_t end = p.windowed ? enters[k] + length : stay::stays, begin = std::max(enters[k + least - 1], start);
        if (begin >= end) continue;
        if (begin >= stop) break;
        if (begin > to) {
            if (from < to) p.push(from, in);
            p.push(to, !in);
            from = begin;
        }
        to = end;
    }
    if (from < to) p.push(from, in);
    if (to < stop) p.push(to, !in);
    if (!follow_) return;
    // What comes after the end may change it: the first to enter, and the first to leave.
    std::size_t first = count;
    while (first > 0 && enters[first - 1] >= stop) --first;
    if (first < count) next_ = std::min(next_, enters[first]);
    if (!p.windowed) return;
    while (first > 0 && enters[first - 1] + length >= stop) --first;
    if (first < count) next_ = std::min(next_, enters[first] + length);
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
    const auto& steps = walk(*root_);
    for (std::size_t k = 0; k < steps.size(); ++k)
        if (steps[k].value == truth::yes) out.push_back({contact, steps[k].from, k + 1 < steps.size() ? steps[k + 1].from : stay::stays});
}

std::vector<std::uint64_t> membership_walk::with_rows() const {
    const std::size_t n = history_.contacts.size();
    std::vector<std::uint64_t> out((n + 63) / 64, 0);
    const auto mark = [&](std::size_t k) { out[k >> 6] |= std::uint64_t{1} << (k & 63); };
    const auto mark_rows = [&](const timeline& rows) {
        for (const auto k : rows.owners) mark(k);
        if (rows.dense.empty()) return;
        for (std::size_t w = 0; w < out.size(); ++w) {
            std::uint64_t word = 0;
            const std::size_t bits = std::min<std::size_t>(64, n - w * 64);
            for (std::size_t b = 0; b < bits; ++b) word |= static_cast<std::uint64_t>(rows.dense[w * 64 + b] != rows.dense[w * 64 + b + 1]) << b;
            out[w] |= word;
        }
    };
    for (const auto s : reads_.streams)
        if (const auto* stream = history_.stream(program_->streams[s])) mark_rows(stream->rows);
    for (const auto a : reads_.attributes) {
        if (program_->attributes[a].of_account) continue;   // found by way of the contact's account_id
        const auto* stream = history_.contact_attribute(program_->attributes[a].name);
        if (stream == nullptr) continue;
        mark_rows(stream->rows);
        for (std::size_t k = 0; k < stream->base.size(); ++k) if (stream->base.present(k)) mark(k);
    }
    return out;
}

void membership_walk::all(std::vector<stay>& out) {
    const auto n = static_cast<std::uint32_t>(history_.contacts.size());
    if (program_->uses_id) {
        for (std::uint32_t k = 0; k < n; ++k) one(k, out);
        return;
    }
    const auto rows = with_rows();
    std::vector<stay> empty;             // of who has no row, from the start on
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
