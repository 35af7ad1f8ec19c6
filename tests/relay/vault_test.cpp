// The vault file: keys that can be erased for good, and what happens when the file is damaged.
#include "relay/adapters/vault_file.hpp"

#include "relay/adapters/files.hpp"
#include "tests/support/control.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <fstream>

namespace plankurier::test::vault_test {

namespace {

using relay::Slot;
using relay::adapters::VaultFile;

constexpr std::size_t slot_bytes = 64;
constexpr std::size_t step_bytes = std::size_t{1} << 20;

Bytes content(const std::filesystem::path& file) {
    return relay::adapters::read_file(file).value();
}
/// The slots in which two states of the file differ.
std::set<std::size_t> changed_slots(const Bytes& before, const Bytes& after) {
    std::set<std::size_t> out;
    for (std::size_t at = 0; at < std::min(before.size(), after.size()); ++at) {
        if (before[at] != after[at]) out.insert(at / slot_bytes);
    }
    return out;
}
Bytes some_text() {
    const auto view = as_bytes("Erika Mustermann");
    return {view.begin(), view.end()};
}

} // namespace

TEST_CASE("what is sealed under a slot opens there, for its purpose, unchanged") {
    const TempFolder folder;
    VaultFile vault{folder.path() / "vault"};
    const Slot slot = vault.allocate();
    const Slot other = vault.allocate();
    for (const Bytes& text : {Bytes{}, some_text(), Bytes(100'000, std::byte{7})}) {
        const Bytes sealed = vault.seal(slot, "email", text);
        CHECK(vault.open(slot, "email", sealed).value() == text);
        CHECK(why(vault.open(slot, "phone", sealed)) == "tampered");
        CHECK(why(vault.open(other, "email", sealed)) == "tampered");
        for (std::size_t at = 0; at < sealed.size(); at += 1 + sealed.size() / 50) {
            Bytes bad = sealed;
            bad[at] ^= std::byte{1};
            CHECK(why(vault.open(slot, "email", bad)) == "tampered");
        }
        CHECK(vault.seal(slot, "email", text) != sealed); // a nonce of its own each time
    }
    CHECK(why(vault.open(slot, "email", {})) == "tampered");
    CHECK(why(vault.open(slot, "email", Bytes(27))) == "tampered");
}

TEST_CASE("the file is private, random from the start, and keys survive a restart") {
    const TempFolder folder;
    const auto file = folder.path() / "vault";
    Slot slot{};
    Bytes sealed;
    {
        VaultFile vault{file};
        struct stat info {};
        REQUIRE(::stat(file.c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
        CHECK(info.st_size == step_bytes);
        CHECK(info.st_blocks * 512 >= info.st_size); // no holes: later writes stay in place
        slot = vault.allocate();
        sealed = vault.seal(slot, "email", some_text());
    }
    VaultFile vault{file};
    vault.keep_only({slot});
    CHECK(vault.open(slot, "email", sealed).value() == some_text());
}

TEST_CASE("erasing overwrites every byte of the slot where it lies, and no other slot") {
    const TempFolder folder;
    const auto file = folder.path() / "vault";
    VaultFile vault{file};
    std::vector<Slot> slots;
    std::vector<Bytes> sealed;
    for (int i = 0; i < 20; ++i) {
        slots.push_back(vault.allocate());
        sealed.push_back(vault.seal(slots.back(), "email", some_text()));
    }
    struct stat first {};
    REQUIRE(::stat(file.c_str(), &first) == 0);
    const Bytes before = content(file);
    vault.erase(slots[7]);
    const Bytes after = content(file);
    struct stat second {};
    REQUIRE(::stat(file.c_str(), &second) == 0);
    CHECK(first.st_ino == second.st_ino); // the same file, not a new one in its place
    CHECK(after.size() == before.size());
    CHECK(changed_slots(before, after) == std::set<std::size_t>{slots[7]});
    unsigned same = 0;
    for (std::size_t at = slots[7] * slot_bytes; at < (slots[7] + 1) * slot_bytes; ++at) {
        if (before[at] == after[at]) ++same;
    }
    CHECK(same < 16); // noise meets the old byte now and then, one time in 256
    CHECK(why(vault.open(slots[7], "email", sealed[7])) == "tampered");
    CHECK(vault.open(slots[6], "email", sealed[6]));
    CHECK(vault.open(slots[8], "email", sealed[8]));
    vault.erase(slots[7]);
    CHECK(content(file) == after); // said twice
}

TEST_CASE("an erased slot is given out again only once nobody names it") {
    const TempFolder folder;
    VaultFile vault{folder.path() / "vault"};
    const Slot slot = vault.allocate();
    vault.erase(slot);
    std::set<Slot> taken;
    for (int i = 0; i < 50; ++i) CHECK(taken.insert(vault.allocate()).second);
    CHECK_FALSE(taken.contains(slot));
    vault.keep_only({taken.begin(), taken.end()});
    CHECK(vault.allocate() == slot);
}

TEST_CASE("a key that no row names after a crash is erased at the start") {
    const TempFolder folder;
    const auto file = folder.path() / "vault";
    Slot named{}, lost{};
    Bytes sealed_named, sealed_lost;
    {
        VaultFile vault{file};
        named = vault.allocate();
        lost = vault.allocate(); // and then the process died before its row was committed
        sealed_named = vault.seal(named, "email", some_text());
        sealed_lost = vault.seal(lost, "email", some_text());
    }
    const Bytes before = content(file);
    VaultFile vault{file};
    vault.keep_only({named});
    CHECK(vault.open(named, "email", sealed_named));
    CHECK(why(vault.open(lost, "email", sealed_lost)) == "tampered");
    CHECK(changed_slots(before, content(file)).contains(lost));
}

TEST_CASE("a full vault grows and keeps its keys") {
    const TempFolder folder;
    const auto file = folder.path() / "vault";
    VaultFile vault{file};
    const Slot first = vault.allocate();
    const Bytes sealed_first = vault.seal(first, "email", some_text());
    // Allocating 16,384 slots one by one would sync as often: nearly all are said to be in use.
    std::vector<Slot> used;
    for (Slot slot = 0; slot < step_bytes / slot_bytes - 1; ++slot) used.push_back(slot);
    vault.keep_only(used);
    const Slot last = vault.allocate();
    CHECK(last == step_bytes / slot_bytes - 1);
    CHECK(content(file).size() == step_bytes);
    const Slot next = vault.allocate();
    CHECK(next == last + 1);
    CHECK(content(file).size() == 2 * step_bytes);
    const Bytes sealed_next = vault.seal(next, "email", some_text());
    CHECK(vault.open(next, "email", sealed_next));
    CHECK(vault.open(first, "email", sealed_first));
}

namespace {

/// A control plane with one transfer, whose vault file is then damaged while it is down.
struct Damaged {
    template <typename Damage>
    Damaged(const std::filesystem::path& folder, Damage damage) : world(folder) {
        // Enough slots in front that the transfer's own is not the first.
        for (int i = 0; i < 3; ++i) static_cast<void>(world.uploading());
        sending = world.available();
        link = world.link_for();
        world.stop();
        damage(folder / "vault");
        world.restart();
    }
    Control world;
    Sending sending;
    LinkId link;
};

/// Nothing opens, nothing aborts; new transfers work, and what is lost still goes at its end.
void check_service_goes_on(Damaged& it) {
    CHECK_THROWS_AS(static_cast<void>(it.world.relay().verified_record(it.link)),
                    std::runtime_error);
    CHECK_FALSE(it.world.relay().envelope(it.link));
    CHECK(it.world.relay().status(it.sending.id, it.sending.manage));
    it.world.new_sender();
    const auto fresh = it.world.available();
    const LinkId fresh_link = it.world.link_for();
    it.world.clock.pass(14 * day_s - 10);
    it.world.relay().tick();
    CHECK(it.world.relay().envelope(fresh_link));
    CHECK(it.world.store().transfer(it.sending.id));
    it.world.clock.pass(10);
    it.world.relay().tick();
    CHECK(it.world.store().is_tombstoned(it.sending.id));
    CHECK(it.world.store().is_tombstoned(fresh.id));
    CHECK(it.world.store().counts().tombstones == 5);
    CHECK(it.world.store().used_slots().empty());
}

} // namespace

TEST_CASE("a lost vault file loses the keys, not the service and not the purge") {
    const TempFolder folder;
    Damaged it{folder.path(), [](const auto& file) { std::filesystem::remove(file); }};
    check_service_goes_on(it);
}

TEST_CASE("an empty vault file is filled anew") {
    const TempFolder folder;
    Damaged it{folder.path(), [](const auto& file) { std::filesystem::resize_file(file, 0); }};
    CHECK(content(folder.path() / "vault").size() == step_bytes);
    check_service_goes_on(it);
}

TEST_CASE("a vault file that was cut short gives no two transfers the same slot") {
    for (const std::uintmax_t bytes : {63U, 64U, 100U, 128U, 200U}) {
        const TempFolder folder;
        Damaged it{folder.path(),
                   [&](const auto& file) { std::filesystem::resize_file(file, bytes); }};
        INFO(bytes);
        static_cast<void>(it.world.relay().begin_verification("a@buerger.example", "de"));
        auto slots = it.world.store().used_slots();
        std::ranges::sort(slots);
        CHECK(std::ranges::adjacent_find(slots) == slots.end());
        check_service_goes_on(it);
    }
}

TEST_CASE("a vault file with foreign bytes opens nothing and harms no new transfer") {
    const TempFolder folder;
    Damaged it{folder.path(), [](const auto& file) {
                   const auto bytes = std::filesystem::file_size(file);
                   std::ofstream{file, std::ios::trunc} << std::string(bytes, '\0');
               }};
    check_service_goes_on(it);
}

TEST_CASE("a folder that cannot hold the vault is said, not survived") {
    const TempFolder folder;
    CHECK_THROWS_AS(VaultFile(folder.path() / "missing" / "vault"), std::system_error);
    std::filesystem::create_directory(folder.path() / "vault");
    CHECK_THROWS_AS(VaultFile(folder.path() / "vault"), std::system_error);
}

} // namespace plankurier::test::vault_test
