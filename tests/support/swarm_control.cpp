#include "tests/support/swarm_control.hpp"

#include <catch2/catch.hpp>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <ctime>

namespace plankurier::test {

using nlohmann::json;
using relay::http::problem;
using relay::http::Request;
using relay::http::Response;
using relay::pieces::OtherRelay;

SwarmControl::SwarmControl(const std::filesystem::path& socket)
    : authority_(folder_.path(), std::time(nullptr)),
      server_([this](const Request& request) { return answer(request); }, clock_) {
    server_.bind(socket);
    thread_ = std::jthread{[this] { server_.run(); }};
}

SwarmControl::~SwarmControl() {
    // A stop that comes before the loop has begun is lost; relays have synced long since.
    server_.stop();
}

void SwarmControl::set_relays(std::vector<OtherRelay> relays) {
    const std::scoped_lock lock{mutex_};
    relays_ = std::move(relays);
}
void SwarmControl::want_copies(const Ticket& peer_ticket) {
    const std::scoped_lock lock{mutex_};
    wanted_[peer_ticket.transfer] = peer_ticket;
}
void SwarmControl::bury(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    buried_.push_back(transfer);
    wanted_.erase(transfer);
}
void SwarmControl::report(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    reported_.push_back(transfer);
}
void SwarmControl::lose_receipts() {
    const std::scoped_lock lock{mutex_};
    stored_.clear();
}

SwarmCertificate SwarmControl::invite(const TransferId& transfer) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    unsigned char* der = nullptr;
    const int der_bytes = i2d_PUBKEY(key, &der);
    BIO* const memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* pem = nullptr;
    const long pem_bytes = BIO_get_mem_data(memory, &pem);
    SwarmCertificate out;
    {
        const std::scoped_lock lock{mutex_};
        const std::int64_t now = std::time(nullptr);
        const ByteView spki{reinterpret_cast<const std::byte*>(der),
                            static_cast<std::size_t>(der_bytes)};
        out.certificate = authority_.issue(transfer, spki, now - 60, now + 600).value();
        out.authority = authority_.certificate();
        out.private_key = SecretText{{pem, static_cast<std::size_t>(pem_bytes)}};
    }
    BIO_free(memory);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return out;
}

void SwarmControl::set_answering(bool answers) {
    const std::scoped_lock lock{mutex_};
    answers_ = answers;
}
void SwarmControl::set_certificate_seconds(std::int64_t seconds) {
    const std::scoped_lock lock{mutex_};
    certificate_seconds_ = seconds;
}
void SwarmControl::set_full(bool full) {
    const std::scoped_lock lock{mutex_};
    full_ = full;
}
bool SwarmControl::space_told() const {
    const std::scoped_lock lock{mutex_};
    return space_told_;
}
std::size_t SwarmControl::syncs() const {
    const std::scoped_lock lock{mutex_};
    return syncs_;
}
std::size_t SwarmControl::certificate_calls() const {
    const std::scoped_lock lock{mutex_};
    return certificate_calls_;
}
std::size_t SwarmControl::stored(const TransferId& transfer, const Hash256& content) const {
    const std::scoped_lock lock{mutex_};
    const auto found = stored_.find(transfer);
    if (found == stored_.end()) return 0;
    return static_cast<std::size_t>(std::ranges::count_if(
        found->second, [&](const auto& one) { return one.second == content; }));
}
std::size_t SwarmControl::gone(const TransferId& transfer) const {
    const std::scoped_lock lock{mutex_};
    const auto found = gone_.find(transfer);
    return found == gone_.end() ? 0 : found->second.size();
}
std::size_t SwarmControl::lost(const TransferId& transfer) const {
    const std::scoped_lock lock{mutex_};
    const auto found = lost_.find(transfer);
    return found == lost_.end() ? 0 : found->second.size();
}

void SwarmControl::wait(const std::string& what, const std::function<bool()>& done) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) FAIL(what << " does not come");
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

Response SwarmControl::answer(const Request& request) {
    const std::scoped_lock lock{mutex_};
    if (!answers_) return problem(Errc::unavailable);
    const bool is_sync = request.path == "/v1/relay/sync";
    const json outer = json::parse(request.body);
    const auto id = RelayId::from_hex(outer.at("relay").get<std::string>());
    const auto from =
        std::ranges::find_if(relays_, [&](const OtherRelay& one) { return id && one.id == *id; });
    if (from == relays_.end()) return problem(Errc::not_found);
    const auto text = outer.at("request").get<std::string>();
    const auto raw = from_base64url(outer.at("signature").get<std::string>());
    Signature signature{};
    if (!raw || raw->size() != signature.size()) return problem(Errc::bad_signature);
    std::copy(raw->begin(), raw->end(), signature.begin());
    std::string statement{is_sync ? "plankurier/1 sync" : "plankurier/1 certificates"};
    statement += '\0';
    statement += text;
    if (!verify(from->key, as_bytes(statement), signature)) return problem(Errc::bad_signature);
    const json inner = json::parse(text);
    return {200, (is_sync ? sync(*from, inner) : certificates(inner)).dump()};
}

json SwarmControl::sync(const OtherRelay& from, const json& inner) {
    ++syncs_;
    space_told_ =
        inner.value("total_bytes", std::uint64_t{0}) > inner.value("free_bytes", ~std::uint64_t{0});
    for (const json& one : inner.at("stored")) {
        const auto receipt = check_stored(from_base64url(one.get<std::string>()).value(), from.key);
        if (receipt) stored_[receipt->transfer][receipt->relay] = receipt->content_root;
    }
    for (const json& one : inner.at("gone")) {
        const auto receipt = check_gone(from_base64url(one.get<std::string>()).value(), from.key);
        if (receipt) gone_[receipt->transfer].insert(receipt->relay);
    }
    for (const json& one : inner.at("lost")) {
        lost_[TransferId::from_hex(one.get<std::string>()).value()].insert(from.id);
    }
    json answer{{"now", std::time(nullptr)}, {"seq", buried_.size()},
                {"leases", json::array()},   {"tombstones", json::array()},
                {"relays", json::array()},   {"copies", json::array()},
                {"copies_max", copies_max_}, {"full", full_}};
    for (auto at = inner.at("after").get<std::size_t>(); at < buried_.size(); ++at) {
        answer["tombstones"].push_back(buried_[at].hex());
    }
    for (const TransferId& one : reported_) answer["halted"].push_back(one.hex());
    for (const OtherRelay& one : relays_) {
        answer["relays"].push_back(
            {{"id", one.id.hex()}, {"url", one.url}, {"key", to_base64url(one.key)}});
    }
    for (const auto& [transfer, ticket] : wanted_) {
        if (stored_[transfer].contains(from.id)) continue;
        answer["copies"].push_back({{"tid", transfer.hex()},
                                    {"ticket", to_base64url(mint_ticket(ticket, control_seed()))}});
    }
    return answer;
}

json SwarmControl::certificates(const json& inner) {
    ++certificate_calls_;
    const auto key = from_base64url(inner.at("public_key").get<std::string>()).value();
    json list = json::array();
    for (const json& one : inner.at("transfers")) {
        const auto id = TransferId::from_hex(one.get<std::string>()).value();
        const std::int64_t now = std::time(nullptr);
        const auto issued = authority_.issue(id, key, now - 60, now + certificate_seconds_);
        list.push_back({{"tid", id.hex()}, {"certificate", issued.value()}});
    }
    return {{"authority", authority_.certificate()}, {"certificates", list}};
}

} // namespace plankurier::test
