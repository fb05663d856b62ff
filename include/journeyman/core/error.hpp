#pragma once
// Errors and problems: a stable code, a place, a sentence with the remedy.

#include <cstddef>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace journeyman {

/// What a bad definition or bad input throws. `what()` is "place: message [code]".
class error : public std::runtime_error {
public:
    error(std::string code, std::string place, std::string message)
        : std::runtime_error{(place.empty() ? "" : place + ": ") + message + " [" + code + "]"}, code_{std::move(code)}, place_{std::move(place)}, message_{std::move(message)} {}
    /// Stable, dotted: "predicate.syntax", "type.mismatch", "name.unknown", "playbook.key", "input.timestamp" …
    [[nodiscard]] const std::string& code() const { return code_; }
    /// "file:line:column", or the path in the definition ("workflows.webinar.steps.welcome"), or "1:17" in a text.
    [[nodiscard]] const std::string& place() const { return place_; }
    [[nodiscard]] const std::string& message() const { return message_; }

private:
    std::string code_, place_, message_;
};

enum class severity { error, warning, note };

/// One finding of a check.
struct problem {
    std::string code, place, message;
    journeyman::severity severity = journeyman::severity::error;
    friend bool operator==(const problem&, const problem&) = default;
};

/// All findings of a check, in the order of their places.
class problems {
public:
    void add(problem p) { list_.push_back(std::move(p)); }
    void add(const problems& more) { list_.insert(list_.end(), more.list_.begin(), more.list_.end()); }
    [[nodiscard]] std::size_t errors() const {
        std::size_t n = 0;
        for (const auto& p : list_) n += p.severity == severity::error;
        return n;
    }
    /// Throws the first error, from the finding numbered `from` on; nothing where there is none.
    void throw_first_error(std::size_t from = 0) const {
        for (std::size_t k = from; k < list_.size(); ++k)
            if (list_[k].severity == severity::error) throw error{list_[k].code, list_[k].place, list_[k].message};
    }
    [[nodiscard]] bool empty() const { return list_.empty(); }
    [[nodiscard]] std::size_t size() const { return list_.size(); }
    [[nodiscard]] auto begin() const { return list_.begin(); }
    [[nodiscard]] auto end() const { return list_.end(); }
    [[nodiscard]] const problem& operator[](std::size_t i) const { return list_[i]; }

private:
    std::vector<problem> list_;
};

std::ostream& operator<<(std::ostream&, const problem&);
std::ostream& operator<<(std::ostream&, const problems&);

/// Up to three of `names` nearest to `wanted` (edit distance), for "did you mean".
std::vector<std::string> nearest_names(std::string_view wanted, const std::vector<std::string>& names);
/// " Did you mean a, b or c?", or empty.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace journeyman
