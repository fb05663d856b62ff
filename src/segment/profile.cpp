#include "journeyman/segment/profile.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "core/interval.hpp"
#include "journeyman/core/exact_sum.hpp"
#include "segment/questions.hpp"
#include "segment/share.hpp"

namespace journeyman {
namespace {

constexpr double microseconds_a_day = 86'400e6;

/// Two of the same: of the members, and of the rest.
template <class T> struct sides {
    T in{}, out{};
    T& operator[](bool inside) { return inside ? in : out; }
    const T& operator[](bool inside) const { return inside ? in : out; }
};

/// Every attribute, and whether and how often every event happened. Names that begin with `$` are the library's own.
named_expressions everything(const schema& known) {
    std::vector<expression> all;
    for (const auto& [name, type] : known.contact) all.push_back(attr("contact." + name));
    for (const auto& [name, type] : known.account) all.push_back(attr("account." + name));
    for (const auto& [name, properties] : known.events) {
        if (name.starts_with('$')) continue;
        all.push_back(selector{selector_data{.event = name}}.did());
        all.push_back(selector{selector_data{.event = name}}.count());
    }
    return named(all);
}

/// A number as it is compared: days for what is time.
double measured(const value& v, instant at, const time_zone& zone) {
    const auto before = [&](instant t) { return (static_cast<double>(at.time_since_epoch().count()) - static_cast<double>(t.time_since_epoch().count())) / microseconds_a_day; };
    switch (v.type) {
        case value_type::duration: return static_cast<double>(v.i) / microseconds_a_day;
        case value_type::instant: return before(v.as_instant());
        case value_type::day: return before(start_of(v.as_day(), zone));
        default: return v.as_decimal();
    }
}
const char* unit_of(value_type t) { return t == value_type::duration ? "days" : t == value_type::instant || t == value_type::day ? "days before" : ""; }
bool is_measured(value_type t) { return is_number(t) || t == value_type::duration || t == value_type::instant || t == value_type::day; }

detail::moments moments_of(const std::vector<double>& all) {
    detail::moments m{.n = static_cast<double>(all.size())};
    if (all.empty()) return m;
    exact_sum sum, squares;
    for (const double x : all) sum.add(x);
    m.mean = sum.value() / m.n;
    if (all.size() < 2) return m;
    for (const double x : all) squares.add((x - m.mean) * (x - m.mean));
    m.variance = squares.value() / (m.n - 1);
    return m;
}

/// How far from 0 the difference surely is.
double surely(const detail::interval& i) { return i.low > 0 ? i.low : i.high < 0 ? -i.high : 0.0; }

/// A row of either table, before it is sorted and written.
struct finding {
    std::string expression, label;           // the value, or the unit
    sides<double> count, level;              // level: share or mean
    std::optional<double> difference = {};
    std::optional<detail::interval> bounds = {};
    std::optional<double> stands_out = {};
};

bool stands_out_more(const finding& a, const finding& b) {
    const double x = a.stands_out.value_or(-1), y = b.stands_out.value_or(-1);
    if (x != y) return x > y;
    const double d = std::fabs(a.difference.value_or(0)), e = std::fabs(b.difference.value_or(0));
    if (d != e) return d > e;
    return std::tie(a.expression, a.label) < std::tie(b.expression, b.label);
}

/// One expression: how often each value is there, or the numbers, on either side.
class comparing {
public:
    comparing(std::string name, value_type type) : name_{std::move(name)}, type_{type} {}

    void add(const value& v, bool inside, instant at, const vocabulary& words, const text_pool& pool) {
        if (v.is_missing()) return void(++missing_[inside]);
        if (is_measured(type_)) return numbers_[inside].push_back(measured(v, at, *words.context.zone));
        if (v.type == value_type::text_list) {
            auto items = pool.list(v.as_list());
            std::sort(items.begin(), items.end());
            items.erase(std::unique(items.begin(), items.end()), items.end());   // who has it twice is one contact
            for (const auto item : items) ++counts_[{value_type::text, static_cast<std::int64_t>(item)}][inside];
            return;
        }
        ++counts_[{v.type, v.type == value_type::decimal ? std::bit_cast<std::int64_t>(v.d) : v.i}][inside];
    }

    /// `all`: the contacts on either side.
    void tell_values(const sides<double>& all, const profile_options& o, const text_pool& pool, std::vector<finding>& out) const {
        std::vector<finding> mine;
        const auto tell = [&](std::string label, const sides<std::size_t>& n) {
            finding f{name_, std::move(label), {static_cast<double>(n.in), static_cast<double>(n.out)}, {}};
            if (all.in > 0 && all.out > 0) {
                f.level = {f.count.in / all.in, f.count.out / all.out};
                f.difference = f.level.in - f.level.out;
                f.bounds = detail::newcombe(f.count.in, all.in, f.count.out, all.out, o.level);
                f.stands_out = surely(*f.bounds);
            }
            mine.push_back(std::move(f));
        };
        for (const auto& [key, n] : counts_) {
            const auto v = key.first == value_type::decimal ? value::of(std::bit_cast<double>(key.second)) : value::of(key.first, key.second);
            if (type_ == value_type::boolean && !v.is_yes()) continue;   // the rest of the yes and the missing
            tell(to_text(v, pool), n);
        }
        if (missing_.in + missing_.out > 0) tell("(missing)", missing_);
        std::sort(mine.begin(), mine.end(), stands_out_more);
        if (mine.size() > o.most_values) mine.resize(o.most_values);
        out.insert(out.end(), std::make_move_iterator(mine.begin()), std::make_move_iterator(mine.end()));
    }
    void tell_numbers(const profile_options& o, std::vector<finding>& out) const {
        if (!is_measured(type_)) return;
        const auto a = moments_of(numbers_.in), b = moments_of(numbers_.out);
        finding f{name_, unit_of(type_), {a.n, b.n}, {a.mean, b.mean}};
        if (a.n > 0 && b.n > 0 && std::isfinite(a.mean - b.mean)) f.difference = a.mean - b.mean;
        f.bounds = detail::welch(a, b, o.level);
        if (f.bounds) f.stands_out = surely(*f.bounds) / std::sqrt(((a.n - 1) * a.variance + (b.n - 1) * b.variance) / (a.n + b.n - 2));
        out.push_back(std::move(f));
    }

private:
    std::string name_;
    value_type type_;
    std::map<std::pair<value_type, std::int64_t>, sides<std::size_t>> counts_;
    sides<std::size_t> missing_;
    sides<std::vector<double>> numbers_;
};

void push(table_column& to, std::optional<double> x) {
    if (x) to.push_decimal(*x);
    else to.push_missing();
}
std::optional<double> present(bool is_there, double x) { return is_there ? std::optional{x} : std::nullopt; }

void push_difference(table& to, std::size_t column, const finding& f) {
    push(to[column++], f.difference);
    push(to[column++], f.bounds ? std::optional{f.bounds->low} : std::nullopt);
    push(to[column++], f.bounds ? std::optional{f.bounds->high} : std::nullopt);
    push(to[column], f.stands_out);
}

}  // namespace

profile_report profile(const history& h, const selection& who, instant at, const profile_options& o, const vocabulary& words, const progress_listener& progress) {
    if (!(o.level > 0 && o.level < 1)) throw error{"profile.level", "level", "the level of an interval lies between 0 and 1, such as 0.95"};
    const auto& pool = *h.data().pool;
    detail::questions ask{h, words};
    std::vector<node_id> nodes;
    std::vector<comparing> compared;
    for (const auto& [name, e] : o.columns.empty() ? everything(h.schema()) : o.columns) {
        nodes.push_back(ask.add(e, "columns." + name));
        compared.emplace_back(name, ask.type_of(nodes.back()));
    }
    std::vector<char> inside(h.contacts_count());
    for (const auto k : who.numbers()) inside[k] = 1;
    sides<double> all;
    detail::each_contact(h, ask.program(), progress, [&](history_reader& reader, std::uint32_t k) {
        if (!reader.exists(at)) return;
        all[inside[k] != 0] += 1;
        const auto& seen = reader.see(at);
        for (std::size_t c = 0; c < nodes.size(); ++c) compared[c].add(detail::answer(*ask.program(), nodes[c], seen, at), inside[k] != 0, at, words, pool);
    });

    std::vector<finding> values, numbers;
    for (const auto& c : compared) {
        c.tell_values(all, o, pool, values);
        c.tell_numbers(o, numbers);
    }
    std::sort(values.begin(), values.end(), stands_out_more);
    std::sort(numbers.begin(), numbers.end(), stands_out_more);

    const auto text = value_type::text, integer = value_type::integer, decimal = value_type::decimal;
    profile_report out;
    out.values = table{{"expression", text}, {"value", text}, {"inside", integer}, {"share_inside", decimal}, {"outside", integer}, {"share_outside", decimal},
                       {"lift", decimal}, {"difference", decimal}, {"low", decimal}, {"high", decimal}, {"stands_out", decimal}};
    for (const auto& f : values) {
        out.values[0].push_text(f.expression);
        out.values[1].push_text(f.label);
        out.values[2].push_integer(static_cast<std::int64_t>(f.count.in));
        push(out.values[3], present(all.in > 0, f.count.in / all.in));
        out.values[4].push_integer(static_cast<std::int64_t>(f.count.out));
        push(out.values[5], present(all.out > 0, f.count.out / all.out));
        push(out.values[6], present(f.difference && f.count.out > 0, f.level.in / f.level.out));
        push_difference(out.values, 7, f);
    }
    out.numbers = table{{"expression", text}, {"unit", text}, {"inside", integer}, {"mean_inside", decimal}, {"outside", integer}, {"mean_outside", decimal},
                        {"difference", decimal}, {"low", decimal}, {"high", decimal}, {"stands_out", decimal}};
    for (const auto& f : numbers) {
        out.numbers[0].push_text(f.expression);
        out.numbers[1].push_text(f.label);
        out.numbers[2].push_integer(static_cast<std::int64_t>(f.count.in));
        push(out.numbers[3], present(f.count.in > 0, f.level.in));
        out.numbers[4].push_integer(static_cast<std::int64_t>(f.count.out));
        push(out.numbers[5], present(f.count.out > 0, f.level.out));
        push_difference(out.numbers, 6, f);
    }
    return out;
}

}  // namespace journeyman
