#include "kpi/fold.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "journeyman/core/hash.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "kpi/keys.hpp"
#include "kpi/passes.hpp"

namespace journeyman::detail {
namespace {

using moment = key_finder::moment;

/// An event of the loaded contact.
struct hit {
    position place;
    std::uint32_t slot = 0, index = 0;
};

class folding {
public:
    folding(const kpi_definitions& d, const plan& p, const program_ptr& program, const history_data& h, const std::vector<journey_span>& journeys, const table_span& span, cell_texts& texts, bool plainly)
        : plan_{p}, program_{*program}, history_{h}, span_{span}, texts_{texts}, reader_{program, h}, keys_{d, p, reader_, *h.pool, texts}, plainly_{plainly} {
        for (const auto& k : p.kpis)
            for (const auto& by : k.by) needs_journeys_ = needs_journeys_ || by.kind >= dimension_plan::workflow;
        standings_ = plainly ? std::vector<standing>(p.kpis.size()) : standings_of(program_, plan_, crowds_);
        if (!needs_journeys_) return;
        const auto by_contact = [](const journey_span& a, const journey_span& b) { return a.contact < b.contact; };
        journeys_ = journeys;
        if (std::is_sorted(journeys.begin(), journeys.end(), by_contact)) return;
        sorted_ = journeys;
        std::stable_sort(sorted_.begin(), sorted_.end(), by_contact);
        journeys_ = sorted_;
    }

    void contacts(std::vector<kpi_totals>& kpis, const fold_part& part) {
        const auto asks = [](const auto& m) { return m.kind != aggregate::spend && m.kind != aggregate::budget; };
        if (std::none_of(plan_.kpis.begin(), plan_.kpis.end(), [&](const auto& k) { return std::any_of(k.measures.begin(), k.measures.end(), asks); })) return;
        if (!plainly_) passes_.emplace(plan_, program_, history_, span_, kpis, standings_);
        bool all_taken = true;
        for (std::size_t k = 0; k < kpis.size(); ++k) all_taken = all_taken && (taken(k) || std::none_of(kpis[k].plan().measures.begin(), kpis[k].plan().measures.end(), asks));
        journey_ = static_cast<std::size_t>(std::lower_bound(journeys_.begin(), journeys_.end(), part.first, [](const journey_span& j, std::uint32_t c) { return j.contact < c; }) - journeys_.begin());
        earliest_ = end_of_time;
        for (const auto& k : kpis) earliest_ = std::min(earliest_, k.when().earliest());
        for (const auto& c : crowds_)
            if (c->moves) c->moves->prepare(reader_.compiled_ptr(), history_, earliest_, span_.end);
        const auto end = std::min(part.last, static_cast<std::uint32_t>(history_.contacts.size()));
        if (part.next == nullptr) range(kpis, part.first, end, all_taken);
        else for (std::uint32_t first; (first = part.next->fetch_add(part.stride)) < end;) range(kpis, first, std::min(end, first + part.stride), all_taken);
        if (passes_) passes_->finish(kpis, *history_.pool, texts_);
    }

private:
    /// Whether the passes count this KPI, but for contacts who stand apart.
    [[nodiscard]] bool taken(std::size_t kpi) const { return passes_ && passes_->takes(kpi); }
    /// Contacts [first, end).
    void range(std::vector<kpi_totals>& kpis, std::uint32_t first, std::uint32_t end, bool all_taken) {
        const std::uint32_t step = passes_ ? passes_->step() : end;
        while (first < end) {
            const std::uint32_t last = passes_ ? std::min(end, (first / step + 1) * step) : end;
            bool apart = false;
            if (passes_) {
                for (auto* c : passes_->crowds()) {
                    c->gather(first, last - first, [&](std::uint32_t contact) {
                        reader_.load(contact);
                        c->stand(reader_, [&](crowd::known& k) { where(*c, k); });
                    });
                    apart = apart || c->any_apart;
                }
                passes_->count(first, last);
            }
            for (std::uint32_t c = first; c < last && (apart || !all_taken); ++c) {
                open_.clear();
                for (std::size_t k = 0; k < kpis.size(); ++k)
                    if (!taken(k) || standings_[k].of->apart[c - first] != 0) open_.push_back(k);
                if (!open_.empty()) contact(kpis, c);
            }
            first = last;
        }
    }
    /// The KPIs in `open_` of one contact.
    void contact(std::vector<kpi_totals>& kpis, std::uint32_t c) {
        reader_.load(c);
        while (journey_ < journeys_.size() && journeys_[journey_].contact < c) ++journey_;
        const auto first = journey_;
        while (journey_ < journeys_.size() && journeys_[journey_].contact == c) ++journey_;
        keys_.journeys = journeys_.subspan(first, journey_ - first);
        for (const auto& crowd_here : crowds_) {
            if (crowd_here->moves) crowd_here->moves->clear();
            crowd_here->stand(reader_, [&](crowd::known& k) { where(*crowd_here, k); });
        }
        for (const auto k : open_) {
            mine_ = &standings_[k];
            for (std::size_t m = 0; m < kpis[k].plan().measures.size(); ++m) measure(kpis[k], m);
            kpis[k].end_contact();
        }
    }

    // ---- one event, and where it belongs
    const contact_view& look(moment& m) { return keys_.look(m); }
    moment at(const hit& h) { return {h.place, {&reader_.all(h.slot), h.slot, h.index}, false}; }

    bool takes(node_id where, bool looks, moment& m) {
        if (where == none) return true;
        const auto& view = looks ? look(m) : reader_.view();
        return ask(program_, where, view, m.place.at, m.event) == truth::yes;
    }

    /// Whether a `without` holds: no such event with the same key after it, in time; judged at the end of the table.
    bool uncrossed(const compiled_selector& s, const hit& h) {
        if (s.without == none) return true;
        const value key = reader_.all(h.slot).property(s.without_on, h.index);
        if (key.is_missing()) return false;
        const instant deadline = s.without_within ? journeyman::add(h.place.at, *s.without_within, *program_.zone) : end_of_time;
        const auto& other = program_.selectors[s.without];
        for (const auto slot : other.streams) {
            const auto& all = reader_.all(slot);
            for (std::uint32_t i = after(all, h.place); i < all.count; ++i) {
                const position place = all.place(i);
                if (place.at > deadline || place.at >= span_.end) break;
                if (!(all.property(s.without_on, i) == key)) continue;
                moment m = at({place, slot, i});
                if (takes(other.where, true, m)) return false;
            }
        }
        return !s.without_within || deadline < span_.end;
    }
    static std::uint32_t after(const stream_slice& all, position p) {
        std::uint32_t low = 0, high = all.count;
        while (low < high) {
            const auto middle = (low + high) / 2;
            if (all.place(middle) <= p) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// Calls f(hit) for the events of a selector's streams after `from`, in order and before the end of the table, until it says no. Their `where` is not asked.
    template <class F>
    void each(const compiled_selector& s, position from, F f) {
        cursors_.clear();
        for (const auto slot : s.streams) cursors_.push_back(after(reader_.all(slot), from));
        std::vector<std::uint32_t> cursors;
        cursors.swap(cursors_);
        for (;;) {
            std::size_t best = s.streams.size();
            position first{end_of_time, 0};
            for (std::size_t i = 0; i < s.streams.size(); ++i) {
                const auto& all = reader_.all(s.streams[i]);
                if (cursors[i] == all.count) continue;
                if (const position p = all.place(cursors[i]); best == s.streams.size() || p < first) { first = p; best = i; }
            }
            if (best == s.streams.size() || first.at >= span_.end) break;
            if (!f(hit{first, s.streams[best], cursors[best]++})) break;
        }
        cursors_.swap(cursors);
    }
    /// The same stream by stream, and all of them.
    template <class F>
    void each_unordered(const compiled_selector& s, position from, F f) {
        for (const auto slot : s.streams) {
            const auto& all = reader_.all(slot);
            for (std::uint32_t i = after(all, from); i < all.count; ++i) {
                const position p = all.place(i);
                if (p.at >= span_.end) break;
                f(hit{p, slot, i});
            }
        }
    }
    void find_periods(const kpi_totals& k, instant t) {
        periods_here_.clear();
        const auto& when = k.when();
        if (!when.plain()) return when.holding(t, [&](std::uint32_t p) { periods_here_.push_back(p); });
        const std::int64_t at = t.time_since_epoch().count();
        const std::size_t p = when.ending_after(at, 0);
        if (p < when.calendar().size() && at >= when.bounds()[2 * p]) periods_here_.push_back(when.calendar()[p]);
    }
    static position before(instant t) { return t == beginning_of_time ? position{t, 0} : position{t - microseconds{1}, 0xffffffffU}; }

    // ---- contacts in whom scope and cells cannot change
    void where(crowd& c, crowd::known& out) {
        moment now{{beginning_of_time, 0}, {}, true};          // what does not change is seen at once
        out.in_scope = c.asked->scope == none || ask(program_, c.asked->scope, reader_.view(), now.place.at) == truth::yes;
        if (!out.in_scope || c.asked->by.empty()) return;
        for (const auto& key : keys_.find(*c.asked, c.measure, now)) out.cells.push_back(c.number(key));
    }

    // ---- what counts
    void measure(kpi_totals& k, std::size_t index) {
        const auto& m = k.plan().measures[index];
        if (m.a != none) {
            const auto& streams = program_.selectors[m.a].streams;
            if (std::all_of(streams.begin(), streams.end(), [&](auto slot) { return reader_.all(slot).count == 0; })) return;   // of most contacts and rare events
        }
        switch (m.kind) {
            case aggregate::spend:
            case aggregate::budget: return;
            case aggregate::members: members(k, index); return;
            case aggregate::new_:
            case aggregate::starters:
            case aggregate::converted:
            case aggregate::elapsed: firsts(k, index); return;
            default: break;
        }
        const auto& s = program_.selectors[m.a];
        each_unordered(s, before(k.when().earliest()), [&](const hit& h) {
            find_periods(k, h.place.at);
            if (periods_here_.empty()) return;
            moment now = at(h);
            if (!takes(s.where, m.looks, now) || !uncrossed(s, h)) return;
            now.moved = now.moved && s.without == none;
            amount x;
            value account;
            if (m.kind == aggregate::sum) {
                const value v = now.event.property(s.property);
                if (v.is_missing()) return;
                add_value(x, v, m.type);
            } else if (m.kind == aggregate::accounts) {
                account = look(now).attributes[plan_.account].now();
                if (account.is_missing()) return;
            }
            put(k, index, now, [&](totals& t) {
                switch (m.kind) {
                    case aggregate::sum: t.of_contact(index).merge(x); break;
                    case aggregate::contacts: t.of_contact(index).whole = 1; break;
                    case aggregate::accounts: add_account(t.accounts(index), account, k.shape().precision); break;
                    default: ++t.of_contact(index).whole;
                }
            });
        });
    }

    void add_account(account_set& to, const value& account, int precision) {
        if (precision == 0) to.numbers.insert(texts_.number(account, *history_.pool));
        else to.sketch.add(stable_hash{}.add(to_text(account, *history_.pool)).value(), precision);
    }

    void firsts(kpi_totals& k, std::size_t index) {
        const auto& m = k.plan().measures[index];
        const auto& s = program_.selectors[m.a];
        each(s, {beginning_of_time, 0}, [&](const hit& h) {
            moment now = at(h);
            if (!takes(s.where, m.looks, now) || !uncrossed(s, h)) return true;
            now.moved = now.moved && s.without == none;
            find_periods(k, h.place.at);
            if (periods_here_.empty()) return false;
            if (m.kind == aggregate::new_) {
                put(k, index, now, [&](totals& t) { t.of_contact(index).whole = 1; });
                return false;
            }
            const instant deadline = journeyman::add(h.place.at, m.within, *program_.zone);
            if (deadline >= span_.end) {
                put(k, index, now, [](totals& t) { t.immature(); });
                return false;
            }
            if (m.kind == aggregate::starters) {
                put(k, index, now, [&](totals& t) { t.of_contact(index).whole = 1; });
                return false;
            }
            const auto& second = program_.selectors[m.b];
            std::optional<instant> converted;
            each(second, h.place, [&](const hit& b) {
                if (b.place.at > deadline) return false;
                moment then = at(b);
                if (!takes(second.where, m.b_looks, then) || !uncrossed(second, b)) return true;
                converted = b.place.at;
                return false;
            });
            if (!converted) return false;
            now.moved = false;
            const std::int64_t took = (*converted - h.place.at).count();
            put(k, index, now, [&](totals& t) { t.of_contact(index).whole = m.kind == aggregate::elapsed ? took : 1; });
            return false;
        });
    }

    void members(kpi_totals& k, std::size_t index) {
        const auto& all = k.when().all();
        const auto predicate = k.plan().measures[index].predicate;
        const auto* stays_in = plainly_ ? nullptr : &walked(predicate);
        for (std::uint32_t p = 0; p < all.size(); ++p) {
            if (all[p].to <= all[p].from) continue;
            const instant t = all[p].to - microseconds{1};
            if (!reader_.exists(t)) continue;
            moment now{{t, 0xffffffffU}, {}, false};
            if (stays_in != nullptr) {
                const auto at = t.time_since_epoch().count();
                if (std::none_of(stays_in->begin(), stays_in->end(), [&](const stay& s) { return s.entered <= at && at < s.left; })) continue;
            } else if (ask(program_, predicate, look(now), t) != truth::yes) {
                continue;
            }
            periods_here_.assign(1, p);
            put(k, index, now, [&](totals& x) { x.of_contact(index).whole = 1; });
        }
    }
    /// When the contact at hand is in, by `membership`.
    const std::vector<stay>& walked(node_id predicate) {
        auto& w = walks_[predicate];
        if (w.by == nullptr) w.by = std::make_unique<membership_walk>(reader_.compiled_ptr(), history_, predicate, earliest_, span_.end);
        if (const auto contact = reader_.view().contact; w.contact != contact) {
            w.contact = contact;
            w.in.clear();
            w.by->one(contact, w.in);
        }
        return w.in;
    }

    /// Calls f(totals) for the total and the cells of the periods at hand, if scope and campaign say so.
    template <class F>
    void put(kpi_totals& k, std::size_t index, moment& now, F f) {
        const auto& p = k.plan();
        bool cells_known = p.by.empty();
        cells_.clear();
        if (const auto* here = mine_->here()) {
            if (!here->in_scope) return;
            for (const auto key : here->cells) cells_.push_back(mine_->cell(k, key));
            cells_known = true;
        } else if (mine_->of != nullptr && mine_->of->moves) {
            const auto& here_then = stands(*mine_->of, now);
            now.moved = false;                                     // the reader may show another place
            if (!here_then.in_scope) return;
            for (const auto key : here_then.cells) cells_.push_back(cell_with(k, key, now.event));
            if (!mine_->of->properties.empty()) unique_cells();
            cells_known = true;
        } else if (p.scope != none && ask(program_, p.scope, look(now), now.place.at) != truth::yes) {
            return;
        }
        for (const auto period : periods_here_) {
            if (const auto c = k.when().all()[period].campaign; c != no_period && plan_.campaigns[c] != none && ask(program_, plan_.campaigns[c], look(now), now.place.at) != truth::yes) continue;
            if (!cells_known) find_cells(k, index, now);
            cells_known = true;
            f(k.of_contact(0, period));
            for (const auto c : cells_) f(k.of_contact(c, period));
        }
    }

    void find_cells(kpi_totals& k, std::size_t index, moment& now) {
        for (const auto& key : keys_.find(k.plan(), index, now)) cells_.push_back(k.cell(key));
        unique_cells();
    }
    void unique_cells() {
        std::sort(cells_.begin(), cells_.end());
        cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
    }
    /// The cell of a key of the KPI's crowd, with what the event itself has.
    std::uint32_t cell_with(kpi_totals& k, std::uint32_t key, event_ref event) {
        const auto& c = *mine_->of;
        if (c.properties.empty()) return mine_->cell(k, key);
        key_ = c.keys[key];
        for (const auto& [d, slot] : c.properties) key_[d] = event ? texts_.number(event.property(slot), *history_.pool) : 0;
        return mine_->cell(k, key_);
    }
    /// Where the contact stands at a moment, for all KPIs of the crowd.
    const stays::stay& stands(crowd& c, const moment& m) {
        return c.moves->at(reader_, m.place, [&](stays::stay& out, instant t, const std::vector<std::uint8_t>* yes) {
            moment then{{t, 0}, {}, true};                         // what is read is shown
            out.in_scope = yes != nullptr ? (*yes)[0] != 0 : c.asked->scope == none || ask(program_, c.asked->scope, reader_.view(), t) == truth::yes;
            if (!out.in_scope || c.asked->by.empty()) return;
            for (const auto& key : keys_.find(*c.asked, c.measure, then, yes)) out.cells.push_back(c.number(key));
        });
    }

    const plan& plan_;
    const program& program_;
    const history_data& history_;
    const table_span& span_;
    cell_texts& texts_;
    history_reader reader_;
    key_finder keys_;
    std::vector<journey_span> sorted_;         // a copy, where they did not come by contact
    std::span<const journey_span> journeys_;
    std::size_t journey_ = 0;                  // the first that is not of a contact before
    bool needs_journeys_ = false;
    std::vector<std::uint32_t> periods_here_, cells_, cursors_, key_;
    std::vector<std::unique_ptr<crowd>> crowds_;
    std::vector<standing> standings_;          // by KPI
    standing* mine_ = nullptr;
    std::optional<pass_counter> passes_;       // unless plainly
    std::vector<std::size_t> open_;            // the KPIs that the contact at hand is counted for, one event after the other
    bool plainly_ = false;
    struct walk { std::unique_ptr<membership_walk> by; std::uint32_t contact = none; std::vector<stay> in; };
    std::map<node_id, walk> walks_;            // of `members`
    instant earliest_ = end_of_time;           // of all periods
};

}  // namespace

void fold(const kpi_definitions& d, const plan& p, const program_ptr& program, const history_data& h, const std::vector<journey_span>& journeys, const table_span& span, std::vector<kpi_totals>& kpis, cell_texts& texts, fold_part part) {
    folding f{d, p, program, h, journeys, span, texts, part.plainly};
    f.contacts(kpis, part);
    if (part.spend) fold_spend(d, *program, h, span, kpis, texts);
}

}  // namespace journeyman::detail
