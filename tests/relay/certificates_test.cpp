// The swarm's certificates: whom they name, how long they hold, and who gets none.
#include "relay/adapters/files.hpp"
#include "relay/adapters/swarm_authority.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

namespace plankurier::test::certificates_test {

namespace {

relay::CertificateRequest asking(Control& world, const std::vector<TransferId>& transfers) {
    return {world.clock.now(), ec_public_key("P-256"), transfers};
}

} // namespace

TEST_CASE("a certificate names exactly its transfer, for TLS clients and servers, and no CA") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto transfer = TransferId::random();
    const Bytes key = ec_public_key("P-256");
    const std::int64_t now = world.clock.now();
    const auto pem = world.authority().issue(transfer, key, now, now + 100);
    REQUIRE(pem);
    const SeenCertificate seen = look_at(*pem);
    CHECK(seen.subject == "CN = " + transfer.hex());
    CHECK(seen.alternative_names == 0);
    CHECK(seen.public_key == key);
    CHECK_FALSE(seen.is_ca);
    CHECK(seen.key_usage == "digitalSignature");
    CHECK(seen.extended_key_usage == "clientAuth serverAuth");
    CHECK(seen.serial_bits > 64);
    CHECK(look_at(*world.authority().issue(transfer, key, now, now + 100)).serial != seen.serial);
}

TEST_CASE("a certificate is good from its first to its last second, under its own CA only") {
    const TempFolder folder, other_folder;
    Control world{folder.path()};
    const std::int64_t now = world.clock.now();
    const auto pem =
        world.authority().issue(TransferId::random(), ec_public_key("P-256"), now, now + 100);
    REQUIRE(pem);
    const std::string& root = world.authority().certificate();
    for (const Purpose purpose : {Purpose::client, Purpose::server}) {
        CHECK(is_trusted(*pem, root, now, purpose));
        CHECK(is_trusted(*pem, root, now + 99, purpose));
        CHECK_FALSE(is_trusted(*pem, root, now - 1, purpose));
        CHECK_FALSE(is_trusted(*pem, root, now + 100, purpose)); // OpenSSL excludes the end
    }
    relay::adapters::SwarmAuthority other{other_folder.path(), now};
    CHECK_FALSE(is_trusted(*pem, other.certificate(), now, Purpose::client));
    // Whoever has a certificate can issue none.
    CHECK_FALSE(is_trusted(*pem, *pem, now, Purpose::client));
}

TEST_CASE("the CA outlives every machine it runs on") {
    const TempFolder folder;
    Control world{folder.path()};
    const std::int64_t then = world.clock.now() + 19 * 365 * day_s;
    const auto pem =
        world.authority().issue(TransferId::random(), ec_public_key("P-256"), then, then + 100);
    REQUIRE(pem);
    CHECK(is_trusted(*pem, world.authority().certificate(), then, Purpose::server));
}

TEST_CASE("only whole public keys on P-256 are certified") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto issue = [&](const Bytes& key) {
        return why(world.authority().issue(TransferId::random(), key, 0, 1));
    };
    const Bytes good = ec_public_key("P-256");
    CHECK(issue(good) == "value");
    CHECK(issue({}) == "malformed");
    CHECK(issue(ec_public_key("P-384")) == "malformed");
    CHECK(issue(ec_public_key("secp256k1")) == "malformed");
    CHECK(issue(Bytes(good.begin(), good.end() - 1)) == "malformed");
    Bytes longer = good;
    longer.push_back({});
    CHECK(issue(longer) == "malformed");
    Bytes beside = good;
    beside.back() ^= std::byte{1};
    CHECK(issue(beside) == "malformed"); // no point of the curve
    CHECK(issue(Bytes(10'000)) == "malformed");
}

TEST_CASE("the CA is made once, its key is for the relay's user alone, and a lost key is said") {
    const TempFolder folder;
    const std::string made =
        relay::adapters::SwarmAuthority{folder.path(), 1'800'000'000}.certificate();
    CHECK(relay::adapters::SwarmAuthority{folder.path(), 1'900'000'000}.certificate() == made);
    struct stat status {};
    REQUIRE(::stat((folder.path() / "swarm-ca.key").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    const TempFolder other;
    static_cast<void>(relay::adapters::SwarmAuthority{other.path(), 1'800'000'000});
    const auto reopen = [&] { relay::adapters::SwarmAuthority{folder.path(), 1'800'000'000}; };
    std::filesystem::copy_file(other.path() / "swarm-ca.key", folder.path() / "swarm-ca.key",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK_THROWS_WITH(reopen(), Catch::Contains("do not belong together"));
    std::filesystem::remove(folder.path() / "swarm-ca.key");
    CHECK_THROWS_WITH(reopen(), Catch::Contains("swarm-ca.key is missing"));
    std::filesystem::remove(folder.path() / "swarm-ca.pem");
    CHECK_NOTHROW(reopen());
}

TEST_CASE("a relay gets certificates for living transfers, for twelve hours, and for no other") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto uploading = world.uploading();
    const auto available = world.available();
    const auto revoked = world.available();
    REQUIRE(world.relay().revoke(revoked.id, revoked.manage));
    const auto request =
        asking(world, {uploading.id, revoked.id, TransferId::random(), available.id});
    const auto issued = world.relay().relay_certificates(known_relay(0).id, request);
    REQUIRE(issued);
    REQUIRE(issued->size() == 2);
    const std::int64_t now = world.clock.now();
    for (std::size_t i = 0; i < 2; ++i) {
        const auto& one = (*issued)[i];
        CHECK(one.transfer == (i == 0 ? uploading.id : available.id));
        CHECK(look_at(one.pem).subject == "CN = " + one.transfer.hex());
        CHECK(look_at(one.pem).public_key == request.public_key);
        CHECK(is_trusted(one.pem, world.relay().swarm_authority(), now + 12 * hour_s - 1,
                         Purpose::server));
        CHECK_FALSE(is_trusted(one.pem, world.relay().swarm_authority(), now + 12 * hour_s,
                               Purpose::server));
    }
}

TEST_CASE("no relay gets a certificate after a transfer's end, nor does a strange or late one") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const auto ask = [&](std::size_t number, const relay::CertificateRequest& request) {
        return world.relay().relay_certificates(known_relay(number).id, request);
    };
    CHECK(why(ask(1, asking(world, {sending.id}))) == "not_found");
    auto late = asking(world, {sending.id});
    late.time -= 301;
    CHECK(why(ask(0, late)) == "expired");
    auto odd = asking(world, {sending.id});
    odd.public_key.pop_back();
    CHECK(why(ask(0, odd)) == "malformed");
    world.clock.pass(14 * day_s - 1);
    CHECK(ask(0, asking(world, {sending.id}))->size() == 1);
    world.clock.pass(1); // before the purge comes round
    CHECK(ask(0, asking(world, {sending.id}))->empty());
}

TEST_CASE("a recipient gets a certificate for four hours, but never past the transfer's end") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto sending = world.available();
    const Bytes key = ec_public_key("P-256");
    const auto ask = [&] {
        return world.relay().swarm_certificate(sending.id, sending.fetch(), key);
    };
    const std::int64_t now = world.clock.now();
    const auto first = ask();
    REQUIRE(first);
    CHECK(first->expires == now + 4 * hour_s);
    CHECK(look_at(first->pem).subject == "CN = " + sending.id.hex());
    CHECK(is_trusted(first->pem, world.relay().swarm_authority(), now + 4 * hour_s - 1,
                     Purpose::client));
    CHECK_FALSE(
        is_trusted(first->pem, world.relay().swarm_authority(), now + 4 * hour_s, Purpose::client));
    world.clock.pass(14 * day_s - 60);
    const auto last = ask();
    REQUIRE(last);
    CHECK(last->expires == now + 14 * day_s);
    CHECK_FALSE(
        is_trusted(last->pem, world.relay().swarm_authority(), now + 14 * day_s, Purpose::client));
    world.clock.pass(60);
    CHECK(why(ask()) == "not_found");
}

TEST_CASE("whoever cannot fetch a transfer gets no certificate for it") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto uploading = world.uploading();
    const auto sending = world.available();
    const auto revoked = world.available();
    REQUIRE(world.relay().revoke(revoked.id, revoked.manage));
    const Bytes key = ec_public_key("P-256");
    const auto ask = [&](const Sending& one, const FetchToken& token) {
        return why(world.relay().swarm_certificate(one.id, token, key));
    };
    CHECK(ask(uploading, uploading.fetch()) == "not_found");
    CHECK(ask(revoked, revoked.fetch()) == "not_found");
    CHECK(ask(Sending{}, sending.fetch()) == "not_found");
    CHECK(ask(sending, revoked.fetch()) == "not_found");
    CHECK(ask(sending, sending.fetch()) == "value");
    CHECK(why(world.relay().swarm_certificate(sending.id, sending.fetch(), Bytes(91))) ==
          "malformed");
}

} // namespace plankurier::test::certificates_test
