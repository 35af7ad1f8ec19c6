// The client's lanes and real relays: entry relays, relays that fail, and relays that lie.
#include "tests/clients/relays_world.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace plankurier::test::relays_test {

TEST_CASE("volumes enter at the relays in turn and no byte is sent twice") {
    RelaysWorld world{2, 150};
    REQUIRE(world.upload({1, 0}));
    CHECK(world.described(1, 0));
    CHECK(world.described(0, 1));
    CHECK(world.described(1, 2));
    CHECK(world.servers[0]->holds(world.transfer, 0).first == 0);
    CHECK(world.servers[1]->holds(world.transfer, 1).first == 0);
    CHECK(world.servers[0]->holds(world.transfer, 2).first == 0);
    CHECK(world.sent_pieces() == 150);
    CHECK(world.receipts == std::vector<std::string>{"conflict", "conflict"}); // no copies here
}

TEST_CASE("one relay gets everything and signs at once") {
    RelaysWorld world{1, 70};
    REQUIRE(world.upload({0}));
    CHECK(world.receipts == std::vector<std::string>{"value"});
    CHECK(world.sent_pieces() == 70);
}

TEST_CASE("a relay that is not there has its volumes sent to the next one") {
    RelaysWorld world{2, 150};
    world.servers[0]->stop();
    REQUIRE(world.upload({0, 1}));
    CHECK(world.lost == std::vector<std::size_t>{0});
    for (std::uint32_t volume = 0; volume < 3; ++volume) CHECK(world.described(1, volume));
    CHECK(world.sent_pieces() == 150);
}

TEST_CASE("a relay that dies in the middle loses only what it had not described") {
    RelaysWorld world{2, 256};
    REQUIRE(world.upload({0, 1}, false, [&](unsigned percent) {
        // Volume 0 is described by then, or its piece is durable and it is sent anew.
        if (percent >= 60 && world.lost.empty()) world.servers[0]->stop();
    }));
    CHECK(world.lost == std::vector<std::size_t>{0});
    for (std::uint32_t volume = 0; volume < 4; ++volume) {
        CAPTURE(volume);
        CHECK((world.described(0, volume) || world.described(1, volume)));
    }
    CHECK(world.described(1, 1));
    CHECK(world.described(1, 2));
    CHECK(world.described(1, 3));
}

TEST_CASE("when no relay answers the upload ends and can be resumed without sending twice") {
    RelaysWorld world{2, 192};
    const auto broken = world.upload({0, 1}, false, [&](unsigned percent) {
        if (percent >= 50) {
            for (auto& server : world.servers) server->stop();
        }
    });
    REQUIRE_FALSE(broken);
    CHECK(broken.error().code == Errc::network);
    for (auto& server : world.servers) server->restart();
    std::size_t durable = 0;
    for (std::uint32_t volume = 0; volume < 3; ++volume) {
        durable += std::max(world.servers[0]->holds(world.transfer, volume).first,
                            world.servers[1]->holds(world.transfer, volume).first);
    }
    REQUIRE(durable > 0);
    world.lost.clear();
    static_cast<void>(world.sent_pieces());
    // The list of relays may come in another order after a restart.
    REQUIRE(world.upload({1, 0}, true));
    CHECK(world.resumed_percent > 0);
    CHECK(world.lost.empty());
    CHECK(world.sent_pieces() <= 192 - durable + 3); // 3: received, but the answer never came
    for (std::uint32_t volume = 0; volume < 3; ++volume) {
        CHECK((world.described(0, volume) || world.described(1, volume)));
    }
}

TEST_CASE("what another relay has copied is not sent to its entry relay again") {
    RelaysWorld world{2, 128};
    world.fill(1);
    REQUIRE(world.upload({0, 1}, true));
    CHECK(world.resumed_percent == 100);
    CHECK(world.sent_pieces() == 0);
    CHECK(world.servers[0]->holds(world.transfer, 0).first == 0);
}

TEST_CASE("an upload whose relays come back goes on by itself") {
    RelaysWorld world{2, 128};
    world.retries = 3;
    bool stopped = false;
    std::jthread rescuer;
    REQUIRE(world.upload({0, 1}, false, [&](unsigned percent) {
        if (percent < 30 || std::exchange(stopped, true)) return;
        for (auto& server : world.servers) server->stop();
        rescuer = std::jthread{[&] {
            for (auto& server : world.servers) server->restart();
        }};
    }));
    for (std::uint32_t volume = 0; volume < 2; ++volume) {
        CHECK((world.described(0, volume) || world.described(1, volume)));
    }
}

TEST_CASE("a file that is only touched while it is sent goes on, one that is written to does not") {
    for (const bool is_written : {false, true}) {
        RelaysWorld world{1, 128};
        const auto plan = world.folder.path() / "plan.pdf";
        bool done = false;
        const auto sent = world.upload({0}, false, [&](unsigned percent) {
            if (percent < 20 || std::exchange(done, true)) return;
            if (is_written) {
                // Between two samples, in what was sent already.
                std::fstream file{plan, std::ios::in | std::ios::out | std::ios::binary};
                file.seekp(100'000);
                file.put(static_cast<char>(~std::to_integer<unsigned>(world.content[100'000])));
            }
            const auto now = std::filesystem::last_write_time(plan);
            std::filesystem::last_write_time(plan, now + std::chrono::seconds{1});
        });
        CAPTURE(is_written);
        CHECK(why(sent) == (is_written ? "file_changed" : "value"));
    }
}

TEST_CASE("a download takes from all relays and has every byte") {
    RelaysWorld world{2, 100};
    world.fill(0);
    world.fill(1);
    const auto fetched = world.download({0, 1});
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(fetched.liars.empty());
}

TEST_CASE("wrong bytes are traced to their relay, and the honest one gives the right ones") {
    RelaysWorld world{2, 100};
    world.fill(0);
    world.fill(1);
    for (std::uint32_t piece = 0; piece < 64; ++piece) {
        world.servers[0]->flip(world.transfer, 0, piece);
    }
    const auto fetched = world.download({0, 1});
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(fetched.liars == std::vector<std::size_t>{0});
}

TEST_CASE("when every relay lies the bytes are called tampered") {
    RelaysWorld world{2, 10};
    for (std::size_t relay = 0; relay < 2; ++relay) {
        world.fill(relay);
        world.servers[relay]->flip(world.transfer, 0, 7);
    }
    const auto fetched = world.download({0, 1});
    CHECK(why(fetched.done) == "tampered");
    CHECK(fetched.liars.size() == 2);
}

TEST_CASE("more lanes than relays end well when every relay has lied before") {
    RelaysWorld world{1, 40};
    world.fill(0);
    world.servers[0]->flip(world.transfer, 0, 7);
    world.known_liars = {0};
    CHECK(why(world.download({0}).done) == "tampered");
}

TEST_CASE("a liar and a relay that is away are not tampered bytes but a broken line") {
    RelaysWorld world{2, 10};
    world.fill(0);
    world.fill(1);
    world.servers[0]->flip(world.transfer, 0, 7);
    world.servers[1]->stop();
    const auto fetched = world.download({0, 1});
    CHECK(why(fetched.done) == "network");
    CHECK(fetched.liars == std::vector<std::size_t>{0});
}

TEST_CASE("a descriptor that its sender did not make is not trusted, and its relay not asked") {
    RelaysWorld world{2, 70};
    world.fill_misdescribed(0);
    world.fill(1);
    const auto fetched = world.download({0, 1});
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(fetched.liars == std::vector<std::size_t>{0});
}

TEST_CASE("bytes that were changed in a kept part are found and fetched again") {
    RelaysWorld world{1, 70};
    world.fill(0);
    world.kept = world.content;
    world.kept->at(world.content.size() / 2) ^= std::byte{1};
    world.kept->back() ^= std::byte{0x80};
    const auto fetched = world.download({0});
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(fetched.spoilt == 2);
}

TEST_CASE("a kept part that nobody changed is not fetched again") {
    RelaysWorld world{1, 70};
    world.fill(0);
    world.kept = world.content;
    unsigned told_first = 0;
    const auto fetched = world.download({0}, [&](unsigned percent) {
        if (told_first == 0) told_first = percent;
    });
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(fetched.spoilt == 0);
    CHECK(told_first == 100);
}

TEST_CASE("a relay that keeps the line and says nothing does not hold up the fetch") {
    RelaysWorld world{2, 128};
    world.fill(0);
    world.fill(1);
    bool frozen = false;
    const auto fetched = world.download({0, 1}, [&](unsigned percent) {
        if (percent >= 20 && !std::exchange(frozen, true)) world.servers[0]->freeze();
    });
    CHECK(why(fetched.done) == "value");
    CHECK(fetched.right);
    CHECK(fetched.liars.empty());
}

} // namespace plankurier::test::relays_test
