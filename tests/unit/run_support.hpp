#pragma once
// Replays in tests: small histories in, lines of text out.

#include <sstream>
#include <string>
#include <vector>

#include "journeyman/history/builder.hpp"
#include "journeyman/run/replay.hpp"

namespace support {

namespace jm = journeyman;

inline const jm::instant t0 = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + std::chrono::hours{9};

inline jm::workflow_definitions with(std::vector<jm::workflow> w)
{
    jm::workflow_definitions d;
    d.workflows = std::move(w);
    return d;
}

/// The columns named, a line a row; missing is "-".
inline std::string lines(const jm::table& t, const std::vector<std::string>& columns)
{
    std::ostringstream out;
    for (std::size_t r = 0; r < t.rows(); ++r) {
        for (const auto& c : columns) out << (&c == columns.data() ? "" : " ") << (t.column(c).present(r) ? jm::to_text(t.column(c).at(r)) : "-");
        out << '\n';
    }
    return out.str();
}
inline std::string actions(const jm::run& r) { return lines(r.actions(), {"contact_id", "step", "at", "status", "reason"}); }
inline std::string journeys(const jm::run& r) { return lines(r.journeys(), {"contact_id", "left_at", "outcome", "at_step"}); }

inline std::string error_of(const jm::workflow_definitions& d, const jm::history& h, const jm::run_options& o = {})
{
    try {
        jm::replay(d, h, o);
    } catch (const jm::error& e) {
        return e.code() + " at " + e.place();
    }
    return "";
}

}  // namespace support
