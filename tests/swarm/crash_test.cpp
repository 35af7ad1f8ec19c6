// The message on which libtorrent 2.0.8 dies, sent by a peer that was let in.
#include "tests/support/child.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/swarm/line.hpp"
#include "tests/swarm/nodes.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>

#include <csignal>
#include <fstream>
#include <thread>

namespace plankurier::test::crash_test {

TEST_CASE("an invited peer cannot end a swarm with hashes of an all-zero root") {
    const bool serving = GENERATE(true, false);
    const CertificateAuthority authority;
    const TestVolume volume{5};
    const SwarmCertificate certificate = authority.issue(volume.about.name.transfer);
    const std::string hash = info_hash(volume.about, authority.certificate());
    Node node;
    REQUIRE(node.load(volume, std::make_shared<MemoryBacking>(volume.bytes),
                      serving ? volume.all() : 1, &certificate));
    for (int i = 0; i < 3; ++i) {
        Line line{{node->port(), "127.0.0.1", true, to_hex(as_bytes(hash)), &certificate}};
        line.send(greeting(hash));
        REQUIRE(line.receive(68).size() == 68);
        line.send(deadly_message());
        (void)line.receive_all(); // until it is shown the door
    }
    Node other;
    REQUIRE(other.load(volume, std::make_shared<MemoryBacking>(volume.bytes),
                       serving ? 0 : volume.all() - 1, &certificate));
    REQUIRE(other.connect(volume, node));
    CHECK((serving ? other : node).saw(Kind::complete, volume.about));
}

TEST_CASE("a stock torrent with a pad file gets the same message", "[.child]") {
    const TempFolder folder;
    lt::file_storage files;
    const Bytes content(segment_bytes + 100);
    std::ofstream{folder.path() / "payload", std::ios::binary} << as_text(content);
    files.add_file("payload", static_cast<std::int64_t>(content.size()));
    lt::create_torrent maker{files, static_cast<int>(segment_bytes), lt::create_torrent::v2_only};
    for (const int piece : {0, 1}) {
        maker.set_hash2(lt::file_index_t{0}, lt::piece_index_t::diff_type{piece},
                        lt::sha256_hash{std::string(32, 'h').data()});
    }
    std::vector<char> encoded;
    lt::bencode(std::back_inserter(encoded), maker.generate());
    lt::add_torrent_params torrent;
    torrent.ti = std::make_shared<lt::torrent_info>(encoded, lt::from_span);
    torrent.save_path = folder.path();
    torrent.flags = {}; // neither paused nor managed
    torrent.have_pieces.resize(2, true);
    lt::settings_pack settings;
    settings.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0");
    for (const int name : {lt::settings_pack::enable_dht, lt::settings_pack::enable_lsd,
                           lt::settings_pack::enable_upnp, lt::settings_pack::enable_natpmp}) {
        settings.set_bool(name, false);
    }
    lt::session session{lt::session_params{settings, {}}};
    const std::string hash = torrent.ti->info_hashes().get_best().to_string();
    const lt::torrent_handle handle = session.add_torrent(std::move(torrent));
    REQUIRE(eventually([&] { return handle.status().is_seeding; }));
    Line line{{session.listen_port()}};
    line.send(greeting(hash));
    REQUIRE(line.receive(68).size() == 68);
    std::signal(SIGSEGV, SIG_DFL); // Catch and sanitizers would report it at length
    std::ofstream told{from_parent("PLANKURIER_TEST_TOLD")};
    told << "sent" << std::endl;
    line.send(deadly_message());
    (void)line.receive_all();
    told << "alive" << std::endl;
}

TEST_CASE("that message does end stock libtorrent where there is a pad file") {
    const TempFolder folder;
    const std::string told = folder.path() / "told";
    const ChildEnd end = run_child("a stock torrent with a pad file gets the same message",
                                   {{"PLANKURIER_TEST_TOLD", told}});
    // Otherwise the library was mended, and the test above proves nothing any more.
    CHECK(end.signal == SIGSEGV);
    CHECK(lines_of(told) == std::vector<std::string>{"sent"});
}

} // namespace plankurier::test::crash_test
