/// Measures the engine without any network: sealing and opening a body from memory or from a file,
/// and the parts of which they consist. Prints one JSON object a line.

#include <plankurier/sealing.hpp>
#include <plankurier/source.hpp>

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

namespace {

using namespace plankurier;
namespace po = boost::program_options;

struct Settings {
    std::uint64_t bytes{1u << 30};
    unsigned runs{5};
    unsigned threads{1};
    std::filesystem::path folder{"/dev/shm"};
    std::vector<std::string> what;
};

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double peak_rss_mb() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_maxrss) * 1024 / 1e6;
}

/// Runs `work` and prints what it cost.
void measure(const std::string& what, const std::string& transport, std::uint64_t bytes,
             const std::function<void()>& work) {
    const double cpu = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    work();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const double used = cpu_seconds() - cpu;
    const auto size = static_cast<double>(bytes);
    std::cout << nlohmann::json{{"what", what},
                                {"transport", transport},
                                {"bytes", bytes},
                                {"seconds", seconds},
                                {"mb_per_s", size / seconds / 1e6},
                                {"cpu_s", used},
                                {"ns_per_byte", used * 1e9 / size},
                                {"peak_rss_mb", {{"plankurier-engine-bench", peak_rss_mb()}}}}
              << std::endl;
}

/// Splits `count` segments among threads; each gets a worker of its own.
void spread(unsigned threads, std::uint64_t count,
            const std::function<void(std::uint64_t, std::uint64_t)>& part) {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i) {
        workers.emplace_back(part, count * i / threads, count * (i + 1) / threads);
    }
}

/// A file of random bytes that is gone from its folder at once.
class ScratchFile {
public:
    ScratchFile(const std::filesystem::path& folder, std::uint64_t bytes)
        : path_(folder / ("plankurier-bench-" + std::to_string(::getpid()))),
          fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
        if (fd_ < 0) throw std::runtime_error("no scratch file in " + folder.string());
        Bytes block(1u << 20);
        for (std::uint64_t at = 0; at < bytes; at += block.size()) {
            fill_random(block);
            const auto now = std::min<std::uint64_t>(block.size(), bytes - at);
            if (::write(fd_, block.data(), now) != static_cast<ssize_t>(now)) {
                throw std::runtime_error("the scratch file is too large for its folder");
            }
        }
    }
    ~ScratchFile() {
        ::close(fd_);
        ::unlink(path_.c_str());
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
    int fd_;
};

/// One body and everything that sealing it needs.
class Engine {
public:
    explicit Engine(const Settings& settings)
        : settings_(settings), key_(TransferKey::random()), transfer_(TransferId::random()),
          segments_(std::max<std::uint64_t>(1, settings.bytes / segment_plain_bytes)) {
        header_[3] = std::byte{4}; // segments of 256 KiB
        header_[9] = std::byte{32};
        fill_random(std::span{header_}.subspan(10, 32));
    }

    [[nodiscard]] std::uint64_t bytes() const noexcept { return segments_ * segment_plain_bytes; }

    /// As a lane of an upload does it: read (or not), seal and hash.
    void seal(const BodySource* source) const {
        spread(settings_.threads, segments_, [&](std::uint64_t begin, std::uint64_t end) {
            SegmentSealer sealer{key_, transfer_, header_, segments_};
            PieceHasher hasher;
            Bytes plain(segment_plain_bytes), sealed(segment_bytes);
            for (auto at = begin; at < end; ++at) {
                if (source != nullptr && !source->read(at * plain.size(), plain)) {
                    throw std::runtime_error("the scratch file cannot be read");
                }
                sealer.seal(at, plain, sealed);
                hasher.update(sealed);
            }
        });
    }

    /// Opens one sealed segment again and again: decryption alone, from cache.
    void open() const {
        spread(settings_.threads, segments_, [&](std::uint64_t begin, std::uint64_t end) {
            SegmentSealer sealer{key_, transfer_, header_, segments_};
            SegmentOpener opener{key_, transfer_, header_, segments_};
            Bytes plain(segment_plain_bytes), sealed(segment_bytes);
            sealer.seal(begin, plain, sealed);
            for (auto at = begin; at < end; ++at) {
                if (!opener.open(begin, sealed, plain)) throw std::runtime_error("tampered");
            }
        });
    }

    void open_into(int fd) const {
        SegmentSealer sealer{key_, transfer_, header_, segments_};
        SegmentOpener opener{key_, transfer_, header_, segments_};
        Bytes plain(segment_plain_bytes), sealed(segment_bytes);
        sealer.seal(0, plain, sealed);
        for (std::uint64_t at = 0; at < segments_; ++at) {
            if (!opener.open(0, sealed, plain)) throw std::runtime_error("tampered");
            write_at(fd, at, plain);
        }
    }

    void part_seal() const {
        SegmentSealer sealer{key_, transfer_, header_, segments_};
        Bytes plain(segment_plain_bytes), sealed(segment_bytes);
        for (std::uint64_t at = 0; at < segments_; ++at) sealer.seal(at, plain, sealed);
    }
    void part_hash() const {
        PieceHasher hasher;
        const Bytes sealed(segment_bytes);
        for (std::uint64_t at = 0; at < segments_; ++at) hasher.update(sealed);
    }
    void part_read(const BodySource& source) const {
        Bytes plain(segment_plain_bytes);
        for (std::uint64_t at = 0; at < segments_; ++at) {
            if (!source.read(at * segment_plain_bytes, plain)) throw std::runtime_error("read");
        }
    }
    void part_write(int fd) const {
        const Bytes plain(segment_plain_bytes);
        for (std::uint64_t at = 0; at < segments_; ++at) write_at(fd, at, plain);
    }

private:
    static void write_at(int fd, std::uint64_t index, ByteView plain) {
        const auto offset = static_cast<off_t>(index * segment_plain_bytes);
        if (::pwrite(fd, plain.data(), plain.size(), offset) !=
            static_cast<ssize_t>(plain.size())) {
            throw std::runtime_error("the target folder is full");
        }
    }

    const Settings& settings_;
    TransferKey key_;
    TransferId transfer_;
    FloeHeader header_{};
    std::uint64_t segments_;
};

/// A new, empty target that is unlinked at once.
class TargetFile {
public:
    explicit TargetFile(const std::filesystem::path& folder)
        : fd_(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
        if (fd_ < 0) throw std::runtime_error("no target file in " + folder.string());
    }
    ~TargetFile() { ::close(fd_); }
    TargetFile(const TargetFile&) = delete;
    TargetFile& operator=(const TargetFile&) = delete;
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_;
};

void run_parts(const Settings& settings, const Engine& engine, const BodySource& source) {
    measure("part read", "file", engine.bytes(), [&] { engine.part_read(source); });
    measure("part seal", "memory", engine.bytes(), [&] { engine.part_seal(); });
    measure("part piece root", "memory", engine.bytes(), [&] { engine.part_hash(); });
    measure("part open", "memory", engine.bytes(), [&] { engine.open(); });
    const TargetFile target{settings.folder};
    measure("part write new", "file", engine.bytes(), [&] { engine.part_write(target.fd()); });
    measure("part write again", "file", engine.bytes(), [&] { engine.part_write(target.fd()); });
}

int run(const Settings& settings) {
    const Engine engine{settings};
    const ScratchFile file{settings.folder, engine.bytes()};
    const auto source = BodySource::open({file.path()});
    if (!source) throw std::runtime_error("the scratch file cannot be opened");
    for (unsigned round = 0; round < settings.runs; ++round) {
        for (const auto& what : settings.what) {
            if (what == "seal") {
                measure(what, "memory", engine.bytes(), [&] { engine.seal(nullptr); });
                measure(what, "file", engine.bytes(), [&] { engine.seal(&*source); });
            } else if (what == "open") {
                measure(what, "memory", engine.bytes(), [&] { engine.open(); });
                const TargetFile target{settings.folder};
                measure(what, "file", engine.bytes(), [&] { engine.open_into(target.fd()); });
            } else if (what == "parts") {
                run_parts(settings, engine, *source);
            } else {
                throw std::runtime_error("unknown: " + what);
            }
        }
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    Settings settings;
    po::options_description options{"plankurier-engine-bench [options] seal|open|parts …"};
    options.add_options()("help", "this text")("bytes", po::value(&settings.bytes),
                                               "bytes of the body")(
        "runs", po::value(&settings.runs), "how often")("threads", po::value(&settings.threads),
                                                        "for seal and open from memory")(
        "folder", po::value(&settings.folder),
        "where the scratch file lies")("what", po::value(&settings.what), "seal, open, parts");
    po::positional_options_description positions;
    positions.add("what", -1);
    try {
        po::variables_map values;
        po::store(po::command_line_parser{argc, argv}.options(options).positional(positions).run(),
                  values);
        po::notify(values);
        if (values.contains("help") || settings.what.empty() || settings.threads == 0) {
            std::cout << options;
            return values.contains("help") ? 0 : 1;
        }
        return run(settings);
    } catch (const std::exception& error) {
        std::cerr << "plankurier-engine-bench: " << error.what() << '\n';
        return 1;
    }
}
