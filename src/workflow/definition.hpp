#pragma once
// The one exact text of a definition, for equality and versions: every part with its length, so that nothing runs together.

#include <cstdint>
#include <string>
#include <string_view>

#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

class definition_writer {
public:
    definition_writer& put(std::string_view s);
    definition_writer& put(std::int64_t n);
    definition_writer& put(double d);
    definition_writer& put(const expression& e);
    definition_writer& put(const std::optional<length>& d);
    definition_writer& put(const std::optional<date_offset>& d);
    definition_writer& put(const step& s);
    definition_writer& put(const workflow& w);
    definition_writer& put(const policies& p);
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    definition_writer& put(const payload& p);
    definition_writer& put(const step_kind& k);
    definition_writer& put(const trigger_kind& t);
    definition_writer& put(const std::vector<std::chrono::weekday>& days);
    std::string text_;
};

}  // namespace journeyman
