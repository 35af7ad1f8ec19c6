#include "relay/adapters/local.hpp"

#include "relay/adapters/files.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <system_error>

namespace plankurier::relay::adapters {

namespace {

std::int64_t seconds(clockid_t clock) {
    timespec time{};
    expects(::clock_gettime(clock, &time) == 0, "clock");
    return time.tv_sec;
}

std::int64_t test_offset() {
#ifdef PLANKURIER_FAULTS
    if (const char* path = std::getenv("PLANKURIER_CLOCK_OFFSET_FILE")) {
        std::int64_t offset = 0;
        if (std::ifstream in{path}; in >> offset) return offset;
    }
#endif
    return 0;
}

} // namespace

std::int64_t SystemClock::now() { return seconds(CLOCK_REALTIME) + test_offset(); }
std::int64_t SystemClock::monotonic() { return seconds(CLOCK_BOOTTIME) + test_offset(); }

EnvelopeFiles::EnvelopeFiles(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
}
std::filesystem::path EnvelopeFiles::file(const TransferId& transfer) const {
    return folder_ / (transfer.hex() + ".env");
}
void EnvelopeFiles::put(const TransferId& transfer, ByteView sealed) {
    write_durably(file(transfer), sealed);
}
std::optional<Bytes> EnvelopeFiles::get(const TransferId& transfer) {
    return read_file(file(transfer));
}
void EnvelopeFiles::remove(const TransferId& transfer) {
    remove_durably(file(transfer));
    remove_durably(file(transfer).string() + ".tmp");
}

AuditFile::AuditFile(std::filesystem::path file) : file_(std::move(file)) {}

void AuditFile::record(std::int64_t at, std::string_view event, std::string_view department,
                       unsigned size_log2) {
    constexpr std::int64_t hour_s = 3'600;
    std::string line = Id128<struct AuditIdTag>::random().hex() + " " + std::string{event} +
                       " department=" + (department.empty() ? "-" : std::string{department}) +
                       " size_log2=" + std::to_string(size_log2) +
                       " hour=" + std::to_string(at / hour_s * hour_s) + "\n";
    const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "open the audit");
    const ssize_t written = ::write(fd, line.data(), line.size());
    const int synced = ::fdatasync(fd);
    ::close(fd);
    if (written != static_cast<ssize_t>(line.size()) || synced != 0) {
        throw std::system_error(errno, std::generic_category(), "write the audit");
    }
}

} // namespace plankurier::relay::adapters
