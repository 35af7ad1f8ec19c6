#pragma once
/// A transfer of some volumes, real relays, and the client's lanes between them. Tickets come from
/// the control plane's key directly. One thread at a time.

#include <clients/cli/download.hpp>
#include <clients/cli/upload.hpp>

#include "tests/clients/piece_server.hpp"
#include "tests/support/temp_folder.hpp"

namespace plankurier::test {

class RelaysWorld {
public:
    /// `pieces` of 256 KiB, 64 a volume.
    RelaysWorld(std::size_t relays, std::uint64_t pieces);

    /// Uploads to these relays, in this order. `on_progress` is told the percentage.
    Result<void> upload(
        const std::vector<std::size_t>& relays, bool resumed = false,
        const std::function<void(unsigned)>& on_progress = [](unsigned) {});
    /// An upload of its own to one relay, so that it holds everything.
    void fill(std::size_t relay);
    /// The right pieces, with descriptors whose MAC is wrong.
    void fill_misdescribed(std::size_t relay);
    struct Fetched {
        Result<void> done;
        bool right{};                   ///< every byte is the sender's
        std::vector<std::size_t> liars; ///< as told by the download
        std::uint64_t spoilt{};         ///< pieces of `kept` that were not the sender's
    };
    Fetched download(
        const std::vector<std::size_t>& relays,
        const std::function<void(unsigned)>& on_progress = [](unsigned) {});
    /// What an earlier start left in the part of a download, by its state with all pieces.
    std::optional<Bytes> kept{};
    std::vector<std::size_t> known_liars{}; ///< numbers in the relays of a download; from the start

    /// How many pieces uploads have sent since the last call.
    std::size_t sent_pieces();
    [[nodiscard]] bool described(std::size_t relay, std::uint32_t volume) {
        return servers[relay]->holds(transfer, volume).second;
    }

    TempFolder folder;
    ServerIdentity identity;
    std::vector<std::unique_ptr<PieceServer>> servers;
    TransferId transfer = TransferId::random();
    TransferKey key = TransferKey::random();
    BodyLayout layout;
    Bytes content;
    std::vector<std::size_t> lost; ///< relays that uploads went on without
    unsigned resumed_percent{};
    std::vector<std::string> receipts; ///< of the last upload: "value" or the code, per relay
    unsigned retries{0};

private:
    Result<void> upload_with(cli::UploadStore& store, const std::vector<std::size_t>& relays,
                             bool resumed, const std::function<void(unsigned)>& on_progress);
    [[nodiscard]] cli::TicketAnswer ticket(TicketRole role) const;
    std::optional<BodySource> source_;
    std::optional<cli::UploadStore> store_;
    std::size_t sent_before_{};
    unsigned downloads_{};
};

} // namespace plankurier::test
