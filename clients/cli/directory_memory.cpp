#include <clients/cli/directory_memory.hpp>

#include <clients/cli/files.hpp>
#include <clients/cli/wire.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

namespace {

std::filesystem::path path_for(const std::filesystem::path& folder, const std::string& server) {
    return folder / ("directory-" + to_hex(sha256(as_bytes(server))).substr(0, 16) + ".json");
}

std::string encode(const SignedDirectory& texts) {
    return Json{{"signer_pub", texts.signer_pub},
                {"signer_minisig", texts.signer_minisig},
                {"directory_json", texts.directory_json},
                {"directory_minisig", texts.directory_minisig}}
               .dump(2) +
           "\n";
}

} // namespace

Result<void> remember_directory(const std::filesystem::path& folder, const std::string& server,
                                const SignedDirectory& texts) {
    const auto path = path_for(folder, server);
    const auto content = encode(texts);
    if (const auto known = read_file(path); known && *known == content) return {};
    if (auto made = make_private_folder(folder); !made) return made;
    return write_file_durably(path, as_bytes(content));
}

Result<Directory> recall_directory(const std::filesystem::path& folder, const std::string& server,
                                   const std::string& file) {
    const auto pinned = TrustStore{folder}.find(server);
    if (!pinned) return tl::unexpected(pinned.error());
    const auto path = file.empty() ? path_for(folder, server) : std::filesystem::path{file};
    std::error_code ignored;
    if (file.empty() && !std::filesystem::exists(path, ignored)) {
        return fail(Errc::not_found, "directory");
    }
    const auto content = read_file(path);
    if (!content) return tl::unexpected(content.error());
    const auto texts = parse_directory_answer(*content);
    if (!texts) return tl::unexpected(texts.error());
    const auto unchecked = parse_directory(texts->directory_json);
    if (!unchecked) return unchecked;
    return open_directory(*texts, {pinned->anchor.root, 0}, unchecked->issued);
}

} // namespace plankurier::cli
