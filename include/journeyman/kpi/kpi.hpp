#pragma once
// KPI definitions as values: arithmetic over measures, with period, scope, direction, target and the actions that improve it.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "journeyman/predicate/expression.hpp"

namespace journeyman {

enum class kpi_period : std::uint8_t { day, week, month, quarter, year, campaign };
enum class kpi_direction : std::uint8_t { up, down };

// For `kpi(…).every(month)`.
inline constexpr kpi_period every_campaign = kpi_period::campaign;

/// A change against another period: `{change: 0.25, from: previous | last_year | {start, end}}`.
struct relative_target {
    double change = 0;
    enum from_t { previous, last_year, span } from = previous;
    std::string start, end;                                  // span, as written (instants or days)
    friend bool operator==(const relative_target&, const relative_target&) = default;
};

struct improvement {
    std::string action, workflow;                            // workflow may be empty
    friend bool operator==(const improvement&, const improvement&) = default;
};

/// One KPI. The members are the keys of the written form (design §6); the functions build it in code.
class kpi {
public:
    kpi() = default;
    kpi(std::string kpi_name, expression kpi_value) : name{std::move(kpi_name)}, value{std::move(kpi_value)} {}

    std::string name, title, unit;
    expression value;
    bool proportion = false;                                 // kind: proportion
    std::string scope;                                       // a segment's name, or empty
    std::optional<kpi_period> period;                        // `every`; a KPI without one is refused by the check
    std::optional<kpi_direction> direction;
    std::variant<std::monostate, double, relative_target> target;
    std::vector<expression> by;                              // a bare name is a dimension of the playbook first
    std::vector<improvement> improve;

    kpi every(calendar_unit u) const { kpi k = *this; k.period = static_cast<kpi_period>(u); return k; }
    kpi every(kpi_period p) const { kpi k = *this; k.period = p; return k; }
    kpi up() const { kpi k = *this; k.direction = kpi_direction::up; return k; }
    kpi down() const { kpi k = *this; k.direction = kpi_direction::down; return k; }
    kpi in(std::string segment) const { kpi k = *this; k.scope = std::move(segment); return k; }
    kpi aim(double t) const { kpi k = *this; k.target = t; return k; }
    kpi aim(relative_target t) const { kpi k = *this; k.target = std::move(t); return k; }
    kpi broken_down_by(std::vector<expression> dimensions) const { kpi k = *this; k.by = std::move(dimensions); return k; }
    kpi improved_by(std::string action, std::string workflow = {}) const { kpi k = *this; k.improve.push_back({std::move(action), std::move(workflow)}); return k; }
};

struct campaign {
    std::string name, title, channel;
    std::string from, to;                                    // as written: instants with a zone, or days in the playbook's zone
    std::optional<double> budget;
    predicate where;
};

/// A dimension: read about the contact at the event that counts; for spend the named column.
struct dimension {
    std::string name;
    expression value;
    std::string spend;
};

inline constexpr calendar_unit month = calendar_unit::month, week = calendar_unit::week, quarter = calendar_unit::quarter, year = calendar_unit::year;

bool equals(const kpi&, const kpi&);
bool equals(const campaign&, const campaign&);
bool equals(const dimension&, const dimension&);

}  // namespace journeyman
