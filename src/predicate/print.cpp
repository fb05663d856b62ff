// The canonical text: as few parentheses and quotes as read back to the same tree.

#include "predicate/expression_words.hpp"

namespace journeyman {
namespace {

using detail::aggregate_shape;
using detail::binding;

std::string print(const expression& e, binding least, bool in_where);

std::string event_text(const selector_data& s) {
    if (s.is_any()) return "any";
    std::string name = s.event;
    if (!s.prefix && name.ends_with('*')) name.insert(name.size() - 1, "\\");
    if (s.prefix) name += '*';
    const bool bare = detail::is_bare_name(s.event) && s.event != "any" && !s.prefix && !detail::is_one_of(s.event, detail::reserved_words) && !detail::is_one_of(s.event, detail::window_words);
    return bare ? name : detail::quoted(name);
}

std::string window_text(const window& w) {
    switch (w.kind) {
        case window_kind::all: return "";
        case window_kind::last: return ", last " + to_text(w.last);
        case window_kind::since: return ", since " + print(w.from, binding::comparison, false);
        case window_kind::before: return ", before " + print(w.to, binding::comparison, false);
        case window_kind::between: return ", between " + print(w.from, binding::comparison, false) + " and " + print(w.to, binding::comparison, false);
        case window_kind::this_unit: return ", this " + std::string{detail::word_of(w.unit)};
        case window_kind::previous_unit: return ", previous " + std::string{detail::word_of(w.unit)};
        case window_kind::since_entry: return ", since entry";
        case window_kind::since_step: return ", since step(" + detail::quoted(w.step) + ")";
    }
    return "";
}

std::string selector_text(const selector_data& s, bool alone = false) {
    std::string out = event_text(s);
    if (!s.property.empty()) {
        // a bare event with dots would swallow the property's dot; alone, a bare event swallows every dot
        if (out.front() != '"' && (alone || out.find('.') != out.npos)) out = s.is_any() ? "\"*\"" : detail::quoted(out);
        out += detail::is_bare_name(s.property) && !s.property.starts_with("prop") ? "." + s.property : ".prop(" + detail::quoted(s.property) + ")";
    }
    if (!s.where.empty()) out += " where " + print(s.where, binding::any, true);
    if (s.without) {
        out += " without " + selector_text(*s.without) + " on " + (detail::is_bare_name(s.without_on) ? s.without_on : detail::quoted(s.without_on));
        if (s.without_within) out += " within " + to_text(*s.without_within);
    }
    return out + window_text(s.window);
}

bool plain(const std::string& name) {
    return detail::is_bare_name(name) && name != "entry" && !detail::is_one_of(name, detail::reserved_words) && !name.starts_with("contact.") && !name.starts_with("account.") && !name.starts_with("event.") && !name.starts_with("trigger.");
}

std::string literal_text(const node& n) {
    if (const auto* s = std::get_if<std::string>(&n.value)) return detail::quoted(*s);
    if (const auto* b = std::get_if<bool>(&n.value)) return *b ? "true" : "false";
    if (const auto* d = std::get_if<double>(&n.value)) {
        auto out = to_text(*d);
        if (out.find_first_of(".e") == out.npos) out += ".0";
        return out;
    }
    return to_text(n.value);
}

std::string print_aggregate(const node& n) {
    const auto& word = detail::word_of(n.aggregate);
    std::string out{word.name};
    out += '(';
    for (std::size_t k = 0; k < n.selectors.size(); ++k) out += (k > 0 ? ", " : "") + selector_text(n.selectors[k]);
    if (n.within) out += ", within " + to_text(*n.within);
    if (!n.args.empty()) out += (word.shape == aggregate_shape::filter ? "where " : "") + print(n.args[0], binding::any, word.shape == aggregate_shape::filter);
    return out + ')';
}

std::string print(const expression& e, binding least, bool in_where) {
    const node& n = *e;
    const auto inside = [&](std::size_t k, binding b) { return print(n.args[k], b, in_where); };
    const auto wrapped = [&](std::string s, binding own) { return own <= least ? "(" + s + ")" : s; };
    switch (n.kind) {
        case node_kind::literal: {
            auto s = literal_text(n);
            return s.front() == '-' && least >= binding::sign ? "(" + s + ")" : s;
        }
        case node_kind::list: {
            std::string out = "[";
            for (std::size_t k = 0; k < n.args.size(); ++k) out += (k > 0 ? ", " : "") + inside(k, binding::comparison);
            return out + "]";
        }
        case node_kind::attribute:
            if (in_where) return detail::is_bare_name(n.name) ? "contact." + n.name : "attr(" + detail::quoted("contact." + n.name) + ")";
            return plain(n.name) ? n.name : "attr(" + detail::quoted("contact." + n.name) + ")";
        case node_kind::account_attribute: return detail::is_bare_name(n.name) ? "account." + n.name : "attr(" + detail::quoted("account." + n.name) + ")";
        case node_kind::property:
            if (!in_where && (n.name == "time" || n.name == "name")) return "prop(" + detail::quoted(n.name) + ")";   // `event.time` is the event's own
            return plain(n.name) ? (in_where ? "" : "event.") + n.name : "prop(" + detail::quoted(n.name) + ")";
        case node_kind::event_time: return "event.time";
        case node_kind::event_name: return "event.name";
        case node_kind::trigger_property: return detail::is_bare_name("trigger." + n.name) ? "trigger." + n.name : "attr(" + detail::quoted("trigger." + n.name) + ")";
        case node_kind::now: return "now";
        case node_kind::not_: return wrapped("not " + inside(0, binding::negation), binding::negation);
        case node_kind::negate: return wrapped("-" + inside(0, binding::sign), binding::sign);
        case node_kind::and_:
        case node_kind::or_: {
            const auto& op = *detail::operator_of(n.kind);
            if (n.args.empty()) return std::string{op.text} + "()";
            if (n.args.size() == 1) return inside(0, least);
            std::string out;
            for (std::size_t k = 0; k < n.args.size(); ++k) out += (k > 0 ? " " + std::string{op.text} + " " : "") + inside(k, op.binding);
            return wrapped(std::move(out), op.binding);
        }
        case node_kind::between: return wrapped(inside(0, binding::comparison) + " between " + inside(1, binding::comparison) + " and " + inside(2, binding::comparison), binding::comparison);
        case node_kind::call: {
            std::string out{to_string(n.function)};
            out += '(';
            for (std::size_t k = 0; k < n.args.size(); ++k) {
                const bool unit = k == 0 && n.function == function::start_of;
                const bool attribute = n.function == function::changed_time;
                out += (k > 0 ? ", " : "") + (unit ? std::get<std::string>(n.args[k]->value) : print(n.args[k], binding::any, in_where && !attribute));
            }
            return out + ')';
        }
        case node_kind::aggregate: return print_aggregate(n);
        default: {
            const auto& op = *detail::operator_of(n.kind);
            const auto left = op.binding == binding::comparison ? op.binding : static_cast<binding>(static_cast<int>(op.binding) - 1);
            return wrapped(inside(0, left) + " " + std::string{op.text} + " " + inside(1, op.binding), op.binding);
        }
    }
}

}  // namespace

std::string expression::to_text() const { return empty() ? "" : print(*this, binding::any, false); }
std::string selector::to_text() const { return selector_text(data_, true); }

}  // namespace journeyman
