#include <clients/cli/download_state.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/receipt.hpp>
#include <clients/cli/trust_store.hpp>
#include <clients/cli/upload_state.hpp>

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <fstream>

namespace plankurier::test::state_test {

using namespace plankurier::cli;

namespace {

/// A folder that is gone after the test.
struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "plankurier-test-XXXXXX";
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
};

UploadState some_state() {
    UploadState state;
    state.transfer = TransferId::random();
    state.key = TransferKey::random();
    state.manage = ManageToken::random();
    state.step = SendStep::verified;
    state.server = "https://server.example";
    state.authority = "Landratsamt „Muster“";
    state.department = "bauamt";
    state.session = "c2Vzc2lvbg";
    state.email = "erika@example.org";
    state.language = "de";
    state.receipt_path = "/tmp/\xff.json";
    state.expiry_days = 14;
    state.notify_fetch = false;
    state.notify_unfetched = state.remind_recipient = true;
    state.begun = 1'700'000'000;
    state.files = {
        {"/tmp/Plan \xfc.pdf", 12'345, 1'700'000'000'123'456'789, sha256(as_bytes("plan"))}};
    state.return_key = ReturnKey{KeySeed::random(), StanzaType::hpke_x25519};
    state.link = LinkSecret::random();
    state.link_path = "/tmp/link \xfc";
    return state;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777;
}

} // namespace

TEST_CASE("an upload's state comes back as it was saved, in a private file") {
    const Folder folder;
    const auto state = some_state();
    const auto store = UploadStore::open(folder.path, state.transfer);
    REQUIRE(store);
    REQUIRE(store->save(state));
    REQUIRE(store->save_envelope(as_bytes("envelope")));
    CHECK(mode_of(folder.path / state.transfer.hex() / "state.json") == 0600);
    CHECK(mode_of(folder.path / state.transfer.hex()) == 0700);
    const auto loaded = store->load();
    REQUIRE(loaded);
    CHECK(loaded->key.matches(state.key.reveal()));
    CHECK(loaded->manage.matches(state.manage.reveal()));
    CHECK(loaded->files == state.files);
    REQUIRE(loaded->return_key);
    CHECK(loaded->return_key->seed.matches(state.return_key->seed.reveal()));
    CHECK(loaded->return_key->type == StanzaType::hpke_x25519);
    REQUIRE(loaded->link);
    CHECK(loaded->link->matches(state.link->reveal()));
    CHECK(loaded->link_path == state.link_path);
    CHECK(loaded->step == SendStep::verified);
    CHECK(loaded->receipt_path == state.receipt_path);
    CHECK(loaded->authority == state.authority);
    CHECK(encode_upload_state(*loaded) == encode_upload_state(state));
    CHECK(as_text(*store->load_envelope()) == "envelope");
    CHECK(UploadStore::list(folder.path) == std::vector{state.transfer});
    store->remove();
    CHECK(UploadStore::list(folder.path).empty());
}

TEST_CASE("an upload's state that was cut short is malformed") {
    const auto text = encode_upload_state(some_state());
    for (std::size_t bytes = 0; bytes < text.size(); bytes += 7) {
        const auto cut = decode_upload_state(std::string_view{text}.substr(0, bytes));
        REQUIRE_FALSE(cut);
        CHECK(cut.error().code == Errc::malformed);
    }
}

TEST_CASE("noted roots survive a torn note and a damaged one") {
    const Folder folder;
    const auto id = TransferId::random();
    const auto root_of = [](int piece) { return sha256(as_bytes(std::to_string(piece))); };
    {
        auto store = UploadStore::open(folder.path, id);
        REQUIRE(store);
        for (int piece = 0; piece < 3; ++piece) {
            REQUIRE(store->note_root(static_cast<std::uint64_t>(piece), root_of(piece)));
        }
    }
    const auto path = folder.path / id.hex() / "roots";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
    {
        std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(20);
        file.put('!');
    }
    auto store = UploadStore::open(folder.path, id);
    REQUIRE(store->note_root(9, root_of(9)));
    const auto roots = store->load_roots();
    CHECK(roots == std::map<std::uint64_t, Hash256>{{1, root_of(1)}, {9, root_of(9)}});
}

TEST_CASE("what is past its expiry or was never begun is deleted, the rest stays") {
    const Folder folder;
    auto fresh = some_state();
    auto old = some_state();
    old.begun = fresh.begun - 15 * 86'400;
    for (const auto* state : {&fresh, &old}) {
        REQUIRE(UploadStore::open(folder.path, state->transfer)->save(*state));
    }
    const auto never = TransferId::random();
    REQUIRE(UploadStore::open(folder.path, never)->save_envelope(as_bytes("envelope")));
    const auto busy = TransferId::random();
    auto working = UploadStore::open(folder.path, busy);
    REQUIRE(working->lock());
    // Another process has made it, and locks it next.
    const auto just_made = TransferId::random();
    REQUIRE(UploadStore::open(folder.path, just_made));
    const std::int64_t now = fresh.begun + 86'400;
    const auto made_at = [&](const TransferId& id, std::int64_t time) {
        const std::chrono::sys_seconds since{std::chrono::seconds{time}};
        std::filesystem::last_write_time(folder.path / id.hex(),
                                         std::chrono::file_clock::from_sys(since));
    };
    made_at(never, now - 3'600);
    made_at(busy, now - 3'600);
    made_at(just_made, now - 3'590);
    CHECK(UploadStore::remove_outdated(folder.path, now).empty());
    CHECK(UploadStore::list(folder.path) == std::vector{fresh.transfer});
    CHECK_FALSE(std::filesystem::exists(folder.path / never.hex()));
    CHECK(std::filesystem::exists(folder.path / busy.hex()));
    CHECK(std::filesystem::exists(folder.path / just_made.hex()));
}

TEST_CASE("a state that cannot be read is deleted after the usual longest term, and told") {
    const Folder folder;
    const std::int64_t now = some_state().begun;
    constexpr std::int64_t day_s = 86'400;
    const auto damaged_at = [&](std::int64_t time, std::string_view content) {
        const auto id = TransferId::random();
        REQUIRE(UploadStore::open(folder.path, id));
        const auto file = folder.path / id.hex() / "state.json";
        REQUIRE(write_file_durably(file, as_bytes(content)));
        const std::chrono::sys_seconds since{std::chrono::seconds{time}};
        std::filesystem::last_write_time(file, std::chrono::file_clock::from_sys(since));
        return id;
    };
    const auto old = now - (UploadStore::damaged_days + 1) * day_s;
    const auto torn = damaged_at(old, R"({"key":"AAAA")");
    const auto empty = damaged_at(old, "");
    const auto recent = damaged_at(now - 2 * day_s, "{");
    auto told = UploadStore::remove_outdated(folder.path, now);
    std::ranges::sort(told);
    auto wanted = std::vector{torn, empty};
    std::ranges::sort(wanted);
    CHECK(told == wanted);
    CHECK(UploadStore::list(folder.path) == std::vector{recent});
    CHECK(UploadStore::remove_outdated(folder.path, now).empty());
}

TEST_CASE("two processes cannot continue the same transfer") {
    const Folder folder;
    const auto id = TransferId::random();
    auto first = UploadStore::open(folder.path, id);
    auto second = UploadStore::open(folder.path, id);
    REQUIRE(first->lock());
    REQUIRE_FALSE(second->lock());
}

TEST_CASE("a download's state comes back as it was saved") {
    const Folder folder;
    DownloadState state{
        TransferId::random(),    folder.path / "\xfc",
        {"Plan ä.pdf", "b.png"}, {"Plan ä.pdf.01234567.part", "b.png.01234567.part"},
        std::vector<bool>(13),   true};
    state.pieces[0] = state.pieces[8] = state.pieces[12] = true;
    const DownloadStore store{folder.path / "fetch", state.transfer};
    CHECK(store.load().error().code == Errc::not_found);
    REQUIRE(store.save(state));
    const auto loaded = store.load();
    REQUIRE(loaded);
    CHECK(loaded->transfer == state.transfer);
    CHECK(loaded->folder == state.folder);
    CHECK(loaded->names == state.names);
    CHECK(loaded->parts == state.parts);
    CHECK(loaded->pieces == state.pieces);
    CHECK(loaded->publishing);
    store.remove();
    CHECK_FALSE(store.load());
    CHECK(decode_download_state("{}").error().code == Errc::malformed);
}

TEST_CASE("a receipt file gives back the right to see and revoke") {
    const Folder folder;
    Receipt receipt;
    receipt.transfer = TransferId::random();
    receipt.manage = ManageToken::random();
    receipt.number = "LRA-2026-1";
    receipt.server = "https://server.example";
    receipt.expires = 1'800'000'000;
    receipt.return_link = SecretText{"https://server.example/r#v1.a.b"};
    const auto path = folder.path / "receipt.json";
    REQUIRE(write_file_durably(path, as_bytes(encode_receipt(receipt))));
    CHECK(mode_of(path) == 0600);
    const auto read = read_receipt(path);
    REQUIRE(read);
    CHECK(read->transfer == receipt.transfer);
    CHECK(read->manage.matches(receipt.manage.reveal()));
    CHECK(read->number == receipt.number);
    CHECK(read->expires == receipt.expires);
    CHECK(read->return_link.reveal() == receipt.return_link.reveal());
    CHECK(decode_receipt("{\"format\":\"other\"}").error().code == Errc::malformed);
    CHECK(read_receipt(folder.path / "none").error().code == Errc::file_unreadable);
}

TEST_CASE("a pinned authority is found again, and another server is not trusted") {
    const Folder folder;
    TrustStore store{folder.path / "config"};
    MinisignPublicKey root;
    fill_random(root.id);
    fill_random(root.key);
    CHECK(store.find("https://a.example").error().code == Errc::untrusted_root);
    REQUIRE(store.pin({"https://a.example", "Amt A", {root, 7}}));
    REQUIRE(store.pin({"https://b.example", "Amt B", {root, 1}}));
    REQUIRE(store.pin({"https://a.example", "Amt A", {root, 9}}));
    const auto found = store.find("https://a.example");
    REQUIRE(found);
    CHECK(found->anchor.root == root);
    CHECK(found->anchor.highest_serial == 9);
    CHECK(store.all()->size() == 2);
    CHECK(store.find("https://c.example").error().code == Errc::untrusted_root);
}

TEST_CASE("a new file never replaces one") {
    const Folder folder;
    const auto path = folder.path / "key";
    REQUIRE(write_new_file(path, as_bytes("one")));
    CHECK(write_new_file(path, as_bytes("two")).error().code == Errc::exists);
    CHECK(*read_file(path) == "one");
}

} // namespace plankurier::test::state_test
