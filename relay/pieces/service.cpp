#include "relay/pieces/service.hpp"

#include <plankurier/fault.hpp>
#include <plankurier/json.hpp>

#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace plankurier::relay::pieces {

namespace {

unsigned status_of(Errc code) noexcept {
    switch (code) {
    case Errc::bad_signature:
    case Errc::not_verified: return 401;
    case Errc::not_found: return 404;
    case Errc::conflict:
    case Errc::tampered: return 409;
    case Errc::expired:
    case Errc::purged: return 410;
    case Errc::too_large: return 413;
    case Errc::busy:
    case Errc::unavailable: return 503;
    case Errc::no_space: return 507;
    default: return 400;
    }
}

std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::uint32_t> volume_number(std::string_view text) {
    const auto value = decimal(text);
    if (!value || *value > 0xFFFF'FFFF) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

constexpr std::string_view scheme = "Plankurier ";
std::string ticket_text(const Head& head) { return head.authorization.substr(scheme.size()); }

/// Takes the path up to the next slash from the front.
std::string_view next_part(std::string_view& path) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return part;
}

struct Span {
    std::uint64_t first{}, last{};
};
/// One range "bytes=a-b" or "bytes=a-" (RFC 9110, 14.1.2). Nothing for all else.
std::optional<Span> range_of(std::string_view text, std::uint64_t bytes) {
    constexpr std::string_view unit = "bytes=";
    const std::size_t dash = text.find('-');
    if (!text.starts_with(unit) || dash == text.npos) return std::nullopt;
    const auto first = decimal(text.substr(unit.size(), dash - unit.size()));
    const auto last =
        dash + 1 == text.size() ? std::optional{bytes - 1} : decimal(text.substr(dash + 1));
    if (!first || !last || *first > *last || *first >= bytes) return std::nullopt;
    return Span{*first, std::min(*last, bytes - 1)};
}

} // namespace

Answer Service::problem(Errc code) {
    const unsigned status = status_of(code);
    // Others are through in a second, or in a few: clients wait longer each time.
    const char* const extra = code == Errc::busy ? "Retry-After: 1\r\n" : "";
    return {status,
            Json{{"type", "about:blank"},
                 {"title", name(code)},
                 {"status", status},
                 {"code", name(code)}}
                .dump(),
            "application/problem+json", extra};
}

Answer Service::preflight() {
    return {204,
            {},
            "text/plain",
            "Access-Control-Allow-Methods: GET, HEAD, PUT, POST\r\n"
            "Access-Control-Allow-Headers: Authorization, Range, Content-Type, Plankurier-Piece\r\n"
            "Access-Control-Max-Age: 7200\r\n"}; // as long as Chromium remembers one
}

Result<Ticket> Service::ticket(const Head& head) const {
    if (!head.authorization.starts_with(scheme)) return fail(Errc::not_verified, "no ticket");
    const auto raw = from_base64url(ticket_text(head));
    if (!raw) return fail(Errc::bad_signature, "ticket");
    auto ticket = check_ticket(*raw, control_key_, lease_.now());
    if (ticket || ticket.error().code == Errc::expired) return ticket;
    return fail(Errc::bad_signature, "ticket");
}

bool Service::in_time(const Ticket& ticket) const {
    const std::int64_t now = lease_.now();
    return now >= ticket.not_before && now <= ticket.expires;
}

Plan Service::plan(const Head& head, const Ticket& ticket) {
    try {
        return plan_any(head, ticket);
    } catch (const std::system_error& error) {
        if (!adapters::is_no_space(error)) throw;
        return problem(Errc::no_space); // of the index, or the folder
    }
}

Plan Service::plan_any(const Head& head, const Ticket& ticket) {
    if (ticket.role == TicketRole::get && lease_.latest() >= ticket.delete_at) {
        return problem(Errc::expired); // over by some clock
    }
    // Its recipient has reported it since. Said as the control plane says it.
    if (ticket.role == TicketRole::get && catalog_.halted(ticket.transfer)) {
        return problem(Errc::not_found);
    }
    std::string_view path = head.target;
    // One URL for all pieces, so that a browser asks once whether it may send to it.
    if (path == "/v1/piece" && head.method != "POST" && head.piece.find('/') != head.piece.npos) {
        return plan_for(head, ticket, head.piece);
    }
    constexpr std::string_view prefix = "/v1/";
    if (!path.starts_with(prefix)) return problem(Errc::not_found);
    path.remove_prefix(prefix.size());
    // A ticket of another transfer gets the answer of a transfer that is not there.
    if (next_part(path) != ticket.transfer.hex()) return problem(Errc::not_found);
    return plan_for(head, ticket, path);
}

Plan Service::plan_for(const Head& head, const Ticket& ticket, std::string_view path) {
    const bool reading = head.method == "GET" || head.method == "HEAD";
    if (reading && !lease_.holds()) return problem(Errc::unavailable);
    if (reading && path.empty()) return map(ticket.transfer);
    if (head.method == "POST") return plan_post(head, ticket, path);
    if (!reading && ticket.role != TicketRole::put) return problem(Errc::bad_signature);
    const auto volume = volume_number(next_part(path));
    std::optional<std::uint64_t> piece;
    if (!path.empty()) {
        piece = decimal(next_part(path));
        if (!piece) return problem(Errc::not_found);
    }
    if (!volume || piece.value_or(0) >= volume_pieces_max || !path.empty()) {
        return problem(Errc::not_found);
    }
    if (reading) {
        // Who sends looks at maps and descriptors to go on; the bytes are for those who fetch.
        if (piece && ticket.role == TicketRole::put) return problem(Errc::bad_signature);
        return plan_read(head, ticket, *volume,
                         piece ? std::optional{static_cast<std::uint32_t>(*piece)} : std::nullopt);
    }
    if (head.method != "PUT") return problem(Errc::not_found);
    if (piece) return plan_piece(head, ticket, *volume, static_cast<std::uint32_t>(*piece));
    if (head.length > small_body_bytes_max) return problem(Errc::too_large);
    return SmallUpload{SmallUpload::Kind::descriptor, ticket, ticket_text(head), *volume};
}

Plan Service::plan_post(const Head& head, const Ticket& ticket, std::string_view path) {
    const bool put = ticket.role == TicketRole::put;
    SmallUpload upload{SmallUpload::Kind::stored, ticket, ticket_text(head), 0};
    bool allowed = put;
    if (path != "stored") {
        const auto volume = volume_number(next_part(path));
        const bool copy = path == "copy";
        const bool check = path == "check";
        if (!volume || (!copy && !check && path != "swarm")) {
            return problem(put ? Errc::not_found : Errc::bad_signature);
        }
        upload.volume = *volume;
        upload.kind = copy    ? SmallUpload::Kind::copy
                      : check ? SmallUpload::Kind::check
                              : SmallUpload::Kind::swarm;
        // The ticket that came with a sender's descriptor is the one that relays copy with.
        allowed = !copy || put || ticket.role == TicketRole::peer;
    }
    if (!allowed) return problem(Errc::bad_signature);
    if (head.length > small_body_bytes_max) return problem(Errc::too_large);
    return upload;
}

Plan Service::plan_piece(const Head& head, const Ticket& ticket, std::uint32_t volume,
                         std::uint32_t piece) {
    const auto layout = BodyLayout::from_body_len(ticket.body_len);
    if (!layout || head.length != layout->piece_bytes()) return problem(Errc::invalid_argument);
    auto writing = catalog_.begin_write(ticket, volume, piece);
    if (!writing) return problem(writing.error().code);
    committer_.expect();
    return PieceUpload{std::move(*writing)};
}

Plan Service::plan_read(const Head& head, const Ticket& ticket, std::uint32_t volume,
                        std::optional<std::uint32_t> piece) {
    if (!piece) {
        const auto descriptor = catalog_.descriptor(ticket, volume);
        if (!descriptor) return problem(descriptor.error().code);
        return Answer{200, std::string{as_text(*descriptor)}, "application/octet-stream", {}};
    }
    auto readable = catalog_.readable(ticket, volume, *piece);
    if (!readable) return problem(readable.error().code);
    FileAnswer answer{{200, {}, "application/octet-stream", "Accept-Ranges: bytes\r\n"},
                      std::move(readable->file),
                      readable->offset,
                      readable->bytes,
                      ticket.transfer,
                      volume};
    if (head.range.empty()) return answer;
    const auto range = range_of(head.range, answer.bytes);
    if (!range) {
        return Answer{416,
                      {},
                      "text/plain",
                      "Content-Range: bytes */" + std::to_string(answer.bytes) + "\r\n"};
    }
    answer.head.status = 206;
    answer.head.extra += "Content-Range: bytes " + std::to_string(range->first) + "-" +
                         std::to_string(range->last) + "/" + std::to_string(answer.bytes) + "\r\n";
    answer.offset += range->first;
    answer.bytes = range->last - range->first + 1;
    return answer;
}

Answer Service::map(const TransferId& transfer) {
    Json volumes = Json::array();
    for (const Catalog::VolumeMap& one : catalog_.map(transfer)) {
        volumes.push_back({{"n", one.volume},
                           {"durable", to_base64url(one.durable)},
                           {"descriptor", one.descriptor}});
        if (one.damaged) volumes.back()["damaged"] = true;
    }
    return {200, Json{{"volumes", volumes}}.dump(), "application/json", {}};
}

Result<void> Service::take(const PieceUpload& upload, std::uint64_t offset, ByteView part) {
    const Writing& writing = upload.writing;
    if (writing.durable_root) return {}; // compared by its root at the end, never written again
    PK_FAULT("pieces.before_pwrite");
    while (!part.empty()) {
        const ssize_t done = ::pwrite(writing.file->fd(), part.data(), part.size(),
                                      static_cast<off_t>(writing.offset + offset));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && (errno == ENOSPC || errno == EDQUOT)) return fail(Errc::no_space, "pwrite");
        if (done < 0) throw std::system_error(errno, std::generic_category(), "write a piece");
        part = part.subspan(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
    return {};
}

Result<Answer> Service::finish(const PieceUpload& upload, const Hash256& root) {
    const Writing& writing = upload.writing;
    const auto& must_be = writing.durable_root ? writing.durable_root : writing.wanted_root;
    if (must_be && *must_be != root) {
        abandon(upload);
        return fail(Errc::tampered, "other bytes");
    }
    if (writing.durable_root) {
        abandon(upload);
    } else {
        PK_FAULT("pieces.after_pwrite");
        committer_.add({writing.place, writing.file, writing.bytes, root});
    }
    return Answer{
        200, Json{{"root", to_hex(root)}, {"state", "received"}}.dump(), "application/json", {}};
}

void Service::abandon(const PieceUpload& upload) {
    catalog_.abandon(upload.writing.place);
    committer_.no_longer_expect();
}

} // namespace plankurier::relay::pieces
