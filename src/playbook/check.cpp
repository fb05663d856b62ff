// What is wrong with a playbook, all of it at once, each at its place.

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <tuple>

#include "journeyman/kpi/report.hpp"
#include "journeyman/playbook/playbook.hpp"
#include "journeyman/workflow/check.hpp"
#include "playbook/schema.hpp"
#include "predicate/walk.hpp"

namespace journeyman {
namespace {

class checker {
public:
    checker(const playbook& p, schema known, bool events_known, problems found) : p_{p}, known_{std::move(known)}, events_known_{events_known}, found_{std::move(found)} {}

    problems check() {
        names();
        compile_context context;
        try {
            context = p_.context();
        } catch (const error& e) {
            add(e.code(), "timezone", e.message());
            auto other = p_;
            other.timezone = "UTC";
            context = other.context();
        }
        stand_in_for_broken(context);
        compiler c{known_, pool_, context};
        for (const auto& s : p_.segments)
            if (!broken_.contains(s.name)) c.add_predicate(call(function::segment, {expression{s.name}}), "segments." + s.name + ".where");
        for (const auto& s : p_.segments)
            for (const auto& [group, list] : s.collect)
                for (std::size_t k = 0; k < list.size(); ++k)
                    if (!list[k].empty()) c.add_expression(list[k], "segments." + s.name + ".collect." + group + "." + std::to_string(k));
        for (const auto& f : p_.funnels) funnel_of(f, c);
        std::vector<std::string> segment_names;
        for (const auto& s : p_.segments) segment_names.push_back(s.name);
        found_.add(c.found());
        const auto before = c.found().size();
        check_workflows(p_.workflows, p_.policies, segment_names, c, found_, &context);
        leads();
        check_kpis({p_.kpis_, p_.campaigns, p_.dimensions, segment_names, context, p_.types}, c, found_);
        for (std::size_t k = before; k < c.found().size(); ++k) found_.add(c.found()[k]);
        detail::check_report(p_, known_, pool_, context, found_);
        return sorted();
    }

private:
    void add(std::string code, std::string place, std::string message, severity s = severity::error) { found_.add({std::move(code), std::move(place), std::move(message), s}); }

    template <class T> std::vector<std::string> names_of(const std::vector<T>& all, const std::string& section, const std::string& what) {
        std::vector<std::string> out;
        for (const auto& x : all) {
            if (x.name.empty()) add("playbook.name", section, "a " + what + " needs a name");
            else if (std::find(out.begin(), out.end(), x.name) != out.end()) add("playbook.name", section + "." + x.name, "there are two " + what + "s of this name; give one another");
            out.push_back(x.name);
        }
        return out;
    }

    void names() {
        names_of(p_.segments, "segments", "segment");
        const auto funnels = names_of(p_.funnels, "funnels", "funnel");
        names_of(p_.campaigns, "campaigns", "campaign");
        names_of(p_.dimensions, "dimensions", "dimension");
        std::vector<std::string> titles;
        for (const auto& r : p_.report) {
            if (std::find(titles.begin(), titles.end(), r.title) != titles.end()) add("playbook.name", "report." + r.title, "there are two parts of the report of this title; give one another");
            titles.push_back(r.title);
        }
        for (const auto& s : p_.segments) {
            if (s.where.empty()) add("playbook.missing", "segments." + s.name, "a segment needs `where`, the predicate that says who is in it");
            if (!s.funnel.empty() && std::find(funnels.begin(), funnels.end(), s.funnel) == funnels.end()) add("name.unknown", "segments." + s.name + ".funnel", "there is no funnel \"" + s.funnel + "\"." + did_you_mean(s.funnel, funnels));
        }
        std::vector<std::string> workflows;
        for (const auto& w : p_.workflows) workflows.push_back(w.name);
        for (const auto& k : p_.kpis_)
            for (std::size_t i = 0; i < k.improve.size(); ++i) {
                const auto& w = k.improve[i].workflow;
                if (!w.empty() && std::find(workflows.begin(), workflows.end(), w) == workflows.end())
                    add("name.unknown", "kpis." + k.name + ".improve." + std::to_string(i) + ".workflow", "there is no workflow \"" + w + "\"." + did_you_mean(w, workflows));
            }
    }

    /// What is wrong with a segment is said once, at the segment: whoever names it meets a stand-in. Those it names come first, so that a problem of theirs is not said of it.
    void stand_in_for_broken(compile_context& context) {
        const compile_context whole = context;
        std::set<std::string, std::less<>> done;
        std::vector<std::string> open;
        std::vector<std::string> in_circle;
        const std::function<void(const std::string&)> visit = [&](const std::string& name) {
            if (done.contains(name)) return;
            if (const auto at = std::find(open.begin(), open.end(), name); at != open.end()) {
                in_circle.insert(in_circle.end(), at, open.end());
                return;
            }
            const auto it = whole.segments.find(name);
            if (it == whole.segments.end()) return;
            open.push_back(name);
            std::vector<std::string> named;
            detail::each_named_segment(it->second, [&](const std::string& n) { named.push_back(n); });
            for (const auto& n : named) visit(n);
            open.pop_back();
            if (!done.insert(name).second) return;
            const bool circular = std::find(in_circle.begin(), in_circle.end(), name) != in_circle.end();
            compiler c{known_, pool_, circular ? whole : context};
            c.add_predicate(call(function::segment, {expression{name}}), "segments." + name + ".where");
            if (c.found().errors() == 0) return;
            for (const auto& problem : c.found())
                if (problem.severity == severity::error) found_.add(problem);
            broken_.insert(name);
            context.segments.insert_or_assign(name, expression{true});
        };
        for (const auto& s : p_.segments) visit(s.name);
    }

    /// Which KPIs each workflow leads to the events of.
    void leads() {
        const auto t = p_.leads_to();
        for (const auto& w : p_.workflows) {
            std::string all;
            for (std::size_t r = 0; r < t.rows(); ++r) {
                if (t[0].text(r) != w.name) continue;
                all += (all.empty() ? "" : ", ") + std::string{t[3].text(r)} + " of \"" + std::string{t[4].text(r)} + "\" (" + std::string{t[2].text(r)} + (t[1].present(r) ? " at \"" + std::string{t[1].text(r)} + "\"" : std::string{}) + ")";
            }
            if (!all.empty()) add("workflow.kpi", "workflows." + w.name, "its journeys lead to events of KPIs: " + all, severity::note);
        }
    }

    void funnel_of(const funnel& f, compiler& c) {
        const auto place = "funnels." + f.name;
        if (f.stages.empty() == f.steps.empty()) add("playbook.value", place, "a funnel has either stages, each a predicate, or steps, each an event");
        for (std::size_t k = 0; k < f.stages.size(); ++k) {
            const auto at = place + ".stages." + std::to_string(k);
            if (f.stages[k].when.empty()) add("playbook.missing", at, "a stage needs `when`, the predicate of who has reached it");
            else c.add_predicate(f.stages[k].when, at + ".when");
        }
        if (f.steps.empty()) return;
        event_funnel of_steps{f.steps, f.within, {}};
        of_steps.rules = read_funnel_rules(f.rules, f.steps.size(), place, found_);
        detail::name_dimensions(p_, of_steps.rules.by);
        check_funnel(of_steps, c, place, found_);
    }

    /// Each once, at its place in the file, in the order of the file.
    problems sorted() {
        struct placed {
            problem what;
            long line = 0, column = 0;
        };
        std::vector<placed> all;
        for (auto x : found_) {
            if (!events_known_ && x.code == "name.event") continue;
            placed one{std::move(x)};
            const auto path = one.what.place;
            one.what.place = p_.place(path);
            if (one.what.place != path) {
                const auto& at = one.what.place;
                const auto second = at.rfind(':'), first = second == at.npos || second == 0 ? at.npos : at.rfind(':', second - 1);
                if (first != at.npos) {
                    std::from_chars(at.data() + first + 1, at.data() + second, one.line);
                    std::from_chars(at.data() + second + 1, at.data() + at.size(), one.column);
                }
            }
            if (std::none_of(all.begin(), all.end(), [&](const placed& y) { return y.what == one.what; })) all.push_back(std::move(one));
        }
        std::stable_sort(all.begin(), all.end(), [](const placed& a, const placed& b) { return std::tie(a.line, a.column) < std::tie(b.line, b.column); });
        problems out;
        for (auto& x : all) out.add(std::move(x.what));
        return out;
    }

    const playbook& p_;
    schema known_;
    bool events_known_;
    problems found_;
    text_pool_ptr pool_ = std::make_shared<text_pool>();
    std::set<std::string, std::less<>> broken_;
};

}  // namespace

problems playbook::check() const {
    problems found;
    auto known = detail::schema_of(*this, detail::schema_of_mentions(*this, found), found);
    known.events.clear();                                      // what else they hold nobody knows yet
    return checker{*this, std::move(known), false, found}.check();
}

problems playbook::check(const journeyman::history& h) const {
    problems found;
    auto known = detail::schema_of(*this, h.schema(), found);
    return checker{*this, std::move(known), true, found}.check();
}

}  // namespace journeyman
