#pragma once
/// How many lines (TLS connections) the piece plane has, and whose they are. A line without a good
/// ticket counts for its address; from its first good ticket on it counts for that transfer, so
/// that people behind one address do not take each other's place. Thread safe: one mutex.

#include "relay/pieces/line_limits.hpp"

#include <plankurier/ids.hpp>

#include <boost/asio/ip/address.hpp>

#include <map>
#include <mutex>
#include <optional>

namespace plankurier::relay::pieces {

class Census {
public:
    /// A line's place; it is free again when the seat ends. One thread at a time; the census
    /// outlives it.
    class Seat {
    public:
        Seat(Seat&& other) noexcept
            : census_(std::exchange(other.census_, nullptr)), address_(other.address_),
              transfer_(other.transfer_), late_(other.late_) {}
        Seat& operator=(Seat&&) = delete;
        ~Seat();
        /// It came when there were enough lines without a ticket: it is there to be told so, or to
        /// show a ticket at once.
        [[nodiscard]] bool late() const noexcept { return late_ && !transfer_; }
        [[nodiscard]] bool has_ticket() const noexcept { return transfer_.has_value(); }
        /// The line has shown a good ticket of the transfer. False: there are enough of these
        /// lines, and nothing has changed.
        [[nodiscard]] bool take(const TransferId& transfer);

    private:
        friend class Census;
        Seat(Census& census, const boost::asio::ip::address& address, bool late)
            : census_(&census), address_(address), late_(late) {}
        Census* census_;
        boost::asio::ip::address address_;
        std::optional<TransferId> transfer_;
        bool late_;
    };

    explicit Census(const LineLimits& limits) : limits_(limits) {}
    /// Nothing: not even a late one has room.
    [[nodiscard]] std::optional<Seat> enter(const boost::asio::ip::address& address);

private:
    void leave(const Seat& seat); ///< under the mutex

    const LineLimits limits_;
    std::mutex mutex_; ///< guards everything below
    std::map<boost::asio::ip::address, std::size_t> by_address_;
    std::map<TransferId, std::size_t> by_transfer_;
    std::size_t without_ticket_{}, with_ticket_{}, late_{};
};

} // namespace plankurier::relay::pieces
