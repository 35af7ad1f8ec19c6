#pragma once
/// The data side of a relay on loopback, as the program runs it: the pieces process and its swarm
/// processes (here on threads), real TLS, real BitTorrent, real files. One thread at a time.

#include "relay/pieces/http_client.hpp"
#include "relay/pieces/run.hpp"
#include "relay/swarm/process.hpp"

#include "tests/support/pieces.hpp"
#include "tests/support/swarm_control.hpp"

namespace plankurier::test {

/// A certificate for 127.0.0.1 that is its own authority; taken from the folder when it is there.
struct TlsFiles {
    explicit TlsFiles(const std::filesystem::path& folder);
    std::filesystem::path certificate, private_key;
};

class TestRelay {
public:
    struct Options {
        std::vector<std::string> trusted_networks;
        bool swarm{true};
        std::filesystem::path folder{}; ///< of a relay that ran before; empty: a new one
    };
    /// Number `n` is `known_relay(n)`. Starts it.
    TestRelay(std::size_t number, const TlsFiles& tls, const std::filesystem::path& control_socket,
              Options options);
    ~TestRelay();
    TestRelay(const TestRelay&) = delete;
    TestRelay& operator=(const TestRelay&) = delete;

    void start();
    void stop();
    void start_swarm();
    void stop_swarm();
    [[nodiscard]] relay::pieces::OtherRelay record() const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    [[nodiscard]] relay::pieces::HttpAnswer call(const std::string& method, const std::string& path,
                                                 const std::string& authorization,
                                                 std::string body = {});
    /// As a sender does: all pieces of a volume, then its descriptor once they are durable.
    void upload(const Body& body, std::uint32_t volume);
    /// "right" when every piece and descriptor of the volume can be read here, else what is wrong.
    [[nodiscard]] std::string read(const Body& body, std::uint32_t volume);
    /// The status of `POST …/swarm` with a recipient's ticket, and the port where there is one.
    struct SwarmAnswer {
        unsigned status{};
        std::uint16_t port{};
    };
    [[nodiscard]] SwarmAnswer swarm(const Body& body, std::uint32_t volume,
                                    TicketRole role = TicketRole::get);

private:
    std::size_t number_;
    Options options_;
    TempFolder own_;
    std::filesystem::path folder_;
    relay::pieces::PiecesConfig config_;
    std::unique_ptr<relay::pieces::PiecesProcess> pieces_;
    std::jthread pieces_thread_;
    std::vector<std::unique_ptr<relay::swarm::Process>> swarms_;
    std::vector<std::jthread> swarm_threads_;
    relay::pieces::HttpClient client_;
};

} // namespace plankurier::test
