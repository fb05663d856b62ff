#include "kpi/fold.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "journeyman/core/hash.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "kpi/passes.hpp"

namespace journeyman::detail {
namespace {

/// An event of the loaded contact.
struct hit {
    position place;
    std::uint32_t slot = 0, index = 0;
};

struct campaign_span {
    instant from, to;
    node_id where = none;
};

class folding {
public:
    folding(const kpi_definitions& d, const plan& p, const program_ptr& program, const history_data& h, const std::vector<journey_span>& journeys, const table_span& span, cell_texts& texts, bool plainly)
        : defs_{d}, plan_{p}, program_{*program}, history_{h}, span_{span}, texts_{texts}, reader_{program, h} {
        for (std::size_t k = 0; k < d.campaigns.size(); ++k)
            campaigns_.push_back({*written_instant(d.campaigns[k].from, *d.context.zone), *written_instant(d.campaigns[k].to, *d.context.zone), p.campaigns[k]});
        for (const auto& c : d.campaigns) campaign_texts_.push_back(texts.number(c.name));
        for (const auto& s : d.segments) segment_texts_.push_back(texts.number(s));
        for (const auto& k : p.kpis)
            for (const auto& by : k.by) needs_journeys_ = needs_journeys_ || by.kind >= dimension_plan::workflow;
        standings_ = plainly ? std::vector<standing>(p.kpis.size()) : standings_of(program_, plan_, crowds_);
        plainly_ = plainly;
        if (!needs_journeys_) return;
        const auto by_contact = [](const journey_span& a, const journey_span& b) { return a.contact < b.contact; };
        journeys_ = journeys;
        if (std::is_sorted(journeys.begin(), journeys.end(), by_contact)) return;
        sorted_ = journeys;
        std::stable_sort(sorted_.begin(), sorted_.end(), by_contact);
        journeys_ = sorted_;
    }

    void contacts(std::vector<kpi_totals>& kpis, std::uint32_t first_contact, std::uint32_t last_contact) {
        const auto asks = [](const auto& m) { return m.kind != aggregate::spend && m.kind != aggregate::budget; };
        if (std::none_of(plan_.kpis.begin(), plan_.kpis.end(), [&](const auto& k) { return std::any_of(k.measures.begin(), k.measures.end(), asks); })) return;
        std::optional<pass_counter> passes;
        if (!plainly_) passes.emplace(plan_, program_, history_, span_, kpis, standings_);
        const auto taken = [&](std::size_t k) { return passes && passes->takes(k); };
        bool all_taken = true;
        for (std::size_t k = 0; k < kpis.size(); ++k) all_taken = all_taken && (taken(k) || std::none_of(kpis[k].plan().measures.begin(), kpis[k].plan().measures.end(), asks));
        journey_ = static_cast<std::size_t>(std::lower_bound(journeys_.begin(), journeys_.end(), first_contact, [](const journey_span& j, std::uint32_t c) { return j.contact < c; }) - journeys_.begin());
        const auto end = std::min(last_contact, static_cast<std::uint32_t>(history_.contacts.size()));
        const std::uint32_t step = passes ? passes->step() : end;
        for (std::uint32_t first = first_contact; first < end;) {
            const std::uint32_t last = passes ? std::min(end, (first / step + 1) * step) : end;
            bool apart = false;
            if (passes) {
                for (auto* c : passes->crowds()) {
                    c->gather(first, last - first, [&](std::uint32_t contact) {
                        reader_.load(contact);
                        c->stand(reader_, [&](crowd::known& k) { where(*c, k); });
                    });
                    apart = apart || c->any_apart;
                }
                passes->count(first, last);
            }
            for (std::uint32_t c = first; c < last && (apart || !all_taken); ++c) {
                open_.clear();
                for (std::size_t k = 0; k < kpis.size(); ++k)
                    if (!taken(k) || standings_[k].of->apart[c - first] != 0) open_.push_back(k);
                if (!open_.empty()) contact(kpis, c);
            }
            first = last;
        }
        if (passes) passes->finish(kpis, *history_.pool, texts_);
    }

private:
    /// The KPIs in `open_` of one contact.
    void contact(std::vector<kpi_totals>& kpis, std::uint32_t c) {
        reader_.load(c);
        while (journey_ < journeys_.size() && journeys_[journey_].contact < c) ++journey_;
        const auto first = journey_;
        while (journey_ < journeys_.size() && journeys_[journey_].contact == c) ++journey_;
        journeys_here_ = journeys_.subspan(first, journey_ - first);
        for (const auto& crowd_here : crowds_)
            crowd_here->stand(reader_, [&](crowd::known& k) { where(*crowd_here, k); });
        for (const auto k : open_) {
            mine_ = &standings_[k];
            for (std::size_t m = 0; m < kpis[k].plan().measures.size(); ++m) measure(kpis[k], m);
            kpis[k].end_contact();
        }
    }

    // ---- one event, and where it belongs
    /// The view at a place, moved there only when something asks for it.
    struct moment {
        position place;
        event_ref event;
        bool moved = false;
    };
    const contact_view& look(moment& m) {
        if (!m.moved) reader_.see(m.place);
        m.moved = true;
        return reader_.view();
    }
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
    static position before(instant t) { return t == beginning_of_time ? position{t, 0} : position{t - microseconds{1}, 0xffffffffU}; }

    // ---- contacts in whom scope and cells cannot change
    void where(crowd& c, crowd::known& out) {
        moment now{{beginning_of_time, 0}, {}, true};          // what does not change is seen at once
        out.in_scope = c.asked->scope == none || ask(program_, c.asked->scope, reader_.view(), now.place.at) == truth::yes;
        if (!out.in_scope || c.asked->by.empty()) return;
        find_keys(*c.asked, c.measure, now);
        for (const auto& key : keys_) out.cells.push_back(c.number(key));
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
        each(s, before(k.when().earliest()), [&](const hit& h) {
            periods_here_.clear();
            k.when().holding(h.place.at, [&](std::uint32_t p) { periods_here_.push_back(p); });
            if (periods_here_.empty()) return true;
            moment now = at(h);
            if (!takes(s.where, m.looks, now) || !uncrossed(s, h)) return true;
            now.moved = now.moved && s.without == none;
            amount x;
            value account;
            if (m.kind == aggregate::sum) {
                const value v = now.event.property(s.property);
                if (v.is_missing()) return true;
                add_value(x, v, m.type);
            } else if (m.kind == aggregate::accounts) {
                account = look(now).attributes[plan_.account].now();
                if (account.is_missing()) return true;
            }
            put(k, index, now, [&](totals& t) {
                switch (m.kind) {
                    case aggregate::sum: t.of_contact(index).merge(x); break;
                    case aggregate::contacts: t.of_contact(index).whole = 1; break;
                    case aggregate::accounts: add_account(t.accounts(index), account, k.shape().precision); break;
                    default: ++t.of_contact(index).whole;
                }
            });
            return true;
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
            periods_here_.clear();
            k.when().holding(h.place.at, [&](std::uint32_t p) { periods_here_.push_back(p); });
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
        for (std::uint32_t p = 0; p < all.size(); ++p) {
            if (all[p].to <= all[p].from) continue;
            const instant t = all[p].to - microseconds{1};
            if (!reader_.exists(t)) continue;
            moment now{{t, 0xffffffffU}, {}, false};
            if (ask(program_, k.plan().measures[index].predicate, look(now), t) != truth::yes) continue;
            periods_here_.assign(1, p);
            put(k, index, now, [&](totals& x) { x.of_contact(index).whole = 1; });
        }
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
        } else if (p.scope != none && ask(program_, p.scope, look(now), now.place.at) != truth::yes) {
            return;
        }
        for (const auto period : periods_here_) {
            if (const auto c = k.when().all()[period].campaign; c != no_period && campaigns_[c].where != none && ask(program_, campaigns_[c].where, look(now), now.place.at) != truth::yes) continue;
            if (!cells_known) find_cells(k, index, now);
            cells_known = true;
            f(k.of_contact(0, period));
            for (const auto c : cells_) f(k.of_contact(c, period));
        }
    }

    // ---- dimensions
    void find_cells(kpi_totals& k, std::size_t index, moment& now) {
        find_keys(k.plan(), index, now);
        for (auto& key : keys_) cells_.push_back(k.cell(std::move(key)));
        std::sort(cells_.begin(), cells_.end());
        cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
    }
    /// Into `keys_`: all combinations.
    void find_keys(const kpi_plan& p, std::size_t index, moment& now) {
        const auto& pool = *history_.pool;
        keys_.assign(1, std::vector<std::uint32_t>(p.by.size(), 0));
        bool journeys_done = false;
        for (std::size_t d = 0; d < p.by.size(); ++d) {
            const auto& by = p.by[d];
            values_.clear();
            switch (by.kind) {
                case dimension_plan::attribute: values_.push_back(texts_.number(look(now).attributes[by.slot].now(), pool)); break;
                case dimension_plan::property: values_.push_back(now.event ? texts_.number(now.event.property(by.slot), pool) : 0); break;
                case dimension_plan::value: {
                    instant next = end_of_time;
                    values_.push_back(texts_.number(evaluate(program_, p.measures[index].dimensions[d], look(now), now.place.at, next, now.event), pool));
                    break;
                }
                case dimension_plan::segment:
                    for (std::size_t s = 0; s < plan_.segments.size(); ++s)
                        if (ask(program_, plan_.segments[s], look(now), now.place.at) == truth::yes) values_.push_back(segment_texts_[s]);
                    break;
                case dimension_plan::campaign:
                    for (std::size_t c = 0; c < campaigns_.size(); ++c)
                        if (now.place.at >= campaigns_[c].from && now.place.at < campaigns_[c].to && (campaigns_[c].where == none || ask(program_, campaigns_[c].where, look(now), now.place.at) == truth::yes)) values_.push_back(campaign_texts_[c]);
                    break;
                default:
                    if (const auto own = acting(now, by.slot); !own.is_missing()) {
                        values_.push_back(texts_.number(own, pool));
                        break;
                    }
                    if (!std::exchange(journeys_done, true)) by_journey(p, now.place);
                    continue;
            }
            if (values_.empty()) values_.push_back(0);
            const std::size_t before = keys_.size();
            for (std::size_t v = 0; v < values_.size(); ++v)
                for (std::size_t i = 0; i < before; ++i) {
                    if (v + 1 < values_.size()) keys_.push_back(keys_[i]);
                    auto& key = v + 1 < values_.size() ? keys_.back() : keys_[i];
                    key[d] = values_[v];
                }
        }
    }
    /// An action is of the journey that took it, whatever else runs.
    [[nodiscard]] value acting(const moment& now, std::uint32_t property) const { return now.event && program_.streams[now.event.slot] == "$action" ? now.event.property(property) : value{}; }
    /// Workflow, version and step come from one journey together.
    void by_journey(const kpi_plan& p, position place) {
        std::vector<std::vector<std::uint32_t>> out;
        const auto base = keys_;
        for (const auto& j : journeys_here_) {
            if (j.from > place || place > j.to) continue;
            for (auto key : base) {
                for (std::size_t d = 0; d < p.by.size(); ++d) {
                    if (p.by[d].kind == dimension_plan::workflow) key[d] = name(j.workflow);
                    if (p.by[d].kind == dimension_plan::version) key[d] = name(j.version);
                    if (p.by[d].kind == dimension_plan::step) key[d] = name(j.step);
                }
                out.push_back(std::move(key));
            }
        }
        if (!out.empty()) keys_ = std::move(out);
    }
    /// Names of a run stand where they stand: each is looked up once.
    std::uint32_t name(std::string_view n) {
        const auto [it, fresh] = names_.try_emplace({n.data(), n.size()}, 0);
        if (fresh) it->second = texts_.number(std::string{n});
        return it->second;
    }

    const kpi_definitions& defs_;
    const plan& plan_;
    const program& program_;
    const history_data& history_;
    const table_span& span_;
    cell_texts& texts_;
    history_reader reader_;
    std::vector<campaign_span> campaigns_;
    std::vector<std::uint32_t> campaign_texts_, segment_texts_;
    std::vector<journey_span> sorted_;                     // a copy, where they did not come by contact
    std::span<const journey_span> journeys_, journeys_here_;
    std::size_t journey_ = 0;                              // the first that is not of a contact before
    std::map<std::pair<const char*, std::size_t>, std::uint32_t> names_;
    bool needs_journeys_ = false;
    std::vector<std::uint32_t> periods_here_, cells_, values_, cursors_;
    std::vector<std::vector<std::uint32_t>> keys_;
    std::vector<std::unique_ptr<crowd>> crowds_;
    std::vector<standing> standings_;          // by KPI
    standing* mine_ = nullptr;
    std::vector<std::size_t> open_;            // the KPIs that the contact at hand is counted for, one event after the other
    bool plainly_ = false;
};

}  // namespace

void fold(const kpi_definitions& d, const plan& p, const program_ptr& program, const history_data& h, const std::vector<journey_span>& journeys, const table_span& span, std::vector<kpi_totals>& kpis, cell_texts& texts, fold_part part) {
    folding f{d, p, program, h, journeys, span, texts, part.plainly};
    f.contacts(kpis, part.first, part.last);
    if (part.spend) fold_spend(d, *program, h, span, kpis, texts);
}

}  // namespace journeyman::detail
