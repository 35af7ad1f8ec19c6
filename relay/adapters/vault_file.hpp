#pragma once
/// The vault: one preallocated file of 64-byte slots, a random key in each used one. Erasing
/// overwrites in place and syncs; a database cannot do that, since deleted rows stay on the raw
/// disk. On SSDs the controller may keep old cells: full disk encryption covers that.
/// One thread at a time.

#include "relay/domain/ports.hpp"

#include <plankurier/secret.hpp>

#include <filesystem>
#include <set>

namespace plankurier::relay::adapters {

class VaultFile final : public Vault {
public:
    /// Creates the file (0600, one mebibyte) if it is missing. Throws std::system_error, and
    /// std::runtime_error on copy-on-write file systems, where in-place erasure is a lie.
    explicit VaultFile(const std::filesystem::path& file);
    ~VaultFile() override;
    VaultFile(const VaultFile&) = delete;
    VaultFile& operator=(const VaultFile&) = delete;

    Slot allocate() override;
    void erase(Slot slot) override;
    Bytes seal(Slot slot, std::string_view purpose, ByteView plain) override;
    Result<Bytes> open(Slot slot, std::string_view purpose, ByteView sealed) override;
    void keep_only(const std::vector<Slot>& used) override;

private:
    using SlotKey = Secret<32, struct SlotKeyTag>;
    [[nodiscard]] SlotKey key_of(Slot slot) const;
    void write_slot(Slot slot, ByteView bytes);
    void grow();

    int fd_{-1};
    Slot slots_{};
    std::set<Slot> free_;
    std::set<Slot> erased_; ///< free as soon as `keep_only` does not name them
};

} // namespace plankurier::relay::adapters
