#include "kpi/firsts.hpp"

#include <array>

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

found_event first_after(event_source& s, const slot_frame& frame, const row_filters& filters, std::uint32_t contact, position after, instant until) {
    found_event out;
    for (std::size_t k = 0; k < s.streams.size(); ++k) {
        const auto& stream = frame.stream(s.streams[k]);
        auto [row, end] = stream.rows().range(contact, s.cursors[k]);
        for (; row < end; ++row) {
            const position p = stream.place(row);
            if (p.at > until || !(p < out.at)) break;
            if (p <= after || !filters.yes(s.filters[k], stream, row)) continue;
            out = {row, k, p};
            break;
        }
    }
    return out;
}

void first_events::find(std::uint32_t first, std::uint32_t last, const row_filters& filters) {
    const std::uint32_t n = last - first;
    rows_.assign(n, none);
    slots_.assign(n, static_cast<std::uint16_t>(frame_->periods_count()));
    if (source_.streams.empty()) return;
    if (source_.is_plain()) {
        const auto& s = frame_->stream(source_.streams[0]);
        ends_.resize(n);
        for (std::uint32_t k = 0; k < n; ++k) {
            const auto [begin, end] = s.rows().range(first + k, source_.cursors[0]);
            ends_[k] = end;
            if (begin == end) continue;
            rows_[k] = begin;
            slots_[k] = static_cast<std::uint16_t>(s.slot_of(begin));
        }
        return;
    }
    streams_.assign(n, 0);
    for (std::uint32_t k = 0; k < n; ++k) {
        const auto found = first_after(source_, *frame_, filters, first + k, {beginning_of_time, 0}, end_of_time);
        if (found.stream == none) continue;
        rows_[k] = found.row;
        streams_[k] = static_cast<std::uint32_t>(found.stream);
        slots_[k] = static_cast<std::uint16_t>(stream(k).slot_of(found.row));
    }
}

void first_tally::count(const first_events& a, std::uint32_t first, std::uint32_t last, const row_filters& filters, const table_span& span, const time_zone& zone) {
    const std::size_t width = std::size_t{frame_->words()} * 64;
    counts_.resize(who_->groups.size() * width);
    if (measure_->kind == aggregate::new_) {
        for (std::uint32_t k = 0; k < last - first; ++k) ++counts_[who_->group[k] * width + a.slot(k)];
        return;
    }
    immature_.resize(counts_.size());
    const bool again = a.source().is_plain() && b_.is_plain() && a.source().streams == b_.streams;   // the next of the same
    for (std::uint32_t k = 0; k < last - first; ++k) {
        const std::uint32_t row = a.row(k), group = who_->group[k], slot = a.slot(k);
        if (row == none || group == 0 || slot % frame_->pitch() >= frame_->periods_count()) continue;
        const auto& stream = a.stream(k);
        const position at = stream.place(row);
        const instant deadline = journeyman::add(at.at, measure_->within, zone);
        const std::size_t cell = group * width + slot;
        if (deadline >= span.end) ++immature_[cell];
        else if (measure_->kind == aggregate::starters) ++counts_[cell];
        else if (again) counts_[cell] += row + 1 < a.end(k) && stream.place(row + 1).at <= deadline;
        else counts_[cell] += first_after(b_, *frame_, filters, first + k, at, deadline).stream != none;
    }
}

}  // namespace journeyman::detail
