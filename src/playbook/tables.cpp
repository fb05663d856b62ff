// Who is in the segments, how far they have come, and what is known of them.

#include <algorithm>
#include <iterator>
#include <map>

#include "journeyman/playbook/playbook.hpp"
#include "journeyman/predicate/membership.hpp"
#include "playbook/schema.hpp"
#include "segment/breakdown.hpp"
#include "segment/questions.hpp"
#include "segment/share.hpp"

namespace journeyman {
namespace {

using contact_numbers = std::vector<std::uint32_t>;

contact_numbers both(const contact_numbers& a, const contact_numbers& b) {
    contact_numbers out;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    return out;
}

/// Everything of one playbook asked of one history at one instant; the first problem is thrown with its place in the file.
class asking {
public:
    asking(const playbook& p, const history& h, instant at) : p_{p}, h_{h}, at_{at}, questions_{h, p.vocabulary(h)} {}

    node_id predicate_at(const expression& e, const std::string& path) { return sound([&] { return questions_.add_predicate(e, path); }); }
    node_id member_of(const segment& s) { return predicate_at(is_member(p_, s), "segments." + s.name + ".where"); }
    value_type type_of(const expression& e, const std::string& path) { return questions_.type_of(sound([&] { return questions_.add(e, path); })); }
    selection select(node_id n, unsigned threads = 1) { return journeyman::select(h_, program(), n, at_, threads); }
    const program_ptr& program() { return questions_.program(); }

    static predicate is_member(const playbook& p, const segment& s) {
        if (s.where.empty()) throw error{"playbook.missing", p.place("segments." + s.name), "a segment needs `where`, the predicate that says who is in it"};
        return s;
    }

private:
    template <class F> node_id sound(F f) {
        try {
            return f();
        } catch (const error& e) {
            throw error{e.code(), p_.place(e.place()), e.message()};
        }
    }

    const playbook& p_;
    const history& h_;
    instant at_;
    detail::questions questions_;
};

/// Whether what is collected is there (K7): an attribute when it exists, an aggregate when it is neither missing, 0 nor no.
expression is_there(const expression& e, value_type type) {
    if (e->kind == node_kind::attribute || e->kind == node_kind::account_attribute) return exists(e);
    if (type == value_type::boolean) return e;
    if (is_number(type)) return e != 0;
    return exists(e);
}

}  // namespace

vocabulary playbook::vocabulary(const journeyman::history& h) const {
    problems found;
    journeyman::vocabulary out{context(), detail::schema_of(*this, h.schema(), found)};
    for (const auto& x : found) throw error{x.code, place(x.place), x.message};
    return out;
}

selection playbook::select(const journeyman::history& h, const predicate& p, instant at, unsigned threads) const {
    asking ask{*this, h, at};
    return ask.select(ask.predicate_at(p, ""), threads);
}

table playbook::membership(const journeyman::history& h, const predicate& p, instant start, instant end) const {
    asking ask{*this, h, start};
    const auto n = ask.predicate_at(p, "");
    return journeyman::membership(h, ask.program(), n, start, end);
}

tracked_membership playbook::track(const journeyman::history& h, const predicate& p, instant start, std::optional<instant> until) const {
    const auto compile = [mine = *this, p](const journeyman::history& of) {
        asking ask{mine, of, beginning_of_time};
        const auto n = ask.predicate_at(p, "");
        return std::pair{ask.program(), n};
    };
    return {h, compile, start, until};
}

explanation playbook::explain(const journeyman::history& h, const predicate& p, std::string_view contact, instant at) const {
    const auto words = vocabulary(h);
    return journeyman::explain(h, p, contact, at, words.context, &*words.known);
}

coverage_report playbook::coverage(const journeyman::history& h, instant at) const {
    const auto& ids = h.data().contacts;
    coverage_report out;
    out.fields = table{{"segment", value_type::text}, {"group", value_type::text}, {"expression", value_type::text}, {"members", value_type::integer}, {"present", value_type::integer}, {"share", value_type::decimal}};
    out.lacking = table{{"segment", value_type::text}, {"expression", value_type::text}, {"contact_id", ids.type()}};
    struct field {
        const segment* of;
        const std::string* group;
        std::string text;
        node_id there;
    };
    asking ask{*this, h, at};
    std::map<const segment*, node_id> members;
    std::vector<field> fields;
    for (const auto& s : segments) {
        if (s.collect.empty()) continue;
        members[&s] = ask.member_of(s);
        for (const auto& [group, list] : s.collect)
            for (std::size_t k = 0; k < list.size(); ++k) {
                if (list[k].empty()) continue;
                const auto path = "segments." + s.name + ".collect." + group + "." + std::to_string(k);
                fields.push_back({&s, &group, list[k].to_text(), ask.predicate_at(is_there(list[k], ask.type_of(list[k], path)), path)});
            }
    }
    // Segments often collect the same: each question is asked once.
    std::map<std::string, contact_numbers> there;
    std::map<const segment*, contact_numbers> in;
    for (const auto& f : fields) {
        auto [mine, fresh] = in.try_emplace(f.of);
        if (fresh) mine->second = ask.select(members[f.of]).numbers();
        auto [all, asked] = there.try_emplace(f.text);
        if (asked) all->second = ask.select(f.there).numbers();
        const auto present = both(mine->second, all->second);
        out.fields[0].push_text(f.of->name);
        out.fields[1].push_text(*f.group);
        out.fields[2].push_text(f.text);
        out.fields[3].push_integer(static_cast<std::int64_t>(mine->second.size()));
        out.fields[4].push_integer(static_cast<std::int64_t>(present.size()));
        detail::push_share(out.fields[5], present.size(), mine->second.size());
        contact_numbers lacking;
        std::set_difference(mine->second.begin(), mine->second.end(), present.begin(), present.end(), std::back_inserter(lacking));
        for (const auto c : lacking) {
            out.lacking[0].push_text(f.of->name);
            out.lacking[1].push_text(f.text);
            ids.push_to(out.lacking[2], c);
        }
    }
    return out;
}

table playbook::stages(const journeyman::history& h, instant at) const {
    table out{{"segment", value_type::text}, {"funnel", value_type::text}, {"stage", value_type::text}, {"standing", value_type::integer}, {"reached", value_type::integer}};
    asking ask{*this, h, at};
    std::map<std::string, std::vector<node_id>> stage_nodes;
    std::vector<std::pair<const segment*, node_id>> members;
    for (const auto& s : segments) {
        if (s.funnel.empty()) continue;
        const auto f = std::find_if(funnels.begin(), funnels.end(), [&](const auto& x) { return x.name == s.funnel; });
        if (f == funnels.end()) {
            std::vector<std::string> names;
            for (const auto& x : funnels) names.push_back(x.name);
            throw error{"name.unknown", place("segments." + s.name + ".funnel"), "there is no funnel \"" + s.funnel + "\"." + did_you_mean(s.funnel, names)};
        }
        members.emplace_back(&s, ask.member_of(s));
        if (auto [nodes, fresh] = stage_nodes.try_emplace(f->name); fresh)
            for (std::size_t k = 0; k < f->stages.size(); ++k) nodes->second.push_back(ask.predicate_at(f->stages[k].when, "funnels." + f->name + ".stages." + std::to_string(k) + ".when"));
    }
    std::map<std::string, std::vector<contact_numbers>> stage_contacts;
    for (const auto& [of, nodes] : stage_nodes)
        for (const auto n : nodes) stage_contacts[of].push_back(ask.select(n).numbers());
    for (const auto& [s, node] : members) {
        const auto& f = *std::find_if(funnels.begin(), funnels.end(), [&, funnel_name = s->funnel](const auto& x) { return x.name == funnel_name; });
        // From the last stage back: who has not been met yet stands here, and has reached this stage and those before.
        contact_numbers left = ask.select(node).numbers();
        std::vector<std::size_t> standing(f.stages.size());
        for (std::size_t k = f.stages.size(); k-- > 0;) {
            const auto here = both(left, stage_contacts[f.name][k]);
            standing[k] = here.size();
            contact_numbers rest;
            std::set_difference(left.begin(), left.end(), here.begin(), here.end(), std::back_inserter(rest));
            left = std::move(rest);
        }
        std::size_t reached = 0;
        for (const auto n : standing) reached += n;
        for (std::size_t k = 0; k < f.stages.size(); ++k) {
            out[0].push_text(s->name);
            out[1].push_text(f.name);
            out[2].push_text(f.stages[k].name);
            out[3].push_integer(static_cast<std::int64_t>(standing[k]));
            out[4].push_integer(static_cast<std::int64_t>(reached));
            reached -= standing[k];
        }
    }
    return out;
}

table playbook::sizes(const journeyman::history& h, instant at) const {
    table out{{"segment", value_type::text}, {"title", value_type::text}, {"members", value_type::integer}, {"unknown", value_type::integer}, {"share", value_type::decimal}};
    const auto& from = h.data().exists_from;
    const auto t = at.time_since_epoch().count();
    const std::size_t existing = from.empty() ? h.contacts_count() : static_cast<std::size_t>(std::count_if(from.begin(), from.end(), [t](std::int64_t x) { return x <= t; }));
    asking ask{*this, h, at};
    // `segment("x")` is yes or no; who is unknown is asked of the predicate itself.
    for (const auto& s : segments) {
        static_cast<void>(ask.member_of(s));
        const auto who = ask.select(ask.predicate_at(s.where, "segments." + s.name + ".where"));
        out[0].push_text(s.name);
        if (s.title.empty()) out[1].push_missing();
        else out[1].push_text(s.title);
        out[2].push_integer(static_cast<std::int64_t>(who.count()));
        out[3].push_integer(static_cast<std::int64_t>(who.unknown_numbers().size()));
        detail::push_share(out[4], who.count(), existing);
    }
    return out;
}

table playbook::sizes(const journeyman::history& h, instant at, const named_expressions& by) const {
    asking ask{*this, h, at};
    const detail::breakdown cells{h, at, by, vocabulary(h), {}};
    table out{{"segment", value_type::text}, {"title", value_type::text}};
    cells.add_columns(out);
    for (const auto& s : segments) {
        static_cast<void>(ask.member_of(s));
        cells.add_rows(out, 2, ask.select(ask.predicate_at(s.where, "segments." + s.name + ".where")), [&] {
            out[0].push_text(s.name);
            if (s.title.empty()) out[1].push_missing();
            else out[1].push_text(s.title);
        });
    }
    return out;
}

overlap_report playbook::overlap(const journeyman::history& h, instant at, const progress_listener& progress) const {
    named_expressions members;
    for (const auto& s : segments) members.emplace_back(s.name, asking::is_member(*this, s));
    try {
        return journeyman::overlap(h, members, at, vocabulary(h), progress);
    } catch (const error& e) {
        throw placed(e);
    }
}

}  // namespace journeyman
