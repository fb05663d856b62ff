#pragma once
// A vector whose copies share its items until one of them is changed: what a history appended to has in common with the one before.

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace journeyman {

/// Reads like a `std::vector` and costs the same. Changing it first takes a copy if others share it. What is shared may be read by many threads.
template <class T>
class shared_vector {
public:
    using value_type = T;
    using const_iterator = const T*;

    shared_vector() = default;
    shared_vector(std::vector<T> items) {
        if (items.empty()) return;
        items_ = std::make_shared<std::vector<T>>(std::move(items));
        look();
    }
    shared_vector(std::initializer_list<T> items) : shared_vector{std::vector<T>(items)} {}
    shared_vector(const shared_vector&) = default;
    shared_vector& operator=(const shared_vector&) = default;
    shared_vector(shared_vector&& other) noexcept : items_{std::move(other.items_)}, data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)} {}
    shared_vector& operator=(shared_vector&& other) noexcept {
        items_ = std::move(other.items_);
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }
    ~shared_vector() = default;

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] const T* data() const { return data_; }
    [[nodiscard]] const T* begin() const { return data_; }
    [[nodiscard]] const T* end() const { return data_ + size_; }
    [[nodiscard]] const T& operator[](std::size_t i) const { return data_[i]; }
    [[nodiscard]] const T& front() const { return data_[0]; }
    [[nodiscard]] const T& back() const { return data_[size_ - 1]; }
    [[nodiscard]] const T& at(std::size_t i) const {
        if (i >= size_) throw std::out_of_range{"shared_vector::at"};
        return data_[i];
    }
    /// Whether both hold the very same items, not only equal ones.
    [[nodiscard]] bool shares_with(const shared_vector& other) const { return data_ == other.data_ && size_ == other.size_; }

    friend bool operator==(const shared_vector& a, const shared_vector& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

    void push_back(const T& item) {
        own().push_back(item);
        look();
    }
    void set(std::size_t i, const T& item) { own()[i] = item; }
    void clear() { *this = {}; }

private:
    std::vector<T>& own() {
        if (items_ == nullptr) items_ = std::make_shared<std::vector<T>>();
        else if (items_.use_count() > 1) items_ = std::make_shared<std::vector<T>>(*items_);
        data_ = items_->data();
        return *items_;
    }
    void look() {
        data_ = items_->data();
        size_ = items_->size();
    }

    std::shared_ptr<std::vector<T>> items_;
    const T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace journeyman
