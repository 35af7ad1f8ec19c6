// Whole volumes, whole transfers, and their end.
#include "relay/pieces/catalog.hpp"

#include <plankurier/fault.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace plankurier::relay::pieces {

Result<bool> Catalog::is_whole(const Ticket& ticket, std::uint32_t volume) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const auto found = (*transfer)->volumes.find(volume);
    return found != (*transfer)->volumes.end() && (*transfer)->is_whole(volume, found->second);
}

Result<WholeVolume> Catalog::whole(const TransferId& transfer, std::uint32_t volume) {
    const std::scoped_lock lock{mutex_};
    if (purged_.contains(transfer)) return fail(Errc::purged, "transfer");
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) return fail(Errc::not_found, "transfer");
    const auto entry = found->second.volumes.find(volume);
    if (entry == found->second.volumes.end() || !found->second.is_whole(volume, entry->second)) {
        return fail(Errc::not_found, "not whole");
    }
    const BodyLayout& layout = found->second.layout;
    auto file = open_to_read(file_of(transfer, volume), layout.volume_bytes(volume));
    if (!file) {
        note_suspect({transfer, volume});
        return fail(Errc::not_found, "damaged");
    }
    return WholeVolume{layout.piece_bytes(), roots_of({transfer, volume}, entry->second),
                       std::move(*file)};
}

std::vector<Catalog::VolumeMap> Catalog::map(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    std::vector<VolumeMap> out;
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end() || purged_.contains(transfer)) return out;
    for (const auto& [number, volume] : found->second.volumes) {
        const std::size_t pieces = found->second.layout.pieces_in_volume(number);
        const bool is_whole = found->second.is_whole(number, volume);
        VolumeMap one{number, Bytes((pieces + 7) / 8), is_whole, volume.described && !is_whole};
        for (std::size_t i = 0; i < pieces; ++i) {
            if ((volume.durable >> i & 1U) != 0) one.durable[i / 8] |= std::byte{0x80} >> (i % 8);
        }
        out.push_back(std::move(one));
    }
    return out;
}

Result<Hash256> Catalog::stored(const Ticket& ticket) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    if (!(*transfer)->complete()) return fail(Errc::conflict, "volumes are missing");
    signed_.insert(ticket.transfer);
    return content_root(index_.descriptors(ticket.transfer));
}

std::set<TransferId> Catalog::take_signed() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(signed_, {});
}

bool Catalog::complete(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    const auto found = transfers_.find(transfer);
    return found != transfers_.end() && found->second.complete();
}

Result<Catalog::StoredContent> Catalog::stored(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end() || purged_.contains(transfer)) {
        return fail(Errc::not_found, "transfer");
    }
    if (!found->second.complete()) return fail(Errc::conflict, "volumes are missing");
    return StoredContent{content_root(index_.descriptors(transfer)),
                         found->second.layout.body_len()};
}

void Catalog::forbid(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    purged_.insert(transfer); // first, so that a failing disk serves nobody either
    index_.forbid(transfer);
}

bool Catalog::forbidden(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    return purged_.contains(transfer);
}

std::vector<TransferId> Catalog::halt(std::set<TransferId> transfers) {
    const std::scoped_lock lock{mutex_};
    std::vector<TransferId> fresh;
    std::ranges::set_difference(transfers, halted_, std::back_inserter(fresh));
    halted_ = std::move(transfers);
    return fresh;
}

bool Catalog::halted(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    return halted_.contains(transfer);
}

void Catalog::purge(const TransferId& transfer) {
    const std::scoped_lock lock{mutex_};
    // Refused first, deleted second, confirmed last: a crash in between only repeats work.
    purged_.insert(transfer);
    index_.forbid(transfer);
    PK_FAULT("pieces.before_unlink");
    std::filesystem::remove_all(folder_of(transfer));
    sync_folder(folder_);
    PK_FAULT("pieces.after_unlink");
    index_.forget(transfer);
    transfers_.erase(transfer);
    strangers_.erase(transfer);
}

void Catalog::lengthen(const TransferId& transfer, std::int64_t delete_at) {
    const std::scoped_lock lock{mutex_};
    const auto stranger = strangers_.find(transfer);
    if (stranger != strangers_.end()) stranger->second = delete_at;
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end() || found->second.delete_at >= delete_at) return;
    index_.set_delete_at(transfer, delete_at);
    found->second.delete_at = delete_at;
}

std::vector<TransferId> Catalog::overdue(std::int64_t now) {
    const std::scoped_lock lock{mutex_};
    std::vector<TransferId> out;
    for (const auto& [id, transfer] : transfers_) {
        if (now >= transfer.delete_at) out.push_back(id);
    }
    for (const auto& [id, delete_at] : strangers_) {
        if (now >= delete_at) out.push_back(id);
    }
    return out;
}

std::vector<Catalog::Held> Catalog::held() {
    const std::scoped_lock lock{mutex_};
    std::vector<Held> out;
    for (const auto& [id, transfer] : transfers_) {
        if (!purged_.contains(id)) out.push_back({id, transfer.complete()});
    }
    for (const auto& [id, delete_at] : strangers_) out.push_back({id, false});
    return out;
}

std::vector<TransferId> Catalog::transfers() {
    const std::scoped_lock lock{mutex_};
    std::vector<TransferId> out;
    for (const auto& [id, transfer] : transfers_) out.push_back(id);
    return out;
}

std::optional<std::filesystem::space_info> Catalog::space() {
    std::uint64_t unfinished = 0;
    {
        const std::scoped_lock lock{mutex_};
        for (const auto& [id, transfer] : transfers_) {
            if (transfer.complete() || purged_.contains(id)) continue;
            for (const auto& [number, volume] : transfer.volumes) {
                // A volume file is allocated whole with its first piece.
                if (volume.durable != 0) unfinished += transfer.layout.volume_bytes(number);
            }
        }
    }
    std::error_code error;
    auto space = std::filesystem::space(folder_, error);
    if (error) return std::nullopt;
    if (reserves_ != nullptr) {
        const std::uint64_t missing =
            reserves_->lacks_inodes() ? space.available : reserves_->missing_bytes();
        space.available -= std::min<std::uint64_t>(space.available, missing);
    }
    space.available += unfinished; // which was asked first: rather too little than too much
    return space;
}

std::int64_t Catalog::sync_sequence() {
    const std::scoped_lock lock{mutex_};
    return sequence_;
}

void Catalog::set_sync_sequence(std::int64_t sequence) {
    const std::scoped_lock lock{mutex_};
    if (sequence == sequence_) return;
    index_.set_sequence(sequence);
    sequence_ = sequence;
}

} // namespace plankurier::relay::pieces
