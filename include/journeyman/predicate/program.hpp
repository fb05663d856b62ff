#pragma once
// Predicates made ready to run: names resolved to slots, literals typed, everything of one playbook in one program.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/core/zone.hpp"
#include "journeyman/history/schema.hpp"
#include "journeyman/predicate/expression.hpp"

namespace journeyman {

using node_id = std::uint32_t;
using selector_id = std::uint32_t;
inline constexpr std::uint32_t none = 0xffffffffU;

/// A regular expression in bounded time; made by src/ (RE2).
class text_matcher {
public:
    virtual ~text_matcher() = default;
    [[nodiscard]] virtual bool found_in(std::string_view text) const = 0;
};

/// Time zones by their interned names, each looked up once; safe for threads.
class zone_lookup {
public:
    virtual ~zone_lookup() = default;
    /// Null for a name that is no zone.
    [[nodiscard]] virtual const time_zone* find(text_id name) const = 0;
};

/// One node of a program. `type` is its static type.
struct compiled_node {
    node_kind kind = node_kind::literal;
    journeyman::function function{};
    journeyman::aggregate aggregate{};
    value_type type = value_type::missing;
    value constant;                         // literal; for a list literal its list_id when all are texts
    length span;                            // a duration literal with months; sequence: within
    std::uint32_t slot = none;              // attribute slot, property slot, first selector, segment's node, unit
    std::uint32_t slots = 0;                // sequence: how many selectors, from `slot`
    std::uint32_t args = 0, count = 0;      // into program::arguments
    std::shared_ptr<const text_matcher> matcher;
};

struct compiled_window {
    window_kind kind = window_kind::all;
    length last;
    node_id from = none, to = none;
    calendar_unit unit = calendar_unit::day;
    std::uint32_t step = none;
};

struct compiled_selector {
    std::vector<std::uint32_t> streams;     // slots; several for a prefix
    std::uint32_t property = none;          // property slot
    value_type property_type = value_type::missing;
    node_id where = none;
    selector_id without = none;
    std::uint32_t without_on = none;        // property slot
    std::optional<length> without_within;
    compiled_window window;
    /// Whether the stream slot is one of ours.
    [[nodiscard]] bool listens(std::uint32_t slot) const {
        for (const auto s : streams) if (s == slot) return true;
        return false;
    }
};

struct attribute_ref {
    bool of_account = false;
    std::string name;
    value_type type = value_type::missing;
};

/// Compiled expressions and the slots they need. Immutable, shared by threads.
struct program {
    text_pool_ptr pool;
    zone_ptr zone;                           // the playbook's
    week_start weeks = week_start::monday;
    std::shared_ptr<const zone_lookup> zones;
    std::vector<compiled_node> nodes;
    std::vector<node_id> arguments;
    std::vector<compiled_selector> selectors;
    std::vector<std::string> streams;        // event names, by stream slot
    std::vector<text_id> stream_texts;       // the same, interned
    std::vector<std::string> properties;     // names, by property slot
    std::vector<attribute_ref> attributes;   // by attribute slot
    std::uint32_t timezone = none;           // attribute slot of the contact's `timezone`, and of its account's
    std::uint32_t account_timezone = none;
    bool uses_id = false;

    [[nodiscard]] std::uint32_t stream_slot(std::string_view name) const {
        for (std::uint32_t i = 0; i < streams.size(); ++i) if (streams[i] == name) return i;
        return none;
    }
    [[nodiscard]] std::uint32_t property_slot(std::string_view name) const {
        for (std::uint32_t i = 0; i < properties.size(); ++i) if (properties[i] == name) return i;
        return none;
    }
    [[nodiscard]] std::uint32_t attribute_slot(bool of_account, std::string_view name) const {
        for (std::uint32_t i = 0; i < attributes.size(); ++i) if (attributes[i].of_account == of_account && attributes[i].name == name) return i;
        return none;
    }
};
using program_ptr = std::shared_ptr<const program>;

/// What the names of a definition mean, besides the schema.
struct compile_context {
    zone_ptr zone = utc();
    week_start weeks = week_start::monday;
    std::map<std::string, expression, std::less<>> segments;     // for segment("x")
    std::map<std::string, expression, std::less<>> consent;      // for consent("email"): channel → predicate; a channel not there needs none
};

/// Scope of one workflow: allows `since entry`, `since step("x")`, `trigger.x`.
struct workflow_scope {
    std::vector<std::string> steps;                 // slot k is steps[k]
    std::vector<std::string> trigger_events;        // event names of the trigger, for the types of trigger.x; empty: any
};

/// Type-checks and compiles; everything of one playbook goes through one compiler, so that slots are shared.
/// Problems are collected, not thrown: what does not compile is `none`.
class compiler {
public:
    compiler(schema known, text_pool_ptr pool, compile_context context = {});
    ~compiler();
    compiler(const compiler&) = delete;
    compiler& operator=(const compiler&) = delete;

    /// `place` is the path in the definition ("segments.vip.where"); a place in the text is added to it.
    /// Codes: type.mismatch, type.not_a_predicate, name.unknown (with the nearest names), segment.circle, segment.unknown, predicate.window, predicate.scope …; an event never seen is a warning, name.event.
    node_id add_predicate(const expression&, const std::string& place = {});
    /// Any type; `wanted` other than missing converts literals and checks.
    node_id add_expression(const expression&, const std::string& place = {}, value_type wanted = value_type::missing);
    selector_id add_selector(const selector_data&, const std::string& place = {});
    /// An expression about an event of this selector (a dimension, a `with` about the trigger): bare names are the event's properties.
    node_id add_event_expression(const expression&, selector_id about, const std::string& place = {});
    /// Slots without an expression: an event the driver must see, an attribute it sets.
    std::uint32_t add_stream(std::string_view event);
    std::uint32_t add_attribute(bool of_account, std::string_view name, value_type type);
    std::uint32_t add_property(std::string_view name);
    /// Ids of contacts are needed (splits, keys).
    void use_id();
    /// Contact-local time is needed (waits, quiet hours): the `timezone` attributes get slots.
    void use_local_time();

    void enter(workflow_scope);      // until leave()
    void leave();

    [[nodiscard]] value_type type_of(node_id) const;
    [[nodiscard]] const problems& found() const;
    [[nodiscard]] const schema& known() const;
    text_pool& pool();
    /// The program; the compiler can go on adding afterwards and finish again (slots stay).
    [[nodiscard]] program_ptr finish() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// What the type check finds in one predicate: errors, and warnings such as an event never seen.
problems check(const expression&, const schema&, text_pool_ptr, const compile_context& = {});
/// One predicate against a schema, or throws the first error found.
std::pair<program_ptr, node_id> compile(const expression&, const schema&, text_pool_ptr, const compile_context& = {});

}  // namespace journeyman
