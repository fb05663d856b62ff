// Who went which way at a split: the arms of an experiment.

#include "run/run_data.hpp"

namespace journeyman {

table run::splits() const {
    const auto& ids = data_->given.data().contacts;
    table out{{"contact_id", ids.type()}, {"workflow", value_type::text}, {"step", value_type::text}, {"journey", value_type::integer}, {"at", value_type::instant}, {"arm", value_type::text}};
    data_->each_stay([&](std::uint32_t contact, const stay& s) {
        if (s.by != passage::split) return;
        const auto& w = data_->program->workflows[s.workflow];
        ids.push_to(out[0], contact);
        out[1].push_text(w.name);
        out[2].push_text(w.steps[s.step].name);
        out[3].push_integer(s.journey);
        out[4].push(s.to.at);
        out[5].push_text(s.next == none ? std::string_view{"end"} : std::string_view{w.steps[s.next].name});
    });
    return out;
}

}  // namespace journeyman
