#include "relay/pieces/piece_store.hpp"

#include <plankurier/sealing.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <unistd.h>

using namespace plankurier;
using relay::pieces::PieceStore;

namespace {
struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() /
                                 ("pieces-" + TransferId::random().hex());
    ~Folder() { std::filesystem::remove_all(path); }
};
Ticket put_ticket() {
    Ticket ticket;
    ticket.transfer = TransferId::random();
    ticket.role = TicketRole::put;
    ticket.body_len = BodyLayout::for_content(1)->body_len();
    ticket.delete_at = 2000;
    return ticket;
}
Hash256 put(PieceStore& store, const Ticket& ticket, std::byte fill) {
    const auto slot = store.begin_put(ticket, 0, 0, 1000);
    REQUIRE(slot);
    const Bytes bytes(slot->volume->layout.piece_bytes(), fill);
    REQUIRE(store.write(*slot, 0, bytes));
    PieceHasher hasher;
    hasher.update(bytes);
    const auto root = hasher.finish();
    REQUIRE(store.finish_put(*slot, root));
    return root;
}
} // namespace

TEST_CASE("a piece is durable after the store is opened again") {
    const Folder folder;
    const auto ticket = put_ticket();
    { PieceStore store(folder.path); put(store, ticket, std::byte{7}); }
    PieceStore store(folder.path);
    REQUIRE(store.is_durable(store.find(ticket.transfer).at(0), 0));
    const auto again = store.begin_put(ticket, 0, 0, 1000);
    REQUIRE(again);
    REQUIRE_FALSE(again->write);
    REQUIRE(store.finish_put(*again, Hash256{}).error().code == Errc::tampered);
}

TEST_CASE("two requests cannot write one piece, and a given-back piece is not durable") {
    const Folder folder;
    const auto ticket = put_ticket();
    {
        PieceStore store(folder.path);
        const auto slot = store.begin_put(ticket, 0, 0, 1000);
        REQUIRE(slot);
        REQUIRE(store.begin_put(ticket, 0, 0, 1000).error().code == Errc::conflict);
        store.abort_put(*slot);
        REQUIRE(store.begin_put(ticket, 0, 0, 1000));
    }
    PieceStore store(folder.path);
    REQUIRE(store.find(ticket.transfer).empty());
}

TEST_CASE("a purged transfer leaves no file and is never taken again") {
    const Folder folder;
    const auto ticket = put_ticket();
    {
        PieceStore store(folder.path);
        put(store, ticket, std::byte{7});
        REQUIRE(store.past(2000).size() == 1);
        store.purge(ticket.transfer);
        REQUIRE_FALSE(std::filesystem::exists(folder.path / ticket.transfer.hex()));
    }
    PieceStore store(folder.path);
    REQUIRE(store.begin_put(ticket, 0, 0, 1000).error().code == Errc::purged);
}
