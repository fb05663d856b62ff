#pragma once
// Large plain buffers: not written before use, on huge pages where the system has them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace journeyman::detail {

/// Asks for huge pages inside [at, at + bytes): scattering over many small ones costs more than the writes.
inline void advise_huge(void* at, std::size_t bytes) {
#if defined(__linux__)
    constexpr std::uintptr_t page = 4096;
    if (bytes < (std::size_t{4} << 20)) return;
    const auto from = (reinterpret_cast<std::uintptr_t>(at) + page - 1) / page * page;
    const auto to = (reinterpret_cast<std::uintptr_t>(at) + bytes) / page * page;
    (void)madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);   // only advice
#else
    (void)at, (void)bytes;
#endif
}

/// `n` items; zeroed on demand by the system when `zeroed`, else unspecified. Pages that are never touched cost nothing.
template <class T>
class scratch {
public:
    scratch() = default;
    explicit scratch(std::size_t n, bool zeroed = false) : data_{static_cast<T*>(zeroed ? std::calloc(n + 1, sizeof(T)) : std::malloc((n + 1) * sizeof(T)))} {
        if (!data_) throw std::bad_alloc{};
        if (!zeroed) advise_huge(data_.get(), n * sizeof(T));
    }
    [[nodiscard]] T* data() const { return data_.get(); }
    T& operator[](std::size_t i) const { return data_[i]; }
    explicit operator bool() const { return data_ != nullptr; }

private:
    struct release { void operator()(T* p) const { std::free(p); } };
    std::unique_ptr<T[], release> data_;
};

/// Leaves the items that `resize` adds as they are: who resizes writes them all.
template <class T>
struct unwritten : std::allocator<T> {
    template <class U> struct rebind { using other = unwritten<U>; };
    template <class U> void construct(U* at) { ::new (static_cast<void*>(at)) U; }
    template <class U, class... A> void construct(U* at, A&&... from) { ::new (static_cast<void*>(at)) U(std::forward<A>(from)...); }
};
template <class T>
using unwritten_vector = std::vector<T, unwritten<T>>;

/// Room for `n` items to be appended.
template <class T, class A>
void reserve_large(std::vector<T, A>& v, std::size_t n) {
    v.reserve(n);
    advise_huge(v.data(), n * sizeof(T));
}

}  // namespace journeyman::detail
