// Playbooks from YAML or JSON.

#include "journeyman/playbook/playbook.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <yaml-cpp/eventhandler.h>

#include "playbook/reading.hpp"
#include "predicate/expression_words.hpp"

namespace journeyman {
namespace {

using detail::keyed;
using detail::reading;
using detail::spot;

constexpr std::size_t largest_file = 16U << 20U;

class playbook_reader {
public:
    playbook_reader(reading& in, playbook& out) : in_{in}, out_{out} {}

    void read(const YAML::Node& root) {
        const spot top{root, ""};
        keyed k{in_, top, "a playbook", {"name", "timezone", "currency", "week_starts", "types", "segments", "funnels", "policies", "workflows", "kpis", "campaigns", "dimensions", "report"}};
        if (!k) return;
        read_text(k, "name", out_.name);
        read_text(k, "timezone", out_.timezone);
        if (k.has("timezone") && !out_.timezone.empty() && !find_zone(out_.timezone)) zone_error(*k.find("timezone"));
        read_text(k, "currency", out_.currency);
        if (const auto s = k.find("week_starts"))
            if (in_.one_of(*s, "`week_starts`", {"monday", "sunday"}) == "sunday") out_.weeks = week_start::sunday;
        for (const auto& [name, s] : section(k, "types")) type(name, s);
        for (const auto& [name, s] : section(k, "segments")) out_.segments.push_back(segment_from(name, s));
        for (const auto& [name, s] : section(k, "funnels")) out_.funnels.push_back(funnel_from(name, s));
        if (const auto s = k.find("policies")) out_.policies = policies_from(*s);
        for (const auto& [name, s] : section(k, "workflows")) out_.workflows.push_back(detail::read_workflow(in_, name, s));
        for (const auto& [name, s] : section(k, "kpis")) out_.kpis_.push_back(kpi_from(name, s));
        for (const auto& [name, s] : section(k, "campaigns")) out_.campaigns.push_back(campaign_from(name, s));
        for (const auto& [name, s] : section(k, "dimensions")) out_.dimensions.push_back(dimension_from(name, s));
        for (const auto& [title, s] : section(k, "report")) out_.report.push_back(detail::read_report_part(in_, title, s));
    }

private:
    std::vector<std::pair<std::string, spot>> section(keyed& k, std::string_view key) {
        if (!k.has(key)) return {};
        const auto s = k.find(key);
        return s ? in_.entries(*s, "`" + std::string{key} + "`") : std::vector<std::pair<std::string, spot>>{};
    }
    void read_text(keyed& k, std::string_view key, std::string& to) {
        if (const auto s = k.find(key))
            if (auto t = in_.text(*s, "`" + std::string{key} + "`")) to = std::move(*t);
    }
    std::string text_of(keyed& k, std::string_view key) {
        std::string out;
        read_text(k, key, out);
        return out;
    }
    void zone_error(const spot& s) {
        try {
            static_cast<void>(load_zone(out_.timezone));
        } catch (const error& e) {
            in_.fail(e.code(), s, e.message());
        }
    }

    void type(const std::string& name, const spot& s) {
        const auto t = in_.text(s, "a type");
        if (!t) return;
        static const std::vector<std::string> names{"text", "yes/no", "boolean", "integer", "decimal", "money", "day", "instant", "duration", "list", "event"};
        const auto near = did_you_mean(*t, names);
        if (*t != "event" && parse_value_type(*t) == value_type::missing) in_.fail("playbook.value", s, "\"" + *t + "\" is no type." + (near.empty() ? " Types are text, yes/no, integer, decimal, money, day, instant, duration and list." : near));
        else if (*t != "event" && name.find('.') == name.npos) in_.fail("playbook.value", s, "a type is declared for contact.NAME, account.NAME or EVENT.NAME; `" + name + "` is none of them. Did you mean contact." + name + "?");
        else out_.types.emplace_back(name, *t);
    }

    segment segment_from(const std::string& name, const spot& s) {
        segment g{name, {}};
        if (in_.is_text(s)) {
            in_.places[s.path + ".where"] = in_.places[s.path];
            if (const auto text = in_.places.find(s.path + ":1:1"); text != in_.places.end()) in_.places[s.path + ".where:1:1"] = text->second;
            g.where = in_.expr(s, "a segment");
            return g;
        }
        if (in_.is_expression(s)) {
            in_.places[s.path + ".where"] = in_.places[s.path];
            g.where = in_.expr(s, "a segment");
            return g;
        }
        keyed k{in_, s, "a segment", {"where", "title", "collect", "channels", "funnel"}};
        if (const auto w = k.need("where", "the predicate that says who is in it")) g.where = in_.expr(*w, "`where`");
        if (!k) return g;
        g.title = text_of(k, "title");
        for (const auto& [group, at] : section(k, "collect")) {
            g.collect.emplace_back(group, std::vector<expression>{});
            const auto add = [&](const spot& item) {
                if (auto e = in_.expr(item, "an expression to collect"); !e.empty()) g.collect.back().second.push_back(std::move(e));
            };
            if (!in_.is_list(at)) add(at);
            else
                for (const auto& item : in_.items(at, "a group of `collect`")) add(item);
        }
        if (const auto c = k.find("channels")) g.channels = in_.texts(*c, "`channels`");
        g.funnel = text_of(k, "funnel");
        return g;
    }

    funnel funnel_from(const std::string& name, const spot& s) {
        funnel f;
        f.name = name;
        if (!in_.is_map(s)) {
            keyed{in_, s, "a funnel", {}};
            return f;
        }
        const bool of_steps = s.node["steps"].IsDefined(), of_stages = s.node["stages"].IsDefined();
        std::vector<std::string> known{"stages", "steps"};
        if (!of_stages) {
            known.emplace_back("within");
            known.insert(known.end(), funnel_rule_names().begin(), funnel_rule_names().end());
        }
        keyed k{in_, s, of_stages ? "a funnel of stages" : "a funnel", std::move(known)};
        if (of_steps == of_stages) in_.fail("playbook.value", s, "a funnel has either `stages`, each a predicate, or `steps`, each an event");
        if (const auto stages = k.find("stages"))
            for (const auto& item : in_.items(*stages, "`stages`")) {
                keyed one{in_, item, "a stage", {"name", "when"}};
                const auto n = one.need("name", "what the stage is called"), w = one.need("when", "the predicate of who has reached it");
                f.stages.push_back({n ? in_.text(*n, "`name`").value_or("") : "", w ? in_.expr(*w, "`when`") : expression{}});
            }
        if (const auto steps = k.find("steps"))
            for (const auto& item : in_.items(*steps, "`steps`")) {
                keyed one{in_, item, "a step of a funnel", {"name", "event"}};
                const auto n = one.need("name", "what the step is called"), e = one.need("event", "the event that is the step");
                auto chosen = e ? in_.select(*e, "`event`") : std::nullopt;
                f.steps.emplace_back(n ? in_.text(*n, "`name`").value_or("") : "", chosen ? std::move(*chosen) : selector{});
            }
        if (const auto w = k.find("within")) f.within = in_.duration(*w, "`within`");
        if (of_stages) return f;
        for (const auto& e : s.node) {
            if (!e.first.IsScalar() || std::find(funnel_rule_names().begin(), funnel_rule_names().end(), e.first.Scalar()) == funnel_rule_names().end()) continue;
            const auto& rule = e.first.Scalar();
            const spot at{e.second, s.path + "." + rule};
            f.rules.emplace_back(rule, in_.any(at));
        }
        return f;
    }

    // ---- policies

    quiet_hours quiet_from(const spot& s) {
        quiet_hours q;
        keyed k{in_, s, "`quiet_hours`", {"from", "to", "channel", "on"}};
        if (const auto f = k.need("from", "when they begin, such as \"21:00\"")) q.from = in_.clock(*f, "`from`").value_or(time_of_day{});
        if (const auto t = k.need("to", "when they end, such as \"08:00\"")) q.to = in_.clock(*t, "`to`").value_or(time_of_day{});
        q.channel = text_of(k, "channel");
        if (const auto o = k.find("on")) q.on = in_.weekdays(*o);
        return q;
    }

    cap cap_from(const spot& s) {
        cap c;
        keyed k{in_, s, "a cap", {"channel", "at_most", "per", "when_full"}};
        c.channel = text_of(k, "channel");
        if (const auto n = k.need("at_most", "how many sends")) c.at_most = in_.whole(*n, "`at_most`", 0).value_or(0);
        if (const auto p = k.need("per", "7d, day, week, month, quarter or year")) {
            const auto unit = in_.is_text(*p) ? std::find(std::begin(detail::unit_names), std::end(detail::unit_names), p->node.Scalar()) : std::end(detail::unit_names);
            length l;
            if (unit != std::end(detail::unit_names)) c.per = static_cast<calendar_unit>(unit - std::begin(detail::unit_names));
            else if (in_.is_text(*p) && parse_length(p->node.Scalar(), l)) c.per = l;
            else in_.one_of(*p, "`per`", {"a duration such as 7d", "day", "week", "month", "quarter", "year"});
        }
        if (const auto w = k.find("when_full")) c.defer = in_.one_of(*w, "`when_full`", {"suppress", "defer"}) == "defer";
        return c;
    }

    policies policies_from(const spot& s) {
        policies p;
        keyed k{in_, s, "`policies`", {"quiet_hours", "consent", "holdout", "caps"}};
        if (const auto q = k.find("quiet_hours")) {
            if (in_.is_list(*q)) {
                for (const auto& item : in_.items(*q, "`quiet_hours`")) p.quiet.push_back(quiet_from(item));
            } else p.quiet.push_back(quiet_from(*q));
        }
        for (const auto& [channel, at] : section(k, "consent")) p.consent.emplace_back(channel, in_.expr(at, "the consent of a channel"));
        if (const auto h = k.find("holdout")) p.holdout = in_.expr(*h, "`holdout`");
        if (const auto c = k.find("caps"))
            for (const auto& item : in_.items(*c, "`caps`")) p.caps.push_back(cap_from(item));
        return p;
    }

    // ---- KPIs

    kpi kpi_from(const std::string& name, const spot& s) {
        kpi out;
        out.name = name;
        keyed k{in_, s, "a KPI", {"value", "title", "unit", "kind", "scope", "every", "direction", "target", "by", "improve"}};
        if (const auto v = k.need("value", "arithmetic over measures, such as new(purchase) / new(lead)")) out.value = in_.expr(*v, "`value`");
        if (!k) return out;
        out.title = text_of(k, "title");
        out.unit = text_of(k, "unit");
        if (const auto kind = k.find("kind")) out.proportion = in_.one_of(*kind, "`kind`", {"proportion"}).has_value();
        out.scope = text_of(k, "scope");
        if (const auto e = k.find("every")) {
            static constexpr std::string_view names[] = {"day", "week", "month", "quarter", "year", "campaign"};
            if (const auto word = in_.one_of(*e, "`every`", {"day", "week", "month", "quarter", "year", "campaign"}))
                out.period = static_cast<kpi_period>(std::find(std::begin(names), std::end(names), *word) - std::begin(names));
        }
        if (const auto d = k.find("direction"))
            if (const auto word = in_.one_of(*d, "`direction`", {"up", "down"})) out.direction = *word == "up" ? kpi_direction::up : kpi_direction::down;
        if (const auto t = k.find("target")) {
            if (in_.is_map(*t)) out.target = relative_from(*t);
            else if (const auto n = in_.number(*t, "`target`")) out.target = *n;
        }
        if (const auto b = k.find("by")) {
            if (!in_.is_list(*b)) add_dimension(*b, out.by);
            else
                for (const auto& item : in_.items(*b, "`by`")) add_dimension(item, out.by);
        }
        if (const auto i = k.find("improve")) {
            if (in_.is_text(*i)) out.improve.push_back({text_or_empty(*i), ""});
            else
                for (const auto& item : in_.items(*i, "`improve`")) out.improve.push_back(improvement_from(item));
        }
        return out;
    }
    std::string text_or_empty(const spot& s) { return in_.text(s, "an action that improves it").value_or(""); }
    improvement improvement_from(const spot& s) {
        if (in_.is_text(s)) return {text_or_empty(s), ""};
        keyed k{in_, s, "an action of `improve`", {"action", "workflow"}};
        const auto a = k.need("action", "what improves it");
        return {a ? text_or_empty(*a) : "", text_of(k, "workflow")};
    }
    relative_target relative_from(const spot& s) {
        relative_target t;
        keyed k{in_, s, "`target`", {"change", "from"}};
        if (const auto c = k.need("change", "0.25 for a quarter more")) t.change = in_.number(*c, "`change`").value_or(0);
        const auto f = k.need("from", "previous, last_year or {start, end}");
        if (!f) return t;
        if (in_.is_map(*f)) {
            keyed span{in_, *f, "`from`", {"start", "end"}};
            t.from = relative_target::span;
            if (const auto a = span.need("start", "a day or an instant, such as \"2025-01-01\"")) t.start = in_.text(*a, "`start`").value_or("");
            if (const auto b = span.need("end", "a day or an instant, such as \"2026-01-01\"")) t.end = in_.text(*b, "`end`").value_or("");
        } else if (in_.one_of(*f, "`from`", {"previous", "last_year", "{start, end}"}) == "last_year") t.from = relative_target::last_year;
        return t;
    }
    /// A bare name stays a text, since it is a dimension of the playbook first, and `event.x` is only ever the event's own.
    void add_dimension(const spot& s, std::vector<expression>& by) {
        auto e = in_.expr(s, "a dimension", bare_names::property);
        if (e.empty()) return;
        if (in_.is_map(s)) return by.push_back(std::move(e));
        const auto& text = s.node.Scalar();
        by.push_back(e->kind == node_kind::property && text.find('(') == text.npos ? expression{text} : std::move(e));
    }

    campaign campaign_from(const std::string& name, const spot& s) {
        campaign c;
        c.name = name;
        keyed k{in_, s, "a campaign", {"from", "to", "title", "budget", "channel", "where"}};
        if (const auto f = k.need("from", "a day or an instant, such as \"2026-03-01\"")) c.from = in_.text(*f, "`from`").value_or("");
        if (const auto t = k.need("to", "a day or an instant, such as \"2026-04-01\"")) c.to = in_.text(*t, "`to`").value_or("");
        c.title = text_of(k, "title");
        c.channel = text_of(k, "channel");
        if (const auto b = k.find("budget")) c.budget = in_.number(*b, "`budget`");
        if (const auto w = k.find("where")) c.where = in_.expr(*w, "`where`");
        return c;
    }

    dimension dimension_from(const std::string& name, const spot& s) {
        dimension d;
        d.name = name;
        if (in_.is_text(s) || in_.is_expression(s)) {
            d.value = in_.expr(s, "a dimension", bare_names::property);
            return d;
        }
        keyed k{in_, s, "a dimension", {"value", "spend"}};
        if (const auto v = k.need("value", "an expression about the contact, such as first(form_submitted.channel)")) d.value = in_.expr(*v, "`value`", bare_names::property);
        d.spend = text_of(k, "spend");
        return d;
    }

    reading& in_;
    playbook& out_;
};

/// JSON writes characters beyond the first plane as two escapes, which YAML does not know.
std::string join_surrogates(std::string_view text) {
    const auto unit = [&](std::size_t at) -> unsigned {
        unsigned x = 0;
        if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
        for (std::size_t k = at + 2; k < at + 6; ++k) {
            const char c = text[k];
            const unsigned digit = c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0') : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10) : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10) : 16U;
            if (digit > 15) return 0;
            x = x * 16 + digit;
        }
        return x;
    };
    std::string out;
    out.reserve(text.size());
    for (std::size_t k = 0; k < text.size(); ++k) {
        if (text[k] != '\\') { out += text[k]; continue; }
        const unsigned high = unit(k), low = high >= 0xd800 && high < 0xdc00 ? unit(k + 6) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
            const unsigned c = 0x10000 + ((high - 0xd800) << 10U) + (low - 0xdc00);
            out += static_cast<char>(0xf0 | (c >> 18U));
            out += static_cast<char>(0x80 | ((c >> 12U) & 0x3fU));
            out += static_cast<char>(0x80 | ((c >> 6U) & 0x3fU));
            out += static_cast<char>(0x80 | (c & 0x3fU));
            k += 11;
        } else {
            out += text[k];
            if (k + 1 < text.size()) out += text[++k];
        }
    }
    return out;
}

std::string place_of_byte(std::string_view text, std::size_t at) {
    const auto before = text.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }) + 1;
    return std::to_string(line) + ":" + std::to_string(column);
}

/// Where the documents of a file begin: of the first two.
class document_starts final : public YAML::EventHandler {
public:
    explicit document_starts(const std::string& text) {
        std::istringstream in{text};
        YAML::Parser parser{in};
        // No more: of a text that begins with a comma yaml-cpp 0.7 finds documents at the same place for ever (and LoadAll with it).
        for (int k = 0; k < 2 && parser.HandleNextDocument(*this); ++k) {}
    }
    [[nodiscard]] const std::vector<YAML::Mark>& at() const { return at_; }

private:
    void node(const YAML::Mark& m) {
        if (fresh_) at_.push_back(m);
        fresh_ = false;
    }
    void OnDocumentStart(const YAML::Mark&) override { fresh_ = true; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& m, YAML::anchor_t) override { node(m); }
    void OnAlias(const YAML::Mark& m, YAML::anchor_t) override { node(m); }
    void OnScalar(const YAML::Mark& m, const std::string&, YAML::anchor_t, const std::string&) override { node(m); }
    void OnSequenceStart(const YAML::Mark& m, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { node(m); }
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& m, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { node(m); }
    void OnMapEnd() override {}

    std::vector<YAML::Mark> at_;
    bool fresh_ = false;
};

}  // namespace

playbook playbook::parse(std::string_view text, const std::string& file) {
    if (text.size() > largest_file) throw error{"playbook.limit", file, "a playbook has at most 16 MiB; divide it"};
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (const auto bad = detail::find_bad_utf8(text); bad != text.npos) throw error{"playbook.yaml", file + ":" + place_of_byte(text, bad), "this is no UTF-8; save the file as UTF-8"};
    std::string joined;
    if (const auto first = text.find_first_not_of(" \t\r\n"); first != text.npos && text[first] == '{') text = joined = join_surrogates(text);
    reading in{text, file};
    playbook out;
    try {
        const std::string whole{text};
        const document_starts starts{whole};
        const auto& at = starts.at();
        if (at.size() > 1 && at[0].pos == at[1].pos) throw error{"playbook.yaml", in.place(at[0]), "this is no YAML; a playbook begins with timezone: Europe/Rome"};
        const auto document = YAML::Load(whole);
        if (at.empty() || document.IsNull()) throw error{"playbook.yaml", file, "there is nothing in it; a playbook begins with timezone: Europe/Rome"};
        if (at.size() > 1) throw error{"playbook.yaml", in.place(at[1]), "a file holds one playbook, here a second begins; put them together or in two files"};
        playbook_reader{in, out}.read(document);
    } catch (const YAML::Exception& e) {
        throw error{"playbook.yaml", in.place(e.mark), "this is no YAML: " + e.msg + "; texts with `: ` or ` #` or that begin with a sign need quotes"};
    }
    in.finish();
    out.places = std::move(in.places);
    return out;
}

playbook playbook::load(const std::filesystem::path& path) {
    std::error_code bad;
    const auto size = std::filesystem::is_regular_file(path, bad) ? std::filesystem::file_size(path, bad) : 0;
    std::ifstream in{path, std::ios::binary};
    if (!in || std::filesystem::is_directory(path, bad)) throw error{"playbook.yaml", path.string(), "there is no such file, or it cannot be read"};
    if (size > largest_file) throw error{"playbook.limit", path.string(), "a playbook has at most 16 MiB; divide it"};
    std::ostringstream text;
    text << in.rdbuf();
    return parse(text.str(), path.string());
}

}  // namespace journeyman
