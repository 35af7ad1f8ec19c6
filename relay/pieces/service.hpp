#pragma once
/// The rules of the piece plane's calls (docs/protocol.md, section 3), without sockets.
/// Thread safe: the catalog and the committer have their own mutexes.

#include "relay/pieces/catalog.hpp"
#include "relay/pieces/committer.hpp"
#include "relay/pieces/copying.hpp"
#include "relay/pieces/lease.hpp"

#include <variant>

namespace plankurier::relay::pieces {

/// The head of a request.
struct Head {
    std::string method, target, authorization, range;
    std::string piece; ///< of the header Plankurier-Piece
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
    TransferId transfer;
    std::uint32_t volume{};
};
/// The request's body is a piece: the connection feeds it to `Service::take` in order.
struct PieceUpload {
    Writing writing;
};
/// The request's body is small and goes to `Service::small_body`, or to `Service::swarm`.
struct SmallUpload {
    enum class Kind { descriptor, stored, copy, swarm, check };
    Kind kind{};
    Ticket ticket;
    std::string ticket_text; ///< base64url
    std::uint32_t volume{};
};
using Plan = std::variant<Answer, FileAnswer, PieceUpload, SmallUpload>;

inline constexpr std::uint64_t small_body_bytes_max = 8'192;

class Service {
public:
    struct Parts {
        Catalog& catalog;
        Committer& committer;
        const Lease& lease;
        Copying* copying; ///< nullptr: this relay takes no part in copying
    };
    Service(Parts parts, RelayId relay, SigningSeed seed, SigningPublicKey control_key)
        : catalog_(parts.catalog), committer_(parts.committer), lease_(parts.lease),
          copying_(parts.copying), relay_(relay), seed_(std::move(seed)),
          control_key_(control_key) {}

    /// The ticket that a request shows. Fails with `not_verified` (none), `bad_signature`,
    /// `expired`.
    [[nodiscard]] Result<Ticket> ticket(const Head& head) const;
    /// Whether a ticket that was good is so still.
    [[nodiscard]] bool in_time(const Ticket& ticket) const;
    /// What a request wants, decided from its head alone. `ticket` is good, and the head's.
    Plan plan(const Head& head, const Ticket& ticket);
    /// Writes a part of a piece, unless it is durable already. Fails with `no_space`.
    Result<void> take(const PieceUpload& upload, std::uint64_t offset, ByteView part);
    /// All parts were taken. Fails with `tampered` for other bytes in a durable piece.
    Result<Answer> finish(const PieceUpload& upload, const Hash256& root);
    /// The piece did not come whole: somebody may send it anew.
    void abandon(const PieceUpload& upload);
    Answer small_body(const SmallUpload& upload, ByteView body);
    /// The file of an answer cannot be read: gives what is said instead, if nothing was said yet.
    Answer unreadable(const FileAnswer& answer);
    /// `POST …/swarm`; the answer may come later, from another thread, once.
    using Answered = std::function<void(Answer)>;
    void swarm(const SmallUpload& upload, ByteView body, Answered answered);

    [[nodiscard]] static Answer problem(Errc code);
    /// The answer to OPTIONS, for browsers.
    [[nodiscard]] static Answer preflight();

private:
    Plan plan_any(const Head& head, const Ticket& ticket);
    Plan plan_for(const Head& head, const Ticket& ticket, std::string_view path);
    Plan plan_post(const Head& head, const Ticket& ticket, std::string_view path);
    Plan plan_read(const Head& head, const Ticket& ticket, std::uint32_t volume,
                   std::optional<std::uint32_t> piece);
    Plan plan_piece(const Head& head, const Ticket& ticket, std::uint32_t volume,
                    std::uint32_t piece);
    Answer map(const TransferId& transfer);
    Answer take_descriptor(const SmallUpload& upload, ByteView body);
    Answer sign_receipt(const SmallUpload& upload);
    Answer note_copy(const SmallUpload& upload, ByteView body);

    Catalog& catalog_;
    Committer& committer_;
    const Lease& lease_;
    Copying* const copying_;
    RelayId relay_;
    SigningSeed seed_;
    SigningPublicKey control_key_;
};

} // namespace plankurier::relay::pieces
