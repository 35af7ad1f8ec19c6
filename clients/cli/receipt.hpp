#pragma once
/// The sender's receipt: a small private file that gives the right to see the state, to revoke, and
/// to read answers.
/// Values; any thread.

#include <plankurier/ids.hpp>
#include <plankurier/secret.hpp>

#include <filesystem>

namespace plankurier::cli {

struct Receipt {
    TransferId transfer;
    ManageToken manage;
    std::string number, server, authority, recipient;
    std::int64_t created{}, expires{}; ///< Unix seconds
    SecretText return_link{};          ///< empty when no answer can come
    Bytes history{};                   ///< signed by the control plane (history.hpp); or empty
    std::string escrow{};              ///< name of the escrow key that opens it too, or empty
};

/// A JSON text.
[[nodiscard]] std::string encode_receipt(const Receipt& receipt);
/// Fails with `malformed`.
[[nodiscard]] Result<Receipt> decode_receipt(std::string_view json);
/// Reads a receipt file. Fails with `file_unreadable` or `malformed`.
[[nodiscard]] Result<Receipt> read_receipt(const std::filesystem::path& path);

} // namespace plankurier::cli
