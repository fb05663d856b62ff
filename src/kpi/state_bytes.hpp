#pragma once
// The bytes of a state. Version 1:
//
//   "JMKPI" 1 · definitions · span · texts · KPIs · a check: stable_hash of all before it (8 bytes)
//
// Numbers are little-endian: counts of 4 bytes, instants and whole numbers of 8, sums of 16, decimals as their 8 bytes. A text is its size (4) and its bytes, a list its
// count (4) and its items. What may be missing has a byte before it: 0 missing, 1 there. In detail:
//   span         missing, or begin, end (8 each), first (may be missing; 8)
//   texts        list of texts, sorted; the numbers of dimensions and accounts point into it
//   KPI          name, list of dimensions, list of (kind 1, divisor 8) by measure, products 1, precision of sketches 1,
//                list of periods (from, to, contacts: 8 each), list of cells, list of (period 4, amount) of unscoped spend
//   cell         list of text numbers (4 each; none: the total), list of (period 4, totals)
//   totals       amount by measure, amount by pair of measures where there are products, immature 8, list of (measure 4, accounts)
//   amount       whole 16, list of decimals, each what those before it leave of the exact sum, correctly rounded
//   accounts     list of text numbers (4 each), list of registers (1 each)
// A later version reads all earlier ones; tests/golden holds files of each.

#include <string>
#include <string_view>

#include "kpi/counted.hpp"

namespace journeyman::detail {

class state_writer {
public:
    std::string write(const counted&);

private:
    template <class T> void number(T x);
    void count(std::size_t n);
    void text(std::string_view);
    void put(const amount&);
    void put(const totals&, const std::vector<std::uint32_t>& numbers);
    void put(const counted_kpi&, const cell_texts&, const std::vector<std::uint32_t>& numbers);
    std::string out_;
};

/// Everything is checked before it is used: bytes may come from anywhere.
class state_reader {
public:
    explicit state_reader(std::string_view bytes) : left_{bytes} {}
    counted read();

private:
    template <class T> T number();
    std::size_t count(std::size_t least_size);
    std::string text();
    std::uint32_t index(std::size_t below);
    std::int64_t contacts();
    amount get_amount();
    void get(totals&, const totals_shape&, std::size_t texts);
    counted_kpi get_kpi(std::size_t texts);
    std::string_view left_;
};

}  // namespace journeyman::detail
