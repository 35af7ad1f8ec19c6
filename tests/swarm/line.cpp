#include "tests/swarm/line.hpp"

#include "engine/swarm/torrent.hpp"

#include <libtorrent/torrent_info.hpp>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <stdexcept>

namespace plankurier::test {

namespace {

sockaddr_in end_of(const std::string& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &out.sin_addr);
    return out;
}

void use(SSL_CTX* context, const SwarmCertificate& certificate) {
    const std::string key{certificate.private_key.reveal()};
    BIO* const first = BIO_new_mem_buf(certificate.certificate.data(), -1);
    BIO* const second = BIO_new_mem_buf(key.data(), -1);
    X509* const parsed = PEM_read_bio_X509(first, nullptr, nullptr, nullptr);
    EVP_PKEY* const parsed_key = PEM_read_bio_PrivateKey(second, nullptr, nullptr, nullptr);
    const bool good = SSL_CTX_use_certificate(context, parsed) == 1 &&
                      SSL_CTX_use_PrivateKey(context, parsed_key) == 1;
    X509_free(parsed);
    EVP_PKEY_free(parsed_key);
    BIO_free(first);
    BIO_free(second);
    if (!good) throw std::runtime_error("a test certificate is of no use");
}

} // namespace

struct Line::State {
    int fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    SSL_CTX* context{};
    SSL* ssl{};
    bool open{true};

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        SSL_free(ssl);
        SSL_CTX_free(context);
        ::close(fd);
    }
};

Line::Line(const How& how) : state_(std::make_unique<State>()) {
    const timeval patience{10, 0};
    ::setsockopt(state_->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const sockaddr_in from = end_of(how.from, 0);
    const sockaddr_in to = end_of("127.0.0.1", how.port);
    if (::bind(state_->fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(state_->fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw std::runtime_error("nobody listens");
    }
    if (!how.tls) return;
    state_->context = SSL_CTX_new(TLS_client_method());
    if (how.certificate != nullptr) use(state_->context, *how.certificate);
    state_->ssl = SSL_new(state_->context);
    SSL_set_fd(state_->ssl, state_->fd);
    std::string name = how.server_name; // what OpenSSL has for this is a macro with an old cast
    SSL_ctrl(state_->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    state_->open = SSL_connect(state_->ssl) == 1;
}
Line::~Line() = default;

void Line::send(std::string_view bytes) {
    if (!state_->open) return;
    if (state_->ssl != nullptr) {
        SSL_write(state_->ssl, bytes.data(), static_cast<int>(bytes.size()));
    } else if (::send(state_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
        state_->open = false;
    }
}

std::string Line::receive(std::size_t count) {
    std::string out;
    std::array<char, 4096> buffer{};
    while (state_->open && out.size() < count) {
        const auto room = std::min(buffer.size(), count - out.size());
        const auto got = state_->ssl != nullptr
                             ? SSL_read(state_->ssl, buffer.data(), static_cast<int>(room))
                             : static_cast<int>(::recv(state_->fd, buffer.data(), room, 0));
        if (got <= 0) break;
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return out;
}

std::string info_hash(const SwarmVolume& volume, const std::string& authority) {
    return swarm::torrent_of(volume, authority, 0).ti->info_hashes().get_best().to_string();
}

std::string greeting(const std::string& hash) {
    std::string reserved(8, '\0');
    reserved[5] = 0x10; // extensions
    reserved[7] = 0x14; // version 2, fast
    return "\x13"
           "BitTorrent protocol" +
           reserved + hash + "-XX0000-123456789012";
}

std::string message(char number, const std::string& body) {
    const std::uint32_t length = htonl(static_cast<std::uint32_t>(body.size() + 1));
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + number + body;
}

std::string deadly_message() {
    const auto word = [](std::uint32_t value) {
        const std::uint32_t wire = htonl(value);
        return std::string(reinterpret_cast<const char*>(&wire), sizeof wire);
    };
    return message(22, std::string(32, '\0') + word(0) + word(0) + word(2) + word(0) +
                           std::string(64, 'x'));
}

} // namespace plankurier::test
