// g++ 12 takes the paired operators of Asio's coroutine frames for mismatched once inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <utility> // Boost 1.74 uses std::exchange without it

#include "tests/clients/piece_server.hpp"

#include "relay/pieces/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <csignal>

#include <bit>
#include <csignal>
#include <fstream>
#include <latch>
#include <thread>

namespace plankurier::test {

namespace asio = boost::asio;
using asio::ip::tcp;

ServerIdentity make_identity(const std::filesystem::path& folder) {
    const ServerIdentity out{folder / "server.pem", folder / "server.key"};
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
    const std::unique_ptr<X509, void (*)(X509*)> certificate{X509_new(), X509_free};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
    X509_set_pubkey(certificate.get(), key.get());
    auto* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("relay"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    for (const auto& [kind, value] : {std::pair{NID_subject_alt_name, "IP:127.0.0.1"},
                                      std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
        auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
        X509_add_ext(certificate.get(), extension, -1);
        X509_EXTENSION_free(extension);
    }
    REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
    const auto file = [](const std::filesystem::path& path) {
        return std::unique_ptr<FILE, int (*)(FILE*)>{std::fopen(path.c_str(), "w"), std::fclose};
    };
    REQUIRE(PEM_write_X509(file(out.certificate).get(), certificate.get()) == 1);
    REQUIRE(PEM_write_PrivateKey(file(out.key).get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr) == 1);
    return out;
}

struct PieceServer::Server {
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_server_method()),
                                                         SSL_CTX_free};
    std::latch thawed{1};
    relay::pieces::Census census{{}}; ///< outlives the connections, which end with `io`
    asio::io_context io{1};
    tcp::acceptor acceptor;
    std::jthread thread;

    Server(relay::pieces::Service& service, const ServerIdentity& identity, std::uint16_t port)
        : acceptor(io, {asio::ip::make_address("127.0.0.1"), port}) {
        SSL_CTX_set_mode(context.get(),
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        REQUIRE(SSL_CTX_use_certificate_chain_file(context.get(), identity.certificate.c_str()) ==
                1);
        REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), identity.key.c_str(),
                                            SSL_FILETYPE_PEM) == 1);
        asio::co_spawn(io, accept_all(service), asio::detached);
        thread = std::jthread{[this] { io.run(); }};
    }
    ~Server() {
        thawed.try_wait() ? void() : thawed.count_down();
        io.stop();
    }

    asio::awaitable<void> accept_all(relay::pieces::Service& service) {
        for (;;) {
            auto socket =
                co_await acceptor.async_accept(asio::make_strand(io), asio::use_awaitable);
            auto seat = census.enter(socket.remote_endpoint().address());
            if (!seat) continue;
            const auto executor = socket.get_executor();
            asio::co_spawn(executor,
                           relay::pieces::serve_connection(std::move(socket), context.get(),
                                                           service, std::move(*seat)),
                           asio::detached);
        }
    }
};

PieceServer::PieceServer(const std::filesystem::path& folder, const ServerIdentity& identity,
                         std::size_t number)
    : folder_(folder), identity_(identity), store_(folder) {
    std::signal(SIGPIPE, SIG_IGN); // as both programs do
    restart();
    address_ = {known_relay(number).id, "https://127.0.0.1:" + std::to_string(port_)};
}

PieceServer::~PieceServer() { stop(); }

void PieceServer::stop() { server_.reset(); }

void PieceServer::restart() {
    stop();
    store_.restart();
    server_ = std::make_unique<Server>(store_.service(), identity_, port_);
    port_ = server_->acceptor.local_endpoint().port();
}

void PieceServer::freeze() {
    asio::post(server_->io, [server = server_.get()] { server->thawed.wait(); });
}

void PieceServer::flip(const TransferId& transfer, std::uint32_t volume, std::uint32_t piece) {
    std::string name = std::to_string(volume) + ".vol";
    name.insert(0, 12 - name.size(), '0');
    const auto path = folder_ / "pieces" / transfer.hex() / name;
    REQUIRE(std::filesystem::exists(path));
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    const auto at = static_cast<std::streamoff>(piece * segment_bytes + 1'000);
    file.seekg(at);
    const int old = file.get();
    file.seekp(at);
    file.put(static_cast<char>(old ^ 1));
    REQUIRE(file.flush());
}

std::pair<std::size_t, bool> PieceServer::holds(const TransferId& transfer, std::uint32_t volume) {
    for (const auto& one : store_.catalog().map(transfer)) {
        if (one.volume != volume) continue;
        std::size_t pieces = 0;
        for (const auto byte : one.durable) {
            pieces += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(byte)));
        }
        return {pieces, one.descriptor};
    }
    return {0, false};
}

} // namespace plankurier::test
