#pragma once
/// A relay's piece store in a folder, and sealed bodies to put into it. Everything is real.
/// One thread at a time.

#include "relay/pieces/service.hpp"

#include "tests/support/control.hpp"

namespace plankurier::test {

/// A body of random-looking pieces, the same for the same name in every process.
class Body {
public:
    /// `pieces` of 256 KiB each; 64 make a volume.
    explicit Body(std::string name, std::uint32_t pieces = 3);

    [[nodiscard]] const TransferId& id() const noexcept { return id_; }
    [[nodiscard]] const BodyLayout& layout() const noexcept { return layout_; }
    [[nodiscard]] Bytes piece(std::uint32_t volume, std::uint32_t piece) const;
    [[nodiscard]] Hash256 root(std::uint32_t volume, std::uint32_t piece) const;
    [[nodiscard]] const Bytes& descriptor(std::uint32_t volume) const {
        return descriptors_.at(volume);
    }
    [[nodiscard]] Hash256 content() const { return content_root(descriptors_); }
    [[nodiscard]] Ticket ticket(TicketRole role = TicketRole::put) const;
    /// The value of the Authorization header for a ticket that holds now.
    [[nodiscard]] std::string authorization(TicketRole role = TicketRole::put) const;
    /// "/v1/TID" and what follows.
    [[nodiscard]] std::string path(const std::string& rest = {}) const;

private:
    std::string name_;
    TransferId id_;
    TransferKey key_;
    BodyLayout layout_;
    std::vector<Bytes> descriptors_; ///< made once: to hash all pieces takes its time
};
[[nodiscard]] Hash256 root_of(ByteView piece);
[[nodiscard]] std::string authorization_for(const Ticket& ticket);

class PieceStore {
public:
    explicit PieceStore(const std::filesystem::path& folder);
    void stop();
    void restart();
    relay::pieces::Catalog& catalog() { return *catalog_; }
    relay::pieces::Committer& committer() { return *committer_; }
    relay::pieces::Service& service() { return *service_; }

    /// Writes a piece as a connection would. Gives the code of what went wrong, else "value".
    std::string put(const Body& body, std::uint32_t volume, std::uint32_t piece);
    std::string put(const Body& body, std::uint32_t volume, std::uint32_t piece, ByteView bytes);
    /// Waits until every piece of the volume that is in the mask is durable. Fails the test if
    /// that takes a minute.
    void wait_durable(const Body& body, std::uint32_t volume, std::uint32_t piece);
    /// All pieces and descriptors, durable.
    void put_all(const Body& body);
    [[nodiscard]] bool is_durable(const Body& body, std::uint32_t volume, std::uint32_t piece);
    /// What a reader gets: "right", "wrong" or "nothing".
    [[nodiscard]] std::string read(const Body& body, std::uint32_t volume, std::uint32_t piece);

private:
    std::filesystem::path folder_;
    relay::pieces::Lease lease_;
    std::unique_ptr<relay::pieces::Catalog> catalog_;
    std::unique_ptr<relay::pieces::Committer> committer_;
    std::unique_ptr<relay::pieces::Service> service_;
};

} // namespace plankurier::test
