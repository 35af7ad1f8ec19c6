#pragma once
/// The relay's talk with the control plane (docs/protocol.md, section 4): every second it says what
/// it holds and what is gone, and hears what must go. One thread of its own.

#include "relay/pieces/catalog.hpp"
#include "relay/pieces/run.hpp"

#include <plankurier/secret.hpp>

#include <thread>

namespace plankurier::relay::pieces {

class Sync {
public:
    Sync(Catalog& catalog, std::filesystem::path control_socket, RelayId relay, SigningSeed seed);

private:
    void run(const std::stop_token& stop);
    void once();
    [[nodiscard]] std::string request_text();
    void obey(const std::string& answer);

    Catalog& catalog_;
    std::filesystem::path control_socket_;
    RelayId relay_;
    SigningSeed seed_;
    std::size_t rotation_{};
    std::vector<TransferId> gone_; ///< to be told next time
    std::size_t told_{};           ///< how many of `gone_` the last request named
    std::jthread thread_;          ///< last, so that it ends first
};

} // namespace plankurier::relay::pieces
