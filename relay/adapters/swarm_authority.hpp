#pragma once
/// The domain's `CertificateAuthority` on OpenSSL, with its key in two files: FOLDER/swarm-ca.pem
/// (the certificate) and FOLDER/swarm-ca.key (PKCS #8, mode 0600). Certificates as libtorrent 2.0.8
/// checks them: against this CA alone, by a common name that a torrent's name begins with, so that
/// the 32 digits of a transfer's id fit all volumes of this transfer and nothing else.
/// One thread at a time.

#include "relay/domain/ports.hpp"

#include <filesystem>
#include <memory>

namespace plankurier::relay::adapters {

class SwarmAuthority final : public CertificateAuthority {
public:
    /// Reads the files, or makes them when there is no certificate: EC P-256, valid for 20 years
    /// from the day before `now`. Throws std::runtime_error when the key is missing or is not the
    /// certificate's, std::system_error when a file cannot be read or written.
    SwarmAuthority(const std::filesystem::path& folder, std::int64_t now);
    ~SwarmAuthority() override;
    SwarmAuthority(const SwarmAuthority&) = delete;
    SwarmAuthority& operator=(const SwarmAuthority&) = delete;

    const std::string& certificate() override { return pem_; }
    /// X.509 v3, signed with ECDSA and SHA-256: random serial of 127 bits, subject CN = transfer id
    /// (hexadecimal) and nothing else, no alternative names, not a CA, key usage digitalSignature,
    /// extended key usage of TLS clients and servers.
    Result<std::string> issue(const TransferId& transfer, ByteView public_key, std::int64_t from,
                              std::int64_t until) override;

private:
    struct State;
    std::unique_ptr<State> state_;
    std::string pem_;
};

} // namespace plankurier::relay::adapters
