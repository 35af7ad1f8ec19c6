#pragma once
/// The rules of the piece plane's calls (docs/protocol.md, section 3), without sockets.
/// Thread safe: the catalog and the committer have their own mutexes.

#include "relay/pieces/catalog.hpp"
#include "relay/pieces/committer.hpp"

#include <variant>

namespace plankurier::relay::pieces {

/// The head of a request.
struct Head {
    std::string method, target, authorization, range;
    std::uint64_t length{};
};
/// A small answer.
struct Answer {
    unsigned status{200};
    std::string body;
    std::string type{"application/json"};
    std::string extra; ///< header lines, each with its end
};
/// An answer whose body is bytes of a volume.
struct FileAnswer {
    Answer head;
    std::shared_ptr<VolumeFile> file;
    std::uint64_t offset{}, bytes{};
};
/// The request's body is a piece: the connection feeds it to `Service::take` in order.
struct PieceUpload {
    Writing writing;
};
/// The request's body is small and goes to `Service::small_body`.
struct SmallUpload {
    Ticket ticket;
    std::uint32_t volume{};
    bool stored{}; ///< POST …/stored; its body does not matter
};
using Plan = std::variant<Answer, FileAnswer, PieceUpload, SmallUpload>;

inline constexpr std::uint64_t small_body_bytes_max = 8'192;

class Service {
public:
    Service(Catalog& catalog, Committer& committer, RelayId relay, SigningSeed seed,
            SigningPublicKey control_key)
        : catalog_(catalog), committer_(committer), relay_(relay), seed_(std::move(seed)),
          control_key_(control_key) {}

    /// What a request wants, decided from its head alone.
    Plan plan(const Head& head);
    /// Writes a part of a piece, unless it is durable already. Fails with `no_space`.
    Result<void> take(const PieceUpload& upload, std::uint64_t offset, ByteView part);
    /// All parts were taken. Fails with `tampered` for other bytes in a durable piece.
    Result<Answer> finish(const PieceUpload& upload, const Hash256& root);
    /// The piece did not come whole: somebody may send it anew.
    void abandon(const PieceUpload& upload);
    Answer small_body(const SmallUpload& upload, ByteView body);

    [[nodiscard]] static Answer problem(Errc code);

private:
    Plan plan_for(const Head& head, const Ticket& ticket, std::string_view path);
    Plan plan_read(const Head& head, const Ticket& ticket, std::uint32_t volume,
                   std::optional<std::uint32_t> piece);
    Answer map(const TransferId& transfer);

    Catalog& catalog_;
    Committer& committer_;
    RelayId relay_;
    SigningSeed seed_;
    SigningPublicKey control_key_;
};

} // namespace plankurier::relay::pieces
