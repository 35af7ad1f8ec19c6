#include <plankurier/signer.hpp>

#include <algorithm>

namespace plankurier {

namespace {

/// Both numbers come from outside; their difference may not fit the signed type.
std::uint64_t seconds_before(std::int64_t time, std::int64_t other) noexcept {
    if (time >= other) return 0;
    return static_cast<std::uint64_t>(other) - static_cast<std::uint64_t>(time);
}

bool counts(const DepartmentSigningKey& key, const Directory& directory, std::int64_t created) {
    const auto tolerance = static_cast<std::uint64_t>(signer_tolerance_s);
    return seconds_before(created, key.from) <= tolerance &&
           seconds_before(key.until, created) < tolerance &&
           std::ranges::find(directory.revoked, key.kid) == directory.revoked.end();
}

} // namespace

Result<std::optional<Signer>> check_signer(const OpenedEnvelope& opened,
                                           const Directory& directory) {
    if (!opened.signature) return std::nullopt;
    const ManifestSignature& signature = *opened.signature;
    for (const auto* list : {&directory.departments, &directory.clerks}) {
        for (const Department& department : *list) {
            for (const DepartmentSigningKey& key : department.signing_keys) {
                if (counts(key, directory, opened.manifest.created) &&
                    verify(key.key, signature.statement, signature.value)) {
                    return Signer{department.id, key.kid};
                }
            }
        }
    }
    return fail(Errc::bad_signature, "manifest");
}

} // namespace plankurier
