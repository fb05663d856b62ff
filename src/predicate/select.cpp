#include "journeyman/predicate/select.hpp"

#include <algorithm>
#include <future>

#include "journeyman/predicate/evaluate.hpp"
#include "journeyman/predicate/reader.hpp"
#include "predicate/select_passes.hpp"

namespace journeyman {
namespace {

bool exists(const history_data& h, std::uint32_t c, instant at) { return h.exists_from.empty() || h.exists_from[c] <= at.time_since_epoch().count(); }

}  // namespace

std::vector<std::string> selection::ids() const {
    std::vector<std::string> out;
    out.reserve(in_.size());
    for (const auto k : in_) out.push_back(history_.data().contacts.name(k));
    return out;
}
std::vector<std::string> selection::unknown_ids() const {
    std::vector<std::string> out;
    for (const auto k : unknown_) out.push_back(history_.data().contacts.name(k));
    return out;
}
table selection::to_table() const {
    const auto& ids = history_.data().contacts;
    table t{{"contact_id", ids.type()}};
    for (const auto k : in_) ids.push_to(t[0], k);
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
    return {h, std::move(in), std::move(unknown)};
}

selection select(const history& h, const program_ptr& p, node_id n, instant at, unsigned threads) {
    const detail::clause plan = detail::plan_passes(*p, h.data(), n, at);
    const auto contacts = static_cast<std::uint32_t>(h.contacts_count());
    constexpr std::uint32_t too_few = 20'000;            // for a thread to be worth its start
    const std::uint32_t parts = std::clamp(contacts / too_few, 1U, std::max(threads, 1U));
    std::vector<std::vector<std::uint32_t>> in(parts), unknown(parts);
    const auto run = [&](std::uint32_t k) {
        const auto share = [&](std::uint32_t j) { return static_cast<std::uint32_t>(std::uint64_t{contacts} * j / parts); };
        detail::pass_runner{p, h.data(), plan, at}.run(share(k), share(k + 1), in[k], unknown[k]);
    };
    if (parts == 1) {
        run(0);
        return {h, std::move(in[0]), std::move(unknown[0])};
    }
    std::vector<std::future<void>> others;
    for (std::uint32_t k = 1; k < parts; ++k) others.push_back(std::async(std::launch::async, run, k));
    run(0);
    for (auto& o : others) o.get();
    for (std::uint32_t k = 1; k < parts; ++k) {
        in[0].insert(in[0].end(), in[k].begin(), in[k].end());
        unknown[0].insert(unknown[0].end(), unknown[k].begin(), unknown[k].end());
    }
    return {h, std::move(in[0]), std::move(unknown[0])};
}

selection history::select(const expression& p, instant at) const { return journeyman::select(*this, p, at); }

selection select(const history& h, const expression& e, instant at, const compile_context& context, unsigned threads) {
    const auto [p, n] = compile(e, h.schema(), h.data().pool, context);
    return select(h, p, n, at, threads);
}

}  // namespace journeyman
