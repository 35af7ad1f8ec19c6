#include <clients/cli/session_memory.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

namespace {

std::filesystem::path path_for(const std::filesystem::path& folder, std::string_view server,
                               std::string_view email) {
    const auto both = std::string{server} + '\0' + std::string{email};
    return folder / (to_hex(sha256(as_bytes(both))).substr(0, 32) + ".json");
}

} // namespace

std::filesystem::path sessions_folder() { return state_folder() / "sessions"; }

Result<void> remember_session(const std::filesystem::path& folder, std::string_view server,
                              std::string_view email, const std::string& session,
                              std::int64_t until) {
    if (auto made = make_private_folder(folder); !made) return made;
    const SecretText json{Json{{"session", session}, {"until", until}}.dump() + "\n"};
    return write_file_durably(path_for(folder, server, email), as_bytes(json.reveal()));
}

std::optional<std::string> recall_session(const std::filesystem::path& folder,
                                          std::string_view server, std::string_view email,
                                          std::int64_t now) {
    const auto content = read_file(path_for(folder, server, email), 1u << 16);
    if (!content) return std::nullopt;
    const auto in = try_parse_json(*content);
    const bool whole = in.is_object() && in.contains("session") && in["session"].is_string() &&
                       in.contains("until") && in["until"].is_number_integer();
    if (whole && in["until"].get<std::int64_t>() > now) return in["session"].get<std::string>();
    forget_session(folder, server, email);
    return std::nullopt;
}

void forget_session(const std::filesystem::path& folder, std::string_view server,
                    std::string_view email) noexcept {
    std::error_code ignored;
    std::filesystem::remove(path_for(folder, server, email), ignored);
}

} // namespace plankurier::cli
