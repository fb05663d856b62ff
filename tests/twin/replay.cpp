// Replay against a naive one: hour by hour, one contact, it looks at every predicate of every journey and trigger each time. All times are whole hours,
// so nothing can happen in between. It shares the predicates' evaluator and the calendar with the fast one, and nothing of its order, skips, timers and columns.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "journeyman/predicate/evaluate.hpp"
#include "twin/workflows.hpp"
#include "unit/run_support.hpp"
#include "workflow/calendar.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

using namespace workflows;

// ---- the naive one

class naive_world final : public jm::contact_world {
public:
    naive_world(jm::program_ptr p, jm::text_pool& pool, const contact& c) : contact_world{p}, pool_{pool} {
        view_.id = c.id;
        for (std::uint32_t s = 0; s < p->streams.size(); ++s) own_stream(s);
        for (std::uint32_t a = 0; a < p->attributes.size(); ++a) {
            for (const auto& [name, v] : c.attributes) if (name == p->attributes[a].name) attributes_[a].base = jm::intern(v, pool);
            own_attribute(a);
        }
    }
    jm::event_ref happened(const fact& f, jm::position at) {
        const auto s = program_->stream_slot(f.event);
        if (s == jm::none) return {};
        std::vector<jm::value> cells(program_->properties.size());
        for (const auto& [name, v] : f.fields) if (const auto p = program_->property_slot(name); p != jm::none) cells[p] = jm::intern(v, pool_);
        return put_event(s, at, cells);
    }
    /// Whether anybody could tell.
    bool changed_to(const fact& f, jm::position at) {
        bool known = false;
        for (const auto& [name, v] : f.fields)
            if (const auto a = program_->attribute_slot(false, name); a != jm::none) put_change(a, at, jm::intern(v, pool_)), known = true;
        return known;
    }

private:
    jm::text_pool& pool_;
};

class naive {
public:
    naive(const jm::workflow_program& w, jm::text_pool& pool, const contact& c, bool by_arrival) : w_{w}, p_{*w.predicates}, contact_{c}, world_{w.predicates, pool, c}, memory_(w.workflows.size()) {
        for (std::size_t k = 0; k < c.facts.size(); ++k) facts_.push_back(&c.facts[k]);
        arrival_ = by_arrival;
        std::stable_sort(facts_.begin(), facts_.end(), [&](const fact* a, const fact* b) { return when(*a) < when(*b); });
    }

    void run() {
        t_ = begins;
        for (std::uint32_t k = 0; k < w_.workflows.size(); ++k) memory_[k].in = holds(w_.workflows[k].trigger.segment);
        auto next = facts_.begin();
        for (; t_ <= ends; t_ += std::chrono::hours{1}) {
            for (; next != facts_.end() && when(**next) == t_; ++next) {
                const auto place = jm::position{(*next)->at, ++count_};
                at_ = {t_, count_};
                if ((*next)->event.empty()) {
                    if (world_.changed_to(**next, place)) handle({});
                }
                else if (const auto e = world_.happened(**next, place)) handle(world_.event(world_.keep(e)));
                drain();
            }
            while (time_does_something()) drain();
        }
        for (const auto& j : journeys_) journeys << contact_.id << ' ' << w_.workflows[j.w].name << ' ' << j.number << ' ' << jm::to_text(j.entry.at) << " - running " << step(j).name << '\n';
    }
    std::ostringstream actions, journeys;

private:
    struct journey {
        std::uint32_t w, number, step = 0;
        jm::position entry, reached;
        std::vector<jm::position> steps;
        jm::event_ref trigger;
        jm::value each;
        jm::instant deadline = jm::end_of_time;
        const jm::time_zone* zone = nullptr;
        jm::value date;
        bool over = false;
    };
    struct memory { std::uint32_t journeys = 0; jm::instant last = jm::beginning_of_time, fired = jm::beginning_of_time; std::vector<jm::value> each; bool in = false; std::vector<jm::position> used; };
    struct cause { jm::position place; jm::event_ref event; std::uint32_t start = jm::none; };

    jm::instant when(const fact& f) const { return arrival_ ? f.arrives : f.at; }
    const jm::compiled_step& step(const journey& j) const { return w_.workflows[j.w].steps[j.step]; }
    jm::contact_view seen(const journey* j) {
        if (j != nullptr) shown_ = {j->entry, j->steps.data(), j->trigger};
        else shown_ = {};
        jm::contact_view v = world_.view();
        v.journey = &shown_;
        return v;
    }
    bool holds(jm::node_id n, const journey* j = nullptr) { return n != jm::none && jm::ask(p_, n, seen(j), t_) == jm::truth::yes; }
    jm::value value_of(jm::node_id n, const journey* j = nullptr) {
        jm::instant unused = jm::end_of_time;
        return n == jm::none ? jm::value{} : jm::evaluate(p_, n, seen(j), t_, unused);
    }
    bool counts_now(jm::selector_id s, jm::event_ref e, const journey* j) {
        jm::instant unused = jm::end_of_time;
        return jm::counts(p_, s, seen(j), e, t_, unused);
    }

    void handle(jm::event_ref e) {
        for (auto& j : journeys_) look(j, e, false);
        tidy();
        for (std::uint32_t k = 0; k < w_.workflows.size(); ++k) {
            const auto& t = w_.workflows[k].trigger;
            if (t.kind == jm::compiled_trigger::event) {
                if (e && p_.selectors[t.selector].listens(e.slot) && counts_now(t.selector, e, nullptr)) memory_[k].used.push_back(e.place()), enter(k, e);
            } else {
                segment(k);
            }
        }
        tidy();
    }
    bool segment(std::uint32_t k) {
        const auto& t = w_.workflows[k].trigger;
        if (t.segment == jm::none) return false;
        const bool now = holds(t.segment), was = std::exchange(memory_[k].in, now);
        if (t.kind == jm::compiled_trigger::enters ? now && !was : was && !now) enter(k, {});
        return now != was;
    }
    bool time_does_something() {
        for (auto& j : journeys_) {
            at_ = {t_, count_ + 1};
            if (look(j, {}, true)) return ++count_, tidy(), true;
        }
        for (std::uint32_t k = 0; k < w_.workflows.size(); ++k) {
            const auto& t = w_.workflows[k].trigger;
            auto& m = memory_[k];
            at_ = {t_, count_ + 1};
            bool fires = false;
            if (t.kind == jm::compiled_trigger::date) fires = m.fired != t_ && jm::instant_of(t.when, value_of(t.when.value), jm::local_zone(p_, world_.view()), *p_.zone, t_) == t_;
            else if (t.kind == jm::compiled_trigger::schedule) fires = m.fired != t_ && t.times->at_or_after(t_) == t_;
            else if (t.kind == jm::compiled_trigger::event) {
                std::vector<jm::event_ref> late;
                if (!t.plain)
                    for (const auto s : p_.selectors[t.selector].streams)
                        for (std::uint32_t i = 0; i < world_.view().streams[s].count; ++i) {
                            const jm::event_ref e{&world_.view().streams[s], s, i};
                            if (std::find(m.used.begin(), m.used.end(), e.place()) == m.used.end() && counts_now(t.selector, e, nullptr)) late.push_back(e);
                        }
                for (const auto& e : late) m.used.push_back(e.place());
                for (const auto& e : late) enter(k, world_.event(world_.keep(e)));
                if (!late.empty()) return ++count_, tidy(), true;
            } else if (segment(k)) return ++count_, tidy(), true;
            if (fires) {
                ++count_;
                m.fired = t_;
                enter(k, {});
                tidy();
                return true;
            }
        }
        return false;
    }
    void drain() {
        while (!causes_.empty()) {
            const auto c = causes_.front();
            causes_.erase(causes_.begin());
            at_ = c.place;
            if (c.start == jm::none) handle(c.event);
            else enter(c.start, c.event), tidy();
        }
    }
    void tidy() {
        for (auto it = journeys_.begin(); it != journeys_.end();) it = it->over ? journeys_.erase(it) : it + 1;
        for (auto& j : begun_) if (!j.over) journeys_.push_back(std::move(j));
        begun_.clear();
        std::sort(journeys_.begin(), journeys_.end(), [](const journey& a, const journey& b) { return std::pair{a.w, a.number} < std::pair{b.w, b.number}; });
    }

    void enter(std::uint32_t k, jm::event_ref e) {
        const auto& w = w_.workflows[k];
        auto& m = memory_[k];
        const auto mine = [&](const journey& j) { return j.w == k && !j.over; };
        const bool running = std::any_of(journeys_.begin(), journeys_.end(), mine) || std::any_of(begun_.begin(), begun_.end(), mine);
        const jm::value each = w.reentry.kind == jm::reentry_rule::each && e ? e.property(w.each) : jm::value{};
        if (w.reentry.kind == jm::reentry_rule::once && m.journeys > 0) return;
        if (w.reentry.kind == jm::reentry_rule::after_exit && running) return;
        if (w.reentry.kind == jm::reentry_rule::after && (running || (m.journeys > 0 && t_ < m.last + w.reentry.after_length.fixed))) return;
        if (w.reentry.kind == jm::reentry_rule::each && (each.is_missing() || std::find(m.each.begin(), m.each.end(), each) != m.each.end())) return;
        journey j{k, 0, w.first, at_, at_, std::vector<jm::position>(w.steps.size(), jm::position{jm::end_of_time, 0}), e, each};
        if (w.audience != jm::none && !holds(w.audience, &j)) return;
        j.number = ++m.journeys;
        m.last = t_;
        m.each.push_back(each);
        begun_.push_back(std::move(j));
        reach(begun_.back(), w.first);
    }
    void act(const journey& j, std::string_view status) { actions << contact_.id << ' ' << w_.workflows[j.w].name << ' ' << j.number << ' ' << step(j).name << ' ' << jm::to_text(t_) << ' ' << status << '\n'; }
    bool over(journey& j, const char* how) {
        j.over = true;
        journeys << contact_.id << ' ' << w_.workflows[j.w].name << ' ' << j.number << ' ' << jm::to_text(j.entry.at) << ' ' << jm::to_text(t_) << ' ' << how << ' ' << step(j).name << '\n';
        return true;
    }
    bool settled(journey& j) {
        if (holds(w_.workflows[j.w].goal, &j)) return over(j, "goal");
        return holds(w_.workflows[j.w].exit, &j) && over(j, "exited");
    }
    void to(journey& j, std::uint32_t next) {
        if (next == jm::none) over(j, "completed");
        else reach(j, next);
    }
    bool wanted(const journey& j, const jm::compiled_outcome& o, jm::event_ref e) {
        const auto mine = [&](jm::event_ref x) { return j.each.is_missing() || x.property(w_.workflows[j.w].each) == j.each; };
        if (o.plain) return e && e.place().at >= j.reached.at && mine(e) && counts_now(o.event, e, &j);
        for (const auto s : p_.selectors[o.event].streams)
            for (std::uint32_t i = 0; i < world_.view().streams[s].count; ++i) {
                const jm::event_ref x{&world_.view().streams[s], s, i};
                if (x.place() > j.reached && x.place() <= at_ && mine(x) && counts_now(o.event, x, &j)) return true;
            }
        return false;
    }
    const jm::compiled_outcome* outcome(const journey& j, jm::event_ref e, bool reached) {
        for (const auto& o : step(j).outcomes)
            if (o.when != jm::none ? holds(o.when, &j) : !reached && wanted(j, o, e)) return &o;
        return nullptr;
    }
    void set_wait(journey& j) {
        const auto& s = step(j);
        if (s.span) j.deadline = jm::add(t_, *s.span, *p_.zone);
        else {
            j.zone = &jm::local_zone(p_, world_.view());
            j.date = value_of(s.date.value, &j);
            j.deadline = s.date.value == jm::none ? jm::end_of_local_wait(std::get<jm::wait_step>(s.kind), t_, *j.zone) : jm::instant_of(s.date, j.date, *j.zone, *p_.zone);
        }
    }
    /// Whether anything came of it.
    bool look(journey& j, jm::event_ref e, bool timer) {
        if (settled(j)) return true;
        const auto& s = step(j);
        if (std::holds_alternative<jm::wait_for_step>(s.kind)) {
            if (const auto* o = outcome(j, e, false)) return to(j, o->then), true;
            if (timer && j.deadline <= t_) return to(j, s.otherwise), true;
            return false;
        }
        bool again = false;
        if (!s.span && !timer && (j.zone != &jm::local_zone(p_, world_.view()) || !(j.date == value_of(s.date.value, &j)))) set_wait(j), again = true;
        if (j.deadline <= t_ && (timer || again)) return to(j, s.next), true;
        return false;
    }
    void reach(journey& j, std::uint32_t which) {
        j.step = which;
        j.reached = j.steps[which] = at_;
        j.deadline = jm::end_of_time;
        if (settled(j)) return;
        const auto& s = step(j);
        if (std::holds_alternative<jm::wait_step>(s.kind)) {
            set_wait(j);
            if (j.deadline > t_) return;
        } else if (std::holds_alternative<jm::wait_for_step>(s.kind) || std::holds_alternative<jm::branch_step>(s.kind)) {
            if (const auto* o = outcome(j, {}, true)) return to(j, o->then);
            if (std::holds_alternative<jm::branch_step>(s.kind)) return to(j, s.otherwise);
            if (s.span) j.deadline = t_ + s.span->fixed;
            return;
        } else if (std::holds_alternative<jm::exit_step>(s.kind)) {
            over(j, "exited");
            return;
        } else if (std::holds_alternative<jm::send_step>(s.kind)) {
            act(j, "sent");
        } else {
            cause c{{t_, ++count_}, j.trigger, s.target};
            std::vector<jm::value> values;
            for (const auto& [_, n] : s.with) values.push_back(value_of(n, &j));
            if (std::holds_alternative<jm::set_step>(s.kind)) {
                act(j, "done");
                for (std::size_t k = 0; k < values.size(); ++k) world_.set(s.slots[k], c.place, values[k]);
                c.event = {};
            } else if (std::holds_alternative<jm::emit_step>(s.kind)) {
                c.event = world_.event(world_.keep(world_.emit(s.target, c.place, s.slots, values)));
                c.start = jm::none;
            }
            if (++caused_[t_] > 1000) throw jm::error{"workflow.circle", "", ""};
            causes_.push_back(c);
        }
        to(j, s.next);
    }

    const jm::workflow_program& w_;
    const jm::program& p_;
    const contact& contact_;
    naive_world world_;
    std::vector<const fact*> facts_;
    bool arrival_ = false;
    std::vector<memory> memory_;
    std::vector<journey> journeys_, begun_;
    std::vector<cause> causes_;
    std::map<jm::instant, int> caused_;
    jm::journey_view shown_;
    jm::instant t_;
    jm::position at_;
    std::uint32_t count_ = 0;
};

// ---- what is tried

std::string sorted(const std::string& text) {
    std::istringstream in{text};
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    std::sort(all.begin(), all.end());
    std::string out;
    for (const auto& l : all) out += l + "\n";
    return out;
}
/// Actions of a contact in the order they were taken; contacts one after the other.
std::string by_contact(const std::string& text, const std::vector<contact>& all) {
    std::string out;
    for (const auto& c : all) {
        std::istringstream in{text};
        for (std::string line; std::getline(in, line);) if (line.starts_with(c.id + " ")) out += line + "\n";
    }
    return out;
}

/// How many actions both agree on.
std::size_t agree(unsigned seed, jm::run_order order) {
    dice d{seed};
    const auto all = crowd(d);
    const auto h = history_of(all);
    jm::workflow_definitions defs;
    for (int k = d.below(3); k >= 0; --k) defs.workflows.push_back(any_workflow(d, "w" + std::to_string(k)));
    defs.context.zone = jm::load_zone("Europe/Rome");
    defs.context.segments.emplace("s", question(d, false));
    defs.segments = {{"s", {}}};

    auto known = h.schema();
    jm::add_made(defs.workflows, defs.context, known);
    jm::compiler c{known, h.data().pool, defs.context};
    jm::problems found;
    const auto program = jm::compile_workflows(defs, c, found);
    for (const auto& p : c.found()) REQUIRE_MESSAGE(p.severity != jm::severity::error, p.place << ": " << p.message);
    REQUIRE(found.errors() == 0);

    std::string actions, journeys;
    bool circle = false;
    try {
        for (const auto& one : all) {
            naive n{*program, *h.data().pool, one, order == jm::run_order::arrival};
            n.run();
            actions += n.actions.str();
            journeys += n.journeys.str();
        }
    } catch (const jm::error&) {
        circle = true;
    }
    CAPTURE(seed);
    const jm::run_options options{.start = begins, .until = ends, .order = order, .threads = 1, .only = jm::attr("mark") != "z" || jm::missing(jm::attr("mark"))};
    if (circle) {
        CHECK_THROWS_AS(jm::replay(defs, h, options), jm::error);
        return 0;
    }
    const auto r = jm::replay(defs, h, options);
    const auto fast = by_contact(support::lines(r.actions(), {"contact_id", "workflow", "journey", "step", "at", "status"}), all);
    CHECK(fast == actions);
    CHECK(sorted(support::lines(r.journeys(), {"contact_id", "workflow", "journey", "entered_at", "left_at", "outcome", "at_step"})) == sorted(journeys));
    return r.actions().rows();
}

}  // namespace

TEST_CASE("random workflows over random histories do what the naive replay does, by event time")
{
    std::size_t actions = 0;
    for (unsigned seed = 0; seed < 400; ++seed) actions += agree(seed, jm::run_order::event);
    CHECK(actions > 2'000);
}

TEST_CASE("random workflows over random histories do what the naive replay does, by arrival")
{
    std::size_t actions = 0;
    for (unsigned seed = 1'000; seed < 1'400; ++seed) actions += agree(seed, jm::run_order::arrival);
    CHECK(actions > 2'000);
}
