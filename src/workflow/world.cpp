#include "journeyman/workflow/world.hpp"

#include <algorithm>

namespace journeyman {
namespace {

column with_type(const column& c, value_type t) {
    column out{t};
    for (std::size_t k = 0; k < c.size(); ++k) out.push(t == value_type::decimal && !c.at(k).is_missing() ? value::of(c.at(k).as_decimal()) : value{});
    return out;
}

/// The value as the column holds it; a column without a type takes that of the first value. What does not fit is missing.
value fitted(column& c, const value& v) {
    if (v.is_missing() || v.type == c.type()) return v;
    if (c.type() == value_type::missing) {
        c = with_type(c, v.type);
        return v;
    }
    if (!is_number(v.type) || !is_number(c.type())) return {};
    if (c.type() != value_type::decimal) c = with_type(c, value_type::decimal);
    return value::of(v.as_decimal());
}

}  // namespace

void own_rows::clear(std::size_t columns) {
    used_ = true;
    at_.clear();
    order_.clear();
    columns_.assign(columns, column{});
}

std::uint32_t own_rows::insert(position place, std::span<const value> cells) {
    std::uint32_t row = count();
    while (row > 0 && position{instant{microseconds{at_[row - 1]}}, order_[row - 1]} > place) --row;
    return put(row, place, cells);
}

std::uint32_t own_rows::put(std::uint32_t row, position place, std::span<const value> cells) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        const value v = fitted(columns_[c], cells[c]);
        if (row == count()) columns_[c].push(v);
        else columns_[c].insert(row, v);
    }
    at_.insert(at_.begin() + row, place.at.time_since_epoch().count());
    order_.insert(order_.begin() + row, place.order);
    return row;
}

void own_rows::show(stream_slice& s) {
    shown_.clear();
    for (const auto& c : columns_) shown_.push_back(&c);
    s = {at_.data(), order_.data(), shown_.data(), count(), 0};
}

void own_rows::show(attribute_slice& a) const { a = {a.base, at_.data(), order_.data(), columns_.data(), count(), 0}; }

contact_world::contact_world(program_ptr p)
    : program_{std::move(p)}, streams_(program_->streams.size()), attributes_(program_->attributes.size()), own_streams_(streams_.size()), own_attributes_(attributes_.size()), kept_(streams_.size()), kept_slices_(streams_.size()),
      cells_(program_->properties.size()) {
    view_.streams = streams_.data();
    view_.attributes = attributes_.data();
}

void contact_world::forget() {
    for (const auto s : owned_streams_) own_streams_[s] = {};
    for (const auto a : owned_attributes_) own_attributes_[a] = {};
    for (const auto s : kept_streams_) kept_[s] = {};
    owned_streams_.clear();
    owned_attributes_.clear();
    kept_streams_.clear();
}

void contact_world::own_stream(std::uint32_t slot) {
    if (own_streams_[slot].used()) return;
    owned_streams_.push_back(slot);
    auto& own = own_streams_[slot];
    auto& seen = streams_[slot];
    own.clear(cells_.size());
    for (std::uint32_t k = 0; k < seen.count; ++k) {
        for (std::uint32_t c = 0; c < cells_.size(); ++c) cells_[c] = seen.property(c, k);
        own.append(seen.place(k), cells_);
    }
    own.show(seen);
}

void contact_world::own_attribute(std::uint32_t slot) {
    if (own_attributes_[slot].used()) return;
    owned_attributes_.push_back(slot);
    auto& own = own_attributes_[slot];
    auto& seen = attributes_[slot];
    own.clear(1);
    for (std::uint32_t k = 0; k < seen.count; ++k) {
        const value v = seen.change(k);
        own.append({seen.place(k), seen.order[k]}, {&v, 1});
    }
    own.show(seen);
}

event_ref contact_world::put_event(std::uint32_t slot, position place, std::span<const value> cells) {
    const auto row = own_streams_[slot].insert(place, cells);
    own_streams_[slot].show(streams_[slot]);
    return {&streams_[slot], slot, row};
}

void contact_world::put_change(std::uint32_t slot, position place, const value& v) {
    own_attributes_[slot].insert(place, {&v, 1});
    own_attributes_[slot].show(attributes_[slot]);
}

event_ref contact_world::emit(std::uint32_t stream, position place, std::span<const std::uint32_t> properties, std::span<const value> cells) {
    own_stream(stream);
    std::fill(cells_.begin(), cells_.end(), value{});
    for (std::size_t k = 0; k < properties.size(); ++k) cells_[properties[k]] = cells[k];
    return put_event(stream, place, cells_);
}

void contact_world::set(std::uint32_t attribute, position place, const value& v) {
    own_attribute(attribute);
    put_change(attribute, place, v);
    changed(attribute, place);
}

kept_event contact_world::keep(event_ref e) {
    if (!e) return {};
    if (given_ != nullptr && e.slice == &given_[e.slot]) return {e.slot, e.index};
    if (e.slice == &kept_slices_[e.slot]) return {e.slot | copied, e.index};
    for (std::uint32_t c = 0; c < cells_.size(); ++c) cells_[c] = e.property(c);
    return remember(e.slot, e.place(), cells_);
}

kept_event contact_world::remember(std::uint32_t slot, position place, std::span<const value> cells) {
    auto& kept = kept_[slot];
    if (!kept.used()) {
        kept.clear(cells_.size());
        kept_streams_.push_back(slot);
    }
    const auto row = kept.append(place, cells);
    kept.show(kept_slices_[slot]);
    return {slot | copied, row};
}

}  // namespace journeyman
