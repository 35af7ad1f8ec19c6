#pragma once
/// The certificate and key that the piece plane shows to clients. Free functions; any thread.

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace plankurier::relay::pieces {

struct FreeServerTls {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using ServerTls = std::unique_ptr<SSL_CTX, FreeServerTls>;

/// TLS 1.2 and 1.3 as a server. Throws std::runtime_error that says which file is missing or wrong
/// and what belongs there.
[[nodiscard]] ServerTls server_tls(const std::filesystem::path& certificate,
                                   const std::filesystem::path& private_key);

/// What is wrong with these files, also what clients alone would refuse: a certificate that has
/// ended, or does not hold yet. Nothing when all is well.
[[nodiscard]] std::optional<std::string>
server_tls_problem(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// Whether a certificate that can be used is for this host, a name or an address.
[[nodiscard]] bool server_tls_is_for(const std::filesystem::path& certificate,
                                     const std::filesystem::path& key, const std::string& host);

} // namespace plankurier::relay::pieces
