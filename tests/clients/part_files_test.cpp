#include <clients/cli/part_files.hpp>

#include <plankurier/receiving.hpp>

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <chrono>
#include <thread>

namespace plankurier::test::part_files_test {

using cli::FileHandle;
using cli::PartFiles;

namespace {

constexpr std::uint64_t mib = 1 << 20;

PartFiles one_part(const std::filesystem::path& folder, std::uint64_t bytes) {
    auto receiving = ReceivingFolder::open(folder);
    REQUIRE(receiving);
    const auto fd = receiving->create_part("plan.pdf.part", bytes);
    REQUIRE(fd);
    std::vector<PartFiles::Part> list;
    list.push_back({FileHandle{*fd}, bytes});
    return PartFiles{std::move(list)};
}

} // namespace

TEST_CASE("a received file's room is taken while its bytes arrive, and they stay") {
    const TempFolder folder{"/var/tmp"}; // on a disk: memory is not reserved
    constexpr std::uint64_t size = 96 * mib;
    auto parts = one_part(folder.path(), size);
    const Bytes written(64 * 1'024, std::byte{0x5a});
    parts.reserve();
    // From the end, so that the two meet.
    for (std::uint64_t at = size; at >= 3 * mib; at -= 3 * mib) {
        REQUIRE(parts.write(at - written.size(), written));
    }
    REQUIRE_FALSE(lives_in_memory(parts.file(0)));
    const auto taken = [&] {
        struct stat about {};
        REQUIRE(::fstat(parts.file(0), &about) == 0);
        return static_cast<std::uint64_t>(about.st_blocks) * 512;
    };
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (taken() < size && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    REQUIRE(taken() >= size);
    Bytes read(written.size());
    for (std::uint64_t at = size; at >= 3 * mib; at -= 3 * mib) {
        REQUIRE(::pread(parts.file(0), read.data(), read.size(),
                        static_cast<off_t>(at - read.size())) == static_cast<ssize_t>(read.size()));
        CHECK(read == written);
    }
}

TEST_CASE("a disk without room for a received file says so at the next write, and is not filled") {
    const TempFolder folder;
    constexpr std::uint64_t size = std::uint64_t{1} << 42;
    auto parts = one_part(folder.path(), size);
    parts.reserve();
    const Bytes some(1'024, std::byte{1});
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    auto written = parts.write(0, some);
    while (written && std::chrono::steady_clock::now() < end) written = parts.write(0, some);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == Errc::no_space);
    const auto synced = parts.sync();
    REQUIRE_FALSE(synced);
    CHECK(synced.error().code == Errc::no_space);
    struct stat about {};
    REQUIRE(::fstat(parts.file(0), &about) == 0);
    CHECK(about.st_blocks * 512 < static_cast<off_t>(mib));
}

TEST_CASE("taking room ends when it is asked to") {
    const TempFolder folder;
    auto receiving = ReceivingFolder::open(folder.path());
    REQUIRE(receiving);
    const auto fd = receiving->create_part("plan.pdf.part", 64 * mib);
    REQUIRE(fd);
    const FileHandle file{*fd};
    std::stop_source stop;
    stop.request_stop();
    CHECK(reserve_part(file.get(), 64 * mib, stop.get_token()));
    struct stat about {};
    REQUIRE(::fstat(file.get(), &about) == 0);
    CHECK(about.st_blocks == 0);
    CHECK(about.st_size == 64 * static_cast<off_t>(mib));
}

TEST_CASE("a part that has its name is read with its neighbours and never written") {
    const TempFolder folder;
    auto receiving = ReceivingFolder::open(folder.path());
    REQUIRE(receiving);
    std::vector<PartFiles::Part> list;
    for (const bool is_named : {true, false}) {
        const auto fd = receiving->create_part(is_named ? "a.part" : "b.part", 100);
        REQUIRE(fd);
        list.push_back({FileHandle{*fd}, 100, is_named});
    }
    PartFiles parts{std::move(list)};
    REQUIRE(parts.write(0, Bytes(200, std::byte{0x5a})));
    Bytes read(300, std::byte{1});
    REQUIRE(parts.read(0, read));
    CHECK(read[99] == std::byte{});
    CHECK(read[100] == std::byte{0x5a});
    CHECK(read[199] == std::byte{0x5a});
    CHECK(read[200] == std::byte{});
    CHECK_FALSE(parts.touches_unnamed(0, 100));
    CHECK(parts.touches_unnamed(0, 101));
    CHECK_FALSE(parts.touches_unnamed(200, 100));
}

} // namespace plankurier::test::part_files_test
