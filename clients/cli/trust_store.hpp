#pragma once
/// Which authorities are trusted: for each server the pinned root key and the highest serial of its
/// directory that was seen. One file, 0600; one thread.

#include <plankurier/directory.hpp>

#include <filesystem>
#include <optional>

namespace plankurier::cli {

class TrustStore {
public:
    /// Uses `folder`/trust.json.
    explicit TrustStore(std::filesystem::path folder);

    struct Pinned {
        std::string server, authority;
        TrustAnchor anchor;
    };
    /// All that is pinned. Fails with `malformed` or `file_unreadable`.
    [[nodiscard]] Result<std::vector<Pinned>> all() const;
    /// What is pinned for a server (URL without a slash at the end). Fails with `untrusted_root`
    /// when there is nothing.
    [[nodiscard]] Result<Pinned> find(const std::string& server) const;
    /// Pins or replaces. Durable on success.
    [[nodiscard]] Result<void> pin(const Pinned& pinned);

private:
    std::filesystem::path path_;
};

} // namespace plankurier::cli
