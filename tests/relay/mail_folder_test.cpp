// Mails in the folder of trials leave nothing behind, not even in the blocks that they stood in.
#include "relay/adapters/files.hpp"
#include "relay/adapters/mailers.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace plankurier::test::mail_folder_test {

namespace {

namespace fs = std::filesystem;

/// A folder of mails, and a second name for the blocks of one, which outlives the first.
struct MailFolder {
    TempFolder root;
    FakeClock clock;
    relay::adapters::FolderMailer mailer{root.path() / "mail", "plankurier@amt.example", clock};
    fs::path file;
    fs::path blocks = root.path() / "blocks";

    MailFolder() {
        const relay::Mail mail{"0123", "erika@buerger.example", "", "Hallo",
                               "https://a.example/t#1"};
        CHECK(mailer.deliver(mail) == relay::Delivery::done);
        file = fs::directory_iterator { root.path() / "mail" } -> path();
        fs::create_hard_link(file, blocks);
    }
    [[nodiscard]] bool holds_text() const {
        const auto bytes = relay::adapters::read_file(blocks);
        return std::ranges::any_of(bytes.value(), [](std::byte one) { return one != std::byte{}; });
    }
};

} // namespace

TEST_CASE("a mail that is forgotten is overwritten before it is removed") {
    MailFolder folder;
    CHECK(folder.holds_text());
    CHECK(folder.file.string().find("0123") == std::string::npos); // names outlive their files
    SECTION("one") { folder.mailer.forget("0123"); }
    SECTION("all others") { folder.mailer.keep_only({"4567"}); }
    CHECK_FALSE(fs::exists(folder.file));
    CHECK_FALSE(folder.holds_text());
    folder.mailer.forget("0123"); // idempotent
}

TEST_CASE("a mail that is delivered again leaves nothing of the first") {
    MailFolder folder;
    const relay::Mail mail{"0123", "otto@buerger.example", "", "Hallo", "again"};
    CHECK(folder.mailer.deliver(mail) == relay::Delivery::done);
    CHECK(fs::exists(folder.file));
    CHECK_FALSE(folder.holds_text());
}

} // namespace plankurier::test::mail_folder_test
