#pragma once
/// Secrets as types that cannot be copied, printed or compared by accident, and that are wiped
/// when they die. `reveal()` is the one way in; search for it to audit every use.
/// One owner at a time; not for concurrent use of the same object.

#include <plankurier/bytes.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace plankurier {

/// Overwrites memory in a way the compiler may not remove (sodium_memzero).
void wipe(std::span<std::byte> memory) noexcept;

/// `N` secret bytes. `Tag` makes each kind a distinct type. Move-only; wiped on destruction and
/// when moved from.
template <std::size_t N, typename Tag>
class Secret {
public:
    static constexpr std::size_t size = N;

    /// All zero; to be filled through `reveal_mutable`.
    Secret() noexcept = default;
    /// Copies from memory that the caller wipes. The length must be exactly `N`.
    explicit Secret(ByteView raw) noexcept {
        expects(raw.size() == N, "length of a secret");
        std::copy(raw.begin(), raw.end(), bytes_.begin());
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            wipe(other.bytes_);
        }
        return *this;
    }
    ~Secret() { wipe(bytes_); }

    /// Fresh random bytes.
    [[nodiscard]] static Secret random() {
        Secret secret;
        fill_random(secret.bytes_);
        return secret;
    }
    /// A deliberate second copy, for handing one to another owner.
    [[nodiscard]] Secret clone() const { return Secret{ByteView{bytes_}}; }
    [[nodiscard]] std::span<const std::byte, N> reveal() const noexcept { return bytes_; }
    [[nodiscard]] std::span<std::byte, N> reveal_mutable() noexcept { return bytes_; }
    /// Constant-time comparison with other bytes.
    [[nodiscard]] bool matches(ByteView other) const noexcept {
        return equal_constant_time(bytes_, other);
    }

private:
    std::array<std::byte, N> bytes_{};
};

/// A secret text of any length: a password, a code, a secret part of a link. Move-only, wiped.
class SecretText {
public:
    SecretText() = default;
    explicit SecretText(std::string_view text) : text_(text) {}
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    // Short texts lie within the string itself, so that moving leaves a copy behind.
    SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.clear(); }
    SecretText& operator=(SecretText&& other) noexcept {
        if (this != &other) {
            clear();
            text_ = std::move(other.text_);
            other.clear();
        }
        return *this;
    }
    ~SecretText() { clear(); }

    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
    [[nodiscard]] SecretText clone() const { return SecretText{text_}; }
    /// Wipes the text now.
    void clear() noexcept {
        text_.resize(text_.capacity()); // also what a longer text left behind
        wipe(std::as_writable_bytes(std::span{text_.data(), text_.size()}));
        text_.clear();
    }

private:
    std::string text_;
};

/// The one key of a transfer (`TK`): everything of the transfer is derived from it. Never reused.
using TransferKey = Secret<32, struct TransferKeyTag>;
/// Proof of holding TK: `K("fetch")`. The control plane stores only its SHA-256.
using FetchToken = Secret<32, struct FetchTokenTag>;
/// The sender's right to see the state, revoke and finish. Random; stored as SHA-256.
using ManageToken = Secret<32, struct ManageTokenTag>;
/// The session in which an address is verified. Random; stored as SHA-256.
using SessionToken = Secret<32, struct SessionTokenTag>;
/// The 32 bytes from which a department's, a staff member's or a reply key pair is derived.
using KeySeed = Secret<32, struct KeySeedTag>;
/// The 32 bytes behind a link's `#` that open the transfer for whoever holds the link (format 3.7,
/// stanza 0003). Never sent to a server; never used for two transfers.
using LinkSecret = Secret<32, struct LinkSecretTag>;
/// An Ed25519 seed (RFC 8032) that signs records, tickets, receipts or a manifest.
using SigningSeed = Secret<32, struct SigningSeedTag>;

} // namespace plankurier
