#pragma once
// Columns of numbers that come from Python by the buffer protocol, as journeyman/_columns.py makes them: contiguous, of one type.

#include <span>

#include "bindings.hpp"

template <class T>
class column_in {
public:
    explicit column_in(const py::object& o) {
        if (o.is_none()) return;
        info_ = py::cast<py::buffer>(o).request();
        if (info_.itemsize != static_cast<py::ssize_t>(sizeof(T)) || info_.ndim != 1 || (info_.size > 0 && info_.strides[0] != info_.itemsize)) throw py::type_error("a column of another type was expected");
    }
    [[nodiscard]] std::span<const T> span() const { return {static_cast<const T*>(info_.ptr), static_cast<std::size_t>(info_.size)}; }
    operator std::span<const T>() const { return span(); }

private:
    py::buffer_info info_;
};
