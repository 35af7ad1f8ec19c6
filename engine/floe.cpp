#include "engine/floe.hpp"

#include <openssl/evp.h>

#include <optional>

namespace plankurier {

namespace {

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

constexpr std::size_t overhead_bytes = 32;

void put_big_endian(std::span<std::byte> out, std::uint64_t value) noexcept {
    for (std::size_t i = out.size(); i-- > 0; value >>= 8) {
        out[i] = static_cast<std::byte>(value & 0xFFU);
    }
}

} // namespace

Bytes body_aad(const TransferId& transfer) {
    return Writer{}.text("plankurier/1 body").u8(0).bytes(transfer.bytes).take();
}

struct Floe::State {
    Shape shape;
    Bytes aad;
    FloeHeader header{};
    Secret<48, struct MessageKeyTag> message_key;
    std::optional<std::uint64_t> keyed_for; ///< the first position of the key now in the context
    bool keyed_to_seal{};
    std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context{EVP_CIPHER_CTX_new()};

    /// HKDF-Expand-SHA-384 with one block: info = params || iv || purpose || extra || aad, 01.
    void expand(ByteView key, std::string_view purpose, ByteView extra,
                std::span<std::byte> out) const {
        constexpr std::byte one{1};
        crypto::hmac_sha384(key,
                            {ByteView{header}.first(42), as_bytes(purpose), extra, ByteView{aad},
                             ByteView{&one, 1}},
                            out);
    }

    /// Sets the context to the key of `position`; keys change every 2^rotation_bits segments.
    void use_key_of(std::uint64_t position, bool to_seal) {
        const std::uint64_t first = position >> shape.rotation_bits << shape.rotation_bits;
        if (keyed_for == first && keyed_to_seal == to_seal) return;
        std::array<std::byte, 8> place{};
        put_big_endian(place, first);
        crypto::Key256 key;
        expand(message_key.reveal(), "DEK:", place, key.reveal_mutable());
        expects(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                  raw(key.reveal().data()), nullptr, to_seal ? 1 : 0) == 1,
                "GCM key");
        keyed_for = first;
        keyed_to_seal = to_seal;
    }

    void begin(std::uint64_t position, bool last, std::span<const std::byte, 12> iv, bool to_seal) {
        use_key_of(position, to_seal);
        std::array<std::byte, 9> place{};
        put_big_endian(std::span{place}.first(8), position);
        place[8] = last ? std::byte{1} : std::byte{0};
        int written = 0;
        expects(EVP_CipherInit_ex(context.get(), nullptr, nullptr, nullptr, raw(iv.data()), -1) ==
                        1 &&
                    EVP_CipherUpdate(context.get(), nullptr, &written, raw(place.data()),
                                     static_cast<int>(place.size())) == 1,
                "GCM start");
    }
};

Floe::Floe(std::unique_ptr<State> state) : state_(std::move(state)) {}
Floe::~Floe() = default;
Floe::Floe(Floe&&) noexcept = default;
Floe& Floe::operator=(Floe&&) noexcept = default;
const FloeHeader& Floe::header() const noexcept { return state_->header; }

Floe::Floe(ByteView key, ByteView aad, std::span<const std::byte, 32> iv, Shape shape)
    : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.shape = shape;
    state.aad.assign(aad.begin(), aad.end());
    const std::span header{state.header};
    put_big_endian(header.subspan(2, 4), shape.segment_bytes_full);
    put_big_endian(header.subspan(6, 4), 32);
    std::copy(iv.begin(), iv.end(), header.begin() + 10);
    state.expand(key, "HEADER_TAG:", {}, header.subspan(42, 32));
    state.expand(key, "MESSAGE_KEY:", {}, state.message_key.reveal_mutable());
}

Result<Floe> Floe::open(ByteView key, ByteView aad, const FloeHeader& header, Shape shape) {
    const std::span<const std::byte, 32> iv = ByteView{header}.subspan<10, 32>();
    Floe floe{key, aad, iv, shape};
    if (!std::equal(header.begin(), header.begin() + 10, floe.header().begin())) {
        return fail(Errc::malformed, "FLOE parameters");
    }
    if (!equal_constant_time(header, floe.header())) return fail(Errc::tampered, "FLOE header");
    return floe;
}

void Floe::seal(std::uint64_t position, bool last, std::span<const std::byte, 12> iv,
                ByteView plain, std::span<std::byte> out) {
    expects(out.size() == plain.size() + overhead_bytes, "segment length");
    expects(out.size() <= state_->shape.segment_bytes_full, "segment length");
    expects(last || out.size() == state_->shape.segment_bytes_full, "segment length");
    put_big_endian(out.first(4), last ? out.size() : 0xFFFF'FFFFU);
    std::copy(iv.begin(), iv.end(), out.begin() + 4);
    state_->begin(position, last, iv, true);
    EVP_CIPHER_CTX* const context = state_->context.get();
    int written = 0;
    bool ok = true;
    if (!plain.empty()) {
        ok = EVP_EncryptUpdate(context, raw(out.data() + 16), &written, raw(plain.data()),
                               static_cast<int>(plain.size())) == 1;
    }
    std::byte* const tag = out.data() + 16 + plain.size();
    ok = ok && EVP_EncryptFinal_ex(context, raw(tag), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
    expects(ok, "segment seals");
}

Result<void> Floe::unseal(std::uint64_t position, bool last, ByteView sealed,
                          std::span<std::byte> out) {
    if (sealed.size() < overhead_bytes || sealed.size() > state_->shape.segment_bytes_full ||
        out.size() != sealed.size() - overhead_bytes) {
        return fail(Errc::tampered, "segment length");
    }
    std::array<std::byte, 4> length{};
    put_big_endian(length, last ? sealed.size() : 0xFFFF'FFFFU);
    if (!std::equal(length.begin(), length.end(), sealed.begin()) ||
        (!last && sealed.size() != state_->shape.segment_bytes_full)) {
        return fail(Errc::tampered, "segment length");
    }
    state_->begin(position, last, sealed.subspan<4, 12>(), false);
    EVP_CIPHER_CTX* const context = state_->context.get();
    int written = 0;
    bool ok = true;
    if (!out.empty()) {
        ok = EVP_DecryptUpdate(context, raw(out.data()), &written, raw(sealed.data() + 16),
                               static_cast<int>(out.size())) == 1;
    }
    std::array<std::byte, 16> tag{};
    std::copy(sealed.end() - 16, sealed.end(), tag.begin());
    std::array<unsigned char, 16> rest{};
    ok = ok && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context, rest.data(), &written) == 1;
    if (!ok) {
        wipe(out);
        return fail(Errc::tampered, "segment");
    }
    return {};
}

} // namespace plankurier
