// Contacts and accounts: what holds from the beginning by owner, and the changes of each attribute as a stream.

#include <algorithm>

#include "history/ingest.hpp"
#include "history/source_loose.hpp"

namespace journeyman::detail {

namespace {

class attribute_builder {
public:
    attribute_builder(ingestion& in, scanned_table& t)
        : in_{in}, t_{t}, table_{*t.table}, contacts_{table_.what == raw_table::kind::contacts}, count_{(contacts_ ? in.data->contacts : in.data->accounts).size()} {}

    void run() {
        base_row_.assign(count_, nobody);
        for (std::uint32_t r = 0; r < table_.rows; ++r) {
            if (t_.owner[r] == nobody) continue;
            if (t_.at[r] == from_the_beginning) base_row_[t_.owner[r]] = r;
            else changes_.push_back(r);
        }
        // Sorted once for all attributes; stable, so that equal places (one record, two changes) stay as they came.
        std::stable_sort(changes_.begin(), changes_.end(), [&](std::uint32_t a, std::uint32_t b) {
            if (t_.owner[a] != t_.owner[b]) return t_.owner[a] < t_.owner[b];
            return t_.at[a] != t_.at[b] ? t_.at[a] < t_.at[b] : t_.order_of(a) < t_.order_of(b);
        });
        read_arrivals();
        read_cleared();
        std::vector<named_source> fields = table_.fields;
        if (table_.created != nullptr && std::none_of(fields.begin(), fields.end(), [](const auto& f) { return f.name == "created_at"; })) fields.push_back({"created_at", table_.created});
        for (const auto& f : fields) build(f.name, *f.source);
        for (const auto& [name, rows] : cleared_) {
            if (std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; })) continue;
            const bool declared = in_.declared_type((contacts_ ? "contact." : "account.") + name) != value_type::missing;   // it may come yet, from a workflow
            if (declared || (in_.before != nullptr && (contacts_ ? in_.before->contact_attribute(name) : in_.before->account_attribute(name)) != nullptr)) {
                build(name, loose_column{name, false});
            } else if (!table_.sequence_is_order) {
                for (const auto r : rows) in_.reject(table_, r, "unknown name in cleared", name);
            }
        }
    }

private:
    void read_arrivals() {
        if (table_.arrived == nullptr) return;
        arrived_ = t_.at;
        cell_reader reader{*table_.arrived, value_type::instant, in_.how("arrived_at", *table_.arrived)};
        each_block(reader, [&](std::size_t begin, std::size_t count) {
            for (const auto& [row, f] : block_.faults) if (t_.owner[row] != nobody) in_.reject_cell(table_, row, f, "arrived_at", *table_.arrived);
            block_.valid.each(count, [&](std::size_t i) { arrived_[begin + i] = block_.integers[i]; });
        });
    }

    void read_cleared() {
        if (table_.cleared == nullptr) return;
        cell_reader reader{*table_.cleared, value_type::text_list, in_.how("cleared", *table_.cleared)};
        const auto known = [&](std::string_view name) { return std::any_of(table_.fields.begin(), table_.fields.end(), [&](const auto& f) { return f.name == name; }); };
        each_block(reader, [&](std::size_t begin, std::size_t count) {
            for (const auto& [row, f] : block_.faults) if (t_.owner[row] != nobody) in_.reject_cell(table_, row, f, "cleared", *table_.cleared);
            block_.valid.each(count, [&](std::size_t i) {
                const std::size_t row = begin + i;
                if (t_.owner[row] == nobody) return;
                for (const text_id item : in_.pool().list(list_id{block_.codes[i]})) {
                    const std::string_view name = in_.pool().view(item);
                    if (known(name) || name.find(' ') == std::string_view::npos) {
                        cleared_[std::string{name}].push_back(static_cast<std::uint32_t>(row));
                        continue;
                    }
                    for (std::size_t from = 0; from < name.size();) {   // names parted by spaces
                        const std::size_t to = std::min(name.find(' ', from), name.size());
                        if (to > from) cleared_[std::string{name.substr(from, to - from)}].push_back(static_cast<std::uint32_t>(row));
                        from = to + 1;
                    }
                }
            });
        });
    }

    template <class F>
    void each_block(cell_reader& reader, F&& f) {
        for (std::size_t begin = 0; begin < table_.rows; begin += block_rows) {
            const std::size_t count = std::min(block_rows, table_.rows - begin);
            reader.read(begin, count, block_);
            f(begin, count);
        }
    }

    void build(const std::string& name, const column_source& source) {
        conversion how = in_.how(name, source);
        const value_type declared = in_.declared_type((contacts_ ? "contact." : "account.") + name);
        const value_type own = in_.natural(table_, name, source, how);
        value_type type = own;
        if (contacts_ && name == "account_id") type = value_type::text;
        else if (&source == table_.created) type = value_type::instant;
        else if (declared != value_type::missing) type = declared;
        how.strict = declared == value_type::missing && type == own;
        // A column without any cell has no type of its own; text fits what may come.
        if (type == value_type::missing) type = value_type::text;
        cell_reader reader{source, type, how};
        column cells{type};
        std::size_t base = 0;
        each_block(reader, [&](std::size_t begin, std::size_t count) {
            for (const auto& [row, f] : block_.faults) if (t_.owner[row] != nobody) in_.reject_cell(table_, row, f, name, source);
            for (std::size_t i = 0; i < count; ++i) {
                const value v = block_.at(type, i);
                base += !v.is_missing() && t_.owner[begin + i] != nobody && t_.at[begin + i] == from_the_beginning;
                cells.push(v);
            }
        });
        attribute_stream out;
        out.name = name;
        out.type = type;
        if (base > 0) {
            out.base = column{type};
            for (const auto r : base_row_) out.base.push(r == nobody ? value{} : cells.at(r));
        }
        out.values = column{type};
        const auto cleared = cleared_.find(name);
        bool late = false;
        for (const auto r : changes_) {
            const value v = cells.at(r);
            if (v.is_missing() && (cleared == cleared_.end() || !std::binary_search(cleared->second.begin(), cleared->second.end(), r))) continue;
            if (out.rows.owners.empty() || out.rows.owners.back() != t_.owner[r]) {
                out.rows.owners.push_back(t_.owner[r]);
                out.rows.begins.push_back(static_cast<std::uint32_t>(out.rows.at.size()));
            }
            out.rows.at.push_back(t_.at[r]);
            out.rows.order.push_back(t_.order_of(r));
            out.values.push(v);
            if (!arrived_.empty()) {
                out.arrived.push_back(arrived_[r]);
                late |= arrived_[r] != t_.at[r];
            }
        }
        if (!late) out.arrived.clear();
        out.rows.begins.push_back(static_cast<std::uint32_t>(out.rows.at.size()));
        (contacts_ ? in_.data->contact_attributes : in_.data->account_attributes).push_back(std::move(out));
    }

    ingestion& in_;
    scanned_table& t_;
    const raw_table& table_;
    bool contacts_;
    std::size_t count_;
    std::vector<std::uint32_t> base_row_, changes_;
    std::vector<std::int64_t> arrived_;
    std::map<std::string, std::vector<std::uint32_t>> cleared_;   // rows ascend
    cell_block block_;
};

}  // namespace

void build_attributes(ingestion& in, scanned_table& t) { attribute_builder{in, t}.run(); }

}  // namespace journeyman::detail
