#include "vectors/kinds_read.hpp"

#include <plankurier/challenge.hpp>
#include <plankurier/history.hpp>
#include <plankurier/links.hpp>
#include <plankurier/members.hpp>
#include <plankurier/signer.hpp>

namespace plankurier::vectors {

namespace {

Outcome run_reply_key(const Json& in) {
    const auto key = recipient_public_key(secret<KeySeed>(in, "seed"), key_type(in));
    if (!key) return failed(key);
    return ok({{"public_key", to_hex(key->bytes)}, {"inbox", inbox_id(*key).hex()}});
}

/// Opens, then looks for who signed in the `directory` (JSON text, taken as already checked).
Outcome run_signed_envelope(const Json& in) {
    const auto opened = open_as_told(in);
    if (!opened) return failed(opened);
    const auto directory = parse_directory(in.at("directory").get<std::string>());
    if (!directory) return failed(directory);
    const auto signer = check_signer(*opened, *directory);
    if (!signer) return failed(signer);
    return ok({{"signed_by", *signer ? Json((*signer)->department) : Json(nullptr)},
               {"kid", *signer ? Json(to_hex((*signer)->kid)) : Json(nullptr)},
               {"is_reply", opened->is_reply},
               {"manifest", shown(opened->manifest)}});
}

Outcome run_department_key(const Json& in) {
    const auto directory = parse_directory(in.at("directory").get<std::string>());
    if (!directory) return failed(directory);
    const auto key =
        usable_key(*directory, directory->departments.at(0), in.at("now").get<std::int64_t>());
    if (!key) return failed(key);
    return ok({{"kid", to_hex(key->kid)}});
}

/// The key of a department or clerk, named by id or address; or of the escrow, by "escrow".
Outcome run_listed_key(const Json& in) {
    const auto directory = parse_directory(in.at("directory").get<std::string>());
    if (!directory) return failed(directory);
    const auto now = in.at("now").get<std::int64_t>();
    const auto named = in.at("to").get<std::string>();
    if (named == "escrow") {
        const auto key = usable_escrow_key(*directory, now);
        if (!key) return failed(key);
        return ok({{"name", directory->escrow->name}, {"kid", to_hex(key->kid)}});
    }
    const bool by_address = named.find('@') != named.npos;
    const Department* const found =
        by_address ? directory->find_clerk(named) : directory->find(named);
    if (found == nullptr) return {std::string{name(Errc::unknown_department)}, Json::object()};
    const auto key = usable_key(*directory, *found, now);
    if (!key) return failed(key);
    return ok({{"id", found->id}, {"name", found->name}, {"kid", to_hex(key->kid)}});
}

Outcome run_member_wrap(const Json& in) {
    const auto wrap = decode_member_wrap(hex(in, "bytes"));
    if (!wrap) return failed(wrap);
    const auto opened = unwrap_as_member(*wrap, secret<KeySeed>(in, "seed"));
    if (!opened) return failed(opened);
    return ok({{"seed", to_hex(opened->seed.reveal())},
               {"type", type_name(opened->type)},
               {"kid", to_hex(wrap->department)}});
}

Outcome run_challenge(const Json& in) {
    const auto answer =
        answer_challenge(secret<KeySeed>(in, "seed"), key_type(in), hex(in, "bytes"));
    if (!answer) return failed(answer);
    return ok({{"answer", to_hex(*answer)}});
}

Outcome run_history(const Json& in) {
    const auto history = check_history(hex(in, "bytes"), fixed<32>(in, "public_key"));
    if (!history) return failed(history);
    Json entries = Json::array();
    for (const HistoryEntry& entry : history->entries) {
        entries.push_back({{"event", static_cast<int>(entry.event)},
                           {"time", entry.time},
                           {"detail", entry.detail}});
    }
    return ok({{"tid", history->transfer.hex()}, {"entries", entries}});
}

Outcome run_return_link(const Json& in) {
    const auto link = parse_return_link(SecretText{in.at("text").get<std::string>()});
    if (!link) return failed(link);
    return ok({{"base", link->base},
               {"inbox", link->inbox.hex()},
               {"seed", to_hex(link->seed.reveal())},
               {"type", type_name(link->type)}});
}

Outcome run_transfer_link(const Json& in) {
    const auto link = parse_transfer_link(SecretText{in.at("text").get<std::string>()});
    if (!link) return failed(link);
    return ok({{"base", link->base},
               {"id", link->id.hex()},
               {"secret", link->secret ? Json(to_hex(link->secret->reveal())) : Json(nullptr)}});
}

} // namespace

const Kinds& answer_kinds() {
    static const Kinds kinds = {
        {"reply_key", run_reply_key},
        {"signed_envelope", run_signed_envelope},
        {"department_key", run_department_key},
        {"listed_key", run_listed_key},
        {"member_wrap", run_member_wrap},
        {"challenge", run_challenge},
        {"history", run_history},
        {"return_link", run_return_link},
        {"transfer_link", run_transfer_link},
    };
    return kinds;
}

} // namespace plankurier::vectors
