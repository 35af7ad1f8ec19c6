#include <clients/cli/lanes.hpp>

#include <algorithm>

namespace plankurier::cli {

unsigned RetryRule::wait_seconds(unsigned attempt) noexcept {
    return attempt > 5 ? 30 : 1u << (attempt - 1);
}

bool RetryRule::worth_it(Errc code) noexcept {
    return code == Errc::network || code == Errc::unavailable || code == Errc::busy;
}

namespace {
/// A relay without room cannot give us anything now, another one can. Only our own full disk ends a
/// download.
Error of_a_reader(Error error) {
    if (error.code == Errc::no_space) error.code = Errc::unavailable;
    return error;
}
} // namespace

PieceClient::PieceClient(HttpLine line, TicketBox& tickets, const TransferId& transfer,
                         Hedge* hedge)
    : line_(std::move(line)), tickets_(tickets), transfer_(transfer.hex()), hedge_(hedge) {}

/// The header of a request to this relay, which is watched from now on.
Result<std::string> PieceClient::begin(const RelayAddress& relay) {
    line_.watch([this, &url = relay.url](std::chrono::milliseconds silent) {
        if (hedge_ != nullptr && hedge_->give_up(url, silent)) return false;
        return !keep_going_ || keep_going_();
    });
    return tickets_.header();
}

Result<std::string> PieceClient::checked(Result<HttpAnswer> answer, const std::string& header) {
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status >= 200 && answer->status < 300) {
        const bool json = answer->status != 204 && answer->type.starts_with("application/json");
        if (answer->is_page() || (json && !is_whole_object(answer->body))) {
            return fail(Errc::network, "not the relay's answer");
        }
        return std::move(answer->body);
    }
    const auto problem = parse_problem(answer->status, answer->body);
    if (answer->status == 401 || problem.code == Errc::expired) {
        // Too old or not yet known there: a fresh ticket may do. When it is the transfer that is
        // over, the control plane says so instead of giving one.
        tickets_.refused(header);
        return fail(Errc::unavailable, "ticket refused");
    }
    if (answer->status < 400) return fail(Errc::network, "not the relay's answer");
    if (problem.code == Errc::rate_limited) return fail(Errc::unavailable, "relay is busy");
    return fail(problem.code, "relay status " + std::to_string(answer->status));
}

Result<std::string> PieceClient::call(std::string_view method, const RelayAddress& relay,
                                      const std::string& path, ByteView body) {
    const auto header = begin(relay);
    if (!header) return tl::unexpected(header.error());
    // A relay that gives an answer byte by byte is never silent.
    constexpr std::size_t answer_bytes_max = 4U << 20;
    constexpr std::chrono::seconds time_max{120};
    return checked(line_.request(method, relay.url + "/v1/" + transfer_ + path, {*header}, body,
                                 answer_bytes_max, time_max),
                   *header);
}

Result<std::vector<VolumeMap>> PieceClient::map(const RelayAddress& relay) {
    auto map = call("GET", relay, "", {}).and_then(parse_map);
    if (!map && map.error().code == Errc::not_found) return std::vector<VolumeMap>{};
    return map;
}

Result<void> PieceClient::put_descriptor(const RelayAddress& relay, std::uint32_t volume,
                                         ByteView descriptor) {
    const auto answer = call("PUT", relay, "/" + std::to_string(volume), descriptor);
    if (!answer) return tl::unexpected(answer.error());
    return {};
}

Result<Bytes> PieceClient::get_descriptor(const RelayAddress& relay, std::uint32_t volume) {
    const auto answer = call("GET", relay, "/" + std::to_string(volume), {});
    if (!answer) return tl::unexpected(of_a_reader(answer.error()));
    const auto view = as_bytes(*answer);
    return Bytes{view.begin(), view.end()};
}

Result<std::string> PieceClient::stored(const RelayAddress& relay) {
    return call("POST", relay, "/stored", as_bytes("{}")).and_then(parse_stored);
}

Result<void> PieceClient::ask_to_check(const RelayAddress& relay, std::uint32_t volume) {
    const auto answer =
        call("POST", relay, "/" + std::to_string(volume) + "/check", as_bytes("{}"));
    if (!answer) return tl::unexpected(answer.error());
    return {};
}

Result<SwarmPeer> PieceClient::swarm(const RelayAddress& relay, std::uint32_t volume) {
    const auto header = begin(relay);
    if (!header) return tl::unexpected(header.error());
    auto answer = line_.request(
        "POST", relay.url + "/v1/" + transfer_ + "/" + std::to_string(volume) + "/swarm",
        {*header, "Content-Type: application/json"}, as_bytes("{}"));
    SwarmPeer peer;
    if (answer) peer.address = answer->address;
    const auto port = checked(std::move(answer), *header).and_then(parse_swarm_port);
    if (!port) return tl::unexpected(port.error());
    peer.port = *port;
    return peer;
}

namespace {
std::string piece_url(const RelayAddress& relay, const std::string& transfer, std::uint32_t volume,
                      std::uint32_t piece) {
    return relay.url + "/v1/" + transfer + "/" + std::to_string(volume) + "/" +
           std::to_string(piece);
}
} // namespace

Result<Hash256> PieceClient::put_piece(const RelayAddress& relay, std::uint32_t volume,
                                       std::uint32_t piece, std::uint64_t length,
                                       const HttpLine::Produce& produce,
                                       const HttpLine::Rewind& rewind) {
    const auto header = begin(relay);
    if (!header) return tl::unexpected(header.error());
    return checked(line_.put(piece_url(relay, transfer_, volume, piece),
                             {*header, "Content-Type: application/octet-stream"}, length, produce,
                             rewind),
                   *header)
        .and_then(parse_piece_answer);
}

Result<void> PieceClient::get_piece(const RelayAddress& relay, std::uint32_t volume,
                                    std::uint32_t piece, const HttpLine::Consume& consume) {
    const auto header = begin(relay);
    if (!header) return tl::unexpected(header.error());
    const auto answer =
        checked(line_.get(piece_url(relay, transfer_, volume, piece), {*header}, consume), *header);
    if (!answer) return tl::unexpected(of_a_reader(answer.error()));
    return {};
}

std::vector<std::string> urls_of(const std::vector<RelayAddress>& relays) {
    std::vector<std::string> urls;
    for (const auto& relay : relays) urls.push_back(relay.url);
    return urls;
}

Result<std::vector<RelayAddress>> known_relays(const std::vector<RelayAddress>& offered,
                                               const std::vector<RelayAddress>& listed) {
    std::vector<RelayAddress> known;
    for (const auto& relay : offered) {
        const bool found =
            std::any_of(listed.begin(), listed.end(), [&](const RelayAddress& entry) {
                return entry.id == relay.id && entry.url == relay.url;
            });
        if (found) known.push_back(relay);
        while (found && known.back().url.ends_with('/')) known.back().url.pop_back();
    }
    if (known.empty()) return fail(Errc::bad_signature, "no known relay");
    return known;
}

} // namespace plankurier::cli
