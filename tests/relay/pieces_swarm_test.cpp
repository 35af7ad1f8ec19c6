// The pieces process and its swarm processes: what is loaded, what their word counts for, and that
// nothing is served after a purge.
#include "relay/pieces/swarm_volumes.hpp"

#include "tests/support/fake_swarm.hpp"
#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <future>

namespace plankurier::test::pieces_swarm_test {

namespace {

using namespace std::chrono_literals;
using relay::pieces::CopyNews;
using relay::pieces::SwarmKind;
using relay::pieces::SwarmPlace;
using relay::pieces::SwarmVolumes;
using relay::swarm::Command;
using Kind = relay::swarm::Report::Kind;

/// A piece store with one whole body, and its table of loaded volumes. No certificates are needed,
/// as the swarm is a plain one.
struct World {
    explicit World(SwarmVolumes::Times times = {0ms, 300ms})
        : store(folder.path()),
          control({socket() / "none", {}, {}}, known_relay(0).id, relay_seed(0)),
          certificates(control, lease) {
        store.put_all(body);
        volumes = std::make_unique<SwarmVolumes>(store.catalog(), certificates, socket(), times);
    }
    [[nodiscard]] std::filesystem::path socket() const { return folder.path() / "swarm.sock"; }
    [[nodiscard]] SwarmPlace place(const Body& of, std::uint32_t volume = 0,
                                   SwarmKind kind = SwarmKind::plain) const {
        return {{of.id(), volume}, kind};
    }
    std::future<Result<std::uint16_t>> want(const Body& of, std::uint32_t volume = 0,
                                            SwarmKind kind = SwarmKind::plain) {
        auto promise = std::make_shared<std::promise<Result<std::uint16_t>>>();
        auto future = promise->get_future();
        volumes->want(place(of, volume, kind), [promise](Result<std::uint16_t> port) {
            promise->set_value(std::move(port));
        });
        return future;
    }
    /// Until the link's thread has taken the hello.
    void wait_up(SwarmKind kind = SwarmKind::plain) {
        const Body nowhere{"nowhere"};
        for (int i = 0; i < 1'000; ++i) {
            if (why(want(nowhere, 0, kind).get()) == "not_found") return;
            std::this_thread::sleep_for(5ms);
        }
        FAIL("no swarm process");
    }
    void wait_loaded(std::size_t count) {
        for (int i = 0; i < 2'000 && volumes->loaded() != count; ++i) {
            std::this_thread::sleep_for(5ms);
        }
        REQUIRE(volumes->loaded() == count);
    }

    TempFolder folder;
    Body body{"whole"};
    PieceStore store;
    relay::pieces::ControlCalls control;
    relay::pieces::Lease lease;
    relay::pieces::Certificates certificates;
    std::unique_ptr<SwarmVolumes> volumes;
};

std::string got(std::future<Result<std::uint16_t>>& future) {
    if (future.wait_for(10s) != std::future_status::ready) return "nothing";
    const auto port = future.get();
    return port ? std::to_string(*port) : why(port);
}

} // namespace

TEST_CASE("without a swarm process nobody waits for one") {
    World world;
    auto asked = world.want(world.body);
    CHECK(got(asked) == "unavailable");
    CHECK(world.volumes->loaded() == 0);
}

TEST_CASE("a whole volume is loaded when somebody asks, once, and its file only for reading") {
    World world;
    FakeSwarm swarm{world.socket()};
    world.wait_up();
    auto first = world.want(world.body);
    auto second = world.want(world.body);
    const Command add = swarm.next();
    REQUIRE(add.kind == Command::Kind::add);
    CHECK(add.volume.name == VolumeName{world.body.id(), 0});
    CHECK(add.volume.piece_bytes == world.body.layout().piece_bytes());
    REQUIRE(add.volume.piece_roots.size() == 3);
    for (std::uint32_t i = 0; i < 3; ++i) CHECK(add.volume.piece_roots[i] == world.body.root(0, i));
    CHECK((add.have & 7U) == 7U);
    CHECK_FALSE(add.certificate);
    REQUIRE(swarm.file() >= 0);
    CHECK((::fcntl(swarm.file(), F_GETFL) & O_ACCMODE) == O_RDONLY);
    Bytes piece(world.body.layout().piece_bytes());
    REQUIRE(::pread(swarm.file(), piece.data(), piece.size(), 0) ==
            static_cast<ssize_t>(piece.size()));
    CHECK(piece == world.body.piece(0, 0));
    CHECK(first.wait_for(0s) == std::future_status::timeout); // not before it is ready
    swarm.say(Kind::ready, add.volume.name);
    CHECK(got(first) == "4711");
    CHECK(got(second) == "4711");
    auto third = world.want(world.body);
    CHECK(got(third) == "4711");
    swarm.say(Kind::quiet, add.volume.name);
    CHECK(swarm.next().kind == Command::Kind::remove); // and no second add before
    swarm.say(Kind::removed, add.volume.name);
    world.wait_loaded(0);
}

TEST_CASE("a volume that was just asked for is not unloaded") {
    World world{{1h, 300ms}};
    FakeSwarm swarm{world.socket()};
    world.wait_up();
    auto asked = world.want(world.body);
    const Command add = swarm.next();
    swarm.say(Kind::ready, add.volume.name);
    CHECK(got(asked) == "4711");
    swarm.say(Kind::quiet, add.volume.name);
    swarm.say(Kind::failed, add.volume.name); // that one does unload it
    CHECK(swarm.next().kind == Command::Kind::remove);
    auto again = world.want(world.body); // while it is unloaded
    swarm.say(Kind::removed, add.volume.name);
    CHECK(swarm.next().kind == Command::Kind::add);
    swarm.say(Kind::ready, add.volume.name);
    CHECK(got(again) == "4711");
}

TEST_CASE("what is not whole, not here or purged is not loaded") {
    World world;
    FakeSwarm swarm{world.socket()};
    world.wait_up();
    const Body half{"half"};
    REQUIRE(world.store.put(half, 0, 0) == "value");
    auto asked = world.want(half);
    CHECK(got(asked) == "not_found");
    asked = world.want(world.body, 1);
    CHECK(got(asked) == "not_found");
    CHECK(world.store.catalog().halt({world.body.id()}) == std::vector{world.body.id()});
    CHECK(world.store.catalog().halt({world.body.id()}).empty()); // known by now
    asked = world.want(world.body);
    CHECK(got(asked) == "not_found");
    world.store.catalog().forbid(world.body.id());
    asked = world.want(world.body);
    CHECK(got(asked) == "purged");
    CHECK(world.volumes->loaded() == 0);
}

TEST_CASE("an unload returns once the swarm process has unloaded") {
    World world{{0ms, 1min}};
    FakeSwarm swarm{world.socket()};
    world.wait_up();
    auto asked = world.want(world.body);
    const Command add = swarm.next();
    swarm.say(Kind::ready, add.volume.name);
    CHECK(got(asked) == "4711");
    world.store.catalog().forbid(world.body.id());
    auto unloading =
        std::async(std::launch::async, [&] { world.volumes->unload(world.body.id()); });
    CHECK(swarm.next().kind == Command::Kind::remove);
    CHECK(unloading.wait_for(0s) == std::future_status::timeout);
    auto again = world.want(world.body); // somebody asks in between
    swarm.say(Kind::removed, add.volume.name);
    unloading.get();
    CHECK(got(again) == "purged");
    world.wait_loaded(0);
}

TEST_CASE("a swarm process that does not unload is ended") {
    World world;
    FakeSwarm swarm{world.socket()};
    world.wait_up();
    auto asked = world.want(world.body);
    const Command add = swarm.next();
    swarm.say(Kind::ready, add.volume.name);
    CHECK(got(asked) == "4711");
    world.store.catalog().forbid(world.body.id());
    world.volumes->unload(world.body.id()); // it hears the order and does nothing
    swarm.wait_end();
    CHECK(world.volumes->loaded() == 0);
}

TEST_CASE("a swarm process that starts again gets what the one before had") {
    World world;
    auto swarm = std::make_unique<FakeSwarm>(world.socket());
    world.wait_up();
    auto asked = world.want(world.body);
    swarm->say(Kind::ready, swarm->next().volume.name);
    CHECK(got(asked) == "4711");
    swarm.reset();
    FakeSwarm next{world.socket(), false, 4'712};
    const Command add = next.next();
    CHECK(add.kind == Command::Kind::add);
    CHECK(add.volume.name == VolumeName{world.body.id(), 0});
    next.say(Kind::ready, add.volume.name);
    for (int i = 0; i < 1'000; ++i) {
        auto again = world.want(world.body);
        if (got(again) == "4712") return;
    }
    FAIL("the new port is not told");
}

TEST_CASE("askers hear at once that the swarm process has died") {
    World world;
    auto swarm = std::make_unique<FakeSwarm>(world.socket());
    world.wait_up();
    auto asked = world.want(world.body);
    static_cast<void>(swarm->next());
    swarm.reset();
    CHECK(got(asked) == "unavailable");
}

TEST_CASE("the swarm process's word counts only for pieces of a running copy") {
    World world;
    FakeSwarm swarm{world.socket()};
    world.wait_up();
    const Body copied{"copied"};
    const auto descriptor = decode_descriptor(copied.descriptor(0)).value();
    const auto target = world.store.catalog().begin_copy(copied.ticket(), descriptor).value();
    CHECK(target.missing == 7U);
    const auto news = std::make_shared<CopyNews>();
    const SwarmPlace place = world.place(copied);
    const SwarmVolume volume{place.volume, copied.layout().piece_bytes(), descriptor.piece_roots};
    REQUIRE(world.volumes->begin_copy(place, volume, target, news));
    CHECK((::fcntl((swarm.next(), swarm.file()), F_GETFL) & O_ACCMODE) == O_RDWR);
    swarm.say(Kind::piece, place.volume, 3);         // it has three
    swarm.say(Kind::piece, place.volume, 64);        // no volume has that
    swarm.say(Kind::piece, {copied.id(), 1}, 0);     // not loaded
    swarm.say(Kind::piece, {world.body.id(), 0}, 0); // not loaded, whole
    swarm.say(Kind::ready, {TransferId::random(), 0});
    swarm.say(Kind::complete, place.volume);
    swarm.say(Kind::ready, place.volume);
    swarm.say(Kind::piece, place.volume, 1);
    CopyNews::State all;
    while (all.pieces == 0) {
        const auto state = news->wait(10s);
        all.pieces |= state.pieces;
        all.ready = all.ready || state.ready;
    }
    CHECK(all.ready);
    CHECK(all.pieces == 2U);
    world.volumes->keep_copy(place);
    swarm.say(Kind::piece, place.volume, 0); // not copied any more
    swarm.say(Kind::quiet, place.volume);
    CHECK(swarm.next().kind == Command::Kind::remove);
    CHECK(news->wait(0s).pieces == 0);
}

TEST_CASE("a swarm process that takes long to start is heard, whoever says hello meanwhile") {
    World world;
    FakeSwarm slow{world.socket(), FakeSwarm::Slow::yes};
    FakeSwarm quick{world.socket(), true, 4'712};
    world.wait_up(SwarmKind::tls);
    slow.say_hello(false, 4'713);
    world.wait_up();
    auto asked = world.want(world.body);
    slow.say(Kind::ready, slow.next().volume.name);
    CHECK(got(asked) == "4713");
}

TEST_CASE("those that connect and say nothing have to make room") {
    World world;
    FakeSwarm silent{world.socket(), FakeSwarm::Slow::yes};
    std::vector<std::unique_ptr<FakeSwarm>> later;
    for (int i = 0; i < 4; ++i) {
        later.push_back(std::make_unique<FakeSwarm>(world.socket(), FakeSwarm::Slow::yes));
    }
    silent.wait_end();
    later.front()->say_hello(false, 4'711);
    world.wait_up();
}

TEST_CASE("what is no message of ours ends the line") {
    World world;
    for (const char* text : {"{", "[]", "{\"is\":\"add\"}", "{\"is\":\"piece\"}",
                             R"({"is":"piece","transfer":"00","volume":0,"piece":0})",
                             R"({"is":"hello","tls":false,"port":70000})"}) {
        FakeSwarm swarm{world.socket()};
        swarm.say_text(text);
        swarm.wait_end();
    }
    FakeSwarm swarm{world.socket()};
    world.wait_up(); // and the next one is heard
}

} // namespace plankurier::test::pieces_swarm_test
