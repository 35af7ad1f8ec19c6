// Pieces that are not what they were: found, taken out of service, taken back.
#include "relay/pieces/catalog.hpp"

#include <algorithm>
#include <bit>

namespace plankurier::relay::pieces {

namespace {

constexpr std::size_t suspects_max = 10'000;
constexpr std::int64_t day_s = 86'400;

/// Of a volume file that holds only so many bytes: the pieces that reach beyond them.
std::uint64_t pieces_beyond(std::uint64_t bytes, std::uint64_t piece_bytes) noexcept {
    const std::uint64_t left = bytes / piece_bytes;
    return left >= volume_pieces_max ? 0 : ~all_bits(static_cast<std::uint32_t>(left));
}

} // namespace

Catalog::Volume* Catalog::find(const VolumeId& volume, Transfer** of) {
    const auto transfer = transfers_.find(volume.first);
    if (transfer == transfers_.end() || purged_.contains(volume.first)) return nullptr;
    const auto found = transfer->second.volumes.find(volume.second);
    if (found == transfer->second.volumes.end()) return nullptr;
    if (of != nullptr) *of = &transfer->second;
    return &found->second;
}

/// Cheap, so that each start can afford it: names and sizes, no contents. Those are the scrub's.
void Catalog::reconcile() {
    index_.together([&] {
        for (auto& [id, transfer] : transfers_) {
            for (auto& [number, volume] : transfer.volumes) {
                if (volume.durable == 0) continue;
                std::error_code missing;
                const auto bytes = std::filesystem::file_size(file_of(id, number), missing);
                const std::uint64_t there = missing ? 0 : bytes;
                if (there == transfer.layout.volume_bytes(number)) continue;
                lose({id, number}, transfer, volume,
                     pieces_beyond(there, transfer.layout.piece_bytes()));
                note_suspect({id, number}); // what is left of it may be damaged, too
            }
        }
    });
}

std::uint64_t Catalog::lose(const VolumeId& id, Transfer& transfer, Volume& volume,
                            std::uint64_t pieces) {
    pieces &= volume.durable;
    if (pieces == 0) return 0;
    // In memory first: a disk that takes no writes any more serves nobody either.
    if (transfer.is_whole(id.second, volume)) --transfer.whole;
    volume.durable &= ~pieces;
    damaged_pieces_ += std::popcount(pieces);
    index_.together([&] {
        if (volume.described) {
            index_.set_pieces(id.first, id.second, volume.durable);
        } else {
            index_.set_durable(id.first, id.second, volume.durable, volume.roots);
        }
        index_.set_damaged(damaged_pieces_);
    });
    return pieces;
}

std::uint64_t Catalog::damage(const VolumeId& volume, std::uint64_t pieces) {
    const std::scoped_lock lock{mutex_};
    Transfer* transfer = nullptr;
    Volume* const found = find(volume, &transfer);
    return found == nullptr ? 0 : lose(volume, *transfer, *found, pieces);
}

/// What is being written stays reserved for who writes it.
void Catalog::drop(const VolumeId& id, Transfer& transfer) {
    Volume& volume = transfer.volumes.at(id.second);
    if (transfer.is_whole(id.second, volume)) --transfer.whole;
    damaged_pieces_ += std::popcount(volume.durable);
    volume = {0, volume.writing, false, {}, 0};
    volume.roots.resize(transfer.layout.pieces_in_volume(id.second));
    index_.forget_volume(id.first, id.second);
    index_.set_damaged(damaged_pieces_);
}

void Catalog::drop_volume(const VolumeId& volume) {
    const std::scoped_lock lock{mutex_};
    Transfer* transfer = nullptr;
    if (find(volume, &transfer) == nullptr) return;
    index_.together([&] { drop(volume, *transfer); });
}

void Catalog::drop_volumes(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) return;
    index_.together([&] {
        for (const auto& one : found->second.volumes) drop({transfer, one.first}, found->second);
    });
}

void Catalog::note_suspect(const VolumeId& id) {
    if (suspects_.size() < suspects_max) suspects_.insert(id);
    suspected_.notify_all();
}

void Catalog::suspect(const TransferId& transfer, std::uint32_t volume) {
    const std::scoped_lock lock{mutex_};
    if (find({transfer, volume}) != nullptr) note_suspect({transfer, volume});
}

std::optional<Catalog::VolumeId> Catalog::next_suspect(const std::stop_token& stop,
                                                       std::chrono::milliseconds at_most) {
    std::unique_lock lock{mutex_};
    suspected_.wait_for(lock, stop, at_most, [&] { return !suspects_.empty(); });
    if (suspects_.empty()) return std::nullopt;
    return suspects_.extract(suspects_.begin()).value();
}

Result<VolumeCheck> Catalog::to_check(const VolumeId& id) {
    const std::scoped_lock lock{mutex_};
    Transfer* transfer = nullptr;
    const Volume* const volume = find(id, &transfer);
    if (volume == nullptr) return fail(Errc::not_found, "volume");
    const BodyLayout& layout = transfer->layout;
    VolumeCheck out{volume->durable, layout.piece_bytes(), volume->roots, nullptr};
    if (volume->described) {
        auto descriptor = decode_descriptor(index_.descriptor(id.first, id.second));
        if (!descriptor || descriptor->volume != id.second || !fits(*descriptor, layout)) {
            return fail(Errc::malformed, "descriptor");
        }
        out.roots = std::move(descriptor->piece_roots);
    }
    if (auto file = open_to_read(file_of(id.first, id.second), layout.volume_bytes(id.second))) {
        out.file = std::move(*file);
    }
    return out;
}

Result<VolumeCheck> Catalog::to_take_back(const VolumeId& id) {
    const std::scoped_lock lock{mutex_};
    Transfer* transfer = nullptr;
    Volume* const volume = find(id, &transfer);
    const bool is_damaged =
        volume != nullptr && volume->described && !transfer->is_whole(id.second, *volume);
    if (!is_damaged) return fail(Errc::not_found, "nothing lost");
    if (volume->writing != 0) return fail(Errc::conflict, "being written");
    const BodyLayout& layout = transfer->layout;
    auto file = open_to_read(file_of(id.first, id.second), layout.volume_bytes(id.second));
    if (!file) return fail(Errc::not_found, "no file");
    VolumeCheck out{all_bits(layout.pieces_in_volume(id.second)) & ~volume->durable,
                    layout.piece_bytes(), roots_of(id, *volume), std::move(*file)};
    volume->writing |= out.pieces;
    return out;
}

void Catalog::scrubbed(const VolumeId& id, std::int64_t now) {
    const std::scoped_lock lock{mutex_};
    Volume* const volume = find(id);
    if (volume == nullptr) return;
    volume->scrubbed = now;
    index_.set_scrubbed(id.first, id.second, now);
}

/// A volume is first due some days after it became whole. A clock that has jumped back makes all
/// due at once, which costs no more than reading.
std::optional<Catalog::VolumeId> Catalog::next_to_scrub(std::int64_t until, std::int64_t now) {
    const std::scoped_lock lock{mutex_};
    std::optional<VolumeId> best;
    std::int64_t best_at = 0;
    std::vector<VolumeId> fresh;
    for (auto& [id, transfer] : transfers_) {
        if (purged_.contains(id)) continue;
        for (auto& [number, volume] : transfer.volumes) {
            if (volume.durable == 0) continue;
            if (volume.scrubbed == 0) {
                volume.scrubbed = now;
                fresh.emplace_back(id, number);
            }
            const bool due = volume.scrubbed < until || volume.scrubbed > now + day_s;
            if (!due || (best && volume.scrubbed >= best_at)) continue;
            best = {id, number};
            best_at = volume.scrubbed;
        }
    }
    if (!fresh.empty()) {
        index_.together([&] {
            for (const VolumeId& id : fresh) index_.set_scrubbed(id.first, id.second, now);
        });
    }
    return best;
}

void Catalog::want_scrub(const TransferId& id, Transfer& transfer) {
    for (auto& [number, volume] : transfer.volumes) {
        if (volume.durable == 0) continue;
        volume.scrubbed = volume.scrubbed == 0 ? -1 : -std::abs(volume.scrubbed);
        index_.set_scrubbed(id, number, volume.scrubbed);
    }
}

void Catalog::scrub_all() {
    const std::scoped_lock lock{mutex_};
    index_.together([&] {
        for (auto& [id, transfer] : transfers_) want_scrub(id, transfer);
    });
}

void Catalog::scrub_soon(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) return;
    index_.together([&] { want_scrub(transfer, found->second); });
}

std::uint64_t Catalog::missing_pieces(const TransferId& transfer, std::uint32_t volume,
                                      const BodyLayout& layout) {
    const std::scoped_lock lock{mutex_};
    const Volume* const found = find({transfer, volume});
    const std::uint64_t have = found == nullptr ? 0 : found->durable;
    return layout.pieces_in_volume(volume) - static_cast<std::uint64_t>(std::popcount(have));
}

std::vector<Catalog::VolumeId> Catalog::damaged_volumes() {
    const std::scoped_lock lock{mutex_};
    std::vector<VolumeId> out;
    for (const auto& [id, transfer] : transfers_) {
        if (transfer.complete() || purged_.contains(id)) continue;
        for (const auto& [number, volume] : transfer.volumes) {
            const bool damaged = volume.described && !transfer.is_whole(number, volume);
            if (damaged) out.emplace_back(id, number);
        }
    }
    return out;
}

Catalog::Health Catalog::health() {
    const std::scoped_lock lock{mutex_};
    Health out{damaged_pieces_, 0};
    for (const auto& [id, transfer] : transfers_) {
        for (const auto& [number, volume] : transfer.volumes) {
            const std::int64_t at = std::abs(volume.scrubbed);
            if (at > 1 && (out.oldest_scrub == 0 || at < out.oldest_scrub)) out.oldest_scrub = at;
        }
    }
    return out;
}

} // namespace plankurier::relay::pieces
