#include "relay/pieces/copy_volume.hpp"

#include <plankurier/fault.hpp>

#include <algorithm>

namespace plankurier::relay::pieces {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds ask_rest{50};
constexpr milliseconds early_time{500};
constexpr seconds ask_time{2};   ///< for each relay that does not have the volume ready yet
constexpr seconds ready_time{5}; ///< for our own swarm to load it
constexpr seconds stall_time{4}; ///< without a piece: another relay is connected, too
constexpr seconds give_up_time{120};

CopyEnd end_for(Errc code) {
    switch (code) {
    case Errc::exists: return CopyEnd::done;
    case Errc::no_space:
    case Errc::file_unreadable: return CopyEnd::disk;
    case Errc::purged:
    case Errc::malformed:
    case Errc::expired:
    case Errc::bad_signature: return CopyEnd::drop;
    default: return CopyEnd::again;
    }
}

/// The other relay does not have the volume ready, or not yet.
bool is_later(Errc code) {
    return code == Errc::not_found || code == Errc::conflict || code == Errc::unavailable;
}

} // namespace

/// The pieces that nobody else may write as long as they are neither committed nor given back.
class VolumeCopy::Reserved {
public:
    Reserved(const CopyParts& parts, const VolumeName& volume, std::uint64_t pieces)
        : parts_(parts), volume_(volume), pieces_(pieces) {
        for_each(pieces_, [&](std::uint32_t) { parts_.committer.expect(); });
    }
    ~Reserved() {
        for_each(pieces_, [&](std::uint32_t piece) {
            parts_.catalog.abandon({volume_.transfer, volume_.volume, piece});
            parts_.committer.no_longer_expect();
        });
    }
    Reserved(const Reserved&) = delete;
    Reserved& operator=(const Reserved&) = delete;

    /// Takes those of `wanted` that are still reserved; they go to the committer.
    template <typename Use>
    void hand_over(std::uint64_t wanted, const Use& use) {
        for_each(wanted & pieces_, [&](std::uint32_t piece) {
            use(piece); // if it throws, the piece is still ours to give back
            pieces_ &= ~(std::uint64_t{1} << piece);
        });
    }

private:
    template <typename Use>
    static void for_each(std::uint64_t pieces, const Use& use) {
        for (std::uint32_t i = 0; i < volume_pieces_max; ++i) {
            if ((pieces >> i & 1U) != 0) use(i);
        }
    }
    const CopyParts& parts_;
    VolumeName volume_;
    std::uint64_t pieces_;
};

Result<Bytes> VolumeCopy::descriptor() {
    if (!job_.descriptor.empty()) return job_.descriptor;
    auto asked = upstreams_;
    std::ranges::stable_partition(asked,
                                  [&](const OtherRelay& one) { return one.id == job_.from; });
    Result<Bytes> got = fail(Errc::unavailable, "unknown relay");
    for (const OtherRelay& relay : asked) {
        got = calls_.descriptor(relay, job_.ticket_text, job_.volume);
        if (got || got.error().code == Errc::expired) break;
    }
    return got;
}

CopyEnd VolumeCopy::run() {
    upstreams_ = parts_.relays.upstreams(job_.volume.transfer, job_.from);
    if (upstreams_.empty()) return CopyEnd::again; // the first sync has yet to name the relays
    if (!job_.chain) {
        std::ranges::stable_partition(upstreams_,
                                      [&](const OtherRelay& one) { return one.id == job_.from; });
    }
    const auto bytes = descriptor();
    if (!bytes) return end_for(bytes.error().code);
    const auto decoded = decode_descriptor(*bytes);
    if (!decoded || decoded->volume != job_.volume.volume) return CopyEnd::drop;
    // Only the sender's and the recipient's key can check the MAC: a wrong descriptor ends with
    // a volume that no peer has.
    const auto target = parts_.catalog.begin_copy(job_.ticket, *decoded);
    if (!target) return end_for(target.error().code);
    const CopyEnd filled = fill(*decoded, *target);
    if (filled != CopyEnd::done) return filled;
    PK_FAULT("copy.before_descriptor");
    const auto put = parts_.catalog.put_descriptor(job_.ticket, job_.volume.volume, *bytes);
    if (!put) return end_for(put.error().code);
    PK_FAULT("copy.after_descriptor");
    return CopyEnd::done;
}

/// Plain TCP where the operator trusts the network. Every other attempt goes by TLS all the same,
/// in case the other side cannot.
SwarmKind VolumeCopy::choose_kind() {
    const auto trusted = [&](const OtherRelay& one) {
        return parts_.trusted.contain_way_to(one.url);
    };
    if (job_.tries % 2 != 0 || !trusted(upstreams_.front())) return SwarmKind::tls;
    std::erase_if(upstreams_, [&](const OtherRelay& one) { return !trusted(one); });
    return SwarmKind::plain;
}

CopyEnd VolumeCopy::fill(const Descriptor& descriptor, const CopyTarget& target) {
    Reserved reserved{parts_, job_.volume, target.missing};
    PK_FAULT("copy.begun");
    if (target.missing == 0) return CopyEnd::done;
    roots_ = descriptor.piece_roots;
    piece_bytes_ = descriptor.length / roots_.size();
    place_ = {job_.volume, choose_kind()};
    ask_early();
    const auto begun =
        parts_.volumes.begin_copy(place_, {job_.volume, piece_bytes_, roots_}, target, news_);
    if (!begun) {
        return begun.error().code == Errc::purged ? CopyEnd::drop : CopyEnd::again;
    }
    // Before the pieces are given back the swarm must have stopped writing them.
    struct Loaded {
        SwarmVolumes& volumes;
        const SwarmPlace& place;
        bool keep{};
        ~Loaded() { keep ? volumes.keep_copy(place) : volumes.end_copy(place); }
    } loaded{parts_.volumes, place_};
    const CopyEnd end = collect(target, reserved);
    loaded.keep = end == CopyEnd::done;
    return end;
}

std::optional<CopyEnd> VolumeCopy::take(const CopyNews::State& state, const CopyTarget& target,
                                        Reserved& reserved) {
    if (state.canceled) return CopyEnd::drop;
    if (state.lost != 0) return CopyEnd::disk;
    if (state.ended) return CopyEnd::again;
    if (state.failed) return end_for(*state.failed);
    durable_ |= state.durable;
    if ((state.pieces | state.durable) != 0) moved_ = steady_clock::now();
    reserved.hand_over(state.pieces, [&](std::uint32_t piece) {
        const PiecePlace place{job_.volume.transfer, job_.volume.volume, piece};
        PK_FAULT("copy.piece");
        parts_.committer.add(
            {place, target.file, piece_bytes_, roots_[piece], [news = news_, piece](bool durable) {
                 const std::uint64_t bit = std::uint64_t{1} << piece;
                 news->tell(
                     [&](CopyNews::State& all) { (durable ? all.durable : all.lost) |= bit; });
             }});
    });
    return std::nullopt;
}

Result<RelayCalls::Place> VolumeCopy::ask(const OtherRelay& relay) {
    return calls_.swarm(relay, job_.ticket_text, job_.volume, place_.kind == SwarmKind::plain);
}

/// A peer that is named before we are ready is connected at once; later, when others have connected
/// to us, it could take a second. So the first relay is asked first, but not for long, since the
/// next in the chain waits for us.
void VolumeCopy::ask_early() {
    const auto end = steady_clock::now() + early_time;
    do {
        auto place = ask(upstreams_.front());
        if (place) early_ = std::move(*place);
        if (place || !is_later(place.error().code)) return;
    } while (!news_->wait(ask_rest).canceled && steady_clock::now() < end);
}

bool VolumeCopy::connect(const RelayCalls::Place& place) {
    connected_ = parts_.volumes.connect(place_, place.address, place.port) || connected_;
    asking_ = false;
    moved_ = steady_clock::now();
    ++asked_; // who is asked next if nothing comes
    return connected_;
}

/// Whoever it was of those we are connected to: looking at one volume costs the others little.
void VolumeCopy::tell_of_bad_bytes() {
    for (; told_bad_ < std::min(asked_, upstreams_.size()); ++told_bad_) {
        // If it does not hear us, its next scrub finds the damage.
        static_cast<void>(calls_.check(upstreams_[told_bad_], job_.ticket_text, job_.volume));
    }
}

/// One question to the relay whose turn it is; gives an end when nobody is left.
std::optional<CopyEnd> VolumeCopy::keep_asking() {
    if (asked_ >= upstreams_.size()) {
        asking_ = false;
        asked_ = 0;
        if (!connected_) return CopyEnd::again;
        moved_ = std::max(moved_, steady_clock::now() - stall_time / 2); // and round again
        return std::nullopt;
    }
    const auto place = ask(upstreams_[asked_]);
    if (place) {
        if (!connect(*place)) return CopyEnd::again;
        return std::nullopt;
    }
    const Errc code = place.error().code;
    if (code == Errc::expired) return CopyEnd::drop; // the next sync brings a new ticket
    if (!is_later(code) || steady_clock::now() - asking_since_ >= ask_time) {
        ++asked_;
        asking_since_ = steady_clock::now();
    }
    return std::nullopt;
}

CopyEnd VolumeCopy::collect(const CopyTarget& target, Reserved& reserved) {
    const auto begun = steady_clock::now();
    bool ready = false;
    auto last_durable = begun;
    if (early_ && !connect(*early_)) return CopyEnd::again;
    while ((durable_ & target.missing) != target.missing) {
        const auto state = news_->wait(asking_ ? ask_rest : milliseconds{500});
        if (const auto end = take(state, target, reserved)) return *end;
        const auto now = steady_clock::now();
        if (state.durable != 0) last_durable = now;
        if (now - last_durable > give_up_time) return CopyEnd::again;
        if (state.ready) {
            ready = true;
            asking_since_ = now;
        }
        if (!ready) { // whoever is told must be able to connect: first we, then the others
            if (now - begun > ready_time) return CopyEnd::again;
            continue;
        }
        if (state.bad_peer) tell_of_bad_bytes();
        if (!asking_ && (state.bad_peer || now - moved_ > stall_time)) {
            asking_ = true;
            asking_since_ = now;
        }
        if (!asking_) continue;
        if (const auto end = keep_asking()) return *end;
    }
    return CopyEnd::done;
}

} // namespace plankurier::relay::pieces
