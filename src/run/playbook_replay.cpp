// Replay, as a playbook offers it.
#include "journeyman/playbook/playbook.hpp"
#include "journeyman/run/replay.hpp"

namespace journeyman {

run playbook::replay(const journeyman::history& h) const { return replay(h, run_options{}); }
run playbook::replay(const journeyman::history& h, const run_options& o) const {
    try {
        return journeyman::replay(definitions(), h, o);
    } catch (const error& e) {
        throw placed(e);
    }
}

}  // namespace journeyman
