#pragma once
// Reading a definition file: nodes with their path and place, keys that must be known, scalars of every kind; problems are collected.

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/core/data.hpp"
#include "journeyman/core/error.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/playbook/playbook.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman::detail {

/// A node of the file and its path in the definition ("segments.vip.where").
struct spot {
    YAML::Node node;
    std::string path;
};

/// One file being read. What cannot be read is a problem, and nothing where a value was expected.
class reading {
public:
    reading(std::string_view text, std::string file) : text_{text}, file_{std::move(file)} {}

    void fail(std::string code, const spot& at, std::string message);
    /// A key of a mapping that should not be there.
    void fail_key(const spot& of, const YAML::Node& key, std::string message);
    void fail_at(std::string code, std::string place, std::string message) { found_.push_back({std::move(code), std::move(place), std::move(message), severity::error}); }
    [[nodiscard]] const std::vector<problem>& found() const { return found_; }
    /// Throws one error that holds all problems, if there are any.
    void finish() const;

    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] std::string place(const YAML::Mark&) const;
    /// Path → place; the place where a text begins is at path + ":1:1" when the file holds it letter by letter.
    std::map<std::string, std::string> places;

    // ---- structure
    /// The entries of a mapping whose keys are names, as written; a name given twice is a problem.
    std::vector<std::pair<std::string, spot>> entries(const spot&, std::string_view what);
    std::vector<spot> items(const spot&, std::string_view what);
    bool is_text(const spot& s) const { return s.node.IsScalar(); }
    bool is_map(const spot& s) const { return s.node.IsMap(); }
    bool is_list(const spot& s) const { return s.node.IsSequence(); }

    // ---- scalars
    std::optional<std::string> text(const spot&, std::string_view what);
    std::optional<std::string> one_of(const spot&, std::string_view what, std::initializer_list<std::string_view> words);
    std::optional<bool> yes_no(const spot&, std::string_view what);
    std::optional<double> number(const spot&, std::string_view what);
    std::optional<int> whole(const spot&, std::string_view what, int least);
    std::optional<length> duration(const spot&, std::string_view what);
    std::optional<date_offset> offset(const spot&);
    std::optional<time_of_day> clock(const spot&, std::string_view what);
    std::vector<std::chrono::weekday> weekdays(const spot&);
    /// Texts; one alone is a list of one.
    std::vector<std::string> texts(const spot&, std::string_view what);

    /// A text, or the mapping of the JSON form.
    expression expr(const spot&, std::string_view what, bare_names = bare_names::attribute);
    /// Without `of_property` one that reads a property is a problem.
    std::optional<selector> select(const spot&, std::string_view what, bool of_property = false);
    /// Whether a mapping is an expression rather than a definition with keys of its own (a dimension has `spend`, which is a measure too).
    bool is_expression(const spot&);
    /// A scalar, a list or a mapping, as it stands.
    data any(const spot&);
    /// {NAME: value | {expr: EXPRESSION}}
    payload values(const spot&, std::string_view what);
    /// A constant: missing, yes/no, number or text, by YAML's own rules.
    scalar constant(const spot&);

    void note(const std::string& path, const YAML::Node& key, const YAML::Node& value);

private:
    template <class F> bool parsed(const spot&, F);
    template <class F> bool read_tree(const spot&, F);
    expression constant_expression(const spot&, std::string_view what);
    [[nodiscard]] std::optional<std::string> text_place(const YAML::Node&) const;

    std::string_view text_;
    std::string file_;
    std::vector<problem> found_;
};

/// A mapping with known keys: an unknown key, or one given twice, is a problem, with the nearest known ones.
class keyed {
public:
    keyed(reading&, const spot&, std::string what, std::vector<std::string> known);
    /// Whether it is a mapping at all.
    explicit operator bool() const { return sound_; }
    /// The value of a key; an empty one is a problem.
    std::optional<spot> find(std::string_view key);
    /// The same, and a problem where there is none; `remedy` says what to write.
    std::optional<spot> need(std::string_view key, std::string_view remedy);
    [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }
    [[nodiscard]] const spot& at() const { return spot_; }

private:
    reading& in_;
    spot spot_;
    std::string what_;
    bool sound_ = false;
    std::map<std::string, YAML::Node, std::less<>> values_;
};

inline constexpr std::string_view weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};   // by c_encoding
inline constexpr std::string_view unit_names[] = {"day", "week", "month", "quarter", "year"};              // by calendar_unit

/// The workflows of a file.
journeyman::workflow read_workflow(reading&, const std::string& name, const spot&);
/// The parts of its report.
report_part read_report_part(reading&, const std::string& title, const spot&);

}  // namespace journeyman::detail
