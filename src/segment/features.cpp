#include "journeyman/segment/features.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "segment/questions.hpp"

namespace journeyman {
namespace {

/// The columns asked for, compiled, and the table they fill.
class filling {
public:
    filling(const history& h, const named_expressions& columns, const vocabulary& v, bool own_instants) : questions_{h, v}, ids_{h.data().contacts}, pool_{*h.data().pool} {
        out_.add_column("contact_id", ids_.type());
        if (own_instants) out_.add_column("at", value_type::instant);
        first_ = out_.size();
        std::set<std::string_view> names{"contact_id"};
        if (own_instants) names.insert("at");
        for (const auto& [name, e] : columns) {
            const auto place = "columns." + name;
            if (!names.insert(name).second) throw error{"features.column", place, "two columns are called \"" + name + "\"; give each a name of its own"};
            nodes_.push_back(questions_.add(e, place));
            // Where no type is known (a property that is text in one event and a number in another), the text of each value is.
            const auto type = questions_.type_of(nodes_.back());
            out_.add_column(name, type == value_type::missing ? value_type::text : type);
        }
    }

    detail::questions& questions() { return questions_; }
    [[nodiscard]] std::size_t width() const { return nodes_.size(); }

    void start_row(std::uint32_t contact, std::optional<instant> at = {}) {
        ids_.push_to(out_[0], contact);
        if (at) out_[1].push(*at);
    }
    void fill(std::size_t column, const value& v) { out_[first_ + column].push(v, pool_); }
    /// Calls f(column, value) for each column of the loaded contact at `t`.
    template <class F> void ask(history_reader& reader, instant t, F f) const {
        const auto& seen = reader.see(t);
        for (std::size_t c = 0; c < nodes_.size(); ++c) f(c, detail::answer(reader.compiled(), nodes_[c], seen, t));
    }
    void row(history_reader& reader, instant t) {
        ask(reader, t, [&](std::size_t c, const value& v) { fill(c, v); });
    }
    table take() { return std::move(out_); }

private:
    detail::questions questions_;
    const id_column& ids_;
    const text_pool& pool_;
    std::vector<node_id> nodes_;
    table out_;
    std::size_t first_ = 0;                  // column of the first feature
};

}  // namespace

table to_features(const history& h, const named_expressions& columns, instant at, const vocabulary& v, const progress_listener& progress) {
    filling fill{h, columns, v, false};
    detail::each_contact(h, fill.questions().program(), progress, [&](history_reader& reader, std::uint32_t k) {
        if (!reader.exists(at)) return;
        fill.start_row(k);
        fill.row(reader, at);
    });
    return fill.take();
}

table to_features(const history& h, const named_expressions& columns, const expression& at, std::optional<instant> until, const vocabulary& v, const progress_listener& progress) {
    if (!until) {
        const auto span = h.data().span();
        if (!span) throw error{"input.instant", "until", "the history holds no instant, so it has no end to ask at; give `until`"};
        until = span->second;
    }
    filling fill{h, columns, v, true};
    auto& ask = fill.questions();
    auto own = ask.add(at, "at");
    const bool is_day = ask.type_of(own) == value_type::day;
    if (!is_day) own = ask.add(at, "at", value_type::instant);
    detail::each_contact(h, ask.program(), progress, [&](history_reader& reader, std::uint32_t k) {
        if (!reader.exists(*until)) return;
        const value x = detail::answer(reader.compiled(), own, reader.see(*until), *until);
        if (x.is_missing()) return;
        const instant t = is_day ? start_of(x.as_day(), *v.context.zone) : x.as_instant();
        if (t > *until || !reader.exists(t)) return;
        fill.start_row(k, t);
        fill.row(reader, t);
    });
    return fill.take();
}

table to_features(const history& h, const named_expressions& columns, const std::vector<contact_instant>& at, const vocabulary& v, const progress_listener& progress) {
    filling fill{h, columns, v, true};
    const auto& ids = h.data().contacts;
    std::vector<std::uint32_t> contacts;
    contacts.reserve(at.size());
    for (std::size_t r = 0; r < at.size(); ++r) {
        const auto k = ids.find(at[r].contact);
        if (!k) throw error{"name.unknown", "at, row " + std::to_string(r), "there is no contact \"" + at[r].contact + "\" in the history"};
        contacts.push_back(*k);
    }
    // Contacts are read in ascending order, and the answers put back into the order of the rows.
    std::vector<std::size_t> order(at.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::pair{contacts[a], at[a].at} < std::pair{contacts[b], at[b].at}; });
    std::vector<value> answers(at.size() * fill.width());
    history_reader reader{fill.questions().program(), h.data()};
    for (std::size_t k = 0; k < order.size(); ++k) {
        if (k % 4096 == 0) detail::tell(progress, k, order.size());
        const auto r = order[k];
        if (k == 0 || contacts[r] != contacts[order[k - 1]]) reader.load(contacts[r]);
        if (reader.exists(at[r].at)) fill.ask(reader, at[r].at, [&](std::size_t c, const value& x) { answers[r * fill.width() + c] = x; });
    }
    for (std::size_t r = 0; r < at.size(); ++r) {
        fill.start_row(contacts[r], at[r].at);
        for (std::size_t c = 0; c < fill.width(); ++c) fill.fill(c, answers[r * fill.width() + c]);
    }
    return fill.take();
}

}  // namespace journeyman
