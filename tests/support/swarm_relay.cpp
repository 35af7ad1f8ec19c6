#include "tests/support/swarm_relay.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>

namespace plankurier::test {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void write(const fs::path& file, ByteView bytes) {
    std::ofstream out{file, std::ios::binary};
    out << as_text(bytes);
    REQUIRE(out.flush());
}

void add_extension(X509* certificate, int id, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    REQUIRE(X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

} // namespace

TlsFiles::TlsFiles(const fs::path& folder)
    : certificate(folder / "tls.pem"), private_key(folder / "tls.key") {
    if (fs::exists(private_key)) return;
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 86'400);
    X509_set_pubkey(made, key);
    const auto* const name = reinterpret_cast<const unsigned char*>("relays");
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, name, -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    add_extension(made, NID_subject_alt_name, "IP:127.0.0.1");
    add_extension(made, NID_basic_constraints, "critical,CA:TRUE");
    REQUIRE(X509_sign(made, key, EVP_sha256()) > 0);
    std::FILE* out = std::fopen(certificate.c_str(), "w");
    REQUIRE(PEM_write_X509(out, made) == 1);
    std::fclose(out);
    out = std::fopen(private_key.c_str(), "w");
    REQUIRE(PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(out);
    X509_free(made);
    EVP_PKEY_free(key);
}

TestRelay::TestRelay(std::size_t number, const TlsFiles& tls, const fs::path& control_socket,
                     Options options)
    : number_(number), options_(std::move(options)),
      folder_(options_.folder.empty() ? own_.path() : options_.folder), client_(tls.certificate) {
    write(folder() / "relay.id", as_bytes(known_relay(number).id.hex()));
    write(folder() / "relay.seed", relay_seed(number).reveal());
    write(folder() / "control.pub", signing_public_key(control_seed()));
    config_.data_dir = folder();
    config_.listen_address = "127.0.0.1";
    config_.tls_certificate = tls.certificate;
    config_.tls_private_key = tls.private_key;
    config_.control_socket = control_socket;
    config_.control_ca = tls.certificate;
    config_.swarm_enabled = options_.swarm;
    config_.trusted_networks = options_.trusted_networks;
    config_.disk_rest = std::chrono::milliseconds{50}; // faults come once
    config_.relay_id_file = folder() / "relay.id";
    config_.relay_seed_file = folder() / "relay.seed";
    config_.control_public_key_file = folder() / "control.pub";
    start();
}

TestRelay::~TestRelay() {
    stop_swarm();
    stop();
}

void TestRelay::start() {
    pieces_ = std::make_unique<relay::pieces::PiecesProcess>(config_);
    config_.port = pieces_->port(); // the same after a restart
    pieces_thread_ = std::jthread{[this] { pieces_->run(); }};
    if (options_.swarm) start_swarm();
}

void TestRelay::stop() {
    if (!pieces_) return;
    pieces_->stop();
    pieces_thread_.join();
    pieces_.reset();
    stop_swarm();
}

void TestRelay::start_swarm() {
    relay::swarm::ProcessSettings settings;
    settings.socket = folder() / "swarm.sock";
    swarms_.push_back(std::make_unique<relay::swarm::Process>(settings));
    if (!options_.trusted_networks.empty()) {
        settings.swarm.tls = false;
        settings.swarm.peers_allowed = options_.trusted_networks;
        swarms_.push_back(std::make_unique<relay::swarm::Process>(settings));
    }
    for (const auto& one : swarms_) {
        swarm_threads_.emplace_back([process = one.get()] { process->run(); });
    }
}

void TestRelay::stop_swarm() {
    for (const auto& one : swarms_) one->stop();
    swarm_threads_.clear();
    swarms_.clear();
}

relay::pieces::OtherRelay TestRelay::record() const {
    const auto known = known_relay(number_);
    return {known.id, "https://127.0.0.1:" + std::to_string(config_.port), known.key};
}

relay::pieces::HttpAnswer TestRelay::call(const std::string& method, const std::string& path,
                                          const std::string& authorization, std::string body) {
    relay::pieces::HttpCall call;
    call.method = method;
    call.url = record().url + path;
    call.authorization = authorization;
    call.body = std::move(body);
    call.answer_bytes_max = std::size_t{32} << 20;
    call.seconds_max = 30;
    const auto answer = client_.call(call);
    INFO(method << " " << why(answer));
    REQUIRE(answer);
    return *answer;
}

void TestRelay::upload(const Body& body, std::uint32_t volume) {
    const std::string start = body.path("/" + std::to_string(volume));
    for (std::uint32_t i = 0; i < body.layout().pieces_in_volume(volume); ++i) {
        const Bytes piece = body.piece(volume, i);
        REQUIRE(call("PUT", start + "/" + std::to_string(i), body.authorization(),
                     std::string{as_text(piece)})
                    .status == 200);
    }
    const Bytes descriptor = body.descriptor(volume);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    for (;;) {
        const auto answer =
            call("PUT", start, body.authorization(), std::string{as_text(descriptor)});
        if (answer.status == 204) return;
        REQUIRE(answer.status == 409); // the last pieces are not durable yet
        if (std::chrono::steady_clock::now() > end) FAIL("no durable volume");
    }
}

std::string TestRelay::read(const Body& body, std::uint32_t volume) {
    const std::string start = body.path("/" + std::to_string(volume));
    const std::string ticket = body.authorization(TicketRole::get);
    const auto descriptor = call("GET", start, ticket);
    if (descriptor.status != 200) return "descriptor " + std::to_string(descriptor.status);
    if (descriptor.body != as_text(body.descriptor(volume))) return "another descriptor";
    for (std::uint32_t i = 0; i < body.layout().pieces_in_volume(volume); ++i) {
        const auto piece = call("GET", start + "/" + std::to_string(i), ticket);
        if (piece.status != 200) return "piece " + std::to_string(piece.status);
        if (piece.body != as_text(body.piece(volume, i))) return "another piece";
    }
    return "right";
}

TestRelay::SwarmAnswer TestRelay::swarm(const Body& body, std::uint32_t volume, TicketRole role) {
    const auto answer = call("POST", body.path("/" + std::to_string(volume) + "/swarm"),
                             body.authorization(role), "{}");
    if (answer.status != 200) return {answer.status, 0};
    return {answer.status, json::parse(answer.body).at("port").get<std::uint16_t>()};
}

} // namespace plankurier::test
