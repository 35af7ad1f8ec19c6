#include "relay/adapters/vault_file.hpp"

#include "relay/adapters/sealing_box.hpp"

#include <plankurier/fault.hpp>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace plankurier::relay::adapters {

namespace {

constexpr std::size_t slot_bytes = 64;
constexpr Slot slots_step = 16'384; // one mebibyte

[[noreturn]] void raise(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void refuse_copy_on_write(int fd) {
    constexpr std::uint32_t zfs_magic = 0x2FC12FC1;
    constexpr std::uint32_t bcachefs_magic = 0xCA451A4E;
    struct statfs info {};
    if (::fstatfs(fd, &info) != 0) raise("statfs of the vault");
    const auto kind = static_cast<std::uint32_t>(info.f_type);
    if (kind == BTRFS_SUPER_MAGIC || kind == NILFS_SUPER_MAGIC || kind == zfs_magic ||
        kind == bcachefs_magic) {
        throw std::runtime_error("the vault lies on a copy-on-write file system, where keys cannot "
                                 "be erased in place: move the data folder to ext4 or xfs");
    }
}

} // namespace

VaultFile::VaultFile(const std::filesystem::path& file)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0) raise("open the vault");
    refuse_copy_on_write(fd_);
    struct stat info {};
    if (::fstat(fd_, &info) != 0) raise("stat of the vault");
    slots_ = static_cast<Slot>(static_cast<std::size_t>(info.st_size) / slot_bytes);
    if (slots_ == 0) grow();
}

VaultFile::~VaultFile() { ::close(fd_); }

void VaultFile::grow() {
    Bytes noise(slots_step * slot_bytes);
    fill_random(noise); // written, not only allocated: later writes then stay in place
    const auto at = static_cast<off_t>(std::size_t{slots_} * slot_bytes);
    const ssize_t written = ::pwrite(fd_, noise.data(), noise.size(), at);
    if (written >= 0 && written < static_cast<ssize_t>(noise.size())) errno = ENOSPC;
    if (written != static_cast<ssize_t>(noise.size()) || ::fsync(fd_) != 0) {
        raise("grow the vault");
    }
    for (Slot slot = slots_; slot < slots_ + slots_step; ++slot) free_.insert(slot);
    slots_ += slots_step;
}

void VaultFile::write_slot(Slot slot, ByteView bytes) {
    expects(slot < slots_ && bytes.size() == slot_bytes, "vault slot");
    const auto at = static_cast<off_t>(std::size_t{slot} * slot_bytes);
    PK_FAULT("vault.before_write");
    if (::pwrite(fd_, bytes.data(), bytes.size(), at) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(fd_) != 0) {
        raise("write the vault");
    }
    PK_FAULT("vault.after_write");
}

Slot VaultFile::allocate() {
    if (free_.empty()) grow();
    const Slot slot = *free_.begin();
    Secret<slot_bytes, struct SlotTag> fresh = Secret<slot_bytes, struct SlotTag>::random();
    write_slot(slot, fresh.reveal());
    free_.erase(slot);
    return slot;
}

void VaultFile::erase(Slot slot) {
    if (slot >= slots_ || free_.contains(slot) || erased_.contains(slot)) return;
    Bytes noise(slot_bytes);
    fill_random(noise);
    write_slot(slot, noise);
    erased_.insert(slot);
}

void VaultFile::keep_only(const std::vector<Slot>& used) {
    const std::set<Slot> kept{used.begin(), used.end()};
    // A file that was lost or cut short has lost their keys; their places are theirs all the same.
    while (!kept.empty() && *kept.rbegin() >= slots_) grow();
    // What is free now may hold a key from before a crash: noise over all of it, synced once.
    Bytes noise(slot_bytes);
    for (Slot slot = 0; slot < slots_; ++slot) {
        if (kept.contains(slot)) {
            free_.erase(slot);
            continue;
        }
        if (!free_.insert(slot).second) continue; // made from noise a moment ago
        if (erased_.erase(slot) != 0) continue;
        fill_random(noise);
        const auto at = static_cast<off_t>(std::size_t{slot} * slot_bytes);
        if (::pwrite(fd_, noise.data(), noise.size(), at) != static_cast<ssize_t>(slot_bytes)) {
            raise("clean the vault");
        }
    }
    if (::fdatasync(fd_) != 0) raise("sync the vault");
}

VaultFile::SlotKey VaultFile::key_of(Slot slot) const {
    expects(slot < slots_, "vault slot");
    SlotKey key;
    const auto at = static_cast<off_t>(std::size_t{slot} * slot_bytes);
    const auto target = key.reveal_mutable();
    if (::pread(fd_, target.data(), target.size(), at) != static_cast<ssize_t>(target.size())) {
        raise("read the vault");
    }
    return key;
}

Bytes VaultFile::seal(Slot slot, std::string_view purpose, ByteView plain) {
    return box_seal(key_of(slot).reveal(), purpose, plain);
}

Result<Bytes> VaultFile::open(Slot slot, std::string_view purpose, ByteView sealed) {
    return box_open(key_of(slot).reveal(), purpose, sealed);
}

} // namespace plankurier::relay::adapters
