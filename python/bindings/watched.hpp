#pragma once
// Long work that Python can watch and stop.

#include <exception>
#include <functional>

#include "bindings.hpp"

/// Asks Python for its signals (Ctrl-C) now and then, and tells it how far the work is. What Python throws stops the work and is thrown again after it.
class watched {
public:
    explicit watched(std::function<void(double)> tell) : tell_{std::move(tell)} {}
    std::function<bool(double)> progress() {
        return [this](double done) {
            const py::gil_scoped_acquire gil;
            try {
                if (PyErr_CheckSignals() != 0) throw py::error_already_set{};
                if (tell_) tell_(done);
                return true;
            } catch (...) {
                thrown_ = std::current_exception();
                return false;
            }
        };
    }
    template <class F> auto run(F f) {
        try {
            return f();
        } catch (const jm::error&) {
            if (thrown_) std::rethrow_exception(thrown_);
            throw;
        }
    }

private:
    std::function<void(double)> tell_;
    std::exception_ptr thrown_;
};

/// Runs f(progress) without the GIL; Ctrl-C and what the listener throws stop it.
template <class F> auto watching(std::function<void(double)> tell, F f) {
    watched watch{std::move(tell)};
    const auto progress = watch.progress();
    const py::gil_scoped_release without_gil;
    return watch.run([&] { return f(progress); });
}
