#include <plankurier/receiving.hpp>

#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <fstream>
#include <random>
#include <set>

namespace plankurier::test::names_test {

namespace {

using Names = std::vector<std::string>;

void write(const std::filesystem::path& path, std::string_view content) {
    std::ofstream out{path, std::ios::binary};
    out << content;
    REQUIRE(out.flush());
}
std::string content_of(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
mode_t mode_of(const std::filesystem::path& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777;
}

/// A descriptor that is closed with its scope.
struct Open {
    int fd;
    ~Open() { ::close(fd); }
};

/// A part with this content, open.
int part_with(ReceivingFolder& folder, const std::string& part, std::string_view content) {
    const auto fd = folder.create_part(part, content.size());
    REQUIRE(fd);
    REQUIRE(::pwrite(*fd, content.data(), content.size(), 0) ==
            static_cast<ssize_t>(content.size()));
    return *fd;
}

} // namespace

TEST_CASE("a name of nothing but what is trimmed keeps its extension and gets a stem") {
    for (const auto* name : {"-.pdf", " .pdf", "~.pdf", "..pdf", ".pdf", "- ~ .pdf", "/.pdf",
                             "\xE2\x80\x8B.pdf", "\xE2\x80\xAE.pdf", "...pdf. .", "a/-.pdf"}) {
        INFO(name);
        CHECK(clean_file_name(name) == "datei.pdf");
        CHECK(type_from_name(clean_file_name(name)).value() == FileType::pdf);
    }
    CHECK(clean_file_name("-") == "datei");
    CHECK(clean_file_name("plan.pdf.") == "plan.pdf");
}

TEST_CASE("whatever a name is made of, it becomes one safe component, and stays that") {
    std::mt19937 dice{20'261'129};
    const Names bits = {"a",
                        "/",
                        "\\",
                        ".",
                        " ",
                        "-",
                        "~",
                        "\xFF",
                        "\xC3",
                        "ä",
                        "a\xCC\x88",
                        "CON",
                        "com1",
                        ".pdf",
                        "\n",
                        "%",
                        ":",
                        "\xE2\x80\x8B",
                        "\xE2\x80\xAE",
                        "ﬁ",
                        "\xF0\x9F\x8F\xA0",
                        "(2)",
                        "İ",
                        "ß"};
    for (int round = 0; round < 20'000; ++round) {
        std::string name;
        for (auto count = dice() % 12 + (round % 50 == 0 ? 200 : 0); count > 0; --count) {
            name += bits[dice() % bits.size()];
        }
        const auto clean = clean_file_name(name);
        INFO(name << " -> " << clean);
        REQUIRE(clean_file_name(clean) == clean);
        REQUIRE_FALSE(clean.empty());
        REQUIRE(clean.size() <= file_name_bytes_safe);
        REQUIRE(is_utf8(clean));
        REQUIRE(clean.find_first_of("/\\\n:%") == std::string::npos);
        REQUIRE(std::string{". -~"}.find(clean.front()) == std::string::npos);
        REQUIRE(std::string{". "}.find(clean.back()) == std::string::npos);
    }
}

TEST_CASE("names that a disk without case takes for one are told apart") {
    CHECK(name_key("PLÄNE.PDF") == name_key("pläne.pdf"));
    CHECK(name_key("A\xCC\x88.pdf") == name_key("ä.pdf"));
    CHECK(name_key("plan.pdf") != name_key("plan.png"));
    CHECK(distinct_names({"Änderung.pdf", "änderung.pdf", "ÄNDERUNG.PDF"}) ==
          Names{"Änderung.pdf", "änderung (2).pdf", "ÄNDERUNG (3).PDF"});
    CHECK(distinct_names({"plan.pdf", "plan (2).pdf", "PLAN.pdf"}) ==
          Names{"plan.pdf", "plan (2).pdf", "PLAN (3).pdf"});
}

TEST_CASE("long names that are alike once shortened stay within the limit, and distinct") {
    const std::string same(220, 'L');
    Names names;
    for (int sheet = 0; sheet < 1'000; ++sheet) {
        names.push_back(same + "-Blatt-" + std::to_string(sheet) + ".pdf");
    }
    std::set<std::string> seen;
    for (const auto& name : distinct_names(names)) {
        CHECK(name.size() <= file_name_bytes_safe);
        CHECK(name.ends_with(".pdf"));
        CHECK(clean_file_name(name) == name);
        CHECK(seen.insert(name_key(name)).second);
    }
    // Cut between code points, with the number.
    std::string umlauts;
    for (int at = 0; at < 150; ++at) umlauts += "ä";
    const auto cut = distinct_names({umlauts + ".pdf", umlauts + ".pdf"});
    CHECK(is_utf8(cut[1]));
    CHECK(cut[1].ends_with("ä (2).pdf"));
}

TEST_CASE("a part never opens what another program made, and leaves it as it is") {
    const TempFolder folder;
    auto receiving = ReceivingFolder::open(folder.path());
    REQUIRE(receiving);
    const auto part = ReceivingFolder::part_name("plan.pdf", "01234567");
    write(folder.path() / "plan.pdf.part", "of a browser");
    write(folder.path() / part, "of somebody");
    CHECK(receiving->create_part(part, 5).error().code == Errc::exists);
    CHECK(content_of(folder.path() / part) == "of somebody");
    CHECK(content_of(folder.path() / "plan.pdf.part") == "of a browser");
    std::filesystem::create_symlink("plan.pdf.part", folder.path() / "link.part");
    CHECK_FALSE(receiving->create_part("link.part", 5));
    CHECK_FALSE(receiving->reopen_part("link.part", 5));
    for (const auto* bad : {"", ".", "..", "a/b", "../plan.pdf"}) {
        CHECK(receiving->create_part(bad, 5).error().code == Errc::invalid_argument);
    }
}

TEST_CASE("received files and folders have the rights that the umask leaves") {
    const TempFolder folder;
    for (const auto mask : {mode_t{0022}, mode_t{0077}, mode_t{0002}}) {
        const auto before = ::umask(mask);
        const auto path = folder.path() / std::to_string(mask) / "below";
        {
            auto receiving = ReceivingFolder::open(path);
            REQUIRE(receiving);
            const Open part{part_with(*receiving, "a.part", "plan")};
            REQUIRE(receiving->publish("a.part", "a.pdf", part.fd));
        }
        ::umask(before);
        CHECK(mode_of(path / "a.pdf") == (0666U & ~mask));
        CHECK(mode_of(path) == (0777U & ~mask));
    }
}

TEST_CASE("a file that took the name meanwhile is not overwritten") {
    const TempFolder folder;
    auto receiving = ReceivingFolder::open(folder.path());
    REQUIRE(receiving);
    const Open part{part_with(*receiving, "a.part", "received")};
    write(folder.path() / "a.pdf", "mine");
    CHECK(receiving->publish("a.part", "a.pdf", part.fd).error().code == Errc::exists);
    CHECK(content_of(folder.path() / "a.pdf") == "mine");
    CHECK(content_of(folder.path() / "a.part") == "received");
    CHECK(receiving->assign({"a.pdf", "b.pdf"}, {"B.PDF"}) == Names{"a (2).pdf", "b (2).pdf"});
}

TEST_CASE("a name that a crash left taken by an empty file is free again, and no other is") {
    const TempFolder folder;
    auto receiving = ReceivingFolder::open(folder.path());
    REQUIRE(receiving);
    write(folder.path() / "a.pdf", "");
    write(folder.path() / "b.pdf", "mine");
    std::filesystem::create_symlink("a.pdf", folder.path() / "link.pdf");
    for (const auto* name : {"a.pdf", "b.pdf", "link.pdf", "none.pdf", "../a.pdf", ""}) {
        receiving->discard_empty(name);
    }
    CHECK_FALSE(std::filesystem::exists(folder.path() / "a.pdf"));
    CHECK(content_of(folder.path() / "b.pdf") == "mine");
    CHECK(std::filesystem::is_symlink(folder.path() / "link.pdf"));
}

TEST_CASE("a publication that a crash stopped between link and unlink is brought to its end") {
    const TempFolder folder;
    auto receiving = ReceivingFolder::open(folder.path());
    REQUIRE(receiving);
    const Open part{part_with(*receiving, "a.part", "received")};
    std::filesystem::create_hard_link(folder.path() / "a.part", folder.path() / "a.pdf");
    REQUIRE(receiving->publish("a.part", "a.pdf", part.fd));
    CHECK(content_of(folder.path() / "a.pdf") == "received");
    CHECK_FALSE(std::filesystem::exists(folder.path() / "a.part"));
}

} // namespace plankurier::test::names_test
