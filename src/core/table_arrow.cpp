// A table as an Arrow C stream of one batch. The stream owns a copy of the cells: it may outlive the table.

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "journeyman/core/arrow_abi.hpp"
#include "journeyman/core/table.hpp"

namespace journeyman {

namespace {

using bitmap = std::vector<std::uint8_t>;

template <class Range>
bitmap pack(const Range& flags) {
    bitmap out((flags.size() + 7) / 8, 0);
    for (std::size_t i = 0; i < flags.size(); ++i) {
        if (flags[i] != 0) out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | (1U << (i % 8)));
    }
    return out;
}

/// What an exported array points into. Children are owned by the ArrowArray that is handed out, as the specification has it.
struct array_memory {
    bitmap valid, bits;
    std::vector<std::int64_t> integers, offsets;
    std::vector<std::int32_t> narrow;
    std::vector<double> decimals;
    std::string bytes;
    std::array<const void*, 3> buffers{};
    std::vector<ArrowArray*> children;
};

void release_array(ArrowArray* a) {
    auto* memory = static_cast<array_memory*>(a->private_data);
    for (ArrowArray* child : memory->children) {
        if (child->release != nullptr) child->release(child);
        delete child;
    }
    delete memory;
    a->release = nullptr;
}

struct schema_memory {
    std::string format, name;
    std::vector<ArrowSchema*> children;
};

void release_schema(ArrowSchema* s) {
    auto* memory = static_cast<schema_memory*>(s->private_data);
    for (ArrowSchema* child : memory->children) {
        if (child->release != nullptr) child->release(child);
        delete child;
    }
    delete memory;
    s->release = nullptr;
}

void fill_schema(ArrowSchema* out, std::string format, std::string name, std::vector<ArrowSchema*> children = {}) {
    auto* memory = new schema_memory{std::move(format), std::move(name), std::move(children)};
    *out = {};
    out->format = memory->format.c_str();
    out->name = memory->name.c_str();
    out->flags = ARROW_FLAG_NULLABLE;
    out->n_children = static_cast<std::int64_t>(memory->children.size());
    out->children = memory->children.empty() ? nullptr : memory->children.data();
    out->release = release_schema;
    out->private_data = memory;
}

void fill_array(ArrowArray* out, std::unique_ptr<array_memory> memory, std::size_t length, std::int64_t nulls, int buffers) {
    *out = {};
    out->length = static_cast<std::int64_t>(length);
    out->null_count = nulls;
    out->n_buffers = buffers;
    out->buffers = memory->buffers.data();
    out->n_children = static_cast<std::int64_t>(memory->children.size());
    out->children = memory->children.empty() ? nullptr : memory->children.data();
    out->release = release_array;
    out->private_data = memory.release();
}

}  // namespace

struct table_export {
    explicit table_export(table cells) : cells_{std::move(cells)} {}

    static bool is_large(std::size_t bytes) { return bytes > 0x7fffffffU; }

    static std::string format(const table_column& c) {
        switch (c.type()) {
            case value_type::missing: return "n";
            case value_type::boolean: return "b";
            case value_type::integer: return "l";
            case value_type::decimal:
            case value_type::money: return "g";
            case value_type::text: return is_large(c.bytes_.size()) ? "U" : "u";
            case value_type::day: return "tdD";
            case value_type::instant: return "tsu:UTC";
            case value_type::duration: return "tDu";
            case value_type::text_list: return "+l";
        }
        return "n";
    }

    void schema(ArrowSchema* out) const {
        std::vector<ArrowSchema*> children;
        for (const auto& c : cells_.columns()) {
            std::vector<ArrowSchema*> items;
            if (c.type() == value_type::text_list) {
                items.push_back(new ArrowSchema);
                fill_schema(items.back(), "u", "item");
            }
            children.push_back(new ArrowSchema);
            fill_schema(children.back(), format(c), c.name(), std::move(items));
        }
        fill_schema(out, "+s", "", std::move(children));
        out->flags = 0;
    }

    static void offsets_into(array_memory& m, const std::vector<std::int64_t>& offsets, std::size_t bytes) {
        if (is_large(bytes)) {
            m.offsets = offsets;
            m.buffers[1] = m.offsets.data();
        } else {
            m.narrow.assign(offsets.begin(), offsets.end());
            m.buffers[1] = m.narrow.data();
        }
    }

    static void column(ArrowArray* out, const table_column& c) {
        auto m = std::make_unique<array_memory>();
        std::int64_t nulls = 0;
        for (const auto p : c.present_) nulls += p == 0;
        if (c.type() == value_type::missing) return fill_array(out, std::move(m), c.size(), static_cast<std::int64_t>(c.size()), 0);
        if (nulls > 0) {
            m->valid = pack(c.present_);
            m->buffers[0] = m->valid.data();
        }
        int buffers = 2;
        switch (c.type()) {
            case value_type::boolean:
                m->bits = pack(c.integers_);
                m->buffers[1] = m->bits.data();
                break;
            case value_type::decimal:
                m->decimals = c.decimals_;
                m->buffers[1] = m->decimals.data();
                break;
            case value_type::money:
                m->decimals.reserve(c.size());
                for (const auto x : c.integers_) m->decimals.push_back(static_cast<double>(x) / static_cast<double>(minor_units));
                m->buffers[1] = m->decimals.data();
                break;
            case value_type::day:
                m->narrow.assign(c.integers_.begin(), c.integers_.end());
                m->buffers[1] = m->narrow.data();
                break;
            case value_type::text:
                m->bytes = c.bytes_;
                offsets_into(*m, c.offsets_, m->bytes.size());
                m->buffers[2] = m->bytes.data();
                buffers = 3;
                break;
            case value_type::text_list: {
                auto items = std::make_unique<array_memory>();
                items->narrow.push_back(0);
                m->narrow.push_back(0);
                std::size_t count = 0;
                for (const auto& list : c.lists_) {
                    for (const auto& item : list) {
                        items->bytes += item;
                        if (is_large(items->bytes.size())) throw std::bad_alloc{};
                        items->narrow.push_back(static_cast<std::int32_t>(items->bytes.size()));
                    }
                    count += list.size();
                    m->narrow.push_back(static_cast<std::int32_t>(count));
                }
                items->buffers = {nullptr, items->narrow.data(), items->bytes.data()};
                m->buffers[1] = m->narrow.data();
                m->children.push_back(new ArrowArray);
                fill_array(m->children.back(), std::move(items), count, 0, 3);
                break;
            }
            default:
                m->integers = c.integers_;
                m->buffers[1] = m->integers.data();
        }
        fill_array(out, std::move(m), c.size(), nulls, buffers);
    }

    void batch(ArrowArray* out) const {
        auto m = std::make_unique<array_memory>();
        for (const auto& c : cells_.columns()) {
            m->children.push_back(new ArrowArray{});
            column(m->children.back(), c);
        }
        fill_array(out, std::move(m), cells_.rows(), 0, 1);
    }

    // ---- the callbacks: nothing may be thrown through them

    static int get_schema(ArrowArrayStream* s, ArrowSchema* out) {
        auto* self = static_cast<table_export*>(s->private_data);
        return self->guarded([&] { self->schema(out); });
    }
    static int get_next(ArrowArrayStream* s, ArrowArray* out) {
        auto* self = static_cast<table_export*>(s->private_data);
        return self->guarded([&] {
            if (self->done_) {
                *out = {};   // released: the end of the stream
                return;
            }
            self->batch(out);
            self->done_ = true;
            self->batch_taken();
        });
    }
    static const char* get_last_error(ArrowArrayStream* s) { return static_cast<table_export*>(s->private_data)->problem_; }
    static void release(ArrowArrayStream* s) {
        delete static_cast<table_export*>(s->private_data);
        s->release = nullptr;
    }

private:
    template <class F>
    int guarded(F&& f) {
        try {
            f();
            problem_ = nullptr;
            return 0;
        } catch (const std::exception&) {
            problem_ = "not enough memory to export the table";
            return ENOMEM;
        }
    }
    void batch_taken() {
        // The cells are in the batch now; only names and types are asked for again.
        table bare;
        for (const auto& c : cells_.columns()) {
            // A column that was too long for 32-bit offsets keeps its format.
            if (c.type() == value_type::text && is_large(c.bytes_.size())) return;
            bare.add_column(c.name(), c.type());
        }
        cells_ = std::move(bare);
    }

    table cells_;
    bool done_ = false;
    const char* problem_ = nullptr;
};

void table::export_arrow(ArrowArrayStream* out) const {
    auto self = std::make_unique<table_export>(*this);
    *out = {};
    out->get_schema = table_export::get_schema;
    out->get_next = table_export::get_next;
    out->get_last_error = table_export::get_last_error;
    out->release = table_export::release;
    out->private_data = self.release();
}

}  // namespace journeyman
