#include "engine/hpke.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <sodium.h>

#include <memory>

// OpenSSL 3.0 marks the EC_POINT arithmetic as current API (only EC_KEY is deprecated), and it is
// the shortest way to a validated P-256 Diffie-Hellman from raw bytes.

namespace plankurier::hpke {

namespace {

using crypto::Key256;

constexpr std::size_t p256_point_bytes = 65;

std::uint16_t kem_id(StanzaType type) noexcept {
    return type == StanzaType::hpke_x25519 ? 0x0020 : 0x0010;
}

Bytes kem_suite(StanzaType type) { return Writer{}.text("KEM").u16(kem_id(type)).take(); }
Bytes hpke_suite(StanzaType type) {
    return Writer{}.text("HPKE").u16(kem_id(type)).u16(1).u16(2).take();
}

/// RFC 9180 section 4: LabeledExtract and LabeledExpand (one block is enough for all our keys).
void labeled_extract(ByteView suite, ByteView salt, std::string_view label, ByteView ikm,
                     std::span<std::byte> out) {
    static constexpr std::array<std::byte, 32> no_salt{};
    crypto::hmac_sha256(salt.empty() ? ByteView{no_salt} : salt,
                        {as_bytes("HPKE-v1"), suite, as_bytes(label), ikm}, out);
}
void labeled_expand(ByteView suite, ByteView prk, std::string_view label, ByteView info,
                    std::span<std::byte> out) {
    const Bytes length = Writer{}.u16(static_cast<std::uint16_t>(out.size())).take();
    constexpr std::byte one{1};
    crypto::hmac_sha256(
        prk, {length, as_bytes("HPKE-v1"), suite, as_bytes(label), info, ByteView{&one, 1}}, out);
}

struct FreeGroup {
    void operator()(EC_GROUP* group) const noexcept { EC_GROUP_free(group); }
};
struct FreePoint {
    void operator()(EC_POINT* point) const noexcept { EC_POINT_clear_free(point); }
};
struct FreeNumber {
    void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
};
struct FreeNumbers {
    void operator()(BN_CTX* numbers) const noexcept { BN_CTX_free(numbers); }
};

/// P-256 arithmetic on raw bytes.
class P256 {
public:
    /// False when the scalar is not in [1, order).
    [[nodiscard]] bool valid_scalar(ByteView scalar) const {
        const std::unique_ptr<BIGNUM, FreeNumber> number{number_from(scalar)};
        return BN_is_zero(number.get()) == 0 &&
               BN_cmp(number.get(), EC_GROUP_get0_order(group_.get())) < 0;
    }
    [[nodiscard]] Bytes base_times(ByteView scalar) const {
        const std::unique_ptr<BIGNUM, FreeNumber> number{number_from(scalar)};
        const std::unique_ptr<EC_POINT, FreePoint> point{EC_POINT_new(group_.get())};
        expects(EC_POINT_mul(group_.get(), point.get(), number.get(), nullptr, nullptr,
                             numbers_.get()) == 1,
                "P-256 base");
        return encode(point.get());
    }
    /// Nothing for what is no point of the curve.
    [[nodiscard]] std::unique_ptr<EC_POINT, FreePoint> decode(ByteView encoded_point) const {
        std::unique_ptr<EC_POINT, FreePoint> point{EC_POINT_new(group_.get())};
        if (encoded_point.size() != p256_point_bytes || encoded_point[0] != std::byte{4} ||
            EC_POINT_oct2point(group_.get(), point.get(), raw(encoded_point.data()),
                               encoded_point.size(), numbers_.get()) != 1 ||
            EC_POINT_is_at_infinity(group_.get(), point.get()) == 1) {
            return nullptr;
        }
        return point;
    }
    /// The x coordinate of scalar * point. Fails with `malformed` for what is no curve point.
    [[nodiscard]] Result<Key256> times(ByteView scalar, ByteView encoded_point) const {
        const auto point = decode(encoded_point);
        if (!point) return fail(Errc::malformed, "P-256 point");
        const std::unique_ptr<BIGNUM, FreeNumber> number{number_from(scalar)};
        expects(EC_POINT_mul(group_.get(), point.get(), nullptr, point.get(), number.get(),
                             numbers_.get()) == 1,
                "P-256 product");
        Bytes product = encode(point.get());
        Key256 x{ByteView{product}.subspan(1, 32)};
        wipe(product);
        return x;
    }

private:
    static BIGNUM* number_from(ByteView scalar) {
        BIGNUM* const number = BN_secure_new();
        expects(number != nullptr && BN_bin2bn(raw(scalar.data()), static_cast<int>(scalar.size()),
                                               number) != nullptr,
                "P-256 scalar");
        BN_set_flags(number, BN_FLG_CONSTTIME);
        return number;
    }
    [[nodiscard]] Bytes encode(const EC_POINT* point) const {
        Bytes out(p256_point_bytes);
        expects(EC_POINT_point2oct(group_.get(), point, POINT_CONVERSION_UNCOMPRESSED,
                                   raw(out.data()), out.size(), numbers_.get()) == out.size(),
                "P-256 encoding");
        return out;
    }
    std::unique_ptr<EC_GROUP, FreeGroup> group_{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    std::unique_ptr<BN_CTX, FreeNumbers> numbers_{BN_CTX_new()};
};

Result<Key256> diffie_hellman(StanzaType type, const PrivateKey& own, ByteView other) {
    if (type == StanzaType::hpke_p256) return P256{}.times(own.reveal(), other);
    Key256 shared;
    if (other.size() != 32 || crypto_scalarmult(raw(shared.reveal_mutable().data()),
                                                raw(own.reveal().data()), raw(other.data())) != 0) {
        return fail(Errc::malformed, "X25519 point"); // also the all-zero secret
    }
    return shared;
}

struct Context {
    Key256 key;
    std::array<std::byte, 12> nonce{};
};

/// RFC 9180 section 5.1, mode_base.
Context key_schedule(StanzaType type, const Key256& shared, ByteView info) {
    const Bytes suite = hpke_suite(type);
    std::array<std::byte, 32> psk_id_hash{};
    std::array<std::byte, 32> info_hash{};
    labeled_extract(suite, {}, "psk_id_hash", {}, psk_id_hash);
    labeled_extract(suite, {}, "info_hash", info, info_hash);
    const Bytes context = Writer{}.u8(0).bytes(psk_id_hash).bytes(info_hash).take();
    Key256 secret;
    labeled_extract(suite, shared.reveal(), "secret", {}, secret.reveal_mutable());
    Context out;
    labeled_expand(suite, secret.reveal(), "key", context, out.key.reveal_mutable());
    labeled_expand(suite, secret.reveal(), "base_nonce", context, out.nonce);
    return out;
}

} // namespace

PrivateKey derive_private_key(StanzaType type, ByteView ikm) {
    const Bytes suite = kem_suite(type);
    Key256 prk;
    labeled_extract(suite, {}, "dkp_prk", ikm, prk.reveal_mutable());
    PrivateKey key;
    if (type == StanzaType::hpke_x25519) {
        labeled_expand(suite, prk.reveal(), "sk", {}, key.reveal_mutable());
        return key;
    }
    for (unsigned counter = 0; counter < 256; ++counter) {
        const auto number = static_cast<std::byte>(counter);
        labeled_expand(suite, prk.reveal(), "candidate", ByteView{&number, 1},
                       key.reveal_mutable());
        if (P256{}.valid_scalar(key.reveal())) return key;
    }
    expects(false, "P-256 candidate"); // probability 2^-8192
    return key;
}

PrivateKey private_key(StanzaType type, const KeySeed& seed) {
    Key256 ikm;
    crypto::hmac_sha256(seed.reveal(), {as_bytes("plankurier/1 kem")}, ikm.reveal_mutable());
    return derive_private_key(type, ikm.reveal());
}

Bytes public_key(StanzaType type, const PrivateKey& key) {
    if (type == StanzaType::hpke_p256) return P256{}.base_times(key.reveal());
    Bytes out(32);
    expects(crypto_scalarmult_base(raw(out.data()), raw(key.reveal().data())) == 0, "X25519");
    return out;
}

bool is_point(StanzaType type, ByteView encoded) {
    if (public_key_bytes(type) == 0) return false;
    if (type == StanzaType::hpke_p256) return P256{}.decode(encoded) != nullptr;
    // A point of low order gives zero with every scalar of this curve (RFC 7748, section 6.1).
    static constexpr std::array<std::byte, 32> any_scalar{std::byte{8}};
    return diffie_hellman(type, PrivateKey{ByteView{any_scalar}}, encoded).has_value();
}

Result<Key256> shared_secret(StanzaType type, const PrivateKey& own, ByteView other_public,
                             ByteView enc, ByteView recipient_public) {
    auto dh = diffie_hellman(type, own, other_public);
    if (!dh) return dh;
    const Bytes suite = kem_suite(type);
    Key256 prk;
    labeled_extract(suite, {}, "eae_prk", dh->reveal(), prk.reveal_mutable());
    const Bytes context = Writer{}.bytes(enc).bytes(recipient_public).take();
    Key256 shared;
    labeled_expand(suite, prk.reveal(), "shared_secret", context, shared.reveal_mutable());
    return shared;
}

Result<Sealed> seal(const RecipientPublicKey& recipient, ByteView info, ByteView aad,
                    ByteView plain, const Entropy& entropy) {
    Secret<32, struct EphemeralTag> ikm;
    entropy(ikm.reveal_mutable());
    const PrivateKey ephemeral = derive_private_key(recipient.type, ikm.reveal());
    Sealed out;
    out.enc = public_key(recipient.type, ephemeral);
    const auto shared =
        shared_secret(recipient.type, ephemeral, recipient.bytes, out.enc, recipient.bytes);
    if (!shared) return tl::unexpected(shared.error());
    const Context context = key_schedule(recipient.type, *shared, info);
    out.ciphertext = crypto::gcm_seal(context.key.reveal(), context.nonce, aad, plain);
    return out;
}

Result<void> open(StanzaType type, const PrivateKey& key, ByteView enc, ByteView info, ByteView aad,
                  ByteView ciphertext, std::span<std::byte> out) {
    const auto shared = shared_secret(type, key, enc, enc, public_key(type, key));
    if (!shared) return tl::unexpected(shared.error());
    const Context context = key_schedule(type, *shared, info);
    if (!crypto::gcm_open(context.key.reveal(), context.nonce, aad, ciphertext, out)) {
        return fail(Errc::wrong_key, "stanza");
    }
    return {};
}

} // namespace plankurier::hpke
