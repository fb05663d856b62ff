#pragma once
// Work shared among threads, so that the answer does not depend on how many there are.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace journeyman::detail {

/// How many threads are meant: none asked for is all there are.
inline unsigned thread_count(unsigned asked) { return asked != 0 ? asked : std::max(1U, std::thread::hardware_concurrency()); }

/// Calls work(k) for each k below n. Up to `threads` threads, the caller one of them, take them in ascending order.
/// After a failure none is begun; the failure of the lowest k is thrown. All below it were begun before and are finished,
/// so it is the same one for any number of threads.
template <class Work>
void share(std::size_t n, unsigned threads, const Work& work) {
    if (n <= 1 || threads <= 1) {
        for (std::size_t k = 0; k < n; ++k) work(k);
        return;
    }
    std::vector<std::exception_ptr> failures(n);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    const auto take = [&] {
        for (std::size_t k = 0; !failed && (k = next++) < n;) {
            try {
                work(k);
            } catch (...) {
                failures[k] = std::current_exception();
                failed = true;
            }
        }
    };
    {
        std::vector<std::jthread> others;
        const std::size_t wanted = std::min<std::size_t>(threads, n) - 1;
        others.reserve(wanted);
        try {
            while (others.size() < wanted) others.emplace_back(take);
        } catch (const std::system_error&) {   // the system gives no more: those there are do it
        }
        take();
    }
    for (const auto& f : failures) if (f) std::rethrow_exception(f);
}

}  // namespace journeyman::detail
