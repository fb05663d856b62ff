#include "kpi/joint.hpp"

#include <array>
#include <bit>

namespace journeyman::detail {

row_filters::row_filters(const program& p, const history_data& h) : program_{p}, history_{h}, no_streams_(p.streams.size()), no_attributes_(p.attributes.size()) {
    nobody_.streams = no_streams_.data();
    nobody_.attributes = no_attributes_.data();
}

std::optional<std::vector<row_filter>> row_filters::of(const measure_plan& m, selector_id id) const {
    std::vector<row_filter> out;
    const auto& s = program_.selectors[id];
    if (s.without != none || (id == m.a ? m.looks : m.b_looks)) return {};
    for (const auto stream : s.streams) {
        row_filter f{stream, s.where, {}};
        if (s.where != none) {
            compiled_selector one;
            one.streams = {stream};
            one.where = s.where;
            f.tests = plan_rows(program_, history_, one, end_of_time - microseconds{1});
            if (!f.tests && program_.uses_id) return {};       // it may ask for the contact's bucket
        }
        out.push_back(std::move(f));
    }
    return out;
}

void row_filters::keep(const row_filter& f, const slot_stream& s, std::uint32_t first, std::uint32_t n, std::uint16_t none_of_them, std::uint16_t* slots) const {
    if (f.where == none) return;
    if (!f.tests) {
        for (std::uint32_t k = 0; k < n; ++k)
            if (!yes(f, s, first + k)) slots[k] = none_of_them;
        return;
    }
    for (const auto& t : f.tests->where) {
        if (t.cells != nullptr && t.narrow != nullptr && t.narrow->fits && (t.op == node_kind::equal || t.op == node_kind::not_equal || t.op == node_kind::in)) {
            std::array<std::uint8_t, 256> yes{};
            for (std::size_t c = 0; c < t.narrow->texts.size(); ++c) yes[c] = t.op == node_kind::not_equal;
            for (const auto c : t.numbers) yes[c] = t.op != node_kind::not_equal;
            const std::uint8_t* code = t.narrow->code.data() + first;
            for (std::uint32_t k = 0; k < n; ++k) slots[k] = yes[code[k]] != 0 ? slots[k] : none_of_them;
        } else {
            for (std::uint32_t k = 0; k < n; ++k)
                if (!t.yes(program_, first + k)) slots[k] = none_of_them;
        }
    }
}

joint_counter::joint_counter(const kpi_plan& p, const slot_frame& f, const crowd& who, const program& program, const table_span& span, const row_filters& filters)
    : plan_{p}, frame_{f}, who_{who}, program_{program}, span_{span}, filters_{filters}, slots_{std::size_t{f.combinations()} * f.pitch()}, whole_(f.has_properties() ? f.pitch() : 0) {}

totals& joint_counter::open(std::unique_ptr<totals>& t) {
    if (!t) t = std::make_unique<totals>(*plan_.shape);
    if (!t->begin_contact()) open_.push_back(t.get());
    return *t;
}

template <class F>
void joint_counter::put(std::uint32_t slot, F f) {
    const std::uint32_t period = frame_.has_properties() ? slot % frame_.pitch() : slot;
    if (period >= frame_.periods_count()) return;
    f(open(cells_[group_ * slots_ + slot]));
    if (frame_.has_properties()) f(open(whole_[period]));
}

void joint_counter::count(std::uint32_t first, std::uint32_t last) {
    cells_.resize(who_.groups.size() * slots_);
    for (std::uint32_t c = first; c < last; ++c) {
        group_ = who_.group[c - first];
        if (group_ == 0) continue;
        for (std::size_t k = 0; k < measures.size(); ++k) {
            auto& m = measures[k];
            switch (m.plan->kind) {
                case aggregate::spend:
                case aggregate::budget: break;
                case aggregate::contacts: {
                    const std::uint32_t words = frame_.words();
                    const std::uint64_t* bits = m.bits + std::size_t{c - first} * words;
                    for (std::uint32_t w = 0; w < words; ++w)
                        for (std::uint64_t left = bits[w]; left != 0; left &= left - 1)
                            put(w * 64 + static_cast<std::uint32_t>(std::countr_zero(left)), [&](totals& t) { t.of_contact(k).whole = 1; });
                    break;
                }
                case aggregate::events:
                case aggregate::actions:
                case aggregate::sum:
                    for (std::size_t s = 0; s < m.a.streams.size(); ++s) {
                        const auto [begin, end] = frame_.stream(m.a.streams[s]).rows().range(c, m.a.cursors[s]);
                        if (begin != end) rows(m, k, s, begin, end);
                    }
                    break;
                default: firsts(m, k, c);
            }
        }
        for (totals* t : open_) t->end_contact();
        open_.clear();
    }
}

void joint_counter::rows(const measure& m, std::size_t index, std::size_t s, std::uint32_t begin, std::uint32_t end) {
    const auto& stream = frame_.stream(m.a.streams[s]);
    const auto& filter = m.a.filters[s];
    const bool sums = m.plan->kind == aggregate::sum;
    const column* property = sums ? stream.property(program_.selectors[m.plan->a].property) : nullptr;
    if (sums && property == nullptr) return;
    for (std::uint32_t r = begin; r < end; ++r) {
        if (!filters_.yes(filter, stream, r)) continue;
        if (!sums) {
            put(stream.slot_of(r), [&](totals& t) { ++t.of_contact(index).whole; });
            continue;
        }
        const value v = property->at(r);
        if (v.is_missing()) continue;
        put(stream.slot_of(r), [&](totals& t) { add_value(t.of_contact(index), v, m.plan->type); });
    }
}

/// The first row that counts, of those after a place and up to an instant.
joint_counter::place joint_counter::first_after(source& s, std::uint32_t contact, position after, instant until) {
    place out;
    for (std::size_t k = 0; k < s.streams.size(); ++k) {
        const auto& stream = frame_.stream(s.streams[k]);
        auto [row, end] = stream.rows().range(contact, s.cursors[k]);
        for (; row < end; ++row) {
            const position p{instant{microseconds{stream.rows().at[row]}}, stream.rows().order[row]};
            if (p.at > until || p.at >= span_.end || !(p < out.at)) break;
            if (p <= after || !filters_.yes(s.filters[k], stream, row)) continue;
            out = {row, k, p};
            break;
        }
    }
    return out;
}

void joint_counter::firsts(measure& m, std::size_t index, std::uint32_t contact) {
    constexpr position from_the_start{beginning_of_time, 0};
    const place a = first_after(m.a, contact, from_the_start, end_of_time);
    if (a.stream == none) return;
    const std::uint32_t slot = frame_.stream(m.a.streams[a.stream]).slot_of(a.row);
    const auto give = [&](std::int64_t x) { put(slot, [&](totals& t) { t.of_contact(index).whole = x; }); };
    if (m.plan->kind == aggregate::new_) return give(1);
    if (slot % frame_.pitch() >= frame_.periods_count()) return;
    const instant deadline = journeyman::add(a.at.at, m.plan->within, *program_.zone);
    if (deadline >= span_.end) return put(slot, [](totals& t) { t.immature(); });
    if (m.plan->kind == aggregate::starters) return give(1);
    const place b = first_after(m.b, contact, a.at, deadline);
    if (b.stream == none) return;
    give(m.plan->kind == aggregate::elapsed ? (b.at.at - a.at.at).count() : 1);
}

}  // namespace journeyman::detail
