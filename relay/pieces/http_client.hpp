#pragma once
/// Small HTTP calls to the control plane and to other relays: the only part of the piece plane that
/// sees libcurl. Keeps its connections. One thread at a time.

#include <plankurier/error.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace plankurier::relay::pieces {

struct HttpCall {
    std::string method{"POST"};
    std::string url;                   ///< https, or http when `unix_socket` is set
    std::filesystem::path unix_socket; ///< empty: by TCP
    std::string authorization;         ///< value of the header, or empty
    std::string body;
    std::size_t answer_bytes_max{65'536};
    int seconds_max{10}; ///< for the whole call; connecting may take a third of it
};
struct HttpAnswer {
    unsigned status{};
    std::string body;
    std::string address; ///< numeric, of the other side; empty for a Unix socket
};

class HttpClient {
public:
    /// `ca_file`: PEM of the authorities to trust; empty: the system's.
    explicit HttpClient(std::filesystem::path ca_file);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Any answer is a value, whatever its status. Fails with `network`, `tls`, `too_large`,
    /// `invalid_argument` (a URL that is not https).
    [[nodiscard]] Result<HttpAnswer> call(const HttpCall& call);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier::relay::pieces
