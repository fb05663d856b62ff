#pragma once
// The playbook: segments, funnels, workflows, KPIs and policies together, in one file or built in code.

#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/core/data.hpp"
#include "journeyman/core/error.hpp"
#include "journeyman/core/table.hpp"
#include "journeyman/core/zone.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/kpi/funnel.hpp"
#include "journeyman/kpi/kpi.hpp"
#include "journeyman/predicate/explain.hpp"
#include "journeyman/predicate/program.hpp"
#include "journeyman/predicate/select.hpp"
#include "journeyman/predicate/tracked.hpp"
#include "journeyman/segment/overlap.hpp"
#include "journeyman/segment/segment.hpp"
#include "journeyman/segment/vocabulary.hpp"
#include "journeyman/workflow/workflow.hpp"

namespace journeyman {

class run;                 // run/run.hpp
struct run_options;
struct workflow_definitions;   // workflow/compiled.hpp
struct workflow_program;
struct comparison;             // run/compare.hpp

/// A part of the report: the title, which statistic (`experiment`, `attribution`, `lifetime_value`, `survival`), and what is asked of it, by the names of Python's arguments, as written.
struct report_part {
    std::string title, statistic;
    data_mapping settings;
    friend bool operator==(const report_part&, const report_part&) = default;
};

/// Data to collect: `pb.coverage(h, at)`.
struct coverage_report {
    table fields;          // segment, group, expression, members, present, share
    table lacking;         // segment, expression, contact_id
};

struct kpi_report;         // kpi/report.hpp
struct kpi_options;
class kpi_state;           // kpi/state.hpp
struct diagnosis;          // kpi/diagnosis.hpp
struct diagnosis_options;

/// All definitions together. A value; compares, prints, saves.
class playbook {
public:
    playbook() = default;
    explicit playbook(std::string timezone_name) : timezone{std::move(timezone_name)} {}

    std::string name, timezone = "UTC", currency;
    week_start weeks = week_start::monday;
    std::vector<std::pair<std::string, std::string>> types;
    std::vector<journeyman::segment> segments;
    std::vector<journeyman::funnel> funnels;
    journeyman::policies policies;
    std::vector<journeyman::workflow> workflows;
    std::vector<journeyman::kpi> kpis_;
    std::vector<journeyman::campaign> campaigns;
    std::vector<journeyman::dimension> dimensions;
    std::vector<report_part> report;                        // statistics that stand in the report
    std::map<std::string, std::string> places;             // path in the definition ("kpis.cpa.value") → "file:line:column"; empty when built in code

    /// A YAML or JSON file. Throws `error` for a file that is not there or is no YAML (code `playbook.yaml`, with line:column), and for definitions that
    /// cannot be read (code `playbook.key`, `playbook.value` …): the message holds all of them, one a line.
    static playbook load(const std::filesystem::path&);
    /// From memory. Without a `file` name, places are paths in the definition ("kpis.cpa.every").
    static playbook parse(std::string_view yaml_or_json, const std::string& file = "playbook");
    [[nodiscard]] std::string to_yaml() const;
    [[nodiscard]] std::string to_json() const;

    template <class... Parts>
    [[nodiscard]] playbook add(Parts... parts) const {
        playbook p = *this;
        (p.put(std::move(parts)), ...);
        return p;
    }
    [[nodiscard]] const journeyman::segment* find_segment(std::string_view) const;
    [[nodiscard]] const journeyman::workflow* find_workflow(std::string_view) const;
    [[nodiscard]] const journeyman::kpi* find_kpi(std::string_view) const;

    [[nodiscard]] compile_context context() const;          // zone, weeks, segments, consent
    /// What names mean when the tools of segment/ ask a history with this playbook: `to_features(h, columns, at, playbook.vocabulary(h))`.
    [[nodiscard]] journeyman::vocabulary vocabulary(const history&) const;
    /// The place of a path, or the path itself.
    [[nodiscard]] std::string place(const std::string& path) const;
    /// The same error, with the place in the file of the definition it names, when there is a file.
    [[nodiscard]] error placed(const error&) const;

    /// Every problem at once; with a history, names and types too.
    [[nodiscard]] problems check() const;
    [[nodiscard]] problems check(const history&) const;

    /// Who is in at `at`, and who was in when (predicate/select.hpp, membership.hpp), with this playbook's segments, zone, types and consents.
    [[nodiscard]] selection select(const history&, const predicate&, instant at, unsigned threads = 1) const;
    [[nodiscard]] table membership(const history&, const predicate&, instant start, instant end) const;
    /// The same, kept up to date while the history is appended to (tracked.hpp).
    [[nodiscard]] tracked_membership track(const history&, const predicate&, instant start, std::optional<instant> until = {}) const;

    /// Why one contact is in, or not (predicate/explain.hpp).
    [[nodiscard]] explanation explain(const history&, const predicate&, std::string_view contact, instant at) const;

    [[nodiscard]] coverage_report coverage(const history&, instant at) const;
    /// segment, funnel, stage, standing, reached: contacts of each segment by stage of its funnel (K7).
    [[nodiscard]] table stages(const history&, instant at) const;
    /// A funnel of steps by its name, or one that is not in the playbook, with its segments, zone, types and dimensions (kpi/funnel.hpp).
    /// `by` is added to its own breakdown. Code `name.unknown` for a name there is none of, and for a funnel of stages `funnel.stages`.
    [[nodiscard]] funnel_report measure_funnel(const history&, std::string_view funnel_name, const funnel_options& = {}, const std::vector<std::string>& by = {}) const;
    [[nodiscard]] funnel_report measure_funnel(const history&, event_funnel, funnel_options = {}) const;

    /// segment, title, members, unknown, share: of the contacts that exist.
    [[nodiscard]] table sizes(const history&, instant at) const;
    /// segment, title, DIMENSIONS…, contacts, members, unknown, share, share_of_members: for each segment its total and its cells (segment/sizes.hpp).
    [[nodiscard]] table sizes(const history&, instant at, const named_expressions& by) const;
    /// How the segments share their members (segment/overlap.hpp).
    [[nodiscard]] overlap_report overlap(const history&, instant at, const progress_listener& = {}) const;

    /// workflow, step, role (goal, awaited, emitted), event, kpi: which events of KPIs journeys lead to, and where.
    [[nodiscard]] table leads_to() const;

    /// All workflows, ready for `advance` (workflow/contact.hpp): keep it, compiling takes as long as thousands of inputs. Without a schema every attribute and event
    /// that the playbook mentions is known, and has the type that `types` gives it. Throws the first error of the checks.
    [[nodiscard]] std::shared_ptr<const workflow_program> compiled() const;
    [[nodiscard]] std::shared_ptr<const workflow_program> compiled(const schema& known) const;
    [[nodiscard]] workflow_definitions definitions() const;

    /// Runs all workflows over the history. run/replay.hpp.
    [[nodiscard]] run replay(const history&) const;
    [[nodiscard]] run replay(const history&, const run_options&) const;
    /// This version and another over the same history. run/compare.hpp.
    [[nodiscard]] comparison compare(const playbook& other, const history&) const;
    [[nodiscard]] comparison compare(const playbook& other, const history&, const run_options&) const;
    /// kpi/report.hpp.
    [[nodiscard]] kpi_report kpis(const history&, const run* = nullptr) const;
    [[nodiscard]] kpi_report kpis(const history&, const run&) const;
    [[nodiscard]] kpi_report kpis(const history&, const run*, const kpi_options&) const;
    /// The same pass over a part of the contacts, to be saved and merged with the others (kpi/state.hpp); `kpis(state)` reads it.
    [[nodiscard]] kpi_state count_kpis(const history&, const run*, const kpi_options&) const;
    /// Why one of them changed (kpi/diagnosis.hpp).
    [[nodiscard]] diagnosis diagnose(const history&, const std::string& kpi, const run*, const diagnosis_options&) const;

private:
    void put(journeyman::segment s) { segments.push_back(std::move(s)); }
    void put(journeyman::funnel f) { funnels.push_back(std::move(f)); }
    void put(journeyman::workflow w) { workflows.push_back(std::move(w)); }
    void put(journeyman::kpi k) { kpis_.push_back(std::move(k)); }
    void put(journeyman::campaign c) { campaigns.push_back(std::move(c)); }
    void put(journeyman::dimension d) { dimensions.push_back(std::move(d)); }
    void put(report_part r) { report.push_back(std::move(r)); }
    void put(journeyman::policies p) { policies = std::move(p); }
};

bool equals(const playbook&, const playbook&);

/// The KPIs of a state (kpi/state.hpp), by the playbook that counted it.
kpi_report kpis(const kpi_state&, double level = 0.95);

}  // namespace journeyman
