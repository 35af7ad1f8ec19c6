#include "relay/pieces/scrubber.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>

namespace plankurier::relay::pieces {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t day_s = 86'400;
constexpr std::size_t buffer_bytes = 262'144;
constexpr milliseconds look_every{500}; ///< for the request file and for what is due
/// Lost pieces are looked for on the disk so often; the first time at the start.
constexpr seconds take_back_rest_min{60}, take_back_rest_max{3'600};

/// False when the piece cannot be read. What the system keeps of the file in memory is dropped
/// before and after: it is the disk that is to be read, and nobody needs it afterwards.
bool hash_piece(int fd, std::uint64_t offset, std::uint64_t bytes, Bytes& buffer, Hash256& root) {
    const auto at = static_cast<off_t>(offset);
    const auto length = static_cast<off_t>(bytes);
    ::posix_fadvise(fd, at, length, POSIX_FADV_DONTNEED);
    PieceHasher hasher;
    for (std::uint64_t done = 0; done < bytes;) {
        const std::size_t now = std::min<std::uint64_t>(buffer.size(), bytes - done);
        const ssize_t got = ::pread(fd, buffer.data(), now, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        hasher.update(ByteView{buffer}.first(static_cast<std::size_t>(got)));
        done += static_cast<std::uint64_t>(got);
    }
    ::posix_fadvise(fd, at, length, POSIX_FADV_DONTNEED);
    root = hasher.finish();
    return true;
}

bool is_good(const VolumeCheck& check, std::uint32_t piece, Bytes& buffer) {
    Hash256 root{};
    return check.file != nullptr &&
           hash_piece(check.file->fd(), piece * check.piece_bytes, check.piece_bytes, buffer,
                      root) &&
           root == check.roots.at(piece);
}

} // namespace

Scrubber::Scrubber(Catalog& catalog, const Lease& lease, Settings settings, News news)
    : catalog_(catalog), lease_(lease), settings_(std::move(settings)), news_(std::move(news)),
      buffer_(buffer_bytes), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Scrubber::~Scrubber() = default;

/// The slow reading waits as long as it takes to keep to its rate; a suspect does not wait for it.
void Scrubber::pause(std::uint64_t bytes, const std::stop_token& stop) {
    const auto until =
        Clock::now() +
        milliseconds{bytes * 1'000 / std::max<std::uint64_t>(1, settings_.bytes_per_s)};
    for (auto now = Clock::now(); now < until && !stop.stop_requested(); now = Clock::now()) {
        const auto left = std::chrono::ceil<milliseconds>(until - now);
        if (const auto suspect = catalog_.next_suspect(stop, left)) look_at_suspect(*suspect);
    }
}

/// A piece is bad when it is wrong twice: a bit that fell on its way from the disk costs nobody a
/// copy.
std::uint64_t Scrubber::bad_pieces(const VolumeCheck& check, const std::stop_token* slow) {
    if (check.file == nullptr) return check.pieces;
    std::uint64_t bad = 0;
    for (std::uint32_t piece = 0; piece < check.roots.size(); ++piece) {
        if ((check.pieces & bit(piece)) == 0) continue;
        if (slow != nullptr && slow->stop_requested()) break;
        if (!is_good(check, piece, buffer_) && !is_good(check, piece, buffer_)) bad |= bit(piece);
        if (slow != nullptr) pause(check.piece_bytes, *slow);
    }
    return bad;
}

/// `slow`: at the scrub's rate, until that says stop.
void Scrubber::check(const Catalog::VolumeId& volume, const std::stop_token* slow) {
    const auto check = catalog_.to_check(volume);
    if (!check && check.error().code == Errc::not_found) return; // purged meanwhile
    if (!check) {
        std::fprintf(stderr, "pieces: the record of a volume is damaged: it is copied again\n");
        catalog_.drop_volume(volume);
        news_.damaged(volume);
        news_.changed();
        return;
    }
    const std::uint64_t bad = bad_pieces(*check, slow);
    if (slow != nullptr && slow->stop_requested()) return;
    catalog_.scrubbed(volume, lease_.now());
    const std::uint64_t lost = catalog_.damage(volume, bad);
    if (lost == 0) return;
    std::fprintf(stderr, "pieces: %d pieces of a volume are damaged: they are copied again\n",
                 std::popcount(lost));
    news_.damaged(volume);
    news_.changed();
    looked_.erase(volume);
    catalog_.scrub_soon(volume.first); // damage comes in heaps
}

void Scrubber::look_at_suspect(const Catalog::VolumeId& volume) {
    too_early_.erase(volume);
    end_rests();
    if (looked_.try_emplace(volume, Clock::now()).second) {
        check(volume, nullptr);
    } else {
        too_early_.insert(volume);
    }
}

void Scrubber::end_rests() {
    const auto now = Clock::now();
    std::erase_if(looked_, [&](const auto& one) {
        const auto& [volume, at] = one;
        if (now - at <= settings_.suspect_rest) return false;
        if (too_early_.erase(volume) != 0) catalog_.suspect(volume.first, volume.second);
        return true;
    });
}

Scrubber::Look Scrubber::take_back(const Catalog::VolumeId& volume) {
    const auto check = catalog_.to_take_back(volume);
    if (!check) return check.error().code == Errc::conflict ? Look::busy : Look::nothing;
    std::vector<Written> good;
    const auto give_up = [&](std::uint32_t piece) {
        catalog_.abandon({volume.first, volume.second, piece});
    };
    for (std::uint32_t piece = 0; piece < check->roots.size(); ++piece) {
        if ((check->pieces & bit(piece)) == 0) continue;
        if (is_good(*check, piece, buffer_)) {
            good.push_back({{volume.first, volume.second, piece},
                            check->file,
                            check->piece_bytes,
                            check->roots[piece]});
        } else {
            give_up(piece);
        }
    }
    if (good.empty()) return Look::nothing;
    try {
        sync_file(*check->file);
        catalog_.commit(good);
    } catch (...) {
        for (const Written& one : good) give_up(one.place.piece);
        throw;
    }
    std::fprintf(stderr, "pieces: %zu pieces of a volume are good again\n", good.size());
    news_.changed();
    return Look::taken;
}

/// Each once. A copy may write one for minutes, when nobody can give it what is lost: that one has
/// its turn as soon as it is free.
void Scrubber::take_back_all(const std::stop_token& stop) {
    const bool begins = Clock::now() >= take_back_at_;
    bool any = false;
    if (begins) {
        const auto damaged = catalog_.damaged_volumes();
        to_take_back_ = {damaged.begin(), damaged.end()};
        any = damaged.empty();
    }
    std::erase_if(to_take_back_, [&](const Catalog::VolumeId& volume) {
        const Look look = stop.stop_requested() ? Look::busy : take_back(volume);
        any = any || look == Look::taken;
        return look != Look::busy;
    });
    if (!begins && !any) return;
    take_back_rest_ = any ? take_back_rest_min
                          : std::clamp(2 * take_back_rest_, take_back_rest_min, take_back_rest_max);
    take_back_at_ = Clock::now() + take_back_rest_;
}

void Scrubber::step(const std::stop_token& stop) {
    if (std::filesystem::exists(settings_.request)) {
        catalog_.scrub_all(); // durable, so that a kill in between only makes it wanted twice
        std::filesystem::remove(settings_.request);
        looked_.clear();
        too_early_.clear();
        take_back_at_ = {};
        for (const Catalog::VolumeId& volume : catalog_.damaged_volumes()) {
            news_.let_go(volume.first);
        }
    }
    end_rests();
    take_back_all(stop);
    if (const auto suspect = catalog_.next_suspect(stop, milliseconds{0})) {
        look_at_suspect(*suspect);
        return;
    }
    const std::int64_t now = lease_.now();
    if (const auto due = catalog_.next_to_scrub(now - settings_.days * day_s, now)) {
        check(*due, &stop);
        return;
    }
    if (const auto suspect = catalog_.next_suspect(stop, look_every)) look_at_suspect(*suspect);
}

void Scrubber::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            step(stop);
        } catch (const std::exception& error) {
            // The index cannot be written, most likely: what was found is out of service all the
            // same, and is found again.
            std::fprintf(stderr, "pieces: scrub: %s\n", error.what());
            std::unique_lock lock{rest_mutex_};
            rest_.wait_for(lock, stop, look_every, [] { return false; });
        }
    }
}

} // namespace plankurier::relay::pieces
