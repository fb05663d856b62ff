#include "journeyman/core/zone.hpp"
#include "journeyman/predicate/evaluate.hpp"

namespace journeyman {

std::pair<text_id, const time_zone*> named_local_zone(const program& p, const contact_view& v) {
    for (const auto slot : {p.timezone, p.account_timezone}) {
        if (slot == none) continue;
        const value name = v.attributes[slot].now();
        if (name.type != value_type::text) continue;
        if (const auto* zone = p.zones == nullptr ? nullptr : p.zones->find(name.as_text())) return {zone == p.zone.get() ? no_text : name.as_text(), zone};
    }
    return {no_text, p.zone.get()};
}

const time_zone& local_zone(const program& p, const contact_view& v) { return *named_local_zone(p, v).second; }

}  // namespace journeyman
