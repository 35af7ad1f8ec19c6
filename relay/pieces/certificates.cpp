#include "relay/pieces/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <plankurier/json.hpp>

#include <ctime>
#include <optional>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

constexpr std::size_t cached_max = 4'096;

template <auto Free>
struct FreeWith {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;

SecretText private_pem(EVP_PKEY* key) {
    const Bio memory{BIO_new(BIO_s_secmem())};
    char* text = nullptr;
    if (!memory || PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr,
                                                 nullptr) != 1) {
        throw std::runtime_error("no key for the swarm");
    }
    const long bytes = BIO_get_mem_data(memory.get(), &text);
    return SecretText{std::string_view{text, static_cast<std::size_t>(bytes)}};
}

std::string public_der(EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int bytes = i2d_PUBKEY(key, &der);
    if (bytes <= 0) throw std::runtime_error("no key for the swarm");
    const std::unique_ptr<unsigned char, decltype([](unsigned char* raw) { OPENSSL_free(raw); })>
        owner{der};
    return to_base64url(std::as_bytes(std::span{der, static_cast<std::size_t>(bytes)}));
}

/// Unix seconds; nothing for what is no certificate.
std::optional<std::int64_t> end_of(const std::string& pem) {
    const Bio memory{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Certificate certificate{PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)};
    std::tm end{};
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
        return std::nullopt;
    }
    return ::timegm(&end);
}

} // namespace

Certificates::Certificates(ControlCalls& control, const Lease& lease)
    : control_(control), lease_(lease) {
    const Key key{EVP_EC_gen("P-256")};
    if (!key) throw std::runtime_error("no key for the swarm");
    private_key_ = private_pem(key.get());
    public_key_ = public_der(key.get());
}

Certificates::Issued Certificates::with_key(const Cached& cached) const {
    return {{cached.authority, cached.certificate, private_key_.clone()}, cached.expires};
}

Result<Certificates::Cached> Certificates::ask(const TransferId& transfer) {
    const auto body = control_.post("/v1/relay/certificates", "certificates",
                                    Json{{"time", lease_.now()},
                                         {"public_key", public_key_},
                                         {"transfers", Json::array({transfer.hex()})}}
                                        .dump());
    if (!body) return tl::unexpected(body.error());
    try {
        const Json answer = parse_json(*body);
        for (const Json& one : answer.at("certificates")) {
            if (one.at("tid").get<std::string>() != transfer.hex()) continue;
            Cached cached{answer.at("authority").get<std::string>(),
                          one.at("certificate").get<std::string>(), 0};
            const auto end = end_of(cached.certificate);
            if (!end) return fail(Errc::malformed, "certificate");
            cached.expires = *end;
            return cached;
        }
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "certificates");
    }
    return fail(Errc::not_found, "no certificate");
}

Result<Certificates::Issued> Certificates::get(const TransferId& transfer) {
    {
        const std::scoped_lock lock{mutex_};
        const auto found = cache_.find(transfer);
        if (found != cache_.end() && !end_soon(found->second.expires)) {
            return with_key(found->second);
        }
    }
    auto cached = ask(transfer);
    if (!cached) return tl::unexpected(cached.error());
    const std::scoped_lock lock{mutex_};
    if (cache_.size() >= cached_max) cache_.clear(); // they are only asked for again
    cache_[transfer] = *cached;
    return with_key(*cached);
}

void Certificates::forget(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    cache_.erase(transfer);
}

} // namespace plankurier::relay::pieces
