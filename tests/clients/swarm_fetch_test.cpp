// Fetching by swarm from real peers: sessions of their own that serve what a sender sealed.
#include <clients/cli/swarm_fetch.hpp>
#include <clients/cli/swarm_key.hpp>
#include <clients/cli/upload_lane.hpp>

#include "relay/adapters/swarm_authority.hpp"

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <algorithm>
#include <ctime>
#include <fstream>

namespace plankurier::test::swarm_fetch_test {

using namespace cli;

namespace {

BodySource make_source(const std::filesystem::path& path, ByteView content) {
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(content.data()),
                                                static_cast<std::streamsize>(content.size()));
    return BodySource::open({path}).value();
}

/// A relay as the swarm sees it.
class Seed {
public:
    Seed()
        : swarm_(std::make_unique<Swarm>(SwarmSettings{}, [this](const SwarmEvent& event) {
              if (event.kind != SwarmEvent::Kind::ready) return;
              const std::lock_guard guard{mutex_};
              ++ready_;
              changed_.notify_one();
          })) {}
    ~Seed() { swarm_.reset(); }

    void serve(const SwarmVolume& volume, std::shared_ptr<VolumeBacking> backing,
               const SwarmCertificate& certificate) {
        const auto pieces = volume.piece_roots.size();
        REQUIRE(swarm_->add(volume, std::move(backing), ~std::uint64_t{0} >> (64 - pieces),
                            &certificate));
        std::unique_lock guard{mutex_};
        ++loaded_;
        REQUIRE(
            changed_.wait_for(guard, std::chrono::minutes{1}, [&] { return ready_ == loaded_; }));
    }
    [[nodiscard]] std::uint16_t port() const { return swarm_->port(); }
    [[nodiscard]] std::uint64_t sent_bytes() const { return swarm_->totals().sent_bytes; }

private:
    std::mutex mutex_; ///< guards the two counters
    std::condition_variable changed_;
    unsigned ready_{}, loaded_{};
    std::unique_ptr<Swarm> swarm_; ///< last, so that it ends first
};

/// One transfer, peers that serve it, and a recipient.
struct World {
    TempFolder folder;
    TransferId transfer = TransferId::random();
    TransferKey key = TransferKey::random();
    FloeHeader header{};
    BodyLayout layout;
    Bytes content;
    BodySource source;
    std::optional<BodySource> lie; ///< before the seeds, which may read it until they end
    std::vector<Hash256> roots;
    relay::adapters::SwarmAuthority authority;
    std::vector<std::unique_ptr<Seed>> seeds;
    std::vector<bool> have;
    int target{-1};
    std::chrono::milliseconds patience{10'000};
    bool certified{true};
    std::vector<std::size_t> liars;
    std::uint64_t fetched{};
    std::function<bool(std::size_t, std::uint32_t)> serves = [](std::size_t, std::uint32_t) {
        return true;
    };

    /// A relay that keeps silent when it is asked where a volume is.
    std::optional<std::size_t> silent;

    explicit World(std::uint64_t pieces, std::size_t peers)
        : layout(BodyLayout::from_body_len(pieces * segment_plain_bytes).value()),
          content(random_content()), source(make_source(folder.path() / "plan.pdf", content)),
          authority(folder.path(), std::time(nullptr)), have(layout.pieces()) {
        PieceStream stream{key, transfer, header, layout, source};
        Bytes buffer(segment_bytes);
        for (std::uint64_t piece = 0; piece < layout.pieces(); ++piece) {
            stream.start(piece);
            while (stream.produce(buffer) > 0) {
            }
            roots.push_back(stream.root());
        }
        for (std::size_t peer = 0; peer < peers; ++peer) {
            seeds.push_back(std::make_unique<Seed>());
        }
    }

    [[nodiscard]] Bytes random_content() const {
        Bytes out(layout.body_len() - 9'999);
        fill_random(out);
        return out;
    }
    [[nodiscard]] CertificateAnswer issue(ByteView public_key) {
        const std::int64_t now = std::time(nullptr);
        auto issued = authority.issue(transfer, public_key, now - 60, now + 4 * 3'600);
        REQUIRE(issued);
        return {authority.certificate(), *issued, now + 4 * 3'600};
    }
    [[nodiscard]] SwarmCertificate certificate() {
        auto own = make_swarm_key();
        const auto issued = issue(own.public_key);
        return {issued.authority, issued.certificate, std::move(own.private_key)};
    }
    /// The peer serves all volumes, with the bytes of `from`.
    void serve(std::size_t peer, const BodySource& from) { serve(peer, from, key); }
    void serve(std::size_t peer, const BodySource& from, const TransferKey& sealing_key) {
        const auto own = certificate();
        for (std::uint32_t volume = 0; volume < layout.volumes(); ++volume) {
            const auto first = roots.begin() + std::ptrdiff_t{volume} * volume_pieces_max;
            seeds[peer]->serve({{transfer, volume},
                                layout.piece_bytes(),
                                {first, first + layout.pieces_in_volume(volume)}},
                               sealed_backing(sealing_key, transfer, header, layout, volume, from),
                               own);
        }
    }

    Result<void> fetch() {
        if (target < 0) target = ::open(path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        std::vector<PartFiles::Part> list;
        list.push_back({FileHandle{std::exchange(target, -1)}, content.size()});
        PartFiles parts{std::move(list)};
        DownloadStore store{folder.path() / "state", transfer};
        DownloadState state{transfer, folder.path(), {"plan.pdf"}, {}, have, false};
        const DownloadJob job{key,   transfer,    header, layout,
                              parts, store,       state,  std::vector<RelayAddress>(seeds.size()),
                              1,     RetryRule{0}};
        DownloadWatcher watcher;
        watcher.progress = [](std::uint64_t, std::uint64_t) {};
        watcher.waiting = [](unsigned) {};
        watcher.relay_lied = [this](std::size_t relay) { liars.push_back(relay); };
        RelayChoice choice{seeds.size()};
        const SwarmFetchJob by_swarm{job,
                                     roots,
                                     choice,
                                     [this](ByteView public_key) -> Result<CertificateAnswer> {
                                         if (!certified) return fail(Errc::not_found, "token");
                                         return issue(public_key);
                                     },
                                     [this](std::size_t relay, std::uint32_t volume,
                                            const std::stop_token& stop) -> Result<SwarmPeer> {
                                         if (silent == relay) {
                                             std::mutex mutex;
                                             std::unique_lock guard{mutex};
                                             std::condition_variable_any().wait(
                                                 guard, stop, [] { return false; });
                                             return fail(Errc::network, "silence");
                                         }
                                         if (!serves(relay, volume))
                                             return fail(Errc::not_found, "volume");
                                         return SwarmPeer{"127.0.0.1", seeds[relay]->port()};
                                     },
                                     patience};
        SwarmFetch swarm{by_swarm, watcher};
        swarm.prepare();
        auto done = swarm.run();
        fetched = swarm.fetched();
        have = state.pieces;
        return done;
    }

    [[nodiscard]] std::filesystem::path path() const { return folder.path() / "plan.pdf.part"; }
    [[nodiscard]] bool right() const {
        const auto bytes = read_file(path(), std::size_t{1} << 30);
        return bytes && std::ranges::equal(as_bytes(*bytes), content);
    }
    [[nodiscard]] std::size_t missing() const {
        return static_cast<std::size_t>(std::ranges::count(have, false));
    }
};

} // namespace

TEST_CASE("a transfer of several volumes comes by swarm, opened on arrival") {
    World world{150, 2};
    world.serve(0, world.source);
    world.serve(1, world.source);
    REQUIRE(world.fetch());
    CHECK(world.fetched == 150);
    CHECK(world.missing() == 0);
    CHECK(world.right());
    CHECK(world.liars.empty());
}

TEST_CASE("what is durable already is not fetched by swarm again") {
    World world{128, 1};
    world.serve(0, world.source);
    // An earlier start brought the first volume.
    std::fill_n(world.have.begin(), 64, true);
    std::ofstream{world.path(), std::ios::binary}.write(
        reinterpret_cast<const char*>(world.content.data()), 64 * segment_plain_bytes);
    REQUIRE(world.fetch());
    CHECK(world.fetched == 64);
    CHECK(world.missing() == 0);
    CHECK(world.right());
    CHECK(world.seeds[0]->sent_bytes() < 65 * segment_bytes);
}

TEST_CASE("a volume that no relay serves is left out, and the others come") {
    World world{192, 1};
    world.serve(0, world.source);
    world.patience = std::chrono::seconds{5};
    world.serves = [](std::size_t, std::uint32_t volume) { return volume != 1; };
    REQUIRE(world.fetch());
    CHECK(world.missing() == 64);
    CHECK(world.fetched == 128);
    CHECK_FALSE(world.have[64]);
}

TEST_CASE("a relay that keeps silent holds up none of the others") {
    World world{192, 2};
    world.serve(1, world.source);
    world.silent = 0;
    REQUIRE(world.fetch());
    CHECK(world.fetched == 192);
    CHECK(world.right());
}

TEST_CASE("without a certificate, or without peers, the swarm brings nothing and ends") {
    World world{64, 1};
    SECTION("no certificate") { world.certified = false; }
    SECTION("no peer") {
        world.patience = std::chrono::milliseconds{200};
        world.serves = [](std::size_t, std::uint32_t) { return false; };
    }
    REQUIRE(world.fetch());
    CHECK(world.fetched == 0);
    CHECK(world.missing() == 64);
}

TEST_CASE("a peer with other bytes brings nothing that counts, and the honest one all") {
    World world{64, 2};
    world.lie = make_source(world.folder.path() / "other.pdf", world.random_content());
    world.serve(0, *world.lie); // sealed with the right key: only the roots differ
    world.serve(1, world.source);
    REQUIRE(world.fetch());
    CHECK(world.right());
    CHECK(world.missing() == 0);
    CHECK(std::ranges::count(world.liars, 1U) == 0);
}

TEST_CASE("when all peers gave wrong bytes the swarm is left at once, and none is named") {
    const auto other_key = TransferKey::random();
    World world{64, 1};
    world.patience = std::chrono::hours{1};
    world.lie = make_source(world.folder.path() / "other.pdf", world.random_content());
    SECTION("other plaintext") { world.serve(0, *world.lie); }
    SECTION("another key") { world.serve(0, world.source, other_key); }
    REQUIRE(world.fetch());
    CHECK(world.fetched == 0);
    CHECK(world.missing() == 64);
    CHECK(world.liars.empty()); // HTTPS names the one that lies
}

TEST_CASE("a full disk ends the fetch instead of trying another way") {
    World world{64, 1};
    world.serve(0, world.source);
    world.target = ::open("/dev/full", O_RDWR | O_CLOEXEC);
    REQUIRE(world.target >= 0);
    const auto done = world.fetch();
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::no_space);
    CHECK(world.missing() == 64);
}

} // namespace plankurier::test::swarm_fetch_test
