#include "engine/crypto.hpp"

#include <plankurier/records.hpp>

namespace plankurier {

namespace {

constexpr std::int64_t clock_tolerance_s = 60;
constexpr std::size_t signature_bytes = 64;
/// Between magic and signature.
constexpr std::size_t ticket_bytes = 16 + 1 + 4 * 8, stored_bytes = 16 + 16 + 32 + 8 + 8,
                      fetched_bytes = 16 + 32 + 32 + 8, gone_bytes = 16 + 16 + 8;
constexpr std::size_t verified_bytes_min = 16 + 32 + 8 + 2; ///< and an address
constexpr std::int64_t time_max = (std::int64_t{1} << 53) - 1;

/// The statement followed by its signature. The magic at its start keeps kinds apart.
Bytes signed_bytes(Writer statement, const SigningSeed& key) {
    const Signature signature = sign(key, statement.view());
    return statement.bytes(signature).take();
}

bool is_record(ByteView bytes, std::string_view magic, std::size_t content_bytes) {
    return bytes.size() == magic.size() + content_bytes + signature_bytes &&
           as_text(bytes.first(magic.size())) == magic;
}

/// The statement without magic and signature, `content_bytes` long. Form before signature: fails
/// with `malformed`, then `bad_signature`.
Result<ByteView> open_signed(ByteView bytes, std::string_view magic, std::size_t content_bytes,
                             const SigningPublicKey& key) {
    if (!is_record(bytes, magic, content_bytes)) return fail(Errc::malformed, "record");
    const ByteView statement = bytes.first(bytes.size() - signature_bytes);
    Signature signature{};
    std::copy(bytes.end() - signature_bytes, bytes.end(), signature.begin());
    if (!verify(key, statement, signature)) return fail(Errc::bad_signature, "record");
    return statement.subspan(magic.size());
}

std::uint64_t wire(std::int64_t time) noexcept { return static_cast<std::uint64_t>(time); }
std::int64_t time_from(Reader& in) { return static_cast<std::int64_t>(in.u64()); }
/// Sums and differences of such times do not overflow.
bool is_time(std::int64_t time) noexcept { return time >= 0 && time <= time_max; }

StoredReceipt stored_from(ByteView statement) {
    Reader in{statement};
    StoredReceipt receipt;
    receipt.relay.bytes = in.array<16>();
    receipt.transfer.bytes = in.array<16>();
    receipt.content_root = in.array<32>();
    receipt.body_len = in.u64();
    receipt.time = time_from(in);
    return receipt;
}

/// The length of the address that a verified record says it holds.
std::size_t address_bytes(ByteView bytes) {
    Reader in{bytes};
    in.bytes(4 + verified_bytes_min - 2);
    return in.u16();
}

} // namespace

Bytes mint_ticket(const Ticket& ticket, const SigningSeed& control_key) {
    expects(ticket.expires - ticket.not_before <= ticket_seconds_max, "ticket life");
    Writer out;
    out.text("PKT1").bytes(ticket.transfer.bytes).u8(static_cast<std::uint8_t>(ticket.role));
    out.u64(ticket.body_len).u64(wire(ticket.not_before)).u64(wire(ticket.expires));
    out.u64(wire(ticket.delete_at));
    return signed_bytes(std::move(out), control_key);
}

Result<Ticket> check_ticket(ByteView bytes, const SigningPublicKey& control_key, std::int64_t now) {
    const auto statement = open_signed(bytes, "PKT1", ticket_bytes, control_key);
    if (!statement) return tl::unexpected(statement.error());
    Reader in{*statement};
    Ticket ticket;
    ticket.transfer.bytes = in.array<16>();
    const std::uint8_t role = in.u8();
    ticket.body_len = in.u64();
    ticket.not_before = time_from(in);
    ticket.expires = time_from(in);
    ticket.delete_at = time_from(in);
    if (role < 1 || role > 3 || !is_time(ticket.not_before) || !is_time(ticket.expires) ||
        !is_time(ticket.delete_at)) {
        return fail(Errc::malformed, "ticket");
    }
    ticket.role = static_cast<TicketRole>(role);
    if (now > ticket.expires + clock_tolerance_s || now < ticket.not_before - clock_tolerance_s ||
        ticket.expires - ticket.not_before > ticket_seconds_max) {
        return fail(Errc::expired, "ticket");
    }
    return ticket;
}

Bytes sign_stored(const StoredReceipt& receipt, const SigningSeed& relay_key) {
    Writer out;
    out.text("PKS1").bytes(receipt.relay.bytes).bytes(receipt.transfer.bytes);
    out.bytes(receipt.content_root).u64(receipt.body_len).u64(wire(receipt.time));
    return signed_bytes(std::move(out), relay_key);
}

Result<StoredReceipt> check_stored(ByteView bytes, const SigningPublicKey& relay_key) {
    const auto statement = open_signed(bytes, "PKS1", stored_bytes, relay_key);
    if (!statement) return tl::unexpected(statement.error());
    return stored_from(*statement);
}

Result<StoredReceipt> read_stored(ByteView bytes) {
    constexpr std::string_view magic = "PKS1";
    if (!is_record(bytes, magic, stored_bytes)) return fail(Errc::malformed, "record");
    return stored_from(bytes.subspan(magic.size(), stored_bytes));
}

Bytes sign_verified(const VerifiedRecord& record, const SigningSeed& control_key) {
    expects(record.email.size() <= 0xFFFF, "address length");
    Writer out;
    out.text("PKV1").bytes(record.transfer.bytes).bytes(record.envelope_sha256);
    out.u64(wire(record.time)).u16(static_cast<std::uint16_t>(record.email.size()));
    out.text(record.email);
    return signed_bytes(std::move(out), control_key);
}

Result<VerifiedRecord> check_verified(ByteView bytes, const SigningPublicKey& control_key) {
    const auto statement =
        open_signed(bytes, "PKV1", verified_bytes_min + address_bytes(bytes), control_key);
    if (!statement) return tl::unexpected(statement.error());
    Reader in{*statement};
    VerifiedRecord record;
    record.transfer.bytes = in.array<16>();
    record.envelope_sha256 = in.array<32>();
    record.time = time_from(in);
    record.email = as_text(in.bytes(in.u16()));
    return record;
}

Bytes sign_fetched(const FetchedReport& report, const SigningSeed& department_key) {
    Writer out;
    out.text("PKF1").bytes(report.transfer.bytes).bytes(report.envelope_sha256);
    out.bytes(report.content_root).u64(wire(report.time));
    return signed_bytes(std::move(out), department_key);
}

Result<FetchedReport> check_fetched(ByteView bytes, const SigningPublicKey& department_key) {
    const auto statement = open_signed(bytes, "PKF1", fetched_bytes, department_key);
    if (!statement) return tl::unexpected(statement.error());
    Reader in{*statement};
    FetchedReport report;
    report.transfer.bytes = in.array<16>();
    report.envelope_sha256 = in.array<32>();
    report.content_root = in.array<32>();
    report.time = time_from(in);
    return report;
}

Bytes sign_gone(const GoneReceipt& receipt, const SigningSeed& relay_key) {
    Writer out;
    out.text("PKG1").bytes(receipt.relay.bytes).bytes(receipt.transfer.bytes);
    out.u64(wire(receipt.time));
    return signed_bytes(std::move(out), relay_key);
}

Result<GoneReceipt> check_gone(ByteView bytes, const SigningPublicKey& relay_key) {
    const auto statement = open_signed(bytes, "PKG1", gone_bytes, relay_key);
    if (!statement) return tl::unexpected(statement.error());
    Reader in{*statement};
    GoneReceipt receipt;
    receipt.relay.bytes = in.array<16>();
    receipt.transfer.bytes = in.array<16>();
    receipt.time = time_from(in);
    return receipt;
}

} // namespace plankurier
