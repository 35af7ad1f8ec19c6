#include "relay/pieces/catalog.hpp"

#include <plankurier/fault.hpp>

#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

namespace fs = std::filesystem;

fs::path prepared(const fs::path& folder) {
    fs::create_directories(folder);
    return folder;
}

} // namespace

bool fits(const Descriptor& descriptor, const BodyLayout& layout) {
    const std::uint32_t pieces = layout.pieces_in_volume(descriptor.volume);
    return pieces != 0 && descriptor.piece_roots.size() == pieces &&
           descriptor.length == layout.volume_bytes(descriptor.volume) &&
           descriptor.root == volume_root(descriptor.piece_roots, layout.piece_bytes());
}

bool Catalog::Transfer::is_whole(std::uint32_t number, const Volume& volume) const noexcept {
    return volume.described && volume.durable == all_bits(layout.pieces_in_volume(number));
}

Catalog::Catalog(const fs::path& folder, adapters::Reserves* reserves)
    : folder_(prepared(folder)), reserves_(reserves), index_(folder_ / "index.db") {
    try {
        load();
    } catch (const adapters::DamagedDb&) {
        index_.begin_anew();
        transfers_.clear();
        purged_.clear();
        load();
    }
    for (const TransferId& id : transfers()) {
        if (purged_.contains(id)) purge(id); // cut short by a crash
    }
    remove_strangers();
    reconcile();
}

fs::path Catalog::folder_of(const TransferId& transfer) const { return folder_ / transfer.hex(); }
fs::path Catalog::file_of(const TransferId& transfer, std::uint32_t volume) const {
    std::string digits = std::to_string(volume);
    digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
    return folder_of(transfer) / (digits + ".vol");
}

void Catalog::load() {
    for (const PieceIndex::TransferRow& row : index_.transfers()) {
        const auto layout = BodyLayout::from_body_len(row.body_len);
        if (!layout) throw adapters::DamagedDb("the piece index is damaged");
        transfers_.emplace(row.id, Transfer{*layout, row.delete_at});
    }
    for (PieceIndex::VolumeRow& row : index_.volumes()) {
        const auto found = transfers_.find(row.transfer);
        if (found == transfers_.end()) continue;
        Transfer& transfer = found->second;
        Volume& volume = transfer.volumes[row.volume];
        volume = {row.durable, 0, row.described, std::move(row.roots), row.scrubbed};
        if (transfer.is_whole(row.volume, volume)) ++transfer.whole;
    }
    for (const TransferId& id : index_.purged()) purged_.insert(id);
    sequence_ = index_.sequence();
    damaged_pieces_ = index_.damaged_pieces();
}

/// A crash between unlink and commit, or between create and commit, leaves folders without a row.
/// While an index that could not be read is still there somebody may repair it: then its files stay
/// until the control plane says that they are over.
void Catalog::remove_strangers() {
    const bool are_kept = unreadable_index(folder_).has_value();
    for (const auto& entry : fs::directory_iterator{folder_}) {
        if (!entry.is_directory()) continue;
        const auto id = TransferId::from_hex(entry.path().filename().string());
        // Other folders are not ours: lost+found of a disk, the reserve.
        if (!id || transfers_.contains(*id)) continue;
        if (are_kept && !purged_.contains(*id)) {
            strangers_.emplace(*id, never);
        } else {
            fs::remove_all(entry.path());
        }
    }
}

Result<Catalog::Transfer*> Catalog::transfer_for(const Ticket& ticket) {
    if (purged_.contains(ticket.transfer)) return fail(Errc::purged, "transfer");
    const auto found = transfers_.find(ticket.transfer);
    if (found == transfers_.end()) return fail(Errc::not_found, "transfer");
    if (found->second.layout.body_len() != ticket.body_len) {
        return fail(Errc::conflict, "other length");
    }
    return &found->second;
}

/// The transfer, which is made if it is not there.
Result<Catalog::Transfer*> Catalog::made_transfer(const Ticket& ticket, const BodyLayout& layout) {
    if (purged_.contains(ticket.transfer)) return fail(Errc::purged, "transfer");
    if (!transfers_.contains(ticket.transfer)) {
        PK_FAULT("pieces.before_create");
        fs::create_directory(folder_of(ticket.transfer));
        sync_folder(folder_);
        index_.add_transfer({ticket.transfer, ticket.body_len, ticket.delete_at});
        transfers_.emplace(ticket.transfer, Transfer{layout, ticket.delete_at});
        strangers_.erase(ticket.transfer);
    }
    const auto transfer = transfer_for(ticket);
    if (!transfer) return transfer;
    if (ticket.delete_at > (*transfer)->delete_at) {
        // An upload that goes on for days: its expiry begins later than the first ticket knew.
        index_.set_delete_at(ticket.transfer, ticket.delete_at);
        (*transfer)->delete_at = ticket.delete_at;
    }
    return transfer;
}

/// What has begun has its room; a further volume takes none of the reserve.
bool Catalog::has_room(const TransferId& transfer, std::uint32_t volume, const BodyLayout& layout) {
    if (reserves_ == nullptr || purged_.contains(transfer)) return true;
    const auto found = transfers_.find(transfer);
    if (found != transfers_.end()) {
        const auto& volumes = found->second.volumes;
        const auto entry = volumes.find(volume);
        if (entry != volumes.end() && (entry->second.durable | entry->second.writing) != 0) {
            return true;
        }
    }
    return reserves_->has_room_for(layout.volume_bytes(volume));
}

/// To be written; made, with its folder, if it is not there.
Result<std::shared_ptr<VolumeFile>> Catalog::opened(const VolumeId& id, const BodyLayout& layout) {
    if (fs::create_directory(folder_of(id.first))) sync_folder(folder_);
    return open_volume(file_of(id.first, id.second), layout.volume_bytes(id.second));
}

std::vector<Hash256> Catalog::roots_of(const VolumeId& id, const Volume& volume) {
    if (!volume.described) return volume.roots;
    auto descriptor = decode_descriptor(index_.descriptor(id.first, id.second));
    if (!descriptor) throw std::runtime_error("the piece index is damaged");
    return std::move(descriptor->piece_roots);
}

Result<Writing> Catalog::begin_write(const Ticket& ticket, std::uint32_t volume,
                                     std::uint32_t piece) {
    const std::scoped_lock lock{mutex_};
    const auto layout = BodyLayout::from_body_len(ticket.body_len);
    if (!layout || piece >= layout->pieces_in_volume(volume)) {
        return fail(Errc::malformed, "no such piece");
    }
    if (!has_room(ticket.transfer, volume, *layout)) return fail(Errc::no_space, "reserve");
    const auto transfer = made_transfer(ticket, *layout);
    if (!transfer) return tl::unexpected(transfer.error());
    Volume& entry = (*transfer)->volumes[volume];
    if (!entry.described) entry.roots.resize(layout->pieces_in_volume(volume));
    if ((entry.writing & bit(piece)) != 0) return fail(Errc::conflict, "being written");
    auto file = opened({ticket.transfer, volume}, *layout);
    if (!file) return tl::unexpected(file.error());
    const bool is_durable = (entry.durable & bit(piece)) != 0;
    Writing writing;
    writing.place = {ticket.transfer, volume, piece};
    writing.file = std::move(*file);
    writing.bytes = layout->piece_bytes();
    writing.offset = piece * writing.bytes;
    if (is_durable || entry.described) {
        (is_durable ? writing.durable_root : writing.wanted_root) =
            roots_of({ticket.transfer, volume}, entry).at(piece);
    }
    entry.writing |= bit(piece);
    return writing;
}

Result<CopyTarget> Catalog::begin_copy(const Ticket& ticket, const Descriptor& descriptor) {
    const std::scoped_lock lock{mutex_};
    const auto layout = BodyLayout::from_body_len(ticket.body_len);
    if (!layout || !fits(descriptor, *layout)) return fail(Errc::malformed, "descriptor");
    if (!has_room(ticket.transfer, descriptor.volume, *layout)) {
        return fail(Errc::no_space, "reserve");
    }
    const auto transfer = made_transfer(ticket, *layout);
    if (!transfer) return tl::unexpected(transfer.error());
    const std::uint32_t volume = descriptor.volume;
    const std::uint32_t pieces = layout->pieces_in_volume(volume);
    Volume& entry = (*transfer)->volumes[volume];
    if ((*transfer)->is_whole(volume, entry)) return fail(Errc::exists, "whole");
    if (!entry.described) entry.roots.resize(pieces);
    const auto known = roots_of({ticket.transfer, volume}, entry);
    for (std::uint32_t i = 0; i < pieces; ++i) {
        const bool is_known = entry.described || (entry.durable & bit(i)) != 0;
        if (is_known && known[i] != descriptor.piece_roots[i]) {
            return fail(Errc::tampered, "roots differ");
        }
    }
    const std::uint64_t missing = all_bits(pieces) & ~entry.durable;
    if ((entry.writing & missing) != 0) return fail(Errc::conflict, "being written");
    auto file = opened({ticket.transfer, volume}, *layout);
    if (!file) return tl::unexpected(file.error());
    entry.writing |= missing;
    return CopyTarget{std::move(*file), missing, entry.durable};
}

void Catalog::abandon(const PiecePlace& place) {
    const std::scoped_lock lock{mutex_};
    const auto found = transfers_.find(place.transfer);
    if (found != transfers_.end()) found->second.volumes[place.volume].writing &= ~bit(place.piece);
}

void Catalog::commit(const std::vector<Written>& group) {
    const std::scoped_lock lock{mutex_};
    std::map<VolumeId, Volume> changed;
    for (const Written& one : group) {
        const auto found = transfers_.find(one.place.transfer);
        if (found == transfers_.end()) continue; // purged meanwhile
        const VolumeId key{one.place.transfer, one.place.volume};
        Volume& volume =
            changed.try_emplace(key, found->second.volumes[one.place.volume]).first->second;
        // Whoever wrote a piece of a described volume has compared its root with the descriptor's.
        if (!volume.described) volume.roots.at(one.place.piece) = one.root;
        volume.durable |= bit(one.place.piece);
        volume.writing &= ~bit(one.place.piece);
    }
    index_.together([&] {
        for (const auto& [key, volume] : changed) {
            if (volume.described) {
                index_.set_pieces(key.first, key.second, volume.durable);
            } else {
                index_.set_durable(key.first, key.second, volume.durable, volume.roots);
            }
        }
        PK_FAULT("pieces.before_commit");
    });
    PK_FAULT("pieces.after_commit");
    for (auto& [key, volume] : changed) {
        Transfer& transfer = transfers_.at(key.first);
        Volume& entry = transfer.volumes[key.second];
        const bool was_whole = transfer.is_whole(key.second, entry);
        entry = std::move(volume);
        if (!was_whole && transfer.is_whole(key.second, entry)) ++transfer.whole;
    }
}

Result<Readable> Catalog::readable(const Ticket& ticket, std::uint32_t volume,
                                   std::uint32_t piece) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const auto found = (*transfer)->volumes.find(volume);
    if (found == (*transfer)->volumes.end() ||
        piece >= (*transfer)->layout.pieces_in_volume(volume)) {
        return fail(Errc::not_found, "piece");
    }
    if ((found->second.durable & bit(piece)) == 0) {
        return fail(found->second.described ? Errc::unavailable : Errc::not_found, "piece");
    }
    const std::uint64_t bytes = (*transfer)->layout.piece_bytes();
    auto file =
        open_to_read(file_of(ticket.transfer, volume), (*transfer)->layout.volume_bytes(volume));
    if (!file) {
        note_suspect({ticket.transfer, volume});
        return fail(Errc::unavailable, "damaged");
    }
    return Readable{std::move(*file), piece * bytes, bytes};
}

Result<void> Catalog::put_descriptor(const Ticket& ticket, std::uint32_t volume, ByteView bytes) {
    const auto descriptor = decode_descriptor(bytes);
    if (!descriptor || descriptor->volume != volume) return fail(Errc::malformed, "descriptor");
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const BodyLayout& layout = (*transfer)->layout;
    const std::uint32_t pieces = layout.pieces_in_volume(volume);
    const auto found = (*transfer)->volumes.find(volume);
    if (pieces == 0 || found == (*transfer)->volumes.end() ||
        found->second.durable != all_bits(pieces)) {
        return fail(Errc::conflict, "pieces are missing");
    }
    Volume& entry = found->second;
    if (entry.described) {
        const Bytes known = index_.descriptor(ticket.transfer, volume);
        if (std::ranges::equal(known, bytes)) return {};
        return fail(Errc::tampered, "described otherwise");
    }
    if (!fits(*descriptor, layout) || descriptor->piece_roots != entry.roots) {
        return fail(Errc::tampered, "roots differ");
    }
    index_.describe(ticket.transfer, volume, entry.durable, bytes);
    PK_FAULT("pieces.after_descriptor");
    entry.described = true;
    entry.roots = {};
    ++(*transfer)->whole;
    return {};
}

Result<Bytes> Catalog::descriptor(const Ticket& ticket, std::uint32_t volume) {
    const std::scoped_lock lock{mutex_};
    const auto transfer = transfer_for(ticket);
    if (!transfer) return tl::unexpected(transfer.error());
    const auto found = (*transfer)->volumes.find(volume);
    if (found == (*transfer)->volumes.end() || !found->second.described) {
        return fail(Errc::not_found, "descriptor");
    }
    return index_.descriptor(ticket.transfer, volume);
}

} // namespace plankurier::relay::pieces
