#pragma once
// Short ways to say what a table holds.

#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>
#include <string>

#include "journeyman/history/builder.hpp"

namespace history_test {

inline journeyman::instant at(std::string_view s) {
    journeyman::parsed_instant p;
    if (!journeyman::parse_instant(s, p)) throw std::invalid_argument{std::string{s}};   // also called before main
    return p.at;
}
inline std::int64_t us(std::string_view s) { return at(s).time_since_epoch().count(); }
inline std::string csv(const journeyman::table& t) {
    std::ostringstream out;
    t.write_csv(out);
    return out.str();
}
/// "events 2 no contact_id: x; …"
inline std::string rejected(const journeyman::history& h) {
    std::string out;
    for (const auto& r : h.data().rejected) out += (out.empty() ? "" : "; ") + r.table + " " + std::to_string(r.row) + " " + r.reason + (r.example.empty() ? "" : ": " + r.example);
    return out;
}

}  // namespace history_test
