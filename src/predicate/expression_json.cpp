// The JSON form (docs/predicates.md): a tree from a document, with the pointer of every error, and a document from a tree.

#include "predicate/expression_json.hpp"

#include <set>

#include "predicate/expression_words.hpp"

namespace journeyman {
namespace {

using detail::aggregate_shape;
using detail::document;

class tree_reader {
public:
    expression expression_of(const document& j)
    {
        switch (j.type()) {
        case document::value_t::boolean: return literal(j.get<bool>());
        case document::value_t::number_integer:
        case document::value_t::number_unsigned: return integer(j);
        case document::value_t::number_float: return literal(j.get<double>());
        case document::value_t::string: return literal(j.get<std::string>());
        case document::value_t::array: {
            node n;
            n.kind = node_kind::list;
            n.args = items(j);
            return made(std::move(n));
        }
        case document::value_t::object: return keyed(j);
        default: fail(R"(There is no `null`: nothing equals what is missing. Ask {"missing": …} or {"exists": …}.)");
        }
    }

    selector_data selector_of(const document& j)
    {
        selector_data s;
        if (j.is_string()) {
            event_of(j, s);
        } else if (j.is_object()) {
            for (const auto& [key, value] : j.items()) {
                const deeper here{*this, key};
                if (key == "event") {
                    event_of(value, s);
                } else if (key == "property") {
                    s.property = text_of(value, "the name of a property");
                } else if (key == "where") {
                    s.where = expression_of(value);
                } else if (key == "without") {
                    without_of(value, s);
                } else if (detail::is_one_of(key, detail::window_keys)) {
                    if (s.window.kind != window_kind::all) {
                        fail("A selector has one window; this is a second.");
                    }
                    s.window = window_of(key, value);
                } else {
                    std::vector<std::string> known{"event", "property", "where", "without"};
                    known.insert(known.end(), std::begin(detail::window_keys), std::end(detail::window_keys));
                    fail("A selector has no key `" + key + "`." + did_you_mean(key, known));
                }
            }
        } else {
            fail(R"(A selector is the name of an event, or {"event": NAME, "where": …, "last": "30d"}.)");
        }
        checked([&] { detail::check(s); });
        return s;
    }

private:
    /// The way from the root to what is being read.
    struct deeper {
        tree_reader& in;
        std::size_t before;
        deeper(tree_reader& r, std::string_view key) : in{r}, before{r.path_.size()}
        {
            r.path_ += '/';
            for (const char c : key) {   // RFC 6901
                r.path_ += c == '~' ? "~0" : c == '/' ? "~1" : std::string{c};
            }
        }
        deeper(const deeper&) = delete;
        ~deeper() { in.path_.resize(before); }
    };

    [[noreturn]] void fail(std::string message) const { throw error{"predicate.syntax", path_, std::move(message)}; }
    /// What the tree's own checks refuse has its place here.
    template <class F> auto checked(F f) const -> decltype(f())
    {
        try {
            return f();
        } catch (const error& e) {
            throw error{e.code(), path_, e.message()};
        }
    }
    expression made(node n) const
    {
        return checked([&] { return make(std::move(n)); });
    }
    expression literal(scalar s) const
    {
        return checked([&] { return expression::literal(std::move(s)); });
    }
    /// One that has no place among the integers is a decimal, as in the text form.
    expression integer(const document& j) const
    {
        const bool fits = j.is_number_unsigned() ? j.get<std::uint64_t>() <= std::uint64_t{INT64_MAX} : j.get<std::int64_t>() > INT64_MIN;
        return fits ? literal(j.get<std::int64_t>()) : literal(j.get<double>());
    }

    std::string text_of(const document& j, const std::string& what) const
    {
        if (!j.is_string()) {
            fail("Expected " + what + ", a text in double quotes.");
        }
        return j.get<std::string>();
    }
    length length_of(const document& j) const
    {
        length d;
        if (!j.is_string() || !parse_length(j.get_ref<const std::string&>(), d)) {
            fail(R"(Expected a length of time, such as "30d", "1h30m" or "1mo".)");
        }
        return d;
    }
    calendar_unit unit_of(const document& j) const
    {
        const auto name = text_of(j, "day, week, month, quarter or year");
        const auto unit = detail::find_unit(name);
        if (!unit) {
            fail("Expected day, week, month, quarter or year." + did_you_mean(name, {"day", "week", "month", "quarter", "year"}));
        }
        return *unit;
    }

    template <class F> void each(const document& list, F f)
    {
        for (std::size_t k = 0; k < list.size(); ++k) {
            const deeper here{*this, std::to_string(k)};
            f(list[k]);
        }
    }
    std::vector<expression> items(const document& list)
    {
        std::vector<expression> out;
        each(list, [&](const document& item) { out.push_back(expression_of(item)); });
        return out;
    }
    /// One operand may stand without a list round it, unless it is a list itself.
    std::vector<expression> operands(const document& j)
    {
        return j.is_array() ? items(j) : std::vector<expression>{expression_of(j)};
    }

    expression keyed(const document& j)
    {
        std::string key;
        bool within = false;
        for (const auto& [k, value] : j.items()) {
            if (k == "within") {
                within = true;
            } else if (!key.empty()) {
                fail("An expression says one thing, this one both `" + key + "` and `" + k + R"(`. Join them: {"and": [{…}, {…}]}.)");
            } else {
                key = k;
            }
        }
        if (key.empty()) {
            fail(R"(An expression says what it asks: {"attr": "city"}, {"==": [{"attr": "city"}, "Roma"]}, {"count": "purchase"} …)");
        }
        node n;
        {
            const deeper here{*this, key};
            n = node_of(key, j[key]);
        }
        if (within) {
            if (n.kind != node_kind::aggregate) {
                fail("`" + key + "` takes no `within`.");
            }
            const deeper here{*this, "within"};
            n.within = length_of(j["within"]);
        }
        return made(std::move(n));
    }

    node node_of(const std::string& key, const document& value)
    {
        node n;
        if (key == "attr") {
            return detail::attribute_node(text_of(value, "the name of an attribute"));
        }
        if (key == "prop" || key == "trigger") {
            n.kind = key == "prop" ? node_kind::property : node_kind::trigger_property;
            n.name = text_of(value, "the name of a property");
        } else if (key == "duration") {
            n.value = length_of(value);
        } else if (key == "now" || key == "event.time" || key == "event.name") {
            n.kind = key == "now" ? node_kind::now : key == "event.time" ? node_kind::event_time : node_kind::event_name;
            nothing(key, value);
        } else if (const auto a = find_aggregate(key)) {
            aggregate_of(*a, key, value, n);
        } else if (const auto f = find_function(key)) {
            n.kind = node_kind::call;
            n.function = *f;
            n.args = operands(value);
        } else if (const auto* const op = detail::find_operator(key)) {
            n.args = operands(value);
            n.kind = op->kind == node_kind::subtract && n.args.size() == 1 ? node_kind::negate : op->kind;
        } else {
            std::vector<std::string> known{std::begin(detail::leaf_keys), std::end(detail::leaf_keys)};
            for (const auto& w : detail::aggregate_words) {
                known.emplace_back(w.name);
            }
            for (const auto& w : detail::function_words) {
                known.emplace_back(w.name);
            }
            for (const auto& w : detail::operator_words) {
                known.emplace_back(w.text);
            }
            fail("There is no operator or function `" + key + "`." + did_you_mean(key, known));
        }
        return n;
    }
    void nothing(const std::string& key, const document& value) const
    {
        if (!value.is_array() || !value.empty()) {
            fail("`" + key + "` takes no operand: {\"" + key + "\": []}.");
        }
    }

    void aggregate_of(aggregate a, const std::string& key, const document& value, node& n)
    {
        n.kind = node_kind::aggregate;
        n.aggregate = a;
        switch (detail::word_of(a).shape) {
        case aggregate_shape::predicate: n.args = operands(value); break;
        case aggregate_shape::nothing: nothing(key, value); break;
        case aggregate_shape::filter:
            if (!value.is_object() || value.size() > 1 || (value.size() == 1 && !value.contains("where"))) {
                fail("`" + key + "` takes nothing or a filter: {\"" + key + "\": {}} or {\"" + key + "\": {\"where\": …}}.");
            }
            if (!value.empty()) {
                const deeper here{*this, "where"};
                n.args.push_back(expression_of(value["where"]));
            }
            break;
        default:
            if (value.is_array()) {
                each(value, [&](const document& item) { n.selectors.push_back(selector_of(item)); });
            } else {
                n.selectors.push_back(selector_of(value));
            }
        }
    }

    void event_of(const document& j, selector_data& s) const
    {
        if (j.is_object() && j.size() == 1 && j.contains("name")) {
            s.event = text_of(j["name"], "the name of an event");
            return;
        }
        auto name = text_of(j, "the name of an event");
        if (name == "any") {
            s.prefix = true;
        } else {
            auto named = detail::named_event(std::move(name));
            s.event = std::move(named.event);
            s.prefix = named.prefix;
        }
    }
    void without_of(const document& j, selector_data& s)
    {
        if (!j.is_object()) {
            fail(R"(`without` is {"event": NAME, "where": …, "on": PROPERTY, "within": "1h"}.)");
        }
        selector_data other;
        for (const auto& [key, value] : j.items()) {
            const deeper here{*this, key};
            if (key == "event") {
                event_of(value, other);
            } else if (key == "where") {
                other.where = expression_of(value);
            } else if (key == "on") {
                s.without_on = text_of(value, "the name of a property");
            } else if (key == "within") {
                s.without_within = length_of(value);
            } else {
                fail("`without` has no key `" + key + "`." + did_you_mean(key, {"event", "where", "on", "within"}));
            }
        }
        s.without = std::make_shared<const selector_data>(std::move(other));
    }
    window window_of(const std::string& key, const document& value)
    {
        window w;
        if (key == "last") {
            w.kind = window_kind::last;
            w.last = length_of(value);
        } else if (key == "since") {
            w.kind = window_kind::since;
            w.from = expression_of(value);
        } else if (key == "before") {
            w.kind = window_kind::before;
            w.to = expression_of(value);
        } else if (key == "between") {
            w.kind = window_kind::between;
            if (!value.is_array() || value.size() != 2) {
                fail("`between` takes two instants: from the first until the second.");
            }
            auto ends = items(value);
            w.from = std::move(ends[0]);
            w.to = std::move(ends[1]);
        } else if (key == "this" || key == "previous") {
            w.kind = key == "this" ? window_kind::this_unit : window_kind::previous_unit;
            w.unit = unit_of(value);
        } else if (key == "since_entry") {
            w.kind = window_kind::since_entry;
            if (value != document(true)) {
                fail("`since_entry` is true; leave it out where it is not meant.");
            }
        } else {
            w.kind = window_kind::since_step;
            w.step = text_of(value, "the name of a step");
        }
        return w;
    }

    std::string path_ = "#";
};

/// The document of a text, refused before it takes more memory than a tree may.
document read_document(std::string_view text)
{
    if (text.size() > 1'000'000) {
        throw error{"predicate.limit", "1:1", "A text may have 1,000,000 bytes."};
    }
    constexpr std::size_t most_keys = 100;
    std::size_t values = 0;
    std::vector<std::set<std::string>> keys;   // of the objects that are open
    const auto look = [&](int depth, document::parse_event_t event, document& parsed) {
        switch (event) {
        case document::parse_event_t::object_start: keys.emplace_back(); break;
        case document::parse_event_t::object_end: keys.pop_back(); break;
        case document::parse_event_t::key:
            if (keys.back().size() == most_keys) {   // the document looks through them for each that comes
                throw error{"predicate.syntax", "#", "An object with more than 100 keys is neither an expression nor a selector."};
            }
            if (!keys.back().insert(parsed.get<std::string>()).second) {
                throw error{"predicate.syntax", "#", "The key `" + parsed.get<std::string>() + "` is given twice in one object; leave one out."};
            }
            break;
        default: break;
        }
        if (depth > static_cast<int>(detail::most_json_depth)) {
            throw error{"predicate.limit", "#", "An expression may be nested 64 deep. Name its parts as segments, or join them with `and` and `or` on one level."};
        }
        if (++values > 2 * detail::most_json_values) {   // ends and keys are counted too
            throw error{"predicate.limit", "#", "An expression may have 10,000 nodes. Put long lists of values into an attribute."};
        }
        return true;
    };
    try {
        return document::parse(text.begin(), text.end(), look);
    } catch (const document::exception& e) {
        const auto* const bad = dynamic_cast<const document::parse_error*>(&e);
        const std::size_t byte = bad == nullptr || bad->byte == 0 ? 0 : std::min(bad->byte - 1, text.size());
        source_place at{1, 1};
        for (const char c : text.substr(0, byte)) {
            if (c == '\n') {
                ++at.line;
                at.column = 1;
            } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
                ++at.column;
            }
        }
        throw error{bad == nullptr ? "predicate.value" : "predicate.syntax", detail::to_text(at), "This is not JSON here; look for a comma, a quote or a bracket that is missing or too many."};
    }
}

// ---- writing

document name_of(const selector_data& s)
{
    if (s.is_any()) {
        return "any";
    }
    if (s.prefix) {
        return s.event + "*";
    }
    return s.event == "any" || s.event.ends_with('*') ? document{{"name", s.event}} : document(s.event);
}

void put_window(document& out, const window& w)
{
    switch (w.kind) {
    case window_kind::all: break;
    case window_kind::last: out["last"] = to_text(w.last); break;
    case window_kind::since: out["since"] = detail::to_document(w.from); break;
    case window_kind::before: out["before"] = detail::to_document(w.to); break;
    case window_kind::between: out["between"] = document::array({detail::to_document(w.from), detail::to_document(w.to)}); break;
    case window_kind::this_unit: out["this"] = detail::word_of(w.unit); break;
    case window_kind::previous_unit: out["previous"] = detail::word_of(w.unit); break;
    case window_kind::since_entry: out["since_entry"] = true; break;
    case window_kind::since_step: out["since_step"] = w.step; break;
    }
}

document operands_of(const std::vector<expression>& args)
{
    document list = document::array();
    for (const auto& a : args) {
        list.push_back(detail::to_document(a));
    }
    if (list.size() == 1 && !list[0].is_array()) {
        return std::move(list[0]);
    }
    return list;
}

document aggregate_document(const node& n)
{
    const auto& word = detail::word_of(n.aggregate);
    document value;
    switch (word.shape) {
    case aggregate_shape::predicate: value = operands_of(n.args); break;
    case aggregate_shape::nothing: value = document::array(); break;
    case aggregate_shape::filter:
        value = document::object();
        if (!n.args.empty()) {
            value["where"] = detail::to_document(n.args[0]);
        }
        break;
    default:
        if (n.selectors.size() == 1) {
            value = detail::to_document(n.selectors[0]);
        } else {
            for (const auto& s : n.selectors) {
                value.push_back(detail::to_document(s));
            }
        }
    }
    document out{{std::string{word.name}, std::move(value)}};
    if (n.within) {
        out["within"] = to_text(*n.within);
    }
    return out;
}

}  // namespace

expression detail::expression_of(const document& j) { return tree_reader{}.expression_of(j); }
selector detail::selector_of(const document& j) { return selector{tree_reader{}.selector_of(j)}; }

bool detail::is_expression_key(std::string_view key)
{
    return is_one_of(key, leaf_keys) || find_aggregate(key) || find_function(key) || find_operator(key) != nullptr;
}

document detail::scalar_document(const scalar& s)
{
    if (const auto* const b = std::get_if<bool>(&s)) {
        return *b;
    }
    if (const auto* const i = std::get_if<std::int64_t>(&s)) {
        return *i;
    }
    if (const auto* const d = std::get_if<double>(&s)) {
        return *d;
    }
    if (const auto* const list = std::get_if<std::vector<std::string>>(&s)) {
        return *list;
    }
    return std::holds_alternative<std::monostate>(s) ? document(nullptr) : document(to_text(s));
}

document detail::to_document(const expression& e)
{
    if (e.empty()) {
        return nullptr;
    }
    const node& n = *e;
    switch (n.kind) {
    case node_kind::literal: return std::holds_alternative<length>(n.value) ? document{{"duration", to_text(n.value)}} : scalar_document(n.value);
    case node_kind::list: {
        document out = document::array();
        for (const auto& a : n.args) {
            out.push_back(to_document(a));
        }
        return out;
    }
    case node_kind::attribute: {
        // A name that looks like another's has its owner before it.
        const bool plain = detail::attribute_node(n.name).kind == node_kind::attribute && !n.name.starts_with("contact.");
        return {{"attr", plain ? n.name : "contact." + n.name}};
    }
    case node_kind::account_attribute: return {{"attr", "account." + n.name}};
    case node_kind::property: return {{"prop", n.name}};
    case node_kind::trigger_property: return {{"trigger", n.name}};
    case node_kind::event_time: return {{"event.time", document::array()}};
    case node_kind::event_name: return {{"event.name", document::array()}};
    case node_kind::now: return {{"now", document::array()}};
    case node_kind::negate: return {{"-", operands_of(n.args)}};
    case node_kind::call: return {{std::string{to_string(n.function)}, operands_of(n.args)}};
    case node_kind::aggregate: return aggregate_document(n);
    default: return {{std::string{operator_of(n.kind)->text}, operands_of(n.args)}};
    }
}

document detail::to_document(const selector_data& s)
{
    auto name = name_of(s);
    if (name.is_string() && s.property.empty() && s.where.empty() && s.without == nullptr && s.window.kind == window_kind::all) {
        return name;
    }
    document out{{"event", std::move(name)}};
    if (!s.property.empty()) {
        out["property"] = s.property;
    }
    if (!s.where.empty()) {
        out["where"] = to_document(s.where);
    }
    if (s.without != nullptr) {
        auto& other = out["without"] = document{{"event", name_of(*s.without)}};
        if (!s.without->where.empty()) {
            other["where"] = to_document(s.without->where);
        }
        other["on"] = s.without_on;
        if (s.without_within) {
            other["within"] = to_text(*s.without_within);
        }
    }
    put_window(out, s.window);
    return out;
}

expression expression::from_json(std::string_view json) { return detail::expression_of(read_document(json)); }
selector selector::from_json(std::string_view json) { return detail::selector_of(read_document(json)); }
std::string expression::to_json() const { return detail::to_document(*this).dump(); }
std::string selector::to_json() const { return detail::to_document(data_).dump(); }

}  // namespace journeyman
