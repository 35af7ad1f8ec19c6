// Room that is kept on disks for reading and deleting.
#include "relay/adapters/mailers.hpp"
#include "relay/pieces/catalog.hpp"
#include "relay/room_guard.hpp"

#include "tests/support/fakes.hpp"
#include "tests/support/pieces.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <fstream>

namespace plankurier::test::reserve_test {

namespace {

namespace fs = std::filesystem;
using relay::adapters::Reserve;
using relay::adapters::Reserves;

constexpr std::uint64_t mebibyte = 1U << 20;

/// No reserve can ever be made there, as on a disk that is full from the beginning.
void spoil(const fs::path& folder) {
    fs::create_directories(folder);
    std::ofstream{folder / "reserve"} << "in the way";
}
relay::http::Request request(std::string method, std::string path) {
    return {std::move(method), std::move(path), {}, {}};
}

} // namespace

TEST_CASE("a reserve takes blocks and inodes of its disk") {
    const TempFolder folder;
    Reserve reserve{folder.path(), mebibyte};
    CHECK_FALSE(reserve.is_whole());
    CHECK(reserve.missing_bytes() == mebibyte + mebibyte / 2);
    CHECK_FALSE(reserve.has_room_for(1));
    CHECK(reserve.watch() == Reserve::Change::none); // there is room: nothing to tell
    CHECK(reserve.is_whole());
    CHECK(reserve.missing_bytes() == 0);
    CHECK(reserve.has_room_for(1));
    CHECK_FALSE(reserve.has_room_for(std::uint64_t{1} << 60));
    struct stat info {};
    REQUIRE(::stat((folder.path() / "reserve" / "space").c_str(), &info) == 0);
    CHECK(static_cast<std::uint64_t>(info.st_blocks) * 512 >= mebibyte);
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator{folder.path() / "reserve"}) {
        files += entry.is_regular_file() ? 1U : 0U;
    }
    CHECK(files > 60);
}

TEST_CASE("a reserve that has another size now is made anew") {
    const TempFolder folder;
    Reserve old{folder.path(), mebibyte};
    old.watch();
    Reserve larger{folder.path(), 2 * mebibyte};
    CHECK_FALSE(larger.is_whole());
    larger.watch();
    CHECK(larger.is_whole());
    CHECK_FALSE(old.is_whole());
}

TEST_CASE("a reserve that cannot be made is told once, and again when it can") {
    const TempFolder folder;
    spoil(folder.path());
    Reserve reserve{folder.path(), mebibyte};
    CHECK(reserve.watch() == Reserve::Change::given_up);
    CHECK(reserve.watch() == Reserve::Change::none);
    fs::remove(folder.path() / "reserve");
    CHECK(reserve.watch() == Reserve::Change::taken_back);
}

TEST_CASE("folders of one file system share a reserve, and a size of 0 is none at all") {
    const TempFolder folder;
    const std::vector<fs::path> folders{folder.path() / "a", folder.path() / "b"};
    Reserves both{folders, mebibyte, "test"};
    CHECK(fs::exists(folders[0] / "reserve" / "space"));
    CHECK_FALSE(fs::exists(folders[1] / "reserve"));
    CHECK_FALSE(both.is_short());
    CHECK(both.given_up() == 0);
    Reserves none{{folder.path() / "c"}, 0, "test"};
    CHECK_FALSE(fs::exists(folder.path() / "c" / "reserve"));
    CHECK_FALSE(none.make_room());
    CHECK(none.has_room_for(std::uint64_t{1} << 60));
}

TEST_CASE("while a reserve is given up nothing begins, and what failed is done once more") {
    const TempFolder folder;
    spoil(folder.path() / "full");
    Reserves full{{folder.path() / "full"}, mebibyte, "test"};
    Reserves well{{folder.path() / "well"}, mebibyte, "test"};
    int calls = 0;
    const auto once_too_few = [&](const relay::http::Request&) {
        if (++calls == 1) throw std::runtime_error("database error");
        return relay::http::Response{204, {}};
    };
    for (const char* path : {"/v1/verifications", "/v1/transfers"}) {
        const auto answer = relay::with_room(full, request("POST", path), once_too_few);
        CHECK(answer.status == 507);
        CHECK(answer.body.find("\"no_space\"") != std::string::npos);
        CHECK(calls == 0);
    }
    CHECK(relay::with_room(full, request("POST", "/v1/transfers/revoke"), once_too_few).status ==
          204);
    CHECK(calls == 2);
    calls = 0;
    CHECK_THROWS(relay::with_room(well, request("POST", "/v1/transfers/revoke"), once_too_few));
    CHECK(calls == 1);
    CHECK(relay::with_room(well, request("POST", "/v1/transfers"), once_too_few).status == 204);
}

TEST_CASE("no new volume takes what a reserve lacks, and the relay says that it has no room") {
    const TempFolder folder;
    spoil(folder.path() / "pieces");
    const Body body{"new"};
    Reserves full{{folder.path() / "pieces"}, std::uint64_t{1} << 40, "test"};
    relay::pieces::Catalog catalog{folder.path() / "pieces", &full};
    CHECK(why(catalog.begin_write(body.ticket(), 0, 0)) == "no_space");
    CHECK(catalog.transfers().empty());
    const auto told = catalog.space();
    REQUIRE(told);
    CHECK(told->available < fs::space(folder.path()).available);
    catalog.purge(body.id());
    CHECK(why(catalog.begin_write(body.ticket(), 0, 0)) == "purged"); // which is for good
}

TEST_CASE("folders of other kinds stay where pieces and mails lie") {
    const TempFolder folder;
    fs::create_directories(folder.path() / "lost+found");
    std::ofstream{folder.path() / "lost+found" / "x"} << "x";
    FakeClock clock;
    relay::adapters::FolderMailer mailer{folder.path(), "a@b.example", clock};
    std::ofstream{folder.path() / "0123.eml"} << "x";
    mailer.keep_only({});
    CHECK_FALSE(fs::exists(folder.path() / "0123.eml"));
    relay::pieces::Catalog catalog{folder.path()};
    CHECK(fs::exists(folder.path() / "lost+found" / "x"));
}

} // namespace plankurier::test::reserve_test
