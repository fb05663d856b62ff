#include "journeyman/core/error.hpp"

#include <algorithm>
#include <cctype>
#include <ostream>

namespace journeyman {

namespace {

std::string lower(std::string_view s) {
    std::string out{s};
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

/// Optimal string alignment: a swap of neighbours, the commonest slip of the hand, costs one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) next[j] = std::min(next[j], before[j - 2] + 1);
        }
        std::swap(before, row);
        std::swap(row, next);
    }
    return row[b.size()];
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const problem& p) {
    out << (p.severity == severity::error ? "error" : p.severity == severity::warning ? "warning" : "note") << ": ";
    if (!p.place.empty()) out << p.place << ": ";
    return out << p.message << " [" << p.code << "]";
}

std::ostream& operator<<(std::ostream& out, const problems& all) {
    for (const problem& p : all) out << p << '\n';
    return out;
}

std::vector<std::string> nearest_names(std::string_view wanted, const std::vector<std::string>& names) {
    constexpr std::size_t longest = 100;   // what is longer is no name someone typed, and the distance is quadratic
    if (wanted.empty() || wanted.size() > longest) return {};
    const std::string want = lower(wanted);
    const std::size_t limit = std::max<std::size_t>(1, (want.size() + 1) / 3);
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const std::string& name : names) {
        if (name.size() > longest || name.empty()) continue;
        const std::string have = lower(name);
        std::size_t distance = edit_distance(want, have);
        // Half a name ("amount" for "amount_cents") is near too, behind slips of the hand.
        if (distance > limit && want.size() >= 3 && have.size() >= 3 &&
            (have.find(want) != std::string::npos || want.find(have) != std::string::npos)) {
            distance = limit;
        }
        if (distance <= limit) found.emplace_back(distance, name);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<std::string> out;
    for (std::size_t i = 0; i < found.size() && i < 3; ++i) out.push_back(std::move(found[i].second));
    return out;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names) {
    const auto near = nearest_names(wanted, names);
    if (near.empty()) return {};
    std::string out = " Did you mean ";
    for (std::size_t i = 0; i < near.size(); ++i) {
        if (i > 0) out += i + 1 == near.size() ? " or " : ", ";
        out += near[i];
    }
    return out + "?";
}

}  // namespace journeyman
