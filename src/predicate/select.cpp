#include "journeyman/predicate/select.hpp"

#include <algorithm>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"

namespace journeyman {
namespace {

bool exists(const history_data& h, std::uint32_t c, instant at) { return h.exists_from.empty() || h.exists_from[c] <= at.time_since_epoch().count(); }

/// `count(x, last D) >= k` (also `did`, `never`, and without a window), over one stream without a `where`: one look at each contact's rows.
struct counted {
    const event_stream* stream = nullptr;
    std::int64_t from = std::numeric_limits<std::int64_t>::min();   // inclusive
    std::int64_t at_least = 1;
    bool negated = false;
};

std::optional<counted> as_counted(const program& p, const history_data& h, node_id id, instant at) {
    const auto& n = p.nodes[id];
    counted c;
    node_id fold = id;
    if (n.kind == node_kind::greater_equal || n.kind == node_kind::greater) {
        fold = p.arguments[n.args];
        const auto& k = p.nodes[p.arguments[n.args + 1]];
        if (k.kind != node_kind::literal || k.type != value_type::integer || k.constant.i > 1'000'000) return {};
        c.at_least = k.constant.i + (n.kind == node_kind::greater);
        if (p.nodes[fold].aggregate != aggregate::count) return {};
    } else if (n.aggregate != aggregate::did && n.aggregate != aggregate::never) return {};
    const auto& f = p.nodes[fold];
    if (f.kind != node_kind::aggregate || c.at_least < 1) return {};
    const auto& s = p.selectors[f.slot];
    if (s.streams.size() != 1 || s.where != none || s.without != none) return {};
    if (s.window.kind == window_kind::last && s.window.last.is_fixed()) c.from = add_saturated(add_saturated(at, -s.window.last.fixed), microseconds{1}).time_since_epoch().count();
    else if (s.window.kind != window_kind::all) return {};
    c.negated = f.aggregate == aggregate::never;
    c.stream = h.stream(p.streams[s.streams[0]]);
    if (c.stream == nullptr) return {};
    return c;
}

selection select_counted(const history& whole, const counted& c, instant at) {
    const auto& h = whole.data();
    const auto& rows = c.stream->rows;
    const std::int64_t t = at.time_since_epoch().count();
    std::vector<std::uint32_t> in;
    const auto enough = [&](std::uint32_t begin, std::uint32_t end) {
        while (end > begin && rows.at[end - 1] > t) --end;                        // not yet seen
        return end - begin >= c.at_least && rows.at[end - static_cast<std::uint32_t>(c.at_least)] >= c.from;
    };
    if (!rows.dense.empty() || c.negated) {
        std::size_t cursor = 0;
        for (std::uint32_t k = 0; k < h.contacts.size(); ++k) {
            const auto [begin, end] = rows.range(k, cursor);
            if (enough(begin, end) != c.negated && exists(h, k, at)) in.push_back(k);
        }
    } else {
        for (std::size_t i = 0; i < rows.owners.size(); ++i)
            if (enough(rows.begins[i], rows.begins[i + 1]) && exists(h, rows.owners[i], at)) in.push_back(rows.owners[i]);
    }
    return {whole, std::move(in), {}};
}

}  // namespace

std::vector<std::string> selection::ids() const {
    std::vector<std::string> out;
    out.reserve(in_.size());
    for (const auto k : in_) out.push_back(history_.data().contacts.name(k));
    return out;
}
std::vector<std::string> selection::unknown_ids() const {
    std::vector<std::string> out;
    for (const auto k : unknown_) out.push_back(history_.data().contacts.name(k));
    return out;
}
table selection::to_table() const {
    const auto& ids = history_.data().contacts;
    table t{{"contact_id", ids.type()}};
    for (const auto k : in_) ids.push_to(t[0], k);
    return t;
}

selection select_plainly(const history& h, const program_ptr& p, node_id n, instant at) {
    history_reader reader{p, h.data()};
    std::vector<std::uint32_t> in, unknown;
    for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
        if (!exists(h.data(), k, at)) continue;
        reader.load(k);
        const truth x = ask(*p, n, reader.see(at), at);
        if (x == truth::yes) in.push_back(k);
        if (x == truth::unknown) unknown.push_back(k);
    }
    return {h, std::move(in), std::move(unknown)};
}

selection select(const history& h, const program_ptr& p, node_id n, instant at) {
    if (const auto c = as_counted(*p, h.data(), n, at)) return select_counted(h, *c, at);
    return select_plainly(h, p, n, at);
}

selection history::select(const expression& p, instant at) const { return journeyman::select(*this, p, at); }

selection select(const history& h, const expression& e, instant at, const compile_context& context) {
    const auto [p, n] = compile(e, h.schema(), h.data().pool, context);
    return select(h, p, n, at);
}

}  // namespace journeyman
