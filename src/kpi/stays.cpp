#include "kpi/stays.hpp"

#include <algorithm>

namespace journeyman::detail {

bool reads_event(const program& p, node_id id) {
    if (id == none) return false;
    const auto& n = p.nodes[id];
    switch (n.kind) {
        case node_kind::property: case node_kind::event_time: case node_kind::event_name: case node_kind::trigger_property: return true;
        case node_kind::call:
            if (n.function == function::first_ever) return true;
            if (n.function == function::segment || n.function == function::consent) return reads_event(p, n.slot);
            break;
        default: break;
    }
    for (std::uint32_t k = 0; k < n.count; ++k)
        if (reads_event(p, p.arguments[n.args + k])) return true;
    return false;
}

bool is_timeless(const program& p, node_id id) {
    if (id == none) return true;
    const auto& n = p.nodes[id];
    switch (n.kind) {
        case node_kind::now: return false;
        case node_kind::aggregate: {
            if (n.aggregate == aggregate::sequence) return false;
            const auto& s = p.selectors[n.slot];
            return s.window.kind == window_kind::all && s.without == none && is_timeless(p, s.where);
        }
        case node_kind::call:
            switch (n.function) {
                case function::exists: case function::missing: case function::coalesce: case function::if_:
                case function::lower: case function::upper: case function::length: case function::abs: case function::round: break;
                default: return false;
            }
            break;
        default: break;
    }
    for (std::uint32_t k = 0; k < n.count; ++k)
        if (!is_timeless(p, p.arguments[n.args + k])) return false;
    return true;
}

void stays::prepare(const program_ptr& p, const history_data& h, instant start, instant end) {
    start_ = start.time_since_epoch().count();
    walks_.clear();
    for (const auto node : predicates) walks_.push_back(node == none || end <= start ? nullptr : std::make_unique<membership_walk>(p, h, node, start, end));
    cursors_.assign(streams.size() + attributes.size(), 0);
}

bool stays::is_amid(const history_reader& reader, position p) {
    bool out = false;
    std::size_t k = 0;
    const std::int64_t t = p.at.time_since_epoch().count();
    const auto look = [&](const auto& all) {
        std::uint32_t& next = cursors_[k++];                     // the first after p; mostly it is where it was, or a little further
        const auto after = [&](std::uint32_t i) { return all.at[i] > t || (all.at[i] == t && all.order[i] > p.order); };
        if (next > all.count || (next > 0 && after(next - 1))) {
            std::uint32_t low = 0, high = std::min(next, all.count);
            while (low < high) {
                const std::uint32_t middle = (low + high) / 2;
                if (after(middle)) high = middle;
                else low = middle + 1;
            }
            next = low;
        }
        while (next < all.count && !after(next)) ++next;
        out = out || (next < all.count && all.at[next] == t);
    };
    for (const auto s : streams) look(reader.all(s));
    for (const auto a : attributes) look(reader.all_changes(a));
    return out;
}

void stays::gather(const history_reader& reader) {
    changes_.assign(1, {start_, none, false});
    const std::uint32_t contact = reader.view().contact;
    for (std::uint32_t k = 0; k < walks_.size(); ++k) {
        if (walks_[k] == nullptr) continue;
        walked_.clear();
        walks_[k]->one(contact, walked_);
        for (const auto& s : walked_) {
            changes_.push_back({s.entered, k, true});
            if (s.left != detail::stay::stays) changes_.push_back({s.left, k, false});
        }
    }
    const auto add = [&](const auto& all) {
        for (std::uint32_t k = 0; k < all.count; ++k)
            if (all.at[k] > start_) changes_.push_back({all.at[k], none, false});
    };
    for (const auto s : asked_streams) add(reader.all(s));
    for (const auto a : asked_attributes) add(reader.all_changes(a));
    std::stable_sort(changes_.begin(), changes_.end(), [](const change& a, const change& b) { return a.at < b.at; });
}

void stays::find(std::int64_t t) {
    const auto next = std::upper_bound(pieces_.begin(), pieces_.end(), t, [](std::int64_t x, const stay& s) { return x < s.from; });
    last_ = static_cast<std::size_t>(next - pieces_.begin()) - 1;
}

}  // namespace journeyman::detail
