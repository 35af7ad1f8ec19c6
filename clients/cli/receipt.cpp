#include <clients/cli/receipt.hpp>

#include <clients/cli/files.hpp>

#include <plankurier/json.hpp>

namespace plankurier::cli {

namespace {
constexpr std::string_view receipt_format = "plankurier-receipt-1";
} // namespace

std::string encode_receipt(const Receipt& receipt) {
    Json out{{"format", receipt_format},
             {"transfer", receipt.transfer.hex()},
             {"manage", to_base64url(receipt.manage.reveal())},
             {"receipt_number", receipt.number},
             {"server", receipt.server},
             {"authority", receipt.authority},
             {"recipient", receipt.recipient},
             {"created", receipt.created},
             {"expires", receipt.expires}};
    if (!receipt.return_link.empty()) out["return_link"] = receipt.return_link.reveal();
    if (!receipt.escrow.empty()) out["escrow"] = receipt.escrow;
    if (!receipt.history.empty()) out["history"] = to_base64url(receipt.history);
    return out.dump(2) + "\n";
}

Result<Receipt> decode_receipt(std::string_view json) {
    try {
        const auto in = parse_json(json);
        if (in.at("format").get<std::string>() != receipt_format) {
            return fail(Errc::malformed, "receipt format");
        }
        auto transfer = TransferId::from_hex(in.at("transfer").get<std::string>());
        auto manage = from_base64url(in.at("manage").get<std::string>());
        if (!transfer || !manage || manage->size() != ManageToken::size) {
            return fail(Errc::malformed, "receipt");
        }
        auto history = from_base64url(in.value("history", std::string{}));
        if (!history) return fail(Errc::malformed, "receipt");
        return Receipt{*transfer,
                       ManageToken{*manage},
                       in.at("receipt_number").get<std::string>(),
                       in.at("server").get<std::string>(),
                       in.at("authority").get<std::string>(),
                       in.at("recipient").get<std::string>(),
                       in.at("created").get<std::int64_t>(),
                       in.at("expires").get<std::int64_t>(),
                       SecretText{in.value("return_link", std::string{})},
                       std::move(*history),
                       in.value("escrow", std::string{})};
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "receipt");
    }
}

Result<Receipt> read_receipt(const std::filesystem::path& path) {
    return read_small_file(path, "receipt").and_then(decode_receipt);
}

} // namespace plankurier::cli
