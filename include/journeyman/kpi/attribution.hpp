#pragma once
// Which channel earned it: credit for conversions from the paths of touches before them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journeyman/core/table.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/program.hpp"

namespace journeyman {

/// Paths by column, one after the other: path k has the touches begins[k] to begins[k + 1]. Each was walked `converted` + `lost` times.
struct touch_columns {
    std::span<const std::uint32_t> touches;                  // channel numbers
    std::span<const std::uint32_t> begins;                   // paths + 1
    std::span<const double> converted, lost;                 // by path; empty: 1, and 0
    std::span<const double> value = {};                      // of all conversions of the path together; empty: none
    std::span<const double> age = {};                        // by touch: how long before the conversion; for time decay
    std::size_t channels = 0;
    [[nodiscard]] std::size_t paths() const { return begins.empty() ? 0 : begins.size() - 1; }
};

enum class attribution_rule : std::uint8_t { first, last, linear, position, time_decay, last_but };
struct rule_options {
    attribution_rule rule = attribution_rule::last;
    double first_share = 0.4, last_share = 0.4;              // position: the rest is shared by those between; two touches share by these alone
    double half_life = 7;                                    // time_decay, in the unit of `age`: a touch weighs 2^(-age / half_life)
    std::optional<std::uint32_t> but = {};                   // last_but: the last touch that is not of this channel, else the last
};
/// By channel.
struct channel_credit {
    std::vector<double> conversions, value;                  // value is empty where paths have none
};
/// Errors of all here: `attribution.columns` for columns that do not fit each other; time decay needs `age`.
channel_credit rule_credit(const touch_columns&, const rule_options&);

struct markov_result {
    double p = 0, observed = 0;                              // the chance to convert, by the chain and as counted: of one chain fitted to all paths they are the same
    std::size_t states = 0;
    std::vector<double> removal;                             // by channel: 1 - p without it / p; every move into it is lost
    channel_credit credit;                                   // all conversions, shared in proportion to `removal`
};
/// An absorbing Markov chain of this order over start, channels, conversion and loss (Anderl, Becker, von Wangenheim and Schumann, 2016): a state is the last `order` touches, a repeated touch
/// a move to itself. Solved exactly, as linear equations (Kemeny and Snell, 1960), not simulated. Errors: `attribution.order` for an order of 0 or above 5.
markov_result markov_credit(const touch_columns&, std::size_t order = 1);

/// Exact Shapley values (1953) of `players` from the worth of each coalition: worth[mask], the bits being who takes part; worth[0] is taken as 0. At most 24 players.
std::vector<double> shapley(std::span<const double> worth, std::size_t players);

struct shapley_result {
    std::vector<double> credit, standard_error;              // standard errors of 0: exact
    bool exact = true;
};
enum class coalition_worth : std::uint8_t { conversions, rate };
struct shapley_options {
    coalition_worth worth = coalition_worth::conversions;    // of the paths whose channels are all in the coalition: their conversions, or conversions / (conversions + losses)
    std::size_t exact_up_to = 15;                            // channels; with more, orders are drawn
    std::size_t orders = 10'000;
    std::uint64_t seed = 0;
};
/// At most 64 channels (`attribution.channels`).
shapley_result shapley_credit(const touch_columns&, const shapley_options& = {});

// ---- from a history
struct attribution_question {
    selector touch;                                          // its property is the channel; without one the event's name is
    selector conversion;                                     // its property is the value, if it has one
    std::optional<length> within = {};                       // a touch counts for a conversion up to so long after it, the end included; nothing: for ever
    std::optional<instant> until = {};                       // known up to here, included; default: the last instant of the history
    expression who = {};                                     // only contacts for whom this is yes at `until`; empty: all
    compile_context context = {};
};
/// Each touch counts for the first conversion after it, if that comes within the window; a path ends at its conversion. Touches that led to none are lost paths, parted where a gap is longer
/// than the window; one whose window is still open at `until` is neither: `open` counts them.
struct touch_paths {
    std::vector<std::string> channels;                       // sorted; "(missing)" for a touch without the property
    std::vector<std::uint32_t> touches, begins{0}, contacts; // contacts: by path
    std::vector<double> converted, lost, value, age;         // age in days
    double unattributed = 0, open = 0;                       // conversions without a touch before them, and open paths
    [[nodiscard]] touch_columns columns() const { return {touches, begins, converted, lost, value, age, channels.size()}; }
    /// channel, touches, paths, conversions (of paths it stands in), losses; of paths as often as they were walked.
    [[nodiscard]] table counts() const;
    /// [contact_id], path, converted, lost, [value]: the channels of a path joined by " > ".
    [[nodiscard]] table to_table(const history*) const;
};
touch_paths touch_paths_of(const history&, const attribution_question&);

}  // namespace journeyman
