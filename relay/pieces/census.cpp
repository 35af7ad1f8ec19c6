#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/census.hpp"

namespace plankurier::relay::pieces {

namespace {

template <typename Key>
void count_down(std::map<Key, std::size_t>& counts, const Key& key) {
    const auto found = counts.find(key);
    if (found != counts.end() && --found->second == 0) counts.erase(found);
}

template <typename Key>
std::size_t count_of(const std::map<Key, std::size_t>& counts, const Key& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

} // namespace

std::optional<Census::Seat> Census::enter(const boost::asio::ip::address& address) {
    const std::scoped_lock lock{mutex_};
    const bool crowded = without_ticket_ >= limits_.without_ticket ||
                         count_of(by_address_, address) >= limits_.per_address;
    if (crowded && late_ >= limits_.late) return std::nullopt;
    if (crowded) {
        ++late_;
    } else {
        ++without_ticket_;
        ++by_address_[address];
    }
    return Seat{*this, address, crowded};
}

void Census::leave(const Seat& seat) {
    if (seat.transfer_) {
        --with_ticket_;
        count_down(by_transfer_, *seat.transfer_);
    } else if (seat.late_) {
        --late_;
    } else {
        --without_ticket_;
        count_down(by_address_, seat.address_);
    }
}

bool Census::Seat::take(const TransferId& transfer) {
    if (transfer_ == transfer) return true;
    const std::scoped_lock lock{census_->mutex_};
    if (count_of(census_->by_transfer_, transfer) >= census_->limits_.per_transfer ||
        (!transfer_ && census_->with_ticket_ >= census_->limits_.with_ticket)) {
        return false;
    }
    census_->leave(*this);
    transfer_ = transfer;
    ++census_->with_ticket_;
    ++census_->by_transfer_[transfer];
    return true;
}

Census::Seat::~Seat() {
    if (census_ == nullptr) return;
    const std::scoped_lock lock{census_->mutex_};
    census_->leave(*this);
}

} // namespace plankurier::relay::pieces
