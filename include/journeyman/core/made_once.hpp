#pragma once
// What is worked out from something that does not change: when it is first asked for, once, however many threads and copies ask.

#include <memory>
#include <mutex>

namespace journeyman {

/// Empty until `settle`; from then on copies share what is made.
template <class T>
class made_once {
public:
    [[nodiscard]] bool settled() const { return cell_ != nullptr; }
    void settle() { if (cell_ == nullptr) cell_ = std::make_shared<cell>(); }
    void reset() { cell_.reset(); }
    /// What `make` gives the first time. It lives at least as long as the pointer. Only when settled.
    template <class F>
    [[nodiscard]] std::shared_ptr<const T> get(F make) const {
        std::call_once(cell_->once, [&] { cell_->it = make(); });
        return {cell_, &cell_->it};
    }

private:
    struct cell {
        std::once_flag once;
        T it;
    };
    std::shared_ptr<cell> cell_;
};

}  // namespace journeyman
