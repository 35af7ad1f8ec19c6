#include <clients/cli/upload_state.hpp>

#include <clients/cli/files.hpp>

#include <plankurier/fault.hpp>
#include <plankurier/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstring>

namespace plankurier::cli {

namespace {

constexpr std::string_view step_names[] = {"begun", "verified", "uploading"};
/// piece u64, root 32, first 8 bytes of SHA-256 over both.
constexpr std::size_t note_bytes = 48;

std::array<std::byte, note_bytes> make_note(std::uint64_t piece, const Hash256& root) {
    std::array<std::byte, note_bytes> note{};
    for (std::size_t at = 0; at < 8; ++at)
        note[at] = static_cast<std::byte>(piece >> (56 - 8 * at));
    std::copy(root.begin(), root.end(), note.begin() + 8);
    const auto check = sha256(ByteView{note}.first(40));
    std::copy_n(check.begin(), 8, note.begin() + 40);
    return note;
}

Json encode_files(const std::vector<FileIdentity>& files) {
    auto list = Json::array();
    for (const auto& file : files) {
        // Paths are bytes, JSON is UTF-8.
        list.push_back({{"path", to_base64url(as_bytes(file.path.native()))},
                        {"size", file.size_bytes},
                        {"mtime_ns", file.mtime_ns},
                        {"sample", to_base64url(file.sample)}});
    }
    return list;
}

Result<std::vector<FileIdentity>> decode_files(const Json& list) {
    std::vector<FileIdentity> files;
    for (const auto& entry : list) {
        const auto path = from_base64url(entry.at("path").get<std::string>());
        const auto sample = from_base64url(entry.at("sample").get<std::string>());
        if (!path || !sample || sample->size() != FileIdentity{}.sample.size()) {
            return fail(Errc::malformed, "file");
        }
        auto& file = files.emplace_back();
        file.path = std::string{as_text(*path)};
        file.size_bytes = entry.at("size").get<std::uint64_t>();
        file.mtime_ns = entry.at("mtime_ns").get<std::int64_t>();
        std::copy(sample->begin(), sample->end(), file.sample.begin());
    }
    return files;
}

Result<std::optional<ReturnKey>> decode_return_key(const Json& in) {
    const auto found = in.find("return_key");
    if (found == in.end()) return std::optional<ReturnKey>{};
    auto seed = from_base64url(found->at("seed").get<std::string>());
    const auto type = static_cast<StanzaType>(found->at("type").get<std::uint16_t>());
    if (!seed || seed->size() != KeySeed::size || public_key_bytes(type) == 0) {
        return fail(Errc::malformed, "return key");
    }
    ReturnKey key{KeySeed{*seed}, type};
    wipe(*seed);
    return std::optional{std::move(key)};
}

Result<std::optional<LinkSecret>> decode_link(const Json& in) {
    const auto found = in.find("link");
    if (found == in.end()) return std::optional<LinkSecret>{};
    auto raw = from_base64url(found->get<std::string>());
    if (!raw || raw->size() != LinkSecret::size) return fail(Errc::malformed, "link");
    std::optional<LinkSecret> link{LinkSecret{*raw}};
    wipe(*raw);
    return link;
}

/// Another process may just have made this folder, and be about to lock it.
bool is_new(const std::filesystem::path& folder, std::int64_t now) {
    constexpr std::int64_t hour_s = 3'600;
    struct stat about {};
    return ::stat(folder.c_str(), &about) == 0 && about.st_mtime > now - hour_s;
}

/// `begun` is the service's word, whose clock may have been behind then; the file's time is this
/// computer's. Both must say that the term is over. One that is ahead of now says nothing.
bool is_over(const UploadState& state, const std::filesystem::path& file, std::int64_t now) {
    constexpr std::int64_t day_s = 86'400;
    const std::int64_t until = now - state.expiry_days * day_s;
    struct stat about {};
    const bool written_since = ::stat(file.c_str(), &about) == 0 && about.st_mtime >= until &&
                               about.st_mtime <= now + day_s;
    return state.begun < until && !written_since;
}

/// Nothing can be made of it any more, by whatever version of this program.
bool is_damaged(const Result<UploadState>& state) {
    return !state &&
           (state.error().code == Errc::malformed || state.error().code == Errc::too_large);
}

/// Where nothing else is known, only the file's time counts.
bool is_older(const std::filesystem::path& file, std::int64_t time) {
    struct stat about {};
    return ::stat(file.c_str(), &about) == 0 && about.st_mtime < time;
}

} // namespace

std::string encode_upload_state(const UploadState& state) {
    Json out{{"format", "plankurier-upload-1"},
             {"transfer", state.transfer.hex()},
             {"key", to_base64url(state.key.reveal())},
             {"manage", to_base64url(state.manage.reveal())},
             {"step", step_names[static_cast<std::size_t>(state.step)]},
             {"server", state.server},
             {"authority", state.authority},
             {"department", state.department},
             {"also", state.also},
             {"recipient", state.recipient},
             {"escrow", state.escrow},
             {"staff", state.staff},
             {"citizen", state.citizen},
             {"inbox", state.inbox},
             {"sender_department", state.sender_department},
             {"session", state.session},
             {"code_number", state.code_number},
             {"email", state.email},
             {"phone_shared", state.phone_shared},
             {"language", state.language},
             {"receipt_path", to_base64url(as_bytes(state.receipt_path))},
             {"expiry_days", state.expiry_days},
             {"notify_fetch", state.notify_fetch},
             {"notify_unfetched", state.notify_unfetched},
             {"remind_recipient", state.remind_recipient},
             {"begun", state.begun},
             {"files", encode_files(state.files)}};
    if (state.return_key) {
        out["return_key"] = {{"seed", to_base64url(state.return_key->seed.reveal())},
                             {"type", static_cast<unsigned>(state.return_key->type)}};
    }
    if (state.link) {
        out["link"] = to_base64url(state.link->reveal());
        out["link_path"] = to_base64url(as_bytes(state.link_path));
    }
    return out.dump();
}

Result<UploadState> decode_upload_state(std::string_view text) {
    try {
        const auto in = parse_json(text);
        UploadState out;
        auto transfer = TransferId::from_hex(in.at("transfer").get<std::string>());
        auto key = from_base64url(in.at("key").get<std::string>());
        auto manage = from_base64url(in.at("manage").get<std::string>());
        auto receipt = from_base64url(in.at("receipt_path").get<std::string>());
        auto files = decode_files(in.at("files"));
        if (!transfer || !key || !manage || !files || !receipt ||
            key->size() != TransferKey::size || manage->size() != ManageToken::size) {
            return fail(Errc::malformed, "upload state");
        }
        const auto step = in.at("step").get<std::string>();
        const auto* found = std::find(std::begin(step_names), std::end(step_names), step);
        if (found == std::end(step_names)) return fail(Errc::malformed, "upload step");
        out.step = static_cast<SendStep>(found - std::begin(step_names));
        out.transfer = *transfer;
        out.key = TransferKey{*key};
        wipe(*key);
        out.manage = ManageToken{*manage};
        out.files = std::move(*files);
        out.receipt_path = as_text(*receipt);
        out.server = in.at("server").get<std::string>();
        out.authority = in.at("authority").get<std::string>();
        out.department = in.at("department").get<std::string>();
        out.recipient = in.value("recipient", std::string{});
        out.escrow = in.value("escrow", std::string{});
        out.also = in.value("also", std::vector<std::string>{});
        out.staff = in.at("staff").get<std::string>();
        out.citizen = in.value("citizen", std::string{});
        out.inbox = in.value("inbox", std::string{});
        out.sender_department = in.value("sender_department", std::string{});
        out.session = in.at("session").get<std::string>();
        out.code_number = in.value("code_number", 0U);
        out.email = in.at("email").get<std::string>();
        out.phone_shared = in.at("phone_shared").get<std::string>();
        out.language = in.at("language").get<std::string>();
        out.expiry_days = in.at("expiry_days").get<std::uint32_t>();
        out.notify_fetch = in.at("notify_fetch").get<bool>();
        out.notify_unfetched = in.value("notify_unfetched", false);
        out.remind_recipient = in.value("remind_recipient", false);
        out.begun = in.at("begun").get<std::int64_t>();
        auto return_key = decode_return_key(in);
        if (!return_key) return tl::unexpected(return_key.error());
        out.return_key = std::move(*return_key);
        auto link = decode_link(in);
        auto link_path = from_base64url(in.value("link_path", std::string{}));
        if (!link || !link_path) return fail(Errc::malformed, "upload state");
        out.link = std::move(*link);
        out.link_path = as_text(*link_path);
        return out;
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "upload state");
    }
}

Result<UploadStore> UploadStore::open(const std::filesystem::path& folder,
                                      const TransferId& transfer) {
    auto own = folder / transfer.hex();
    if (auto made = make_private_folder(own); !made) return tl::unexpected(made.error());
    return UploadStore{std::move(own)};
}

std::vector<TransferId> UploadStore::list(const std::filesystem::path& folder) {
    std::vector<TransferId> ids;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{folder, error}) {
        const auto id = TransferId::from_hex(entry.path().filename().string());
        if (id && std::filesystem::exists(entry.path() / "state.json", error)) ids.push_back(*id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<TransferId> UploadStore::remove_outdated(const std::filesystem::path& folder,
                                                     std::int64_t now) {
    std::vector<TransferId> ids, damaged;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{folder, error}) {
        if (const auto id = TransferId::from_hex(entry.path().filename().string())) {
            ids.push_back(*id);
        }
    }
    for (const auto& id : ids) {
        const auto own = folder / id.hex();
        if (!std::filesystem::exists(own / "state.json", error) && is_new(own, now)) continue;
        auto store = open(folder, id);
        if (!store || !store->lock()) continue; // another process works on it
        const auto file = store->folder_ / "state.json";
        const bool begun = std::filesystem::exists(file, error);
        const auto state = store->load();
        const bool is_lost =
            begun && is_damaged(state) && is_older(file, now - std::int64_t{damaged_days} * 86'400);
        if (is_lost) damaged.push_back(id);
        if (!begun || is_lost || (state && is_over(*state, file, now))) store->remove();
    }
    return damaged;
}

Result<void> UploadStore::save(const UploadState& state) const {
    PK_FAULT("cli.upload_state.before_save");
    auto text = encode_upload_state(state);
    auto written = write_file_durably(folder_ / "state.json", as_bytes(text));
    wipe(std::as_writable_bytes(std::span{text.data(), text.size()}));
    PK_FAULT("cli.upload_state.after_save");
    return written;
}

Result<void> UploadStore::save_envelope(ByteView envelope) const {
    return write_file_durably(folder_ / "envelope", envelope);
}

Result<UploadState> UploadStore::load() const {
    return read_file(folder_ / "state.json").and_then([](const std::string& text) {
        return decode_upload_state(text);
    });
}

Result<Bytes> UploadStore::load_envelope() const {
    return read_file(folder_ / "envelope").map([](const std::string& text) {
        const auto view = as_bytes(text);
        return Bytes{view.begin(), view.end()};
    });
}

Result<void> UploadStore::note_root(std::uint64_t piece, const Hash256& root) {
    if (roots_ < 0) {
        roots_ =
            ::open((folder_ / "roots").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (roots_ < 0) return fail(Errc::file_unreadable, "roots");
        // A note torn by a crash would shift all that follow.
        const auto end = ::lseek(roots_, 0, SEEK_END);
        const auto whole = end - end % static_cast<off_t>(note_bytes);
        if (whole != end && ::ftruncate(roots_, whole) != 0) {
            return fail(Errc::file_unreadable, "roots");
        }
    }
    const auto note = make_note(piece, root);
    if (::write(roots_, note.data(), note.size()) != static_cast<ssize_t>(note.size())) {
        return fail(Errc::no_space, "roots");
    }
    PK_FAULT("cli.upload_state.after_root");
    return {};
}

std::map<std::uint64_t, Hash256> UploadStore::load_roots() const {
    std::map<std::uint64_t, Hash256> roots;
    const auto text = read_file(folder_ / "roots", std::size_t{1} << 30);
    if (!text) return roots;
    const auto all = as_bytes(*text);
    for (std::size_t at = 0; at + note_bytes <= all.size(); at += note_bytes) {
        std::uint64_t piece = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            piece = piece << 8 | std::to_integer<std::uint64_t>(all[at + i]);
        }
        Hash256 root{};
        std::memcpy(root.data(), all.data() + at + 8, root.size());
        const auto expected = make_note(piece, root);
        if (std::memcmp(expected.data(), all.data() + at, note_bytes) == 0) roots[piece] = root;
    }
    return roots;
}

Result<void> UploadStore::lock() {
    lock_ = ::open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) return fail(Errc::file_unreadable, "lock");
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) return fail(Errc::conflict, "being sent");
    return {};
}

void UploadStore::remove() const noexcept {
    std::error_code ignored;
    // The key goes first: what a crash leaves behind then opens nothing.
    std::filesystem::remove(folder_ / "state.json", ignored);
    std::filesystem::remove_all(folder_, ignored);
}

UploadStore::UploadStore(UploadStore&& other) noexcept
    : folder_(std::move(other.folder_)), roots_(std::exchange(other.roots_, -1)),
      lock_(std::exchange(other.lock_, -1)) {}

UploadStore::~UploadStore() {
    if (roots_ >= 0) ::close(roots_);
    if (lock_ >= 0) ::close(lock_);
}

} // namespace plankurier::cli
