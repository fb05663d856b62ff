#include "kpi/state_bytes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "journeyman/core/error.hpp"
#include "journeyman/core/hash.hpp"

namespace journeyman::detail {
namespace {

constexpr std::string_view magic = "JMKPI";
constexpr std::uint8_t version = 1;
constexpr std::size_t most_periods = 2'000'100, most_places = 200'000'000;
constexpr std::int64_t most_contacts = std::int64_t{1} << 48;
constexpr wide most_whole = wide{1} << 120;

[[noreturn]] void broken() { throw error{"kpi.state", "", "these bytes are no whole state of KPIs: they were cut off, changed, or are something else"}; }

}  // namespace

// ---- writing

template <class T>
void state_writer::number(T x) {
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof x];
    std::memcpy(bytes, &x, sizeof x);
    out_.append(bytes, sizeof x);
}
void state_writer::count(std::size_t n) { number(static_cast<std::uint32_t>(n)); }
void state_writer::text(std::string_view s) {
    count(s.size());
    out_ += s;
}

void state_writer::put(const amount& a) {
    number(a.whole);
    const auto parts = a.decimals.parts();
    count(parts.size());
    for (const double x : parts) number(x);
}

void state_writer::put(const totals& t, const std::vector<std::uint32_t>& numbers) {
    for (const auto& a : t.sums_) put(a);
    for (const auto& a : t.products_) put(a);
    number(t.immature_);
    count(t.accounts_.size());
    for (const auto& [measure, accounts] : t.accounts_) {
        count(measure);
        std::vector<std::uint32_t> sorted;
        for (const auto n : accounts.numbers) sorted.push_back(numbers[n]);
        std::sort(sorted.begin(), sorted.end());
        count(sorted.size());
        for (const auto n : sorted) number(n);
        count(accounts.sketch.registers().size());
        for (const auto r : accounts.sketch.registers()) number(r);
    }
}

void state_writer::put(const counted_kpi& k, const cell_texts& texts, const std::vector<std::uint32_t>& numbers) {
    text(k.name);
    count(k.by.size());
    for (const auto& d : k.by) text(d);
    count(k.shape->kinds.size());
    for (std::size_t m = 0; m < k.shape->kinds.size(); ++m) {
        number(static_cast<std::uint8_t>(k.shape->kinds[m]));
        number(k.shape->divisors[m]);
    }
    number(static_cast<std::uint8_t>(k.shape->products));
    number(static_cast<std::uint8_t>(k.shape->precision));
    count(k.when.size());
    for (std::size_t p = 0; p < k.when.size(); ++p) {
        number(k.when[p].from.time_since_epoch().count());
        number(k.when[p].to.time_since_epoch().count());
        number(k.contacts[p]);
    }
    const auto cells = k.totals->sorted(texts);
    count(cells.size());
    for (const auto c : cells) {
        count(k.totals->key(c).size());
        for (const auto n : k.totals->key(c)) number(numbers[n]);
        std::vector<std::uint32_t> there;
        for (std::uint32_t p = 0; p < k.when.size(); ++p)
            if (k.totals->find(c, p) != nullptr) there.push_back(p);
        count(there.size());
        for (const auto p : there) {
            number(p);
            put(*k.totals->find(c, p), numbers);
        }
    }
    count(k.totals->unscoped.size());
    for (const auto& [period, a] : k.totals->unscoped) {
        number(period);
        put(a);
    }
}

std::string state_writer::write(const counted& c) {
    out_ = magic;
    number(version);
    text(c.definitions);
    number(static_cast<std::uint8_t>(c.span.has_value()));
    if (c.span) {
        number(c.span->begin.time_since_epoch().count());
        number(c.span->end.time_since_epoch().count());
        number(static_cast<std::uint8_t>(c.span->first.has_value()));
        if (c.span->first) number(c.span->first->time_since_epoch().count());
    }
    // Only the texts that are used, in their order: which else there are depends on the split.
    std::vector<char> used(c.texts.size(), 0);
    for (const auto& k : c.kpis)
        for (std::size_t cell = 0; cell < k.totals->cells(); ++cell) {
            for (const auto n : k.totals->key(cell)) used[n] = 1;
            for (std::uint32_t p = 0; p < k.when.size(); ++p)
                if (const totals* t = k.totals->find(cell, p))
                    for (const auto& [measure, accounts] : t->accounts_)
                        for (const auto n : accounts.numbers) used[n] = 1;
        }
    std::vector<std::uint32_t> order, numbers(c.texts.size(), 0);
    for (std::uint32_t n = 0; n < used.size(); ++n)
        if (used[n]) order.push_back(n);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return c.texts.text(a) < c.texts.text(b); });
    count(order.size());
    for (std::uint32_t k = 0; k < order.size(); ++k) {
        numbers[order[k]] = k;
        text(c.texts.text(order[k]));
    }
    count(c.kpis.size());
    for (const auto& k : c.kpis) put(k, c.texts, numbers);
    number(stable_hash{}.add(out_).value());
    return std::move(out_);
}

// ---- reading

template <class T>
T state_reader::number() {
    T x;
    if (left_.size() < sizeof x) broken();
    std::memcpy(&x, left_.data(), sizeof x);
    left_.remove_prefix(sizeof x);
    return x;
}
std::size_t state_reader::count(std::size_t least_size) {
    const std::size_t n = number<std::uint32_t>();
    if (n > left_.size() / least_size) broken();                 // before memory is taken
    return n;
}
std::string state_reader::text() {
    const auto n = count(1);
    std::string s{left_.substr(0, n)};
    left_.remove_prefix(n);
    return s;
}
std::int64_t state_reader::contacts() {
    const auto n = number<std::int64_t>();
    if (n < 0 || n > most_contacts) broken();
    return n;
}
std::uint32_t state_reader::index(std::size_t below) {
    const auto n = number<std::uint32_t>();
    if (n >= below) broken();
    return n;
}

amount state_reader::get_amount() {
    amount a;
    a.whole = number<wide>();
    if (a.whole > most_whole || a.whole < -most_whole) broken();   // no sum of two may overflow
    for (auto n = count(8); n > 0; --n) a.decimals.add(number<double>());
    return a;
}

void state_reader::get(totals& t, const totals_shape& shape, std::size_t texts) {
    for (auto& a : t.sums_) a = get_amount();
    for (auto& a : t.products_) a = get_amount();
    t.immature_ = contacts();
    for (auto n = count(12); n > 0; --n) {
        auto& accounts = t.accounts_[index(shape.kinds.size())];
        for (auto k = count(4); k > 0; --k) accounts.numbers.insert(index(texts));
        std::vector<std::uint8_t> registers(count(1));
        if (!registers.empty() && registers.size() != (std::size_t{1} << shape.precision)) broken();
        for (auto& r : registers) {
            r = number<std::uint8_t>();
            if (r > 65 - shape.precision) broken();
        }
        accounts.sketch.set_registers(std::move(registers));
    }
}

counted_kpi state_reader::get_kpi(std::size_t texts) {
    counted_kpi k;
    k.name = text();
    for (auto n = count(4); n > 0; --n) k.by.push_back(text());
    totals_shape shape;
    for (auto n = count(9); n > 0; --n) {
        shape.kinds.push_back(static_cast<total_kind>(number<std::uint8_t>()));
        if (shape.kinds.back() > total_kind::budget) broken();
        shape.divisors.push_back(number<double>());
    }
    if (shape.kinds.size() > 10'000) broken();
    shape.products = number<std::uint8_t>() != 0;
    shape.precision = number<std::uint8_t>();
    if (shape.precision != 0 && (shape.precision < hyperloglog::least || shape.precision > hyperloglog::most)) broken();
    k.shape = std::make_shared<const totals_shape>(std::move(shape));
    const auto periods = count(24);
    if (periods > most_periods) broken();
    for (std::size_t p = 0; p < periods; ++p) {
        period when;
        when.from = instant{microseconds{number<std::int64_t>()}};
        when.to = instant{microseconds{number<std::int64_t>()}};
        k.when.push_back(when);
        k.contacts.push_back(contacts());
    }
    k.totals = std::make_unique<cell_totals>(*k.shape, periods);
    const std::size_t measures = k.shape->kinds.size(), amounts = measures + (k.shape->products ? measures * (measures + 1) / 2 : 0);
    for (auto n = count(8); n > 0; --n) {
        std::vector<std::uint32_t> key(count(4));
        for (auto& x : key) x = index(texts);
        if (!key.empty() && key.size() != k.by.size()) broken();
        const auto cell = k.totals->cell(std::move(key));
        for (auto there = count(4); there > 0; --there) {
            if (k.totals->cells() * periods > most_places || amounts > left_.size() / 20) broken();   // before memory is taken
            const auto p = index(periods);
            get(k.totals->at(cell, p), *k.shape, texts);
        }
    }
    for (auto n = count(24); n > 0; --n) {
        const auto p = index(periods);
        k.totals->unscoped[p] = get_amount();
    }
    return k;
}

counted state_reader::read() {
    const auto all = left_;
    if (!left_.starts_with(magic)) broken();
    left_.remove_prefix(magic.size());
    if (const auto v = number<std::uint8_t>(); v > version)
        throw error{"kpi.state", "", "this state is of version " + std::to_string(v) + "; this program reads versions up to " + std::to_string(version) + ": update it"};
    if (left_.size() < 8) broken();
    auto check = std::uint64_t{0};
    std::memcpy(&check, all.data() + all.size() - 8, 8);
    left_.remove_suffix(8);
    if (stable_hash{}.add(all.substr(0, all.size() - 8)).value() != check) broken();

    counted c;
    c.definitions = text();
    if (number<std::uint8_t>() != 0) {
        table_span s{};
        s.begin = instant{microseconds{number<std::int64_t>()}};
        s.end = instant{microseconds{number<std::int64_t>()}};
        if (number<std::uint8_t>() != 0) s.first = instant{microseconds{number<std::int64_t>()}};
        c.span = s;
    }
    const auto texts = count(4);
    std::vector<std::string> read;
    for (std::size_t k = 0; k < texts; ++k) read.push_back(text());
    // Into numbers of our own, where 0 is "(missing)"; so they are read as numbers of a plain list first.
    cell_texts plain;
    std::vector<std::uint32_t> numbers;
    for (const auto& t : read) numbers.push_back(plain.number(t));
    for (auto n = count(4); n > 0; --n) {
        auto k = get_kpi(texts);
        auto renumbered = std::make_unique<cell_totals>(*k.shape, k.when.size());
        renumbered->merge(*k.totals, numbers);
        k.totals = std::move(renumbered);
        c.kpis.push_back(std::move(k));
    }
    c.texts = std::move(plain);
    if (!left_.empty()) broken();
    return c;
}

}  // namespace journeyman::detail
