// Whom a walk need not look at: those of whom the same is said as of a contact without rows.

#include <algorithm>

#include "predicate/membership_part.hpp"

namespace journeyman::detail {

namespace {

using contact_bits = std::vector<std::uint64_t>;
void mark(contact_bits& out, std::size_t k) { out[k >> 6] |= std::uint64_t{1} << (k & 63); }

/// Who has at least so many rows.
void mark_rows(contact_bits& out, std::size_t contacts, const timeline& rows, std::uint64_t least) {
    for (std::size_t k = 0; k < rows.owners.size(); ++k) if (rows.begins[k + 1] - rows.begins[k] >= least) mark(out, rows.owners[k]);
    if (rows.dense.empty()) return;
    for (std::size_t w = 0; w < out.size(); ++w) {
        std::uint64_t word = 0;
        const std::size_t bits = std::min<std::size_t>(64, contacts - w * 64);
        const std::uint32_t* begin = rows.dense.data() + w * 64;
        for (std::size_t b = 0; b < bits; ++b) word |= static_cast<std::uint64_t>(begin[b + 1] - begin[b] >= least) << b;
        out[w] |= word;
    }
}

}  // namespace

/// What is said at all times of a contact without rows, where that is certain.
std::optional<truth> membership_walk::of_nobody(const part& p) {
    switch (p.what) {
        case part::kind::counted: return to_truth(p.holds(0));
        case part::kind::asked: return {};
        case part::kind::inverse:
        case part::kind::settled: {
            const auto x = of_nobody(*p.parts[0]);
            if (!x) return {};
            return p.what == part::kind::inverse ? !*x : to_truth(*x == truth::yes);
        }
        default: break;
    }
    const truth deciding = to_truth(p.what == part::kind::any_of);
    bool certain = true;
    for (const auto& x : p.parts) {
        const auto said = of_nobody(*x);
        if (said == deciding) return deciding;
        certain = certain && said == !deciding;
    }
    return certain ? std::optional{!deciding} : std::nullopt;
}

/// Those of whom something else may be said than of a contact without rows.
std::vector<std::uint64_t> membership_walk::others(const part& p) const {
    const std::size_t n = history_.contacts.size();
    contact_bits out((n + 63) / 64, 0);
    if (p.what == part::kind::inverse || p.what == part::kind::settled) return others(*p.parts[0]);
    if (p.what == part::kind::counted) {
        const bool enough = p.monotone() && p.sources.size() == 1;
        if (enough && p.least() == 0) return out;        // it holds of anybody, or of nobody
        for (const auto& s : p.sources) mark_rows(out, n, *s.rows, enough ? p.least() : 1);
        return out;
    }
    if (p.what != part::kind::asked) {
        // Who is in none of the others of a part that decides for a contact without rows has the same answer.
        const truth deciding = to_truth(p.what == part::kind::any_of);
        std::vector<contact_bits> deciders;
        for (const auto& x : p.parts) {
            contact_bits more = others(*x);
            for (std::size_t w = 0; w < out.size(); ++w) out[w] |= more[w];
            if (of_nobody(*x) == deciding) deciders.push_back(std::move(more));
        }
        for (const auto& d : deciders) for (std::size_t w = 0; w < out.size(); ++w) out[w] &= d[w];
        return out;
    }
    for (const auto s : p.reads.streams)
        if (const auto* stream = history_.stream(program_->streams[s])) mark_rows(out, n, stream->rows, 1);
    for (const auto a : p.reads.attributes) {
        if (program_->attributes[a].of_account) continue;   // found by way of the contact's account_id
        const auto* stream = history_.contact_attribute(program_->attributes[a].name);
        if (stream == nullptr) continue;
        mark_rows(out, n, stream->rows, 1);
        for (std::size_t k = 0; k < stream->base.size(); ++k) if (stream->base.present(k)) mark(out, k);
    }
    return out;
}

}  // namespace journeyman::detail
