#include "engine/swarm/watch.hpp"

#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_connection_handle.hpp>

#include <algorithm>

namespace plankurier::swarm {

namespace {

constexpr std::size_t banned_max = 64;
/// Peers that connect to us come with a new port each time, so after some that lied nobody is let
/// in any more until the volume is complete. Nobody can lie to it then.
constexpr unsigned banned_incoming_max = 8;

struct Context {
    std::shared_ptr<DiskVolume> volume;
    Counters& counters;
    Door& door;
    Notify notify;
};

class PeerWatch final : public lt::peer_plugin, private Source {
public:
    PeerWatch(std::shared_ptr<const Context> context, const lt::peer_connection_handle& peer)
        : context_(std::move(context)), peer_(peer), remote_(peer.remote()),
          outgoing_(peer.is_outgoing()) {
        context_->volume->sources.push_back(this);
        if (!outgoing_) context_->door.entered(remote_);
        tell(Note::Kind::attached);
    }
    ~PeerWatch() override { end({}); }
    PeerWatch(const PeerWatch&) = delete;
    PeerWatch& operator=(const PeerWatch&) = delete;

    void add_handshake(lt::entry& handshake) override {
        // Who is connected to does not connect back ("p"), and nobody is told what runs here.
        for (const char* key : {"p", "v", "complete_ago"}) handshake.dict().erase(key);
    }
    bool on_handshake(lt::span<const char>) override {
        if (is_unwelcome()) {
            peer_.disconnect(lt::errors::peer_banned, lt::operation_t::bittorrent,
                             lt::peer_connection_interface::peer_error);
            return true;
        }
        greeted_ = true;
        context_->counters.peers.fetch_add(1, std::memory_order_relaxed);
        tell(Note::Kind::greeted);
        return true;
    }
    void on_disconnect(const lt::error_code& reason) override { end(reason); }
    bool on_interested() override { return !serves(); }
    bool on_request(const lt::peer_request&) override { return !serves(); }
    bool on_piece(const lt::peer_request& piece, lt::span<const char>) override {
        context_->counters.received_bytes.fetch_add(static_cast<std::uint64_t>(piece.length),
                                                    std::memory_order_relaxed);
        context_->volume->giving = this; // libtorrent writes the block next, if it wants it
        return false;
    }
    void tick() override {
        // Once a second: when nothing is wanted any more in either direction. libtorrent would do
        // it right after its last messages, and TLS takes 3 s to end while those are being written.
        if (!context_->volume->complete() || (serves() && !peer_.is_seed())) return;
        peer_.disconnect(lt::errors::upload_upload_connection, lt::operation_t::bittorrent);
    }
    void sent_payload(int bytes) override {
        context_->counters.sent_bytes.fetch_add(static_cast<std::uint64_t>(bytes),
                                                std::memory_order_relaxed);
    }

private:
    [[nodiscard]] bool serves() const { return context_->volume->serves; }
    [[nodiscard]] bool is_unwelcome() const {
        const DiskVolume& volume = *context_->volume;
        if (outgoing_) return std::ranges::find(volume.banned, remote_) != volume.banned.end();
        return volume.banned_incoming >= banned_incoming_max && !volume.complete();
    }
    void ban() override {
        DiskVolume& volume = *context_->volume;
        if (!outgoing_) {
            ++volume.banned_incoming;
        } else if (volume.banned.size() < banned_max) {
            volume.banned.push_back(remote_);
        }
        peer_.disconnect(lt::errors::too_many_corrupt_pieces, lt::operation_t::bittorrent,
                         lt::peer_connection_interface::peer_error);
    }
    void tell(Note::Kind kind, bool banned = false) {
        Note note;
        note.kind = kind;
        note.volume = context_->volume->about.name;
        note.load = context_->volume->load;
        note.peer = remote_;
        note.outgoing = outgoing_;
        note.greeted = greeted_;
        note.banned = banned;
        context_->notify(std::move(note));
    }
    void end(const lt::error_code& reason) {
        if (std::exchange(ended_, true)) return;
        if (!outgoing_) context_->door.left(remote_);
        DiskVolume& volume = *context_->volume;
        std::erase(volume.sources, static_cast<Source*>(this));
        if (volume.giving == this) volume.giving = nullptr;
        for (std::size_t i = 0; i < volume.pieces.size(); ++i) {
            if ((gave >> i & 1U) != 0 && volume.pieces[i]) volume.pieces[i]->source_left = true;
        }
        if (greeted_) context_->counters.peers.fetch_sub(1, std::memory_order_relaxed);
        tell(Note::Kind::detached, reason == lt::errors::too_many_corrupt_pieces);
    }

    std::shared_ptr<const Context> context_;
    lt::peer_connection_handle peer_;
    lt::tcp::endpoint remote_;
    bool outgoing_, greeted_{}, ended_{};
};

class VolumeWatch final : public lt::torrent_plugin {
public:
    explicit VolumeWatch(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

    std::shared_ptr<lt::peer_plugin>
    new_connection(const lt::peer_connection_handle& peer) override {
        return std::make_shared<PeerWatch>(context_, peer);
    }
    void on_files_checked() override { tell(Note::Kind::checked); }
    bool on_resume() override {
        tell(Note::Kind::resumed);
        return false;
    }

private:
    void tell(Note::Kind kind) {
        Note note;
        note.kind = kind;
        note.volume = context_->volume->about.name;
        note.load = context_->volume->load;
        context_->notify(std::move(note));
    }
    std::shared_ptr<const Context> context_;
};

} // namespace

std::shared_ptr<lt::torrent_plugin> watch_volume(std::shared_ptr<DiskVolume> volume,
                                                 Counters& counters, Door& door, Notify notify) {
    return std::make_shared<VolumeWatch>(std::make_shared<const Context>(
        Context{std::move(volume), counters, door, std::move(notify)}));
}

} // namespace plankurier::swarm
