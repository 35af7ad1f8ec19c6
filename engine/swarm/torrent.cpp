#include "engine/swarm/torrent.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>

#include <bit>
#include <cstdio>
#include <stdexcept>

namespace plankurier::swarm {

namespace {

/// 32 hex digits of the transfer, 8 of the volume: certificates name the first 32.
std::string name_of(const VolumeName& name) {
    std::array<char, 9> volume{};
    std::snprintf(volume.data(), volume.size(), "%08x", static_cast<unsigned>(name.volume));
    return name.transfer.hex() + volume.data();
}

lt::sha256_hash hash_of(const Hash256& hash) {
    return lt::sha256_hash{reinterpret_cast<const char*>(hash.data())};
}

std::shared_ptr<lt::torrent_info> info_of(const SwarmVolume& volume, const std::string& authority) {
    lt::file_storage files;
    files.add_file(name_of(volume.name), static_cast<std::int64_t>(volume.bytes()));
    lt::create_torrent maker{files, static_cast<int>(volume.piece_bytes),
                             lt::create_torrent::v2_only};
    maker.set_priv(true);
    maker.set_creation_date(0);
    maker.set_creator("");
    if (!authority.empty()) maker.set_root_cert(authority);
    for (std::size_t i = 0; i < volume.piece_roots.size(); ++i) {
        maker.set_hash2(lt::file_index_t{0}, lt::piece_index_t::diff_type{static_cast<int>(i)},
                        hash_of(volume.piece_roots[i]));
    }
    std::vector<char> encoded;
    lt::bencode(std::back_inserter(encoded), maker.generate());
    auto info = std::make_shared<lt::torrent_info>(encoded, lt::from_span);
    // A pad file is what a `hashes` message with an all-zero root crashes libtorrent 2.0.8 on.
    expects(info->orig_files().num_files() == 1 &&
                info->total_size() == static_cast<std::int64_t>(volume.bytes()) &&
                info->num_pieces() == static_cast<int>(volume.piece_roots.size()),
            "a torrent without pad file");
    return info;
}

} // namespace

Result<void> check_volume(const SwarmVolume& volume) {
    constexpr std::uint64_t piece_bytes_max = segment_bytes * 64;
    if (!std::has_single_bit(volume.piece_bytes) || volume.piece_bytes < segment_bytes ||
        volume.piece_bytes > piece_bytes_max) {
        return fail(Errc::invalid_argument, "piece size");
    }
    if (volume.piece_roots.empty() || volume.piece_roots.size() > volume_pieces_max) {
        return fail(Errc::invalid_argument, "piece roots");
    }
    for (const Hash256& root : volume.piece_roots) {
        if (root == Hash256{}) return fail(Errc::invalid_argument, "piece roots");
    }
    return {};
}

lt::add_torrent_params torrent_of(const SwarmVolume& volume, const std::string& authority,
                                  std::uint64_t have) {
    lt::add_torrent_params out;
    out.ti = info_of(volume, authority);
    out.save_path = "/"; // libtorrent wants one; nothing is ever there
    out.flags = lt::torrent_flags::paused | lt::torrent_flags::apply_ip_filter |
                lt::torrent_flags::disable_dht | lt::torrent_flags::disable_lsd |
                lt::torrent_flags::disable_pex;
    // Not `seed_mode`: that would hash every piece at its first request.
    out.have_pieces.resize(static_cast<int>(volume.piece_roots.size()), false);
    for (std::size_t i = 0; i < volume.piece_roots.size(); ++i) {
        if ((have >> i & 1U) != 0) out.have_pieces.set_bit(lt::piece_index_t{static_cast<int>(i)});
    }
    return out;
}

} // namespace plankurier::swarm
