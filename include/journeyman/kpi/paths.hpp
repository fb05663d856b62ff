#pragma once
// Paths: what comes directly after what, common sequences, what follows or precedes an event.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// A path is the events of a unit in order (T2); it begins at "(start)" and ends at "(end)".
struct path_question {
    std::vector<std::pair<std::string, selector>> events = {};    // name, event: others are not there; none: every event under its own name
    std::string label = {};                                       // an expression about the event that names it instead, such as page; events without it are not there
    std::vector<std::string> unit = {"contact"};
    std::optional<microseconds> gap = {};                         // a longer silence ends a path and begins another
    bool collapse = false;                                        // several of one name in a row are one
    std::optional<instant> from = {}, to = {};                    // both in
    predicate where = {}, audience = {};
    std::size_t most_names = 200;                                 // the most frequent; all others are "(other)"
    compile_context context = {};
    std::optional<schema> known = {};
};

/// The paths of a history, kept as numbers of names; asked many things.
class path_set {
public:
    path_set(const history&, const path_question&);
    [[nodiscard]] std::size_t paths() const { return begins_.size() - 1; }
    /// from, to, transitions, paths, share, median_seconds: directly-follows, the most frequent first; `share` of all that goes out of `from`.
    [[nodiscard]] table transitions() const;
    /// sequence (names joined by " > "), length, occurrences, paths, share: runs of `length` events in a row, the most frequent first; `share` of all paths.
    [[nodiscard]] table sequences(std::size_t length, std::size_t most = 50) const;
    /// step, event, paths, share: what stands `step` events after (negative: before) the first `event` of each path, up to `steps`; "(end)" where the path is over. No event: from the beginning.
    [[nodiscard]] table around(const std::string& event, int steps) const;
    /// step, from, to, paths: the flows of a sankey, each from one place after (or before) the first `event` to the next.
    [[nodiscard]] table flows(const std::string& event, int steps) const;

private:
    struct point {
        std::uint32_t name;
        std::int64_t at;
    };
    std::vector<std::string> names_;                              // 0 "(start)", 1 "(end)", 2 "(other)"
    std::vector<point> points_;
    std::vector<std::size_t> begins_{0};
};

}  // namespace journeyman
