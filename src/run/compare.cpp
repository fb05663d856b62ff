#include "journeyman/run/compare.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "journeyman/playbook/playbook.hpp"
#include "run/run_data.hpp"

namespace journeyman {
namespace {

void text_or_missing(table_column& c, std::string_view s) {
    if (s.empty()) c.push_missing();
    else c.push_text(s);
}

/// Before and after, as columns from `c` on.
struct counts {
    std::int64_t before = 0, after = 0;
    void put(table& t, std::size_t c) const {
        t[c].push_integer(before);
        t[c + 1].push_integer(after);
        t[c + 2].push_integer(after - before);
    }
};

/// One of the two runs.
struct side {
    const run_data* data;
    [[nodiscard]] const compiled_workflow& workflow(std::uint32_t k) const { return data->program->workflows[k]; }
};

class comparing {
public:
    comparing(const run_data& before, const run_data& after) : sides_{{{&before}, {&after}}} {
        for (const auto& s : sides_)
            for (const auto& w : s.data->program->workflows)
                if (std::find(names_.begin(), names_.end(), w.name) == names_.end()) names_.push_back(w.name);
        std::sort(names_.begin(), names_.end());
        for (std::size_t k = 0; k < 2; ++k)
            for (const auto& w : sides_[k].data->program->workflows) numbers_[k].push_back(static_cast<std::uint32_t>(std::lower_bound(names_.begin(), names_.end(), w.name) - names_.begin()));
    }

    comparison compare() {
        comparison out;
        out.versions = versions();
        messages(out);
        paths(out);
        out.steps = steps();
        return out;
    }

private:
    const auto& contacts() const { return sides_[0].data->given.data().contacts; }

    table versions() const {
        table t{{"workflow", value_type::text}, {"version_before", value_type::text}, {"version_after", value_type::text}, {"change", value_type::text}};
        for (const auto& name : names_) {
            std::array<std::string_view, 2> version;
            for (std::size_t k = 0; k < 2; ++k)
                for (const auto& w : sides_[k].data->program->workflows) if (w.name == name) version[k] = w.version;
            t[0].push_text(name);
            text_or_missing(t[1], version[0]);
            text_or_missing(t[2], version[1]);
            t[3].push_text(version[0] == version[1] ? "same" : version[0].empty() ? "added" : version[1].empty() ? "removed" : "changed");
        }
        return t;
    }

    // ---- messages
    struct message {
        std::uint32_t contact;
        std::string_view workflow, step, channel, content;
        instant at;
        [[nodiscard]] auto what() const { return std::tie(workflow, step, channel, content); }
    };
    std::vector<message> sent(std::size_t k) const {
        std::vector<message> out;
        const auto& d = *sides_[k].data;
        d.each_action([&](std::uint32_t contact, const step_action& a) {
            if (a.status != action_status::sent) return;
            const auto& w = sides_[k].workflow(a.workflow);
            out.push_back({contact, w.name, w.steps[a.step].name, a.channel == none ? std::string_view{} : d.program->channels[a.channel], template_of(w.steps[a.step]), a.at.at});
        });
        std::stable_sort(out.begin(), out.end(), [](const message& a, const message& b) { return std::tuple_cat(std::tie(a.contact), a.what(), std::tie(a.at)) < std::tuple_cat(std::tie(b.contact), b.what(), std::tie(b.at)); });
        return out;
    }
    void messages(comparison& out) const {
        out.contacts = table{{"contact_id", contacts().type()}, {"before", value_type::integer}, {"after", value_type::integer}, {"difference", value_type::integer}, {"change", value_type::text}};
        out.messages = table{{"workflow", value_type::text}, {"step", value_type::text}, {"channel", value_type::text}, {"template", value_type::text}, {"before", value_type::integer}, {"after", value_type::integer}, {"difference", value_type::integer}};
        const auto before = sent(0), after = sent(1);
        std::map<std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>, counts> totals;
        for (const auto& m : before) ++totals[m.what()].before;
        for (const auto& m : after) ++totals[m.what()].after;
        for (const auto& [what, n] : totals) {
            text_or_missing(out.messages[0], std::get<0>(what));
            text_or_missing(out.messages[1], std::get<1>(what));
            text_or_missing(out.messages[2], std::get<2>(what));
            text_or_missing(out.messages[3], std::get<3>(what));
            n.put(out.messages, 4);
        }
        std::size_t a = 0, b = 0;
        while (a < before.size() || b < after.size()) {
            const auto contact = std::min(a < before.size() ? before[a].contact : none, b < after.size() ? after[b].contact : none);
            const auto a0 = a, b0 = b;
            while (a < before.size() && before[a].contact == contact) ++a;
            while (b < after.size() && after[b].contact == contact) ++b;
            const counts n{static_cast<std::int64_t>(a - a0), static_cast<std::int64_t>(b - b0)};
            const char* change = n.after > n.before ? "more" : n.after < n.before ? "fewer" : "";
            if (n.before == n.after)
                for (std::size_t k = 0; k < a - a0; ++k) {
                    if (before[a0 + k].what() != after[b0 + k].what()) change = "other";
                    else if (*change == 0 && before[a0 + k].at != after[b0 + k].at) change = "moved";
                }
            if (*change == 0) continue;
            contacts().push_to(out.contacts[0], contact);
            n.put(out.contacts, 1);
            out.contacts[4].push_text(change);
        }
    }

    // ---- paths
    struct passed {
        std::uint32_t contact, workflow, journey, number;      // workflow: of `names_`; number: as they came
        std::string_view step, next;
        passage by;
        position to;
        [[nodiscard]] auto journey_key() const { return std::tie(contact, workflow, journey); }
        [[nodiscard]] bool same_way(const passed& o) const { return step == o.step && by == o.by && next == o.next; }
        [[nodiscard]] std::string text() const { return std::string{to_string(by)} + (next.empty() ? "" : " → " + std::string{next}); }
    };
    std::vector<passed> passages(std::size_t k) const {
        std::vector<passed> out;
        sides_[k].data->each_stay([&](std::uint32_t contact, const stay& s) {
            const auto& w = sides_[k].workflow(s.workflow);
            out.push_back({contact, numbers_[k][s.workflow], s.journey, static_cast<std::uint32_t>(out.size()), w.steps[s.step].name, s.next == none ? std::string_view{} : w.steps[s.next].name, s.by, s.to});
        });
        std::sort(out.begin(), out.end(), [](const passed& a, const passed& b) { return std::tuple_cat(a.journey_key(), std::tie(a.number)) < std::tuple_cat(b.journey_key(), std::tie(b.number)); });
        return out;
    }
    void paths(comparison& out) const {
        out.parted = table{{"contact_id", contacts().type()}, {"workflow", value_type::text}, {"journey", value_type::integer}, {"step", value_type::text}, {"at", value_type::instant}, {"before", value_type::text}, {"after", value_type::text}};
        const auto before = passages(0), after = passages(1);
        std::map<std::tuple<std::uint32_t, std::string, std::string, std::string>, std::int64_t> totals;
        const auto part = [&](const passed& of, std::string_view step, std::optional<instant> at, const std::string& was, const std::string& is) {
            contacts().push_to(out.parted[0], of.contact);
            out.parted[1].push_text(names_[of.workflow]);
            out.parted[2].push_integer(of.journey);
            text_or_missing(out.parted[3], step);
            if (at && *at != end_of_time) out.parted[4].push(*at);
            else out.parted[4].push_missing();
            text_or_missing(out.parted[5], was);
            text_or_missing(out.parted[6], is);
            ++totals[{of.workflow, std::string{step}, was, is}];
        };
        std::size_t a = 0, b = 0;
        while (a < before.size() || b < after.size()) {
            const bool first = b == after.size() || (a < before.size() && before[a].journey_key() <= after[b].journey_key());
            const passed& of = first ? before[a] : after[b];
            const auto a0 = a, b0 = b;
            while (a < before.size() && before[a].journey_key() == of.journey_key()) ++a;
            while (b < after.size() && after[b].journey_key() == of.journey_key()) ++b;
            if (a == a0) part(of, {}, {}, "", "entered");
            else if (b == b0) part(of, {}, {}, "entered", "");
            else {
                std::size_t k = 0;
                while (a0 + k < a && b0 + k < b && before[a0 + k].same_way(after[b0 + k])) ++k;
                const bool one = a0 + k < a, two = b0 + k < b;
                if (one && two && before[a0 + k].step == after[b0 + k].step) part(of, before[a0 + k].step, std::min(before[a0 + k].to.at, after[b0 + k].to.at), before[a0 + k].text(), after[b0 + k].text());
                else if (one && two) part(of, {}, {}, "first " + std::string{before[a0 + k].step}, "first " + std::string{after[b0 + k].step});   // another first step
            }
        }
        out.partings = table{{"workflow", value_type::text}, {"step", value_type::text}, {"before", value_type::text}, {"after", value_type::text}, {"journeys", value_type::integer}};
        for (const auto& [key, n] : totals) {
            out.partings[0].push_text(names_[std::get<0>(key)]);
            text_or_missing(out.partings[1], std::get<1>(key));
            text_or_missing(out.partings[2], std::get<2>(key));
            text_or_missing(out.partings[3], std::get<3>(key));
            out.partings[4].push_integer(n);
        }
    }

    // ---- counts a step
    table steps() const {
        static constexpr const char* measures[] = {"entered", "moved_on", "completed", "goal", "exited", "waiting", "sent", "deferred", "suppressed"};
        std::map<std::tuple<std::string, std::string, std::size_t>, counts> all;
        for (std::size_t k = 0; k < 2; ++k) {
            const auto add = [&](const std::string& w, const std::string& s, std::size_t measure) {
                auto& n = all[{w, s, measure}];
                ++(k == 0 ? n.before : n.after);
            };
            sides_[k].data->each_stay([&](std::uint32_t, const stay& s) {
                const auto& w = sides_[k].workflow(s.workflow);
                const auto& name = w.steps[s.step].name;
                add(w.name, name, 0);
                add(w.name, name, s.to.at == end_of_time ? 5 : s.next != none ? 1 : s.by == passage::goal ? 3 : s.by == passage::exited ? 4 : 2);
            });
            sides_[k].data->each_action([&](std::uint32_t, const step_action& a) {
                const auto& w = sides_[k].workflow(a.workflow);
                if (a.status != action_status::done) add(w.name, w.steps[a.step].name, a.status == action_status::sent ? 6 : a.status == action_status::deferred ? 7 : 8);
            });
        }
        table t{{"workflow", value_type::text}, {"step", value_type::text}, {"measure", value_type::text}, {"before", value_type::integer}, {"after", value_type::integer}, {"difference", value_type::integer}};
        for (const auto& [key, n] : all) {
            if (n.before == n.after) continue;
            t[0].push_text(std::get<0>(key));
            t[1].push_text(std::get<1>(key));
            t[2].push_text(measures[std::get<2>(key)]);
            n.put(t, 3);
        }
        return t;
    }

    std::array<side, 2> sides_;
    std::vector<std::string> names_;                           // of workflows, sorted
    std::array<std::vector<std::uint32_t>, 2> numbers_;        // by workflow of the program
};

/// What stands before `value`: the names of a row.
std::vector<std::string> keys_of(const table& t) {
    std::vector<std::string> out;
    for (const auto& c : t.columns()) {
        if (c.name() == "value") break;
        if (c.name() != "partial") out.push_back(c.name());
    }
    return out;
}

}  // namespace

comparison compare(const run& before, const run& after) {
    const auto &a = before.data(), &b = after.data();
    if (a.given.contacts_count() != b.given.contacts_count()) throw error{"run.compare", "", "the runs are over two histories; replay both versions over the same one"};
    return comparing{a, b}.compare();
}

table compare(const kpi_report& before, const kpi_report& after) {
    auto names = keys_of(before.rows);
    for (const auto& n : keys_of(after.rows)) if (std::find(names.begin(), names.end(), n) == names.end()) names.push_back(n);
    using key = std::vector<std::string>;
    struct values { std::optional<double> before, after; std::size_t row; const table* of; };
    std::map<key, values> all;
    std::vector<key> order;
    for (const auto* t : {&before.rows, &after.rows}) {
        std::vector<const table_column*> columns;
        for (const auto& n : names) {
            const auto it = std::find_if(t->columns().begin(), t->columns().end(), [&](const auto& c) { return c.name() == n; });
            columns.push_back(it == t->columns().end() ? nullptr : &*it);
        }
        for (std::size_t r = 0; r < t->rows(); ++r) {
            key k;
            for (const auto* c : columns) k.push_back(c == nullptr || !c->present(r) ? std::string{} : to_text(c->at(r)));
            const auto [it, fresh] = all.try_emplace(k, values{{}, {}, r, t});
            if (fresh) order.push_back(k);
            const auto& v = t->column("value");
            if (v.present(r)) (t == &before.rows ? it->second.before : it->second.after) = v.decimals()[r];
        }
    }
    table out;
    for (const auto& n : names) {
        const auto& from = std::any_of(before.rows.columns().begin(), before.rows.columns().end(), [&](const auto& c) { return c.name() == n; }) ? before.rows : after.rows;
        out.add_column(n, from.column(n).type());
    }
    for (const auto* n : {"before", "after", "difference"}) out.add_column(n, value_type::decimal);
    for (const auto& k : order) {
        const auto& v = all.at(k);
        for (std::size_t c = 0; c < names.size(); ++c) {
            const auto it = std::find_if(v.of->columns().begin(), v.of->columns().end(), [&](const auto& x) { return x.name() == names[c]; });
            if (it == v.of->columns().end() || !it->present(v.row)) out[c].push_missing();
            else out[c].push(it->at(v.row));
        }
        const auto put = [&](std::size_t c, std::optional<double> x) {
            if (x) out[names.size() + c].push_decimal(*x);
            else out[names.size() + c].push_missing();
        };
        put(0, v.before);
        put(1, v.after);
        put(2, v.before && v.after ? std::optional{*v.after - *v.before} : std::nullopt);
    }
    return out;
}

comparison playbook::compare(const playbook& other, const journeyman::history& h) const { return compare(other, h, run_options{}); }
comparison playbook::compare(const playbook& other, const journeyman::history& h, const run_options& o) const {
    const auto before = replay(h, o);
    const auto after = other.replay(h, o);
    auto out = journeyman::compare(before, after);
    if (!kpis_.empty() || !other.kpis_.empty()) out.kpis = journeyman::compare(kpis(h, &before), other.kpis(h, &after));
    return out;
}

}  // namespace journeyman
