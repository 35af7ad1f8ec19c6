#pragma once
/// Which department or clerk an authority's message comes from (format 3.8). A citizen's transfer
/// carries no signature; what an authority sends carries that of one of them, made by
/// `seal_envelope` with `SealOptions::signer`. Stateless functions; any thread.

#include <plankurier/directory.hpp>
#include <plankurier/envelope.hpp>

namespace plankurier {

/// A signing key of the directory that verifies a manifest.
struct Signer {
    std::string department; ///< id in the directory, also of a clerk
    KeyId kid{};            ///< of the signing key
    friend bool operator==(const Signer&, const Signer&) = default;
};

/// Clocks of staff and directory may differ by this much.
inline constexpr std::int64_t signer_tolerance_s = 86'400;

/// The department or clerk that signed, or nothing when the manifest is unsigned. A key counts when
/// it is not revoked and the manifest's `created` lies in its from/until, give or take
/// `signer_tolerance_s`. Fails with `bad_signature` when no such key verifies the signature: then
/// nothing of the manifest may be shown as the authority's.
[[nodiscard]] Result<std::optional<Signer>> check_signer(const OpenedEnvelope& opened,
                                                         const Directory& directory);

} // namespace plankurier
