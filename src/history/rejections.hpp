#pragma once
// What could not be used: every row counted, the first thousand of each reason listed.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/history/history.hpp"

namespace journeyman::detail {

class rejection_log {
public:
    static constexpr std::int64_t listed = 1000;

    rejection_log() = default;
    /// What was rejected before; rows of each table count on from those that came.
    rejection_log(const history_data& before, std::map<std::string, std::int64_t, std::less<>> rows) : list_{before.rejected}, counts_{before.rejected_counts}, rows_{std::move(rows)} {}
    void add(std::string_view table, std::int64_t row, std::string_view reason, std::string_view example) {
        if (last_ == nullptr || last_->first.first != table || last_->first.second != reason) {
            last_ = &*counts_.try_emplace({std::string{table}, std::string{reason}}, 0).first;
        }
        if (last_->second++ < listed) list_.push_back({std::string{table}, row + first_row(table), std::string{reason}, std::string{cut(example)}});
    }
    /// What another log holds that knew nothing of earlier rows; it comes after what is here. The other is empty then, and may be added to.
    void append(rejection_log&& later) {
        std::map<std::pair<std::string_view, std::string_view>, std::int64_t> room;
        for (const auto& [what, n] : later.counts_) {
            std::int64_t& so_far = counts_[what];
            room[{what.first, what.second}] = listed - so_far;
            so_far += n;
        }
        for (auto& r : later.list_) {
            if (room[{r.table, r.reason}]-- <= 0) continue;
            r.row += first_row(r.table);
            list_.push_back(std::move(r));
        }
        later = {};
    }
    void finish(history_data& out) {
        const auto rank = [](const std::string& table) {
            constexpr std::string_view order[] = {"contacts", "accounts", "events", "spend"};
            return std::find(std::begin(order), std::end(order), table) - std::begin(order);
        };
        std::stable_sort(list_.begin(), list_.end(), [&](const rejection& a, const rejection& b) {
            const auto x = rank(a.table), y = rank(b.table);
            return x != y ? x < y : a.row < b.row;
        });
        out.rejected = std::move(list_);
        out.rejected_counts = std::move(counts_);
    }
    /// At most 80 characters, whole ones.
    static std::string_view cut(std::string_view s) {
        std::size_t characters = 0;
        for (std::size_t i = 0; i < s.size(); ++i) {
            if ((static_cast<unsigned char>(s[i]) & 0xc0U) != 0x80U && characters++ == 80) return s.substr(0, i);
        }
        return s;
    }

private:
    [[nodiscard]] std::int64_t first_row(std::string_view table) const {
        const auto it = rows_.find(table);
        return it == rows_.end() ? 0 : it->second;
    }

    std::vector<rejection> list_;
    std::map<std::pair<std::string, std::string>, std::int64_t> counts_;
    std::map<std::string, std::int64_t, std::less<>> rows_;
    std::pair<const std::pair<std::string, std::string>, std::int64_t>* last_ = nullptr;   // nodes of a map stay, also when it moves
};

}  // namespace journeyman::detail
