#include "tests/swarm/nodes.hpp"

#include <unistd.h>
#include <algorithm>
#include <fstream>
#include <thread>

namespace plankurier::test {

namespace {
constexpr std::chrono::seconds patience{30};
}

std::vector<Hash256> roots_of(ByteView bytes, std::uint64_t piece_bytes) {
    std::vector<Hash256> out;
    PieceHasher hasher;
    for (; !bytes.empty(); bytes = bytes.subspan(piece_bytes)) {
        hasher.update(bytes.first(piece_bytes));
        out.push_back(hasher.finish());
    }
    return out;
}

TestVolume::TestVolume(std::size_t pieces, std::uint64_t piece_bytes, std::uint32_t volume,
                       TransferId transfer)
    : bytes(pieces * piece_bytes) {
    fill_random(bytes);
    about = {{transfer, volume}, piece_bytes, roots_of(bytes, piece_bytes)};
}

Result<void> MemoryBacking::read(std::uint64_t offset, std::span<std::byte> out) {
    ++reads;
    if (fails_with >= 0) return fail(static_cast<Errc>(fails_with.load()));
    const std::scoped_lock lock{mutex_};
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    if (lies_left > 0) {
        --lies_left;
        out[out.size() / 3] ^= std::byte{1};
    }
    return {};
}

Result<void> MemoryBacking::write(std::uint64_t offset, std::span<std::byte> segment) {
    ++writes;
    std::this_thread::sleep_for(delay.load());
    if (fails_with >= 0) return fail(static_cast<Errc>(fails_with.load()));
    const std::scoped_lock lock{mutex_};
    std::copy(segment.begin(), segment.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    std::ranges::fill(segment, std::byte{0xEE}); // it may change the buffer
    return {};
}

Bytes MemoryBacking::bytes() const {
    const std::scoped_lock lock{mutex_};
    return bytes_;
}

Node::Node(SwarmSettings settings)
    : swarm_(std::make_unique<Swarm>(settings, [this](const SwarmEvent& event) {
          {
              const std::scoped_lock lock{mutex_};
              events_.push_back(event);
          }
          more_.notify_all();
      })) {}

std::size_t Node::count(Kind kind, const SwarmVolume& volume) const {
    const std::scoped_lock lock{mutex_};
    return static_cast<std::size_t>(std::ranges::count_if(events_, [&](const SwarmEvent& event) {
        return event.kind == kind && event.volume == volume.name;
    }));
}

bool Node::saw(Kind kind, const SwarmVolume& volume) {
    std::unique_lock lock{mutex_};
    return more_.wait_for(lock, patience, [&] {
        return std::ranges::any_of(events_, [&](const SwarmEvent& event) {
            return event.kind == kind && event.volume == volume.name;
        });
    });
}

std::vector<SwarmEvent> Node::all(Kind kind) const {
    const std::scoped_lock lock{mutex_};
    std::vector<SwarmEvent> out;
    std::ranges::copy_if(events_, std::back_inserter(out),
                         [&](const SwarmEvent& event) { return event.kind == kind; });
    return out;
}

SwarmEvent Node::last(Kind kind) const {
    const auto events = all(kind);
    return events.empty() ? SwarmEvent{} : events.back();
}

bool Node::load(const TestVolume& volume, std::shared_ptr<VolumeBacking> backing,
                std::uint64_t have, const SwarmCertificate* certificate) {
    return swarm_->add(volume.about, std::move(backing), have, certificate).has_value() &&
           saw(Kind::ready, volume.about);
}

bool Node::connect(const TestVolume& volume, Node& to) {
    return swarm_->connect(volume.about.name, "127.0.0.1", to->port()).has_value();
}

SwarmSettings plain_settings() {
    SwarmSettings settings;
    settings.tls = false;
    settings.peers_allowed = {"127.0.0.0/8"};
    return settings;
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

std::uint64_t resident_bytes() {
    std::ifstream in{"/proc/self/statm"};
    std::uint64_t all = 0, resident = 0;
    in >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace plankurier::test
