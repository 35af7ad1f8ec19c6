#include "tests/clients/relays_world.hpp"

#include <clients/cli/upload_lane.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <algorithm>
#include <csignal>
#include <ctime>
#include <fstream>

namespace plankurier::test {

using namespace cli;

namespace {

BodyLayout body_of(std::uint64_t pieces) {
    return BodyLayout::from_body_len(pieces * segment_plain_bytes).value();
}

/// Calls with the percentage, which only rises.
auto percents(const std::function<void(unsigned)>& told) {
    return [told](std::uint64_t done, std::uint64_t total) {
        told(static_cast<unsigned>(done * 100 / total));
    };
}

} // namespace

RelaysWorld::RelaysWorld(std::size_t relays, std::uint64_t pieces)
    : identity(make_identity(folder.path())), layout(body_of(pieces)),
      content(layout.body_len() - 12'345) {
    std::signal(SIGPIPE, SIG_IGN); // as both programs do
    for (std::size_t number = 0; number < relays; ++number) {
        const auto own = folder.path() / ("relay-" + std::to_string(number));
        std::filesystem::create_directory(own);
        servers.push_back(std::make_unique<PieceServer>(own, identity, number));
    }
    fill_random(content);
    const auto path = folder.path() / "plan.pdf";
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(content.data()),
                                                static_cast<std::streamsize>(content.size()));
    source_.emplace(BodySource::open({path}).value());
    store_.emplace(UploadStore::open(folder.path() / "send", transfer).value());
}

TicketAnswer RelaysWorld::ticket(TicketRole role) const {
    const std::int64_t now = std::time(nullptr);
    const Ticket ticket{transfer, role, layout.body_len(), now - 10, now + 600, now + day_s};
    return {to_base64url(mint_ticket(ticket, control_seed())), now + 600, {}, 1};
}

Result<void> RelaysWorld::upload(const std::vector<std::size_t>& relays, bool resumed,
                                 const std::function<void(unsigned)>& on_progress) {
    return upload_with(*store_, relays, resumed, on_progress);
}

Result<void> RelaysWorld::upload_with(UploadStore& store, const std::vector<std::size_t>& relays,
                                      bool resumed,
                                      const std::function<void(unsigned)>& on_progress) {
    TicketBox tickets{[&] { return Result<TicketAnswer>{ticket(TicketRole::put)}; }};
    std::vector<RelayAddress> addresses;
    for (const auto relay : relays) addresses.push_back(servers[relay]->address());
    Upload::Watcher watcher;
    watcher.progress = percents(on_progress);
    watcher.waiting = [](unsigned) {};
    watcher.resumed = [&](unsigned percent) { resumed_percent = percent; };
    watcher.settling = [] {};
    watcher.relay_lost = [&](std::size_t relay) { lost.push_back(relays[relay]); };
    Upload upload{
        {key, transfer, {}, layout, *source_, store, addresses, 3, RetryRule{retries}, resumed},
        {identity.certificate, 20},
        tickets,
        watcher};
    auto done = upload.run();
    receipts.clear();
    for (std::size_t relay = 0; done && relay < relays.size(); ++relay) {
        receipts.push_back(why(upload.stored(relay)));
    }
    return done;
}

void RelaysWorld::fill(std::size_t relay) {
    auto own = UploadStore::open(folder.path() / ("fill-" + std::to_string(relay)), transfer);
    REQUIRE(own);
    REQUIRE(upload_with(*own, {relay}, false, [](unsigned) {}));
}

void RelaysWorld::fill_misdescribed(std::size_t relay) {
    TicketBox tickets{[&] { return Result<TicketAnswer>{ticket(TicketRole::put)}; }};
    PieceClient client{{identity.certificate, 20}, tickets, transfer};
    const auto& address = servers[relay]->address();
    PieceStream stream{key, transfer, {}, layout, *source_};
    for (std::uint32_t volume = 0; volume < layout.volumes(); ++volume) {
        std::vector<Hash256> roots;
        for (std::uint32_t piece = 0; piece < layout.pieces_in_volume(volume); ++piece) {
            const auto begin = [&, at = std::uint64_t{volume} * volume_pieces_max + piece] {
                stream.start(at);
            };
            begin();
            const auto put = client.put_piece(
                address, volume, piece, layout.piece_bytes(),
                [&](std::span<std::byte> out) { return stream.produce(out); }, begin);
            REQUIRE(put);
            roots.push_back(*put);
        }
        auto descriptor =
            make_descriptor(key, transfer, volume, layout.piece_bytes(), std::move(roots));
        descriptor.mac[0] ^= std::byte{1};
        const auto bytes = encode_descriptor(descriptor);
        auto described = client.put_descriptor(address, volume, bytes);
        while (!described && described.error().code == Errc::conflict) { // not durable yet
            described = client.put_descriptor(address, volume, bytes);
        }
        REQUIRE(described);
    }
}

RelaysWorld::Fetched RelaysWorld::download(const std::vector<std::size_t>& relays,
                                           const std::function<void(unsigned)>& on_progress) {
    TicketBox tickets{[&] { return Result<TicketAnswer>{ticket(TicketRole::get)}; }};
    const auto path = folder.path() / ("fetched-" + std::to_string(downloads_++));
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    std::vector<PartFiles::Part> list;
    list.push_back({FileHandle{fd}, content.size()});
    PartFiles parts{std::move(list)};
    if (kept) REQUIRE(parts.write(0, *kept));
    DownloadStore store{path.string() + "-state", transfer};
    DownloadState state{transfer,
                        folder.path(),
                        {"plan.pdf"},
                        {},
                        std::vector<bool>(layout.pieces(), kept.has_value()),
                        false};
    std::vector<RelayAddress> addresses;
    for (const auto relay : relays) addresses.push_back(servers[relay]->address());
    const DownloadJob job{key,   transfer, {},        layout, parts,
                          store, state,    addresses, 3,      RetryRule{retries}};
    Fetched out;
    DownloadWatcher watcher;
    watcher.progress = percents(on_progress);
    watcher.waiting = [](unsigned) {};
    watcher.relay_lied = [&](std::size_t relay) { out.liars.push_back(relays[relay]); };
    Download download{job, {identity.certificate, 20}, tickets, watcher};
    for (const auto relay : known_liars) download.choice().lied(relay);
    if (kept) {
        REQUIRE(download.describe());
        const auto spoilt = download.check_kept();
        REQUIRE(spoilt);
        out.spoilt = *spoilt;
        REQUIRE((*spoilt == 0 || store.load().value().pieces == state.pieces));
    }
    out.done = download.fetch().map([](const Hash256&) {});
    const auto bytes = read_file(path, std::size_t{1} << 30);
    out.right = bytes && std::ranges::equal(as_bytes(*bytes), content);
    return out;
}

std::size_t RelaysWorld::sent_pieces() {
    // Each piece that was sent leaves a note of 48 bytes.
    std::error_code none;
    const auto path = folder.path() / "send" / transfer.hex() / "roots";
    const auto bytes = std::filesystem::file_size(path, none);
    const std::size_t all = none ? 0 : bytes / 48;
    return all - std::exchange(sent_before_, all);
}

} // namespace plankurier::test
