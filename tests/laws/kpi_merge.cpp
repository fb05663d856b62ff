// Every measure is a monoid: folding a history is merging the folds of its parts, exactly, for any split between contacts and any order (design §2.3).

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "journeyman/history/builder.hpp"
#include "kpi/counted.hpp"
#include "kpi/state_bytes.hpp"

namespace jm = journeyman;
using namespace jm::literals;

namespace {

using namespace jm::detail;

const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

int below(int n) { return *rc::gen::inRange(0, n); }

/// Amounts whose sum depends on the order when it is rounded on the way.
double money()
{
    switch (below(4)) {
    case 0: return below(100);
    case 1: return 0.1 * below(100);
    case 2: return std::ldexp(1.0 + below(1000) / 7.0, below(120) - 60);
    default: return -std::ldexp(1.0 + below(1000) / 3.0, below(120) - 60);
    }
}

jm::history some_history(int contacts)
{
    static constexpr const char* cities[] = {"Roma", "Milano", "Torino"};
    static constexpr const char* names[] = {"lead", "purchase", "refund", "$action"};
    static constexpr const char* channels[] = {"ads", "mail"};
    jm::history_builder b;
    for (int c = 0; c < contacts; ++c) {
        const auto id = "c" + std::to_string(c);
        jm::fields attributes{{"city", std::string{cities[below(3)]}}};
        if (below(3) > 0) {
            attributes.emplace_back("account_id", "a" + std::to_string(below(4)));
        }
        b.contact(id, std::move(attributes));
        if (below(4) == 0) {
            b.contact(id, t0 + std::chrono::hours{below(24 * 90)}, {{"city", std::string{cities[below(3)]}}});
        }
        for (int k = below(8); k > 0; --k) {
            jm::fields properties{{"amount", money()}, {"pieces", std::int64_t{below(1000)}}, {"took", jm::length{jm::microseconds{below(1'000'000)}}}, {"workflow", std::string{"w"}}};
            if (below(3) > 0) {
                properties.emplace_back("channel", std::string{channels[below(2)]});
            }
            // Often several at one instant, where their order decides.
            b.event(id, names[below(4)], t0 + std::chrono::hours{below(2) == 0 ? below(24 * 90) : 24 * 10 * below(9)}, std::move(properties));
        }
    }
    // A last event of nobody who is counted, so that every history spans the same periods.
    b.event("c0", "end", t0 + 90_d, {{"amount", 0.0}, {"pieces", std::int64_t{0}}, {"took", jm::length{jm::microseconds{0}}}, {"channel", std::string{"ads"}}, {"workflow", std::string{"w"}}});
    for (const char* name : names) {
        b.event("c0", name, t0 + 90_d, {{"amount", 0.5}, {"pieces", std::int64_t{1}}, {"took", jm::length{jm::microseconds{1}}}, {"channel", std::string{"ads"}}, {"workflow", std::string{"w"}}});
    }
    for (int k = below(6); k > 0; --k) {
        jm::fields columns{{"channel", std::string{channels[below(2)]}}};
        if (below(2) == 0) {
            columns.emplace_back("segment", std::string{"romans"});
        }
        b.spend(t0 + std::chrono::hours{below(24 * 90)}, money(), std::move(columns));
    }
    b.spend(t0 + 90_d, 1.5, {{"channel", std::string{"ads"}}, {"segment", std::string{"romans"}}});
    return std::move(b).finish();
}

/// Each measure alone (so that its sums show), and in ratios (so that its products do), in all, by dimension and in a scope.
const std::vector<const char*> values{
    "events(purchase)", "sum(purchase.amount)", "sum(purchase.pieces)", "sum(purchase.took)", "contacts(purchase)", "new(purchase where amount > 0)", "members(did(purchase, last 30d))", "accounts(purchase)",
    "elapsed(lead, purchase, within 30d)", "starters(lead, within 30d)", "converted(lead, purchase, within 30d)", "spend()", "spend(where channel == \"ads\")", "actions()", "events(any without refund on channel within 5d)",
    "sum(purchase.amount) / contacts(purchase)", "converted(lead, purchase, within 30d) / starters(lead, within 30d)", "elapsed(lead, purchase, within 30d) / converted(lead, purchase, within 30d)",
    "spend() / new(purchase)", "(sum(purchase.amount) - spend()) / accounts(lead)", "sum(purchase.pieces) / events(purchase) + sum(refund.amount) / members(true)",
    "contacts(purchase where channel == \"ads\") / contacts(any)", "contacts(any) / events(lead)", "sum(purchase.pieces) - spend()"};

constexpr int forms = 9;

struct folded {
    jm::kpi_definitions definitions;
    jm::history history;
    plan kpis;
    jm::program_ptr program;
    std::optional<table_span> span;
    cell_texts texts;

    explicit folded(jm::history h) : history{std::move(h)}
    {
        definitions.segments = {"romans", "buyers", "late"};
        definitions.context.segments.emplace("buyers", jm::expression::parse("did(purchase, last 10d) and not did(refund)"));
        definitions.context.segments.emplace("late", jm::expression::parse("now - last_time(lead) > 20d or city == \"Roma\""));
        definitions.dimensions = {{"last_channel", jm::expression::parse("last(purchase.channel)"), "channel"}};
        definitions.context.segments.emplace("romans", jm::expression::parse("city == \"Roma\""));
        int n = 0;
        for (const char* value : values) {
            for (int form = 0; form < forms; ++form) {
                auto k = jm::kpi("k" + std::to_string(n++), jm::expression::parse(value)).every(jm::month).up();
                if (form == 1) {
                    k.by = {jm::attr("city"), jm::prop("channel")};
                } else if (form == 2) {
                    k.scope = "romans";
                } else if (form == 3) {
                    k.by = {jm::expression{"segment"}};
                } else if (form == 4) {
                    k.by = {jm::attr("city")};
                    k.scope = "romans";
                } else if (form == 5) {
                    k.period = jm::kpi_period::day;
                    k.by = {jm::prop("channel"), jm::prop("workflow")};
                } else if (form == 6) {
                    k.scope = "buyers";
                    k.by = {jm::expression{"segment"}};
                } else if (form == 7) {
                    k.by = {jm::expression{"last_channel"}, jm::prop("channel")};
                } else if (form == 8) {
                    k.scope = "late";
                    k.by = {jm::attr("city"), jm::expression{"last_channel"}};
                    k.period = jm::kpi_period::week;
                }
                definitions.kpis.push_back(std::move(k));
            }
        }
        const auto& data = history.data();
        auto known = data.schema;
        auto& columns = known.events[spend_stream];
        for (const auto& [name, column] : data.spend.columns) {
            columns.emplace(name, column.type());
        }
        columns.emplace("amount", data.spend.amount.type());
        jm::compiler c{std::move(known), data.pool, definitions.context};
        jm::problems found;
        kpis = make_plan(definitions, c, {}, found);
        for (const auto& problem : found) {
            if (problem.severity == jm::severity::error) {
                throw jm::error{problem.code, problem.place, problem.message};
            }
        }
        program = c.finish();
        span = span_of(data.span(), {});
    }

    std::vector<kpi_totals> empty() const
    {
        std::vector<kpi_totals> out;
        for (const auto& k : kpis.kpis) {
            out.emplace_back(k, periods{*k.written, definitions.campaigns, *span, *definitions.context.zone, definitions.context.weeks});
        }
        return out;
    }
    std::vector<kpi_totals> of(fold_part part)
    {
        auto out = empty();
        fold(definitions, kpis, program, history.data(), {}, *span, out, texts, part);
        return out;
    }
};

void merge(std::vector<kpi_totals>& into, const std::vector<kpi_totals>& from, const cell_texts& texts)
{
    auto same_texts = texts;
    const auto numbers = same_texts.take(texts);
    for (std::size_t k = 0; k < into.size(); ++k) {
        into[k].merge(from[k], numbers);
    }
}

bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (a == 0 && b == 0); }

void insist_same(const std::vector<kpi_totals>& a, const std::vector<kpi_totals>& b)
{
    for (std::size_t k = 0; k < a.size(); ++k) {
        const auto name = values[k / forms];
        const std::size_t measures = a[k].plan().measures.size();
        std::map<std::vector<std::uint32_t>, std::size_t> cells;
        for (std::size_t c = 0; c < b[k].cells(); ++c) {
            cells.emplace(b[k].key(c), c);
        }
        RC_LOG() << name << " of " << a[k].cells() << " cells\n";
        RC_ASSERT(a[k].cells() == b[k].cells());
        for (std::size_t c = 0; c < a[k].cells(); ++c) {
            const auto it = cells.find(a[k].key(c));
            RC_ASSERT(it != cells.end());
            for (std::size_t p = 0; p < a[k].when().all().size(); ++p) {
                const auto* x = a[k].find(c, p);
                const auto* y = b[k].find(it->second, p);
                RC_ASSERT((x == nullptr) == (y == nullptr));
                if (x == nullptr) {
                    continue;
                }
                RC_ASSERT(x->immature_contacts() == y->immature_contacts());
                for (std::size_t m = 0; m < measures; ++m) {
                    RC_ASSERT(same(x->total(m), y->total(m)));
                    for (std::size_t n = 0; n <= m; ++n) {
                        RC_ASSERT(same(x->product(m, n), y->product(m, n)));
                    }
                }
            }
        }
        RC_ASSERT(a[k].unscoped.size() == b[k].unscoped.size());
        for (const auto& [period, amount] : a[k].unscoped) {
            RC_ASSERT(b[k].unscoped.contains(period));
            RC_ASSERT(same(amount.value(1), b[k].unscoped.at(period).value(1)));
        }
    }
}

}  // namespace

TEST_CASE("law: the parts of a history, folded apart and merged in any order, are the whole folded at once")
{
    CHECK(rc::check([] {
        const int contacts = 1 + below(10);
        folded f{some_history(contacts)};
        const auto whole = f.of({});

        std::vector<std::uint32_t> cuts{0, static_cast<std::uint32_t>(f.history.contacts_count())};
        for (int k = below(4); k > 0; --k) {
            cuts.push_back(static_cast<std::uint32_t>(below(contacts + 1)));
        }
        std::sort(cuts.begin(), cuts.end());
        const auto with_spend = static_cast<std::size_t>(below(static_cast<int>(cuts.size()) - 1));
        std::vector<std::vector<kpi_totals>> parts;
        for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
            parts.push_back(f.of({cuts[k], cuts[k + 1], k == with_spend}));
        }
        std::vector<std::size_t> order(parts.size());
        for (std::size_t k = 0; k < order.size(); ++k) {
            order[k] = k;
        }
        for (std::size_t k = order.size(); k > 1; --k) {
            std::swap(order[k - 1], order[static_cast<std::size_t>(below(static_cast<int>(k)))]);
        }

        auto left = f.empty();                             // ((nothing + a) + b) + c
        for (const auto k : order) {
            merge(left, parts[k], f.texts);
        }
        insist_same(left, whole);
        auto right = f.empty();                            // a + (b + (c + nothing))
        for (auto k = order.rbegin(); k != order.rend(); ++k) {
            auto first = f.empty();
            merge(first, parts[*k], f.texts);
            merge(first, right, f.texts);
            right = std::move(first);
        }
        insist_same(right, whole);
    }));
}

namespace {

/// What `counted` is made of, from totals of one's own.
jm::kpi_state state_of(const folded& f, std::vector<kpi_totals> of, std::int64_t contacts = 1)
{
    auto c = std::make_shared<counted>();
    c->span = f.span;
    c->texts = f.texts;
    for (auto& k : of) {
        c->kpis.push_back({k.plan().written->name, {}, k.plan().shape, k.when().all(), std::vector<std::int64_t>(k.when().all().size(), contacts), nullptr});
        for (const auto& by : k.plan().by) {
            c->kpis.back().by.push_back(by.name);
        }
        c->kpis.back().totals = std::make_unique<cell_totals>(std::move(k));
    }
    return jm::kpi_state{std::move(c)};
}

}  // namespace

TEST_CASE("law: the quick path counts what the plain one counts")
{
    CHECK(rc::check([] {
        folded f{some_history(1 + below(10))};
        insist_same(f.of({}), f.of({.plainly = true}));
    }));
}

TEST_CASE("law: states say the same through bytes, and the same bytes for any split and order")
{
    CHECK(rc::check([] {
        const int contacts = 2 + below(8);
        folded f{some_history(contacts)};
        const auto all = static_cast<std::uint32_t>(f.history.contacts_count());
        const auto cut = static_cast<std::uint32_t>(1 + below(contacts - 1)), second = cut + static_cast<std::uint32_t>(below(contacts - static_cast<int>(cut)));
        const auto a = state_of(f, f.of({0, cut, true})), b = state_of(f, f.of({cut, second, false})), c = state_of(f, f.of({second, all, false}));

        RC_ASSERT(jm::kpi_state::from_bytes(a.to_bytes()).to_bytes() == a.to_bytes());
        auto left = jm::kpi_state::from_bytes(a.to_bytes());               // (a + b) + c, each by way of bytes
        left.merge(jm::kpi_state::from_bytes(b.to_bytes()));
        left = jm::kpi_state::from_bytes(left.to_bytes());
        left.merge(jm::kpi_state::from_bytes(c.to_bytes()));
        auto right = c;                                                    // nothing + (c + (b + a))
        auto tail = b;
        tail.merge(a);
        right.merge(tail);
        auto from_nothing = jm::kpi_state{};
        from_nothing.merge(right);
        RC_ASSERT(left.to_bytes() == from_nothing.to_bytes());
        RC_ASSERT(left.to_bytes() == state_of(f, f.of({}), 3).to_bytes());   // how many exist is added up too
    }));
}
