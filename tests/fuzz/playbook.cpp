// A playbook file: an error, or definitions that can be checked, written, and read back.

#include "fuzz/fuzz.hpp"
#include "journeyman/playbook/playbook.hpp"

namespace jm = journeyman;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    jm::playbook p;
    try {
        p = jm::playbook::parse(fuzz::text(data, size));
    } catch (const jm::error&) {
        return 0;
    }
    static_cast<void>(p.check());
    static_cast<void>(p.check(jm::history{}));
    const auto yaml = p.to_yaml();
    fuzz::insist(jm::equals(jm::playbook::parse(yaml), p), "the YAML reads back to the playbook");
    fuzz::insist(jm::equals(jm::playbook::parse(p.to_json()), p), "the JSON reads back to the playbook");
    return 0;
}
