// The text form (design §5 and §7): recursive descent, with the exact place of every error.

#include <charconv>

#include "predicate/expression_words.hpp"

namespace journeyman {
namespace {

using detail::aggregate_shape;
using detail::binding;

enum class token_kind : std::uint8_t { end, name, star_name, text, number, duration, symbol };

struct token {
    token_kind kind = token_kind::end;
    std::string text;
    std::size_t from = 0, to = 0;
    source_place place;
};

class parser {
public:
    explicit parser(std::string_view text, bool about_an_event = false) : text_{text}, in_where_{about_an_event ? 1 : 0} {
        if (text.size() > 1'000'000) throw error{"predicate.limit", "1:1", "A text may have 1,000,000 bytes."};
        if (const auto bad = detail::find_bad_utf8(text); bad != text.npos) throw error{"predicate.encoding", detail::to_text(place_of(bad)), "This is not UTF-8."};
        step();
    }

    expression whole_expression() {
        auto e = parse(binding::any);
        if (now_.kind != token_kind::end) unexpected("an operator or the end");
        return e;
    }
    selector_data whole_selector() {
        auto s = selector(true, now_.kind == token_kind::text);   // the dots of a bare name are the event's own
        if (now_.kind != token_kind::end) unexpected("the end");
        return s;
    }

private:
    // ---- tokens
    // Counted on from the present token: counted from the start each time, a long text would take the square of its length.
    source_place place_of(std::size_t at) const {
        source_place p = at >= mark_ ? mark_place_ : source_place{1, 1};
        for (std::size_t i = at >= mark_ ? mark_ : 0; i < at; ++i) {
            if (text_[i] == '\n') { ++p.line; p.column = 1; }
            else if ((static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80) ++p.column;
        }
        return p;
    }
    [[noreturn]] void fail(source_place at, std::string message) const { throw error{"predicate.syntax", detail::to_text(at), std::move(message)}; }
    [[noreturn]] void unexpected(const std::string& wanted) const {
        fail(now_.place, "Found " + (now_.kind == token_kind::end ? "the end" : "`" + std::string{text_.substr(now_.from, std::min<std::size_t>(now_.to - now_.from, 40))} + "`") + ", expected " + wanted + ".");
    }
    void step() {
        now_ = scan(at_);
        at_ = now_.to;
        mark_ = now_.from;
        mark_place_ = now_.place;
    }
    token peek() const { return scan(at_); }
    token scan(std::size_t i) const {
        while (i < text_.size() && (text_[i] == ' ' || text_[i] == '\t' || text_[i] == '\n' || text_[i] == '\r')) ++i;
        token t;
        t.from = t.to = i;
        t.place = place_of(i);
        if (i == text_.size()) return t;
        const char c = text_[i];
        if (c == '"') return scan_text(t);
        if (c >= '0' && c <= '9') return scan_number(t);
        std::size_t j = i;
        if (const auto point = detail::next_code_point(text_, j); point && detail::starts_name(*point)) {
            t.to = j;
            for (;;) {
                std::size_t k = t.to;
                if (k < text_.size() && text_[k] == '.') {               // a dot between two parts
                    std::size_t after = k + 1;
                    const auto p = after < text_.size() ? detail::next_code_point(text_, after) : std::nullopt;
                    if (!p || !detail::continues_name(*p)) break;
                    t.to = after;
                    continue;
                }
                const auto p = k < text_.size() ? detail::next_code_point(text_, k) : std::nullopt;
                if (!p || !detail::continues_name(*p)) break;
                t.to = k;
            }
            t.kind = token_kind::name;
            t.text = text_.substr(t.from, t.to - t.from);
            // `form_*` with no space before the star, and nothing that could be multiplied after it
            if (text_.substr(t.to).starts_with("\\*")) {                     // a real star
                t.to += 2;
                t.kind = token_kind::star_name;
                t.text += "\\*";
            } else if (t.to < text_.size() && text_[t.to] == '*') {
                std::size_t k = t.to + 1;
                while (k < text_.size() && text_[k] == ' ') ++k;
                if (k == text_.size() || text_[k] == ')' || text_[k] == ',' || text_[k] == '.' || text_.substr(k).starts_with("where") || text_.substr(k).starts_with("without")) { ++t.to; t.kind = token_kind::star_name; t.text += '*'; }
            }
            return t;
        }
        for (const std::string_view two : {"==", "!=", "<=", ">="})
            if (text_.substr(i).starts_with(two)) { t.kind = token_kind::symbol; t.text = two; t.to = i + 2; return t; }
        if (std::string_view{"<>+-*/(),[]."}.find(c) != std::string_view::npos) { t.kind = token_kind::symbol; t.text = c; t.to = i + 1; return t; }
        if (c == '=') fail(t.place, "Found `=`; a comparison is written `==`.");
        if (c == '\'') fail(t.place, "Texts stand in double quotes.");
        fail(t.place, "This character means nothing here.");
    }
    token scan_text(token t) const {
        std::size_t i = t.from + 1;
        t.kind = token_kind::text;
        for (;; ++i) {
            if (i >= text_.size()) fail(t.place, "This text has no closing quote.");
            const char c = text_[i];
            if (c == '"') break;
            if (c != '\\') { t.text += c; continue; }
            if (++i >= text_.size()) fail(t.place, "This text has no closing quote.");
            switch (text_[i]) {
                case '"': t.text += '"'; break;
                case '\\': t.text += '\\'; break;
                case '/': t.text += '/'; break;
                case 'n': t.text += '\n'; break;
                case 't': t.text += '\t'; break;
                case 'r': t.text += '\r'; break;
                case 'b': t.text += '\b'; break;
                case 'f': t.text += '\f'; break;
                case 'u': {
                    unsigned code = 0;
                    const auto* first = text_.data() + i + 1;
                    if (i + 4 >= text_.size() || std::from_chars(first, first + 4, code, 16).ptr != first + 4) fail(place_of(i - 1), "`\\u` needs four hexadecimal digits.");
                    if (code >= 0xd800 && code < 0xe000) fail(place_of(i - 1), "Write this character itself, not as two halves.");
                    if (code < 0x80) t.text += static_cast<char>(code);
                    else if (code < 0x800) { t.text += static_cast<char>(0xc0 | (code >> 6)); t.text += static_cast<char>(0x80 | (code & 63)); }
                    else { t.text += static_cast<char>(0xe0 | (code >> 12)); t.text += static_cast<char>(0x80 | ((code >> 6) & 63)); t.text += static_cast<char>(0x80 | (code & 63)); }
                    i += 4;
                    break;
                }
                default: t.text += '\\'; t.text += text_[i];     // `\*`, and the escapes of patterns such as `\d`
            }
        }
        t.to = i + 1;
        return t;
    }
    token scan_number(token t) const {
        std::size_t i = t.from;
        const auto digits = [&] { while (i < text_.size() && text_[i] >= '0' && text_[i] <= '9') ++i; };
        digits();
        if (i + 1 < text_.size() && text_[i] == '.' && text_[i + 1] >= '0' && text_[i + 1] <= '9') { ++i; digits(); }
        if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
            const std::size_t back = i++;
            if (i < text_.size() && (text_[i] == '+' || text_[i] == '-')) ++i;
            const std::size_t first = i;
            digits();
            if (i == first) i = back;
        }
        t.kind = token_kind::number;
        if (i < text_.size() && ((text_[i] >= 'a' && text_[i] <= 'z') || (text_[i] >= 'A' && text_[i] <= 'Z'))) {
            while (i < text_.size() && ((text_[i] >= 'a' && text_[i] <= 'z') || (text_[i] >= 'A' && text_[i] <= 'Z') || (text_[i] >= '0' && text_[i] <= '9'))) ++i;
            t.kind = token_kind::duration;
        }
        t.to = i;
        t.text = text_.substr(t.from, t.to - t.from);
        return t;
    }
    bool is(std::string_view word) const { return (now_.kind == token_kind::name || now_.kind == token_kind::symbol) && now_.text == word; }
    bool take(std::string_view word) {
        if (!is(word)) return false;
        step();
        return true;
    }
    void want(std::string_view word) {
        if (!take(word)) unexpected("`" + std::string{word} + "`");
    }
    length want_length() {
        const bool minus = take("-");
        length d;
        if (now_.kind != token_kind::duration || !parse_length(now_.text, d)) {
            if (now_.kind == token_kind::number) fail(now_.place, "A length of time needs a unit: us, ms, s, m, h, d, w, mo, q or y, such as `30d`.");
            unexpected("a length of time, such as `30d`");
        }
        step();
        return minus ? -d : d;
    }
    std::string want_text(const char* what) {
        if (now_.kind != token_kind::text) unexpected(what);
        auto s = std::move(now_.text);
        step();
        return s;
    }
    calendar_unit want_unit() {
        const auto u = now_.kind == token_kind::name ? detail::find_unit(now_.text) : std::nullopt;
        if (!u) fail(now_.place, "Expected day, week, month, quarter or year." + did_you_mean(now_.text, {"day", "week", "month", "quarter", "year"}));
        step();
        return *u;
    }

    // ---- expressions
    expression made(node n, source_place p) {
        count(p);
        n.place = p;
        return make(std::move(n));
    }
    expression made(node_kind k, std::vector<expression> args, source_place p) {
        node n;
        n.kind = k;
        n.args = std::move(args);
        return made(std::move(n), p);
    }
    struct deeper {
        std::uint32_t& depth;
        deeper(std::uint32_t& d, source_place p) : depth{d} {
            if (++depth > 4 * max_depth) throw error{"predicate.limit", detail::to_text(p), "An expression may be 64 deep."};
        }
        ~deeper() { --depth; }
    };

    expression parse(binding least) {
        const deeper guard{depth_, now_.place};
        expression left = prefix();
        for (;;) {
            const auto start = now_.place;
            std::string word = now_.kind == token_kind::name || now_.kind == token_kind::symbol ? now_.text : std::string{};
            if (word == "not" && peek().text == "in") word = "not in";
            const auto* op = word == "not" ? nullptr : detail::find_operator(word);
            if (op == nullptr || op->binding <= least) return left;
            step();
            if (word == "not in") step();
            switch (op->kind) {
                case node_kind::and_:
                case node_kind::or_: {
                    std::vector<expression> args{left, parse(op->binding)};
                    while (take(word)) args.push_back(parse(op->binding));
                    left = made(op->kind, std::move(args), left->place);
                    break;
                }
                case node_kind::between: {
                    auto low = parse(binding::comparison);
                    want("and");
                    left = made(op->kind, {left, low, parse(binding::comparison)}, start);
                    break;
                }
                default:
                    left = made(op->kind, {left, parse(op->binding)}, start);
                    if (op->binding == binding::comparison && least < binding::comparison) {
                        const auto* next = now_.kind == token_kind::symbol || now_.kind == token_kind::name ? detail::find_operator(now_.text) : nullptr;
                        if (next != nullptr && next->binding == binding::comparison) fail(now_.place, "Comparisons do not chain; join them with `and`.");
                    }
            }
        }
    }

    expression prefix() {
        const auto start = now_.place;
        if (is("not")) {
            step();
            return made(node_kind::not_, {parse(binding::negation)}, start);
        }
        if (take("-")) return made(node_kind::negate, {parse(binding::sign)}, start);
        return primary();
    }

    // A tree of 10,000 nodes is refused when it is made; this refuses before its parts, nodes and selectors, have taken memory. A sign makes a node that is folded away: hence twice.
    void count(source_place p) {
        if (++made_ > 2 * max_nodes) throw error{"predicate.limit", detail::to_text(p), "An expression may have 10,000 nodes."};
    }
    expression literal(scalar s, source_place p) {
        return made(node{*expression::literal(std::move(s))}, p);
    }

    expression primary() {
        const auto start = now_;
        switch (now_.kind) {
            case token_kind::text: step(); return literal(start.text, start.place);
            case token_kind::number: {
                step();
                std::int64_t i = 0;
                const char* end = start.text.data() + start.text.size();
                if (const auto r = std::from_chars(start.text.data(), end, i); r.ec == std::errc{} && r.ptr == end) return literal(i, start.place);
                double d = 0;
                if (const auto r = std::from_chars(start.text.data(), end, d); r.ec != std::errc{} || r.ptr != end) fail(start.place, "This number is out of range.");
                return literal(d, start.place);
            }
            case token_kind::duration: return literal(want_length(), start.place);
            case token_kind::symbol:
                if (take("(")) {
                    auto e = parse(binding::any);
                    want(")");
                    return e;
                }
                if (take("[")) {
                    std::vector<expression> items;
                    if (!is("]")) do items.push_back(parse(binding::comparison)); while (take(","));
                    want("]");
                    return made(node_kind::list, std::move(items), start.place);
                }
                unexpected("a value");
            case token_kind::name:
            case token_kind::star_name: return named();
            case token_kind::end: unexpected("a value");
        }
        unexpected("a value");
    }

    expression named() {
        const auto start = now_;
        const std::string& name = start.text;
        const auto next = peek();
        if (start.kind == token_kind::name && next.kind == token_kind::symbol && next.text == "(") {
            if (name == "attr" || name == "prop") {
                step();
                step();
                auto n = name == "attr" ? detail::attribute_node(want_text("a name in double quotes")) : node{};
                if (name == "prop") { n.kind = node_kind::property; n.name = want_text("a name in double quotes"); }
                want(")");
                return made(std::move(n), start.place);
            }
            if ((name == "and" || name == "or") && scan(next.to).text == ")") {
                step(); step(); step();
                return made(name == "and" ? node_kind::and_ : node_kind::or_, {}, start.place);
            }
            if (const auto a = find_aggregate(name)) return aggregated(*a, start.place);
            if (const auto f = find_function(name)) return called(*f, start.place);
            std::vector<std::string> known{"attr", "prop"};
            for (const auto& w : detail::aggregate_words) known.emplace_back(w.name);
            for (const auto& w : detail::function_words) known.emplace_back(w.name);
            fail(start.place, "There is no function `" + name + "`." + did_you_mean(name, known));
        }
        if (name == "true" || name == "false") { step(); return literal(name == "true", start.place); }
        if (name == "null") fail(start.place, "There is no `null`: nothing equals what is missing. Ask `missing(x)` or `exists(x)`.");
        node n;
        if (name == "now") n.kind = node_kind::now;
        else if (name.starts_with("trigger.")) { n.kind = node_kind::trigger_property; n.name = name.substr(8); }
        else if (name == "event.time") n.kind = node_kind::event_time;
        else if (name == "event.name") n.kind = node_kind::event_name;
        else if (name.starts_with("contact.") || name.starts_with("account.")) n = detail::attribute_node(name);
        else if (name.starts_with("event.")) { n.kind = node_kind::property; n.name = name.substr(6); }
        else if (detail::is_one_of(name, detail::reserved_words) || start.kind == token_kind::star_name) unexpected("a value");
        else if (in_where_ > 0) { n.kind = node_kind::property; n.name = name; }
        else n = detail::attribute_node(name);
        step();
        return made(std::move(n), start.place);
    }

    expression called(function f, source_place start) {
        step();
        step();
        node n;
        n.kind = node_kind::call;
        n.function = f;
        const auto takes = detail::word_of(f).takes;
        const int outer = in_where_;
        if (takes == detail::takes::unit_and_value) {
            const auto p = now_.place;
            if (now_.kind == token_kind::text) n.args.push_back(literal(want_text("a unit"), p));
            else n.args.push_back(literal(std::string{detail::word_of(want_unit())}, p));
            if (is(",")) step();
        }
        if (takes == detail::takes::attribute) in_where_ = 0;
        if (!is(")")) do n.args.push_back(parse(binding::any)); while (take(","));
        in_where_ = outer;
        want(")");
        return made(std::move(n), start);
    }

    expression where_predicate() {
        ++in_where_;
        auto p = parse(binding::any);
        --in_where_;
        return p;
    }

    expression aggregated(aggregate a, source_place start) {
        step();
        step();
        const auto& word = detail::word_of(a);
        node n;
        n.kind = node_kind::aggregate;
        n.aggregate = a;
        const int outer = in_where_;
        switch (word.shape) {
            case aggregate_shape::selector:
            case aggregate_shape::values: n.selectors.push_back(selector(true, word.shape == aggregate_shape::values)); break;
            case aggregate_shape::sequence:
            case aggregate_shape::cohort:
                do {
                    if (take("within")) { n.within = want_length(); break; }
                    n.selectors.push_back(selector(false, false));
                } while (take(","));
                break;
            case aggregate_shape::predicate: in_where_ = 0; n.args.push_back(parse(binding::any)); break;
            case aggregate_shape::filter:
                if (take("where")) n.args.push_back(where_predicate());
                break;
            case aggregate_shape::nothing: break;
        }
        in_where_ = outer;
        want(")");
        return made(std::move(n), start);
    }

    // event[.property] [where p] [without event [where p] on k [within D]] [, window]
    selector_data selector(bool with_window, bool with_property) {
        const deeper guard{depth_, now_.place};
        count(now_.place);
        auto s = event_name(with_property);
        if (take("where")) s.where = where_predicate();
        if (take("without")) {
            auto other = event_name(false);
            if (take("where")) other.where = where_predicate();
            want("on");
            if (now_.kind == token_kind::text) s.without_on = want_text("a property");
            else if (now_.kind == token_kind::name) { s.without_on = now_.text; step(); }
            else unexpected("a property");
            if (take("within")) s.without_within = want_length();
            s.without = std::make_shared<const selector_data>(std::move(other));
        }
        if (with_window && take(",")) s.window = window();
        detail::check(s);
        return s;
    }
    selector_data event_name(bool with_property) {
        const auto start = now_;
        selector_data s;
        std::string property;
        if (now_.kind == token_kind::text) {
            s = detail::named_event(now_.text);
            step();
        } else if (now_.kind == token_kind::name || now_.kind == token_kind::star_name) {
            std::string name = now_.text;
            step();
            if (with_property && start.kind == token_kind::name && !(is(".") && peek().text == "prop")) {
                // The first dot; where no such event is known and a longer name is, the type check moves it.
                const auto dot = name.find('.');
                if (dot != name.npos && dot > 0) {
                    property = name.substr(dot + 1);
                    name.erase(dot);
                    if (is("(") && property == "prop") {                    // event.prop("First name")
                        step();
                        property = want_text("a property in double quotes");
                        want(")");
                    }
                }
            }
            if (name == "any") s.prefix = true;
            else s = detail::named_event(std::move(name));
        } else {
            unexpected("an event");
        }
        if (take(".")) {
            if (!with_property) unexpected("`where`, `,` or `)`: no property is read here");
            if (now_.kind == token_kind::text) property = want_text("a property");
            else if (is("prop")) { step(); want("("); property = want_text("a property in double quotes"); want(")"); }
            else if (now_.kind == token_kind::name) { property = now_.text; step(); }
            else unexpected("a property");
        }
        s.property = std::move(property);
        s.place = start.place;
        return s;
    }
    journeyman::window window() {
        journeyman::window w;
        const int outer = in_where_;
        in_where_ = 0;
        if (take("last")) { w.kind = window_kind::last; w.last = want_length(); }
        else if (is("since")) {
            step();
            if (is("entry")) { step(); w.kind = window_kind::since_entry; }
            else if (is("step") && peek().text == "(") { step(); step(); w.kind = window_kind::since_step; w.step = want_text("a step in double quotes"); want(")"); }
            else { w.kind = window_kind::since; w.from = parse(binding::comparison); }
        } else if (take("before")) { w.kind = window_kind::before; w.to = parse(binding::comparison); }
        else if (take("between")) { w.kind = window_kind::between; w.from = parse(binding::comparison); want("and"); w.to = parse(binding::comparison); }
        else if (take("this")) { w.kind = window_kind::this_unit; w.unit = want_unit(); }
        else if (take("previous")) { w.kind = window_kind::previous_unit; w.unit = want_unit(); }
        else fail(now_.place, "Expected a window: last, since, before, between, this or previous." + did_you_mean(now_.text, {"last", "since", "before", "between", "this", "previous"}));
        in_where_ = outer;
        return w;
    }

    std::string_view text_;
    std::size_t mark_ = 0;               // where the present token begins
    source_place mark_place_{1, 1};
    std::size_t at_ = 0;
    token now_;
    std::uint32_t depth_ = 0;
    std::uint32_t made_ = 0;             // nodes so far
    int in_where_ = 0;
};

}  // namespace

expression expression::parse(std::string_view text, bare_names names) { return parser{text, names == bare_names::property}.whole_expression(); }
selector selector::parse(std::string_view text) { return selector{parser{text}.whole_selector()}; }

}  // namespace journeyman
