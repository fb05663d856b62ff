#pragma once
// Arrow tables made by hand, for tests: any layout, offset and batch a producer may send.

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journeyman/core/arrow_abi.hpp"

namespace arrow_test {

inline int alive = 0;   // arrays, schemas and streams not yet released

struct array {
    std::string format, name;
    std::size_t length = 0, offset = 0;
    std::vector<std::string> buffers;      // the first is the validity bitmap; empty: null pointer
    std::int64_t nulls = 0;
    std::vector<array> children;
    std::shared_ptr<array> dictionary;
    bool absent_first = true;              // no validity bitmap
};

inline std::string bitmap(const std::vector<bool>& bits) {
    std::string out((bits.size() + 7) / 8 + 1, '\0');
    for (std::size_t i = 0; i < bits.size(); ++i) if (bits[i]) out[i / 8] = static_cast<char>(out[i / 8] | 1 << (i % 8));
    return out;
}

template <class T>
void append(std::string& to, T x) { to.append(reinterpret_cast<const char*>(&x), sizeof x); }

template <class T>
array base(std::string name, std::string format, const std::vector<std::optional<T>>& cells, std::size_t offset) {
    array a;
    a.name = std::move(name);
    a.format = std::move(format);
    a.length = cells.size();
    a.offset = offset;
    std::vector<bool> bits(offset, true);
    for (const auto& c : cells) {
        bits.push_back(c.has_value());
        a.nulls += !c.has_value();
    }
    a.absent_first = a.nulls == 0;
    a.buffers.push_back(bitmap(bits));
    return a;
}

/// Fixed width: any integer, float, day or instant.
template <class T>
array fixed(std::string name, std::string format, const std::vector<std::optional<T>>& cells, std::size_t offset = 0) {
    array a = base(std::move(name), std::move(format), cells, offset);
    std::string data;
    for (std::size_t i = 0; i < offset; ++i) append(data, T(77));
    for (const auto& c : cells) append(data, c.value_or(T(99)));
    a.buffers.push_back(std::move(data));
    return a;
}

inline array instants(const std::vector<std::optional<std::int64_t>>& cells, std::string format = "tsu:UTC", std::size_t offset = 0) { return fixed<std::int64_t>("timestamp", std::move(format), cells, offset); }

inline array booleans(std::string name, const std::vector<std::optional<bool>>& cells, std::size_t offset = 0) {
    array a = base(std::move(name), "b", cells, offset);
    std::vector<bool> bits(offset, true);
    for (const auto& c : cells) bits.push_back(c.value_or(true));
    a.buffers.push_back(bitmap(bits));
    return a;
}

using texts = std::vector<std::optional<std::string>>;

/// "u", "U" or "vu".
inline array text(std::string name, const texts& cells, std::string format = "u", std::size_t offset = 0) {
    array a = base(std::move(name), format, cells, offset);
    texts all(offset, std::string{"before"});
    all.insert(all.end(), cells.begin(), cells.end());
    std::string head, bytes;
    if (format == "vu") {
        for (const auto& c : all) {
            const std::string s = c.value_or("");
            append(head, static_cast<std::int32_t>(s.size()));
            if (s.size() <= 12) {
                head += s + std::string(12 - s.size(), '\0');
            } else {
                head += s.substr(0, 4);
                append(head, std::int32_t{0});
                append(head, static_cast<std::int32_t>(bytes.size()));
                bytes += s;
            }
        }
        a.buffers.push_back(std::move(head));
        std::string sizes;
        append(sizes, static_cast<std::int64_t>(bytes.size()));
        a.buffers.push_back(bytes + " ");
        a.buffers.push_back(std::move(sizes));
        return a;
    }
    const auto offset_of = [&](std::size_t n) { format == "u" ? append(head, static_cast<std::int32_t>(n)) : append(head, static_cast<std::int64_t>(n)); };
    offset_of(0);
    for (const auto& c : all) {
        bytes += c.value_or("");
        offset_of(bytes.size());
    }
    a.buffers.push_back(std::move(head));
    a.buffers.push_back(bytes + " ");
    return a;
}

template <class T = std::int32_t>
array coded(std::string name, const std::vector<std::optional<T>>& codes, array values, std::string format = "i", std::size_t offset = 0) {
    array a = fixed<T>(std::move(name), std::move(format), codes, offset);
    a.dictionary = std::make_shared<array>(std::move(values));
    return a;
}

inline array lists(std::string name, const std::vector<std::vector<std::string>>& cells, std::string format = "+l") {
    std::vector<std::optional<int>> present(cells.size(), 1);
    array a = base(std::move(name), format, present, 0);
    std::string head;
    texts items;
    const auto offset_of = [&] { format == "+l" ? append(head, static_cast<std::int32_t>(items.size())) : append(head, static_cast<std::int64_t>(items.size())); };
    offset_of();
    for (const auto& c : cells) {
        items.insert(items.end(), c.begin(), c.end());
        offset_of();
    }
    a.buffers.push_back(std::move(head));
    a.children.push_back(text("item", items));
    return a;
}

// ---- the C structs

struct kept {
    array data;
    std::vector<const void*> buffers;
    std::vector<ArrowArray> arrays;
    std::vector<ArrowArray*> array_pointers;
    std::vector<ArrowSchema> schemas;
    std::vector<ArrowSchema*> schema_pointers;
    ArrowArray dictionary{};
    ArrowSchema dictionary_schema{};
};

inline void fill(ArrowSchema* out, const array& a) {
    auto* k = new kept{a, {}, {}, {}, {}, {}, {}, {}};
    ++alive;
    k->schemas.resize(a.children.size());
    for (std::size_t i = 0; i < a.children.size(); ++i) {
        fill(&k->schemas[i], a.children[i]);
        k->schema_pointers.push_back(&k->schemas[i]);
    }
    if (a.dictionary) fill(&k->dictionary_schema, *a.dictionary);
    *out = {k->data.format.c_str(), k->data.name.c_str(), nullptr, ARROW_FLAG_NULLABLE, static_cast<std::int64_t>(k->schemas.size()), k->schema_pointers.data(), a.dictionary ? &k->dictionary_schema : nullptr,
            [](ArrowSchema* s) {
                auto* mine = static_cast<kept*>(s->private_data);
                for (auto& c : mine->schemas) if (c.release != nullptr) c.release(&c);
                if (mine->dictionary_schema.release != nullptr) mine->dictionary_schema.release(&mine->dictionary_schema);
                delete mine;
                --alive;
                s->release = nullptr;
            },
            k};
}

inline void fill(ArrowArray* out, const array& a) {
    auto* k = new kept{a, {}, {}, {}, {}, {}, {}, {}};
    ++alive;
    for (std::size_t i = 0; i < k->data.buffers.size(); ++i) k->buffers.push_back(i == 0 && a.absent_first ? nullptr : k->data.buffers[i].data());
    k->arrays.resize(a.children.size());
    for (std::size_t i = 0; i < a.children.size(); ++i) {
        fill(&k->arrays[i], a.children[i]);
        k->array_pointers.push_back(&k->arrays[i]);
    }
    if (a.dictionary) fill(&k->dictionary, *a.dictionary);
    *out = {static_cast<std::int64_t>(a.length), a.nulls, static_cast<std::int64_t>(a.offset), static_cast<std::int64_t>(k->buffers.size()), static_cast<std::int64_t>(k->arrays.size()), k->buffers.data(), k->array_pointers.data(), a.dictionary ? &k->dictionary : nullptr,
            [](ArrowArray* s) {
                auto* mine = static_cast<kept*>(s->private_data);
                for (auto& c : mine->arrays) if (c.release != nullptr) c.release(&c);
                if (mine->dictionary.release != nullptr) mine->dictionary.release(&mine->dictionary);
                delete mine;
                --alive;
                s->release = nullptr;
            },
            k};
}

/// A stream of batches with the same columns.
class stream {
public:
    explicit stream(std::vector<array> columns) : stream{std::vector<std::vector<array>>{std::move(columns)}} {}
    explicit stream(std::vector<std::vector<array>> batches, std::size_t struct_offset = 0) {
        auto* s = new state;
        ++alive;
        for (auto& columns : batches) {
            array a;
            a.format = "+s";
            a.length = (columns.empty() ? 0 : columns[0].length) - struct_offset;
            a.offset = struct_offset;
            a.buffers.emplace_back();
            a.children = std::move(columns);
            s->batches.push_back(std::move(a));
        }
        c_ = {[](ArrowArrayStream* x, ArrowSchema* out) {
                  fill(out, static_cast<state*>(x->private_data)->batches.at(0));
                  return 0;
              },
              [](ArrowArrayStream* x, ArrowArray* out) {
                  auto* mine = static_cast<state*>(x->private_data);
                  *out = {};
                  if (mine->next < mine->batches.size()) fill(out, mine->batches[mine->next++]);
                  return 0;
              },
              [](ArrowArrayStream*) -> const char* { return nullptr; },
              [](ArrowArrayStream* x) {
                  delete static_cast<state*>(x->private_data);
                  --alive;
                  x->release = nullptr;
              },
              s};
    }
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() { if (c_.release != nullptr) c_.release(&c_); }
    ArrowArrayStream* get() { return &c_; }

private:
    struct state {
        std::vector<array> batches;
        std::size_t next = 0;
    };
    ArrowArrayStream c_{};
};

}  // namespace arrow_test
