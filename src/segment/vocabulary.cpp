#include "journeyman/segment/vocabulary.hpp"

namespace journeyman {

named_expressions named(const std::vector<expression>& all) {
    named_expressions out;
    for (const auto& e : all) out.emplace_back(e.to_text(), e);
    return out;
}

}  // namespace journeyman
