#include "journeyman/kpi/funnel_rules.hpp"

#include <algorithm>

#include "kpi/funnel_match.hpp"

namespace journeyman {
namespace {

using r = funnel_rules;

/// Written name → value, in the order messages list them.
template <class T> using words = std::vector<std::pair<std::string, T>>;
const words<r::order_t> orders{{"ordered", r::order_t::ordered}, {"strict", r::order_t::ordered}, {"unordered", r::order_t::unordered}, {"presence", r::order_t::presence}};
const words<r::window_from_t> window_froms{{"start", r::window_from_t::start}, {"previous_step", r::window_from_t::previous_step}};
const words<bool> window_ends{{"inclusive", true}, {"exclusive", false}};
const words<r::adjacency_t> adjacencies{{"none", r::adjacency_t::none}, {"listed", r::adjacency_t::listed}, {"all", r::adjacency_t::all}, {"walk", r::adjacency_t::walk}};
const words<r::skip_ahead_t> skips{{"ignore", r::skip_ahead_t::ignore}, {"end", r::skip_ahead_t::end}};
const words<r::anchor_t> anchors{{"first", r::anchor_t::first}, {"latest", r::anchor_t::latest}, {"any", r::anchor_t::any}};
const words<r::tie_t> ties{{"arrival", r::tie_t::arrival}, {"step_order", r::tie_t::step_order}};
const words<r::repeats_t> repeats{{"allowed", r::repeats_t::allowed}, {"end_walk", r::repeats_t::end_walk}, {"end_chain_last", r::repeats_t::end_chain_last}, {"end_chain_any", r::repeats_t::end_chain_any}, {"reset", r::repeats_t::reset}};
const words<r::denominator_t> denominators{{"step1_contacts", r::denominator_t::step1_contacts}, {"all_contacts", r::denominator_t::all_contacts}};
const words<r::censoring_t> censorings{{"counted_as_drop", r::censoring_t::counted_as_drop}, {"left_out", r::censoring_t::left_out}};
const words<bool> effects{{"drop_contact", false}, {"drop_chain", true}};

/// The habits of other systems, as rules that differ from the defaults.
const std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> presets{
    {"clickhouse", {{"anchor", "latest"}, {"tie_rule", "step_order"}, {"one_event_many_steps", "true"}, {"start_event_many_steps", "true"}}},
    {"clickhouse_strict_order", {{"anchor", "latest"}, {"tie_rule", "step_order"}, {"one_event_many_steps", "true"}, {"start_event_many_steps", "true"}, {"adjacency", "walk"}, {"skip_ahead", "end"}}},
    {"clickhouse_strict_deduplication", {{"anchor", "latest"}, {"tie_rule", "step_order"}, {"one_event_many_steps", "true"}, {"start_event_many_steps", "true"}, {"repeats", "end_walk"}}},
    {"clickhouse_strict_increase", {{"anchor", "latest"}, {"tie_rule", "step_order"}, {"one_event_many_steps", "true"}, {"start_event_many_steps", "true"}, {"strict_increase", "true"}}},
    {"clickhouse_strict_once", {{"anchor", "latest"}, {"tie_rule", "step_order"}}},
    {"databend", {{"anchor", "latest"}, {"tie_rule", "step_order"}, {"one_event_many_steps", "true"}, {"start_event_many_steps", "true"}}},
    {"duckdb_behavioral", {{"one_event_many_steps", "true"}}},
    {"mixpanel_first", {{"anchor", "first"}}},
    {"mixpanel_latest", {{"anchor", "latest"}}},
};

class rule_reader {
public:
    rule_reader(std::size_t steps, const std::string& place, problems& out) : steps_{static_cast<int>(steps)}, place_{place}, out_{out} {}

    funnel_rules read(const written_rules& all) {
        written_rules rules;
        for (const auto& [name, given] : all)
            if (name == "rules") preset(given, rules);
        for (const auto& rule : all)
            if (rule.first != "rules") rules.push_back(rule);
        for (const auto& [name, given] : rules) {
            name_ = name;
            one(given);
        }
        if (strict_order_ && !adjacency_) rules_.adjacency = r::adjacency_t::all;
        together();
        return std::move(rules_);
    }

private:
    void problem(const std::string& name, std::string message, std::string code = "funnel.rule") { out_.add({std::move(code), place_.empty() ? name : place_ + "." + name, std::move(message), severity::error}); }

    void preset(const data& given, written_rules& out) {
        name_ = "rules";
        const auto name = text(given);
        if (!name) return;
        const auto it = std::find_if(presets.begin(), presets.end(), [&](const auto& p) { return p.first == *name; });
        if (it == presets.end()) return problem("rules", "there are no rules called \"" + *name + "\"." + did_you_mean(*name, funnel_presets()));
        for (const auto& [rule, x] : it->second) out.emplace_back(rule, x == "true" ? data{true} : data{x});
    }

    void one(const data& given) {
        if (name_ == "order") {
            if (const auto w = text(given)) {
                strict_order_ = *w == "strict";
                word(given, orders, rules_.order);
            }
        }
        else if (name_ == "window_from") word(given, window_froms, rules_.window_from);
        else if (name_ == "window_end") word(given, window_ends, rules_.window_end_inclusive);
        else if (name_ == "event_gap") gap(given);
        else if (name_ == "adjacency") { word(given, adjacencies, rules_.adjacency); adjacency_ = true; }
        else if (name_ == "skip_ahead") word(given, skips, rules_.skip_ahead);
        else if (name_ == "anchor") word(given, anchors, rules_.anchor);
        else if (name_ == "tie_rule") word(given, ties, rules_.tie_rule);
        else if (name_ == "one_event_many_steps") yes_no(given, rules_.one_event_many_steps);
        else if (name_ == "start_event_many_steps") yes_no(given, rules_.start_event_many_steps);
        else if (name_ == "strict_increase") yes_no(given, rules_.strict_increase);
        else if (name_ == "repeats") word(given, repeats, rules_.repeats);
        else if (name_ == "exclusions") exclusions(given);
        else if (name_ == "optional_steps") optional(given);
        else if (name_ == "unit") texts(given, rules_.unit);
        else if (name_ == "held") texts(given, rules_.held);
        else if (name_ == "period") period(given);
        else if (name_ == "where") rules_.where = predicate_of(given, bare_names::property);
        else if (name_ == "audience") rules_.audience = predicate_of(given, bare_names::attribute);
        else if (name_ == "breakdown") breakdown(given);
        else if (name_ == "time_to_convert") {}                           // what is made of the report, not how it is counted
        else if (name_ == "denominator") word(given, denominators, rules_.denominator);
        else if (name_ == "censoring") word(given, censorings, rules_.censoring);
        else problem(name_, "a funnel has no rule `" + name_ + "`." + did_you_mean(name_, funnel_rule_names()));
    }

    // ---- kinds of values
    static bool is_none(const data& d) { return std::holds_alternative<scalar>(d.is) && std::holds_alternative<std::monostate>(std::get<scalar>(d.is)); }
    template <class T> static const T* as(const data& d) {
        const auto* s = std::get_if<scalar>(&d.is);
        return s == nullptr ? nullptr : std::get_if<T>(s);
    }
    std::optional<std::string> text(const data& d) {
        if (const auto* t = as<std::string>(d)) return *t;
        problem(name_, "`" + name_ + "` takes a text");
        return {};
    }
    template <class T> void word(const data& d, const words<T>& known, T& out) {
        const auto w = text(d);
        if (!w) return;
        std::string list;
        for (const auto& [name, x] : known) {
            if (name == *w) {
                out = x;
                return;
            }
            list += (list.empty() ? "" : ", ") + name;
        }
        problem(name_, "`" + name_ + "` is one of " + list + "; not \"" + *w + "\"");
    }
    void yes_no(const data& d, bool& out) {
        if (const auto* b = as<bool>(d)) out = *b;
        else problem(name_, "`" + name_ + "` is true or false");
    }
    std::optional<int> number(const data& d) {
        if (const auto* i = as<std::int64_t>(d)) return static_cast<int>(std::clamp<std::int64_t>(*i, -1, 1'000'000));
        problem(name_, "`" + name_ + "` takes the numbers of steps, from 1");
        return {};
    }
    void texts(const data& d, std::vector<std::string>& out) {
        out.clear();
        if (const auto* list = std::get_if<data_list>(&d.is)) {
            for (const auto& x : *list) if (auto t = text(x)) out.push_back(std::move(*t));
        } else if (auto t = text(d)) {
            out.push_back(std::move(*t));
        }
    }
    const data* entry(const data_mapping& m, std::string_view key) {
        for (const auto& [name, x] : m) if (name == key) return &x;
        return nullptr;
    }
    const data_mapping* mapping(const data& d, std::initializer_list<std::string_view> keys, const std::string& form) {
        const auto* m = std::get_if<data_mapping>(&d.is);
        bool sound = m != nullptr;
        if (m != nullptr) for (const auto& [name, x] : *m) sound = sound && std::find(keys.begin(), keys.end(), name) != keys.end();
        if (!sound) problem(name_, "`" + name_ + "` has the form " + form);
        return sound ? m : nullptr;
    }
    expression predicate_of(const data& d, bare_names names) {
        if (is_none(d)) return {};
        const auto t = text(d);
        return t ? parsed(*t, names) : expression{};
    }
    expression parsed(const std::string& t, bare_names names) {
        try {
            return expression::parse(t, names);
        } catch (const error& e) {
            problem(name_, e.message(), e.code());
            return {};
        }
    }

    // ---- rules
    void gap(const data& d) {
        if (is_none(d)) return;
        length l;
        const auto t = text(d);
        if (!t) return;
        if (parse_length(*t, l) && l.is_fixed() && l.fixed.count() >= 0) rules_.event_gap = l;
        else problem(name_, "`event_gap` is a length such as 30m, without months");
    }
    void exclusions(const data& d) {
        const auto* list = std::get_if<data_list>(&d.is);
        if (list == nullptr) return problem(name_, "`exclusions` is a list of {event, from_step, to_step, effect}");
        for (const auto& item : *list) {
            const auto* m = mapping(item, {"event", "from_step", "to_step", "effect"}, "[{event, from_step, to_step, effect}]");
            if (m == nullptr) return;
            funnel_exclusion x;
            x.to_step = steps_;
            const auto* e = entry(*m, "event");
            if (e == nullptr) return problem(name_, "an exclusion needs an event");
            const auto t = text(*e);
            if (!t) return;
            try {
                x.event = selector::parse(*t);
            } catch (const error& bad) {
                return problem(name_, bad.message(), bad.code());
            }
            if (const auto* s = entry(*m, "from_step")) x.from_step = number(*s).value_or(1);
            if (const auto* s = entry(*m, "to_step")) x.to_step = number(*s).value_or(steps_);
            if (const auto* s = entry(*m, "effect")) word(*s, effects, x.drops_chain);
            rules_.exclusions.push_back(std::move(x));
        }
    }
    void optional(const data& d) {
        const auto* list = std::get_if<data_list>(&d.is);
        if (list == nullptr) return problem(name_, "`optional_steps` is a list of the numbers of steps, from 1");
        rules_.optional_steps.clear();
        for (const auto& x : *list) {
            const auto n = number(x);
            if (!n) return;
            if (*n < 2 || *n > steps_) problem(name_, "step " + std::to_string(*n) + " cannot be optional: steps 2 to " + std::to_string(steps_) + " can");
            else rules_.optional_steps.push_back(*n);
        }
    }
    std::optional<instant> moment(const data& d) {
        if (is_none(d)) return {};
        const auto t = text(d);
        parsed_instant p;
        if (!t) return {};
        if (parse_instant(*t, p) && p.had_zone) return p.at;
        problem(name_, "\"" + *t + "\" is no instant with a zone; write 2026-03-01T00:00:00Z");
        return {};
    }
    void period(const data& d) {
        if (is_none(d)) return;
        const auto* m = mapping(d, {"from", "to"}, "{from, to}, instants, both in");
        if (m == nullptr) return;
        if (const auto* x = entry(*m, "from")) rules_.from = moment(*x);
        if (const auto* x = entry(*m, "to")) rules_.to = moment(*x);
        if (rules_.from && rules_.to && *rules_.to < *rules_.from) problem(name_, "the period ends before it begins");
    }
    void breakdown(const data& d) {
        if (is_none(d)) return;
        const auto* m = mapping(d, {"by", "attribution"}, "{by, attribution}");
        if (m == nullptr) return;
        if (const auto* b = entry(*m, "by")) {
            std::vector<std::string> all;
            texts(*b, all);
            rules_.by.clear();
            for (const auto& t : all) rules_.by.emplace_back(t, t);
        }
        const auto* a = entry(*m, "attribution");
        if (a == nullptr) return;
        const auto w = text(*a);
        if (!w) return;
        if (*w == "first") rules_.attribution = r::attribution_t::first;
        else if (*w == "last") rules_.attribution = r::attribution_t::last;
        else if (*w == "all_events") rules_.attribution = r::attribution_t::all_events;
        else if (w->starts_with("step_") && w->size() > 5 && w->size() < 9 && w->find_first_not_of("0123456789", 5) == std::string::npos) {
            rules_.attribution = r::attribution_t::step;
            rules_.attribution_step = std::stoi(w->substr(5));
            if (rules_.attribution_step < 1 || rules_.attribution_step > steps_) problem(name_, "there is no step " + w->substr(5) + " to attribute to; there are " + std::to_string(steps_));
        }
        else problem(name_, "`attribution` is one of first, last, step_1 … step_" + std::to_string(steps_) + ", all_events; not \"" + *w + "\"");
    }

    /// What only shows when all are read.
    void together() {
        const bool ordered = rules_.order == r::order_t::ordered;
        for (const auto& x : rules_.exclusions) {
            if (x.from_step < 1 || x.to_step <= x.from_step || x.to_step > steps_) problem("exclusions", "exclusion range: from_step " + std::to_string(x.from_step) + " and to_step " + std::to_string(x.to_step) + " must be 1 <= from_step < to_step <= " + std::to_string(steps_), "funnel.exclusion_range");
            else if (rules_.order == r::order_t::unordered && (x.from_step != 1 || x.to_step != steps_)) problem("exclusions", "exclusion range: of an unordered funnel an exclusion spans all steps, 1 to " + std::to_string(steps_), "funnel.exclusion_range");
            if (x.drops_chain && ordered) problem("exclusions", "`drop_chain` belongs to an unordered funnel; an ordered one has `drop_contact`");
        }
        if (rules_.exclusions.size() > detail::most_steps) problem("exclusions", "there are more than 32 exclusions; join some with `or`");
        if (rules_.order == r::order_t::presence && !rules_.exclusions.empty()) problem("exclusions", "a funnel of presence looks at no times, so nothing comes between its steps");
        if (!ordered && !rules_.optional_steps.empty()) problem("optional_steps", "optional steps belong to an ordered funnel");
        if (!ordered && rules_.adjacency != r::adjacency_t::none) problem("adjacency", "`adjacency` belongs to an ordered funnel");
        if (rules_.adjacency == r::adjacency_t::walk && rules_.repeats != r::repeats_t::allowed && rules_.repeats != r::repeats_t::end_walk) problem("repeats", "with adjacency walk `repeats` is allowed or end_walk");
        if (rules_.adjacency == r::adjacency_t::walk && !rules_.optional_steps.empty()) problem("optional_steps", "with adjacency walk no step is optional");
        const bool entries = std::find(rules_.unit.begin(), rules_.unit.end(), "entry") != rules_.unit.end();
        if (entries && rules_.unit.size() > 1) problem("unit", "`entry` stands alone: each start of a contact is a unit");
    }

    funnel_rules rules_;
    int steps_;
    const std::string& place_;
    problems& out_;
    std::string name_;
    bool strict_order_ = false, adjacency_ = false;
};

}  // namespace

const std::vector<std::string>& funnel_rule_names() {
    static const std::vector<std::string> names{"rules", "window_from", "window_end", "event_gap", "order", "adjacency", "skip_ahead", "anchor", "tie_rule", "one_event_many_steps", "start_event_many_steps", "strict_increase",
                                                "repeats", "exclusions", "optional_steps", "unit", "held", "period", "where", "audience", "breakdown", "time_to_convert", "denominator", "censoring"};
    return names;
}

const std::vector<std::string>& funnel_presets() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const auto& [name, rules] : presets) all.push_back(name);
        return all;
    }();
    return names;
}

funnel_rules read_funnel_rules(const written_rules& rules, std::size_t steps, const std::string& place, problems& out) { return rule_reader{steps, place, out}.read(rules); }

}  // namespace journeyman
