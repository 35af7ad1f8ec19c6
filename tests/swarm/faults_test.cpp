// Peers that lie, lines that break, disks that fail, memory that ends.
#include "engine/swarm/block_hashes.hpp"
#include "tests/swarm/line.hpp"
#include "tests/swarm/nodes.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <thread>

namespace plankurier::test::faults_test {

TEST_CASE("a seed that lies is banned, nothing of it is told, and an honest one completes") {
    const std::uint64_t piece_bytes = segment_bytes * GENERATE(1U, 4U);
    const TestVolume volume{6, piece_bytes};
    Node liar{plain_settings()}, honest{plain_settings()}, other{plain_settings()};
    const auto lies = std::make_shared<MemoryBacking>(volume.bytes);
    lies->lies_left = 1'000'000;
    const auto kept = std::make_shared<MemoryBacking>(volume);
    REQUIRE(liar.load(volume, lies, volume.all()));
    REQUIRE(honest.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, kept, 0));
    REQUIRE(other.connect(volume, liar));
    REQUIRE(other.saw(Kind::bad_peer, volume.about));
    CHECK(other.last(Kind::bad_peer).peer == "127.0.0.1:" + std::to_string(liar->port()));
    CHECK(other.count(Kind::piece, volume.about) == 0);
    REQUIRE(other.connect(volume, honest));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
    CHECK(other.count(Kind::piece, volume.about) == 6);
    CHECK(other.count(Kind::failed, volume.about) == 0);
}

namespace {

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

/// Offers everything, and answers each request with other bytes. Gives the numbers of all messages
/// that came until the other side closed.
std::multiset<int> lie_to(Node& node, const TestVolume& volume) {
    constexpr char unchoke = 1, have_all = 14, request = 6, piece = 7;
    Line line{{node->port()}};
    line.send(greeting(info_hash(volume.about, {})));
    std::multiset<int> numbers;
    if (line.receive(68).size() != 68) return numbers;
    line.send(message(have_all, {}) + message(unchoke, {}));
    for (;;) {
        const std::string length = line.receive(4);
        if (length.size() != 4) return numbers;
        const std::string body = line.receive(word_at(length, 0));
        if (body.size() != word_at(length, 0)) return numbers;
        if (body.empty()) continue;
        numbers.insert(body.front());
        if (body.front() != request) continue;
        line.send(message(piece, body.substr(1, 8) + std::string(word_at(body, 9), 'x')));
    }
}

} // namespace

TEST_CASE("a wrong piece is no reason to ask a peer for hashes") {
    // libtorrent 2.0.8 would, and writes past the end of a vector when the peer refuses.
    const TestVolume volume{64, segment_bytes};
    Node node{plain_settings()}, honest{plain_settings()};
    const auto kept = std::make_shared<MemoryBacking>(volume);
    REQUIRE(node.load(volume, kept, 0));
    const auto heard = lie_to(node, volume);
    constexpr int request = 6, hash_request = 21;
    CHECK(heard.count(request) >= swarm::segment_blocks);
    CHECK(heard.count(hash_request) == 0);
    CHECK(node.saw(Kind::bad_peer, volume.about));
    CHECK(node.count(Kind::piece, volume.about) == 0);
    REQUIRE(honest.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(node.connect(volume, honest));
    REQUIRE(node.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
}

TEST_CASE("who lies again and again under new ports is not let in any more") {
    const TestVolume volume{16};
    Node node{plain_settings()};
    REQUIRE(node.load(volume, std::make_shared<MemoryBacking>(volume), 0));
    for (int i = 0; i < 8; ++i) CHECK_FALSE(lie_to(node, volume).empty());
    CHECK(lie_to(node, volume).empty());
    CHECK(eventually([&] { return node.count(Kind::bad_peer, volume.about) == 8; }));
    Node honest{plain_settings()};
    REQUIRE(honest.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(node.connect(volume, honest)); // whom we choose ourselves still counts
    REQUIRE(node.saw(Kind::complete, volume.about));
}

TEST_CASE("one flipped bit among honest peers costs one piece, not the volume") {
    const TestVolume volume{12, segment_bytes * 4};
    Node first{plain_settings()}, second{plain_settings()}, other{plain_settings()};
    const auto lies = std::make_shared<MemoryBacking>(volume.bytes);
    lies->lies_left = 1;
    const auto kept = std::make_shared<MemoryBacking>(volume);
    REQUIRE(first.load(volume, lies, volume.all()));
    REQUIRE(second.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other->add(volume.about, kept, 0, nullptr));
    REQUIRE(other.connect(volume, first));
    REQUIRE(other.connect(volume, second));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
    CHECK(other.count(Kind::piece, volume.about) == 12);
}

TEST_CASE("segments that do not open make no event of a piece but fail the volume") {
    const TestVolume volume{3};
    Node one{plain_settings()}, other{plain_settings()};
    const auto refusing = std::make_shared<MemoryBacking>(volume);
    refusing->fails_with = static_cast<int>(Errc::tampered);
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, refusing, 0));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::failed, volume.about));
    CHECK(other.last(Kind::failed).error.code == Errc::tampered);
    CHECK(other.count(Kind::piece, volume.about) == 0);
    CHECK(other.count(Kind::bad_peer, volume.about) == 0);
}

TEST_CASE("a full disk stops the volume, and it goes on when it is loaded again") {
    const TestVolume volume{8};
    Node one{plain_settings()}, other{plain_settings()};
    const auto kept = std::make_shared<MemoryBacking>(volume);
    kept->fails_with = static_cast<int>(Errc::no_space);
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, kept, 0));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::failed, volume.about));
    CHECK(other.last(Kind::failed).error.code == Errc::no_space);
    CHECK(other.count(Kind::piece, volume.about) == 0);
    other->remove(volume.about.name);
    kept->fails_with = -1;
    REQUIRE(other->add(volume.about, kept, 0, nullptr));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
    CHECK(other.count(Kind::failed, volume.about) == 1);
}

TEST_CASE("a relay that cannot read says so, and another one completes the copy") {
    const TestVolume volume{4};
    Node broken{plain_settings()}, good{plain_settings()}, other{plain_settings()};
    const auto unreadable = std::make_shared<MemoryBacking>(volume.bytes);
    unreadable->fails_with = static_cast<int>(Errc::file_unreadable);
    const auto kept = std::make_shared<MemoryBacking>(volume);
    REQUIRE(broken.load(volume, unreadable, volume.all()));
    REQUIRE(good.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, kept, 0));
    REQUIRE(other.connect(volume, broken));
    REQUIRE(broken.saw(Kind::failed, volume.about));
    CHECK(broken.last(Kind::failed).error.code == Errc::file_unreadable);
    REQUIRE(other.connect(volume, good));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
}

TEST_CASE("a peer that comes late, goes and comes again is found each time") {
    const TestVolume volume{16};
    Node other{plain_settings()};
    const auto kept = std::make_shared<MemoryBacking>(volume);
    SwarmSettings settings = plain_settings();
    {
        Node early{settings};
        settings.port = early->port(); // free again after this
    }
    REQUIRE(other.load(volume, kept, 0));
    REQUIRE(other->connect(volume.about.name, "127.0.0.1", settings.port));
    {
        Node half{settings}; // it is there, but does not know the volume yet
        REQUIRE(half.load(volume, std::make_shared<MemoryBacking>(volume.bytes), 0xFF));
        REQUIRE(eventually([&] { return other.count(Kind::piece, volume.about) == 8; }));
    }
    Node whole{settings};
    REQUIRE(whole.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
}

TEST_CASE("a removed volume serves nothing, and its backing is left alone") {
    const TestVolume volume{64};
    Node one{plain_settings()}, other{plain_settings()};
    const auto from = std::make_shared<MemoryBacking>(volume.bytes);
    const auto kept = std::make_shared<MemoryBacking>(volume);
    kept->delay = std::chrono::milliseconds{5}; // so that the copy is under way
    REQUIRE(one.load(volume, from, volume.all()));
    REQUIRE(other.load(volume, kept, 0));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::piece, volume.about));
    one->remove(volume.about.name);
    other->remove(volume.about.name);
    const int reads = from->reads, writes = kept->writes;
    const std::uint64_t sent = one->totals().sent_bytes;
    CHECK(from.use_count() == 1);
    CHECK(kept.use_count() == 1);
    REQUIRE(other->add(volume.about, std::make_shared<MemoryBacking>(volume), 0, nullptr));
    REQUIRE(other.connect(volume, one));
    std::this_thread::sleep_for(std::chrono::milliseconds{300}); // nothing is to happen
    CHECK(from->reads == reads);
    CHECK(kept->writes == writes);
    CHECK(one->totals().sent_bytes == sent);
    CHECK(one->totals().volumes == 0);
    CHECK(one->totals().peers == 0);
    // What stood in send buffers goes with them.
    CHECK(eventually([&] { return one->totals().pool_bytes == 0; }));
    one->remove(volume.about.name);
}

TEST_CASE("volumes may come and go at any moment") {
    const TestVolume volume{16};
    Node one{plain_settings()}, other{plain_settings()};
    for (int round = 0; round < 30; ++round) {
        REQUIRE(one->add(volume.about, std::make_shared<MemoryBacking>(volume.bytes), volume.all(),
                         nullptr));
        REQUIRE(other->add(volume.about, std::make_shared<MemoryBacking>(volume), 0, nullptr));
        REQUIRE(other.connect(volume, one));
        std::this_thread::sleep_for(std::chrono::milliseconds{round % 10});
        if (round % 2 == 0) one->remove(volume.about.name);
        other->remove(volume.about.name);
        one->remove(volume.about.name);
    }
    CHECK(eventually([&] { return one->totals().pool_bytes == 0; }));
    CHECK(eventually([&] { return other->totals().pool_bytes == 0; }));
    CHECK(other.count(Kind::failed, volume.about) == 0);
}

TEST_CASE("memory stays within the pool while a slow disk holds everything up") {
    SwarmSettings settings = plain_settings();
    settings.pool_bytes_max = std::uint64_t{4} << 20;
    const TestVolume volume{16, segment_bytes * 4};
    Node one{settings}, two{settings}, other{settings};
    const auto kept = std::make_shared<MemoryBacking>(volume);
    kept->delay = std::chrono::milliseconds{8};
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(two.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other->add(volume.about, kept, 0, nullptr));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.connect(volume, two));
    const std::uint64_t before = resident_bytes();
    std::uint64_t held = 0, resident = 0;
    REQUIRE(eventually([&] {
        for (Node* node : {&one, &two, &other}) {
            held = std::max(held, (*node)->totals().pool_bytes);
        }
        resident = std::max(resident, resident_bytes());
        return other.count(Kind::complete, volume.about) == 1;
    }));
    CHECK(held > 0);
    CHECK(held <= settings.pool_bytes_max);
    // Three pools and what stands in sockets; sanitizers have memory of their own beside it.
    if (!sanitized) CHECK(resident <= before + (std::uint64_t{24} << 20));
    CHECK(kept->bytes() == volume.bytes);
    // Two seeds end with the same blocks, but nothing was thrown away for want of room.
    CHECK(other->totals().redundant_bytes < volume.bytes.size() / 8);
}

TEST_CASE("many peers share a small pool") {
    SwarmSettings settings = plain_settings();
    settings.pool_bytes_max = std::uint64_t{4} << 20;
    const TestVolume volume{24};
    Node one{settings};
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    std::vector<std::unique_ptr<Node>> peers;
    for (int i = 0; i < 12; ++i) {
        peers.push_back(std::make_unique<Node>(plain_settings()));
        REQUIRE((*peers.back())
                    ->add(volume.about, std::make_shared<MemoryBacking>(volume), 0, nullptr));
        REQUIRE(peers.back()->connect(volume, one));
    }
    for (const auto& peer : peers) CHECK(peer->saw(Kind::complete, volume.about));
    CHECK(one->totals().pool_bytes <= settings.pool_bytes_max);
}

TEST_CASE("the upload limit also holds on one's own network") {
    SwarmSettings settings = plain_settings();
    settings.upload_bytes_per_s_max = 8'000'000;
    const TestVolume volume{32}; // 8.4 MB: unlimited it takes some 20 ms
    Node one{settings}, other{plain_settings()};
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, std::make_shared<MemoryBacking>(volume), 0));
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(std::chrono::steady_clock::now() - begun > std::chrono::milliseconds{500});
}

TEST_CASE("a volume that nobody wants is quiet, again and again") {
    SwarmSettings settings = plain_settings();
    settings.quiet_after_s = 1;
    const TestVolume volume{2};
    Node one{settings}, other{plain_settings()};
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(eventually([&] { return one.count(Kind::quiet, volume.about) == 2; }));
    REQUIRE(other.load(volume, std::make_shared<MemoryBacking>(volume), 0));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::complete, volume.about));
    REQUIRE(eventually([&] { return one.count(Kind::quiet, volume.about) >= 3; }));
}

} // namespace plankurier::test::faults_test
