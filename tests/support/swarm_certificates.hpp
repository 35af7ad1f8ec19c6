#pragma once
/// A certificate authority for tests of the swarm, and what it issues. One thread at a time.

#include <plankurier/swarm.hpp>

#include <chrono>
#include <memory>

namespace plankurier::test {

class CertificateAuthority {
public:
    /// A new EC P-256 key and a certificate for it.
    CertificateAuthority();
    ~CertificateAuthority();
    CertificateAuthority(CertificateAuthority&&) noexcept;

    /// What is asked for, right or wrong.
    struct Wish {
        std::string name; ///< CN
        std::chrono::seconds from{-60}, until{3'600};
        std::string other_name{}; ///< a DNS name as SAN, unless empty
    };
    [[nodiscard]] SwarmCertificate issue(const Wish& wish) const;
    [[nodiscard]] SwarmCertificate issue(const TransferId& transfer) const {
        return issue(Wish{transfer.hex()});
    }
    /// PEM.
    [[nodiscard]] const std::string& certificate() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier::test
