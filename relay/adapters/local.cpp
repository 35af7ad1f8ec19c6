#include "relay/adapters/local.hpp"

#include "relay/adapters/files.hpp"

#include <fcntl.h>
#include <sys/timex.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace plankurier::relay::adapters {

namespace {

std::int64_t seconds(clockid_t clock) {
    timespec time{};
    expects(::clock_gettime(clock, &time) == 0, "clock");
    return time.tv_sec;
}

/// What a test wants the clocks to say; nothing in a release.
struct TestClock {
    std::int64_t both{}, wall{}, booted{};
    std::string boot;
    bool is_set{}, synchronised{};
};

TestClock test_clock() {
    TestClock test;
#ifdef PLANKURIER_FAULTS
    const char* path = std::getenv("PLANKURIER_CLOCK_OFFSET_FILE");
    if (path == nullptr) return test;
    test.is_set = true;
    std::ifstream in{path};
    in >> test.both;
    for (std::string word; in >> word;) {
        const std::size_t at = word.find('@');
        if (word == "synchronised") test.synchronised = true;
        if (word.starts_with("wall=")) test.wall = std::stoll(word.substr(5));
        if (!word.starts_with("boot=") || at == word.npos) continue;
        test.boot = word.substr(5, at - 5);
        test.booted = std::stoll(word.substr(at + 1));
    }
#endif
    return test;
}

/// The kernel keeps the time by a time service, and this is that time (a program may be shown
/// another one than the kernel's).
bool is_synchronised() {
    timex state{};
    const int status = ::adjtimex(&state);
    const bool is_kept = status >= 0 && status != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    return is_kept && std::abs(seconds(CLOCK_REALTIME) - std::int64_t{state.time.tv_sec}) <= 2;
}

std::string boot_name() {
    std::ifstream in{"/proc/sys/kernel/random/boot_id"};
    std::string name;
    in >> name;
    return name.empty() ? "-" : name;
}

} // namespace

std::int64_t SystemClock::now() {
    const TestClock test = test_clock();
    return seconds(CLOCK_REALTIME) + test.both + test.wall;
}

std::int64_t SystemClock::monotonic() {
    const TestClock test = test_clock();
    return seconds(CLOCK_BOOTTIME) + test.both - test.booted;
}

ClockReading SystemClock::read() {
    const TestClock test = test_clock(); // once, so that both clocks move together
    return {seconds(CLOCK_REALTIME) + test.both + test.wall,
            seconds(CLOCK_BOOTTIME) + test.both - test.booted, boot_name() + test.boot,
            test.is_set ? test.synchronised : is_synchronised()};
}

namespace {

constexpr std::string_view time_format = "plankurier-time-1";

std::optional<TrustedTime> parsed_time(std::string_view text) {
    std::istringstream in{std::string{text}};
    TrustedTime time;
    std::string format;
    in >> format >> time.boot >> time.wall >> time.monotonic >> time.seen_wall >>
        time.seen_monotonic >> time.confirmed >> time.doubted >> time.accepted;
    if (!in || format != time_format) return std::nullopt;
    return time;
}

} // namespace

std::optional<TrustedTime> TimeFile::load() {
    const auto bytes = read_file(file_);
    if (!bytes) return std::nullopt;
    auto time = parsed_time(as_text(*bytes));
    if (time) return time;
    std::fprintf(stderr, "%s is damaged: the clock is not trusted\n", file_.filename().c_str());
    TrustedTime nothing;
    nothing.doubted = true;
    return nothing;
}

void TimeFile::save(const TrustedTime& time) {
    std::ostringstream out;
    out << time_format << ' ' << time.boot << ' ' << time.wall << ' ' << time.monotonic << ' '
        << time.seen_wall << ' ' << time.seen_monotonic << ' ' << time.confirmed << ' '
        << time.doubted << ' ' << time.accepted << '\n';
    try {
        write_durably(file_, as_bytes(out.str()));
        has_failed_ = false;
    } catch (const std::system_error& error) {
        if (!std::exchange(has_failed_, true)) {
            std::fprintf(stderr, "%s: %s\n", file_.filename().c_str(), error.what());
        }
    }
}

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
    append(at, std::string{event} +
                   " department=" + (department.empty() ? "-" : std::string{department}) +
                   " size_log2=" + std::to_string(size_log2));
}

void AuditFile::record_lost(std::int64_t at, const RelayId& relay, std::int64_t not_confirmed) {
    append(at, "relay_lost relay=" + relay.hex() +
                   " purges_not_confirmed=" + std::to_string(not_confirmed));
}

void AuditFile::append(std::int64_t at, const std::string& what) {
    constexpr std::int64_t hour_s = 3'600;
    const std::string line = Id128<struct AuditIdTag>::random().hex() + " " + what +
                             " hour=" + std::to_string(at / hour_s * hour_s) + "\n";
    const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "open the audit");
    const off_t before = ::lseek(fd, 0, SEEK_END);
    const ssize_t written = ::write(fd, line.data(), line.size());
    const bool whole = written == static_cast<ssize_t>(line.size());
    int failed = written < 0 ? errno : whole ? 0 : ENOSPC;
    if (failed == 0 && ::fdatasync(fd) != 0) failed = errno;
    // It is written again; half a line would stay for ever.
    if (!whole && ::ftruncate(fd, before) != 0) failed = errno;
    ::close(fd);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "write the audit");
}

} // namespace plankurier::relay::adapters
