// Zones from the system's tzdata, through Howard Hinnant's date.

#include "journeyman/core/zone.hpp"

#ifndef USE_OS_TZDB
#define USE_OS_TZDB 1   // how Debian's library is built; CMake's target says the same
#endif
#include <date/tz.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>

#include "core/posix_rule.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman {

namespace {

using date_seconds = date::sys_seconds;

std::string zoneinfo_file(const std::string& name) {
    for (const char* folder : {"/usr/share/zoneinfo/", "/usr/share/lib/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/"}) {
        if (std::ifstream{folder + name}) return folder + name;
    }
    return {};
}

/// The rule for all later years that ends a TZif file ("CET-1CEST,M3.5.0,M10.5.0/3", RFC 8536). date reads only the listed
/// transitions, and Debian's files list them up to 2037.
std::string last_rule(const std::string& name) {
    std::ifstream in{zoneinfo_file(name), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    if (bytes.size() < 2 || bytes.back() != '\n') return {};
    const auto from = bytes.rfind('\n', bytes.size() - 2);
    return from == std::string::npos ? std::string{} : bytes.substr(from + 1, bytes.size() - from - 2);
}

void push(std::vector<time_zone::change>& out, date_seconds from, std::chrono::seconds offset) {
    if (out.back().offset != offset) out.push_back({instant{from.time_since_epoch()}, offset});
}

zone_ptr read_zone(const std::string& name) {
    const date::time_zone* source = date::locate_zone(name);
    using namespace date::literals;
    const date_seconds first = date::sys_days{1900_y / 1 / 1}, last = date::sys_days{2101_y / 1 / 1};
    auto piece = source->get_info(first);
    std::vector<time_zone::change> out{{beginning_of_time, piece.offset}};
    date_seconds listed = first;
    while (piece.end < last) {
        listed = piece.end;
        piece = source->get_info(piece.end);
        push(out, listed, piece.offset);
    }
    if (const auto rule = posix_rule::parse(last_rule(name))) {
        for (int year = 1900; year <= 2100; ++year) {
            for (const auto& [at, offset] : rule->changes(year)) {
                if (at > instant{listed.time_since_epoch()} && offset != out.back().offset) out.push_back({at, offset});
            }
        }
    }
    return std::make_shared<const time_zone>(name, std::move(out));
}

std::vector<std::string> zone_names() {
    std::vector<std::string> out;
    for (const auto& z : date::get_tzdb().zones) out.push_back(z.name());
    return out;
}

class zone_cache {
public:
    /// Null when the name is unknown; throws when there is no tzdata at all.
    zone_ptr get(std::string_view name) {
        if (name == "UTC") return utc();
        const std::lock_guard lock{mutex_};
        if (const auto it = zones_.find(name); it != zones_.end()) return it->second;
        try {
            (void)date::get_tzdb();
        } catch (const std::exception& e) {
            throw error{"time.tzdata", std::string{name}, std::string{"the time zones of this machine cannot be read ("} + e.what() + "); install the package tzdata, so that /usr/share/zoneinfo is there"};
        }
        zone_ptr zone;
        try {
            zone = read_zone(std::string{name});
        } catch (const std::exception&) {
            zone = nullptr;
        }
        // Names come from data too: unknown ones are kept only while they are few.
        if (zone != nullptr || zones_.size() < 4096) zones_.emplace(std::string{name}, zone);
        return zone;
    }

private:
    std::mutex mutex_;
    std::map<std::string, zone_ptr, std::less<>> zones_;
};

zone_cache& cache() {
    static zone_cache zones;
    return zones;
}

}  // namespace

zone_ptr load_zone(std::string_view iana_name) {
    if (zone_ptr zone = cache().get(iana_name)) return zone;
    throw error{"time.zone", std::string{iana_name}, "no time zone is called '" + std::string{iana_name} + "'; use an IANA name such as Europe/Rome." + did_you_mean(iana_name, zone_names())};
}

zone_ptr find_zone(std::string_view iana_name) noexcept {
    try {
        return cache().get(iana_name);
    } catch (...) {
        return nullptr;
    }
}

}  // namespace journeyman
