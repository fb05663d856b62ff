// Two histories in one: what came before, and what came later. Streams that got nothing are shared; the others are merged, run by run.

#include <algorithm>

#include "history/ingest.hpp"
#include "history/scratch.hpp"
#include "history/settle.hpp"

namespace journeyman::detail {

namespace {

// ---- who is who

/// The numbers of both in the history that has all.
struct renumbering {
    std::vector<std::uint32_t> before, later;            // by number there
    std::vector<std::uint32_t> from_before, from_later;  // by number in all; nobody
    bool as_before = true;                               // those before have the same numbers
    bool in_order = true;                                // or at least the same order
    bool later_in_order = true;
};

/// Integers written out stand in another order than integers.
void write_out(id_column& ids, text_pool& pool, std::vector<std::uint32_t>& order) {
    order.resize(ids.size());
    std::vector<std::string> names;
    for (std::uint32_t k = 0; k < ids.size(); ++k) {
        names.push_back(ids.name(k));
        order[k] = k;
    }
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return names[a] < names[b]; });
    ids.integers.clear();
    for (const auto k : order) ids.texts.push_back(pool.intern(names[k]));
}

renumbering join_ids(id_column before, id_column later, text_pool& pool, id_column& out) {
    renumbering to;
    to.before.resize(before.size());
    to.later.resize(later.size());
    std::vector<std::uint32_t> order_before, order_later;   // by place: the number there, where ids had to be written out
    if (before.size() > 0 && later.size() > 0 && before.are_integers() != later.are_integers()) {
        if (before.are_integers()) write_out(before, pool, order_before);
        else write_out(later, pool, order_later);
    }
    const bool integers = before.size() > 0 ? before.are_integers() : later.are_integers();
    out.pool = &pool;
    const auto number = [](const std::vector<std::uint32_t>& order, std::uint32_t place) { return order.empty() ? place : order[place]; };
    const auto name_less = [&](text_id a, text_id b) { return a != b && pool.view(a) < pool.view(b); };
    std::uint32_t b = 0, l = 0, n = 0;
    const auto take = [&](bool is_before, bool is_later) {
        if (integers) out.integers.push_back(is_before ? before.integers[b] : later.integers[l]);
        else out.texts.push_back(is_before ? before.texts[b] : later.texts[l]);
        to.from_before.push_back(is_before ? number(order_before, b) : nobody);
        to.from_later.push_back(is_later ? number(order_later, l) : nobody);
        if (is_before) to.before[number(order_before, b++)] = n;
        if (is_later) to.later[number(order_later, l++)] = n;
        ++n;
    };
    while (l < later.size()) {
        // Up to the next one of the later ones, all are of before.
        const auto end = static_cast<std::uint32_t>(integers ? std::lower_bound(before.integers.begin() + b, before.integers.end(), later.integers[l]) - before.integers.begin()
                                                             : std::lower_bound(before.texts.begin() + b, before.texts.end(), later.texts[l], name_less) - before.texts.begin());
        while (b < end) take(true, false);
        const bool same = b < before.size() && (integers ? before.integers[b] == later.integers[l] : before.texts[b] == later.texts[l]);
        take(same, true);
    }
    while (b < before.size()) take(true, false);
    to.in_order = order_before.empty();
    to.later_in_order = order_later.empty();
    to.as_before = to.in_order && n == before.size();
    return to;
}

// ---- rows

/// Rows of one side that stay together.
struct run {
    bool later = false;
    std::uint32_t begin = 0, end = 0;
};
using runs = std::vector<run>;

/// How the cells of a side become those of the whole: as they are, or of another type.
column as_type(const column& c, value_type type, text_pool& pool) {
    if (c.type() == type) return c;
    conversion how;
    how.pool = &pool;
    how.zone = utc().get();
    column out{type};
    for (std::size_t r = 0; r < c.size(); ++r) {
        const value from = c.at(r);
        value to;
        raw_cell cell;
        cell.type = from.type;
        if (from.type == value_type::text) cell.text = pool.view(from.as_text());
        else if (from.type == value_type::decimal) cell.d = from.d;
        else cell.i = from.i;
        if (from.is_missing() || from.type == value_type::text_list || convert(cell, type, how, to) != fault::none) to = {};
        out.push(to);
    }
    return out;
}

template <class T>
std::vector<T> gather(const runs& all, std::size_t n, const T* before, const T* later) {
    std::vector<T> out;
    reserve_large(out, n);
    for (const run& r : all) {
        const T* from = r.later ? later : before;
        out.insert(out.end(), from + r.begin, from + r.end);
    }
    return out;
}

/// Of a column that a side may lack.
column gather(const runs& all, std::size_t n, const column* before, const column* later, value_type type, text_pool& pool) {
    const column none_before{type}, none_later{type};
    const column b = before == nullptr ? none_before : as_type(*before, type, pool), l = later == nullptr ? none_later : as_type(*later, type, pool);
    std::vector<std::uint64_t> valid;
    if (before == nullptr || later == nullptr || !b.all_present() || !l.all_present()) {
        valid.assign((n + 63) / 64, 0);
        std::size_t to = 0;
        for (const run& r : all) {
            const bool there = (r.later ? later : before) != nullptr;
            const column& from = r.later ? l : b;
            for (auto k = r.begin; k < r.end; ++k, ++to) valid[to >> 6] |= static_cast<std::uint64_t>(there && from.present(k)) << (to & 63);
        }
    }
    const auto cells = [&](auto of, auto nothing) {
        using T = decltype(nothing);
        if (before != nullptr && later != nullptr) return gather<T>(all, n, of(b).data(), of(l).data());
        std::vector<T> out;
        out.reserve(n);
        for (const run& r : all) {
            if ((r.later ? later : before) == nullptr) out.insert(out.end(), r.end - r.begin, nothing);
            else out.insert(out.end(), of(r.later ? l : b).begin() + r.begin, of(r.later ? l : b).begin() + r.end);
        }
        return out;
    };
    switch (storage_of(type)) {
        case storage::bytes: return column::adopt_bytes(cells([](const column& c) { return c.bytes(); }, std::uint8_t{0}), std::move(valid));
        case storage::codes: return column::adopt_codes(type, cells([](const column& c) { return c.codes(); }, static_cast<std::uint32_t>(no_text)), std::move(valid));
        case storage::integers: return column::adopt_integers(type, cells([](const column& c) { return c.integers(); }, std::int64_t{0}), std::move(valid));
        case storage::decimals: return column::adopt_decimals(cells([](const column& c) { return c.decimals(); }, 0.0), std::move(valid));
        case storage::none: break;
    }
    column out{type};
    for (std::size_t k = 0; k < n; ++k) out.push({});
    return out;
}

/// The order of earlier rows, where a number of those that came later stands before theirs.
shared_vector<std::uint32_t> moved_order(const shared_vector<std::uint32_t>& order, const std::vector<std::uint32_t>& moved) {
    if (moved.empty()) return order;
    std::vector<std::uint32_t> out(order.begin(), order.end());
    for (auto& o : out) if (o >= first_in_sequence && o < first_of_events) o = first_in_sequence + moved[o - first_in_sequence];
    return out;
}

struct merged_rows {
    timeline rows;
    runs taken;             // empty when all are those of before
    bool as_before = false;
};

/// Both timelines in one. `contacts`: how many owners there are now.
merged_rows merge_rows(timeline before, const timeline& later, const renumbering& to, const std::vector<std::uint32_t>& moved) {
    merged_rows out;
    before.order = moved_order(before.order, moved);
    const std::size_t owners_count = to.from_before.size();
    if (later.rows() == 0 && to.as_before) {
        out.rows = std::move(before);
        out.as_before = true;
        return out;
    }
    std::vector<std::uint32_t> owners, begins;
    std::uint32_t n = 0;
    std::size_t cursor_before = 0, cursor_later = 0;
    const auto put = [&](bool is_later, std::uint32_t begin, std::uint32_t end) {
        if (begin == end) return;
        n += end - begin;
        if (!out.taken.empty() && out.taken.back().later == is_later && out.taken.back().end == begin) out.taken.back().end = end;
        else out.taken.push_back({is_later, begin, end});
    };
    const auto earlier = [&](std::uint32_t b, std::uint32_t l) { return before.at[b] != later.at[l] ? before.at[b] < later.at[l] : before.order[b] <= later.order[l]; };
    for (std::uint32_t k = 0; k < owners_count; ++k) {
        std::pair<std::uint32_t, std::uint32_t> b{0, 0}, l{0, 0};
        if (to.from_before[k] != nobody && before.rows() > 0) b = to.in_order ? before.range(to.from_before[k], cursor_before) : before.range(to.from_before[k]);
        if (to.from_later[k] != nobody && later.rows() > 0) l = to.later_in_order ? later.range(to.from_later[k], cursor_later) : later.range(to.from_later[k]);
        if (b.first == b.second && l.first == l.second) continue;
        owners.push_back(k);
        begins.push_back(n);
        while (b.first < b.second && l.first < l.second) {
            // Mostly what is new comes last: one look at the end, else a search.
            std::uint32_t end = b.second;
            if (!earlier(end - 1, l.first)) {
                std::uint32_t low = b.first;
                while (low < end) {
                    const auto middle = (low + end) / 2;
                    if (earlier(middle, l.first)) low = middle + 1; else end = middle;
                }
            }
            put(false, b.first, end);
            b.first = end;
            if (b.first == b.second) break;
            put(true, l.first, l.first + 1);
            ++l.first;
        }
        put(false, b.first, b.second);
        put(true, l.first, l.second);
    }
    begins.push_back(n);
    if (later.rows() == 0 && to.in_order) {   // only the numbers of their owners are others
        out.as_before = true;
        out.taken.clear();
        out.rows = timeline_of(owners, begins, owners_count, std::move(before.at), std::move(before.order));
        return out;
    }
    out.rows = timeline_of(owners, begins, owners_count, gather(out.taken, n, before.at.data(), later.at.data()), gather(out.taken, n, before.order.data(), later.order.data()));
    return out;
}

/// Of what is empty when every row has the usual: `usual(later, row)`.
template <class T, class F>
shared_vector<T> merge_sparse(const merged_rows& m, const shared_vector<T>& before, const shared_vector<T>& later, F usual) {
    if (before.empty() && later.empty()) return {};
    if (m.as_before) return before;
    std::vector<T> out;
    out.reserve(m.rows.rows());
    for (const run& r : m.taken) {
        const auto& from = r.later ? later : before;
        for (auto k = r.begin; k < r.end; ++k) out.push_back(from.empty() ? usual(r.later, k) : from[k]);
    }
    return out;
}

// ---- the parts of a history

template <class T>
const T& by_name(const T* found, const T& nothing) { return found == nullptr ? nothing : *found; }

template <class T>
std::vector<std::string> names_of(const std::vector<T>& a, const std::vector<T>& b) {
    std::vector<std::string> out;
    for (const auto& x : a) out.push_back(x.name);
    for (const auto& x : b) out.push_back(x.name);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

class merger {
public:
    merger(const history_data& before, const ingestion& later) : before_{before}, later_{*later.data}, in_{later} {}

    history run() {
        out_->pool = before_.pool;
        contacts_ = join_ids(before_.contacts, later_.contacts, *out_->pool, out_->contacts);
        accounts_ = join_ids(before_.accounts, later_.accounts, *out_->pool, out_->accounts);
        for (const auto& name : names_of(before_.streams, later_.streams)) out_->streams.push_back(stream(name));
        for (const auto& name : names_of(before_.contact_attributes, later_.contact_attributes)) {
            out_->contact_attributes.push_back(attribute(name, before_.contact_attribute(name), later_.contact_attribute(name), contacts_));
        }
        for (const auto& name : names_of(before_.account_attributes, later_.account_attributes)) {
            out_->account_attributes.push_back(attribute(name, before_.account_attribute(name), later_.account_attribute(name), accounts_));
        }
        existence();
        spend();
        out_->rejected = later_.rejected;
        out_->rejected_counts = later_.rejected_counts;
        arrived();
        build_schema(*out_, in_.options);
        settle(*out_);
        return history{std::move(out_)};
    }

private:
    event_stream stream(const std::string& name) {
        static const event_stream nothing{};
        const event_stream &b = by_name(before_.stream(name), nothing), &l = by_name(later_.stream(name), nothing);
        event_stream out;
        out.name = name;
        merged_rows m = merge_rows(b.rows, l.rows, contacts_, in_.moved);
        out.ids = merge_sparse(m, b.ids, l.ids, [](bool, std::uint32_t) { return static_cast<std::uint32_t>(no_text); });
        out.arrived = merge_sparse(m, b.arrived, l.arrived, [&](bool is_later, std::uint32_t k) { return (is_later ? l : b).rows.at[k]; });
        std::vector<std::string> names;
        for (const auto* s : {&b, &l}) for (const auto& [property, cells] : s->properties.columns) names.push_back(property);
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        for (const auto& property : names) {
            const column *x = b.properties.find(property), *y = l.properties.find(property);
            // The cells of another stream may have decided the type of a column they share.
            value_type type = y != nullptr ? y->type() : property_type(*in_.seen, name, property);
            if (type == value_type::missing) type = x->type();
            out.properties.columns.emplace_back(property, m.as_before ? as_type(*x, type, *out_->pool) : gather(m.taken, m.rows.rows(), b.rows.rows() == 0 ? nullptr : x, l.rows.rows() == 0 ? nullptr : y, type, *out_->pool));
        }
        out.rows = std::move(m.rows);
        return out;
    }

    attribute_stream attribute(const std::string& name, const attribute_stream* b_found, const attribute_stream* l_found, const renumbering& to) {
        static const attribute_stream nothing{};
        const attribute_stream &b = by_name(b_found, nothing), &l = by_name(l_found, nothing);
        attribute_stream out;
        out.name = name;
        out.type = l_found != nullptr ? l.type : b.type;
        merged_rows m = merge_rows(b.rows, l.rows, to, in_.moved);
        out.arrived = merge_sparse(m, b.arrived, l.arrived, [&](bool is_later, std::uint32_t k) { return (is_later ? l : b).rows.at[k]; });
        text_pool& pool = *out_->pool;
        if (m.as_before) out.values = as_type(b.values, out.type, pool);
        else out.values = gather(m.taken, m.rows.rows(), b.rows.rows() == 0 ? nullptr : &b.values, l.rows.rows() == 0 ? nullptr : &l.values, out.type, pool);
        out.rows = std::move(m.rows);
        // There is one row for each that holds from the beginning, here or there.
        if (b.base.size() > 0 || l.base.size() > 0) {
            const column x = as_type(b.base, out.type, pool), y = as_type(l.base, out.type, pool);
            if (y.size() == 0 && to.as_before) {
                out.base = x;
            } else {
                out.base = column{out.type};
                for (std::size_t k = 0; k < to.from_before.size(); ++k) {
                    const auto in_b = to.from_before[k], in_l = to.from_later[k];
                    value v;
                    if (in_b != nobody && in_b < x.size()) v = x.at(in_b);
                    if (v.is_missing() && in_l != nobody && in_l < y.size()) v = y.at(in_l);
                    out.base.push(v);
                }
            }
        }
        return out;
    }

    /// Whoever has a row from the beginning exists as it says; the others from the first that is known of them.
    void existence() {
        arrivals& seen = *seen_;
        const auto flags = [](const renumbering& to, const std::vector<std::uint8_t>& b, const std::vector<std::uint8_t>& l) {
            std::vector<std::uint8_t> out(to.from_before.size(), 0);
            for (std::size_t k = 0; k < out.size(); ++k) {
                out[k] = (to.from_before[k] != nobody && to.from_before[k] < b.size() && b[to.from_before[k]] != 0) || (to.from_later[k] != nobody && l[to.from_later[k]] != 0);
            }
            return out;
        };
        static const std::vector<std::uint8_t> no_flags;
        const auto& contacts = before_.arrivals == nullptr ? no_flags : before_.arrivals->contact_from_beginning;
        const auto& accounts = before_.arrivals == nullptr ? no_flags : before_.arrivals->account_from_beginning;
        const auto from = [](const history_data& h, std::uint32_t k) { return h.exists_from.empty() ? from_the_beginning : h.exists_from[k]; };
        std::vector<std::int64_t> first(contacts_.from_before.size());
        for (std::size_t k = 0; k < first.size(); ++k) {
            const auto b = contacts_.from_before[k], l = contacts_.from_later[k];
            if (l == nobody) first[k] = from(before_, b);
            else if (b == nobody) first[k] = from(later_, l);
            else if (b < contacts.size() && contacts[b] != 0) first[k] = from(before_, b);
            else if (in_.seen->contact_from_beginning[l] != 0) first[k] = from(later_, l);
            else first[k] = std::min(from(before_, b), from(later_, l));
        }
        seen.contact_from_beginning = flags(contacts_, contacts, in_.seen->contact_from_beginning);
        seen.account_from_beginning = flags(accounts_, accounts, in_.seen->account_from_beginning);
        if (std::all_of(first.begin(), first.end(), [](std::int64_t t) { return t == from_the_beginning; })) return;
        out_->all_exist_from = *std::max_element(first.begin(), first.end());
        out_->exists_from = std::move(first);
    }

    void spend() {
        const spend_table &b = before_.spend, &l = later_.spend;
        if (l.at.empty()) {
            out_->spend = b;
            if (l.amount.type() != value_type::missing && b.amount.type() == value_type::missing) out_->spend = l;
            return;
        }
        runs taken;
        for (std::uint32_t x = 0, y = 0; x < b.at.size() || y < l.at.size();) {
            const bool is_later = x == b.at.size() || (y < l.at.size() && l.at[y] < b.at[x]);
            std::uint32_t& at = is_later ? y : x;
            if (!taken.empty() && taken.back().later == is_later) ++taken.back().end;
            else taken.push_back({is_later, at, at + 1});
            ++at;
        }
        const std::size_t n = b.at.size() + l.at.size();
        spend_table& out = out_->spend;
        out.at = gather(taken, n, b.at.data(), l.at.data());
        out.amount = gather(taken, n, b.at.empty() ? nullptr : &b.amount, &l.amount, l.amount.type(), *out_->pool);
        std::vector<std::string> names;
        for (const auto* s : {&b, &l}) for (const auto& [name, cells] : s->columns) names.push_back(name);
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        const auto find = [](const spend_table& s, const std::string& name) -> const column* {
            for (const auto& [n_, c] : s.columns) if (n_ == name) return &c;
            return nullptr;
        };
        for (const auto& name : names) {
            const column *x = find(b, name), *y = find(l, name);
            out.columns.emplace_back(name, gather(taken, n, b.at.empty() ? nullptr : x, y, y != nullptr ? y->type() : x->type(), *out_->pool));
        }
    }

    void arrived() {
        if (seen_->event_ids != nullptr) {
            auto ids = std::make_shared<std::vector<std::uint64_t>>(*seen_->event_ids);
            ids->resize((out_->pool->size() + 63) / 64, 0);
            for (const auto& s : later_.streams)
                for (const auto id : s.ids)
                    if (id != static_cast<std::uint32_t>(no_text)) (*ids)[id >> 6] |= std::uint64_t{1} << (id & 63);
            seen_->event_ids = std::move(ids);
        }
        out_->arrivals = seen_;
    }

    const history_data& before_;
    const history_data& later_;
    const ingestion& in_;
    std::shared_ptr<history_data> out_ = std::make_shared<history_data>();
    std::shared_ptr<arrivals> seen_ = std::make_shared<arrivals>(*in_.seen);
    renumbering contacts_, accounts_;
};

}  // namespace

history merge(const history_data& before, const ingestion& later) { return merger{before, later}.run(); }

}  // namespace journeyman::detail
