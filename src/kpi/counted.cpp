#include "kpi/counted.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>

#include "history/tasks.hpp"
#include "predicate/kernels.hpp"

namespace journeyman::detail {
namespace {

/// How many contacts exist one microsecond before each of these.
void find_existing(const history_data& h, std::map<instant, std::int64_t>& ends) {
    constexpr std::size_t block = 4096;
    std::uint64_t bits[block / 64];
    for (auto& [end, n] : ends) n = h.exists_from.empty() || end.time_since_epoch().count() > h.all_exist_from ? static_cast<std::int64_t>(h.contacts.size()) : 0;
    for (std::size_t first = 0; first < h.exists_from.size(); first += block) {
        const std::size_t some = std::min(block, h.exists_from.size() - first);
        for (auto& [end, n] : ends) {
            if (end.time_since_epoch().count() > h.all_exist_from) continue;
            best_kernels().between_64(h.exists_from.data() + first, some, std::numeric_limits<std::int64_t>::min(), end.time_since_epoch().count() - 1, bits);
            n += static_cast<std::int64_t>(best_kernels().count(bits, (some + 63) / 64));
        }
    }
}

/// The totals of some contacts, and the texts they are numbered by.
struct part {
    std::vector<kpi_totals> kpis;
    cell_texts texts;
};

}  // namespace

counted count(const kpi_definitions& d, const history& h, const std::vector<journey_span>& journeys, const kpi_options& o) {
    const auto& data = h.data();
    schema known = data.schema;
    for (const auto& [name, type] : d.types) known.declare(name, type);
    auto& columns = known.events[spend_stream];
    for (const auto& [name, column] : data.spend.columns) columns.emplace(name, column.type());
    columns.emplace("amount", data.spend.amount.type());

    compiler c{std::move(known), data.pool, d.context};
    problems found;
    const plan p = make_plan(d, c, o, found);
    found.throw_first_error();
    const auto program = c.finish();

    counted out;
    out.span = span_of(h.span(), o);
    std::vector<kpi_totals> empty;
    std::map<instant, std::int64_t> exist;
    for (const auto& k : p.kpis) {
        counted_kpi kpi{k.written->name, {}, k.shape, {}, {}, nullptr};
        for (const auto& by : k.by) kpi.by.push_back(by.name);
        if (out.span) {
            empty.emplace_back(k, periods{*k.written, d.campaigns, *out.span, *d.context.zone, d.context.weeks});
            kpi.when = empty.back().when().all();
            for (const auto& when : kpi.when) exist[when.to] = 0;
        }
        kpi.totals = std::make_unique<cell_totals>(*kpi.shape, kpi.when.size());
        out.kpis.push_back(std::move(kpi));
    }
    if (!out.span) return out;
    find_existing(data, exist);
    for (auto& k : out.kpis)
        for (const auto& when : k.when) k.contacts.push_back(exist.at(when.to));

    // Each thread takes some contacts after the other. Merging is exact, so who took which does not show.
    const auto threads = thread_count(o.threads);
    const std::size_t contacts = data.contacts.size(), count = std::clamp<std::size_t>(contacts, 1, threads);
    const std::size_t stride = contacts / count < contacts_at_once ? contacts / count + 1 : std::max<std::size_t>(contacts / (count * 8) / contacts_at_once, 1) * contacts_at_once;
    std::vector<part> parts(count);
    std::atomic<std::uint32_t> next{0};
    share(count, threads, [&](std::size_t k) {
        for (const auto& e : empty) parts[k].kpis.emplace_back(e.plan(), e.when());
        fold_part taken{.spend = k == 0};
        if (count > 1) {
            taken.next = &next;
            taken.stride = static_cast<std::uint32_t>(stride);
        }
        fold(d, p, program, data, journeys, *out.span, parts[k].kpis, parts[k].texts, taken);
    });
    for (auto& from : parts) {
        const auto numbers = out.texts.take(from.texts);
        for (std::size_t k = 0; k < out.kpis.size(); ++k) out.kpis[k].totals->merge(from.kpis[k], numbers);
    }
    return out;
}

}  // namespace journeyman::detail
