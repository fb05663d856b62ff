#include "kpi/passes.hpp"

#include <algorithm>
#include <bit>

#include "predicate/kernels.hpp"

namespace journeyman::detail {
namespace {

constexpr std::uint32_t block = 4096;                                  // rows whose slots stay in the nearest cache
constexpr std::size_t most_counts = std::size_t{1} << 22;              // of one measure, by group and slot; what is kept together takes eight times the room

bool is_fixed(aggregate a) { return a == aggregate::spend || a == aggregate::budget; }

/// Calls f(k) for k below n, from four places in turn: rows that follow each other are mostly of one contact, and each would wait for the one before.
template <class F>
inline void by_quarters(std::uint32_t n, F f) {
    const std::uint32_t quarter = n / 4;
    for (std::uint32_t k = 0; k < quarter; ++k) {
        f(k);
        f(k + quarter);
        f(k + 2 * quarter);
        f(k + 3 * quarter);
    }
    for (std::uint32_t k = 4 * quarter; k < n; ++k) f(k);
}

/// `words`: of a contact, a power of two.
void mark(const std::uint16_t* slot, const std::uint16_t* place, std::uint32_t n, std::uint32_t inside, std::uint32_t words, std::uint64_t* bits) {
    const auto all = [=](auto first_word) {
        by_quarters(n, [=](std::uint32_t k) { bits[first_word(k) + (slot[k] >> 6)] |= std::uint64_t{1} << (slot[k] & 63); });
    };
    if (words == 1) return by_quarters(n, [=](std::uint32_t k) { bits[place[k] & inside] |= std::uint64_t{1} << (slot[k] & 63); });
    if (words == 2) return all([=](std::uint32_t k) { return std::size_t{place[k] & inside} * 2; });
    const int shift = std::countr_zero(words);
    all([=](std::uint32_t k) { return std::size_t{place[k] & inside} << shift; });
}

}  // namespace

pass_counter::pass_counter(const plan& p, const program& program, const history_data& h, const table_span& span, const std::vector<kpi_totals>& kpis, std::vector<standing>& standings)
    : program_{program}, history_{h}, span_{span}, filters_{program, h}, jobs_(p.kpis.size()), slots_(block) {
    for (std::size_t k = 0; k < jobs_.size(); ++k) {
        auto* who = standings[k].of;
        if (who != nullptr && who->steady && can(p.kpis[k], kpis[k])) {
            jobs_[k].who = who;
            jobs_[k].frame = frame_of(p.kpis[k], kpis[k], *who);
        }
    }
    for (auto& f : frames_) {
        if (f->settle()) continue;
        for (auto& j : jobs_)
            if (j.frame == f.get()) j.frame = nullptr;
    }
    for (std::size_t k = 0; k < jobs_.size(); ++k) {
        auto& j = jobs_[k];
        if (j.frame == nullptr) continue;
        plan_job(p.kpis[k], j);
        const std::size_t most = most_counts / (j.what == job::joint ? 8 : 1) / (std::size_t{j.frame->words()} * 64) + 1;
        if (std::find(crowds_.begin(), crowds_.end(), j.who) == crowds_.end()) {
            crowds_.push_back(j.who);
            j.who->most_groups = most;
            j.who->prepare(program, h);
        }
        j.who->most_groups = std::min(j.who->most_groups, most);
        while (step_ > 64 && std::size_t{step_} * j.frame->words() > (std::size_t{1} << 14)) step_ /= 2;
    }
}

bool pass_counter::can(const kpi_plan& k, const kpi_totals& totals) const {
    if (!totals.when().plain() || totals.when().bounds().empty()) return false;
    bool any = false;
    for (const auto& m : k.measures) {
        switch (m.kind) {
            case aggregate::spend: case aggregate::budget: continue;
            case aggregate::events: case aggregate::actions: case aggregate::contacts: case aggregate::sum: case aggregate::new_:
            case aggregate::starters: case aggregate::converted: case aggregate::elapsed: break;
            default: return false;
        }
        any = true;
        if (!filters_.of(m, m.a) || (m.b != none && !filters_.of(m, m.b))) return false;
    }
    return any;
}

slot_frame* pass_counter::frame_of(const kpi_plan& k, const kpi_totals& totals, const crowd& who) {
    std::vector<std::uint32_t> properties;
    for (const auto& [d, slot] : who.properties) properties.push_back(slot);
    auto it = std::find_if(frames_.begin(), frames_.end(), [&](const auto& f) { return f->is(totals.when(), properties); });
    if (it == frames_.end()) it = frames_.insert(it, std::make_unique<slot_frame>(totals.when(), std::move(properties)));
    for (const auto& m : k.measures)
        for (const auto id : {m.a, m.b})
            if (id != none)
                for (const auto slot : program_.selectors[id].streams) (*it)->add(program_, history_, slot);
    return it->get();
}

void pass_counter::plan_job(const kpi_plan& k, job& j) {
    const auto all = [&](auto... kinds) {
        return std::all_of(k.measures.begin(), k.measures.end(), [&](const auto& m) { return is_fixed(m.kind) || ((m.kind == kinds) || ...); });
    };
    const auto filters = [&](const measure_plan& m, selector_id id) { return *filters_.of(m, id); };
    const bool fixed = std::any_of(k.measures.begin(), k.measures.end(), [](const auto& m) { return is_fixed(m.kind); });
    if (!k.shape->products && all(aggregate::contacts, aggregate::events, aggregate::actions)) {
        j.what = job::apart;
        for (const auto& m : k.measures) {
            j.tallies.emplace_back();
            j.columns.push_back(none);
            if (is_fixed(m.kind)) continue;
            if (m.kind == aggregate::contacts) {
                const auto in = mask_of(*j.frame, filters(m, m.a));
                j.columns.back() = column_of(in, in, j.who);
                continue;
            }
            for (const auto& f : filters(m, m.a)) {
                const auto rows = pass_of(*j.frame, f);
                if (rows == none) continue;
                auto it = std::find_if(tallies_.begin(), tallies_.end(), [&](const auto& t) { return t.pass == rows && t.who == j.who; });
                if (it == tallies_.end()) {
                    passes_[rows].tallies.push_back(tallies_.size());
                    it = tallies_.insert(it, {rows, j.who, {}});
                }
                j.tallies.back().push_back(static_cast<std::size_t>(it - tallies_.begin()));
            }
        }
        return;
    }
    if (k.shape->products && !fixed && all(aggregate::contacts)) {
        j.what = job::masks;
        std::vector<std::size_t> in;
        for (const auto& m : k.measures) {
            in.push_back(mask_of(*j.frame, filters(m, m.a)));
            for (const auto other : in) j.columns.push_back(column_of(other, in.back(), j.who));
        }
        return;
    }
    const auto varying = std::find_if(k.measures.begin(), k.measures.end(), [](const auto& m) { return !is_fixed(m.kind); });
    if (!k.shape->products && varying->kind != aggregate::sum && std::none_of(varying + 1, k.measures.end(), [](const auto& m) { return !is_fixed(m.kind); })) {
        j.what = job::firsts;
        j.first = first_tallies_.size();
        auto a = source_of(*j.frame, *varying, varying->a);
        auto events = std::find_if(firsts_.begin(), firsts_.end(), [&](const auto& f) { return f.is(*j.frame, a); });
        if (events == firsts_.end()) events = firsts_.insert(events, {*j.frame, std::move(a)});
        first_tallies_.emplace_back(*varying, varying->b == none ? event_source{} : source_of(*j.frame, *varying, varying->b), *j.frame, *j.who, static_cast<std::size_t>(events - firsts_.begin()));
        return;
    }
    j.what = job::joint;
    j.together = std::make_unique<joint_counter>(k, *j.frame, *j.who, program_, span_, filters_);
    for (const auto& m : k.measures) {
        joint_counter::measure one{&m, {}, {}};
        if (m.kind == aggregate::contacts) {
            one.mask = mask_of(*j.frame, filters(m, m.a));
        } else {
            if (m.a != none) one.a = source_of(*j.frame, m, m.a);
            if (m.b != none) one.b = source_of(*j.frame, m, m.b);
        }
        j.together->measures.push_back(std::move(one));
    }
    j.together->prepare();
}

/// Without the streams that have no rows.
event_source pass_counter::source_of(slot_frame& frame, const measure_plan& m, selector_id id) {
    event_source out;
    auto filters = *filters_.of(m, id);
    for (auto& f : filters) {
        const auto stream = frame.add(program_, history_, f.stream);
        if (frame.stream(stream).empty()) continue;
        out.streams.push_back(stream);
        out.filters.push_back(std::move(f));
        out.cursors.push_back(0);
    }
    return out;
}

/// None where the stream has no rows.
std::size_t pass_counter::pass_of(slot_frame& frame, const row_filter& f) {
    const auto stream = frame.add(program_, history_, f.stream);
    if (frame.stream(stream).empty()) return none;
    auto it = std::find_if(passes_.begin(), passes_.end(), [&](const auto& p) { return p.frame == &frame && p.filter == f; });
    if (it == passes_.end()) it = passes_.insert(it, {&frame, stream, f, {}, {}});
    return static_cast<std::size_t>(it - passes_.begin());
}

std::size_t pass_counter::mask_of(slot_frame& frame, const std::vector<row_filter>& filters) {
    std::vector<std::size_t> passes;
    for (const auto& f : filters)
        if (const auto p = pass_of(frame, f); p != none) passes.push_back(p);
    std::sort(passes.begin(), passes.end());
    for (std::size_t k = 0; k < masks_.size(); ++k)
        if (masks_[k].frame == &frame && masks_[k].passes == passes) return k;
    for (const auto p : passes) passes_[p].masks.push_back(masks_.size());
    masks_.push_back({&frame, std::move(passes), {}, {}});
    return masks_.size() - 1;
}

std::size_t pass_counter::column_of(std::size_t a, std::size_t b, crowd* who) {
    auto it = std::find_if(columns_.begin(), columns_.end(), [&](const auto& c) { return c.a == a && c.b == b && c.who == who; });
    if (it == columns_.end()) it = columns_.insert(it, {a, b, who, {}, {}});
    return static_cast<std::size_t>(it - columns_.begin());
}

void pass_counter::run(pass& p, std::uint32_t first, std::uint32_t last) {
    const auto& stream = p.frame->stream(p.stream);
    const auto [begin, end] = stream.range(first, last);
    const std::uint32_t inside = step_ - 1, words = p.frame->words();
    // Into the mask that is of this pass alone, if there is one, and from there into the others.
    std::size_t into = none;
    for (const auto m : p.masks)
        if (into == none || masks_[m].passes.size() < masks_[into].passes.size()) into = m;
    const bool own = into != none && masks_[into].passes.size() == 1;
    for (std::uint32_t r = begin; r < end; r += block) {
        const std::uint32_t n = std::min(block, end - r);
        std::uint16_t* slots = slots_.data();
        stream.slots(r, n, slots);
        filters_.keep(p.filter, stream, r, n, static_cast<std::uint16_t>(p.frame->periods_count()), slots);
        const std::uint16_t* places = stream.places() + r;
        if (own || p.masks.size() == 1) mark(slots, places, n, inside, words, masks_[into].bits.data());
        else
            for (const auto m : p.masks) mark(slots, places, n, inside, words, masks_[m].bits.data());
        for (const auto t : p.tallies) {
            auto* counts = tallies_[t].counts.data();
            const std::uint32_t* group = tallies_[t].who->group.data();
            const std::uint32_t width = words * 64, from = first & inside;
            if (tallies_[t].who->are_one()) by_quarters(n, [to = counts + width, slots](std::uint32_t k) { ++to[slots[k]]; });
            else by_quarters(n, [=](std::uint32_t k) { ++counts[std::size_t{group[(places[k] & inside) - from]} * width + slots[k]]; });
        }
    }
    if (!own) return;
    for (const auto m : p.masks)
        if (m != into) {
            auto* to = masks_[m].bits.data();
            const auto* by = masks_[into].bits.data();
            for (std::size_t k = std::size_t{first & inside} * words, n = k + std::size_t{last - first} * words; k < n; ++k) to[k] |= by[k];
        }
}

void pass_counter::count(std::uint32_t first, std::uint32_t last) {
    const std::uint32_t n = last - first, from = first & (step_ - 1);
    for (auto& m : masks_) m.bits.assign(std::size_t{step_} * m.frame->words(), 0);
    for (auto& t : tallies_) t.counts.resize(t.who->groups.size() * passes_[t.pass].frame->words() * 64);
    for (auto& p : passes_) run(p, first, last);
    for (auto& m : masks_) {
        // From the first contact on, and without what lies in no period.
        const std::uint32_t words = m.frame->words(), whole = m.frame->whole_words();
        if (from != 0) std::copy_n(m.bits.begin() + std::ptrdiff_t{from} * words, std::size_t{n} * words, m.bits.begin());
        if (!m.frame->has_properties()) continue;
        m.whole.resize(std::size_t{step_} * whole);
        m.frame->fold(m.bits.data(), n, m.whole.data());
    }
    std::vector<std::uint64_t> both;
    const auto add = [&](const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b, std::uint32_t words, const crowd& who, std::vector<std::uint32_t>& counts) {
        const std::uint64_t* bits = a.data();
        if (&a != &b) {
            both.resize(std::size_t{n} * words);
            for (std::size_t k = 0; k < both.size(); ++k) both[k] = a[k] & b[k];
            bits = both.data();
        }
        counts.resize(who.groups.size() * words * 64);
        if (who.are_one()) best_kernels().add_columns(bits, words, nullptr, n, counts.data() + std::size_t{words} * 64);
        else best_kernels().add_columns(bits, words, who.group.data(), n, counts.data());
    };
    for (auto& c : columns_) {
        const auto &a = masks_[c.a], &b = masks_[c.b];
        add(a.bits, b.bits, a.frame->words(), *c.who, c.counts);
        if (a.frame->has_properties()) add(a.whole, b.whole, a.frame->whole_words(), *c.who, c.whole);
    }
    for (auto& f : firsts_) f.find(first, last, filters_);
    for (auto& t : first_tallies_) t.count(firsts_[t.events()], first, last, filters_, span_, *program_.zone);
    for (auto& j : jobs_)
        if (j.what == job::joint) {
            for (auto& m : j.together->measures) m.bits = m.mask == none ? nullptr : masks_[m.mask].bits.data();
            j.together->count(first, last);
        }
}

void pass_counter::finish(std::vector<kpi_totals>& kpis, const text_pool& pool, cell_texts& texts) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
        auto& j = jobs_[i];
        if (j.what == job::nothing) continue;
        auto& k = kpis[i];
        const auto& frame = *j.frame;
        const std::uint32_t pitch = frame.pitch(), periods = frame.periods_count();
        const auto& calendar = k.when().calendar();
        // Calls f(totals) for the cells of a group and a combination of values, and for the total where that is the same added up.
        std::vector<std::vector<std::uint32_t>> cells(frame.combinations());
        const auto each_cell = [&](std::size_t group, std::uint32_t slot, bool total, auto f) {
            const std::uint32_t combination = slot / pitch, period = calendar[slot % pitch];
            auto& known = cells[combination];
            for (const auto key : j.who->groups[group]) {
                if (known.size() <= key) known.resize(key + 1, none);
                if (known[key] == none) {
                    auto full = j.who->keys[key];
                    for (std::size_t d = 0; d < j.who->properties.size(); ++d) full[j.who->properties[d].first] = texts.number(frame.at(combination, d), pool);
                    known[key] = k.cell(std::move(full));
                }
                f(k.at(known[key], period));
            }
            if (total) f(k.at(0, period));
        };
        const auto give = [&](const std::vector<std::uint32_t>& counts, const std::vector<std::uint32_t>* whole, auto to) {
            const std::size_t width = std::size_t{frame.words()} * 64, whole_width = std::size_t{frame.whole_words()} * 64;
            for (std::size_t at = width; at < counts.size(); ++at) {
                const auto slot = static_cast<std::uint32_t>(at % width);
                if (counts[at] != 0 && slot % pitch < periods) each_cell(at / width, slot, whole == nullptr, [&](totals& t) { to(t, counts[at]); });
            }
            for (std::size_t at = whole_width; whole != nullptr && at < whole->size(); ++at)
                if (const auto p = at % whole_width; (*whole)[at] != 0 && p < periods) to(k.at(0, calendar[p]), (*whole)[at]);
        };
        const auto give_columns = [&](std::size_t column, auto to) {
            const auto& c = columns_[column];
            give(c.counts, frame.has_properties() ? &c.whole : nullptr, to);
        };
        if (j.what == job::joint) {
            j.together->each([&](std::size_t group, std::uint32_t slot, const totals& from) { each_cell(group, slot, !frame.has_properties(), [&](totals& t) { t.merge(from, {}); }); },
                             [&](std::uint32_t p, const totals& from) { k.at(0, calendar[p]).merge(from, {}); });
            continue;
        }
        if (j.what == job::firsts) {
            const auto& measures = k.plan().measures;
            const auto m = static_cast<std::size_t>(std::find_if(measures.begin(), measures.end(), [](const auto& x) { return !is_fixed(x.kind); }) - measures.begin());
            const auto& t = first_tallies_[j.first];
            give(t.counts(), nullptr, [m](totals& to, std::int64_t n) { to.sum(m).whole += n; });
            give(t.immature(), nullptr, [](totals& to, std::int64_t n) { to.add_immature(n); });
            continue;
        }
        std::size_t pair = 0;
        for (std::size_t m = 0; m < k.plan().measures.size(); ++m) {
            const auto sum = [m](totals& t, std::int64_t n) { t.sum(m).whole += n; };
            if (j.what == job::masks) {
                for (std::size_t o = 0; o <= m; ++o) give_columns(j.columns[pair++], [m, o](totals& t, std::int64_t n) { t.product_of(o, m).whole += n; });
                give_columns(j.columns[pair - 1], sum);
                continue;
            }
            if (j.columns[m] != none) give_columns(j.columns[m], sum);
            for (const auto t : j.tallies[m]) give(tallies_[t].counts, nullptr, sum);
        }
    }
}

}  // namespace journeyman::detail
