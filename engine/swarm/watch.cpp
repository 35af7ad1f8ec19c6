#include "engine/swarm/watch.hpp"

#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_connection_handle.hpp>

namespace plankurier::swarm {

namespace {

struct Context {
    VolumeName name;
    std::uint64_t load{};
    bool serves{};
    Counters& counters;
    Notify notify;
};

class PeerWatch final : public lt::peer_plugin {
public:
    PeerWatch(std::shared_ptr<const Context> context, const lt::peer_connection_handle& peer)
        : context_(std::move(context)), remote_(peer.remote()), outgoing_(peer.is_outgoing()) {
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
        greeted_ = true;
        context_->counters.peers.fetch_add(1, std::memory_order_relaxed);
        tell(Note::Kind::greeted);
        return true;
    }
    void on_disconnect(const lt::error_code& reason) override { end(reason); }
    bool on_interested() override { return !context_->serves; }
    bool on_request(const lt::peer_request&) override { return !context_->serves; }
    bool on_piece(const lt::peer_request& piece, lt::span<const char>) override {
        context_->counters.received_bytes.fetch_add(static_cast<std::uint64_t>(piece.length),
                                                    std::memory_order_relaxed);
        return false;
    }
    void sent_payload(int bytes) override {
        context_->counters.sent_bytes.fetch_add(static_cast<std::uint64_t>(bytes),
                                                std::memory_order_relaxed);
    }

private:
    void tell(Note::Kind kind, bool banned = false) {
        Note note;
        note.kind = kind;
        note.volume = context_->name;
        note.load = context_->load;
        note.peer = remote_;
        note.outgoing = outgoing_;
        note.greeted = greeted_;
        note.banned = banned;
        context_->notify(std::move(note));
    }
    void end(const lt::error_code& reason) {
        if (std::exchange(ended_, true)) return;
        if (greeted_) context_->counters.peers.fetch_sub(1, std::memory_order_relaxed);
        tell(Note::Kind::detached, reason == lt::errors::too_many_corrupt_pieces);
    }

    std::shared_ptr<const Context> context_;
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
        note.volume = context_->name;
        note.load = context_->load;
        context_->notify(std::move(note));
    }
    std::shared_ptr<const Context> context_;
};

} // namespace

std::shared_ptr<lt::torrent_plugin> watch_volume(const DiskVolume& volume, Counters& counters,
                                                 Notify notify) {
    return std::make_shared<VolumeWatch>(std::make_shared<const Context>(Context{
        volume.about.name, volume.load, volume.backing->serves(), counters, std::move(notify)}));
}

} // namespace plankurier::swarm
