// A relay that stores very much still starts quickly and needs little memory for knowing it.
#include "relay/pieces/catalog.hpp"

#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <malloc.h>
#include <cstdio>
#include <fstream>

namespace plankurier::test::pieces_many_test {

namespace {

/// Rows of 25 transfers of about 100 GiB each, whose files have that size and no bytes.
std::size_t write_rows(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    relay::pieces::PieceIndex index{folder / "index.db"};
    const auto layout = BodyLayout::for_content(std::uint64_t{100} << 30).value();
    const auto key = fixed_secret<TransferKey>("many");
    std::size_t count = 0;
    index.together([&] {
        for (int i = 0; i < 25; ++i) {
            const TransferId id = TransferId::random();
            index.add_transfer({id, layout.body_len(), 2'000'000'000});
            std::filesystem::create_directories(folder / id.hex());
            for (std::uint32_t v = 0; v < layout.volumes(); ++v, ++count) {
                char name[16];
                std::snprintf(name, sizeof name, "%08u.vol", v);
                std::ofstream{folder / id.hex() / name};
                std::filesystem::resize_file(folder / id.hex() / name, layout.volume_bytes(v));
                std::vector<Hash256> roots(layout.pieces_in_volume(v));
                for (Hash256& root : roots) fill_random(root);
                index.describe(id, v, ~std::uint64_t{0} >> (64 - layout.pieces_in_volume(v)),
                               encode_descriptor(make_descriptor(key, id, v, layout.piece_bytes(),
                                                                 std::move(roots))));
            }
        }
    });
    return count;
}

} // namespace

TEST_CASE("ten thousand volumes take some hundred bytes of memory each") {
    const TempFolder folder;
    const std::size_t count = write_rows(folder.path());
    CHECK(count > 10'000);
    const std::size_t before = ::mallinfo2().uordblks;
    relay::pieces::Catalog catalog{folder.path()};
    const std::size_t after = ::mallinfo2().uordblks;
    CHECK(after - std::min(before, after) < count * 300 + (std::size_t{4} << 20));
    CHECK(catalog.held().size() == 25);
    for (const auto& one : catalog.held()) {
        CHECK(one.complete);
        CHECK(catalog.stored(one.transfer));
    }
}

} // namespace plankurier::test::pieces_many_test
