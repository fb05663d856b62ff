#include "kpi/keys.hpp"

#include <utility>

#include "journeyman/predicate/evaluate.hpp"

namespace journeyman::detail {

key_finder::key_finder(const kpi_definitions& d, const plan& p, history_reader& reader, const text_pool& pool, cell_texts& texts) : plan_{p}, reader_{reader}, pool_{pool}, texts_{texts} {
    for (const auto& c : d.campaigns) campaigns_.push_back({*written_instant(c.from, *d.context.zone), *written_instant(c.to, *d.context.zone), texts.number(c.name)});
    for (const auto& s : d.segments) segment_texts_.push_back(texts.number(s));
}

const std::vector<std::vector<std::uint32_t>>& key_finder::find(const kpi_plan& p, std::size_t index, moment& now, const std::vector<std::uint8_t>* in_segments) {
    const auto& program = reader_.compiled();
    keys_.assign(1, std::vector<std::uint32_t>(p.by.size(), 0));
    bool journeys_done = false;
    for (std::size_t d = 0; d < p.by.size(); ++d) {
        const auto& by = p.by[d];
        values_.clear();
        switch (by.kind) {
            case dimension_plan::attribute: values_.push_back(texts_.number(look(now).attributes[by.slot].now(), pool_)); break;
            case dimension_plan::property: values_.push_back(now.event ? texts_.number(now.event.property(by.slot), pool_) : 0); break;
            case dimension_plan::value: {
                instant next = end_of_time;
                values_.push_back(texts_.number(evaluate(program, p.measures[index].dimensions[d], look(now), now.place.at, next, now.event), pool_));
                break;
            }
            case dimension_plan::segment:
                for (std::size_t s = 0; s < plan_.segments.size(); ++s)
                    if (in_segments != nullptr ? (*in_segments)[s + 1] != 0 : ask(program, plan_.segments[s], look(now), now.place.at) == truth::yes) values_.push_back(segment_texts_[s]);
                break;
            case dimension_plan::campaign:
                for (std::size_t c = 0; c < campaigns_.size(); ++c)
                    if (now.place.at >= campaigns_[c].from && now.place.at < campaigns_[c].to && (plan_.campaigns[c] == none || ask(program, plan_.campaigns[c], look(now), now.place.at) == truth::yes)) values_.push_back(campaigns_[c].text);
                break;
            default:
                if (const auto own = acting(now, by.slot); !own.is_missing()) {
                    values_.push_back(texts_.number(own, pool_));
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
    return keys_;
}

/// Workflow, version and step come from one journey together.
void key_finder::by_journey(const kpi_plan& p, position place) {
    std::vector<std::vector<std::uint32_t>> out;
    const auto base = keys_;
    for (const auto& j : journeys) {
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

value key_finder::acting(const moment& now, std::uint32_t property) const { return now.event && reader_.compiled().streams[now.event.slot] == "$action" ? now.event.property(property) : value{}; }

std::uint32_t key_finder::name(std::string_view n) {
    const auto [it, fresh] = names_.try_emplace({n.data(), n.size()}, 0);
    if (fresh) it->second = texts_.number(std::string{n});
    return it->second;
}

}  // namespace journeyman::detail
