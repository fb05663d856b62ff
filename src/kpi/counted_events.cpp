#include "kpi/counted_events.hpp"

#include <algorithm>
#include <utility>

namespace journeyman::detail {

std::size_t counted_events::add(const selector& s, const std::string& place) {
    // A property is read from the events, not counted; that there is one is checked where it would be asked for.
    auto events = s.data();
    if (!events.property.empty()) add_expression(s.last(std::exchange(events.property, {})), place);
    counts_.push_back(sound([&] { return compiler_.add_expression(selector{events}.count(), place); }));
    selectors_.push_back(sound([&] { return compiler_.add_selector(events, place); }));
    events_.emplace_back();
    return counts_.size() - 1;
}

expression dimension_of(const std::string& text, const schema& known) {
    const bool property = std::any_of(known.events.begin(), known.events.end(), [&](const auto& e) { return e.second.contains(text); });
    const bool attribute = !property && known.contact.contains(text);
    return attribute ? attr(text) : expression::parse(text, bare_names::property);
}

node_id counted_events::add_dimension(const std::string& text, std::size_t about, const std::string& place) {
    const auto e = dimension_of(text, compiler_.known());
    return sound([&] { return compiler_.add_event_expression(e, selectors_[about], place); });
}

void counted_events::gather() {
    const auto& view = reader_->see(until_);
    for (std::size_t s = 0; s < counts_.size(); ++s) {
        events_[s].clear();
        each_counted(*program_, counts_[s], view, until_, [&](event_ref e, instant) { events_[s].push_back(e); });
    }
}

std::string joined(const std::vector<value>& values, const text_pool& pool) {
    std::string out;
    for (const auto& v : values) {
        if (&v != &values.front()) out += " · ";
        out += v.is_missing() ? "(missing)" : to_text(v, pool);
    }
    return out;
}

std::uint32_t group_numbers::number(const std::string& text) { return numbers_.try_emplace(text, static_cast<std::uint32_t>(numbers_.size())).first->second; }

std::pair<std::vector<std::string>, std::vector<std::uint32_t>> group_numbers::sorted() const {
    std::pair<std::vector<std::string>, std::vector<std::uint32_t>> out;
    out.second.resize(numbers_.size());
    for (const auto& [text, n] : numbers_) {
        out.second[n] = static_cast<std::uint32_t>(out.first.size());
        out.first.push_back(text);
    }
    return out;
}

instant end_of(const history& h, std::optional<instant> until) {
    if (until) return *until;
    const auto span = h.data().span();
    if (!span) throw error{"input.instant", "until", "the history holds no instant, so it has no end; give `until`"};
    return span->second;
}

}  // namespace journeyman::detail
