#pragma once

#include <cstddef>

namespace plankurier::relay::pieces {

/// How many lines (TLS connections) the piece plane takes, see census.hpp.
struct LineLimits {
    std::size_t per_address{512}; ///< without a ticket
    std::size_t without_ticket{1'024};
    std::size_t per_transfer{64};
    std::size_t with_ticket{2'048};
    std::size_t late{64}; ///< see `Census::Seat::late`
};

} // namespace plankurier::relay::pieces
