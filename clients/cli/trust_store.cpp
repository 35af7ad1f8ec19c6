#include <clients/cli/trust_store.hpp>

#include <clients/cli/files.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

TrustStore::TrustStore(std::filesystem::path folder) : path_(std::move(folder) / "trust.json") {}

Result<std::vector<TrustStore::Pinned>> TrustStore::all() const {
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored)) return std::vector<Pinned>{};
    const auto text = read_file(path_);
    if (!text) return tl::unexpected(text.error());
    std::vector<Pinned> pinned;
    try {
        const auto json = parse_json(*text);
        for (const auto& entry : json.at("authorities")) {
            auto root = parse_minisign_public_key(entry.at("root").get<std::string>());
            if (!root) return tl::unexpected(root.error());
            pinned.push_back({entry.at("server").get<std::string>(),
                              entry.at("authority").get<std::string>(),
                              {*root, entry.at("highest_serial").get<std::uint64_t>()}});
        }
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "trust file");
    }
    return pinned;
}

Result<TrustStore::Pinned> TrustStore::find(const std::string& server) const {
    auto pinned = all();
    if (!pinned) return tl::unexpected(pinned.error());
    for (auto& entry : *pinned) {
        if (entry.server == server) return std::move(entry);
    }
    return fail(Errc::untrusted_root, "none pinned");
}

Result<void> TrustStore::pin(const Pinned& pinned) {
    auto entries = all();
    if (!entries) return tl::unexpected(entries.error());
    std::erase_if(*entries, [&](const Pinned& entry) { return entry.server == pinned.server; });
    entries->push_back(pinned);
    auto list = Json::array();
    for (const auto& entry : *entries) {
        list.push_back({{"server", entry.server},
                        {"authority", entry.authority},
                        {"root", to_text(entry.anchor.root)},
                        {"highest_serial", entry.anchor.highest_serial}});
    }
    if (auto made = make_private_folder(path_.parent_path()); !made) return made;
    const auto text = Json{{"authorities", list}}.dump(2) + "\n";
    return write_file_durably(path_, as_bytes(text));
}

} // namespace plankurier::cli
