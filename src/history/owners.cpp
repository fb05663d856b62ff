#include "history/owners.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "history/convert.hpp"

namespace journeyman::detail {

std::vector<std::uint32_t> owners::absorb(owners&& other) {
    std::vector<std::uint32_t> out(other.size());
    if (integers_) {
        for (std::size_t k = 0; k < out.size(); ++k) out[k] = number(other.ids_[k]);
    } else {
        numbers(other.texts_.data(), out.size(), out.data());
        written_.splice(written_.end(), other.written_);
    }
    other = {};
    return out;
}

void owners::finish(text_pool& pool, id_column& out) {
    const std::size_t n = size();
    rank_.assign(n, 0);
    out.pool = &pool;
    if (integers_) {
        out.integers.reserve(n);
        const auto next = [&](std::int64_t id, std::uint32_t number) {
            rank_[number] = static_cast<std::uint32_t>(out.integers.size());
            out.integers.push_back(id);
        };
        if (used_ == 0) {   // the table of small ids has them in order
            for (std::size_t id = 0; id < direct_.size(); ++id) if (direct_[id] != nobody) next(static_cast<std::int64_t>(id), direct_[id]);
        } else {
            std::vector<std::pair<std::int64_t, std::uint32_t>> sorted;
            sorted.reserve(n);
            for (std::size_t k = 0; k < n; ++k) sorted.emplace_back(ids_[k], static_cast<std::uint32_t>(k));
            std::sort(sorted.begin(), sorted.end());
            for (const auto& [id, number] : sorted) next(id, number);
        }
    } else {
        // By the first eight bytes, which mostly decide.
        std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted;
        sorted.reserve(n);
        for (std::size_t k = 0; k < n; ++k) {
            std::uint64_t head = 0;
            for (std::size_t i = 0; i < 8; ++i) head = head << 8 | (i < texts_[k].size() ? static_cast<unsigned char>(texts_[k][i]) : 0U);
            sorted.emplace_back(head, static_cast<std::uint32_t>(k));
        }
        std::sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) { return a.first != b.first ? a.first < b.first : texts_[a.second] < texts_[b.second]; });
        std::vector<std::string_view> names;
        names.reserve(n);
        for (std::size_t k = 0; k < n; ++k) {
            names.push_back(texts_[sorted[k].second]);
            rank_[sorted[k].second] = static_cast<std::uint32_t>(k);
        }
        out.texts.resize(n);
        pool.intern_many(names.data(), n, out.texts.data());
    }
    direct_ = {};
    slots_ = {};
    ids_ = {};
    texts_ = {};
    written_ = {};
}

void owner_reader::load(std::size_t begin, std::size_t count) {
    count_ = count;
    present_.clear();
    pieces_.clear();
    coded_ = false;
    as_texts_ = false;
    switch (source_->holds()) {
        case column_source::kind::integers:
            integers_.resize(block_rows);
            faults_.clear();
            source_->read_integers(begin, count, integers_.data(), present_, faults_);
            return;
        case column_source::kind::decimals:
            integers_.resize(block_rows);
            decimals_.resize(block_rows);
            source_->read_decimals(begin, count, decimals_.data(), present_);
            as_texts_ = !all_->integers();
            for (std::size_t i = 0; i < count; ++i) integers_[i] = present_.test(i) && std::fabs(decimals_[i]) < 9.2e18 ? static_cast<std::int64_t>(decimals_[i]) : 0;
            return;
        case column_source::kind::texts: {
            codes_.resize(block_rows);
            for (std::size_t done = 0; done < count;) {
                row_bits valid;
                text_run run;
                if (!source_->read_run(begin + done, count - done, codes_.data() + done, valid, run)) break;
                coded_ = true;
                valid.each(run.count, [&](std::size_t i) { present_.set(done + i); });
                pieces_.push_back({done, run});
                done += run.count;
            }
            if (coded_) return;
            texts_.resize(block_rows);
            source_->read_texts(begin, count, texts_.data(), present_);
            for (std::size_t i = 0; i < count; ++i) if (texts_[i].empty()) present_.reset(i);
            return;
        }
        default: return;
    }
}

void owner_reader::numbers(const row_bits& wanted, std::uint32_t* out) {
    const auto number_text = [&](std::string_view s) -> std::uint32_t {
        if (!all_->integers()) return all_->number(s);
        std::int64_t id = 0;
        std::from_chars(s.data(), s.data() + s.size(), id);
        return all_->number(id);
    };
    std::fill_n(out, count_, nobody);
    if (coded_) {
        for (const auto& [from, run] : pieces_) {
            if (run.key != dictionary_ || known_.size() != run.size) {
                dictionary_ = run.key;
                known_.assign(run.size, nobody);
            }
            for (std::size_t i = from; i < from + run.count; ++i) {
                if (!wanted.test(i)) continue;
                std::uint32_t& k = known_[codes_[i]];
                if (k == nobody) {
                    const auto s = source_->run_text(run, codes_[i]);
                    if (!s || s->empty()) continue;   // the caller sees `nobody`
                    k = number_text(*s);
                }
                out[i] = k;
            }
        }
        return;
    }
    if (source_->holds() == column_source::kind::texts) {
        if (all_->integers()) {
            wanted.each(count_, [&](std::size_t i) { out[i] = number_text(texts_[i]); });
            return;
        }
        close_.clear();
        wanted.each(count_, [&](std::size_t i) { close_.push_back(texts_[i]); });
        found_.resize(close_.size());
        all_->numbers(close_.data(), close_.size(), found_.data());
        std::size_t k = 0;
        wanted.each(count_, [&](std::size_t i) { out[i] = found_[k++]; });
        return;
    }
    if (all_->integers()) return all_->numbers(integers_.data(), count_, wanted, out);
    std::string scratch;
    wanted.each(count_, [&](std::size_t i) {
        scratch = as_texts_ ? to_text(decimals_[i]) : std::to_string(integers_[i]);
        out[i] = all_->number_written(scratch);
    });
}

bool holds_integer_ids(const column_source& source, std::size_t rows) {
    switch (source.holds()) {
        case column_source::kind::integers: return source.natural({}) == value_type::integer;
        case column_source::kind::decimals: {
            std::vector<double> block(block_rows);
            for (std::size_t begin = 0; begin < rows; begin += block_rows) {
                const std::size_t n = std::min(block_rows, rows - begin);
                row_bits valid;
                source.read_decimals(begin, n, block.data(), valid);
                for (std::size_t i = 0; i < n; ++i) {
                    if (valid.test(i) && (block[i] != std::floor(block[i]) || std::fabs(block[i]) > 9e15)) return false;
                }
            }
            return true;
        }
        case column_source::kind::texts: return source.natural({}) == value_type::integer;
        default: return false;
    }
}

}  // namespace journeyman::detail
