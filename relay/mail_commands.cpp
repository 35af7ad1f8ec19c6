#include "relay/mail_commands.hpp"

#include "relay/adapters/bounce_message.hpp"
#include "relay/adapters/files.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "relay/domain/pepper.hpp"

#include <plankurier/ids.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <fstream>
#include <stdexcept>

namespace plankurier::relay {

namespace {

/// The report stands at the beginning; what follows is the mail that came back.
std::string start_of(std::istream& in) {
    constexpr std::size_t bytes_max = 1U << 20;
    std::string text(bytes_max, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

/// Nothing may be written where no relay looks: below a mount point without its disk, or by a user
/// whose files the relay cannot take.
void expect_data(const Config& config) {
    if (config.mail_bounce.empty()) throw std::runtime_error("relay.toml has no mail.bounce");
    struct stat found {};
    if (::stat(config.database().c_str(), &found) != 0) {
        throw std::runtime_error("no data of a control plane can be reached in data_dir");
    }
    if (found.st_uid != ::geteuid()) {
        throw std::runtime_error("run this as the user of the relay, who owns its data");
    }
}

} // namespace

bool take_bounce(const Config& config, std::istream& message) {
    expect_data(config);
    const auto mail = adapters::failed_mail(start_of(message), config.mail_bounce);
    if (!mail) return false;
    std::filesystem::create_directory(config.bounces());
    // The mail's number is content, which can be overwritten: names stay in a file system's
    // journal.
    const std::string name = Id128<struct BounceIdTag>::random().hex();
    adapters::write_durably(config.bounces() / name, as_bytes(*mail));
    return true;
}

std::size_t take_bounces(const Config& config, const std::filesystem::path& maildir) {
    std::vector<std::filesystem::path> files;
    for (const char* part : {"new", "cur"}) {
        for (const auto& entry : std::filesystem::directory_iterator{maildir / part}) {
            if (entry.is_regular_file()) files.push_back(entry.path());
        }
    }
    std::size_t taken = 0;
    for (const auto& file : files) {
        std::ifstream in{file, std::ios::binary};
        if (!take_bounce(config, in)) continue;
        adapters::remove_durably(file);
        ++taken;
    }
    return taken;
}

bool remove_never(const Config& config, std::istream& in) {
    std::string address;
    std::getline(in, address);
    if (!check_address(address)) throw std::runtime_error("no plain e-mail address on the input");
    auto raw = adapters::read_file(config.keys() / "pepper");
    if (!raw || raw->size() != Pepper::size) throw std::runtime_error("keys/pepper is missing");
    const Pepper pepper{ByteView{*raw}};
    wipe(*raw);
    const std::string hash = never_hash(pepper, address);
    adapters::Db db = adapters::open_kept(config.database(), config.vault_dir / "vault");
    adapters::SqliteStore store{db};
    const bool was_there = store.is_never(hash);
    store.transaction([&] { store.remove_never(hash); });
    return was_there;
}

} // namespace plankurier::relay
