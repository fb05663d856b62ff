#include "playbook/reading.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "predicate/expression_json.hpp"

namespace journeyman::detail {
namespace {

bool is_quoted(const YAML::Node& n) { return n.Tag() == "!"; }
bool is_none(const YAML::Node& n) {
    return n.IsNull() || (n.IsScalar() && !is_quoted(n) && (n.Scalar().empty() || n.Scalar() == "~" || n.Scalar() == "null" || n.Scalar() == "Null" || n.Scalar() == "NULL"));
}

/// What a node is, for messages.
std::string kind_of(const YAML::Node& n) {
    if (is_none(n)) return "nothing";
    if (n.IsMap()) return "a mapping";
    if (n.IsSequence()) return "a list";
    constexpr std::size_t shown = 60;
    const auto& s = n.Scalar();
    return "\"" + (s.size() > shown ? s.substr(0, shown) + "…" : s) + "\"";
}

bool is_integer(std::string_view s, std::int64_t& out) {
    if (s.starts_with('+')) s.remove_prefix(1);
    const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), out);
    return bad == std::errc{} && end == s.data() + s.size() && !s.empty();
}
bool is_decimal(std::string_view s, double& out) {
    if (s.starts_with('+')) s.remove_prefix(1);
    if (s.empty() || !(s[0] == '-' || s[0] == '.' || (s[0] >= '0' && s[0] <= '9'))) return false;
    const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), out);
    return bad == std::errc{} && end == s.data() + s.size() && std::isfinite(out);
}
std::optional<bool> is_boolean(std::string_view s) {
    for (const auto* yes : {"true", "True", "TRUE"}) if (s == yes) return true;
    for (const auto* no : {"false", "False", "FALSE"}) if (s == no) return false;
    return std::nullopt;
}

std::string listed(std::initializer_list<std::string_view> words) {
    std::string out;
    std::size_t k = 0;
    for (const auto w : words) {
        if (k > 0) out += k + 1 == words.size() ? " or " : ", ";
        out += w;
        ++k;
    }
    return out;
}

std::pair<int, int> line_and_column(std::string_view place) {
    std::pair<int, int> out{0, 0};
    const auto second = place.rfind(':'), first = second == place.npos || second == 0 ? place.npos : place.rfind(':', second - 1);
    if (first == place.npos) return out;
    std::from_chars(place.data() + first + 1, place.data() + second, out.first);
    std::from_chars(place.data() + second + 1, place.data() + place.size(), out.second);
    return out;
}

std::string join(const std::string& path, std::string_view key) { return path.empty() ? std::string{key} : path + "." + std::string{key}; }

}  // namespace

// ---- places and problems

std::string reading::place(const YAML::Mark& mark) const {
    if (mark.line < 0 || file_.empty()) return file_;
    // Columns count characters, as the places inside a text do.
    int column = mark.column;
    const auto pos = static_cast<std::size_t>(mark.pos), bytes = static_cast<std::size_t>(mark.column);
    if (pos <= text_.size() && bytes <= pos)
        for (std::size_t k = pos - bytes; k < pos; ++k) column -= (static_cast<unsigned char>(text_[k]) & 0xc0) == 0x80;
    return file_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(column + 1);
}

std::optional<std::string> reading::text_place(const YAML::Node& n) const {
    const auto mark = n.Mark();
    if (mark.line < 0 || file_.empty() || !n.IsScalar() || static_cast<std::size_t>(mark.pos) > text_.size()) return std::nullopt;
    const auto& s = n.Scalar();
    const auto source = text_.substr(static_cast<std::size_t>(mark.pos));
    if (s.empty() || s.find('\n') != s.npos) return std::nullopt;
    if (source.starts_with(s)) return place(mark);
    if (!source.empty() && (source[0] == '"' || source[0] == '\'') && source.substr(1).starts_with(s)) {
        YAML::Mark inner = mark;
        ++inner.pos;
        ++inner.column;
        return place(inner);
    }
    return std::nullopt;
}

void reading::note(const std::string& path, const YAML::Node& key, const YAML::Node& value) {
    if (file_.empty()) return;
    places[path] = place(value.IsScalar() || !key.IsDefined() ? value.Mark() : key.Mark());
    if (auto text = text_place(value)) places[path + ":1:1"] = std::move(*text);
}

void reading::fail(std::string code, const spot& at, std::string message) {
    const auto known = places.find(at.path);
    if (file_.empty()) return fail_at(std::move(code), at.path, std::move(message));
    fail_at(std::move(code), known != places.end() ? known->second : place(at.node.Mark()), std::move(message));
}

void reading::fail_key(const spot& of, const YAML::Node& key, std::string message) {
    fail_at("playbook.key", file_.empty() ? join(of.path, key.IsScalar() ? key.Scalar() : "?") : place(key.Mark()), std::move(message));
}

void reading::finish() const {
    if (found_.empty()) return;
    // As the file has them.
    auto sorted = found_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const problem& a, const problem& b) { return line_and_column(a.place) < line_and_column(b.place); });
    const auto& first = sorted.front();
    if (sorted.size() == 1) throw error{first.code, first.place, first.message};
    std::string all = std::to_string(sorted.size()) + " problems:";
    for (const auto& p : sorted) all += "\n" + p.place + ": " + p.message + " [" + p.code + "]";
    throw error{first.code, first.place, all};
}

// ---- structure

std::vector<std::pair<std::string, spot>> reading::entries(const spot& s, std::string_view what) {
    std::vector<std::pair<std::string, spot>> out;
    if (is_none(s.node)) return out;
    if (!s.node.IsMap()) {
        fail("playbook.value", s, std::string{what} + " are a mapping from names, this is " + kind_of(s.node));
        return out;
    }
    std::map<std::string, std::string> seen;
    for (const auto& e : s.node) {
        const spot at{e.second, join(s.path, e.first.IsScalar() ? e.first.Scalar() : "?")};
        if (!e.first.IsScalar() || e.first.Scalar().empty()) {
            fail_key(s, e.first, "a name is a text, this is " + kind_of(e.first));
            continue;
        }
        const auto [before, fresh] = seen.emplace(e.first.Scalar(), place(e.first.Mark()));
        if (!fresh) {
            fail_key(s, e.first, "`" + e.first.Scalar() + "` is given twice" + (before->second.empty() ? "" : ", first at " + before->second) + "; give one another name");
            continue;
        }
        note(at.path, e.first, e.second);
        out.emplace_back(e.first.Scalar(), at);
    }
    return out;
}

std::vector<spot> reading::items(const spot& s, std::string_view what) {
    std::vector<spot> out;
    if (!s.node.IsSequence()) {
        fail("playbook.value", s, std::string{what} + " is a list, this is " + kind_of(s.node));
        return out;
    }
    for (const auto& item : s.node) {
        out.push_back({item, s.path + "." + std::to_string(out.size())});
        note(out.back().path, YAML::Node{YAML::NodeType::Undefined}, item);
    }
    return out;
}

keyed::keyed(reading& in, const spot& s, std::string what, std::vector<std::string> known) : in_{in}, spot_{s}, what_{std::move(what)} {
    if (!s.node.IsMap()) {
        in.fail("playbook.value", s, what_ + " is a mapping, this is " + kind_of(s.node));
        return;
    }
    sound_ = true;
    const auto is_known = [&](const std::string& key) { return std::find(known.begin(), known.end(), key) != known.end(); };
    for (const auto& e : s.node) {
        if (!e.first.IsScalar()) {
            in.fail_key(s, e.first, "a key is a text, this is " + kind_of(e.first));
            continue;
        }
        std::string key = e.first.Scalar();
        // YAML 1.1 reads the key `on` as yes.
        if (!is_known(key) && (key == "true" || key == "True") && is_known("on")) key = "on";
        if (!is_known(key)) {
            auto said = did_you_mean(key, known);
            if (said.empty()) {
                said = " It takes";
                for (std::size_t k = 0; k < known.size(); ++k) said += (k == 0 ? " " : k + 1 == known.size() ? " and " : ", ") + known[k];
                said += ".";
            }
            in.fail_key(s, e.first, what_ + " has no key `" + key + "`." + said);
            continue;
        }
        if (values_.contains(key)) {
            in.fail_key(s, e.first, "`" + key + "` is given twice; leave one out");
            continue;
        }
        in.note(join(s.path, key), e.first, e.second);
        values_.emplace(std::move(key), e.second);
    }
}

std::optional<spot> keyed::find(std::string_view key) {
    const auto it = values_.find(key);
    if (it == values_.end()) return std::nullopt;
    spot s{it->second, join(spot_.path, key)};
    if (is_none(s.node)) {
        in_.fail("playbook.value", s, "`" + std::string{key} + "` is empty; write a value or leave the key out");
        return std::nullopt;
    }
    return s;
}

std::optional<spot> keyed::need(std::string_view key, std::string_view remedy) {
    if (!sound_) return std::nullopt;
    if (!values_.contains(key)) in_.fail("playbook.missing", spot_, what_ + " needs `" + std::string{key} + "`: " + std::string{remedy});
    return find(key);
}

// ---- scalars

std::optional<std::string> reading::text(const spot& s, std::string_view what) {
    if (s.node.IsScalar() && !s.node.Scalar().empty()) return s.node.Scalar();
    fail("playbook.value", s, std::string{what} + " is a text, this is " + kind_of(s.node));
    return std::nullopt;
}

std::optional<std::string> reading::one_of(const spot& s, std::string_view what, std::initializer_list<std::string_view> words) {
    if (s.node.IsScalar())
        for (const auto w : words) if (s.node.Scalar() == w) return std::string{w};
    const auto near = s.node.IsScalar() ? did_you_mean(s.node.Scalar(), {words.begin(), words.end()}) : std::string{};
    fail("playbook.value", s, std::string{what} + " is " + listed(words) + ", this is " + kind_of(s.node) + (near.empty() ? "" : "." + near));
    return std::nullopt;
}

std::optional<bool> reading::yes_no(const spot& s, std::string_view what) {
    if (s.node.IsScalar()) {
        if (const auto b = is_boolean(s.node.Scalar())) return b;
        if (s.node.Scalar() == "yes") return true;
        if (s.node.Scalar() == "no") return false;
    }
    fail("playbook.value", s, std::string{what} + " is true or false, this is " + kind_of(s.node));
    return std::nullopt;
}

std::optional<double> reading::number(const spot& s, std::string_view what) {
    double x = 0;
    if (s.node.IsScalar() && is_decimal(s.node.Scalar(), x)) return x;
    fail("playbook.value", s, std::string{what} + " is a number, such as 0.35, this is " + kind_of(s.node));
    return std::nullopt;
}

std::optional<int> reading::whole(const spot& s, std::string_view what, int least) {
    std::int64_t n = 0;
    if (s.node.IsScalar() && is_integer(s.node.Scalar(), n) && n >= least && n <= std::numeric_limits<int>::max()) return static_cast<int>(n);
    const bool any = least == std::numeric_limits<int>::min();
    fail("playbook.value", s, std::string{what} + " is a whole number" + (any ? "" : " from " + std::to_string(least) + " on") + ", this is " + kind_of(s.node));
    return std::nullopt;
}

std::optional<length> reading::duration(const spot& s, std::string_view what) {
    length l;
    if (s.node.IsScalar() && parse_length(s.node.Scalar(), l)) return l;
    fail("playbook.value", s, std::string{what} + " is a duration, such as 3d, 1h30m or 1mo, this is " + kind_of(s.node));
    return std::nullopt;
}

std::optional<date_offset> reading::offset(const spot& s) {
    date_offset o;
    if (s.node.IsScalar() && parse_offset(s.node.Scalar(), o)) return o;
    fail("playbook.value", s, "`offset` is a duration, such as -7d, +1mo or 2h, this is " + kind_of(s.node));
    return std::nullopt;
}

std::optional<time_of_day> reading::clock(const spot& s, std::string_view what) {
    if (s.node.IsScalar()) {
        const auto& t = s.node.Scalar();
        const auto colon = t.find(':');
        std::int64_t h = 0, m = 0;
        if (colon != t.npos && colon >= 1 && colon <= 2 && t.size() - colon == 3 && is_integer(t.substr(0, colon), h) && is_integer(t.substr(colon + 1), m) && h >= 0 && h < 24 && m >= 0 && m < 60 && t[0] != '+' && t[colon + 1] != '+' && t[colon + 1] != '-')
            return time_of_day{static_cast<int>(h * 60 + m)};
        // YAML 1.1 reads 21:00 as a number to the base of sixty; from 1:00 on.
        if (is_integer(t, m) && m >= 60 && m < 24 * 60) return time_of_day{static_cast<int>(m)};
    }
    fail("playbook.value", s, std::string{what} + " is a time of day, such as \"09:00\", this is " + kind_of(s.node));
    return std::nullopt;
}

std::vector<std::string> reading::texts(const spot& s, std::string_view what) {
    std::vector<std::string> out;
    if (s.node.IsScalar()) {
        if (auto t = text(s, what)) out.push_back(std::move(*t));
        return out;
    }
    for (const auto& item : items(s, what))
        if (auto t = text(item, "an item of " + std::string{what})) out.push_back(std::move(*t));
    return out;
}

std::vector<std::chrono::weekday> reading::weekdays(const spot& s) {
    std::vector<std::chrono::weekday> out;
    const auto one = [&](const spot& item) {
        if (const auto name = one_of(item, "a weekday", {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}))
            out.emplace_back(static_cast<unsigned>(std::find(std::begin(weekday_names), std::end(weekday_names), *name) - std::begin(weekday_names)));
    };
    if (s.node.IsScalar()) one(s);
    else
        for (const auto& item : items(s, "`on`")) one(item);
    return out;
}

// ---- expressions

template <class F> bool reading::parsed(const spot& s, F f) {
    try {
        f();
        return true;
    } catch (const error& e) {
        // A place in the text becomes one in the file where the file holds the text letter by letter.
        const auto& in_text = e.place();
        const auto begin = places.find(s.path + ":1:1");
        int line = 0, column = 0;
        if (const auto colon = in_text.find(':'); colon != in_text.npos) {
            std::from_chars(in_text.data(), in_text.data() + colon, line);
            std::from_chars(in_text.data() + colon + 1, in_text.data() + in_text.size(), column);
        }
        if (begin != places.end() && line == 1 && column >= 1) {
            const auto last = begin->second.rfind(':');
            int first = 0;
            std::from_chars(begin->second.data() + last + 1, begin->second.data() + begin->second.size(), first);
            fail_at(e.code(), begin->second.substr(0, last + 1) + std::to_string(first + column - 1), e.message());
        } else {
            fail(e.code(), s, e.message() + (line > 0 ? " (at " + in_text + " of the text)" : ""));
        }
        return false;
    }
}

namespace {

/// The JSON form as YAML holds it. An alias may stand for much: what it comes to is counted.
document document_of(reading& in, const YAML::Node& n, std::size_t depth, std::size_t& values) {
    if (depth > most_json_depth) throw error{"playbook.limit", "#", "this is nested deeper than anything a playbook says"};
    if (++values > most_json_values) throw error{"playbook.limit", "#", "there are more than 100,000 values in this; divide it"};
    if (n.IsSequence()) {
        document out = document::array();
        for (const auto& item : n) out.push_back(document_of(in, item, depth + 1, values));
        return out;
    }
    if (!n.IsMap()) return scalar_document(in.constant({n, ""}));
    document out = document::object();
    for (const auto& e : n) {
        if (!e.first.IsScalar()) throw error{"playbook.key", "#", "a key is a text, this is " + kind_of(e.first)};
        const bool is_on = e.first.Scalar() == "true" || e.first.Scalar() == "True";   // YAML 1.1 reads the key `on` as yes
        const std::string key = is_on ? "on" : e.first.Scalar();
        if (out.contains(key)) throw error{"playbook.key", "#", "`" + key + "` is given twice; leave one out"};
        out[key] = document_of(in, e.second, depth + 1, values);
    }
    return out;
}

/// The node a JSON pointer leads to, or the last one on the way that is there.
YAML::Node at_pointer(YAML::Node n, std::string_view pointer) {
    pointer.remove_prefix(std::min(pointer.size(), pointer.find('/')));
    while (pointer.starts_with('/')) {
        pointer.remove_prefix(1);
        const auto raw = pointer.substr(0, pointer.find('/'));
        pointer.remove_prefix(raw.size());
        std::string key;
        for (std::size_t k = 0; k < raw.size(); ++k) {
            if (raw[k] == '~' && k + 1 < raw.size()) key += raw[++k] == '1' ? '/' : '~';
            else key += raw[k];
        }
        YAML::Node next{YAML::NodeType::Undefined};
        std::size_t index = 0;
        if (n.IsMap()) {
            for (const auto& e : n)
                if (e.first.IsScalar() && (e.first.Scalar() == key || (key == "on" && (e.first.Scalar() == "true" || e.first.Scalar() == "True")))) next.reset(e.second);
        } else if (std::from_chars(key.data(), key.data() + key.size(), index).ec == std::errc{} && n.IsSequence() && index < n.size()) {
            next.reset(n[index]);
        }
        if (!next.IsDefined()) break;
        n.reset(next);
    }
    return n;
}

}  // namespace

/// `f` reads the document of a mapping; the pointer of an error becomes a place in the file.
template <class F> bool reading::read_tree(const spot& s, F f) {
    try {
        std::size_t values = 0;
        f(document_of(*this, s.node, 0, values));
        return true;
    } catch (const error& e) {
        fail_at(e.code(), file_.empty() ? s.path + e.place() : place(at_pointer(s.node, e.place()).Mark()), e.message());
        return false;
    }
}

bool reading::is_expression(const spot& s) {
    return s.node.IsMap() && s.node.size() > 0 && std::all_of(s.node.begin(), s.node.end(), [](const auto& e) {
        return e.first.IsScalar() && (is_expression_key(e.first.Scalar()) || e.first.Scalar() == "within");
    });
}

data reading::any(const spot& s) {
    data out;
    const auto from = [](const document& d, const auto& self) -> data {
        switch (d.type()) {
            case document::value_t::array: {
                data_list list;
                for (const auto& item : d) list.push_back(self(item, self));
                return list;
            }
            case document::value_t::object: {
                data_mapping mapping;
                for (const auto& [key, value] : d.items()) mapping.emplace_back(key, self(value, self));
                return mapping;
            }
            case document::value_t::boolean: return d.get<bool>();
            case document::value_t::number_integer:
            case document::value_t::number_unsigned: return d.get<std::int64_t>();
            case document::value_t::number_float: return d.get<double>();
            case document::value_t::string: return d.get<std::string>();
            default: return {};
        }
    };
    read_tree(s, [&](const document& d) { out = from(d, from); });
    return out;
}

expression reading::expr(const spot& s, std::string_view what, bare_names names) {
    expression out;
    if (s.node.IsMap()) read_tree(s, [&](const document& d) { out = expression_of(d); });
    else if (!s.node.IsScalar()) fail("playbook.value", s, std::string{what} + " is written as a text, this is " + kind_of(s.node) + "; put it in quotes");
    else parsed(s, [&] { out = expression::parse(s.node.Scalar(), names); });
    return out;
}

std::optional<selector> reading::select(const spot& s, std::string_view what, bool of_property) {
    std::optional<selector> out;
    if (s.node.IsMap()) read_tree(s, [&](const document& d) { out = selector_of(d); });
    else if (!s.node.IsScalar()) fail("playbook.value", s, std::string{what} + " is written as a text, such as `purchase where amount > 10`, this is " + kind_of(s.node));
    else parsed(s, [&] { out = selector::parse(s.node.Scalar()); });
    if (out && !of_property && !out->data().property.empty()) {
        fail("playbook.value", s, std::string{what} + " takes events, not their property `" + out->data().property + "`; leave it out");
        return std::nullopt;
    }
    return out;
}

scalar reading::constant(const spot& s) {
    const auto& t = s.node.IsScalar() ? s.node.Scalar() : std::string{};
    if (is_none(s.node)) return std::monostate{};
    if (is_quoted(s.node)) return t;
    std::int64_t i = 0;
    double d = 0;
    if (const auto b = is_boolean(t)) return *b;
    if (is_integer(t, i)) return i;
    if (is_decimal(t, d)) return d;
    return t;
}

expression reading::constant_expression(const spot& s, std::string_view what) {
    if (s.node.IsScalar() || is_none(s.node)) return expression::literal(constant(s));
    if (s.node.IsMap()) {
        keyed k{*this, s, std::string{what}, {"expr"}};
        const auto e = k.need("expr", "what is computed is written {expr: now + 5d}");
        return e ? expr(*e, what) : expression{};
    }
    node list;
    list.kind = node_kind::list;
    for (const auto& item : items(s, what)) {
        if (item.node.IsScalar()) list.args.push_back(expression::literal(constant(item)));
        else fail("playbook.value", item, "an item of a list is a text or a number, this is " + kind_of(item.node));
    }
    expression out;
    parsed(s, [&] { out = make(std::move(list)); });
    return out;
}

payload reading::values(const spot& s, std::string_view what) {
    payload out;
    for (const auto& [name, at] : entries(s, what)) {
        auto value = constant_expression(at, "`" + name + "`");
        if (!value.empty()) out.emplace_back(name, std::move(value));
    }
    return out;
}

}  // namespace journeyman::detail
