#include "journeyman/predicate/select.hpp"

#include <algorithm>
#include <bit>
#include <future>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "predicate/select_passes.hpp"

namespace journeyman {
namespace {

bool exists(const history_data& h, std::uint32_t c, instant at) { return h.exists_from.empty() || h.exists_from[c] <= at.time_since_epoch().count(); }

}  // namespace

contact_set::contact_set(std::vector<std::uint64_t> bits) : bits_{std::make_shared<const std::vector<std::uint64_t>>(std::move(bits))} {
    count_ = detail::best_kernels().count(bits_->data(), bits_->size());
    numbers_.settle();
}
contact_set::contact_set(const std::vector<std::uint32_t>& numbers) : contact_set{[&] {
    std::vector<std::uint64_t> bits(numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end()) / 64 + std::size_t{1}, 0);
    for (const auto k : numbers) bits[k / 64] |= std::uint64_t{1} << (k % 64);
    return bits;
}()} {}
const std::vector<std::uint32_t>& contact_set::numbers() const {
    static const std::vector<std::uint32_t> nobody;
    if (bits_ == nullptr) return nobody;
    return *numbers_.get([&] {
        std::vector<std::uint32_t> out;
        out.reserve(count_);
        detail::each_bit(bits_->data(), bits_->size(), [&](std::uint32_t k) { out.push_back(k); });
        return out;
    });
}
std::size_t contact_set::in_common(const contact_set& other) const {
    std::size_t n = 0;
    if (bits_ == nullptr || other.bits_ == nullptr) return n;
    for (std::size_t w = 0; w < std::min(bits_->size(), other.bits_->size()); ++w) n += static_cast<std::size_t>(std::popcount((*bits_)[w] & (*other.bits_)[w]));
    return n;
}

std::vector<std::string> selection::ids() const {
    std::vector<std::string> out;
    out.reserve(count());
    for (const auto k : numbers()) out.push_back(history_.data().contacts.name(k));
    return out;
}
std::vector<std::string> selection::unknown_ids() const {
    std::vector<std::string> out;
    for (const auto k : unknown_numbers()) out.push_back(history_.data().contacts.name(k));
    return out;
}
table selection::to_table() const {
    const auto& ids = history_.data().contacts;
    table t{{"contact_id", ids.type()}};
    for (const auto k : numbers()) ids.push_to(t[0], k);
    return t;
}

selection select_plainly(const history& h, const program_ptr& p, node_id n, instant at) {
    history_reader reader{p, h.data()};
    std::vector<std::uint32_t> in, unknown;
    for (std::uint32_t k = 0; k < h.contacts_count(); ++k) {
        if (!exists(h.data(), k, at)) continue;
        reader.load(k);
        const truth x = ask(*p, n, reader.see(at), at);
        if (x == truth::yes) in.push_back(k);
        if (x == truth::unknown) unknown.push_back(k);
    }
    return {h, contact_set{in}, contact_set{unknown}};
}

std::vector<selection> select_many(const history& h, const program_ptr& p, std::span<const node_id> asked, instant at, unsigned threads) {
    using detail::pass_runner;
    std::vector<detail::clause> plans;
    for (const auto n : asked) plans.push_back(detail::plan_passes(*p, h.data(), n, at));
    const std::uint32_t shared = detail::find_shared(plans);
    const auto contacts = static_cast<std::uint32_t>(h.contacts_count());
    std::vector<std::vector<std::uint64_t>> in(plans.size()), unknown(plans.size());
    std::vector<pass_runner::answers> out;
    for (std::size_t k = 0; k < plans.size(); ++k) {
        in[k].resize((std::size_t{contacts} + 63) / 64);
        unknown[k].resize(in[k].size());
        out.push_back({in[k].data(), unknown[k].data()});
    }
    constexpr std::uint32_t too_few = 20'000;            // for a thread to be worth its start
    const std::uint32_t parts = std::clamp(contacts / too_few, 1U, std::max(threads, 1U)), chunks = (contacts + pass_runner::chunk - 1) / pass_runner::chunk;
    const auto run = [&](std::uint32_t k) {
        const auto share = [&](std::uint32_t j) { return std::min(contacts, static_cast<std::uint32_t>(std::uint64_t{chunks} * j / parts) * pass_runner::chunk); };
        pass_runner{p, h.data(), plans, shared, at}.run(share(k), share(k + 1), out);
    };
    std::vector<std::future<void>> others;
    for (std::uint32_t k = 1; k < parts; ++k) others.push_back(std::async(std::launch::async, run, k));
    run(0);
    for (auto& o : others) o.get();
    std::vector<selection> found;
    found.reserve(plans.size());
    for (std::size_t k = 0; k < plans.size(); ++k) found.emplace_back(h, contact_set{std::move(in[k])}, contact_set{std::move(unknown[k])});
    return found;
}

selection select(const history& h, const program_ptr& p, node_id n, instant at, unsigned threads) { return select_many(h, p, std::span{&n, 1}, at, threads)[0]; }

selection history::select(const expression& p, instant at) const { return journeyman::select(*this, p, at); }

selection select(const history& h, const expression& e, instant at, const compile_context& context, unsigned threads) {
    const auto [p, n] = compile(e, h.schema(), h.data().pool, context);
    return select(h, p, n, at, threads);
}

}  // namespace journeyman
