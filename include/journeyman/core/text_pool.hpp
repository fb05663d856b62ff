#pragma once
// Interned text: every text of a history is stored once and known by a number. Reading needs no lock; interning takes one.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "journeyman/core/error.hpp"
#include "journeyman/core/hash.hpp"

namespace journeyman {

enum class text_id : std::uint32_t {};
enum class list_id : std::uint32_t {};
inline constexpr text_id no_text{0xffffffffU};

namespace detail {

/// An array that grows without moving: chunk k holds 1024 * 2^k items, so a reader needs no lock.
template <class T>
class chunked {
public:
    chunked() = default;
    chunked(const chunked&) = delete;
    chunked& operator=(const chunked&) = delete;
    ~chunked() {
        for (auto& c : chunks_) delete[] c.load();
    }
    [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
    [[nodiscard]] const T& operator[](std::uint32_t i) const {
        const auto [chunk, offset] = place(i);
        return chunks_[chunk].load(std::memory_order_acquire)[offset];
    }
    /// One writer at a time.
    std::uint32_t push(T item) {
        const auto i = size_.load(std::memory_order_relaxed);
        if (i == 0xfffffffeU) throw error{"limit.texts", "", "more than 4 billion distinct texts"};
        const auto [chunk, offset] = place(i);
        T* items = chunks_[chunk].load(std::memory_order_relaxed);
        if (items == nullptr) chunks_[chunk].store(items = new T[std::size_t{first} << chunk], std::memory_order_release);
        items[offset] = std::move(item);
        size_.store(i + 1, std::memory_order_release);
        return i;
    }

private:
    static constexpr std::uint32_t first = 1024;
    static std::pair<std::uint32_t, std::uint32_t> place(std::uint32_t i) {
        const std::uint32_t k = 31U - static_cast<std::uint32_t>(__builtin_clz(i / first + 1));
        return {k, i - first * ((1U << k) - 1)};
    }
    std::array<std::atomic<T*>, 23> chunks_{};
    std::atomic<std::uint32_t> size_{0};
};

}  // namespace detail

/// Texts and lists of texts by number. Numbers are never reused, texts never move.
class text_pool {
public:
    text_pool() = default;
    text_pool(const text_pool&) = delete;
    text_pool& operator=(const text_pool&) = delete;

    text_id intern(std::string_view s) {
        const std::lock_guard lock{mutex_};
        return intern_locked(s, fast_hash(s));
    }
    /// Many at once: one lock, and the searches overlap.
    void intern_many(const std::string_view* texts, std::size_t count, text_id* out) {
        const std::lock_guard lock{mutex_};
        constexpr std::size_t group = 16;
        std::array<std::uint64_t, group> hashes{};
        for (std::size_t from = 0; from < count; from += group) {
            const std::size_t n = std::min(group, count - from);
            for (std::size_t k = 0; k < n; ++k) {
                hashes[k] = fast_hash(texts[from + k]);
                if (!slots_.empty()) __builtin_prefetch(&slots_[tag_of(hashes[k]) & mask_]);
            }
            for (std::size_t k = 0; k < n; ++k) out[from + k] = intern_locked(texts[from + k], hashes[k]);
        }
    }
    /// The number of a text, if it is there.
    [[nodiscard]] std::optional<text_id> find(std::string_view s) const {
        const std::lock_guard lock{mutex_};
        if (slots_.empty()) return std::nullopt;
        const slot& found = slots_[search(s, fast_hash(s))];
        if (found.number == 0) return std::nullopt;
        return static_cast<text_id>(found.number - 1);
    }
    [[nodiscard]] std::string_view view(text_id id) const { return views_[static_cast<std::uint32_t>(id)]; }
    [[nodiscard]] std::size_t size() const { return views_.size(); }

    /// A list of texts; equal lists have equal numbers.
    list_id intern_list(const std::vector<text_id>& items) {
        const std::lock_guard lock{mutex_};
        std::string key(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(text_id));
        if (const auto it = list_index_.find(key); it != list_index_.end()) return it->second;
        const auto id = static_cast<list_id>(lists_.push(items));
        list_index_.emplace(std::move(key), id);
        return id;
    }
    [[nodiscard]] const std::vector<text_id>& list(list_id id) const { return lists_[static_cast<std::uint32_t>(id)]; }

private:
    // Open addressing, half full at most: 8 bytes a slot, where a node of unordered_map takes 56.
    struct slot {
        std::uint32_t tag = 0;      // half of the hash: where it stands, and mostly whether it is the same, without a look at the text
        std::uint32_t number = 0;   // text number + 1; 0: free
    };
    static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
    [[nodiscard]] std::size_t search(std::string_view s, std::uint64_t hash) const {
        const std::uint32_t tag = tag_of(hash);
        std::size_t at = tag & mask_;
        while (slots_[at].number != 0 && (slots_[at].tag != tag || views_[slots_[at].number - 1] != s)) at = (at + 1) & mask_;
        return at;
    }
    text_id intern_locked(std::string_view s, std::uint64_t hash) {
        if ((views_.size() + std::size_t{1}) * 2 > slots_.size()) grow();
        slot& found = slots_[search(s, hash)];
        if (found.number == 0) {
            const std::uint32_t number = views_.push(store(s)) + 1;
            found = {tag_of(hash), number};
        }
        return static_cast<text_id>(found.number - 1);
    }
    void grow() {
        std::vector<slot> bigger(std::max<std::size_t>(64, slots_.size() * 2));
        const std::size_t mask = bigger.size() - 1;
        for (const slot& old : slots_) {
            if (old.number == 0) continue;
            std::size_t at = old.tag & mask;
            while (bigger[at].number != 0) at = (at + 1) & mask;
            bigger[at] = old;
        }
        slots_.swap(bigger);
        mask_ = mask;
    }
    std::string_view store(std::string_view s) {
        if (s.size() > block_size / 4) {   // a block of its own; the open one stays open
            own_blocks_.push_back(std::make_unique<char[]>(s.size()));
            s.copy(own_blocks_.back().get(), s.size());
            return {own_blocks_.back().get(), s.size()};
        }
        if (s.size() > left_) {
            blocks_.push_back(std::make_unique<char[]>(block_size));
            next_ = blocks_.back().get();
            left_ = block_size;
        }
        s.copy(next_, s.size());
        const std::string_view out{next_, s.size()};
        next_ += s.size();
        left_ -= s.size();
        return out;
    }

    static constexpr std::size_t block_size = std::size_t{1} << 18;
    mutable std::mutex mutex_;
    detail::chunked<std::string_view> views_;
    detail::chunked<std::vector<text_id>> lists_;
    std::vector<slot> slots_;
    std::size_t mask_ = 0;
    std::vector<std::unique_ptr<char[]>> blocks_, own_blocks_;
    char* next_ = nullptr;
    std::size_t left_ = 0;
    std::unordered_map<std::string, list_id> list_index_;
};

using text_pool_ptr = std::shared_ptr<text_pool>;

}  // namespace journeyman
