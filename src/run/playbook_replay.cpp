// Replay, as a playbook offers it.
#include "journeyman/playbook/playbook.hpp"
#include "journeyman/run/replay.hpp"

namespace journeyman {

run playbook::replay(const journeyman::history& h) const { return replay(h, run_options{}); }
run playbook::replay(const journeyman::history& h, const run_options& o) const {
    workflow_definitions d{workflows, policies, {}, context(), types};
    for (const auto& s : segments) d.segments.emplace_back(s.name, s.channels);
    try {
        return journeyman::replay(d, h, o);
    } catch (const error& e) {
        throw placed(e);
    }
}

}  // namespace journeyman
