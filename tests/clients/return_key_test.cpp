// The return key of a citizen: born with the transfer, kept in the receipt, told to nobody.
#include <clients/cli/receipt.hpp>

#include "tests/clients/service_world.hpp"

#include <plankurier/links.hpp>

#include <catch2/catch.hpp>
#include <sys/stat.h>

namespace plankurier::test::return_key_test {

TEST_CASE("a citizen's transfer carries a return key, and the receipt holds its secret link") {
    ServiceWorld world;
    const auto sent = world.send();
    const auto receipt = cli::read_receipt(world.path(world.receipt));
    REQUIRE(receipt);
    const auto link = parse_return_link(receipt->return_link);
    REQUIRE(link);
    CHECK(link->base == world.url());
    struct stat about {};
    REQUIRE(::stat(world.path(world.receipt).c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);

    // The department finds the public half in the manifest.
    const auto envelope = world.with_control(
        [](Control& control) { return control.relay().envelope(control.link_for()); });
    REQUIRE(envelope);
    const auto opened =
        open_envelope(*envelope, ServiceWorld::seed_of("bauamt"), StanzaType::hpke_p256);
    REQUIRE(opened);
    REQUIRE(opened->manifest.reply_key);
    CHECK(inbox_id(*opened->manifest.reply_key) == link->inbox);
    CHECK(*opened->manifest.reply_key == recipient_public_key(link->seed, link->type).value());
}

TEST_CASE("the return link is shown on a terminal once, and never where it could be logged") {
    ServiceWorld world;
    const auto shown = world.send({}, true);
    auto receipt = cli::read_receipt(world.path(world.receipt));
    REQUIRE(receipt);
    const auto secret = std::string{receipt->return_link.reveal()};
    REQUIRE_FALSE(secret.empty());
    const auto at = shown.err.find(secret);
    REQUIRE(at != std::string::npos);
    CHECK(shown.err.find(secret, at + 1) == std::string::npos);
    CHECK(shown.out.find(secret) == std::string::npos);

    const auto logged = world.send({"--json"});
    receipt = cli::read_receipt(world.path(world.receipt));
    REQUIRE(receipt);
    const auto link = parse_return_link(receipt->return_link);
    REQUIRE(link);
    const auto seed = to_base64url(link->seed.reveal());
    CHECK(logged.out.find(seed) == std::string::npos);
    CHECK(logged.err.find(seed) == std::string::npos);
    CHECK(logged.err.find(world.path(world.receipt)) != std::string::npos);
}

} // namespace plankurier::test::return_key_test
