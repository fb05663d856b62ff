#pragma once
// KPIs counted over a part of the contacts: a state that is saved, taken elsewhere, merged with the others, and read. Exactly what one pass over all of them gives.

#include <memory>
#include <string>
#include <string_view>

#include "journeyman/kpi/report.hpp"

namespace journeyman {

namespace detail { struct counted; }

/// A value. Bytes that a version wrote are read by all later ones.
class kpi_state {
public:
    /// Of nothing: merging gives the other.
    kpi_state();
    explicit kpi_state(std::shared_ptr<const detail::counted> c) : counted_{std::move(c)} {}

    /// Throws `kpi.state` for what is no such bytes, was cut off or was changed.
    static kpi_state from_bytes(std::string_view);
    /// The same bytes for the same totals, however they were split and in whatever order they were merged.
    [[nodiscard]] std::string to_bytes() const;

    /// Of other contacts, by the same definitions, from the same `start` to the same `end`: else throws `kpi.state`. Each row of spend belongs to one of the parts alone.
    void merge(const kpi_state&);

    /// The playbook it was counted by, as JSON; empty where it was counted without one.
    [[nodiscard]] const std::string& definitions() const;
    [[nodiscard]] const std::shared_ptr<const detail::counted>& counted() const { return counted_; }
    friend bool operator==(const kpi_state& a, const kpi_state& b) { return a.to_bytes() == b.to_bytes(); }

private:
    std::shared_ptr<const detail::counted> counted_;
};

/// The pass of `compute_kpis`, without its table. Parts must be counted from one `start` to one `end`: without them those of the part are taken.
kpi_state count_kpis(const kpi_definitions&, const history& h, const std::vector<journey_span>& journeys, const kpi_options&, std::string definitions = {});
/// The table. The definitions must be those it was counted by (`kpi.state` where they are not).
kpi_report report_kpis(const kpi_definitions&, const kpi_state&, double level = 0.95);

}  // namespace journeyman
