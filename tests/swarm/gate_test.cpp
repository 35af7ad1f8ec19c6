// Who gets in, and who does not get a byte.
#include "tests/swarm/line.hpp"
#include "tests/swarm/nodes.hpp"

#include "engine/swarm/torrent.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/torrent_info.hpp>

namespace plankurier::test::gate_test {

namespace {

constexpr std::string_view hello{"\x13"
                                 "BitTorrent protocol"};

/// A relay with one volume behind TLS.
struct Guarded {
    CertificateAuthority authority;
    TestVolume volume{4};
    SwarmCertificate certificate{authority.issue(volume.about.name.transfer)};
    std::string hash{info_hash(volume.about, authority.certificate())};
    Node node;

    Guarded() {
        REQUIRE(node.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all(),
                          &certificate));
    }
    /// What somebody with this certificate gets to hear.
    std::string answer(const SwarmCertificate* shown) {
        Line line{{node->port(), "127.0.0.1", true, to_hex(as_bytes(hash)), shown}};
        line.send(greeting(hash));
        return line.receive(hello.size());
    }
    /// An invited peer still gets everything.
    bool alive() {
        Node peer;
        const auto kept = std::make_shared<MemoryBacking>(volume);
        return peer.load(volume, kept, 0, &certificate) && peer.connect(volume, node) &&
               peer.saw(Kind::complete, volume.about) && kept->bytes() == volume.bytes;
    }
};

} // namespace

TEST_CASE("only who shows this transfer's certificate gets a byte") {
    Guarded guarded;
    const CertificateAuthority stranger;
    const std::string name = guarded.volume.about.name.transfer.hex();
    CHECK(guarded.answer(&guarded.certificate) == hello);

    CHECK(guarded.answer(nullptr).empty());
    const SwarmCertificate other = guarded.authority.issue(TransferId::random());
    CHECK(guarded.answer(&other).empty());
    const SwarmCertificate old =
        guarded.authority.issue({name, std::chrono::hours{-5}, std::chrono::hours{-1}});
    CHECK(guarded.answer(&old).empty());
    const SwarmCertificate early =
        guarded.authority.issue({name, std::chrono::hours{1}, std::chrono::hours{5}});
    CHECK(guarded.answer(&early).empty());
    const SwarmCertificate foreign = stranger.issue({name});
    CHECK(guarded.answer(&foreign).empty());

    CHECK(guarded.node->totals().sent_bytes == 0);
    CHECK(guarded.alive());
}

TEST_CASE("a plain connection to the TLS port gets no BitTorrent byte") {
    Guarded guarded;
    Line line{{guarded.node->port()}};
    line.send(greeting(guarded.hash));
    CHECK(line.receive_all().find("BitTorrent") == std::string::npos);
    CHECK(guarded.node->totals().sent_bytes == 0);
    CHECK(guarded.alive());
}

TEST_CASE("one certificate is good for every volume of its transfer and for nothing else") {
    Guarded guarded;
    const TestVolume second{2, segment_bytes, 7, guarded.volume.about.name.transfer};
    const TestVolume foreign{2};
    const SwarmCertificate foreign_own = guarded.authority.issue(foreign.about.name.transfer);
    REQUIRE(guarded.node.load(second, std::make_shared<MemoryBacking>(second.bytes), second.all(),
                              &guarded.certificate));
    REQUIRE(guarded.node.load(foreign, std::make_shared<MemoryBacking>(foreign.bytes),
                              foreign.all(), &foreign_own));
    guarded.hash = info_hash(second.about, guarded.authority.certificate());
    CHECK(guarded.answer(&guarded.certificate) == hello);
    guarded.hash = info_hash(foreign.about, guarded.authority.certificate());
    CHECK(guarded.answer(&guarded.certificate).empty());
    CHECK(guarded.answer(&foreign_own) == hello);
}

TEST_CASE("a plain swarm closes the door on addresses that are not allowed") {
    const TestVolume volume{2};
    SwarmSettings settings = plain_settings();
    settings.peers_allowed = {"127.0.0.2", "127.7.0.0/16"};
    Node node{settings};
    REQUIRE(node.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    const std::string hash = info_hash(volume.about, {});
    const auto answer = [&](const std::string& from) {
        Line line{{node->port(), from}};
        line.send(greeting(hash));
        return line.receive(hello.size());
    };
    CHECK(answer("127.0.0.2") == hello);
    CHECK(answer("127.7.255.255") == hello);
    CHECK(answer("127.0.0.1").empty());
    CHECK(answer("127.0.0.3").empty());
    CHECK(answer("127.8.0.0").empty());
    CHECK_FALSE(node->connect(volume.about.name, "127.0.0.1", 1));
    CHECK(node->connect(volume.about.name, "127.7.0.1", 1));
}

TEST_CASE("a swarm refuses what makes no sense") {
    SwarmSettings open = plain_settings();
    open.peers_allowed.clear();
    CHECK_THROWS_AS(Node{open}, std::runtime_error);
    open.peers_allowed = {"10.0.0.0/33"};
    CHECK_THROWS_AS(Node{open}, std::runtime_error);
    open.peers_allowed = {"some.host"};
    CHECK_THROWS_AS(Node{open}, std::runtime_error);
    SwarmSettings small;
    small.pool_bytes_max = 1 << 20;
    CHECK_THROWS_AS(Node{small}, std::runtime_error);
    SwarmSettings taken;
    Node node;
    taken.port = node->port();
    CHECK_THROWS_AS(Node{taken}, std::runtime_error);

    const TestVolume volume{2};
    const auto backing = std::make_shared<MemoryBacking>(volume.bytes);
    const CertificateAuthority authority;
    const CertificateAuthority other;
    const std::string name = volume.about.name.transfer.hex();
    const auto code = [&](const SwarmVolume& about, const SwarmCertificate* certificate) {
        const auto done = node->add(about, backing, volume.all(), certificate);
        return done ? std::string{"added"} : std::string{plankurier::name(done.error().code)};
    };
    const SwarmCertificate good = authority.issue({name});
    CHECK(code(volume.about, nullptr) == "invalid_argument");
    const SwarmCertificate shorter = authority.issue({name.substr(0, 31)});
    CHECK(code(volume.about, &shorter) == "invalid_argument");
    const SwarmCertificate two_names =
        authority.issue({name, std::chrono::seconds{-1}, std::chrono::seconds{60}, "a"});
    CHECK(code(volume.about, &two_names) == "invalid_argument");
    SwarmCertificate wrong_ca = authority.issue({name});
    wrong_ca.authority = other.certificate();
    CHECK(code(volume.about, &wrong_ca) == "invalid_argument");
    SwarmCertificate wrong_key = authority.issue({name});
    wrong_key.private_key = authority.issue({name}).private_key.clone();
    CHECK(code(volume.about, &wrong_key) == "invalid_argument");
    SwarmVolume no_pieces = volume.about;
    no_pieces.piece_roots.clear();
    CHECK(code(no_pieces, &good) == "invalid_argument");
    SwarmVolume odd_size = volume.about;
    odd_size.piece_bytes += 1;
    CHECK(code(odd_size, &good) == "invalid_argument");
    CHECK(code(volume.about, &good) == "added");
    CHECK(code(volume.about, &good) == "exists");
    CHECK(node->connect(volume.about.name, "example.org", 1).error().code ==
          Errc::invalid_argument);
    CHECK(node->connect({TransferId::random(), 0}, "127.0.0.1", 1).error().code == Errc::not_found);
    node->remove({TransferId::random(), 0});
}

TEST_CASE("a volume's torrent holds its pieces and nothing else") {
    for (const std::size_t pieces : {1U, 2U, 3U, 63U, 64U}) {
        const TestVolume volume{pieces};
        const auto info = swarm::torrent_of(volume.about, {}, 0).ti;
        CHECK(info->orig_files().num_files() == 1);
        CHECK(info->total_size() == static_cast<std::int64_t>(pieces * segment_bytes));
        CHECK(info->files().pad_file_at(lt::file_index_t{0}) == false);
        CHECK(info->priv());
        CHECK(info->info_hashes().has_v2());
        CHECK_FALSE(info->info_hashes().has_v1());
        const auto root = volume_root(volume.about.piece_roots, volume.about.piece_bytes);
        CHECK(info->files().root(lt::file_index_t{0}).to_string() == as_text(root));
    }
}

TEST_CASE("the session's settings are what they must be") {
    SwarmSettings limited;
    limited.upload_bytes_per_s_max = 50'000'000;
    const std::map<std::string, std::int64_t> wanted = {
        {"enable_dht", 0},
        {"enable_lsd", 0},
        {"enable_upnp", 0},
        {"enable_natpmp", 0},
        {"enable_incoming_utp", 0},
        {"enable_outgoing_utp", 0},
        {"enable_ip_notifier", 0},
        {"enable_incoming_tcp", 1},
        {"enable_outgoing_tcp", 1},
        {"use_dht_as_fallback", 0},
        {"support_share_mode", 0},
        {"announce_crypto_support", 0},
        {"listen_system_port_fallback", 0},
        {"disable_hash_checks", 0},
        {"proxy_type", 0},
        {"out_enc_policy", 2}, // pe_disabled
        {"in_enc_policy", 2},
        {"allow_multiple_connections_per_ip", 1},
        {"close_redundant_connections", 0},
        {"unchoke_slots_limit", -1},
        {"allowed_fast_set_size", 0},
        {"connections_limit", 2'000},
        {"torrent_connect_boost", 30},
        {"min_reconnect_time", 0},
        {"request_queue_time", 1},
        {"max_retry_port_bind", 0},
        {"rate_limit_ip_overhead", 0},
        {"upload_rate_limit", 50'000'000},
        {"download_rate_limit", 0},
        {"tick_interval", 100},
        {"alert_mask", 0},
    };
    Node node{limited};
    const auto live = node->live_settings();
    for (const auto& [name, value] : wanted) {
        CAPTURE(name);
        REQUIRE(live.contains(name));
        CHECK(live.at(name) == value);
    }
}

} // namespace plankurier::test::gate_test
