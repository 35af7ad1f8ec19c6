#pragma once
/// The small adapters: clock, envelopes as files, audit lines. One thread at a time.

#include "relay/domain/ports.hpp"

#include <filesystem>

namespace plankurier::relay::adapters {

/// The system's clocks. In builds with fault points the file named by PLANKURIER_CLOCK_OFFSET_FILE
/// holds seconds that are added to both clocks, so that tests can let days pass, and then words:
/// `wall=S` (seconds more, for the wall clock alone), `boot=NAME@S` (the machine was started anew
/// when its real monotonic clock said S), `synchronised`. Any thread.
class SystemClock final : public Clock {
public:
    std::int64_t now() override;
    std::int64_t monotonic() override;
    ClockReading read() override;
};

/// The last trusted time in a small file of its own. A full disk is said once, and stops nothing:
/// an older time only explains less.
class TimeFile final : public TimeMemory {
public:
    explicit TimeFile(std::filesystem::path file) : file_(std::move(file)) {}
    std::optional<TrustedTime> load() override;
    void save(const TrustedTime& time) override;

private:
    std::filesystem::path file_;
    bool has_failed_{};
};

/// FOLDER/TID.env, whole or absent.
class EnvelopeFiles final : public EnvelopeStore {
public:
    explicit EnvelopeFiles(std::filesystem::path folder);
    void put(const TransferId& transfer, ByteView sealed) override;
    std::optional<Bytes> get(const TransferId& transfer) override;
    void remove(const TransferId& transfer) override;

private:
    [[nodiscard]] std::filesystem::path file(const TransferId& transfer) const;
    std::filesystem::path folder_;
};

/// One line an event: random id, event, department, size class, hour. Appended and synced.
class AuditFile final : public Audit {
public:
    explicit AuditFile(std::filesystem::path file);
    void record(std::int64_t at, std::string_view event, std::string_view department,
                unsigned size_log2) override;
    /// A relay is gone for good that never confirmed so many purges.
    void record_lost(std::int64_t at, const RelayId& relay, std::int64_t not_confirmed);

private:
    void append(std::int64_t at, const std::string& what);

    std::filesystem::path file_;
};

} // namespace plankurier::relay::adapters
