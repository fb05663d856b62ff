#include "journeyman/segment/overlap.hpp"

#include "segment/questions.hpp"
#include "segment/share.hpp"

namespace journeyman {

std::vector<selection> select_many(const history& h, const named_expressions& asked, instant at, const vocabulary& v, unsigned threads) {
    detail::questions ask{h, v};
    std::vector<node_id> nodes;
    for (const auto& [name, e] : asked) nodes.push_back(ask.add_predicate(e, "segments." + name));
    return select_many(h, ask.program(), nodes, at, threads);
}

overlap_report overlap(const history& h, const named_expressions& segments, instant at, const vocabulary& v, const progress_listener& progress) {
    detail::tell(progress, 0, segments.size());
    const std::vector<selection> members = select_many(h, segments, at, v);
    std::vector<std::uint32_t> memberships(h.contacts_count());
    for (const auto& who : members) for (const auto k : who.numbers()) ++memberships[k];

    using enum value_type;
    overlap_report out;
    out.pairs = table{{"segment_a", text}, {"segment_b", text}, {"both", integer}, {"only_a", integer}, {"only_b", integer}, {"jaccard", decimal}, {"share_of_a", decimal}, {"share_of_b", decimal}};
    out.exclusive = table{{"segment", text}, {"members", integer}, {"exclusive", integer}, {"share", decimal}};
    out.matrix = table{{"segment", text}};
    for (const auto& [name, e] : segments) out.matrix.add_column(name, integer);
    for (std::size_t a = 0; a < members.size(); ++a) {
        detail::tell(progress, a, members.size());
        std::size_t alone = 0;
        for (const auto k : members[a].numbers()) alone += memberships[k] == 1;
        out.exclusive[0].push_text(segments[a].first);
        detail::push_count(out.exclusive[1], members[a].count());
        detail::push_count(out.exclusive[2], alone);
        detail::push_share(out.exclusive[3], alone, members[a].count());
        out.matrix[0].push_text(segments[a].first);
        for (std::size_t b = 0; b < members.size(); ++b) {
            const auto both = members[a].members().in_common(members[b].members());
            detail::push_count(out.matrix[b + 1], both);
            if (b <= a) continue;
            out.pairs[0].push_text(segments[a].first);
            out.pairs[1].push_text(segments[b].first);
            detail::push_count(out.pairs[2], both);
            detail::push_count(out.pairs[3], members[a].count() - both);
            detail::push_count(out.pairs[4], members[b].count() - both);
            detail::push_share(out.pairs[5], both, members[a].count() + members[b].count() - both);
            detail::push_share(out.pairs[6], both, members[a].count());
            detail::push_share(out.pairs[7], both, members[b].count());
        }
    }
    return out;
}

}  // namespace journeyman
