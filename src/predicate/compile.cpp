// The type check: names to slots, literals to the types they meet, and every problem with its place.

#include <re2/re2.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "journeyman/predicate/program.hpp"

namespace journeyman {
namespace {

class re2_matcher final : public text_matcher {
public:
    explicit re2_matcher(const std::string& pattern) : re_{pattern, RE2::Quiet} {}
    [[nodiscard]] bool ok() const { return re_.ok(); }
    [[nodiscard]] const std::string& why() const { return re_.error(); }
    [[nodiscard]] bool found_in(std::string_view text) const override { return RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, re_); }

private:
    RE2 re_;
};

class cached_zones final : public zone_lookup {
public:
    explicit cached_zones(text_pool_ptr pool) : pool_{std::move(pool)} {}
    [[nodiscard]] const time_zone* find(text_id name) const override {
        const std::lock_guard lock{mutex_};
        auto [it, fresh] = known_.try_emplace(static_cast<std::uint32_t>(name));
        if (fresh) it->second = find_zone(pool_->view(name));
        return it->second.get();
    }

private:
    text_pool_ptr pool_;
    mutable std::mutex mutex_;
    mutable std::unordered_map<std::uint32_t, zone_ptr> known_;
};

bool comparable(value_type a, value_type b) {
    if (a == value_type::missing || b == value_type::missing || a == b) return true;
    if (is_number(a) && is_number(b)) return true;
    return (a == value_type::day && b == value_type::instant) || (a == value_type::instant && b == value_type::day);
}

}  // namespace

struct compiler::impl {
    schema known;
    compile_context context;
    program out;
    problems found;
    std::string place;                                   // of the definition being compiled
    std::optional<workflow_scope> scope;
    std::vector<std::vector<std::string>> about;         // events whose properties bare names are, innermost last
    std::map<std::string, node_id, std::less<>> segments;
    std::vector<std::string> open_segments;

    struct stop {};                                      // this expression cannot be compiled; its problem is recorded

    [[noreturn]] void fail(std::string code, source_place at, std::string message) {
        std::string where = place;
        if (at.line != 0) where += (where.empty() ? "" : ":") + std::to_string(at.line) + ":" + std::to_string(at.column);
        found.add({std::move(code), std::move(where), std::move(message), severity::error});
        throw stop{};
    }
    static std::string said(value_type t) { return std::string{to_string(t)}; }

    std::uint32_t stream_slot(std::string_view name) {
        if (const auto s = out.stream_slot(name); s != none) return s;
        out.streams.emplace_back(name);
        out.stream_texts.push_back(out.pool->intern(name));
        return static_cast<std::uint32_t>(out.streams.size() - 1);
    }
    std::uint32_t property_slot(std::string_view name) {
        if (const auto s = out.property_slot(name); s != none) return s;
        out.properties.emplace_back(name);
        return static_cast<std::uint32_t>(out.properties.size() - 1);
    }
    std::uint32_t attribute_slot(bool of_account, std::string_view name, value_type type) {
        if (const auto s = out.attribute_slot(of_account, name); s != none) return s;
        out.attributes.push_back({of_account, std::string{name}, type});
        const auto slot = static_cast<std::uint32_t>(out.attributes.size() - 1);
        if (of_account) attribute_slot(false, "account_id", value_type::text);
        return slot;
    }
    node_id put(compiled_node n, const std::vector<node_id>& args = {}) {
        n.args = static_cast<std::uint32_t>(out.arguments.size());
        n.count = static_cast<std::uint32_t>(args.size());
        out.arguments.insert(out.arguments.end(), args.begin(), args.end());
        out.nodes.push_back(std::move(n));
        return static_cast<node_id>(out.nodes.size() - 1);
    }
    value_type type(node_id n) const { return out.nodes[n].type; }

    // A text literal becomes the day or the instant it is written as, where one is expected.
    void convert(node_id n, value_type wanted, source_place at) {
        auto& c = out.nodes[n];
        if (c.kind != node_kind::literal || c.type != value_type::text || (wanted != value_type::day && wanted != value_type::instant)) return;
        const std::string text{out.pool->view(c.constant.as_text())};
        day d;
        parsed_instant i;
        if (parse_day(text, d)) {
            c.constant = wanted == value_type::day ? value::of(d) : value::of(start_of(d, *context.zone));
        } else if (parse_instant(text, i)) {
            if (!i.had_zone) fail("type.instant", at, "\"" + text + "\" is an instant without a zone; write it with Z or an offset, such as \"2026-01-31T09:00:00Z\"");
            c.constant = value::of(i.at);
        } else {
            fail("type.mismatch", at, "\"" + text + "\" is no " + said(wanted) + "; write \"2026-01-31\" or \"2026-01-31T09:00:00Z\"");
        }
        out.nodes[n].type = out.nodes[n].constant.type;
    }
    /// A literal of calendar months. (The span of a `sequence` is another thing.)
    [[nodiscard]] bool is_calendar(node_id n) const { return out.nodes[n].kind == node_kind::literal && out.nodes[n].span.months != 0; }
    void meet(node_id a, node_id b, source_place at, std::string_view doing) {
        convert(b, type(a), at);
        convert(a, type(b), at);
        for (const auto n : {a, b})
            if (is_calendar(n)) fail("type.length", at, "a calendar length has no fixed duration and cannot be compared; use d, h, m or s, or add it to an instant");
        if (!comparable(type(a), type(b))) fail("type.mismatch", at, "cannot " + std::string{doing} + " " + said(type(a)) + " with " + said(type(b)));
    }
    void want(node_id n, value_type wanted, source_place at, std::string_view by) {
        convert(n, wanted, at);
        const auto t = type(n);
        if (t == value_type::missing || t == wanted || (is_number(t) && is_number(wanted))) return;
        fail("type.mismatch", at, std::string{by} + " needs " + said(wanted) + ", this is " + said(t));
    }

    // ---- names
    std::vector<std::string> events_of(const selector_data& s) {
        std::vector<std::string> names;
        if (!s.prefix) {
            names.push_back(s.event);
            if (!known.events.contains(s.event) && !s.event.starts_with('$')) warn_event(s);
        } else {
            for (const auto& [name, _] : known.events)
                if (name.starts_with(s.event) && (!name.starts_with('$') || s.event.starts_with('$'))) names.push_back(name);
            for (const auto& name : out.streams)
                if (name.starts_with(s.event) && !name.starts_with('$') && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
            std::sort(names.begin(), names.end());
            if (names.empty() && !s.is_any()) warn_event(s);
        }
        return names;
    }
    void warn_event(const selector_data& s) {
        std::string where = place;
        if (s.place.line != 0) where += (where.empty() ? "" : ":") + std::to_string(s.place.line) + ":" + std::to_string(s.place.column);
        found.add({"name.event", std::move(where), "no event \"" + s.event + (s.prefix ? "*" : "") + "\" was ever seen." + did_you_mean(s.event, known.event_names()), severity::warning});
    }
    value_type property_type(const std::vector<std::string>& events, const std::string& name, source_place at) {
        value_type t = value_type::missing;
        bool seen = false, any_event = false;
        std::vector<std::string> names;
        for (const auto& e : events) {
            const auto it = known.events.find(e);
            if (it == known.events.end()) continue;
            any_event = true;
            for (const auto& [p, _] : it->second) names.push_back(p);
            const auto p = it->second.find(name);
            if (p == it->second.end()) continue;
            if (seen && t != p->second) {
                if (!is_number(t) || !is_number(p->second)) fail("type.mismatch", at, "property \"" + name + "\" is " + said(t) + " in one event and " + said(p->second) + " in another");
                t = value_type::decimal;
            } else t = p->second;
            seen = true;
        }
        if (!seen && any_event && events.size() == 1 && !events[0].starts_with('$') && !names.empty())
            fail("name.unknown", at, "no event \"" + events[0] + "\" has a property \"" + name + "\"." + did_you_mean(name, names));
        return t;
    }
    node_id attribute(bool of_account, const std::string& name, source_place at) {
        const auto& names = of_account ? known.account : known.contact;
        const auto it = names.find(name);
        if (it == names.end())
            fail("name.unknown", at, std::string{"no "} + (of_account ? "account" : "contact") + " has an attribute \"" + name + "\"." + did_you_mean((of_account ? "account." : "") + name, known.attribute_names()) + " Declare it under `types` if it is to come.");
        compiled_node n;
        n.kind = of_account ? node_kind::account_attribute : node_kind::attribute;
        n.type = it->second;
        n.slot = attribute_slot(of_account, name, it->second);
        return put(n);
    }

    // ---- selectors
    /// `order.completed.total`: the event is the shortest name that is known, the rest its property.
    selector_data resolved(selector_data s) const {
        if (s.prefix || s.property.empty() || known.events.contains(s.event)) return s;
        const std::string whole = s.event + "." + s.property;
        for (auto dot = whole.find('.', s.event.size() + 1); dot != whole.npos; dot = whole.find('.', dot + 1))
            if (known.events.contains(std::string_view{whole}.substr(0, dot))) { s.event = whole.substr(0, dot); s.property = whole.substr(dot + 1); break; }
        return s;
    }
    selector_id selector(const selector_data& given) {
        const selector_data s = resolved(given);
        const auto names = events_of(s);
        compiled_selector c;
        for (const auto& n : names) c.streams.push_back(stream_slot(n));
        about.push_back(names);
        if (!s.property.empty()) {
            c.property = property_slot(s.property);
            c.property_type = property_type(names, s.property, s.place);
        }
        if (!s.where.empty()) c.where = yes_no(s.where);
        about.pop_back();
        if (s.without) {
            c.without = selector(*s.without);
            c.without_on = property_slot(s.without_on);
            c.without_within = s.without_within;
            if (c.without_within && !c.without_within->is_positive()) fail("predicate.window", s.place, "`within` needs a positive length");
        }
        c.window = window(s.window, s.place);
        out.selectors.push_back(std::move(c));
        return static_cast<selector_id>(out.selectors.size() - 1);
    }
    compiled_window window(const journeyman::window& w, source_place at) {
        compiled_window c;
        c.kind = w.kind;
        c.last = w.last;
        c.unit = w.unit;
        if (w.kind == window_kind::last && !w.last.is_positive()) fail("predicate.window", at, "a window needs a positive length, such as `last 30d`");
        const auto end = [&](const expression& e) {
            if (e.empty()) return none;
            const node_id n = compile(e);
            if (type(n) != value_type::day) convert(n, value_type::instant, e->place);
            if (type(n) != value_type::instant && type(n) != value_type::day && type(n) != value_type::missing) fail("type.mismatch", e->place, "a window is bounded by instants or days, this is " + said(type(n)));
            return n;
        };
        c.from = end(w.from);
        c.to = end(w.to);
        if (w.kind == window_kind::between && out.nodes[c.from].kind == node_kind::literal && out.nodes[c.to].kind == node_kind::literal && out.nodes[c.to].constant.i <= out.nodes[c.from].constant.i)
            fail("predicate.window", at, "this window ends before it begins");
        if (w.kind == window_kind::since_entry || w.kind == window_kind::since_step) {
            if (!scope) fail("predicate.scope", at, "`since entry` and `since step` are for workflows; here there is no journey");
            if (w.kind == window_kind::since_step) {
                const auto it = std::find(scope->steps.begin(), scope->steps.end(), w.step);
                if (it == scope->steps.end()) fail("name.unknown", at, "this workflow has no step \"" + w.step + "\"." + did_you_mean(w.step, scope->steps));
                c.step = static_cast<std::uint32_t>(it - scope->steps.begin());
            }
        }
        return c;
    }

    node_id yes_no(const expression& e) {
        const node_id n = compile(e);
        if (type(n) != value_type::boolean && type(n) != value_type::missing)
            fail("type.not_a_predicate", e->place, "a yes/no question is expected here, `" + e.to_text() + "` is " + said(type(n)) + "; compare it with something");
        return n;
    }

    node_id compile(const expression& e) {
        const node& n = *e;
        compiled_node c;
        c.kind = n.kind;
        c.function = n.function;
        c.aggregate = n.aggregate;
        const auto arg = [&](std::size_t k) { return compile(n.args[k]); };
        switch (n.kind) {
            case node_kind::literal:
                if (const auto* l = std::get_if<length>(&n.value)) {
                    c.type = value_type::duration;
                    c.span = *l;
                    c.constant = value::of(l->fixed);
                } else {
                    c.constant = intern(n.value, *out.pool);
                    c.type = c.constant.type;
                }
                return put(c);
            case node_kind::list: {
                std::vector<node_id> args;
                std::vector<text_id> texts;
                for (const auto& a : n.args) {
                    args.push_back(compile(a));
                    if (type(args.back()) == value_type::text) texts.push_back(out.nodes[args.back()].constant.as_text());
                }
                c.type = value_type::text_list;
                if (texts.size() == args.size()) c.constant = value::of(out.pool->intern_list(texts));
                return put(c, args);
            }
            case node_kind::attribute: return attribute(false, n.name, n.place);
            case node_kind::account_attribute: return attribute(true, n.name, n.place);
            case node_kind::property:
                if (about.empty()) fail("predicate.scope", n.place, "`" + n.name + "` is read of an event, but there is none here");
                c.slot = property_slot(n.name);
                c.type = property_type(about.back(), n.name, n.place);
                return put(c);
            case node_kind::event_time:
            case node_kind::event_name:
                if (about.empty()) fail("predicate.scope", n.place, "`event.time` and `event.name` belong in a `where`");
                c.type = n.kind == node_kind::event_time ? value_type::instant : value_type::text;
                return put(c);
            case node_kind::trigger_property:
                if (!scope) fail("predicate.scope", n.place, "`trigger." + n.name + "` is for workflows; here nothing was triggered");
                c.slot = property_slot(n.name);
                c.type = scope->trigger_events.empty() ? value_type::missing : property_type(scope->trigger_events, n.name, n.place);
                return put(c);
            case node_kind::now: c.type = value_type::instant; return put(c);
            case node_kind::not_: { c.type = value_type::boolean; const auto a = yes_no(n.args[0]); return put(c, {a}); }
            case node_kind::and_:
            case node_kind::or_: {
                std::vector<node_id> args;
                for (const auto& a : n.args) args.push_back(yes_no(a));
                c.type = value_type::boolean;
                return put(c, args);
            }
            case node_kind::negate: {
                const auto a = arg(0);
                if (!is_number(type(a)) && type(a) != value_type::duration && type(a) != value_type::missing) fail("type.mismatch", n.place, "cannot negate " + said(type(a)));
                c.type = type(a);
                return put(c, {a});
            }
            case node_kind::add:
            case node_kind::subtract:
            case node_kind::multiply:
            case node_kind::divide: return arithmetic(n, c);
            case node_kind::equal: case node_kind::not_equal: case node_kind::less: case node_kind::less_equal: case node_kind::greater: case node_kind::greater_equal: {
                const auto a = arg(0), b = arg(1);
                meet(a, b, n.place, "compare");
                c.type = value_type::boolean;
                return put(c, {a, b});
            }
            case node_kind::between: {
                const auto x = arg(0), a = arg(1), b = arg(2);
                meet(x, a, n.place, "compare");
                meet(x, b, n.place, "compare");
                c.type = value_type::boolean;
                return put(c, {x, a, b});
            }
            case node_kind::in:
            case node_kind::not_in: {
                const auto x = arg(0), l = arg(1);
                if (out.nodes[l].kind == node_kind::list) {
                    const auto items = out.nodes[l];
                    for (std::uint32_t k = 0; k < items.count; ++k) meet(x, out.arguments[items.args + k], n.place, "compare");
                } else if (type(l) != value_type::text_list && type(l) != value_type::missing) fail("type.mismatch", n.place, "`in` needs a list, this is " + said(type(l)));
                c.type = value_type::boolean;
                return put(c, {x, l});
            }
            case node_kind::contains: case node_kind::has_any: case node_kind::has_all: case node_kind::starts_with: case node_kind::ends_with: case node_kind::matches: return text_test(n, c);
            case node_kind::call: return function_call(n, c);
            case node_kind::aggregate: return aggregated(n, c);
        }
        return none;
    }
    node_id arithmetic(const node& n, compiled_node c) {
        const auto a = compile(n.args[0]), b = compile(n.args[1]);
        const auto x = type(a), y = type(b);
        const bool calendar = is_calendar(b);
        const auto wrong = [&] { fail("type.mismatch", n.place, "cannot combine " + said(x) + " and " + said(y) + " here"); };
        if (is_calendar(a) || (calendar && n.kind != node_kind::add && n.kind != node_kind::subtract)) fail("type.length", n.place, "a calendar length can only be added to or taken from an instant or a day, on the right: `x + 1mo`");
        const bool add = n.kind == node_kind::add, sum = add || n.kind == node_kind::subtract;
        const auto moment = [](value_type t) { return t == value_type::day || t == value_type::instant; };
        if (x == value_type::missing || y == value_type::missing) c.type = moment(x) && sum ? (y == value_type::missing && !add ? value_type::missing : x) : value_type::missing;
        else if (is_number(x) && is_number(y)) c.type = n.kind != node_kind::divide && x == y && (sum || x == value_type::integer) ? x : value_type::decimal;
        else if (sum && moment(x) && y == value_type::duration) c.type = x == value_type::day && out.nodes[b].kind == node_kind::literal && (calendar || out.nodes[b].constant.i % 86'400'000'000 == 0) ? value_type::day : value_type::instant;
        else if (add && x == value_type::duration && moment(y)) c.type = value_type::instant;
        else if (n.kind == node_kind::subtract && moment(x) && moment(y)) c.type = value_type::duration;
        else if (sum && x == value_type::duration && y == value_type::duration) c.type = value_type::duration;
        else if (n.kind == node_kind::multiply && ((x == value_type::duration && is_number(y)) || (is_number(x) && y == value_type::duration))) c.type = value_type::duration;
        else if (n.kind == node_kind::divide && x == value_type::duration && is_number(y)) c.type = value_type::duration;
        else if (n.kind == node_kind::divide && x == value_type::duration && y == value_type::duration) c.type = value_type::decimal;
        else wrong();
        if (calendar && !moment(x) && x != value_type::missing) wrong();
        return put(c, {a, b});
    }
    node_id text_test(const node& n, compiled_node c) {
        const auto a = compile(n.args[0]), b = compile(n.args[1]);
        const auto x = type(a), y = type(b);
        c.type = value_type::boolean;
        const bool list = x == value_type::text_list;
        const auto bad = [&](const char* need) { fail("type.mismatch", n.place, std::string{"needs "} + need + ", this is " + said(x) + " and " + said(y)); };
        if (n.kind == node_kind::has_any || n.kind == node_kind::has_all) {
            if ((!list && x != value_type::missing) || (y != value_type::text_list && y != value_type::missing)) bad("a list and a list");
        } else if (n.kind == node_kind::contains && list) {
            if (y != value_type::text && y != value_type::missing) bad("a list and a text");
        } else if ((x != value_type::text && x != value_type::missing) || (y != value_type::text && y != value_type::missing)) bad("text and text");
        if (n.kind == node_kind::matches) {
            if (out.nodes[b].kind != node_kind::literal) fail("predicate.pattern", n.place, "`matches` needs a pattern written out");
            auto m = std::make_shared<re2_matcher>(std::string{out.pool->view(out.nodes[b].constant.as_text())});
            if (!m->ok()) fail("predicate.pattern", n.place, "this is no regular expression: " + m->why());
            c.matcher = std::move(m);
        }
        return put(c, {a, b});
    }
    node_id function_call(const node& n, compiled_node c) {
        const auto name = std::string{to_string(n.function)};
        const auto need = [&](std::size_t least, std::size_t most) {
            if (n.args.size() < least || n.args.size() > most) fail("predicate.arguments", n.place, "`" + name + "` takes " + std::to_string(least) + (most > least ? " or more" : "") + " arguments, here are " + std::to_string(n.args.size()));
        };
        const auto text = [&](std::size_t k) {
            const auto* s = n.args[k].empty() ? nullptr : std::get_if<std::string>(&n.args[k]->value);
            if (s == nullptr || n.args[k]->kind != node_kind::literal) fail("predicate.arguments", n.place, "`" + name + "` takes a text, such as " + name + "(\"x\")");
            return *s;
        };
        c.type = value_type::boolean;
        switch (n.function) {
            case function::exists:
            case function::missing: { need(1, 1); const auto a = compile(n.args[0]); return put(c, {a}); }
            case function::segment: need(1, 1); c.slot = segment(text(0), n.place); return put(c);
            case function::consent: {
                need(1, 1);
                if (const auto it = context.consent.find(text(0)); it != context.consent.end()) {
                    const auto saved = std::move(about);
                    about.clear();
                    c.slot = yes_no(it->second);
                    about = saved;
                }
                return put(c);
            }
            case function::first_ever: {
                need(1, 1);
                if (about.empty()) fail("predicate.scope", n.place, "`first_ever` belongs in a `where`");
                for (const auto& [e, _] : known.events) if (!e.starts_with('$')) stream_slot(e);
                const auto a = yes_no(n.args[0]);
                return put(c, {a});
            }
            case function::bucket: need(1, 1); out.uses_id = true; c.constant = value::of(out.pool->intern(text(0))); c.type = value_type::decimal; return put(c);
            case function::changed_time: {
                need(1, 1);
                const auto a = compile(n.args[0]);
                if (out.nodes[a].kind != node_kind::attribute && out.nodes[a].kind != node_kind::account_attribute) fail("predicate.arguments", n.place, "`changed_time` takes an attribute");
                c.slot = out.nodes[a].slot;
                c.type = value_type::instant;
                return put(c, {a});
            }
            case function::coalesce: {
                need(1, 1000);
                std::vector<node_id> args;
                for (const auto& a : n.args) args.push_back(compile(a));
                for (const auto a : args) if (type(a) != value_type::missing) { c.type = type(a); break; }
                for (const auto a : args) meet(args[0], a, n.place, "mix");
                for (const auto a : args) if (is_number(c.type) && type(a) != c.type) c.type = value_type::decimal;
                return put(c, args);
            }
            case function::if_: {
                need(3, 3);
                const auto p = yes_no(n.args[0]), a = compile(n.args[1]), b = compile(n.args[2]);
                meet(a, b, n.place, "mix");
                c.type = type(a) == type(b) ? type(a) : is_number(type(a)) && is_number(type(b)) ? value_type::decimal : type(a) == value_type::missing ? type(b) : type(a);
                return put(c, {p, a, b});
            }
            case function::start_of: {
                need(2, 2);
                static constexpr std::pair<std::string_view, calendar_unit> units[] = {{"day", calendar_unit::day}, {"week", calendar_unit::week}, {"month", calendar_unit::month}, {"quarter", calendar_unit::quarter}, {"year", calendar_unit::year}};
                const auto unit = text(0);
                for (const auto& [u, v] : units) if (u == unit) c.slot = static_cast<std::uint32_t>(v);
                if (c.slot == none) fail("predicate.arguments", n.place, "`start_of` takes day, week, month, quarter or year");
                const auto a = compile(n.args[1]);
                if (type(a) != value_type::day) want(a, value_type::instant, n.place, "`start_of`");
                c.type = type(a);
                return put(c, {a});
            }
            case function::anniversary: {
                need(1, 1);
                const auto a = compile(n.args[0]);
                if (type(a) != value_type::instant) want(a, value_type::day, n.place, "`anniversary`");
                c.type = value_type::day;
                return put(c, {a});
            }
            case function::lower: case function::upper: { need(1, 1); const auto a = compile(n.args[0]); want(a, value_type::text, n.place, "`" + name + "`"); c.type = value_type::text; return put(c, {a}); }
            case function::length: { need(1, 1); const auto a = compile(n.args[0]); if (type(a) != value_type::text_list) want(a, value_type::text, n.place, "`length`"); c.type = value_type::integer; return put(c, {a}); }
            case function::abs: { need(1, 1); const auto a = compile(n.args[0]); if (type(a) != value_type::duration) want(a, value_type::decimal, n.place, "`abs`"); c.type = type(a); return put(c, {a}); }
            case function::round: { need(1, 1); const auto a = compile(n.args[0]); want(a, value_type::decimal, n.place, "`round`"); c.type = value_type::integer; return put(c, {a}); }
            case function::year: case function::month: case function::day: case function::weekday: case function::hour: {
                need(1, 1);
                const auto a = compile(n.args[0]);
                if (type(a) != value_type::day) want(a, value_type::instant, n.place, "`" + name + "`");
                local_time();
                c.type = value_type::integer;
                return put(c, {a});
            }
        }
        return none;
    }
    void local_time() {
        if (known.contact.contains("timezone")) out.timezone = attribute_slot(false, "timezone", value_type::text);
        if (known.account.contains("timezone")) out.account_timezone = attribute_slot(true, "timezone", value_type::text);
    }
    node_id segment(const std::string& name, source_place at) {
        if (const auto it = segments.find(name); it != segments.end()) return it->second;
        if (std::find(open_segments.begin(), open_segments.end(), name) != open_segments.end()) {
            std::string path;
            for (auto it = std::find(open_segments.begin(), open_segments.end(), name); it != open_segments.end(); ++it) path += *it + " → ";
            fail("segment.circle", at, "segments refer to each other in a circle: " + path + name);
        }
        const auto it = context.segments.find(name);
        if (it == context.segments.end()) {
            std::vector<std::string> names;
            for (const auto& [k, _] : context.segments) names.push_back(k);
            fail("segment.unknown", at, "there is no segment \"" + name + "\"." + did_you_mean(name, names));
        }
        open_segments.push_back(name);
        const auto saved = std::move(about);
        const auto saved_scope = std::move(scope);
        about.clear();
        scope.reset();
        node_id n = none;
        try { n = yes_no(it->second); } catch (stop&) { open_segments.pop_back(); about = saved; scope = saved_scope; throw; }
        open_segments.pop_back();
        about = saved;
        scope = saved_scope;
        return segments[name] = n;
    }
    node_id aggregated(const node& n, compiled_node c) {
        if (n.aggregate > aggregate::sequence) fail("predicate.scope", n.place, "`" + std::string{to_string(n.aggregate)} + "` is a measure of KPIs, not part of a predicate");
        std::vector<selector_id> ids;
        for (const auto& s : n.selectors) ids.push_back(selector(s));
        if (n.aggregate == aggregate::sequence) {          // selectors must stand together
            c.slot = static_cast<std::uint32_t>(out.selectors.size());
            for (const auto id : ids) out.selectors.push_back(compiled_selector{out.selectors[id]});
            c.slots = static_cast<std::uint32_t>(ids.size());
            if (n.within) c.span = *n.within;
            c.type = value_type::boolean;
            return put(c);
        }
        c.slot = ids.at(0);
        const auto& s = out.selectors[c.slot];
        const auto p = s.property_type;
        const auto name = std::string{to_string(n.aggregate)};
        switch (n.aggregate) {
            case aggregate::count: c.type = value_type::integer; break;
            case aggregate::did: case aggregate::never: c.type = value_type::boolean; break;
            case aggregate::first_time: case aggregate::last_time: c.type = value_type::instant; break;
            default:
                if (s.property == none) fail("predicate.arguments", n.place, "`" + name + "` needs a property: " + name + "(event.property)");
                if ((n.aggregate == aggregate::sum || n.aggregate == aggregate::avg) && !is_number(p) && p != value_type::duration && p != value_type::missing) fail("type.mismatch", n.place, "`" + name + "` needs numbers, this property is " + said(p));
                c.type = n.aggregate == aggregate::distinct ? value_type::integer : n.aggregate == aggregate::avg && p != value_type::duration ? value_type::decimal : p;
        }
        return put(c);
    }
};

compiler::compiler(schema known, text_pool_ptr pool, compile_context context) : impl_{std::make_unique<impl>()} {
    impl_->known = std::move(known);
    impl_->context = std::move(context);
    impl_->out.zones = std::make_shared<cached_zones>(pool);
    impl_->out.pool = std::move(pool);
    impl_->out.zone = impl_->context.zone;
    impl_->out.weeks = impl_->context.weeks;
}
compiler::~compiler() = default;

namespace {
template <class Impl, class F>
std::uint32_t guarded(Impl& impl, const std::string& place, F f) {
    impl.place = place;
    impl.about.clear();
    impl.open_segments.clear();
    try { return f(); } catch (typename Impl::stop&) { return none; }
}
}  // namespace

node_id compiler::add_predicate(const expression& e, const std::string& place) { return guarded(*impl_, place, [&] { return impl_->yes_no(e); }); }
node_id compiler::add_expression(const expression& e, const std::string& place, value_type wanted) {
    return guarded(*impl_, place, [&] {
        const node_id n = impl_->compile(e);
        if (wanted != value_type::missing) impl_->want(n, wanted, e->place, "this");
        return n;
    });
}
selector_id compiler::add_selector(const selector_data& s, const std::string& place) { return guarded(*impl_, place, [&] { return impl_->selector(s); }); }
node_id compiler::add_event_expression(const expression& e, selector_id about, const std::string& place) {
    return guarded(*impl_, place, [&] {
        std::vector<std::string> names;
        for (const auto s : impl_->out.selectors[about].streams) names.push_back(impl_->out.streams[s]);
        impl_->about.push_back(std::move(names));
        return impl_->compile(e);
    });
}
std::uint32_t compiler::add_stream(std::string_view event) { return impl_->stream_slot(event); }
std::uint32_t compiler::add_attribute(bool of_account, std::string_view name, value_type type) { return impl_->attribute_slot(of_account, name, type); }
std::uint32_t compiler::add_property(std::string_view name) { return impl_->property_slot(name); }
void compiler::use_id() { impl_->out.uses_id = true; }
void compiler::use_local_time() { impl_->local_time(); }
void compiler::enter(workflow_scope s) { impl_->scope = std::move(s); }
void compiler::leave() { impl_->scope.reset(); }
value_type compiler::type_of(node_id n) const { return n == none ? value_type::missing : impl_->out.nodes[n].type; }
const problems& compiler::found() const { return impl_->found; }
const schema& compiler::known() const { return impl_->known; }
text_pool& compiler::pool() { return *impl_->out.pool; }
program_ptr compiler::finish() const { return std::make_shared<const program>(impl_->out); }

problems check(const expression& e, const schema& known, text_pool_ptr pool, const compile_context& context) {
    compiler c{known, std::move(pool), context};
    static_cast<void>(c.add_predicate(e));
    return c.found();
}

std::pair<program_ptr, node_id> compile(const expression& e, const schema& known, text_pool_ptr pool, const compile_context& context) {
    compiler c{known, std::move(pool), context};
    const node_id n = c.add_predicate(e);
    c.found().throw_first_error();
    return {c.finish(), n};
}

}  // namespace journeyman
