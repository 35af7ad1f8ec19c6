#include <plankurier/source.hpp>

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <fstream>

namespace plankurier::test::source_test {

namespace {

std::filesystem::path write(const std::filesystem::path& path, std::string_view content) {
    std::ofstream out{path, std::ios::binary};
    out << content;
    REQUIRE(out.flush());
    return path;
}
/// Sets the time of the last change.
void set_time(const std::filesystem::path& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}
std::string text_of(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<char>(at * 31 % 251);
    return text;
}

} // namespace

TEST_CASE("a file is the same wherever it lies, as long as content and time are") {
    const TempFolder folder;
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, std::size_t{3'000'000}}) {
        const auto here = write(folder.path() / "plan.pdf", text_of(bytes));
        const auto there = write(folder.path() / "copy.pdf", text_of(bytes));
        set_time(here, 1'700'000'000);
        set_time(there, 1'700'000'000);
        const auto before = BodySource::open({here});
        const auto now = BodySource::open({there});
        REQUIRE(before);
        REQUIRE(now);
        CHECK(now->compare(before->files()).value() == Likeness::same);
        set_time(there, 1'700'000'002);
        const auto later = BodySource::open({there});
        REQUIRE(later);
        CHECK(later->compare(before->files()).value() == Likeness::touched);
    }
}

TEST_CASE("another content, size or number of files is a change, and the file is named") {
    const TempFolder folder;
    auto content = text_of(3'000'000);
    const auto first = write(folder.path() / "first.pdf", "unchanged");
    const auto second = write(folder.path() / "second.pdf", content);
    set_time(second, 1'700'000'000);
    const auto before = BodySource::open({first, second});
    REQUIRE(before);
    // Begin and end are always among the samples.
    for (const std::size_t at : {std::size_t{5}, content.size() - 5}) {
        auto changed = content;
        changed[at] ^= 1;
        write(second, changed);
        set_time(second, 1'700'000'000);
        const auto now = BodySource::open({first, second});
        REQUIRE(now);
        CHECK(now->compare(before->files()).error().code == Errc::file_changed);
        CHECK(now->failed_file() == 1U);
    }
    write(second, content + "more");
    const auto longer = BodySource::open({first, second});
    CHECK(longer->compare(before->files()).error().code == Errc::file_changed);
    const auto fewer = BodySource::open({first});
    CHECK(fewer->compare(before->files()).error().code == Errc::file_changed);
}

TEST_CASE("a file that changes while it is read is named") {
    const TempFolder folder;
    const auto first = write(folder.path() / "first.pdf", "unchanged");
    const auto second = write(folder.path() / "second.pdf", text_of(1'000));
    const auto source = BodySource::open({first, second});
    REQUIRE(source);
    Bytes out(1'009);
    REQUIRE(source->read(0, out));
    CHECK_FALSE(source->failed_file());
    write(second, text_of(900));
    CHECK(source->read(0, out).error().code == Errc::file_changed);
    CHECK(source->failed_file() == 1U);
}

TEST_CASE("another time alone is no change while a file is read, but is counted") {
    const TempFolder folder;
    for (const std::size_t bytes : {std::size_t{1'000}, std::size_t{3'000'000}}) {
        auto content = text_of(bytes);
        const auto plan = write(folder.path() / "plan.pdf", content);
        const auto source = BodySource::open({plan});
        REQUIRE(source);
        Bytes out(1'000);
        for (const std::uint64_t touched : {1U, 2U}) {
            set_time(plan, 1'700'000'000 + static_cast<std::int64_t>(touched));
            REQUIRE(source->read(0, out));
            REQUIRE(source->read(0, out));
            CHECK(source->touches() == touched);
        }
        content.back() ^= 1;
        write(plan, content);
        set_time(plan, 1'800'000'000);
        CHECK(source->read(0, out).error().code == Errc::file_changed);
        CHECK(source->failed_file() == 0U);
    }
}

TEST_CASE("bytes that somebody else found changed are blamed on the file written last of them") {
    const TempFolder folder;
    const auto path = [&](const char* name) { return folder.path() / name; };
    const std::vector files{write(path("one.pdf"), text_of(1'000)), write(path("none.pdf"), ""),
                            write(path("two.pdf"), text_of(1'000)),
                            write(path("three.pdf"), text_of(1'000))};
    const std::vector<std::int64_t> times{1'700'000'003, 1'700'000'009, 1'700'000'001,
                                          1'700'000'002};
    for (std::size_t i = 0; i < files.size(); ++i) set_time(files[i], times[i]);
    const auto blamed = [&](std::uint64_t offset, std::uint64_t bytes) {
        const auto source = BodySource::open(files);
        REQUIRE(source);
        source->blame(offset, bytes);
        return source->failed_file();
    };
    CHECK(blamed(0, 1'000) == 0U);
    CHECK(blamed(1'000, 1'000) == 2U);
    CHECK(blamed(999, 1'002) == 0U);
    CHECK(blamed(1'000, 4'000) == 3U);
    CHECK(blamed(3'000, 500) == std::nullopt); // padding
}

TEST_CASE("a file that cannot be opened is named by its number") {
    const TempFolder folder;
    const auto first = write(folder.path() / "first.pdf", "here");
    std::size_t failed = 9;
    CHECK(BodySource::open({first, folder.path() / "none.pdf"}, &failed).error().code ==
          Errc::file_unreadable);
    CHECK(failed == 1);
}

} // namespace plankurier::test::source_test
