#pragma once
/// The domain's `Store` on SQLite. Thread rule as for `Db`.

#include "relay/adapters/db.hpp"
#include "relay/domain/ports.hpp"

namespace plankurier::relay::adapters {

class SqliteStore final : public Store {
public:
    /// Applies the migrations. The database outlives the store.
    explicit SqliteStore(Db& db);

    void transaction(const std::function<void()>& work) override;
    void put(const VerificationRow& row) override;
    std::optional<VerificationRow> verification(const std::string& session) override;
    std::vector<VerificationRow> verifications_before(std::int64_t created) override;
    void remove_verification(const std::string& session) override;
    void put(const TransferRow& row) override;
    std::optional<TransferRow> transfer(const TransferId& transfer) override;
    std::optional<TransferRow> transfer_by_link(const std::string& link_hash) override;
    std::vector<TransferRow> readable_transfers(const std::string& department,
                                                const std::string& inbox_hash, std::int64_t now,
                                                std::size_t count_max) override;
    std::vector<TransferRow> ended_transfers(std::int64_t now) override;
    std::vector<TransferRow> transfers_to_remind(const RemindQuery& query) override;
    std::size_t count_uploading(const std::string& sender_hash) override;
    std::vector<ToCome> to_come(const RelayId& relay, std::int64_t now) override;
    void remove_transfer(const TransferId& transfer) override;
    void put(const CopyRow& row) override;
    void remove_copy(const TransferId& transfer, const RelayId& relay) override;
    std::vector<RelayId> copies_of(const TransferId& transfer) override;
    std::vector<CopyRow> copy_rows(const TransferId& transfer) override;
    std::int64_t remove_copies_before(const RelayId& relay, std::int64_t generation) override;
    void put(const RelayRow& row) override;
    RelayRow relay(const RelayId& relay) override;
    std::vector<TransferRow> without_copy(const std::vector<RelayId>& relays,
                                          std::size_t rows_max) override;
    MissingCopies missing_copies(const RelayId& relay, const std::optional<TransferId>& after,
                                 std::size_t rows_max, std::int64_t now) override;
    std::vector<TransferId> latest_reported(std::size_t rows_max) override;
    std::int64_t count_short_of_copies(const std::vector<RelayId>& relays,
                                       std::size_t count) override;
    void put(const OutboxRow& row) override;
    std::vector<OutboxRow> due_mails(std::int64_t now, std::size_t count_max) override;
    std::vector<OutboxRow> mails_of(const std::string& owner) override;
    std::optional<OutboxRow> mail_that_begins(const std::string& id_start) override;
    void remove_mail(const std::string& id) override;
    void add_never(const std::string& hash, std::int64_t at) override;
    bool is_never(const std::string& hash) override;
    void remove_never(const std::string& hash) override;
    void add_count(const CountRow& row) override;
    std::vector<CountRow> count_rows() override;
    bool keep_counts(std::int64_t after, std::int64_t until) override;
    void add_tombstone(const TransferId& transfer, std::int64_t at,
                       const std::string& manage) override;
    std::string tombstone_manage(const TransferId& transfer) override;
    bool is_tombstoned(const TransferId& transfer) override;
    std::vector<TombstoneRow> tombstones_after(std::int64_t sequence,
                                               std::size_t count_max) override;
    void mark_gone(const TransferId& transfer, const RelayId& relay,
                   const std::vector<RelayId>& registered) override;
    std::vector<TransferId> unsigned_tombstones(const RelayId& relay, std::int64_t sequence,
                                                std::size_t count_max) override;
    std::int64_t count_unsigned(const RelayId& relay) override;
    std::int64_t count_not_gone(const std::vector<RelayId>& registered) override;
    std::vector<Slot> used_slots() override;
    void scrub() override;
    Counts counts() override;

private:
    void put_row(const std::string& table, const Db::Row& values);
    Db& db_;
};

} // namespace plankurier::relay::adapters
