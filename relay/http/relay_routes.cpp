// The calls of relays, signed by them, and the certificates of the swarm.
#include "relay/http/calls.hpp"
#include "relay/http/routes.hpp"

#include <plankurier/json.hpp>

#include <string_view>

namespace plankurier::relay::http {

namespace {

constexpr std::size_t ids_max = 1'000, receipts_max = 100, certificates_max = 100;

/// A statement of a registered relay: {"relay","request":text,"signature"}, signed over
/// `context 00 text`. Fails with `not_found`, `bad_signature`.
struct Statement {
    const KnownRelay* relay{};
    Json request;
};
Result<Statement> open_statement(const Request& request, const KnownRelays& relays,
                                 std::string_view context) {
    const Json outer = parse_json(request.body);
    const auto id = RelayId::from_hex(outer.at("relay").get<std::string>());
    const KnownRelay* known = id ? relays.find(*id) : nullptr;
    if (known == nullptr) return fail(Errc::not_found, "relay");
    const std::string text = outer.at("request").get<std::string>();
    const auto raw = from_base64url(outer.at("signature").get<std::string>());
    Signature signature{};
    if (!raw || raw->size() != signature.size()) return fail(Errc::bad_signature, "signature");
    std::copy(raw->begin(), raw->end(), signature.begin());
    std::string statement{context};
    statement += '\0';
    statement += text;
    if (!verify(known->key, as_bytes(statement), signature)) {
        return fail(Errc::bad_signature, "signature");
    }
    return Statement{known, parse_json(text)};
}

Result<std::vector<TransferId>> ids(const Json& said, std::size_t count_max) {
    if (list(said).size() > count_max) return fail(Errc::too_large, "ids");
    std::vector<TransferId> out;
    for (const Json& one : said) {
        const auto id = TransferId::from_hex(one.get<std::string>());
        if (!id) return tl::unexpected(id.error());
        out.push_back(*id);
    }
    return out;
}

/// Signed receipts of one kind, each checked with `check`.
template <typename Receipt>
Result<std::vector<Receipt>> receipts(const Json& said, std::size_t count_max,
                                      const SigningPublicKey& key,
                                      Result<Receipt> (*check)(ByteView, const SigningPublicKey&)) {
    if (list(said).size() > count_max) return fail(Errc::too_large, "receipts");
    std::vector<Receipt> out;
    for (const Json& one : said) {
        const auto raw = from_base64url(one.get<std::string>());
        if (!raw) return tl::unexpected(raw.error());
        auto receipt = check(*raw, key);
        if (!receipt) return tl::unexpected(receipt.error());
        out.push_back(*receipt);
    }
    return out;
}

/// Of no disk that there is.
constexpr std::uint64_t disk_bytes_max = std::uint64_t{1} << 60;

Result<RelaySpace> space(const Json& said) {
    const Json &free = said.at("free_bytes"), &total = said.at("total_bytes");
    for (const Json* one : {&free, &total}) {
        if (!one->is_number_unsigned() || one->get<std::uint64_t>() > disk_bytes_max) {
            return fail(Errc::malformed, "space");
        }
    }
    return RelaySpace{free.get<std::uint64_t>(), total.get<std::uint64_t>()};
}

/// What a relay says of itself since its start. Throws Json::exception.
Result<void> take_health(const Json& said, SyncRequest& wanted) {
    constexpr std::uint64_t counter_max = std::uint64_t{1} << 56;
    for (const char* name : {"generation", "damaged", "scrubbed_s"}) {
        const Json& one = said.at(name);
        if (!one.is_number_unsigned() || one.get<std::uint64_t>() > counter_max) {
            return fail(Errc::malformed, "counter");
        }
    }
    wanted.generation = said.at("generation").get<std::int64_t>();
    wanted.all_told = said.at("all_told").get<bool>();
    wanted.health = {said.at("damaged").get<std::int64_t>(),
                     said.at("scrubbed_s").get<std::int64_t>()};
    return {};
}

Json hex_list(const std::vector<TransferId>& ids) {
    Json out = Json::array();
    for (const TransferId& id : ids) out.push_back(id.hex());
    return out;
}

Json sync_json(const SyncAnswer& answer, const KnownRelays& relays, std::size_t copies_max) {
    Json known = Json::array();
    for (const KnownRelay& relay : relays.all()) {
        known.push_back(
            {{"id", relay.id.hex()}, {"url", relay.url}, {"key", to_base64url(relay.key)}});
    }
    Json copies = Json::array();
    for (const WantedCopy& copy : answer.copies) {
        copies.push_back({{"tid", copy.transfer.hex()}, {"ticket", to_base64url(copy.ticket)}});
    }
    return {{"now", answer.now},
            {"time_trusted", answer.is_time_trusted},
            {"seq", answer.sequence},
            {"tombstones", hex_list(answer.tombstones)},
            {"leases", hex_list(answer.leases)},
            {"lease_ends", answer.lease_ends},
            {"halted", hex_list(answer.halted)},
            {"relays", known},
            {"copies", copies},
            {"copies_max", copies_max},
            {"wrong", hex_list(answer.wrong)},
            {"full", answer.is_full}};
}

} // namespace

Response Router::sync(const Request& request) {
    const auto statement = open_statement(request, relay_.relays(), "plankurier/1 sync");
    if (!statement) return from(statement);
    const Json& said = statement->request;
    const RelayId id = statement->relay->id;
    const SigningPublicKey& key = statement->relay->key;
    SyncRequest wanted;
    wanted.time = said.at("time").get<std::int64_t>();
    wanted.after = said.at("after").get<std::int64_t>();
    if (said.contains("clock")) wanted.clock = said.at("clock").get<std::int64_t>();
    if (said.contains("free_bytes")) {
        const auto told = space(said);
        if (!told) return from(told);
        wanted.space = *told;
    }
    if (said.contains("generation")) {
        if (auto ok = take_health(said, wanted); !ok) return from(ok);
    }
    auto lost = ids(said.value("lost", Json::array()), receipts_max);
    if (!lost) return from(lost);
    wanted.lost = std::move(*lost);
    auto holds = ids(said.at("holds"), ids_max);
    if (!holds) return from(holds);
    auto gone = receipts<GoneReceipt>(said.at("gone"), ids_max, key, check_gone);
    if (!gone) return from(gone);
    auto stored = receipts<StoredReceipt>(said.value("stored", Json::array()), receipts_max, key,
                                          check_stored);
    if (!stored) return from(stored);
    wanted.holds = std::move(*holds);
    wanted.gone = std::move(*gone);
    wanted.stored = std::move(*stored);
    const auto answer = relay_.sync(id, wanted);
    if (!answer) return from(answer);
    return ok(sync_json(*answer, relay_.relays(), relay_.policy().copies_max));
}

Response Router::relay_certificates(const Request& request) {
    const auto statement = open_statement(request, relay_.relays(), "plankurier/1 certificates");
    if (!statement) return from(statement);
    const Json& said = statement->request;
    CertificateRequest wanted;
    wanted.time = said.at("time").get<std::int64_t>();
    auto key = from_base64url(said.at("public_key").get<std::string>());
    if (!key) return from(key);
    auto transfers = ids(said.at("transfers"), certificates_max);
    if (!transfers) return from(transfers);
    wanted.public_key = std::move(*key);
    wanted.transfers = std::move(*transfers);
    const auto issued = relay_.relay_certificates(statement->relay->id, wanted);
    if (!issued) return from(issued);
    Json certificates = Json::array();
    for (const IssuedCertificate& one : *issued) {
        certificates.push_back({{"tid", one.transfer.hex()}, {"certificate", one.pem}});
    }
    return ok({{"authority", relay_.swarm_authority()}, {"certificates", certificates}});
}

Response Router::swarm_certificate(const Request& request) {
    const auto id = transfer(request);
    if (!id) return from(id);
    const auto token = secret<FetchToken>(request, "plankurier-fetch", Errc::not_found);
    if (!token) return from(token);
    const Json body = parse_json(request.body);
    const auto key = from_base64url(body.at("public_key").get<std::string>());
    if (!key) return from(key);
    const auto issued = relay_.swarm_certificate(*id, *token, *key);
    if (!issued) return from(issued);
    return ok({{"authority", relay_.swarm_authority()},
               {"certificate", issued->pem},
               {"expires", issued->expires}});
}

} // namespace plankurier::relay::http
