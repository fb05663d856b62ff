#pragma once
// Ids of contacts and accounts: first numbered as they are met, at the end by their order.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "history/source.hpp"
#include "journeyman/core/hash.hpp"

namespace journeyman::detail {

inline constexpr std::uint32_t nobody = 0xffffffffU;

/// Gives every id a number. Either all ids are integers, or all are texts (integers of some tables are written out then).
class owners {
public:
    void use_integers(bool integers, std::size_t rows_in_all) {
        integers_ = integers;
        direct_limit_ = std::clamp<std::size_t>(rows_in_all * 4, std::size_t{1} << 16, std::size_t{1} << 28);
    }
    [[nodiscard]] bool integers() const { return integers_; }
    [[nodiscard]] std::size_t size() const { return integers_ ? ids_.size() : texts_.size(); }

    std::uint32_t number(std::int64_t id) {
        // Small ids, the common case, are their own place in a table.
        if (id >= 0 && static_cast<std::size_t>(id) < direct_limit_) {
            const auto at = static_cast<std::size_t>(id);
            if (at >= direct_.size()) direct_.resize(std::max(at + 1, std::min(direct_.size() * 2, direct_limit_)), nobody);
            if (direct_[at] == nobody) direct_[at] = add(id);
            return direct_[at];
        }
        if ((used_ + 1) * 2 > slots_.size()) grow();
        const std::uint64_t key = mix(static_cast<std::uint64_t>(id));
        std::size_t at = key & mask_;
        while (slots_[at].number != nobody && slots_[at].key != static_cast<std::uint64_t>(id)) at = (at + 1) & mask_;
        if (slots_[at].number == nobody) {
            slots_[at] = {static_cast<std::uint64_t>(id), 0, add(id)};
            ++used_;
        }
        return slots_[at].number;
    }
    /// Many integers at once, for the wanted ones.
    void numbers(const std::int64_t* ids, std::size_t count, const row_bits& wanted, std::uint32_t* out) {
        std::uint64_t highest = 0;
        wanted.each(count, [&](std::size_t i) { highest = std::max(highest, static_cast<std::uint64_t>(ids[i])); });   // negative ones become the highest
        if (highest >= direct_limit_) {
            wanted.each(count, [&](std::size_t i) { out[i] = number(ids[i]); });
            return;
        }
        if (highest >= direct_.size()) direct_.resize(std::max(highest + 1, std::min(direct_.size() * 2, direct_limit_)), nobody);
        std::uint32_t* const direct = direct_.data();
        wanted.each(count, [&](std::size_t i) {
            std::uint32_t& known = direct[ids[i]];
            if (known == nobody) known = add(ids[i]);
            out[i] = known;
        });
    }
    /// Many texts at once; they must stay where they are.
    void numbers(const std::string_view* ids, std::size_t count, std::uint32_t* out) {
        constexpr std::size_t group = 16;
        std::array<std::uint64_t, group> keys{}, places{};
        for (std::size_t from = 0; from < count; from += group) {
            const std::size_t n = std::min(group, count - from);
            while ((texts_.size() + n) * 2 > slots_.size()) grow();
            for (std::size_t k = 0; k < n; ++k) {
                keys[k] = key_of(ids[from + k]);
                places[k] = mix(keys[k]) & mask_;
                __builtin_prefetch(&slots_[places[k]]);
            }
            for (std::size_t k = 0; k < n; ++k) out[from + k] = find_or_add(ids[from + k], keys[k], places[k]);
        }
    }
    std::uint32_t number(std::string_view id) {
        std::uint32_t out = 0;
        numbers(&id, 1, &out);
        return out;
    }
    /// A text that will not stay: copied when it is new.
    std::uint32_t number_written(const std::string& id) {
        const std::size_t before = texts_.size();
        const std::uint32_t out = number(std::string_view{id});
        if (texts_.size() > before) texts_.back() = written_.emplace_back(id);
        return out;
    }

    /// Takes over the ids of another: out[k] is the number here of its k-th.
    std::vector<std::uint32_t> absorb(owners&& other);

    /// The id of a first number, as text; until `finish`.
    [[nodiscard]] std::string name(std::uint32_t k) const { return integers_ ? std::to_string(ids_[k]) : std::string{texts_[k]}; }

    /// Sorts the ids into `out`; afterwards `rank` gives the final number of a first one.
    void finish(text_pool& pool, id_column& out);
    [[nodiscard]] const std::vector<std::uint32_t>& rank() const { return rank_; }

private:
    struct slot {
        std::uint64_t key = 0;       // the integer; the text itself up to eight bytes, else its hash
        std::uint32_t size = 0;
        std::uint32_t number = nobody;
    };
    static std::uint64_t mix(std::uint64_t x) {
        x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15ULL;
        return x ^ (x >> 29);
    }
    static std::uint64_t key_of(std::string_view s) {
        if (s.size() > 8) return fast_hash(s);
        if (s.size() == 8) {
            std::uint64_t out = 0;
            std::memcpy(&out, s.data(), 8);
            return out;
        }
        std::uint64_t out = 0;
        std::memcpy(&out, s.data(), s.size());
        return out;
    }
    std::uint32_t find_or_add(std::string_view s, std::uint64_t key, std::size_t at) {
        for (;; at = (at + 1) & mask_) {
            slot& x = slots_[at];
            if (x.number == nobody) {
                x = {key, static_cast<std::uint32_t>(s.size()), static_cast<std::uint32_t>(texts_.size())};
                texts_.push_back(s);
                return x.number;
            }
            if (x.key == key && x.size == static_cast<std::uint32_t>(s.size()) && (s.size() <= 8 || texts_[x.number] == s)) return x.number;
        }
    }
    std::uint32_t add(std::int64_t id) {
        ids_.push_back(id);
        return static_cast<std::uint32_t>(ids_.size() - 1);
    }
    void grow() {
        std::vector<slot> bigger(std::max<std::size_t>(1024, slots_.size() * 2));
        mask_ = bigger.size() - 1;
        for (const slot& s : slots_) {
            if (s.number == nobody) continue;
            std::size_t at = mix(s.key) & mask_;
            while (bigger[at].number != nobody) at = (at + 1) & mask_;
            bigger[at] = s;
        }
        slots_.swap(bigger);
    }

    bool integers_ = false;
    std::size_t direct_limit_ = 0, used_ = 0, mask_ = 0;
    std::vector<std::uint32_t> direct_;
    std::vector<slot> slots_;
    std::vector<std::int64_t> ids_;
    std::vector<std::string_view> texts_;
    std::list<std::string> written_;   // stay where they are, also when another takes them over
    std::vector<std::uint32_t> rank_;
};

/// Reads a column of ids, block by block: first what is there, then the numbers of those that are wanted.
class owner_reader {
public:
    owner_reader(const column_source& source, owners& all) : source_{&source}, all_{&all} {}
    /// Which rows have an id.
    void load(std::size_t begin, std::size_t count);
    [[nodiscard]] const row_bits& present() const { return present_; }
    /// Fills out[i] for the wanted rows of the block loaded last; `nobody` elsewhere.
    void numbers(const row_bits& wanted, std::uint32_t* out);

private:
    const column_source* source_;
    owners* all_;
    std::size_t count_ = 0;
    bool coded_ = false, as_texts_ = false;
    row_bits present_;
    std::vector<std::int64_t> integers_;
    std::vector<std::string_view> texts_, close_;
    std::vector<std::uint32_t> codes_, found_, known_;
    const void* dictionary_ = nullptr;
    struct piece { std::size_t begin; text_run run; };
    std::vector<piece> pieces_;
    std::vector<double> decimals_;
    std::vector<std::pair<std::size_t, fault>> faults_;
};

/// Whether the ids of a column are integers: by type, whole decimals (pandas makes them of integers with gaps), or all so written.
bool holds_integer_ids(const column_source&, std::size_t rows);

}  // namespace journeyman::detail
