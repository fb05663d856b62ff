#include "workflow/definition.hpp"

#include <bit>

namespace journeyman {
namespace {

template <class... F>
struct overloaded : F... {
    using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

constexpr std::int64_t number(std::optional<time_of_day> t) { return t ? t->minutes : -1; }

}  // namespace

definition_writer& definition_writer::put(std::string_view s) {
    text_ += std::to_string(s.size());
    text_ += ':';
    text_ += s;
    return *this;
}
definition_writer& definition_writer::put(std::int64_t n) {
    text_ += std::to_string(n);
    text_ += ';';
    return *this;
}
definition_writer& definition_writer::put(double d) { return put(std::bit_cast<std::int64_t>(d)); }
definition_writer& definition_writer::put(const expression& e) { return e.empty() ? put(std::int64_t{-1}) : put(std::string_view{e.to_text()}); }
definition_writer& definition_writer::put(const std::optional<length>& d) {
    if (!d) return put(std::int64_t{-1});
    return put(std::int64_t{d->months}).put(std::int64_t{d->fixed.count()});
}
/// As a length, which it was before it could have hours of its own: versions stay what they are.
definition_writer& definition_writer::put(const std::optional<date_offset>& d) {
    if (d && d->after != microseconds{0}) return put(std::string_view{to_text(*d)});
    return put(d ? std::optional{d->by} : std::nullopt);
}
definition_writer& definition_writer::put(const std::vector<std::chrono::weekday>& days) {
    put(static_cast<std::int64_t>(days.size()));
    for (const auto d : days) put(std::int64_t{d.iso_encoding()});
    return *this;
}
definition_writer& definition_writer::put(const payload& p) {
    put(static_cast<std::int64_t>(p.size()));
    for (const auto& [name, value] : p) put(std::string_view{name}).put(value);
    return *this;
}

definition_writer& definition_writer::put(const step_kind& k) {
    put(kind_name(k));
    std::visit(overloaded{
        [&](const send_step& s) {
            put(static_cast<std::int64_t>(s.channels.size()));
            for (const auto& c : s.channels) put(std::string_view{c});
            put(std::int64_t{s.preferred}).put(std::string_view{s.channel_template}).put(std::string_view{s.topic}).put(std::int64_t{s.transactional}).put(s.with);
        },
        [&](const wait_step& s) {
            put(s.duration).put(number(s.until)).put(s.on).put(std::int64_t{s.days.value_or(-1)}).put(std::string_view{s.date}).put(s.offset);
        },
        [&](const wait_for_step& s) {
            put(static_cast<std::int64_t>(s.outcomes.size()));
            for (const auto& o : s.outcomes) put(std::string_view{o.event ? o.event->to_text() : std::string{}}).put(o.when).put(std::string_view{o.then});
            put(s.timeout).put(std::string_view{s.otherwise}).put(std::int64_t{s.single});
        },
        [&](const branch_step& s) {
            put(static_cast<std::int64_t>(s.choices.size()));
            for (const auto& [p, then] : s.choices) put(p).put(std::string_view{then});
            put(std::string_view{s.otherwise});
        },
        [&](const split_step& s) {
            put(static_cast<std::int64_t>(s.choices.size()));
            for (const auto& [weight, then] : s.choices) put(weight).put(std::string_view{then});
        },
        [&](const set_step& s) { put(s.attributes); },
        [&](const emit_step& s) { put(std::string_view{s.event}).put(s.properties); },
        [&](const task_step& s) { put(std::string_view{s.text}).put(std::string_view{s.owner}).put(s.due).put(s.with); },
        [&](const webhook_step& s) { put(std::string_view{s.url}).put(s.with); },
        [&](const start_step& s) { put(std::string_view{s.workflow}); },
        [&](const exit_step&) {},
    }, k);
    return *this;
}

definition_writer& definition_writer::put(const step& s) {
    return put(s.kind()).put(std::string_view{s.next_step}).put(std::string_view{s.phase_name}).put(std::string_view{s.title});
}

definition_writer& definition_writer::put(const trigger_kind& t) {
    put(static_cast<std::int64_t>(t.index()));
    std::visit(overloaded{
        [&](const event_trigger& e) { put(std::string_view{e.selector.to_text()}); },
        [&](const enters_trigger& e) { put(std::string_view{e.segment}); },
        [&](const leaves_trigger& e) { put(std::string_view{e.segment}); },
        [&](const date_trigger& e) { put(std::string_view{e.date}).put(e.offset).put(number(e.at)).put(std::int64_t{e.yearly}); },
        [&](const schedule_trigger& e) { put(std::string_view{e.rule}).put(std::string_view{e.from}); },
        [&](const hand_trigger&) {},
    }, t);
    return *this;
}

definition_writer& definition_writer::put(const workflow& w) {
    put(std::string_view{w.name}).put(std::string_view{w.title}).put(w.audience_).put(w.goal_).put(w.exit_).put(w.trigger);
    put(std::int64_t{w.reentry.kind}).put(std::optional{w.reentry.after_length}).put(std::string_view{w.reentry.each_property});
    put(std::int64_t{w.priority_}).put(std::string_view{w.first}).put(static_cast<std::int64_t>(w.steps.size()));
    for (const auto& [name, s] : w.steps) put(std::string_view{name}).put(s);
    return *this;
}

definition_writer& definition_writer::put(const policies& p) {
    put(static_cast<std::int64_t>(p.quiet.size()));
    for (const auto& q : p.quiet) put(std::int64_t{q.from.minutes}).put(std::int64_t{q.to.minutes}).put(std::string_view{q.channel}).put(q.on);
    put(static_cast<std::int64_t>(p.caps.size()));
    for (const auto& c : p.caps) {
        put(std::string_view{c.channel}).put(std::int64_t{c.at_most}).put(static_cast<std::int64_t>(c.per.index())).put(std::int64_t{c.defer});
        if (const auto* l = std::get_if<length>(&c.per)) put(std::optional{*l});
        else put(static_cast<std::int64_t>(std::get<calendar_unit>(c.per)));
    }
    put(static_cast<std::int64_t>(p.consent.size()));
    for (const auto& [channel, e] : p.consent) put(std::string_view{channel}).put(e);
    return put(p.holdout);
}

}  // namespace journeyman
