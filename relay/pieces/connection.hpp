#pragma once
/// One TLS connection of the piece plane: HTTP/1.1 by Boost.Beast's parser, OpenSSL directly on the
/// non-blocking socket. asio::ssl::stream would copy every record through a BIO pair and finish an
/// operation for each 16 KiB; here SSL_read fills a 256 KiB buffer in one go.
/// Lives on one strand.

#include <utility> // Boost 1.74 uses std::exchange without it

#include "relay/pieces/census.hpp"
#include "relay/pieces/service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <openssl/ssl.h>

namespace plankurier::relay::pieces {

/// Serves requests until the line ends, a limit is passed or HTTP is broken. Never throws.
[[nodiscard]] boost::asio::awaitable<void> serve_connection(boost::asio::ip::tcp::socket socket,
                                                            SSL_CTX* context, Service& service,
                                                            Census::Seat seat);

} // namespace plankurier::relay::pieces
