#pragma once
/// FLOE: random-access authenticated encryption in segments (C2SP FLOE; Snowflake
/// floe-specification; ePrint 2025/2275), with AES-256-GCM and HKDF-Expand-SHA-384. Internal to
/// the engine. A `Floe` belongs to one thread; its keys are wiped with it.

#include "engine/crypto.hpp"

#include <plankurier/envelope.hpp>

#include <memory>

namespace plankurier {

/// The associated data of a body.
[[nodiscard]] Bytes body_aad(const TransferId& transfer);

class Floe {
public:
    /// Of one string: `segment_bytes_full` on the wire, `rotation_bits` segments per key (log2; 20
    /// but in the public vectors).
    struct Shape {
        std::uint32_t segment_bytes_full{static_cast<std::uint32_t>(segment_bytes)};
        unsigned rotation_bits{20};
    };
    /// A new string with this 32-byte IV.
    Floe(ByteView key, ByteView aad, std::span<const std::byte, 32> iv, Shape shape);
    /// An existing string. Fails with `malformed` (other parameters) or `tampered` (the key
    /// commitment in the header's tag does not fit).
    [[nodiscard]] static Result<Floe> open(ByteView key, ByteView aad, const FloeHeader& header,
                                           Shape shape);
    ~Floe();
    Floe(Floe&&) noexcept;
    Floe& operator=(Floe&&) noexcept;

    [[nodiscard]] const FloeHeader& header() const noexcept;
    /// Seals one segment; `out` is `plain.size() + 32` bytes. A segment that is not the last must
    /// be full.
    void seal(std::uint64_t position, bool last, std::span<const std::byte, 12> iv, ByteView plain,
              std::span<std::byte> out);
    /// Opens one segment; `out` is `sealed.size() - 32` bytes. Fails with `tampered`.
    [[nodiscard]] Result<void> unseal(std::uint64_t position, bool last, ByteView sealed,
                                      std::span<std::byte> out);

private:
    struct State;
    explicit Floe(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace plankurier
