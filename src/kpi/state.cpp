#include "journeyman/kpi/state.hpp"

#include <algorithm>

#include "kpi/counted.hpp"
#include "kpi/state_bytes.hpp"

namespace journeyman {
namespace detail {
namespace {

[[noreturn]] void refuse(const std::string& place, std::string message) { throw error{"kpi.state", place, std::move(message)}; }

/// Of the same KPIs from the same start to the same end, or says what differs.
void check_alike(const counted& a, const counted& b) {
    if (a.definitions != b.definitions) refuse("", "these states were counted by different playbooks; count all parts by one");
    if (a.span.has_value() != b.span.has_value() || (a.span && (a.span->begin != b.span->begin || a.span->end != b.span->end)))
        refuse("", "these states were counted from or to different instants; give every part the same `start` and `end`");
    if (a.kpis.size() != b.kpis.size()) refuse("", "these states hold different KPIs; count all parts with the same options");
    for (std::size_t k = 0; k < a.kpis.size(); ++k) {
        const auto &x = a.kpis[k], &y = b.kpis[k];
        const std::string place = "kpis." + x.name;
        if (x.name != y.name || x.by != y.by) refuse(place, "these states hold different KPIs or dimensions; count all parts with the same options");
        if (!(*x.shape == *y.shape)) refuse(place, "the parts do not agree on the type of a property, or on how accounts are counted; declare the type in the playbook's `types`, and use the same options");
        const auto same = [](const period& p, const period& q) { return p.from == q.from && p.to == q.to; };
        if (!std::equal(x.when.begin(), x.when.end(), y.when.begin(), y.when.end(), same)) refuse(place, "these states were counted by different rules of the time zone; count them again");
    }
}

void add(counted& to, const counted& from) {
    const auto numbers = to.texts.take(from.texts);
    for (std::size_t k = 0; k < to.kpis.size(); ++k) {
        to.kpis[k].totals->merge(*from.kpis[k].totals, numbers);
        for (std::size_t p = 0; p < to.kpis[k].contacts.size(); ++p) to.kpis[k].contacts[p] += from.kpis[k].contacts[p];
    }
    if (to.span && from.span && from.span->first) to.span->first = to.span->first ? std::min(*to.span->first, *from.span->first) : from.span->first;
}

}  // namespace
}  // namespace detail

kpi_state::kpi_state() : counted_{std::make_shared<const detail::counted>()} {}

void kpi_state::merge(const kpi_state& o) {
    if (o.counted_->kpis.empty()) return;
    if (counted_->kpis.empty()) {
        counted_ = o.counted_;
        return;
    }
    detail::check_alike(*counted_, *o.counted_);
    auto sum = std::make_shared<detail::counted>();
    sum->definitions = counted_->definitions;
    sum->span = counted_->span;
    for (const auto& k : counted_->kpis) {
        sum->kpis.push_back({k.name, k.by, k.shape, k.when, std::vector<std::int64_t>(k.when.size(), 0), nullptr});
        sum->kpis.back().totals = std::make_unique<detail::cell_totals>(*k.shape, k.when.size());
    }
    detail::add(*sum, *counted_);
    detail::add(*sum, *o.counted_);
    counted_ = std::move(sum);
}

const std::string& kpi_state::definitions() const { return counted_->definitions; }

std::string kpi_state::to_bytes() const { return detail::state_writer{}.write(*counted_); }
kpi_state kpi_state::from_bytes(std::string_view bytes) { return kpi_state{std::make_shared<const detail::counted>(detail::state_reader{bytes}.read())}; }

kpi_state count_kpis(const kpi_definitions& d, const history& h, const std::vector<journey_span>& journeys, const kpi_options& o, std::string definitions) {
    auto c = std::make_shared<detail::counted>(detail::count(d, h, journeys, o));
    c->definitions = std::move(definitions);
    return kpi_state{std::move(c)};
}

}  // namespace journeyman
