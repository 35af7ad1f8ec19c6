#include <clients/cli/proof.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

namespace {

constexpr std::string_view status_format = "plankurier-status-1";
constexpr std::string_view message_format = "plankurier-message-1";

Result<Proof> decode_json(std::string_view content) {
    try {
        const auto in = parse_json(content);
        Proof out;
        out.server = in.at("server").get<std::string>();
        if (in.contains("transfer")) {
            auto id = TransferId::from_hex(in.at("transfer").get<std::string>());
            if (!id) return tl::unexpected(id.error());
            out.transfer = *id;
        }
        for (const auto& [member, bytes] :
             {std::pair{"history", &out.history}, std::pair{"record", &out.record},
              std::pair{"envelope", &out.envelope}}) {
            if (!in.contains(member)) continue;
            auto raw = from_base64url(in.at(member).get<std::string>());
            if (!raw) return tl::unexpected(raw.error());
            *bytes = std::move(*raw);
        }
        return out;
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "proof");
    }
}

} // namespace

std::string encode_saved_status(const Receipt& receipt, const TransferStatus& status,
                                ByteView history) {
    return Json{{"format", status_format},          {"transfer", receipt.transfer.hex()},
                {"receipt_number", receipt.number}, {"server", receipt.server},
                {"authority", receipt.authority},   {"state", status.state},
                {"created", status.created},        {"expires", status.expires},
                {"fetched", status.fetched},        {"fetched_at", status.fetched_at},
                {"signed", status.is_signed},       {"history", to_base64url(history)}}
               .dump(2) +
           "\n";
}

bool is_saved_status(std::string_view content, const TransferId& transfer) {
    const auto in = try_parse_json(content);
    return in.is_object() && in.value("format", Json{}) == status_format &&
           in.value("transfer", Json{}) == transfer.hex();
}

std::string encode_saved_message(const std::string& server, ByteView envelope, ByteView record) {
    return Json{{"format", message_format},
                {"server", server},
                {"envelope", to_base64url(envelope)},
                {"record", to_base64url(record)}}
               .dump(2) +
           "\n";
}

Result<Proof> decode_proof(std::string_view content) {
    const auto bytes = as_bytes(content);
    if (content.starts_with("PKH1")) return Proof{{}, {}, {bytes.begin(), bytes.end()}, {}, {}};
    if (content.starts_with("PKV1")) return Proof{{}, {}, {}, {bytes.begin(), bytes.end()}, {}};
    auto proof = decode_json(content);
    if (proof && proof->history.empty() && proof->record.empty()) {
        return fail(Errc::malformed, "nothing signed");
    }
    return proof;
}

} // namespace plankurier::cli
