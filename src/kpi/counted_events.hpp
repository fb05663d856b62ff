#pragma once
// Events that selectors count, and expressions about their contact, asked of one contact after the other: what statistics are made of.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journeyman/history/history.hpp"
#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"

namespace journeyman::detail {

/// What a dimension says about an event: a bare name is a property of one, else an attribute of the contact.
expression dimension_of(const std::string& text, const schema& known);

/// Everything asked goes through one compiler, so that slots are shared. The first problem is thrown.
class counted_events {
public:
    counted_events(const history& h, const compile_context& context) : history_{h}, compiler_{h.schema(), h.data().pool, context} {}

    /// The number of the selector.
    std::size_t add(const selector&, const std::string& place);
    node_id add_expression(const expression& e, const std::string& place, value_type wanted = value_type::missing) {
        return sound([&] { return compiler_.add_expression(e, place, wanted); });
    }
    node_id add_predicate(const expression& e, const std::string& place) {
        return sound([&] { return compiler_.add_predicate(e, place); });
    }
    /// About an event of that selector (K6): a bare name is a property of it, else an attribute of the contact.
    node_id add_dimension(const std::string& text, std::size_t about, const std::string& place);
    std::uint32_t add_property(const std::string& name) { return compiler_.add_property(name); }
    [[nodiscard]] value_type type_of(node_id n) const { return compiler_.type_of(n); }

    /// Calls f(contact) for each, in ascending order, that exists at `until`; what it has by then is in `events` and `at`.
    template <class F> void each_contact(instant until, F f) {
        program_ = compiler_.finish();
        reader_.emplace(program_, history_.data());
        until_ = until;
        for (std::uint32_t k = 0; k < history_.contacts_count(); ++k) {
            reader_->load(k);
            if (!reader_->exists(until)) continue;
            gather();
            f(k);
        }
    }
    /// What a selector counts at `until`, by (instant, order).
    [[nodiscard]] const std::vector<event_ref>& events(std::size_t selector) const { return events_[selector]; }
    /// The value as of a place in the order, or as of `until`.
    value at(node_id n, position p, event_ref event = {}) {
        instant unused = end_of_time;
        return evaluate(*program_, n, reader_->see(p), p.at, unused, event);
    }
    value at_end(node_id n) {
        instant unused = end_of_time;
        return evaluate(*program_, n, reader_->see(until_), until_, unused);
    }
    /// The name of the event's stream.
    [[nodiscard]] const std::string& name(event_ref e) const { return program_->streams[e.slot]; }

private:
    void gather();
    template <class F> node_id sound(F f) {
        const auto before = compiler_.found().size();
        const auto n = f();
        compiler_.found().throw_first_error(before);
        return n;
    }

    const history& history_;
    compiler compiler_;
    program_ptr program_;
    std::optional<history_reader> reader_;
    instant until_;
    std::vector<node_id> counts_;
    std::vector<selector_id> selectors_;
    std::vector<std::vector<event_ref>> events_;
};

/// The texts of some values, joined by " · "; "(missing)" for what is missing.
std::string joined(const std::vector<value>&, const text_pool&);

/// Texts in the order they came → numbers; `sorted` gives them in order of the texts, and the new number of each.
class group_numbers {
public:
    std::uint32_t number(const std::string& text);
    [[nodiscard]] std::pair<std::vector<std::string>, std::vector<std::uint32_t>> sorted() const;

private:
    std::map<std::string, std::uint32_t> numbers_;
};

/// The one given, or the last instant of the history. Errors: `input.instant`, placed "until".
instant end_of(const history&, std::optional<instant> until);

}  // namespace journeyman::detail
