#include "history/ingest.hpp"

#include <algorithm>

#include "history/settle.hpp"
#include "journeyman/core/error.hpp"

namespace journeyman::detail {

// ---- columns by name

namespace {

std::string_view kind_name(raw_table::kind k) {
    switch (k) {
        case raw_table::kind::contacts: return "contacts";
        case raw_table::kind::accounts: return "accounts";
        case raw_table::kind::events: return "events";
        case raw_table::kind::spend: return "spend";
    }
    return {};
}

class column_finder {
public:
    column_finder(raw_table& t, const read_options& options) : table_{t} {
        const std::string kind{kind_name(t.what)};
        for (const auto& [name, renamed] : options.columns) {
            if (!name.empty() && name != "contacts" && name != "accounts" && name != "events" && name != "spend") {
                throw error{"input.column", "columns", "there is no table '" + name + "'; tables are contacts, events, accounts and spend"};
            }
            if (!name.empty() && name != kind) continue;
            for (const auto& [ours, theirs] : renamed) {
                if (find(theirs) != nullptr) ours_[ours] = theirs;
                else if (!name.empty()) missing(theirs, "the option `columns` takes '" + ours + "' from it");
            }
        }
    }
    /// The column of a role, taken out of the fields.
    const column_source* take(const std::string& ours, bool required) {
        const auto it = ours_.find(ours);
        const column_source* c = find(it != ours_.end() ? it->second : ours);
        if (c == nullptr && required) missing(ours, "it is needed; name the column that holds it with the option `columns`");
        if (c != nullptr) taken_.push_back(c);
        return c;
    }
    void fields() {
        for (const auto& c : table_.columns) {
            std::string name = c->name();
            bool renamed = false;
            for (const auto& [ours, theirs] : ours_) {
                if (theirs == name && std::find(roles_.begin(), roles_.end(), ours) == roles_.end()) { name = ours; renamed = true; break; }
            }
            if (!renamed && std::find(taken_.begin(), taken_.end(), c.get()) != taken_.end()) continue;
            table_.fields.push_back({std::move(name), c.get()});
        }
    }
    void role(std::string ours) { roles_.push_back(std::move(ours)); }

private:
    [[nodiscard]] const column_source* find(std::string_view name) const {
        for (const auto& c : table_.columns) if (c->name() == name) return c.get();
        return nullptr;
    }
    [[noreturn]] void missing(const std::string& name, const std::string& why) const {
        std::vector<std::string> names;
        std::string list;
        for (const auto& c : table_.columns) {
            names.push_back(c->name());
            if (names.size() <= 12) list += (list.empty() ? "" : ", ") + c->name();
        }
        if (names.size() > 12) list += ", …";
        throw error{"input.column", table_.place.empty() ? table_.label : table_.place, "the table of " + std::string{kind_name(table_.what)} + " has no column '" + name + "': " + why + "." + did_you_mean(name, names) + " Its columns: " + (list.empty() ? "none" : list)};
    }

    raw_table& table_;
    std::map<std::string, std::string> ours_;
    std::vector<const column_source*> taken_;
    std::vector<std::string> roles_;
};

}  // namespace

void assign_columns(raw_table& t, const read_options& options) {
    column_finder find{t, options};
    const auto role = [&](const char* name, bool required = false) {
        find.role(name);
        return find.take(name, required);
    };
    switch (t.what) {
        case raw_table::kind::contacts:
        case raw_table::kind::accounts:
            t.id = role(t.what == raw_table::kind::contacts ? "contact_id" : "account_id", true);
            t.timestamp = role("timestamp");
            if (t.timestamp != nullptr) {
                t.arrived = role("arrived_at");
                t.sequence = role("sequence");
                t.cleared = role("cleared");
            } else if (t.what == raw_table::kind::contacts) {
                t.created = role("created_at");
            }
            break;
        case raw_table::kind::events:
            t.id = role("contact_id", true);
            t.event = role("event", true);
            t.timestamp = role("timestamp", true);
            t.event_id = role("event_id");
            t.arrived = role("arrived_at");
            t.sequence = role("sequence");
            break;
        case raw_table::kind::spend:
            t.timestamp = role("timestamp", true);
            t.amount = role("amount", true);
            break;
    }
    find.fields();
}

// ---- what the parts share

ingestion::ingestion(const read_options& o, const history_data* earlier)
    : options{o}, before{earlier}, seen{before != nullptr && before->arrivals != nullptr ? std::make_shared<arrivals>(*before->arrivals) : std::make_shared<arrivals>()} {
    seen->options = o;
    if (before != nullptr) data->pool = before->pool;
}

value_type ingestion::natural(const raw_table& t, const std::string& name, const column_source& source, const conversion& how) {
    const type_evidence now = source.evidence(how);
    const auto [known, fresh] = seen->evidence.try_emplace({t.what, t.event_name, name}, now);
    if (!fresh) known->second.add(now);
    return known->second.type();
}

value_type property_type(const arrivals& all, const std::string& event, const std::string& name) {
    if (const auto it = all.options.types.find(event + "." + name); it != all.options.types.end()) {
        if (const value_type t = parse_value_type(it->second); t != value_type::missing) return t;
    }
    value_type out = value_type::missing;
    for (const std::string& of : {std::string{}, event}) {
        const auto it = all.evidence.find({raw_table::kind::events, of, name});
        if (it == all.evidence.end()) continue;
        const value_type t = it->second.type();
        out = out == value_type::missing ? t : is_number(out) && is_number(t) && out != t ? value_type::decimal : out;
    }
    return out;
}

conversion ingestion::how(const std::string& ours, const column_source& source) const {
    conversion out;
    out.pool = data->pool.get();
    out.zone = options.timezone.get();
    auto it = options.formats.find(source.name());
    if (it == options.formats.end()) it = options.formats.find(ours);
    if (it != options.formats.end()) out.format = it->second;
    return out;
}

void reject(rejection_log& log, const raw_table& t, std::size_t row, std::string_view reason, std::string_view example) { log.add(t.label, t.number(row), reason, example); }

void reject_cell(rejection_log& log, const raw_table& t, std::size_t row, fault f, const std::string& name, const column_source& source) {
    const std::string_view why = f == fault::no_zone ? "timestamp without a zone in " : f == fault::out_of_range ? "instant out of range in " : "unreadable value in ";
    log.add(t.label, t.number(row), std::string{why} + name, shown(source.cell(row)));
}

std::string_view timestamp_reason(fault f) {
    return f == fault::no_zone ? "timestamp without a zone" : f == fault::out_of_range ? "instant out of range" : "unreadable timestamp";
}

error too_many_names(std::string_view last) { return {"limit.event_names", "events", "more than 65,535 event names, the last one '" + std::string{last} + "'; keep what varies out of the name and in a property"}; }

std::uint32_t ingestion::stream_number(text_id name) {
    const auto text = static_cast<std::size_t>(name);
    if (text >= stream_of_text.size()) stream_of_text.resize(std::max(text + 1, stream_of_text.size() * 2), nobody);
    std::uint32_t& s = stream_of_text[text];
    if (s == nobody) {
        if (event_names.size() == most_event_names) throw too_many_names(pool().view(name));
        s = static_cast<std::uint32_t>(event_names.size());
        event_names.emplace_back(pool().view(name));
    }
    return s;
}

// ---- the whole

namespace {

void check_declared(ingestion& in) {
    for (const auto& [name, type] : in.options.types) {
        const value_type t = parse_value_type(type);
        if (t == value_type::missing && type != "event") {
            throw error{"type.declared", name, "'" + type + "' is no type." + did_you_mean(type, {"text", "yes/no", "integer", "decimal", "money", "day", "instant", "duration", "list", "event"}) + " Types are text, yes/no, integer, decimal, money, day, instant, duration, list, and event"};
        }
        if (t != value_type::missing) in.declared.emplace(name, t);
    }
}

void choose_ids(ingestion& in) {
    std::size_t rows = 0;
    bool contacts = true, accounts = true, any_contacts = false, any_accounts = false;
    for (const auto& t : in.tables) {
        if (t.table->id == nullptr || t.table->rows == 0) continue;
        rows += t.table->rows;
        const bool of_account = t.table->what == raw_table::kind::accounts;
        (of_account ? any_accounts : any_contacts) = true;
        bool& all = of_account ? accounts : contacts;
        all = all && holds_integer_ids(*t.table->id, t.table->rows);
    }
    const auto texts = [&](const id_column history_data::* ids) { return in.before != nullptr && (in.before->*ids).size() > 0 && !(in.before->*ids).are_integers(); };
    in.contacts.use_integers(contacts && any_contacts && !texts(&history_data::contacts), rows);
    in.accounts.use_integers(accounts && any_accounts && !texts(&history_data::accounts), rows);
}

/// Contacts of a table without instants exist always, or from `created_at`; the others from their first event or change.
void build_existence(ingestion& in) {
    history_data& out = *in.data;
    const std::size_t n = out.contacts.size();
    std::vector<std::int64_t>& first = in.first_seen;
    first.resize(n, std::numeric_limits<std::int64_t>::max());
    in.seen->contact_from_beginning.assign(n, 0);
    in.seen->account_from_beginning.assign(out.accounts.size(), 0);
    for (const auto& s : out.streams) {
        const auto see = [&](std::uint32_t owner, std::uint32_t row) { first[owner] = std::min(first[owner], s.rows.at[row]); };
        if (s.rows.dense.empty()) {
            for (std::size_t k = 0; k < s.rows.owners.size(); ++k) see(s.rows.owners[k], s.rows.begins[k]);
        } else {
            for (std::uint32_t k = 0; k < n; ++k) if (s.rows.dense[k] != s.rows.dense[k + 1]) see(k, s.rows.dense[k]);
        }
    }
    for (const auto& t : in.tables) {
        if (t.table->what == raw_table::kind::accounts) {
            for (std::size_t r = 0; r < t.table->rows; ++r) if (t.owner[r] != nobody && t.at[r] == from_the_beginning) in.seen->account_from_beginning[t.owner[r]] = 1;
        }
        if (t.table->what != raw_table::kind::contacts) continue;
        for (std::size_t r = 0; r < t.table->rows; ++r) {
            if (t.owner[r] != nobody && t.at[r] != from_the_beginning) first[t.owner[r]] = std::min(first[t.owner[r]], t.at[r]);
        }
        // Rows that hold from the beginning decide, whatever else there is.
        std::vector<std::int64_t> created(block_rows);
        cell_block block;
        std::vector<std::uint8_t>& settled = in.seen->contact_from_beginning;
        cell_reader reader{t.table->created != nullptr ? *t.table->created : *t.table->id, t.table->created != nullptr ? value_type::instant : value_type::missing,
                           t.table->created != nullptr ? in.how("created_at", *t.table->created) : conversion{}};
        for (std::size_t begin = 0; begin < t.table->rows; begin += block_rows) {
            const std::size_t count = std::min(block_rows, t.table->rows - begin);
            reader.read(begin, count, block);
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint32_t owner = t.owner[begin + i];
                if (owner == nobody || t.at[begin + i] != from_the_beginning || settled[owner] != 0) continue;
                settled[owner] = 1;
                first[owner] = t.table->created != nullptr && block.valid.test(i) ? block.integers[i] : from_the_beginning;
            }
        }
    }
    if (std::all_of(first.begin(), first.end(), [](std::int64_t t) { return t == from_the_beginning; })) return;
    out.all_exist_from = *std::max_element(first.begin(), first.end());
    out.exists_from = std::move(first);
}

}  // namespace

void build_schema(history_data& out, const read_options& options) {
    for (const auto& a : out.contact_attributes) out.schema.contact[a.name] = a.type;
    for (const auto& a : out.account_attributes) out.schema.account[a.name] = a.type;
    for (const auto& s : out.streams) {
        auto& properties = out.schema.events[s.name];
        for (const auto& [name, column] : s.properties.columns) properties[name] = column.type();
    }
    for (const auto& [name, type] : options.types) {
        if (name.rfind("spend.", 0) != 0 || out.schema.events.count("spend") != 0) out.schema.declare(name, type);
    }
}

history ingest(std::vector<raw_table> tables, const read_options& options, rejection_log already, const history_data* before, std::int64_t records) {
    ingestion in{options, before};
    in.log = std::move(already);
    check_declared(in);
    raw_table* spend = nullptr;
    for (raw_table& t : tables) {
        if (t.what == raw_table::kind::spend) {
            spend = &t;
        } else {
            in.tables.emplace_back();
            in.tables.back().table = &t;
        }
    }
    for (const raw_table& t : tables) {
        if (t.label != "records") in.seen->rows[t.label] += static_cast<std::int64_t>(t.rows);   // the builder has a table for each event name
    }
    in.seen->rows["records"] += records;
    choose_ids(in);
    order_tables(in);
    std::vector<scanned_table*> events;
    for (scanned_table& t : in.tables) {
        if (t.table->what == raw_table::kind::events) events.push_back(&t);
        else scan_changes(in, t);
    }
    scan_events(in, events);

    in.contacts.finish(in.pool(), in.data->contacts);
    in.accounts.finish(in.pool(), in.data->accounts);
    for (scanned_table& t : in.tables) {
        const auto& rank = (t.table->what == raw_table::kind::accounts ? in.accounts : in.contacts).rank();
        if (t.table->what == raw_table::kind::events) continue;   // build_events does it on the way
        for (auto& o : t.owner) if (o != nobody) o = rank[o];
    }
    for (scanned_table& t : in.tables) {
        if (t.table->what == raw_table::kind::events) {
            build_events(in, t);
            const raw_table done = std::move(*t.table);   // its memory is needed no more
            t = {};
            t.table = nullptr;
        } else {
            build_attributes(in, t);
        }
    }
    std::erase_if(in.tables, [](const scanned_table& t) { return t.table == nullptr; });
    if (spend != nullptr) build_spend(in, *spend);
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::sort(in.data->streams.begin(), in.data->streams.end(), by_name);
    std::sort(in.data->contact_attributes.begin(), in.data->contact_attributes.end(), by_name);
    std::sort(in.data->account_attributes.begin(), in.data->account_attributes.end(), by_name);
    build_existence(in);
    in.log.finish(*in.data);
    if (before != nullptr) return merge(*before, in);
    build_schema(*in.data, options);
    in.data->arrivals = in.seen;
    settle(*in.data);
    return history{in.data};
}

}  // namespace journeyman::detail
