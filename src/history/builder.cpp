// From facts in order of arrival to sorted columns: ids, types, order (T2), streams.

#include "journeyman/history/builder.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

namespace journeyman {
namespace {

struct fact {
    std::uint32_t owner = 0;
    std::int64_t at = 0;
    std::int64_t arrived = 0;
    std::uint64_t sequence = 0;   // place among all facts
    std::string event_id;         // events
    fields values;
    std::int64_t row = 0;
};

std::string cut(std::string s) { return s.size() > 80 ? s.substr(0, 80) : s; }
std::int64_t micros(instant t) { return t.time_since_epoch().count(); }

/// The type that most of the values have; whole numbers among decimals are decimals.
value_type common_type(std::map<value_type, std::int64_t> seen) {
    // Texts of several shapes are texts.
    if (seen.contains(value_type::text) || (seen.contains(value_type::day) && seen.contains(value_type::instant)))
        for (const auto t : {value_type::day, value_type::instant})
            if (const auto it = seen.find(t); it != seen.end()) { seen[value_type::text] += it->second; seen.erase(t); }
    if (seen.empty()) return value_type::missing;
    if (seen.size() == 2 && seen.contains(value_type::integer) && seen.contains(value_type::decimal)) return value_type::decimal;
    return std::max_element(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
}

/// A value as a column's type; missing with `fits` false when it cannot be one.
value as_type(const scalar& s, value_type wanted, text_pool& pool, const time_zone* zone, bool& fits) {
    fits = true;
    if (std::holds_alternative<std::monostate>(s)) return {};
    value v = intern(s, pool);
    if (v.type == wanted) return v;
    if (wanted == value_type::decimal && v.type == value_type::integer) return value::of(static_cast<double>(v.i));
    if (wanted == value_type::integer && v.type == value_type::decimal && v.d == static_cast<double>(static_cast<std::int64_t>(v.d))) return value::of(static_cast<std::int64_t>(v.d));
    if (wanted == value_type::money && v.type == value_type::integer) return value::of(wanted, v.i * minor_units);
    if (wanted == value_type::money && v.type == value_type::decimal) return value::of(wanted, std::llround(v.d * minor_units));
    if (wanted == value_type::text) return value::of(pool.intern(to_text(s)));
    if (const auto* text = std::get_if<std::string>(&s)) {
        day d;
        parsed_instant i;
        if (wanted == value_type::day && parse_day(*text, d)) return value::of(d);
        if (wanted == value_type::instant && parse_instant(*text, i) && (i.had_zone || zone != nullptr)) return value::of(i.had_zone ? i.at : zone->to_instant(local_instant{i.at.time_since_epoch()}));
    }
    fits = false;
    return {};
}

}  // namespace

struct history_builder::impl {
    read_options options;
    std::vector<std::string> ids, account_ids;
    std::unordered_map<std::string, std::uint32_t> contact_numbers, account_numbers;
    std::vector<std::int64_t> born;                                 // by contact; INT64_MAX: from its first fact
    std::vector<std::pair<std::uint32_t, fields>> base, account_base;
    std::vector<fact> changes, account_changes;
    std::map<std::string, std::vector<fact>> events;
    std::vector<fact> spend;
    std::uint64_t sequence = 0;
    std::map<std::string, std::int64_t> rows;                       // table → rows so far
    std::vector<rejection> rejected;
    std::map<std::pair<std::string, std::string>, std::int64_t> counts;

    void reject(const std::string& table, std::int64_t row, std::string reason, std::string example) {
        if (++counts[{table, reason}] <= 1000) rejected.push_back({table, row, std::move(reason), cut(std::move(example))});
    }
    bool usable(const std::string& table, std::int64_t row, std::string_view id, instant at) {
        if (id.empty()) { reject(table, row, table == "accounts" ? "no account_id" : "no contact_id", ""); return false; }
        if (at < earliest_instant || at > latest_instant) { reject(table, row, "instant out of range", std::to_string(micros(at))); return false; }
        return true;
    }
    std::uint32_t contact(std::string_view id) {
        const auto [it, fresh] = contact_numbers.try_emplace(std::string{id}, static_cast<std::uint32_t>(ids.size()));
        if (fresh) { ids.emplace_back(id); born.push_back(INT64_MAX); }
        return it->second;
    }
    std::uint32_t account(std::string_view id) {
        const auto [it, fresh] = account_numbers.try_emplace(std::string{id}, static_cast<std::uint32_t>(account_ids.size()));
        if (fresh) account_ids.emplace_back(id);
        return it->second;
    }

    value_type seen_type(const scalar& s) const {
        if (const auto* text = std::get_if<std::string>(&s); text != nullptr && options.infer) {
            day d;
            parsed_instant i;
            if (parse_day(*text, d)) return value_type::day;
            if (parse_instant(*text, i) && i.had_zone) return value_type::instant;
        }
        return type_of(s);
    }
    value_type declared(const std::string& name) const {
        const auto it = options.types.find(name);
        return it == options.types.end() ? value_type::missing : parse_value_type(it->second);
    }

    using rank = std::vector<std::uint32_t>;
    timeline make_timeline(const std::vector<const fact*>& sorted, const rank& numbers, std::size_t owners) {
        timeline t;
        for (const auto* f : sorted) {
            const auto owner = numbers[f->owner];
            if (t.owners.empty() || t.owners.back() != owner) { t.owners.push_back(owner); t.begins.push_back(static_cast<std::uint32_t>(t.at.size())); }
            t.at.push_back(f->at);
            t.order.push_back(static_cast<std::uint32_t>(f->sequence));
        }
        t.begins.push_back(static_cast<std::uint32_t>(t.at.size()));
        if (t.owners.size() * 8 > owners) {
            t.dense.assign(owners + 1, 0);
            for (std::size_t k = 0; k < t.owners.size(); ++k) t.dense[t.owners[k] + 1] = t.begins[k + 1] - t.begins[k];
            for (std::size_t k = 0; k < owners; ++k) t.dense[k + 1] += t.dense[k];
            t.owners.clear();
            t.begins.clear();
        }
        return t;
    }
    static void sort(std::vector<const fact*>& facts, const rank& numbers) {
        std::sort(facts.begin(), facts.end(), [&](const fact* a, const fact* b) {
            return std::tuple{numbers[a->owner], a->at, a->sequence} < std::tuple{numbers[b->owner], b->at, b->sequence};
        });
    }

    std::vector<attribute_stream> attributes(const std::string& table, std::vector<std::pair<std::uint32_t, fields>>& first, const std::vector<fact>& later, const rank& numbers, history_data& out, const time_zone* zone) {
        std::map<std::string, std::map<value_type, std::int64_t>> seen;
        const auto look = [&](const fields& f) { for (const auto& [n, s] : f) { auto& types = seen[n]; if (!std::holds_alternative<std::monostate>(s)) ++types[seen_type(s)]; } };
        for (const auto& [_, f] : first) look(f);
        for (const auto& f : later) look(f.values);
        const std::string prefix = table == "accounts" ? "account." : "contact.";
        std::vector<attribute_stream> streams;
        std::map<std::string, std::size_t> index;
        for (const auto& [name, types] : seen) {
            attribute_stream a;
            a.name = name;
            a.type = declared(prefix + name);
            if (a.type == value_type::missing) a.type = common_type(types);
            a.values = column{a.type};
            index[name] = streams.size();
            streams.push_back(std::move(a));
        }
        std::vector<std::vector<value>> bases(streams.size());
        bool fits = true;
        for (const auto& [owner, f] : first)
            for (const auto& [n, s] : f) {
                auto& b = bases[index[n]];
                if (b.empty()) b.resize(numbers.size());
                b[numbers[owner]] = as_type(s, streams[index[n]].type, *out.pool, zone, fits);
                if (!fits) reject(table, owner, "unreadable value in " + n, to_text(s));
            }
        std::vector<std::vector<const fact*>> rows_of(streams.size());
        for (const auto& f : later) for (const auto& [n, s] : f.values) rows_of[index[n]].push_back(&f);
        for (std::size_t k = 0; k < streams.size(); ++k) {
            auto& a = streams[k];
            if (!bases[k].empty()) { a.base = column{a.type}; for (const auto& v : bases[k]) a.base.push(v); }
            sort(rows_of[k], numbers);
            bool late = false;
            for (const auto* f : rows_of[k]) {
                for (const auto& [n, s] : f->values) {
                    if (n != a.name) continue;
                    a.values.push(as_type(s, a.type, *out.pool, zone, fits));
                    if (!fits) reject(table, f->row, "unreadable value in " + n, to_text(s));
                    break;
                }
                a.arrived.push_back(f->arrived);
                late = late || f->arrived != f->at;
            }
            if (!late) a.arrived.clear();
            a.rows = make_timeline(rows_of[k], numbers, numbers.size());
        }
        return streams;
    }

    // The first copy of an event id wins.
    void drop_duplicates() {
        std::vector<std::pair<const fact*, const std::string*>> all;
        for (const auto& [name, facts] : events) for (const auto& f : facts) if (!f.event_id.empty()) all.emplace_back(&f, &name);
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first->sequence < b.first->sequence; });
        std::unordered_map<std::string_view, std::pair<const fact*, const std::string*>> known;
        std::set<std::uint64_t> gone;
        for (const auto& [f, name] : all) {
            const auto [it, fresh] = known.try_emplace(f->event_id, f, name);
            if (fresh) continue;
            const auto& [g, other] = it->second;
            const bool same = *name == *other && f->owner == g->owner && f->at == g->at && f->values == g->values;
            reject("events", f->row, same ? "duplicate event_id" : "conflicting event_id", f->event_id);
            gone.insert(f->sequence);
        }
        for (auto& [_, facts] : events) std::erase_if(facts, [&](const fact& f) { return gone.contains(f.sequence); });
        std::erase_if(events, [](const auto& e) { return e.second.empty(); });
    }

    history finish() {
        auto out = std::make_shared<history_data>();
        auto& pool = *out->pool;
        const time_zone* zone = options.timezone.get();
        drop_duplicates();
        const auto number = [&](const std::vector<std::string>& names, id_column& into) {
            std::vector<std::uint32_t> sorted(names.size()), numbers(names.size());
            for (std::uint32_t k = 0; k < names.size(); ++k) sorted[k] = k;
            std::sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return names[a] < names[b]; });
            into.pool = out->pool.get();
            for (std::uint32_t k = 0; k < names.size(); ++k) { numbers[sorted[k]] = k; into.texts.push_back(pool.intern(names[sorted[k]])); }
            return numbers;
        };
        const auto numbers = number(ids, out->contacts), account_rank = number(account_ids, out->accounts);

        out->exists_from.assign(ids.size(), INT64_MAX);
        const auto first_fact = [&](const fact& f) { auto& b = out->exists_from[numbers[f.owner]]; b = std::min(b, f.at); };
        for (const auto& f : changes) first_fact(f);
        for (const auto& [_, facts] : events) for (const auto& f : facts) first_fact(f);
        for (std::uint32_t k = 0; k < ids.size(); ++k) if (born[k] != INT64_MAX) out->exists_from[numbers[k]] = born[k];
        if (std::all_of(out->exists_from.begin(), out->exists_from.end(), [](auto t) { return t == INT64_MIN; })) out->exists_from.clear();

        out->contact_attributes = attributes("contacts", base, changes, numbers, *out, zone);
        out->account_attributes = attributes("accounts", account_base, account_changes, account_rank, *out, zone);
        for (auto& [name, facts] : events) {
            event_stream s;
            s.name = name;
            std::vector<const fact*> sorted;
            std::map<std::string, std::map<value_type, std::int64_t>> seen;
            bool with_ids = false, late = false;
            for (const auto& f : facts) {
                sorted.push_back(&f);
                with_ids = with_ids || !f.event_id.empty();
                late = late || f.arrived != f.at;
                for (const auto& [n, v] : f.values) if (!std::holds_alternative<std::monostate>(v)) ++seen[n][seen_type(v)];
            }
            sort(sorted, numbers);
            s.rows = make_timeline(sorted, numbers, numbers.size());
            for (const auto& [n, types] : seen) {
                const auto wanted = declared(name + "." + n);
                column c{wanted == value_type::missing ? common_type(types) : wanted};
                for (const auto* f : sorted) {
                    const auto it = std::find_if(f->values.begin(), f->values.end(), [&](const auto& x) { return x.first == n; });
                    bool fits = true;
                    c.push(it == f->values.end() ? value{} : as_type(it->second, c.type(), pool, zone, fits));
                    if (!fits) reject("events", f->row, "unreadable value in " + n, to_text(it->second));
                }
                s.properties.columns.emplace_back(n, std::move(c));
            }
            if (with_ids) for (const auto* f : sorted) s.ids.push_back(static_cast<std::uint32_t>(f->event_id.empty() ? no_text : pool.intern(f->event_id)));
            if (late) for (const auto* f : sorted) s.arrived.push_back(f->arrived);
            out->streams.push_back(std::move(s));
        }
        std::stable_sort(spend.begin(), spend.end(), [](const fact& a, const fact& b) { return a.at < b.at; });
        out->spend.amount = column{value_type::decimal};
        std::map<std::string, std::map<value_type, std::int64_t>> seen;
        for (const auto& f : spend) for (const auto& [n, v] : f.values) if (n != "amount") ++seen[n][seen_type(v)];
        for (const auto& [n, types] : seen) out->spend.columns.emplace_back(n, column{common_type(types)});
        for (const auto& f : spend) {
            out->spend.at.push_back(f.at);
            const auto find = [&](const std::string& n) { for (const auto& [k, v] : f.values) if (k == n) return v; return scalar{}; };
            bool fits = true;
            out->spend.amount.push(as_type(find("amount"), value_type::decimal, pool, zone, fits));
            for (auto& [n, c] : out->spend.columns) c.push(as_type(find(n), c.type(), pool, zone, fits));
        }

        for (const auto& a : out->contact_attributes) if (a.type != value_type::missing) out->schema.contact[a.name] = a.type;
        for (const auto& a : out->account_attributes) if (a.type != value_type::missing) out->schema.account[a.name] = a.type;
        for (const auto& s : out->streams) {
            auto& e = out->schema.events[s.name];
            for (const auto& [n, c] : s.properties.columns) e[n] = c.type();
        }
        for (const auto& [n, t] : options.types) out->schema.declare(n, t);
        out->rejected = std::move(rejected);
        out->rejected_counts = std::move(counts);
        return history{std::move(out)};
    }
};

history_builder::history_builder(read_options options) : impl_{std::make_unique<impl>()} { impl_->options = std::move(options); }
history_builder::~history_builder() = default;
history_builder::history_builder(history_builder&&) noexcept = default;
history_builder& history_builder::operator=(history_builder&&) noexcept = default;

history_builder& history_builder::contact(std::string_view id, fields attributes, std::optional<instant> created_at) {
    const auto row = impl_->rows["contacts"]++;
    if (!impl_->usable("contacts", row, id, created_at.value_or(earliest_instant))) return *this;
    const auto k = impl_->contact(id);
    if (impl_->born[k] != INT64_MAX) { impl_->reject("contacts", row, "duplicate contact_id", std::string{id}); return *this; }
    impl_->born[k] = created_at ? micros(*created_at) : INT64_MIN;
    if (created_at) attributes.emplace_back("created_at", *created_at);
    impl_->base.emplace_back(k, std::move(attributes));
    return *this;
}
history_builder& history_builder::contact(std::string_view id, instant at, fields attributes, std::optional<instant> arrived) {
    const auto row = impl_->rows["contacts"]++;
    if (impl_->usable("contacts", row, id, at)) impl_->changes.push_back({impl_->contact(id), micros(at), micros(arrived.value_or(at)), impl_->sequence++, {}, std::move(attributes), row});
    return *this;
}
history_builder& history_builder::account(std::string_view id, fields attributes) {
    const auto row = impl_->rows["accounts"]++;
    if (impl_->usable("accounts", row, id, earliest_instant)) impl_->account_base.emplace_back(impl_->account(id), std::move(attributes));
    return *this;
}
history_builder& history_builder::account(std::string_view id, instant at, fields attributes, std::optional<instant> arrived) {
    const auto row = impl_->rows["accounts"]++;
    if (impl_->usable("accounts", row, id, at)) impl_->account_changes.push_back({impl_->account(id), micros(at), micros(arrived.value_or(at)), impl_->sequence++, {}, std::move(attributes), row});
    return *this;
}
history_builder& history_builder::event(std::string_view contact, std::string_view name, instant at, fields properties, std::string_view event_id, std::optional<instant> arrived) {
    const auto row = impl_->rows["events"]++;
    if (!impl_->usable("events", row, contact, at)) return *this;
    if (name.empty()) { impl_->reject("events", row, "no event", std::string{contact}); return *this; }
    impl_->events[std::string{name}].push_back({impl_->contact(contact), micros(at), micros(arrived.value_or(at)), impl_->sequence++, std::string{event_id}, std::move(properties), row});
    return *this;
}
history_builder& history_builder::spend(instant at, double amount, fields columns) {
    const auto row = impl_->rows["spend"]++;
    if (!impl_->usable("spend", row, "-", at)) return *this;
    columns.emplace_back("amount", amount);
    impl_->spend.push_back({0, micros(at), micros(at), impl_->sequence++, {}, std::move(columns), row});
    return *this;
}
history_builder& history_builder::reject(std::string table, std::int64_t row, std::string reason, std::string example) {
    impl_->reject(table, row, std::move(reason), std::move(example));
    return *this;
}
history history_builder::finish() && { return std::exchange(impl_, std::make_unique<impl>())->finish(); }

}  // namespace journeyman
