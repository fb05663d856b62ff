#pragma once
// Workflow definitions as values: built in code or read from a playbook, compared, printed, drawn. `machine.hpp` runs them.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/predicate/expression.hpp"

namespace journeyman {

/// What a step hands on: a constant or an expression, by name.
using payload = std::vector<std::pair<std::string, expression>>;   // a constant is a literal

/// How far a date is moved. Of a day, what is written in `d w mo q y` moves the calendar day, and shorter units are added after:
/// `1d` keeps the time of day where the clocks change, `24h` does not. A `length` knows no units: its whole days move the day.
struct date_offset {
    length by;                             // months and whole days
    microseconds after{0};
    date_offset() = default;
    date_offset(length l) : by{l.months, std::chrono::duration_cast<std::chrono::days>(l.fixed)}, after{l.fixed - by.fixed} {}
    date_offset(length days, microseconds rest) : by{days}, after{rest} {}
    [[nodiscard]] length whole() const { return {by.months, by.fixed + after}; }
    friend bool operator==(const date_offset&, const date_offset&) = default;
};
std::string to_text(const date_offset&);
bool parse_offset(std::string_view, date_offset&);

/// A time of day, in minutes after midnight.
struct time_of_day { int minutes = 0; friend bool operator==(const time_of_day&, const time_of_day&) = default; };

struct send_step {
    std::vector<std::string> channels;     // one; several: the first with consent; empty with `preferred`
    bool preferred = false;
    std::string channel_template, topic;
    bool transactional = false;
    payload with;
};
struct wait_step {                         // one of: `duration`; a local time; a date
    std::optional<length> duration;
    std::optional<time_of_day> until;      // or `at` of a date
    std::vector<std::chrono::weekday> on;
    std::optional<int> days;
    std::string date;                      // attribute or trigger.property
    std::optional<date_offset> offset;
};
struct wait_outcome {
    std::optional<journeyman::selector> event;         // or
    predicate when;
    std::string then;
};
struct wait_for_step {
    std::vector<wait_outcome> outcomes;    // the single form has one, with its `then`
    std::optional<length> timeout;
    std::string otherwise;                 // where the timeout goes
    bool single = true;                    // written without a list
};
struct branch_step {
    std::vector<std::pair<predicate, std::string>> choices;
    std::string otherwise;
};
struct split_step { std::vector<std::pair<double, std::string>> choices; };
struct set_step { payload attributes; };
struct emit_step { std::string event; payload properties; };
struct task_step { std::string text, owner; std::optional<length> due; payload with; };
struct webhook_step { std::string url; payload with; };
struct start_step { std::string workflow; };
struct exit_step {};
using step_kind = std::variant<send_step, wait_step, wait_for_step, branch_step, split_step, set_step, emit_step, task_step, webhook_step, start_step, exit_step>;

/// "send", "wait", "wait_for" …, as the playbook writes it.
std::string_view kind_name(const step_kind&);

/// One step: what it does, where it goes ("" or "end": the journey is completed), in which phase. Built by chaining:
/// `send("email").with("deadline", now + 5_d).next("opened").phase("education")`.
class step {
public:
    step() = default;
    step(step_kind k) : kind_{std::move(k)} {}
    [[nodiscard]] const step_kind& kind() const { return kind_; }
    [[nodiscard]] step_kind& kind() { return kind_; }
    std::string next_step, phase_name, title;

    step next(std::string s) const { step c = *this; c.next_step = std::move(s); return c; }
    step phase(std::string s) const { step c = *this; c.phase_name = std::move(s); return c; }
    step with(std::string name, expression value) const;           // send, task, webhook, emit
    step template_(std::string name) const;                        // send
    step topic(std::string name) const;                            // send
    step transactional() const;                                    // send
    step timeout(length d) const;                                  // wait_for
    step then(std::string s) const;                                // wait_for, single form
    step otherwise(std::string s) const;                           // wait_for (of the timeout), branch
    step when(predicate p, std::string then) const;                // branch: one more choice; wait_for: one more outcome
    step on(selector event, std::string then) const;               // wait_for: one more outcome

private:
    step_kind kind_;
};

step send(std::string channel);
step send(std::vector<std::string> channels);
step send_preferred();
step wait(length d);
step wait_for(selector event);
step wait_for(predicate when);
step branch();
step set(std::string attribute, expression value);
step emit(std::string event);
step task(std::string text, std::string owner, length due);
step webhook(std::string url);
step start(std::string workflow);
step exit_journey();

struct event_trigger { journeyman::selector selector; };
struct enters_trigger { std::string segment; };
struct leaves_trigger { std::string segment; };
struct date_trigger { std::string date; std::optional<date_offset> offset; std::optional<time_of_day> at; bool yearly = false; };
struct schedule_trigger { std::string rule, from; };
struct hand_trigger {};
using trigger_kind = std::variant<event_trigger, enters_trigger, leaves_trigger, date_trigger, schedule_trigger, hand_trigger>;

struct reentry_rule {
    enum kind_t { once, after_exit, after, each } kind = once;
    length after_length;
    std::string each_property;
    friend bool operator==(const reentry_rule&, const reentry_rule&) = default;
};

/// A directed acyclic graph of steps, started by a trigger, for an audience.
class workflow {
public:
    workflow() = default;
    explicit workflow(std::string name) : name{std::move(name)} {}

    std::string name, title;
    predicate audience_, goal_, exit_;
    trigger_kind trigger = hand_trigger{};
    reentry_rule reentry;
    int priority_ = 0;
    std::string first;                                       // default: the first step added
    std::vector<std::pair<std::string, journeyman::step>> steps;         // as written

    workflow audience(predicate p) const { workflow w = *this; w.audience_ = std::move(p); return w; }
    workflow on(selector s) const { workflow w = *this; w.trigger = event_trigger{std::move(s)}; return w; }
    workflow goal(predicate p) const { workflow w = *this; w.goal_ = std::move(p); return w; }
    workflow exit(predicate p) const { workflow w = *this; w.exit_ = std::move(p); return w; }
    workflow priority(int p) const { workflow w = *this; w.priority_ = p; return w; }
    workflow again(reentry_rule r) const { workflow w = *this; w.reentry = std::move(r); return w; }
    workflow step(std::string step_name, journeyman::step s) const {
        workflow w = *this;
        if (w.first.empty()) w.first = step_name;
        w.steps.emplace_back(std::move(step_name), std::move(s));
        return w;
    }
};

struct quiet_hours {
    time_of_day from, to;
    std::string channel;                                     // empty: all
    std::vector<std::chrono::weekday> on;                    // empty: every day
};
struct cap {
    std::string channel;                                     // empty: all
    int at_most = 0;
    std::variant<length, calendar_unit> per;
    bool defer = false;                                      // when_full
};
/// What every send must pass (W6).
struct policies {
    std::vector<quiet_hours> quiet;
    std::vector<cap> caps;
    std::vector<std::pair<std::string, predicate>> consent;  // "email", "email.transactional", "email.TOPIC"
    predicate holdout;
};

bool equals(const step&, const step&);
bool equals(const workflow&, const workflow&);
bool equals(const policies&, const policies&);

}  // namespace journeyman
