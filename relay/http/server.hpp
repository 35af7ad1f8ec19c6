#pragma once
/// cpp-httplib on a Unix socket, never on a public port: nginx stands in front. The only part of
/// the relay that sees cpp-httplib, whose Debian version has open CVEs (docs/architecture.md).

#include "relay/domain/ports.hpp"
#include "relay/http/message.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace plankurier::relay::http {

using Handler = std::function<Response(const Request&)>;

class Server {
public:
    /// `handler` and `clock` are called from several threads. Each answer carries the clock's time
    /// (Date, RFC 9110 6.6.1): clients go by the time that judges what they say.
    Server(Handler handler, Clock& clock);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    /// Binds the socket file (replacing a stale one). Throws std::runtime_error.
    void bind(const std::filesystem::path& socket);
    /// Serves until `stop`; returns then.
    void run();
    /// From any thread.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier::relay::http
