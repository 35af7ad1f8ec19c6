#pragma once
/// A whole service in this process, and the real program `plankurier` as its client: the control
/// plane behind its router on a loopback port, a relay with the real piece plane, and a directory
/// signed as in the ceremony. Only time and mail are fakes. One thread at a time, while the servers
/// run threads of their own.

#include "tests/clients/piece_server.hpp"
#include "tests/support/temp_folder.hpp"

#include <plankurier/directory.hpp>

#include <functional>
#include <mutex>

namespace plankurier::test {

struct ClientRun {
    int exit{-1};
    std::string out, err;
};

class ServiceWorld {
public:
    /// With the departments "bauamt" and "umwelt", trusted by `citizen_home` and `staff_home`.
    ServiceWorld() : ServiceWorld([](relay::Policy&) {}) {}
    /// The same under other rules.
    explicit ServiceWorld(const std::function<void(relay::Policy&)>& change);
    ~ServiceWorld();

    /// Runs `plankurier` to its end. `home` holds configuration and state. On a terminal, standard
    /// input and error are one, and `err` is what it shows.
    ClientRun run(const std::string& home, std::vector<std::string> arguments,
                  bool terminal = false);
    /// Sends a small plan as a citizen; the receipt is at `receipt`. The test fails if that does.
    ClientRun send(const std::vector<std::string>& more = {}, bool terminal = false);

    /// A file below the world's folder.
    std::string write(const std::string& name, std::string_view content) const;
    [[nodiscard]] std::string path(const std::string& name) const { return folder_.path() / name; }
    /// All mails to an address, newest last, as one text.
    std::string mails_to(std::string_view address);
    /// The link in the newest mail to an address that has one, as this service would give it.
    std::string link_to(std::string_view address);
    /// The seed, key file and key of a department.
    [[nodiscard]] static KeySeed seed_of(const std::string& department);
    [[nodiscard]] std::string key_of(const std::string& department) const;
    /// Signs and serves this directory from now on.
    void publish(Directory directory);
    [[nodiscard]] const Directory& directory() const noexcept { return directory_; }
    [[nodiscard]] const std::string& url() const noexcept { return url_; }
    /// From now on nobody answers.
    void stop();
    /// The next `calls` find the proxy, and nobody behind it.
    void away(unsigned calls);
    /// Uses the control plane while no request does.
    template <typename Use>
    auto with_control(Use use) {
        const std::lock_guard guard{mutex_};
        return use(control_);
    }

    const std::string citizen_home{"citizen"}, staff_home{"staff"};
    const std::string receipt{"receipt.json"}, passphrase_file{"passphrase"};

private:
    struct Server;
    TempFolder folder_;
    ServerIdentity identity_;
    std::mutex mutex_; ///< guards `control_`, `published_`
    Control control_;
    PieceServer pieces_;
    std::unique_ptr<Server> server_;
    std::string url_;
    Directory directory_;
};

} // namespace plankurier::test
