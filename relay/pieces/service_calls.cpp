// The calls with a small body.
#include "relay/pieces/service.hpp"

#include <plankurier/json.hpp>

#include <system_error>

namespace plankurier::relay::pieces {

namespace {

/// What nothing is to be said in: an object, or no body at all.
bool says_nothing_odd(ByteView body) {
    return body.empty() || try_parse_json(as_text(body)).is_object();
}

} // namespace

Answer Service::small_body(const SmallUpload& upload, ByteView body) {
    const bool is_json =
        upload.kind == SmallUpload::Kind::stored || upload.kind == SmallUpload::Kind::check;
    if (is_json && !says_nothing_odd(body)) return problem(Errc::malformed);
    switch (upload.kind) {
    case SmallUpload::Kind::descriptor: try { return take_descriptor(upload, body);
        } catch (const std::system_error& error) {
            if (!adapters::is_no_space(error)) throw;
            return problem(Errc::no_space);
        }
    case SmallUpload::Kind::stored: return sign_receipt(upload);
    case SmallUpload::Kind::copy: return note_copy(upload, body);
    case SmallUpload::Kind::check:
        catalog_.suspect(upload.ticket.transfer, upload.volume);
        return {202, {}, "text/plain", {}};
    case SmallUpload::Kind::swarm: break;
    }
    return problem(Errc::not_found);
}

Answer Service::unreadable(const FileAnswer& answer) {
    catalog_.suspect(answer.transfer, answer.volume);
    return problem(Errc::unavailable);
}

Answer Service::take_descriptor(const SmallUpload& upload, ByteView body) {
    const auto done = catalog_.put_descriptor(upload.ticket, upload.volume, body);
    if (!done) return problem(done.error().code);
    if (copying_ != nullptr) {
        copying_->push({upload.ticket.transfer, upload.volume}, upload.ticket_text, body);
    }
    return {204, {}, "text/plain", {}};
}

Answer Service::sign_receipt(const SmallUpload& upload) {
    const auto root = catalog_.stored(upload.ticket);
    if (!root) return problem(root.error().code);
    const StoredReceipt receipt{relay_, upload.ticket.transfer, *root, upload.ticket.body_len,
                                lease_.now()};
    return {200,
            Json{{"receipt", to_base64url(sign_stored(receipt, seed_))}}.dump(),
            "application/json",
            {}};
}

Answer Service::note_copy(const SmallUpload& upload, ByteView body) {
    if (copying_ == nullptr) return problem(Errc::unavailable);
    const Json note = try_parse_json(as_text(body));
    const auto text = [&](const char* key) {
        const bool there = note.is_object() && note.contains(key) && note[key].is_string();
        return there ? note[key].get<std::string>() : std::string{};
    };
    const auto from = RelayId::from_hex(text("from"));
    auto descriptor = from_base64url(text("descriptor"));
    if (!from || !descriptor || descriptor->empty()) return problem(Errc::malformed);
    CopyJob job;
    job.ticket = upload.ticket;
    job.ticket_text = upload.ticket_text;
    job.volume = {upload.ticket.transfer, upload.volume};
    job.from = *from;
    job.descriptor = std::move(*descriptor);
    const auto noted = copying_->note(std::move(job));
    return noted ? Answer{202, {}, "text/plain", {}} : problem(noted.error().code);
}

void Service::swarm(const SmallUpload& upload, ByteView body, Answered answered) {
    const Json wish = try_parse_json(as_text(body));
    if (!wish.is_object()) return answered(problem(Errc::malformed));
    const auto plain = wish.find("plain");
    if (plain != wish.end() && !plain->is_boolean()) return answered(problem(Errc::malformed));
    const bool wants_plain = plain != wish.end() && plain->get<bool>();
    // Recipients stay under TLS; the plain swarm would close on their addresses anyway.
    if (wants_plain && upload.ticket.role == TicketRole::get) {
        return answered(problem(Errc::bad_signature));
    }
    if (copying_ == nullptr || !lease_.holds()) return answered(problem(Errc::unavailable));
    copying_->want(upload.ticket, upload.volume, wants_plain ? SwarmKind::plain : SwarmKind::tls,
                   [answered = std::move(answered)](const Result<std::uint16_t>& port) {
                       answered(
                           port ? Answer{200, Json{{"port", *port}}.dump(), "application/json", {}}
                                : problem(port.error().code));
                   });
}

} // namespace plankurier::relay::pieces
