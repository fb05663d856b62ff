// Events that are in the history already, by their id: the copy there wins (T8).

#include <algorithm>

#include "history/ingest.hpp"

namespace journeyman::detail {

namespace {

using id_set = std::vector<std::uint64_t>;   // one bit a text

/// The ids of all events, from a look at every one of them; appends keep the set up to date.
std::shared_ptr<const id_set> all_ids(const history_data& h) {
    auto out = std::make_shared<id_set>((h.pool->size() + 63) / 64, 0);
    for (const auto& s : h.streams)
        for (const auto id : s.ids)
            if (id != static_cast<std::uint32_t>(no_text)) (*out)[id >> 6] |= std::uint64_t{1} << (id & 63);
    return out;
}

bool has(const id_set& all, std::uint32_t id) { return (id >> 6) < all.size() && ((all[id >> 6] >> (id & 63)) & 1) != 0; }

/// Compares rows of a table with the events there are: everything but when they arrived.
class known_event {
public:
    known_event(ingestion& in, const raw_table& t) : in_{in}, table_{t} {}

    bool same(std::size_t row, std::uint32_t event_id) {
        const history_data& h = *in_.before;
        const auto owner = text(table_.id->cell(row));
        const auto contact = h.contacts.find(owner);
        if (!contact || h.contacts.name(*contact) != owner) return false;
        const event_stream* s = h.stream(table_.event == nullptr ? table_.event_name : text(table_.event->cell(row)));
        value at;
        if (s == nullptr || s->ids.empty() || convert(table_.timestamp->cell(row), value_type::instant, in_.how("timestamp", *table_.timestamp), at) != fault::none) return false;
        const auto [begin, end] = s->rows.range(*contact);
        for (auto r = static_cast<std::uint32_t>(std::lower_bound(s->rows.at.begin() + begin, s->rows.at.begin() + end, at.i) - s->rows.at.begin()); r < end && s->rows.at[r] == at.i; ++r)
            if (s->ids[r] == event_id) return same_properties(row, *s, r);
        return false;
    }

private:
    static std::string text(const raw_cell& c) { return c.type == value_type::decimal ? std::to_string(static_cast<std::int64_t>(c.d)) : shown(c); }

    bool same_properties(std::size_t row, const event_stream& s, std::uint32_t there) {
        for (const auto& [name, cells] : s.properties.columns) {
            const auto mine = std::find_if(table_.fields.begin(), table_.fields.end(), [&](const auto& f) { return f.name == name; });
            value v;
            if (mine != table_.fields.end()) {
                const raw_cell c = mine->source->cell(row);
                if (c.type != value_type::missing && convert(c, cells.type(), in_.how(name, *mine->source), v) != fault::none) v = {};
            }
            if (!(v == cells.at(there))) return false;
        }
        return std::all_of(table_.fields.begin(), table_.fields.end(), [&](const auto& f) { return s.properties.find(f.name) != nullptr || f.source->cell(row).type == value_type::missing; });
    }

    ingestion& in_;
    const raw_table& table_;
};

}  // namespace

void drop_known(ingestion& in, scanned_table& t) {
    if (t.event_id.empty() || in.before->streams.empty()) return;
    if (in.seen->event_ids == nullptr) in.seen->event_ids = all_ids(*in.before);
    known_event known{in, *t.table};
    for (std::uint32_t r = 0; r < t.event_id.size(); ++r) {
        if (t.owner[r] == nobody || t.event_id[r] == static_cast<std::uint32_t>(no_text) || !has(*in.seen->event_ids, t.event_id[r])) continue;
        in.reject(*t.table, r, known.same(r, t.event_id[r]) ? "duplicate event_id" : "conflicting event_id", in.pool().view(text_id{t.event_id[r]}));
        t.owner[r] = nobody;
    }
}

}  // namespace journeyman::detail
