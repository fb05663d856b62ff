#include "run/feed.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace journeyman {
namespace {

constexpr position never{end_of_time, 0xffffffffU};

}  // namespace

history_feed::history_feed(const workflow_program& w, const history_data& h, run_order o) : contact_world{w.predicates}, workflows_{w}, history_{&h}, order_{o}, reader_{w.predicates, h}, cells_(program_->properties.size()) {
    for (std::uint32_t s = 0; s < program_->streams.size(); ++s) {
        event_streams_.push_back(h.stream(program_->streams[s]));
        if (!w.by_stream[s].empty() && event_streams_.back() != nullptr) triggers_.emplace_back(&event_streams_.back()->rows, 0);
    }
    for (const auto& a : program_->attributes) attribute_streams_.push_back(a.of_account ? h.account_attribute(a.name) : h.contact_attribute(a.name));
    if (!program_->streams.empty()) given_ = &reader_.all(0);
    for (const auto k : w.timed) everyone_ = everyone_ || w.workflows[k].trigger.kind != compiled_trigger::event;
}

bool history_feed::concerns(std::uint32_t contact) {
    if (everyone_) return true;
    for (auto& [rows, cursor] : triggers_)
        if (const auto [begin, end] = rows->range(contact, cursor); begin != end) return true;
    return false;
}

void history_feed::load(std::uint32_t contact) {
    forget();
    reader_.load(contact);
    view_.contact = contact;
    view_.id = reader_.view().id;
    view_.exists_from = reader_.view().exists_from;
    sources_.clear();
    any_late_ = false;
    late_orders_.clear();
    late_ = 0;
    account_ = none;
    for (std::uint32_t s = 0; s < streams_.size(); ++s) {
        streams_[s] = reader_.all(s);
        streams_[s].count = 0;
        if (reader_.all(s).count > 0) add(reader_.all(s), &event_streams_[s]->arrived, s, false);
    }
    for (std::uint32_t a = 0; a < attributes_.size(); ++a) {
        attributes_[a] = reader_.all_changes(a);
        attributes_[a].count = 0;
        if (attributes_[a].at != nullptr && reader_.all_changes(a).count > 0) add(reader_.all_changes(a), &attribute_streams_[a]->arrived, a, true);
    }
    if (order_ == run_order::arrival && view_.exists_from != beginning_of_time) view_.exists_from = known_from(contact);
    if (reader_.account_slot() != none) load_account(position{beginning_of_time, 0});
}

/// Who is known by what happened, in any stream, is known when it arrives.
instant history_feed::known_from(std::uint32_t contact) const {
    auto first = std::numeric_limits<std::int64_t>::max(), arrives = first;
    const auto look = [&](const auto& streams) {
        for (const auto& s : streams) {
            const auto [begin, end] = s.rows.range(contact);
            for (auto r = begin; r < end; ++r) {
                first = std::min(first, s.rows.at[r]);
                arrives = std::min(arrives, s.arrived.empty() ? s.rows.at[r] : std::max(s.arrived[r], s.rows.at[r]));
            }
        }
    };
    look(history_->streams);
    look(history_->contact_attributes);
    return instant{microseconds{first}} == view_.exists_from ? instant{microseconds{arrives}} : view_.exists_from;
}

bool history_feed::any_late(const source& s) {
    for (std::uint32_t r = 0; r < s.count; ++r) if (s.arrived[r] > s.at[r]) return true;
    return false;
}

template <class Slice>
void history_feed::add(const Slice& all, const shared_vector<std::int64_t>* arrived, std::uint32_t slot, bool attribute) {
    source s{slot, attribute, attribute && program_->attributes[slot].of_account, !attribute, 0, all.count, all.at, all.order, nullptr};
    if (order_ == run_order::arrival && !arrived->empty()) s.arrived = arrived->data() + all.row, s.plain = false;
    if (s.arrived != nullptr && any_late(s)) {
        any_late_ = true;
        auto& rows = late_orders_.emplace_back(s.count);
        std::iota(rows.begin(), rows.end(), 0U);
        std::stable_sort(rows.begin(), rows.end(), [&](auto a, auto b) { return s.place(a) < s.place(b); });
        s.by_arrival = rows.data();
        if (attribute) own_attribute(slot);
        else own_stream(slot);
    }
    s.head = s.place(s.row());
    sources_.push_back(s);
}

void history_feed::step(source& s) { s.head = ++s.next < s.count ? s.place(s.row()) : never; }

event_ref history_feed::show(source& s, std::optional<std::uint32_t> order) {
    const auto r = s.row();
    const bool late = s.arrived != nullptr && s.arrived[r] > s.at[r];
    position own{instant{microseconds{s.at[r]}}, order.value_or(s.order[r])};
    if (late) own.order = first_late + late_++;
    else if (order) {
        moved.push_back({view_.contact, s.slot, (s.attribute ? reader_.all_changes(s.slot).row : reader_.all(s.slot).row) + r, *order, s.attribute});
        if (s.attribute) own_attribute(s.slot);
        else own_stream(s.slot);
    }
    event_ref e;
    if (s.attribute) {
        if (own_attributes_[s.slot].used()) put_change(s.slot, own, reader_.all_changes(s.slot).change(r));
        else ++attributes_[s.slot].count;
    } else if (own_streams_[s.slot].used()) {
        for (std::uint32_t c = 0; c < cells_.size(); ++c) cells_[c] = reader_.all(s.slot).property(c, r);
        e = put_event(s.slot, own, cells_);
    } else {
        ++streams_[s.slot].count;
        e = {&reader_.all(s.slot), s.slot, r};
    }
    step(s);
    return e;
}

std::uint32_t history_feed::see_before(position p) {
    bool account = false;
    std::uint32_t events = 0;
    while (any_late_) {                                      // what came in late at one instant keeps the order in which it came
        const auto s = std::min_element(sources_.begin(), sources_.end(), [](const source& a, const source& b) { return a.head < b.head; });
        if (s == sources_.end() || !(s->head < p)) break;
        events += s->attribute ? 0 : 1;
        account = account || (s->attribute && s->slot == reader_.account_slot());
        show(*s, std::nullopt);
    }
    for (auto& s : sources_) {
        if (!(s.head < p)) continue;
        if (s.plain && !own_streams_[s.slot].used()) {
            const auto from = s.next;
            do step(s); while (s.head < p);
            streams_[s.slot].count += s.next - from;
            events += s.next - from;
            continue;
        }
        while (s.head < p) {
            show(s, std::nullopt);
            account = account || (s.attribute && s.slot == reader_.account_slot());
            events += s.attribute ? 0 : 1;
        }
    }
    if (account) load_account(p);
    return events;
}

seen_input history_feed::take(const contact_journeys& state, position place, std::uint32_t& passed) {
    passed += see_before(place);
    seen_input in;
    in.place = place_after(state, place);
    const std::optional<std::uint32_t> order = in.place == place ? std::nullopt : std::optional{in.place.order};
    const auto first = std::find_if(sources_.begin(), sources_.end(), [&](const source& s) { return s.head == place; });
    if (!first->attribute) {                              // a row is an event, or changes of attributes
        in.event = show(*first, order);
        return in;
    }
    changed_.clear();
    bool account = false;
    for (auto& s : sources_) {
        if (s.head != place) continue;
        show(s, order);
        changed_.push_back(s.slot);
        account = account || s.slot == reader_.account_slot();
    }
    if (account) load_account(position{place.at, place.order + 1});
    in.attributes = changed_;
    return in;
}

void history_feed::changed(std::uint32_t attribute, position place) {
    if (attribute == reader_.account_slot()) load_account(place);
}

/// The contact belongs to another account from here on: its attributes, with what is known of them.
void history_feed::load_account(position upto) {
    const auto account = reader_.account_named(attributes_[reader_.account_slot()].now());
    if (account == account_ && account != none) return;
    account_ = account;
    std::erase_if(sources_, [](const source& s) { return s.of_account; });
    reader_.load_account(account);
    for (std::uint32_t a = 0; a < attributes_.size(); ++a) {
        if (!program_->attributes[a].of_account) continue;
        own_attributes_[a] = {};
        attributes_[a] = reader_.all_changes(a);
        attributes_[a].count = 0;
        if (reader_.all_changes(a).count > 0) add(reader_.all_changes(a), &attribute_streams_[a]->arrived, a, true);
    }
    for (auto& s : sources_)
        while (s.of_account && s.head < upto) show(s, std::nullopt);
}

}  // namespace journeyman
