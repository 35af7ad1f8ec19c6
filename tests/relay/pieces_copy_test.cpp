// Three relays on loopback that copy by real BitTorrent what a sender gives to one of them.
#include "tests/support/fake_swarm.hpp"
#include "tests/support/swarm_relay.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <fstream>

namespace plankurier::test::pieces_copy_test {

namespace {

struct World {
    explicit World(std::size_t count, const TestRelay::Options& options = {}) {
        for (std::size_t i = 0; i < count; ++i) add(i, options);
        name_them();
    }
    void add(std::size_t number, const TestRelay::Options& options = {}) {
        relays.push_back(
            std::make_unique<TestRelay>(number, tls, folder.path() / "control.sock", options));
    }
    /// The control plane names all of them; waits until each has heard it.
    void name_them() {
        std::vector<relay::pieces::OtherRelay> records;
        for (const auto& one : relays) records.push_back(one->record());
        control.set_relays(records);
        const Body probe{"probe"};
        for (const auto& one : relays) {
            control.wait("a relay's first sync", [&] {
                const auto answer =
                    one->call("GET", probe.path(), probe.authorization(TicketRole::get));
                return answer.status != 503;
            });
        }
    }
    void wait_stored(const Body& body, std::size_t count) {
        const Hash256 content = body.content();
        control.wait("stored", [&] { return control.stored(body.id(), content) == count; });
    }
    TestRelay& operator[](std::size_t number) { return *relays[number]; }

    TempFolder folder;
    TlsFiles tls{folder.path()};
    SwarmControl control{folder.path() / "control.sock"};
    std::vector<std::unique_ptr<TestRelay>> relays;
};

/// An invited recipient's swarm. It keeps the sealed bytes, so that they can be compared.
class Downloader {
public:
    Downloader(SwarmControl& control, const Body& body, std::uint32_t volume)
        : body_(body), name_{body.id(), volume}, file_(folder_.path() / "sealed"),
          swarm_({}, [this](const SwarmEvent& event) { heard(event); }) {
        const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        REQUIRE(::ftruncate(fd, static_cast<off_t>(body.layout().volume_bytes(volume))) == 0);
        const auto descriptor = decode_descriptor(body.descriptor(volume)).value();
        const auto certificate = control.invite(body.id());
        REQUIRE(swarm_.add({name_, body.layout().piece_bytes(), descriptor.piece_roots},
                           stored_backing(fd), 0, &certificate));
        wait("ready", [&] { return ready_; });
    }
    void connect(std::uint16_t port) { REQUIRE(swarm_.connect(name_, "127.0.0.1", port)); }
    std::string wait_whole() {
        wait("all pieces", [&] { return complete_; });
        std::ifstream in{file_, std::ios::binary};
        for (std::uint32_t i = 0; i < body_.layout().pieces_in_volume(name_.volume); ++i) {
            std::string piece(body_.layout().piece_bytes(), '\0');
            in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
            if (piece != as_text(body_.piece(name_.volume, i))) return "wrong";
        }
        return "right";
    }
    [[nodiscard]] std::uint64_t bytes() const { return swarm_.totals().received_bytes; }

private:
    void heard(const SwarmEvent& event) {
        const std::scoped_lock lock{mutex_};
        ready_ = ready_ || event.kind == SwarmEvent::Kind::ready;
        complete_ = complete_ || event.kind == SwarmEvent::Kind::complete;
        changed_.notify_all();
    }
    void wait(const char* what, const std::function<bool()>& done) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, std::chrono::minutes{1}, done)) FAIL(what);
    }

    const Body& body_;
    VolumeName name_;
    TempFolder folder_;
    std::filesystem::path file_;
    std::mutex mutex_; ///< guards both flags
    std::condition_variable changed_;
    bool ready_{}, complete_{};
    Swarm swarm_; ///< last, so that it ends first
};

void check_everywhere(World& world, const Body& body) {
    for (const auto& one : world.relays) {
        for (std::uint32_t v = 0; v < body.layout().volumes(); ++v) {
            CHECK(one->read(body, v) == "right");
        }
    }
}

} // namespace

TEST_CASE("volumes given to different relays are soon at all of them, byte by byte") {
    const bool plain = GENERATE(false, true);
    INFO((plain ? "plain" : "tls"));
    World world{3, {plain ? std::vector<std::string>{"127.0.0.0/8"} : std::vector<std::string>{}}};
    const Body body{"two volumes", 66};
    REQUIRE(body.layout().volumes() == 2);
    for (std::uint32_t v = 0; v < 2; ++v) world[v].upload(body, v);
    world.wait_stored(body, 3);
    check_everywhere(world, body);
    CHECK((world.control.certificate_calls() == 0) == plain);
}

TEST_CASE("the relay that a volume comes from is named before the volume is ready") {
    const TestRelay::Options plain{{"127.0.0.0/8"}};
    World world{1, plain};
    const Body body{"named early"};
    world[0].upload(body, 0);
    world.control.wait("its swarm process", [&] {
        return world[0]
                   .call("POST", body.path("/0/swarm"), body.authorization(TicketRole::peer),
                         R"({"plain":true})")
                   .status == 200;
    });
    world.add(1, plain);
    world[1].stop_swarm();
    FakeSwarm swarm{world[1].folder() / "swarm.sock"};
    world.name_them();
    world.control.want_copies(body.ticket(TicketRole::peer));
    CHECK(swarm.next().kind == relay::swarm::Command::Kind::add);
    CHECK(swarm.next().kind == relay::swarm::Command::Kind::connect);
}

TEST_CASE("a relay that was away finds what it missed") {
    World world{2};
    const Body body{"missed", 66};
    world[1].stop();
    world[0].upload(body, 0);
    world[0].upload(body, 1);
    world.wait_stored(body, 1);
    world.control.want_copies(body.ticket(TicketRole::peer));
    world[1].start();
    world.wait_stored(body, 2);
    check_everywhere(world, body);
}

TEST_CASE("a relay whose receipt got lost signs again") {
    World world{1};
    const Body body{"receipt"};
    world[0].upload(body, 0);
    world.wait_stored(body, 1);
    world.control.lose_receipts();
    world.control.want_copies(body.ticket(TicketRole::peer));
    world.wait_stored(body, 1);
}

TEST_CASE("what breaks after a client has the receipt and before a sync tells of it is told lost") {
    World world{1};
    const Body body{"handed"};
    world.control.set_answering(false);
    world[0].upload(body, 0);
    CHECK(world[0].call("POST", body.path("/stored"), body.authorization(TicketRole::put)).status ==
          200);
    std::filesystem::resize_file(world[0].folder() / "pieces" / body.id().hex() / "00000000.vol",
                                 body.layout().piece_bytes());
    CHECK(world[0]
              .call("POST", body.path("/0/check"), body.authorization(TicketRole::put), "{}")
              .status == 202);
    const auto is_out = [&] { return world[0].read(body, 0) == "piece 503"; };
    world.control.wait("a look at the volume", is_out);
    world.control.set_answering(true);
    world.control.wait("lost", [&] { return world.control.lost(body.id()) == 1; });
}

TEST_CASE("a copy goes on when the swarm processes die and start again") {
    World world{2};
    const Body body{"restarted", 64};
    world[1].stop_swarm(); // before: it has to wait
    world[0].upload(body, 0);
    const Body next{"again", 64};
    world[1].start_swarm();
    world.wait_stored(body, 2);
    world[0].stop_swarm(); // the one that gives
    world[0].upload(next, 0);
    world[0].start_swarm();
    world.wait_stored(next, 2);
    check_everywhere(world, body);
    check_everywhere(world, next);
}

TEST_CASE("when the relay before it in the chain is gone, another gives the volume") {
    World world{3};
    // The order of ids decides the chain; whichever relay is the middle one is stopped.
    std::vector<std::size_t> order{0, 1, 2};
    std::ranges::sort(order, {}, [](std::size_t n) { return known_relay(n).id; });
    world[order[1]].stop();
    const Body body{"gap", 5};
    world[order[0]].upload(body, 0);
    world.wait_stored(body, 2);
    CHECK(world[order[2]].read(body, 0) == "right");
}

TEST_CASE("an invited recipient fetches a volume by swarm; after a purge nobody gets a byte") {
    World world{1};
    const Body body{"fetched"};
    CHECK(world[0].swarm(body, 0).status == 404);
    world[0].upload(body, 0);
    TestRelay::SwarmAnswer answer;
    world.control.wait("a swarm process", [&] { // it may still be starting: 503
        answer = world[0].swarm(body, 0);
        return answer.status == 200;
    });
    CHECK(world[0].swarm(body, 1).status == 404);
    {
        Downloader first{world.control, body, 0};
        first.connect(answer.port);
        CHECK(first.wait_whole() == "right");
    }
    Downloader late{world.control, body, 0}; // invited as well
    world.control.bury(body.id());
    world.control.wait("gone", [&] { return world.control.gone(body.id()) == 1; });
    late.connect(answer.port);
    CHECK(world[0].swarm(body, 0).status == 410);
    CHECK(world[0].read(body, 0) == "descriptor 410");
    std::this_thread::sleep_for(std::chrono::milliseconds{500}); // nothing to wait for may come
    CHECK(late.bytes() == 0);
}

TEST_CASE("what its recipient reports is read by no recipient from the next sync on") {
    World world{1};
    const Body body{"reported"}, other{"another"};
    for (const Body* one : {&body, &other}) {
        world[0].upload(*one, 0);
        world.control.wait("a swarm process",
                           [&] { return world[0].swarm(*one, 0).status == 200; });
    }
    const auto port = world[0].swarm(body, 0).port;
    Downloader invited{world.control, body, 0}; // its certificate is good for hours
    world.control.report(body.id());
    const auto heard = world.control.syncs() + 2; // the second one tells that the first is obeyed
    world.control.wait("a sync", [&] { return world.control.syncs() >= heard; });
    invited.connect(port);
    CHECK(world[0].swarm(body, 0).status == 404);
    CHECK(world[0].read(body, 0) == "descriptor 404");
    CHECK(world[0].swarm(other, 0).status == 200);
    CHECK(world[0].read(other, 0) == "right");
    // It stays, for the authority and for the other relays.
    CHECK(world[0].call("GET", body.path("/0/0"), body.authorization(TicketRole::peer)).status ==
          200);
    std::this_thread::sleep_for(std::chrono::milliseconds{500}); // nothing to wait for may come
    CHECK(invited.bytes() == 0);
}

TEST_CASE("a purge that comes during a copy leaves nothing anywhere") {
    World world{2};
    const Body body{"raced", 64};
    world[0].upload(body, 0);
    world.control.bury(body.id());
    world.control.wait("gone", [&] { return world.control.gone(body.id()) == 2; });
    for (const auto& one : world.relays) {
        CHECK(one->read(body, 0) == "descriptor 410");
        CHECK_FALSE(std::filesystem::exists(one->folder() / "pieces" / body.id().hex()));
    }
}

} // namespace plankurier::test::pieces_copy_test
