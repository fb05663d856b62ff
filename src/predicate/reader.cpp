#include "journeyman/predicate/reader.hpp"

#include <algorithm>

namespace journeyman {

history_reader::history_reader(program_ptr p, const history_data& h) : program_{std::move(p)}, history_{&h} {
    const auto& prog = *program_;
    for (const auto& name : prog.streams) {
        stream_source s{h.stream(name), 0, std::vector<const column*>(prog.properties.size(), nullptr)};
        if (s.stream != nullptr)
            for (std::size_t k = 0; k < prog.properties.size(); ++k) s.columns[k] = s.stream->properties.find(prog.properties[k]);
        streams_.push_back(std::move(s));
    }
    for (const auto& a : prog.attributes) attributes_.push_back({a.of_account ? h.account_attribute(a.name) : h.contact_attribute(a.name), 0});
    all_.resize(streams_.size());
    seen_.resize(streams_.size());
    all_attributes_.resize(attributes_.size());
    seen_attributes_.resize(attributes_.size());
    for (std::size_t s = 0; s < streams_.size(); ++s) all_[s].columns = seen_[s].columns = streams_[s].columns.data();
    const bool accounts = std::any_of(prog.attributes.begin(), prog.attributes.end(), [](const auto& a) { return a.of_account; });
    if (accounts) {
        account_slot_ = prog.attribute_slot(false, "account_id");
        for (std::uint32_t k = 0; k < h.accounts.size(); ++k)
            if (const auto id = h.pool->find(h.accounts.name(k))) account_numbers_.emplace_back(static_cast<std::uint32_t>(*id), k);
        std::sort(account_numbers_.begin(), account_numbers_.end());
    }
    view_.streams = seen_.data();
    view_.attributes = seen_attributes_.data();
}

namespace {

void load_attribute(const attribute_stream* s, std::uint32_t owner, std::pair<std::uint32_t, std::uint32_t> rows, attribute_slice& all) {
    all = {};
    if (s == nullptr) return;
    if (owner < s->base.size()) all.base = s->base.at(owner);
    all.at = s->rows.at.data() + rows.first;
    all.order = s->rows.order.data() + rows.first;
    all.values = &s->values;
    all.count = rows.second - rows.first;
    all.row = rows.first;
}

}  // namespace

void history_reader::load(std::uint32_t contact) {
    const bool back = contact < view_.contact;
    view_.contact = contact;
    view_.exists_from = history_->exists_from.empty() ? beginning_of_time : instant{microseconds{history_->exists_from[contact]}};
    for (std::size_t s = 0; s < streams_.size(); ++s) {
        auto& source = streams_[s];
        auto& all = all_[s];
        all.count = 0;
        seen_[s].count = 0;
        if (source.stream == nullptr) continue;
        if (back) source.cursor = 0;
        const auto [begin, end] = source.stream->rows.range(contact, source.cursor);
        all.at = source.stream->rows.at.data() + begin;
        all.order = source.stream->rows.order.data() + begin;
        all.row = begin;
        all.count = end - begin;
        seen_[s].at = all.at;
        seen_[s].order = all.order;
        seen_[s].row = all.row;
    }
    for (std::size_t a = 0; a < attributes_.size(); ++a) {
        if (program_->attributes[a].of_account) {      // until `see` finds the account, if there is one
            all_attributes_[a] = seen_attributes_[a] = {};
            continue;
        }
        auto& source = attributes_[a];
        if (back) source.cursor = 0;
        const auto rows = source.stream == nullptr ? std::pair<std::uint32_t, std::uint32_t>{0, 0} : source.stream->rows.range(contact, source.cursor);
        load_attribute(source.stream, contact, rows, all_attributes_[a]);
        seen_attributes_[a] = all_attributes_[a];
        seen_attributes_[a].count = 0;
    }
    account_ = none;
    if (program_->uses_id) {
        id_ = history_->contacts.name(contact);
        view_.id = id_;
    }
}

std::uint32_t history_reader::account_named(const value& id) const {
    if (id.type != value_type::text) return none;
    const auto number = static_cast<std::uint32_t>(id.i);
    const auto it = std::lower_bound(account_numbers_.begin(), account_numbers_.end(), std::pair{number, 0U});
    return it != account_numbers_.end() && it->first == number ? it->second : none;
}

void history_reader::load_account(std::uint32_t account) {
    for (std::size_t a = 0; a < attributes_.size(); ++a) {
        if (!program_->attributes[a].of_account) continue;
        const auto* s = attributes_[a].stream;
        if (account == none) all_attributes_[a] = {};
        else load_attribute(s, account, s == nullptr ? std::pair<std::uint32_t, std::uint32_t>{0, 0} : s->rows.range(account), all_attributes_[a]);
        seen_attributes_[a] = all_attributes_[a];
        seen_attributes_[a].count = 0;
    }
    account_ = account;
}

void history_reader::see_account(position p) {
    if (const auto account = account_named(seen_attributes_[account_slot_].now()); account != account_) load_account(account);
    for (std::size_t a = 0; a < attributes_.size(); ++a)
        if (program_->attributes[a].of_account) move(all_attributes_[a], seen_attributes_[a].count, p);
}

}  // namespace journeyman
