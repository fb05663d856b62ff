#include "kpi/joint.hpp"

#include <bit>
#include <utility>

namespace journeyman::detail {

joint_counter::joint_counter(const kpi_plan& p, const slot_frame& f, const crowd& who, const program& program, const table_span& span, const row_filters& filters)
    : plan_{p}, frame_{f}, who_{who}, program_{program}, span_{span}, filters_{filters}, slots_{std::size_t{f.combinations()} * f.pitch()}, whole_(f.has_properties() ? f.pitch() : 0) {}

totals& joint_counter::open(std::unique_ptr<totals>& t) {
    if (!t) t = std::make_unique<totals>(*plan_.shape);
    if (!t->begin_contact()) open_.push_back(t.get());
    return *t;
}

void joint_counter::prepare() {
    std::size_t varying = 0;
    for (std::size_t k = 0; k < measures.size(); ++k) {
        const auto kind = measures[k].plan->kind;
        if (kind == aggregate::spend || kind == aggregate::budget) continue;
        ++varying;
        only_ = k;
    }
    if (varying != 1) return;
    const auto& m = measures[only_];
    alone_ = m.plan->kind != aggregate::contacts && m.plan->kind != aggregate::events && m.plan->kind != aggregate::actions;
    if (m.plan->kind == aggregate::sum)
        for (const auto s : m.a.streams) {
            const column* cells = frame_.stream(s).property(program_.selectors[m.plan->a].property);
            alone_ = alone_ && (cells == nullptr || (cells->type() == m.plan->type && m.plan->type != value_type::decimal));
        }
    if (!alone_) return;
    by_runs_ = m.plan->kind == aggregate::sum && m.a.is_plain() && !frame_.has_properties();
    plain_whole_.resize(whole_.size());
    for (auto* n : {&now_, &now_whole_}) {
        const std::size_t size = n == &now_ ? slots_ : whole_.size();
        n->of.resize(size);
        n->met.resize(size);
    }
}

totals joint_counter::of(const plain_total& p) const {
    totals out{*plan_.shape};
    out.sum(only_).whole = p.sum;
    if (plan_.shape->products) out.product_of(only_, only_).whole = p.squares;
    out.add_immature(p.immature);
    return out;
}

void joint_counter::add(std::uint32_t slot, wide x) {
    const std::uint32_t period = frame_.has_properties() ? slot % frame_.pitch() : slot;
    if (period >= frame_.periods_count()) return;
    now_.add(slot, x);
    if (frame_.has_properties()) now_whole_.add(period, x);
}

void joint_counter::give(plain_total& to, std::unique_ptr<totals>& or_to, wide x) {
    if (!is_small(x)) {
        open(or_to).of_contact(only_).whole = x;
        return;
    }
    const auto small = static_cast<std::int64_t>(x);
    to.met = true;
    to.sum += x;
    to.squares += wide{small} * small;
}

void joint_counter::runs(measure& m, std::uint32_t first, std::uint32_t last) {
    const auto& stream = frame_.stream(m.a.streams[0]);
    const column* cells = stream.property(program_.selectors[m.plan->a].property);
    if (cells == nullptr) return;
    const auto [begin, end] = stream.range(first, last);
    run_slots_.resize(end - begin);
    if (begin != end) stream.slots(begin, end - begin, run_slots_.data());
    const std::uint16_t* place = stream.places();
    const std::int64_t* values = cells->integers().data();
    const auto from = static_cast<std::uint16_t>(first % contacts_at_once);
    for (std::uint32_t r = begin; r < end;) {
        const std::uint16_t who = place[r], slot = run_slots_[r - begin];
        wide x = 0;
        bool any = false;
        for (; r < end && place[r] == who && run_slots_[r - begin] == slot; ++r) {
            if (!cells->present(r)) continue;
            x += values[r];
            any = true;
        }
        const std::uint32_t group = who_.group[static_cast<std::uint16_t>(who - from)];
        if (!any || group == 0 || slot >= frame_.periods_count()) continue;
        const std::size_t cell = group * slots_ + slot;
        give(plain_[cell], cells_[cell], x);
        for (totals* t : open_) t->end_contact();
        open_.clear();
    }
}

void joint_counter::close(plain_now& now, plain_total* into, std::unique_ptr<totals>* or_into) {
    for (const auto k : now.all) {
        give(into[k], or_into[k], std::exchange(now.of[k], 0));
        now.met[k] = 0;
    }
    now.all.clear();
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
    if (alone_) plain_.resize(cells_.size());
    if (by_runs_) return runs(measures[only_], first, last);
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
        if (alone_) {
            close(now_, plain_.data() + group_ * slots_, cells_.data() + group_ * slots_);
            close(now_whole_, plain_whole_.data(), whole_.data());
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
        if (alone_) add(stream.slot_of(r), v.i);
        else put(stream.slot_of(r), [&](totals& t) { add_value(t.of_contact(index), v, m.plan->type); });
    }
}

void joint_counter::firsts(measure& m, std::size_t index, std::uint32_t contact) {
    constexpr position from_the_start{beginning_of_time, 0};
    const auto a = first_after(m.a, frame_, filters_, contact, from_the_start, end_of_time);
    if (a.stream == none) return;
    const std::uint32_t slot = frame_.stream(m.a.streams[a.stream]).slot_of(a.row);
    const auto give = [&](std::int64_t x) {
        if (alone_) add(slot, x);
        else put(slot, [&](totals& t) { t.of_contact(index).whole = x; });
    };
    if (m.plan->kind == aggregate::new_) return give(1);
    if (slot % frame_.pitch() >= frame_.periods_count()) return;
    const instant deadline = journeyman::add(a.at.at, m.plan->within, *program_.zone);
    if (deadline >= span_.end) {
        if (!alone_) return put(slot, [](totals& t) { t.immature(); });
        for (auto* p : {&plain_[group_ * slots_ + slot], frame_.has_properties() ? &plain_whole_[slot % frame_.pitch()] : nullptr})
            if (p != nullptr) {
                p->met = true;
                ++p->immature;
            }
        return;
    }
    if (m.plan->kind == aggregate::starters) return give(1);
    const auto b = first_after(m.b, frame_, filters_, contact, a.at, deadline);
    if (b.stream == none) return;
    give(m.plan->kind == aggregate::elapsed ? (b.at.at - a.at.at).count() : 1);
}

}  // namespace journeyman::detail
