#include "journeyman/predicate/tracked.hpp"

#include <algorithm>

#include "journeyman/predicate/membership.hpp"
#include "predicate/membership_walk.hpp"

namespace journeyman {

namespace {

using detail::stay;

std::int64_t micros(instant t) { return t.time_since_epoch().count(); }

/// The last instant of the new history, from a look at what it does not share with the old one.
std::int64_t last_instant(const history_data& h, const history_data* old, std::int64_t last) {
    const auto see = [&](const auto& at, const auto* before) {
        if (before != nullptr && at.shares_with(before->rows.at)) return;
        for (const std::int64_t t : at) last = std::max(last, t);
    };
    for (const auto& s : h.streams) see(s.rows.at, old == nullptr ? nullptr : old->stream(s.name));
    for (const auto& a : h.contact_attributes) see(a.rows.at, old == nullptr ? nullptr : old->contact_attribute(a.name));
    for (const auto& a : h.account_attributes) see(a.rows.at, old == nullptr ? nullptr : old->account_attribute(a.name));
    return h.spend.at.empty() ? last : std::max(last, h.spend.at.back());
}

/// By number in the new history: the number in the old one, or `none`. Nothing when the order of the ids is another.
std::optional<std::vector<std::uint32_t>> old_numbers(const history_data& old, const history_data& now) {
    if (old.pool != now.pool || (old.contacts.size() > 0 && old.contacts.are_integers() != now.contacts.are_integers())) return std::nullopt;
    std::vector<std::uint32_t> out(now.contacts.size(), none);
    std::uint32_t o = 0;
    for (std::uint32_t k = 0; k < out.size() && o < old.contacts.size(); ++k)
        if (now.contacts.are_integers() ? now.contacts.integers[k] == old.contacts.integers[o] : now.contacts.texts[k] == old.contacts.texts[o]) out[k] = o++;
    if (o != old.contacts.size()) return std::nullopt;
    return out;
}

/// Which contacts an append touched, as far as a predicate looks.
class touched_contacts {
public:
    touched_contacts(const history_data& old, const history_data& now, const std::vector<std::uint32_t>& before) : old_{old}, now_{now}, before_{before}, touched_(before.size(), 0) {}

    std::vector<std::uint8_t> find(const program& p, node_id n) {
        for (std::uint32_t k = 0; k < before_.size(); ++k) touched_[k] = before_[k] == none || from(now_, k) != from(old_, before_[k]);
        const auto reads = detail::read_by(p, n);
        for (const auto s : reads.streams) {
            const auto* stream = now_.stream(p.streams[s]);
            if (stream == nullptr) continue;
            const auto* earlier = old_.stream(stream->name);
            if (earlier == nullptr || !same_types(*earlier, *stream)) rows(stream->rows, nullptr);
            else rows(stream->rows, &earlier->rows);
        }
        bool accounts = false;
        for (const auto a : reads.attributes) {
            const auto& ref = p.attributes[a];
            const auto* stream = ref.of_account ? now_.account_attribute(ref.name) : now_.contact_attribute(ref.name);
            if (stream == nullptr) continue;
            const auto* earlier = ref.of_account ? old_.account_attribute(ref.name) : old_.contact_attribute(ref.name);
            const bool anew = earlier == nullptr || earlier->type != stream->type;
            if (ref.of_account) {
                accounts |= anew || !earlier->rows.at.shares_with(stream->rows.at) || !earlier->rows.order.shares_with(stream->rows.order) || earlier->base.size() != stream->base.size() || old_.accounts.size() != now_.accounts.size() || !same_base(*earlier, *stream);
                continue;
            }
            rows(stream->rows, anew ? nullptr : &earlier->rows);
            for (std::uint32_t k = 0; k < before_.size(); ++k) {
                if (touched_[k] != 0) continue;
                const value now = k < stream->base.size() ? stream->base.at(k) : value{};
                const value then = earlier != nullptr && before_[k] < earlier->base.size() ? earlier->base.at(before_[k]) : value{};
                touched_[k] = !(now == then);
            }
        }
        if (accounts) everyone();
        return std::move(touched_);
    }

private:
    static std::int64_t from(const history_data& h, std::uint32_t k) { return h.exists_from.empty() ? std::numeric_limits<std::int64_t>::min() : h.exists_from[k]; }
    static bool same_base(const attribute_stream& a, const attribute_stream& b) {
        for (std::size_t k = 0; k < a.base.size(); ++k) if (!(a.base.at(k) == b.base.at(k))) return false;
        return true;
    }
    static bool same_types(const event_stream& a, const event_stream& b) {
        return std::all_of(a.properties.columns.begin(), a.properties.columns.end(), [&](const auto& c) {
            const column* other = b.properties.find(c.first);
            return other != nullptr && other->type() == c.second.type();
        });
    }
    void everyone() { std::fill(touched_.begin(), touched_.end(), std::uint8_t{1}); }

    /// An append only adds rows: who has as many as before got none.
    void rows(const timeline& now, const timeline* old) {
        if (old != nullptr && now.at.shares_with(old->at) && now.order.shares_with(old->order)) return;
        if (old != nullptr && now.at.shares_with(old->at)) old = nullptr;   // others came between them in the order
        std::size_t cursor = 0, old_cursor = 0;
        for (std::uint32_t k = 0; k < before_.size(); ++k) {
            const auto [begin, end] = now.range(k, cursor);
            std::uint32_t had = 0;
            if (old != nullptr && before_[k] != none) {
                const auto [a, b] = old->range(before_[k], old_cursor);
                had = b - a;
            }
            if (end - begin != had) touched_[k] = 1;
        }
    }

    const history_data& old_;
    const history_data& now_;
    const std::vector<std::uint32_t>& before_;
    std::vector<std::uint8_t> touched_;
};

}  // namespace

struct tracked_membership::impl {
    history seen;
    compiled_for compile;
    std::int64_t start, end = 0;               // [start, end)
    std::vector<std::vector<stay>> stays{};    // by contact; `left` as far as it is known
    std::vector<std::int64_t> next{};          // by contact: before this, time alone changes nothing
    std::size_t asked = 0;

    [[nodiscard]] std::int64_t end_for(const history& h, const history_data* old, std::optional<instant> until) const {
        std::int64_t last = end == 0 && old == nullptr ? start : end - 1;
        if (until) last = std::max(old == nullptr ? micros(*until) : end - 1, micros(*until));
        else last = last_instant(h.data(), old, last);
        if (last < start) throw error{"predicate.window", "", "`until` lies before the start"};
        return last + 1;
    }
    [[nodiscard]] bool is_in(std::uint32_t k) const { return k < stays.size() && !stays[k].empty() && stays[k].back().left == stay::stays; }

    /// Asks the contacts that are to be asked anew; the others go on from where they were, if time alone may have changed them.
    void ask(const program_ptr& p, node_id n, const std::vector<std::uint8_t>& anew, std::int64_t from) {
        const auto& h = seen.data();
        detail::membership_walk whole{p, h, n, instant{microseconds{start}}, instant{microseconds{end}}, true};
        std::optional<detail::membership_walk> rest;
        if (from > start) rest.emplace(p, h, n, instant{microseconds{from}}, instant{microseconds{end}}, true);
        std::vector<stay> more;
        asked = 0;
        for (std::uint32_t k = 0; k < h.contacts.size(); ++k) {
            if (anew[k] != 0) {
                stays[k].clear();
                whole.one(k, stays[k]);
                next[k] = whole.next();
                ++asked;
                continue;
            }
            if (next[k] >= end || !rest) continue;
            more.clear();
            rest->one(k, more);
            next[k] = rest->next();
            ++asked;
            auto& mine = stays[k];
            std::size_t first = 0;
            if (is_in(k)) {
                if (!more.empty() && more[0].entered == from) mine.back().left = more[first++].left;
                else mine.back().left = from;
            }
            mine.insert(mine.end(), more.begin() + static_cast<std::ptrdiff_t>(first), more.end());
        }
    }
};

tracked_membership::tracked_membership(history h, const expression& e, instant start, std::optional<instant> until, const compile_context& context)
    : tracked_membership{std::move(h), [e, context](const history& of) { return journeyman::compile(e, of.schema(), of.data().pool, context); }, start, until} {}

tracked_membership::tracked_membership(history h, compiled_for compile, instant start, std::optional<instant> until) : impl_{std::make_unique<impl>(impl{std::move(h), std::move(compile), micros(start)})} {
    impl_->end = impl_->end_for(impl_->seen, nullptr, until);
    const auto [p, n] = impl_->compile(impl_->seen);
    impl_->stays.resize(impl_->seen.contacts_count());
    impl_->next.resize(impl_->seen.contacts_count());
    impl_->ask(p, n, std::vector<std::uint8_t>(impl_->seen.contacts_count(), 1), impl_->start);
}
tracked_membership::~tracked_membership() = default;
tracked_membership::tracked_membership(tracked_membership&&) noexcept = default;
tracked_membership& tracked_membership::operator=(tracked_membership&&) noexcept = default;

table tracked_membership::update(const history& appended, std::optional<instant> until) {
    auto& me = *impl_;
    const auto [p, n] = me.compile(appended);
    const std::int64_t from = me.end, end = me.end_for(appended, &me.seen.data(), until);
    const auto& h = appended.data();
    const auto before = old_numbers(me.seen.data(), h);
    std::vector<std::uint8_t> anew(h.contacts.size(), 1);
    std::vector<std::vector<stay>> stays(h.contacts.size());
    std::vector<std::int64_t> next(h.contacts.size(), std::numeric_limits<std::int64_t>::min());
    std::vector<std::uint8_t> was_in(h.contacts.size(), 0);
    if (before) {
        anew = touched_contacts{me.seen.data(), h, *before}.find(*p, n);
        for (std::uint32_t k = 0; k < before->size(); ++k) {
            const auto b = (*before)[k];
            if (b == none) continue;
            was_in[k] = me.is_in(b);
            stays[k] = std::move(me.stays[b]);
            for (auto& s : stays[k]) s.contact = k;
            next[k] = me.next[b];
        }
    } else {
        for (std::uint32_t b = 0; b < me.stays.size(); ++b)
            if (const auto k = me.is_in(b) ? h.contacts.find(me.seen.data().contacts.name(b)) : std::nullopt) was_in[*k] = 1;
    }
    me.seen = appended;
    me.end = end;
    me.stays = std::move(stays);
    me.next = std::move(next);
    me.ask(p, n, anew, from);
    table out{{"contact_id", h.contacts.type()}, {"change", value_type::text}};
    for (std::uint32_t k = 0; k < h.contacts.size(); ++k) {
        const bool in = me.is_in(k);
        if (in == (was_in[k] != 0)) continue;
        h.contacts.push_to(out[0], k);
        out[1].push_text(in ? "entered" : "left");
    }
    return out;
}

instant tracked_membership::until() const { return instant{microseconds{impl_->end - 1}}; }
std::size_t tracked_membership::asked() const { return impl_->asked; }

std::vector<std::string> tracked_membership::members() const {
    std::vector<std::string> out;
    for (std::uint32_t k = 0; k < impl_->stays.size(); ++k) if (impl_->is_in(k)) out.push_back(impl_->seen.data().contacts.name(k));
    return out;
}

table tracked_membership::stays() const {
    std::vector<stay> all;
    for (const auto& of : impl_->stays) all.insert(all.end(), of.begin(), of.end());
    return detail::stays_table(impl_->seen.data(), all);
}

table tracked_membership::changes() const { return journeyman::changes(stays()); }

}  // namespace journeyman
