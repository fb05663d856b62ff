#pragma once
// What a run over a range of contacts keeps of actions and stays: rows as they came, packed. There are tens of millions of them, and fresh memory costs more than packing:
// a row is its head, who it is of where that differs from the row before, and its places as distances from the last one.

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "journeyman/workflow/machine.hpp"
#include "journeyman/workflow/world.hpp"

namespace journeyman {

class run_log {
public:
    /// Contacts in ascending order.
    void add(std::uint32_t contact, const step_action& a) {
        const bool later = a.until != end_of_time;
        begin(contact, {a.workflow, a.step, a.journey}, static_cast<unsigned>(a.status) << 3 | static_cast<unsigned>(a.reason) << 5);
        put((std::uint64_t{a.channel} + 1) << 1 | (later ? 1 : 0));
        put(a.at.at, a.at.order);
        if (later) put(folded(a.until, a.at.at));
    }
    void add(std::uint32_t contact, const stay& s) {
        const bool there = s.to.at == last_.at.at && s.to.order == last_.at.order;                        // left where the log stands: with its last action
        begin(contact, {s.workflow, s.step, s.journey}, is_stay | static_cast<unsigned>(s.by) << 3 | (there ? left_there : 0U));
        put(std::uint64_t{s.next} + 1);
        put(s.from.at, s.from.order);
        if (there || s.by == passage::running) {
            last_.at.at = s.to.at;
            last_.at.order = s.to.order;
        } else {
            put(s.to.at, s.to.order);
        }
    }

    /// `act(contact, action)` and `leave(contact, stay)`, in order. The actions come without their values.
    template <class Act, class Leave>
    void each(Act act, Leave leave) const {
        state last;
        for (const auto& c : chunks_)
            for (reader r{c->bytes, last}; r.from < end_of(*c);) {
                const unsigned head = r.begin();
                const auto& [contact, who, _] = last;
                if ((head & is_stay) == 0) {
                    step_action a{who.workflow, who.step, who.journey};
                    const auto channel = r.number();
                    a.channel = static_cast<std::uint32_t>((channel >> 1) - 1);
                    a.status = static_cast<action_status>(head >> 3 & 3);
                    a.reason = static_cast<action_reason>(head >> 5);
                    a.at = r.place();
                    if ((channel & 1) != 0) a.until = unfolded(r.number(), a.at.at);
                    act(contact, a);
                } else {
                    stay s{who.workflow, who.step, who.journey};
                    s.by = static_cast<passage>(head >> 3 & 15);
                    const position there = last.at;
                    s.next = static_cast<std::uint32_t>(r.number() - 1);
                    s.from = r.place();
                    if (s.by == passage::running) last.at = {end_of_time, 0};
                    else if ((head & left_there) != 0) last.at = there;
                    else r.place();
                    s.to = last.at;
                    leave(contact, s);
                }
            }
    }

private:
    static_assert(std::endian::native == std::endian::little, "a number is written as its first bytes");
    static constexpr unsigned is_stay = 1, other_contact = 2, same_journey = 4, left_there = 0x80;
    static constexpr std::size_t longest = 128;
    struct chunk {
        std::uint8_t* end = nullptr;                                // set when the next one is begun
        std::uint8_t bytes[256 * 1024 - sizeof(std::uint8_t*)];
    };
    struct owner {
        std::uint32_t workflow = none, step = none, journey = none;
        friend bool operator==(const owner&, const owner&) = default;
    };
    struct state {
        std::uint32_t contact = 0;
        owner who;
        position at{instant{}, 0};
    };

    static std::uint64_t folded(std::int64_t n) { return static_cast<std::uint64_t>(n) << 1 ^ static_cast<std::uint64_t>(n >> 63); }
    static std::int64_t unfolded(std::uint64_t n) { return static_cast<std::int64_t>(n >> 1 ^ (0 - (n & 1))); }
    static std::uint64_t micros(instant t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); }   // differences wrap around, and back
    static std::uint64_t folded(instant t, instant from) { return folded(static_cast<std::int64_t>(micros(t) - micros(from))); }
    static instant unfolded(std::uint64_t n, instant from) { return instant{microseconds{static_cast<std::int64_t>(micros(from) + static_cast<std::uint64_t>(unfolded(n)))}}; }
    static unsigned bytes_of(std::uint64_t n) { return (static_cast<unsigned>(std::bit_width(n)) + 7) / 8; }

    /// An order, so that what is likely is small: near the last one at the same instant; else its number, or the number of a timer.
    static std::int64_t order_code(instant at, std::uint32_t order, const position& last) {
        if (at == last.at) return std::int64_t{order} - last.order;
        return order < first_timer ? std::int64_t{order} : -1 - (std::int64_t{order} - first_timer);
    }
    static std::uint32_t order_of(std::int64_t code, instant at, const position& last) {
        return static_cast<std::uint32_t>(at == last.at ? last.order + code : code >= 0 ? code : first_timer - 1 - code);
    }

    // ---- writing
    void begin(std::uint32_t contact, owner who, unsigned head) {
        if (to_ == nullptr || to_ + longest > chunks_.back()->bytes + sizeof(chunk::bytes)) {
            if (to_ != nullptr) chunks_.back()->end = to_;
            chunks_.push_back(std::unique_ptr<chunk>{new chunk});   // its bytes are not written before use
            to_ = chunks_.back()->bytes;
        }
        const bool other = contact != last_.contact, same = who == last_.who;
        *to_++ = static_cast<std::uint8_t>(head | (other ? other_contact : 0U) | (same ? same_journey : 0U));
        if (other) put(contact - last_.contact);
        last_.contact = contact;
        if (same) return;
        put(who.workflow);
        put(who.step);
        put(who.journey);
        last_.who = who;
    }
    void put(std::uint64_t n) {
        for (; n >= 0x80; n >>= 7) *to_++ = static_cast<std::uint8_t>(n | 0x80);
        *to_++ = static_cast<std::uint8_t>(n);
    }
    /// Both lengths, then as many bytes. (By its parts: a position read whole right after its parts were written waits for them.)
    void put(instant at, std::uint32_t place) {
        const std::uint64_t far = folded(at, last_.at.at), order = folded(order_code(at, place, last_.at));
        const unsigned n = bytes_of(far), m = bytes_of(order);
        *to_++ = static_cast<std::uint8_t>(n << 4 | m);
        std::memcpy(to_, &far, sizeof far);
        std::memcpy(to_ + n, &order, sizeof order);
        to_ += n + m;
        last_.at.at = at;
        last_.at.order = place;
    }

    // ---- reading
    struct reader {
        const std::uint8_t* from;
        state& last;

        unsigned begin() {
            const unsigned head = *from++;
            if ((head & other_contact) != 0) last.contact += static_cast<std::uint32_t>(number());
            if ((head & same_journey) != 0) return head;
            last.who.workflow = static_cast<std::uint32_t>(number());
            last.who.step = static_cast<std::uint32_t>(number());
            last.who.journey = static_cast<std::uint32_t>(number());
            return head;
        }
        std::uint64_t number() {
            std::uint64_t n = 0;
            for (unsigned shift = 0;; shift += 7) {
                const std::uint64_t byte = *from++;
                n |= (byte & 0x7f) << shift;
                if (byte < 0x80) return n;
            }
        }
        position place() {
            const unsigned n = *from >> 4, m = *from & 15U;
            std::uint64_t far = 0, order = 0;
            std::memcpy(&far, from + 1, n);
            std::memcpy(&order, from + 1 + n, m);
            from += 1 + n + m;
            const instant at = unfolded(far, last.at.at);
            return last.at = {at, order_of(unfolded(order), at, last.at)};
        }
    };
    [[nodiscard]] const std::uint8_t* end_of(const chunk& c) const { return &c == chunks_.back().get() ? to_ : c.end; }

    std::vector<std::unique_ptr<chunk>> chunks_;
    std::uint8_t* to_ = nullptr;                                    // in the last chunk
    state last_;
};

}  // namespace journeyman
