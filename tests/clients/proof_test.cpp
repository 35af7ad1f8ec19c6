// What a person keeps to show later, checked off line.
#include <clients/cli/history_text.hpp>
#include <clients/cli/proof.hpp>

#include "tests/clients/service_world.hpp"
#include "tests/clients/staff.hpp"

#include <catch2/catch.hpp>

namespace plankurier::test::proof_test {

using namespace cli;

namespace {

/// A service that nobody can reach any more: what is checked then is checked off line.
std::vector<std::string> offline(const ServiceWorld& world, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", world.url()});
    return arguments;
}

} // namespace

TEST_CASE("receipt and saved state are verified without the service, and changed ones are not") {
    ServiceWorld world;
    world.send();
    const auto saved = world.path("state.json"), page = world.path("state.html");
    const auto status = world.run(
        world.citizen_home, {"status", world.path(world.receipt), "--save", saved, "--html", page});
    INFO(status.err);
    REQUIRE(status.exit == 0);
    world.stop();
    for (const auto& file : {world.path(world.receipt), saved}) {
        const auto verified = world.run(world.citizen_home, offline(world, {"verify", file}));
        INFO(verified.err);
        CHECK(verified.exit == 0);
        CHECK(verified.out.find("Available: the recipient can fetch it") != std::string::npos);
        CHECK(verified.err.find("Landratsamt Muster") != std::string::npos);
    }
    // Neither the manage token nor the return link leaves with what may be handed on.
    const auto receipt = read_receipt(world.path(world.receipt));
    REQUIRE(receipt);
    for (const auto& file : {saved, page}) {
        const auto content = content_of(file);
        CHECK(content.find(to_base64url(receipt->manage.reveal())) == std::string::npos);
        CHECK(content.find(receipt->return_link.reveal()) == std::string::npos);
    }

    auto changed = nlohmann::json::parse(content_of(saved));
    auto history = from_base64url(changed.at("history").get<std::string>()).value();
    history[60] ^= std::byte{1}; // in the first entry
    changed["history"] = to_base64url(history);
    const auto forged = world.write("forged.json", changed.dump());
    CHECK(world.run(world.citizen_home, offline(world, {"verify", forged})).exit == 8);
    changed = nlohmann::json::parse(content_of(saved));
    changed["transfer"] = std::string(32, 'a');
    const auto other = world.write("other.json", changed.dump());
    CHECK(world.run(world.citizen_home, offline(world, {"verify", other})).exit == 8);
    // Who has never trusted the authority cannot tell.
    CHECK(world.run("stranger", offline(world, {"verify", saved})).exit == 9);
}

TEST_CASE("a saved answer shows its signer off line to who can open it") {
    ServiceWorld world;
    world.send();
    const auto list = world.run(world.staff_home, with_key(world, {"inbox", "--json"}));
    const auto id = events(list, "waiting").at(0).at("transfer").get<std::string>();
    REQUIRE(world
                .run(world.staff_home,
                     with_key(world, {"reply", "--to-transfer", id, "--message", "Ihr Bescheid"}))
                .exit == 0);
    const auto saved = world.path("answer.json");
    const auto fetched =
        world.run(world.citizen_home, {"fetch", "--return-link-file", world.path(world.receipt),
                                       "-o", world.path("in"), "--save", saved});
    INFO(fetched.err);
    REQUIRE(fetched.exit == 0);
    world.stop();
    const auto verified = world.run(
        world.citizen_home,
        offline(world, {"verify", saved, "--return-link-file", world.path(world.receipt)}));
    INFO(verified.err);
    CHECK(verified.exit == 0);
    CHECK(verified.out.find("Signed by: Bauamt") != std::string::npos);
    CHECK(verified.out.find("Ihr Bescheid") != std::string::npos);
    const auto stranger =
        world.run(world.staff_home, with_key(world, offline(world, {"verify", saved}), "umwelt"));
    CHECK(stranger.exit == 5);
    CHECK(stranger.out.find("Ihr Bescheid") == std::string::npos);
}

TEST_CASE("a verified record is checked under the record key of the directory") {
    ServiceWorld world;
    VerifiedRecord record{TransferId::random(), sha256(as_bytes("envelope")), citizen,
                          1'790'000'000};
    const auto good = world.write("good", as_text(sign_verified(record, control_seed())));
    const auto bad = world.write("bad", as_text(sign_verified(record, relay_seed(0))));
    const auto shown = world.run(world.citizen_home, {"verify", good, "--json"});
    CHECK(shown.exit == 0);
    CHECK(events(shown, "record").at(0).at("email") == citizen);
    CHECK(events(shown, "verified").size() == 1);
    CHECK(world.run(world.citizen_home, {"verify", bad}).exit == 8);
    CHECK(world.run(world.citizen_home, {"verify", world.write("none", "{}")}).exit == 8);
}

TEST_CASE("a directory that cannot be kept for later stops no command") {
    ServiceWorld world;
    const std::filesystem::path config = world.path(world.citizen_home) + "/config/plankurier";
    std::size_t kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator{config}) {
        if (!entry.path().filename().string().starts_with("directory-")) continue;
        std::filesystem::remove(entry.path());
        std::filesystem::create_directories(entry.path() / "in the way");
        ++kept;
        break;
    }
    REQUIRE(kept == 1);
    CHECK(world.run(world.citizen_home, {"departments", "--server", world.url()}).exit == 0);
}

TEST_CASE("the page of a state loads nothing and takes no text for markup") {
    Receipt receipt;
    receipt.authority = "Amt <script>alert(1)</script> & \"Co\"";
    receipt.recipient = "bauamt";
    receipt.number = "LRA-1";
    TransferStatus status;
    status.state = "<b>new</b>";
    History history;
    history.entries = {{{}, HistoryEvent::accepted, 1'790'000'000, 0},
                       {{}, HistoryEvent::stored, 1'790'000'001, 3},
                       {{}, HistoryEvent::fetched, 1'790'000'002, 1}};
    for (const auto language : {Language::de, Language::en}) {
        const auto page = status_page(language, receipt, status, history);
        CHECK(page.starts_with("<!DOCTYPE html>"));
        CHECK(page.find("<html lang=\"" + std::string{tag(language)} + "\">") != std::string::npos);
        CHECK(page.find("&lt;script&gt;") != std::string::npos);
        for (const auto* foreign : {"<script", "<b>", "http:", "https:", "src=", "href=", "url(",
                                    "@import", "<link", "<img"}) {
            CAPTURE(foreign);
            CHECK(page.find(foreign) == std::string::npos);
        }
        for (const auto& entry : history.entries) {
            const auto words = event_text(language, entry);
            CHECK(page.find(words.substr(0, 10)) != std::string::npos);
        }
        CHECK(event_text(language, history.entries[1]).find('3') != std::string::npos);
    }
}

} // namespace plankurier::test::proof_test
