// The parts of a playbook's report: which settings a statistic takes, read and checked. Python calls the statistics with them.

#include <algorithm>
#include <array>
#include <utility>

#include "journeyman/playbook/playbook.hpp"
#include "kpi/counted_events.hpp"
#include "playbook/reading.hpp"
#include "playbook/schema.hpp"

namespace journeyman::detail {
namespace {

using words = std::initializer_list<std::string_view>;
const words corrections{"holm", "benjamini-hochberg", "bonferroni", "none"}, credits{"first", "last", "linear", "position", "time_decay", "markov", "shapley"},
    models{"bg_nbd", "mbg_nbd", "pareto_nbd", "bg_bb"}, units{"day", "week", "month", "quarter", "year"};

enum class takes : std::uint8_t { text, expression, predicate, events, property, metrics, shares, dimensions, share, number, whole, duration, instant, word, words };
struct setting {
    std::string_view name;
    takes kind;
    journeyman::detail::words known = {};
};
struct statistic_settings {
    std::string_view name;
    std::vector<setting> settings;
    std::vector<std::pair<std::string_view, std::string_view>> needed;   // and what to write
};

const std::array<statistic_settings, 4>& statistics() {
    static const std::array<statistic_settings, 4> all{{
        {"experiment",
         {{"arm", takes::expression}, {"split", takes::text}, {"metrics", takes::metrics}, {"control", takes::text}, {"before", takes::metrics}, {"weights", takes::shares}, {"level", takes::share}, {"correction", takes::word, corrections}, {"until", takes::instant}},
         {{"metrics", "what is compared, such as {bought: did(purchase)}"}}},
        {"attribution",
         {{"touch", takes::property}, {"conversion", takes::property}, {"within", takes::duration}, {"who", takes::predicate}, {"models", takes::words, credits}, {"order", takes::whole}, {"half_life", takes::number}, {"until", takes::instant}},
         {{"touch", "the event whose property is the channel, such as visit.channel"}, {"conversion", "the event that is to be credited, such as purchase.amount"}}},
        {"lifetime_value",
         {{"purchase", takes::property}, {"amount", takes::text}, {"model", takes::word, models}, {"unit", takes::word, units}, {"scale", takes::number}, {"split", takes::instant}, {"by", takes::dimensions}, {"period", takes::number}, {"periods", takes::whole}, {"rate", takes::number}, {"until", takes::instant}},
         {}},
        {"survival",
         {{"start", takes::events}, {"event", takes::events}, {"lapse", takes::duration}, {"by", takes::dimensions}, {"unit", takes::duration}, {"level", takes::share}, {"until", takes::instant}},
         {{"start", "the event at which the clock starts, such as lead"}}},
    }};
    return all;
}
const statistic_settings* find_statistic(std::string_view name) {
    for (const auto& s : statistics())
        if (s.name == name) return &s;
    return nullptr;
}

// ---- reading

data as_written(const spot& s) { return s.node.Scalar(); }

/// An expression, kept as its text.
data expression_of(reading& in, const spot& s, const std::string& what, bare_names names = bare_names::attribute) {
    if (!in.is_text(s)) {
        in.fail("playbook.value", s, what + " is written as a text");
        return {};
    }
    in.expr(s, what, names);
    return as_written(s);
}

data metric_of(reading& in, const spot& s) {
    if (!in.is_list(s)) return expression_of(in, s, "a metric");
    data_list pair;
    for (const auto& item : in.items(s, "a metric")) pair.push_back(expression_of(in, item, "a metric"));
    if (pair.size() != 2) in.fail("playbook.value", s, "a metric is an expression, or a list of two: the first is divided by the second");
    return pair;
}

data read_setting(reading& in, const setting& known, const spot& s) {
    const auto what = "`" + std::string{known.name} + "`";
    const auto numeric = [&](bool positive, double most) {
        const auto x = in.number(s, what);
        if (x && ((positive && !(*x > 0)) || !(*x < most))) in.fail("playbook.value", s, what + (most == 1 ? " lies between 0 and 1" : " is above 0"));
        return in.any(s);
    };
    switch (known.kind) {
        case takes::expression:
        case takes::predicate: return expression_of(in, s, what);
        case takes::events:
        case takes::property:
            if (!in.is_text(s)) in.fail("playbook.value", s, what + " is written as a text");
            else in.select(s, what, known.kind == takes::property);
            break;
        case takes::metrics: {
            data_mapping out;
            for (const auto& [name, at] : in.entries(s, what)) out.emplace_back(name, metric_of(in, at));
            return out;
        }
        case takes::shares: {
            data_mapping out;
            for (const auto& [name, at] : in.entries(s, what)) {
                in.number(at, "a weight");
                out.emplace_back(name, in.any(at));
            }
            return out;
        }
        case takes::dimensions: {
            data_list out;
            if (!in.is_list(s)) out.push_back(expression_of(in, s, "a dimension", bare_names::property));
            else
                for (const auto& item : in.items(s, what)) out.push_back(expression_of(in, item, "a dimension", bare_names::property));
            return out;
        }
        case takes::words: {
            if (!in.is_list(s)) in.one_of(s, what, known.known);
            else
                for (const auto& item : in.items(s, what)) in.one_of(item, "an item of " + what, known.known);
            return in.is_list(s) || in.is_text(s) ? data{in.texts(s, what)} : data{};
        }
        case takes::share: return numeric(true, 1);
        case takes::number: return numeric(known.name != "rate", 1e300);
        case takes::whole:
            if (const auto n = in.whole(s, what, 1); n && known.name == "order" && *n > 5) in.fail("playbook.value", s, "`order` is at most 5");
            return in.any(s);
        case takes::duration: in.duration(s, what); break;
        case takes::word: in.one_of(s, what, known.known); break;
        case takes::text: in.text(s, what); break;
        case takes::instant: in.text(s, what); break;
    }
    return s.node.IsScalar() ? as_written(s) : data{};
}

}  // namespace

report_part read_report_part(reading& in, const std::string& title, const spot& s) {
    report_part out{title, {}, {}};
    std::vector<std::string> names;
    for (const auto& x : statistics()) names.emplace_back(x.name);
    keyed part{in, s, "a part of the report", std::move(names)};
    if (!part) return out;
    for (const auto& x : statistics()) {
        if (!part.has(x.name)) continue;
        if (!out.statistic.empty()) in.fail("playbook.value", s, "a part of the report is one statistic; write two parts");
        out.statistic = x.name;
        const auto at = part.find(x.name);
        if (!at) continue;
        std::vector<std::string> known;
        for (const auto& k : x.settings) known.emplace_back(k.name);
        keyed given{in, *at, "`" + std::string{x.name} + "`", std::move(known)};
        for (const auto& [name, remedy] : x.needed) static_cast<void>(given.need(name, remedy));
        for (const auto& k : x.settings)
            if (given.has(k.name))
                if (const auto value = given.find(k.name)) out.settings.emplace_back(k.name, read_setting(in, k, *value));
    }
    if (out.statistic.empty()) in.fail("playbook.missing", s, "a part of the report is an experiment, attribution, lifetime_value or survival, such as {survival: {start: lead, event: purchase}}");
    return out;
}

// ---- checking

namespace {

const data* find(const report_part& part, std::string_view name) {
    for (const auto& [key, value] : part.settings)
        if (key == name) return &value;
    return nullptr;
}
std::string text_of(const data& d) {
    const auto* s = std::get_if<scalar>(&d.is);
    const auto* t = s == nullptr ? nullptr : std::get_if<std::string>(s);
    return t == nullptr ? std::string{} : *t;
}
/// The texts of a text, a list or a mapping, with their paths below `place`.
void each_text(const data& d, const std::string& place, auto f) {
    if (const auto* list = std::get_if<data_list>(&d.is)) {
        for (std::size_t k = 0; k < list->size(); ++k) each_text((*list)[k], list->size() == 1 ? place : place + "." + std::to_string(k), f);
    } else if (const auto* mapping = std::get_if<data_mapping>(&d.is)) {
        for (const auto& [name, value] : *mapping) each_text(value, place + "." + name, f);
    } else f(text_of(d), place);
}

/// `visit.channel` is a property of `visit`, unless an event has that whole name.
selector events_of(const std::string& text, const schema& known) {
    const auto s = selector::parse(text);
    if (s.data().event.find('.') == std::string::npos || !s.data().property.empty() || known.events.contains(s.data().event)) return s;
    return selector{expression::parse("last(" + text + ")")->selectors.at(0)};
}

}  // namespace

std::vector<reported> reported_by(const playbook& p, const report_part& part, const schema& known, problems& out) {
    std::vector<reported> all;
    const auto* statistic = find_statistic(part.statistic);
    if (statistic == nullptr) return all;
    const auto place = "report." + part.title + "." + part.statistic;
    std::optional<selector> about;                           // of `by`
    for (const auto& [name, value] : part.settings) {
        const auto it = std::find_if(statistic->settings.begin(), statistic->settings.end(), [&](const setting& s) { return s.name == name; });
        if (it == statistic->settings.end()) {
            out.add({"playbook.key", place + "." + name, part.statistic + " has no setting `" + name + "`"});
            continue;
        }
        each_text(value, place + "." + name, [&](const std::string& text, const std::string& at) {
            try {
                switch (it->kind) {
                    case takes::expression:
                    case takes::metrics: all.push_back({at, expression::parse(text)}); break;
                    case takes::predicate: all.push_back({at, expression::parse(text), true}); break;
                    case takes::dimensions: {
                        const auto d = std::find_if(p.dimensions.begin(), p.dimensions.end(), [&](const auto& x) { return x.name == text && !x.value.empty(); });
                        all.push_back({at, d != p.dimensions.end() ? d->value : dimension_of(text, known), false, selector{}});
                        break;
                    }
                    case takes::events:
                    case takes::property: {
                        const auto s = events_of(text, known);
                        auto events = s.data();
                        if (!events.property.empty()) all.push_back({at, s.last(std::exchange(events.property, {}))});
                        all.push_back({at, selector{events}.count()});
                        if (name == "start" || name == "purchase") about = selector{events};
                        break;
                    }
                    case takes::instant:
                        if (parsed_instant i; !parse_instant(text, i) || !i.had_zone) out.add({"playbook.value", at, "\"" + text + "\" is no instant; write one with its zone, such as \"2026-03-31T00:00:00Z\""});
                        break;
                    default: break;
                }
            } catch (const error& e) {
                out.add({e.code(), at, e.message()});
            }
        });
    }
    if (!about && part.statistic == "lifetime_value") about = selector::parse("purchase");
    for (auto& r : all)
        if (r.about) r.about = about.value_or(selector{});
    return all;
}

namespace {

void check_split(const playbook& p, const std::string& split, const std::string& place, problems& out) {
    std::vector<std::string> there;
    for (const auto& w : p.workflows)
        for (const auto& [name, s] : w.steps)
            if (std::holds_alternative<split_step>(s.kind())) there.push_back(w.name + "." + name);
    if (std::find(there.begin(), there.end(), split) != there.end()) return;
    auto near = did_you_mean(split, there);
    if (near.empty())
        for (const auto& name : there) near += (near.empty() ? " There is " : ", ") + name;
    out.add({"name.unknown", place, "no step \"" + split + "\" is a split; write workflow.step." + near});
}

}  // namespace

void check_report(const playbook& p, const schema& known, const text_pool_ptr& pool, const compile_context& context, problems& out) {
    for (const auto& part : p.report) {
        const auto path = "report." + part.title, place = path + "." + part.statistic;
        if (find_statistic(part.statistic) == nullptr) {
            out.add({"playbook.value", path, "a part of the report is an experiment, attribution, lifetime_value or survival"});
            continue;
        }
        auto mine = known;
        if (part.statistic == "experiment") {
            const auto* split = find(part, "split");
            if ((split == nullptr) == (find(part, "arm") == nullptr)) out.add({"playbook.missing", place, "an experiment has either `arm`, an expression about the contact, or `split`, the workflow.step of a split"});
            if (split != nullptr) {
                check_split(p, text_of(*split), place + ".split", out);
                mine.contact.insert_or_assign(text_of(*split), value_type::text);   // when a contact came to the split, and where it went
            }
        }
        if (part.statistic == "survival" && find(part, "event") == nullptr && find(part, "lapse") == nullptr)
            out.add({"playbook.missing", place, "survival has `event`, what is waited for, or `lapse`, how long without one is the end"});
        if (const auto *metrics = find(part, "metrics"), *before = find(part, "before"); metrics != nullptr && before != nullptr)
            if (const auto *all = std::get_if<data_mapping>(&metrics->is), *some = std::get_if<data_mapping>(&before->is); all != nullptr && some != nullptr)
                for (const auto& [name, value] : *some)
                    if (std::none_of(all->begin(), all->end(), [&, &wanted = name](const auto& x) { return x.first == wanted; })) out.add({"name.unknown", place + ".before." + name, "there is no metric \"" + name + "\" to adjust"});
        compiler c{mine, pool, context};
        for (const auto& r : reported_by(p, part, mine, out)) {
            if (r.about) c.add_event_expression(r.what, c.add_selector(r.about->data(), r.place), r.place);
            else if (r.predicate) c.add_predicate(r.what, r.place);
            else c.add_expression(r.what, r.place);
        }
        out.add(c.found());
    }
}

}  // namespace journeyman::detail
