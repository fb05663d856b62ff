// The funnels of steps of a playbook, over a history.

#include <algorithm>

#include "journeyman/playbook/playbook.hpp"
#include "playbook/schema.hpp"

namespace journeyman {

void detail::name_dimensions(const playbook& p, std::vector<std::pair<std::string, std::string>>& by) {
    for (auto& [name, text] : by)
        for (const auto& d : p.dimensions)
            if (d.name == name && text == name && !d.value.empty()) text = d.value.to_text();
}

funnel_report playbook::measure_funnel(const journeyman::history& h, std::string_view funnel_name, const funnel_options& o, const std::vector<std::string>& by) const {
    const auto it = std::find_if(funnels.begin(), funnels.end(), [&](const auto& f) { return f.name == funnel_name; });
    if (it == funnels.end()) {
        std::vector<std::string> names;
        for (const auto& f : funnels) names.push_back(f.name);
        throw error{"name.unknown", "funnel", "there is no funnel \"" + std::string{funnel_name} + "\"." + did_you_mean(funnel_name, names)};
    }
    const auto path = "funnels." + it->name;
    if (it->steps.empty()) throw error{"funnel.stages", place(path), "this is a funnel of stages, each a predicate; `stages` says who stands where"};
    problems found;
    event_funnel f{it->steps, it->within, read_funnel_rules(it->rules, it->steps.size(), path, found)};
    try {
        found.throw_first_error();
        for (const auto& name : by) f.rules.by.emplace_back(name, name);
        return measure_funnel(h, std::move(f), o);
    } catch (const error& e) {
        throw placed(e);
    }
}

funnel_report playbook::measure_funnel(const journeyman::history& h, event_funnel f, funnel_options o) const {
    auto words = vocabulary(h);
    o.context = std::move(words.context);
    o.known = std::move(words.known);
    detail::name_dimensions(*this, f.rules.by);
    return journeyman::measure_funnel(h, f, o);
}

}  // namespace journeyman
