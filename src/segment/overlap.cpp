#include "journeyman/segment/overlap.hpp"

#include <bit>

#include "segment/questions.hpp"
#include "segment/share.hpp"

namespace journeyman {
namespace {

/// A set of contacts by number; counts what two have in common a word at a time.
class contact_set {
public:
    contact_set(std::size_t contacts, const std::vector<std::uint32_t>& numbers) : words_((contacts + 63) / 64), size_{numbers.size()} {
        for (const auto k : numbers) words_[k / 64] |= std::uint64_t{1} << (k % 64);
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t in_common(const contact_set& other) const {
        std::size_t n = 0;
        for (std::size_t w = 0; w < words_.size(); ++w) n += static_cast<std::size_t>(std::popcount(words_[w] & other.words_[w]));
        return n;
    }

private:
    std::vector<std::uint64_t> words_;
    std::size_t size_;
};

}  // namespace

overlap_report overlap(const history& h, const named_expressions& segments, instant at, const vocabulary& v) {
    detail::questions ask{h, v};
    std::vector<node_id> nodes;
    for (const auto& [name, e] : segments) nodes.push_back(ask.add_predicate(e, "segments." + name));
    std::vector<contact_set> sets;
    std::vector<selection> members;
    std::vector<std::uint32_t> memberships(h.contacts_count());
    for (const auto n : nodes) {
        const auto& who = members.emplace_back(select(h, ask.program(), n, at));
        for (const auto k : who.numbers()) ++memberships[k];
        sets.emplace_back(h.contacts_count(), who.numbers());
    }

    using enum value_type;
    overlap_report out;
    out.pairs = table{{"segment_a", text}, {"segment_b", text}, {"both", integer}, {"only_a", integer}, {"only_b", integer}, {"jaccard", decimal}, {"share_of_a", decimal}, {"share_of_b", decimal}};
    out.exclusive = table{{"segment", text}, {"members", integer}, {"exclusive", integer}, {"share", decimal}};
    out.matrix = table{{"segment", text}};
    for (const auto& [name, e] : segments) out.matrix.add_column(name, integer);
    for (std::size_t a = 0; a < sets.size(); ++a) {
        std::size_t alone = 0;
        for (const auto k : members[a].numbers()) alone += memberships[k] == 1;
        out.exclusive[0].push_text(segments[a].first);
        detail::push_count(out.exclusive[1], sets[a].size());
        detail::push_count(out.exclusive[2], alone);
        detail::push_share(out.exclusive[3], alone, sets[a].size());
        out.matrix[0].push_text(segments[a].first);
        for (std::size_t b = 0; b < sets.size(); ++b) {
            const auto both = sets[a].in_common(sets[b]);
            detail::push_count(out.matrix[b + 1], both);
            if (b <= a) continue;
            out.pairs[0].push_text(segments[a].first);
            out.pairs[1].push_text(segments[b].first);
            detail::push_count(out.pairs[2], both);
            detail::push_count(out.pairs[3], sets[a].size() - both);
            detail::push_count(out.pairs[4], sets[b].size() - both);
            detail::push_share(out.pairs[5], both, sets[a].size() + sets[b].size() - both);
            detail::push_share(out.pairs[6], both, sets[a].size());
            detail::push_share(out.pairs[7], both, sets[b].size());
        }
    }
    return out;
}

}  // namespace journeyman
