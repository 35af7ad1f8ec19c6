#include <clients/cli/download_state.hpp>

#include <clients/cli/files.hpp>

#include <plankurier/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <cerrno>

namespace plankurier::cli {

namespace {

constexpr std::string_view download_format = "plankurier-download-2";

Bytes pack(const std::vector<bool>& bits) {
    Bytes packed((bits.size() + 7) / 8);
    for (std::size_t bit = 0; bit < bits.size(); ++bit) {
        if (bits[bit]) packed[bit / 8] |= static_cast<std::byte>(0x80U >> (bit % 8));
    }
    return packed;
}

std::vector<bool> unpack(ByteView packed, std::size_t count) {
    std::vector<bool> bits(count);
    for (std::size_t bit = 0; bit < count; ++bit) {
        bits[bit] = (std::to_integer<unsigned>(packed[bit / 8]) & (0x80U >> (bit % 8))) != 0;
    }
    return bits;
}

} // namespace

std::string encode_download_state(const DownloadState& state) {
    return Json{{"format", download_format},
                {"transfer", state.transfer.hex()},
                {"folder", to_base64url(as_bytes(state.folder.native()))},
                {"names", state.names},
                {"parts", state.parts},
                {"piece_count", state.pieces.size()},
                {"pieces", to_base64url(pack(state.pieces))},
                {"publishing", state.publishing}}
        .dump();
}

Result<DownloadState> decode_download_state(std::string_view json) {
    try {
        const auto in = parse_json(json);
        if (in.at("format").get<std::string>() != download_format) {
            return fail(Errc::malformed, "download state of another version");
        }
        auto transfer = TransferId::from_hex(in.at("transfer").get<std::string>());
        auto folder = from_base64url(in.at("folder").get<std::string>());
        auto pieces = from_base64url(in.at("pieces").get<std::string>());
        const auto count = in.at("piece_count").get<std::size_t>();
        if (!transfer || !folder || !pieces || pieces->size() != count / 8 + (count % 8 != 0)) {
            return fail(Errc::malformed, "download state");
        }
        return DownloadState{*transfer,
                             std::filesystem::path{std::string{as_text(*folder)}},
                             in.at("names").get<std::vector<std::string>>(),
                             in.at("parts").get<std::vector<std::string>>(),
                             unpack(*pieces, count),
                             in.at("publishing").get<bool>()};
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "download state");
    }
}

DownloadStore::DownloadStore(std::filesystem::path folder, const TransferId& transfer)
    : path_(std::move(folder) / (transfer.hex() + ".json")) {}

DownloadStore::~DownloadStore() {
    std::error_code ignored;
    const bool is_over = lock_.get() >= 0 && !std::filesystem::exists(path_, ignored);
    if (is_over) std::filesystem::remove(lock_path(), ignored); // still held
}

std::filesystem::path DownloadStore::lock_path() const { return path_.string() + ".lock"; }

Result<void> DownloadStore::lock() {
    if (auto made = make_private_folder(path_.parent_path()); !made) return made;
    FileHandle file{::open(lock_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (file.get() < 0) return fail(Errc::file_unreadable, "lock");
    // Some network file systems know no locks; nobody is kept from fetching there.
    const bool is_taken = ::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    struct stat about {};
    const bool is_gone = ::fstat(file.get(), &about) == 0 && about.st_nlink == 0;
    if (is_taken || is_gone) return fail(Errc::conflict, "in use");
    lock_ = std::move(file);
    return {};
}

Result<void> DownloadStore::save(const DownloadState& state) const {
    if (auto made = make_private_folder(path_.parent_path()); !made) return made;
    return write_file_durably(path_, as_bytes(encode_download_state(state)));
}

Result<DownloadState> DownloadStore::load() const {
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored)) return fail(Errc::not_found, "download state");
    return read_file(path_).and_then(
        [](const std::string& text) { return decode_download_state(text); });
}

void DownloadStore::remove() const noexcept {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

} // namespace plankurier::cli
