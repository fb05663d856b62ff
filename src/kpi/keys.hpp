#pragma once
// The cells that a contact stands in at a moment: the values of all dimensions of a KPI, combined.

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "journeyman/predicate/reader.hpp"
#include "kpi/periods.hpp"
#include "kpi/plan.hpp"

namespace journeyman::detail {

class key_finder {
public:
    /// The view at a place, moved there only when something asks for it.
    struct moment {
        position place;
        event_ref event;
        bool moved = false;
    };
    key_finder(const kpi_definitions&, const plan&, history_reader&, const text_pool&, cell_texts&);

    const contact_view& look(moment& m) {
        if (!m.moved) reader_.see(m.place);
        m.moved = true;
        return reader_.view();
    }
    /// All combinations, as numbers of texts. `in_segments`, where that is known: after the scope, those of the dimension `segment`.
    const std::vector<std::vector<std::uint32_t>>& find(const kpi_plan&, std::size_t measure, moment&, const std::vector<std::uint8_t>* in_segments = nullptr);

    std::span<const journey_span> journeys;            // of the contact at hand

private:
    void by_journey(const kpi_plan&, position);
    /// An action is of the journey that took it, whatever else runs.
    [[nodiscard]] value acting(const moment&, std::uint32_t property) const;
    /// Names of a run stand where they stand: each is looked up once.
    std::uint32_t name(std::string_view);
    struct campaign_span { instant from, to; std::uint32_t text = 0; };
    const plan& plan_;
    history_reader& reader_;
    const text_pool& pool_;
    cell_texts& texts_;
    std::vector<campaign_span> campaigns_;
    std::vector<std::uint32_t> segment_texts_, values_;
    std::vector<std::vector<std::uint32_t>> keys_;
    std::map<std::pair<const char*, std::size_t>, std::uint32_t> names_;
};

}  // namespace journeyman::detail
