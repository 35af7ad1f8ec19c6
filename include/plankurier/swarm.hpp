#pragma once
/// Volumes as private BitTorrent v2 torrents (BEP 52): served, copied and fetched between
/// authenticated peers. The one place of the project that stands on libtorrent; nothing of it
/// shows here.
///
/// What libtorrent says never makes anything durable: a piece counts when its owner has synced and
/// committed it after `piece` (see SwarmEvent). Nothing is announced anywhere: no tracker, DHT,
/// LSD, PEX, UPnP or uTP; peers are those that `connect` names and those that present a
/// certificate.

#include <plankurier/envelope.hpp>
#include <plankurier/layout.hpp>
#include <plankurier/sealing.hpp>
#include <plankurier/secret.hpp>
#include <plankurier/source.hpp>

#include <functional>
#include <map>
#include <memory>

namespace plankurier {

/// Names one volume of one transfer.
struct VolumeName {
    TransferId transfer;
    std::uint32_t volume{};
    friend auto operator<=>(const VolumeName&, const VolumeName&) = default;
};

/// Everything a torrent is made from. The caller has checked the roots against a descriptor.
struct SwarmVolume {
    VolumeName name;
    std::uint64_t piece_bytes{};      ///< of every piece; a power of two, at least 256 KiB
    std::vector<Hash256> piece_roots; ///< 1 to 64
    /// Sealed bytes of the volume.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return piece_bytes * piece_roots.size(); }
};

/// Where the sealed bytes of one volume come from and go to. Called from the swarm's worker
/// threads, for different segments at once; must not call the swarm; used until `Swarm::remove`.
class VolumeBacking {
public:
    virtual ~VolumeBacking() = default;
    /// Fills `out` (whole segments, segment_bytes each) with the sealed bytes at `offset` of the
    /// volume. Fails with `file_unreadable`, `file_changed`.
    [[nodiscard]] virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) = 0;
    /// Takes one whole segment that arrived, in a buffer that it may change. It may not be what the
    /// volume should hold: the piece root is checked afterwards. Fails with `tampered`,
    /// `no_space`, `file_unreadable`.
    [[nodiscard]] virtual Result<void> write(std::uint64_t offset,
                                             std::span<std::byte> segment) = 0;
    /// Whether it can be read from. If not, nothing of the volume is ever offered to a peer. Always
    /// the same.
    [[nodiscard]] virtual bool serves() const noexcept { return true; }
};

/// *stored* (relay): a volume file of sealed bytes, read and written where they belong. The
/// descriptor stays open as long as the backing lives and is closed with it.
[[nodiscard]] std::shared_ptr<VolumeBacking> stored_backing(int fd);
/// Takes the plaintext of the body at an offset (bytes of the body, not of the volume). Called from
/// several threads. Fails as `VolumeBacking::write`.
using PlainSink = std::function<Result<void>(std::uint64_t body_offset, ByteView plain)>;
/// *opened* (recipient): every segment is opened, and so authenticated, on arrival, and its
/// plaintext goes to `sink` once. Cannot be read from: a recipient serves nobody.
[[nodiscard]] std::shared_ptr<VolumeBacking>
opened_backing(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
               const BodyLayout& layout, std::uint32_t volume, PlainSink sink);
/// *sealed* (sender): segments are read and sealed when asked for; the same bytes each time.
/// `source` outlives the backing. Cannot be written to.
[[nodiscard]] std::shared_ptr<VolumeBacking>
sealed_backing(const TransferKey& key, const TransferId& transfer, const FloeHeader& header,
               const BodyLayout& layout, std::uint32_t volume, const BodySource& source);

/// Proof of being invited to one transfer: an X.509 certificate whose only name is CN = the 32 hex
/// digits of the transfer id (no SAN), issued by the authority's own CA for some hours. Everything
/// is PEM. libtorrent compares CN as a prefix of the torrent's name (`<tid hex><8 hex of volume>`),
/// so that one certificate is good for all volumes of a transfer and for nothing else.
struct SwarmCertificate {
    std::string authority, certificate;
    SecretText private_key;
};

struct SwarmSettings {
    /// Numeric address and TCP port to listen on; port 0 takes a free one.
    std::string listen_address{"127.0.0.1"};
    std::uint16_t port{};
    /// TLS only (the default): a peer without the right certificate gets no BitTorrent byte and
    /// reaches no parser. False: plain TCP between relays in a network that the operator trusts;
    /// then `peers_allowed` must not be empty.
    bool tls{true};
    /// Plain TCP: numeric addresses or networks ("10.1.0.0/16") that may connect; all others are
    /// closed before a byte is read.
    std::vector<std::string> peers_allowed;
    /// Memory for segments on their way, all volumes together; at least 4 MiB.
    std::uint64_t pool_bytes_max{std::uint64_t{64} << 20};
    unsigned workers{2};                    ///< threads that hash, read and write
    std::uint64_t upload_bytes_per_s_max{}; ///< 0: no limit
    unsigned quiet_after_s{30};             ///< see SwarmEvent::Kind::quiet
};

struct SwarmEvent {
    enum class Kind {
        ready,    ///< the volume is loaded: now others may be told
        piece,    ///< a piece came whole, has the right root and was written by its backing
        complete, ///< all pieces are there; not for a volume that was added with all
        quiet,    ///< nobody was connected for `quiet_after_s` (told again after as long)
        bad_peer, ///< `peer` sent bytes that do not have the right root, and was banned
        failed ///< the volume stopped: `error` (tampered, no_space, file_unreadable, network …)
    };
    Kind kind{};
    VolumeName volume;
    std::uint32_t piece{}; ///< in the volume
    std::string peer;      ///< numeric address:port
    Error error{};
};

/// One BitTorrent session. All functions may be called from any thread; events come one at a time
/// on a thread of the swarm, which must not call `remove` or destroy the swarm from within.
class Swarm {
public:
    using Listener = std::function<void(const SwarmEvent&)>;
    /// Starts listening. Throws std::runtime_error when it cannot, or for settings that make no
    /// sense (plain TCP without `peers_allowed`).
    Swarm(const SwarmSettings& settings, Listener listener);
    ~Swarm();
    Swarm(const Swarm&) = delete;
    Swarm& operator=(const Swarm&) = delete;

    /// The port that peers connect to.
    [[nodiscard]] std::uint16_t port() const noexcept;

    /// Loads a volume; `have` tells by bit i whether piece i is there already (all: it only
    /// serves). `ready` follows within milliseconds. `certificate` is needed exactly with TLS.
    /// Fails with `exists`, `invalid_argument` (roots, piece size, certificate).
    [[nodiscard]] Result<void> add(const SwarmVolume& volume,
                                   std::shared_ptr<VolumeBacking> backing, std::uint64_t have,
                                   const SwarmCertificate* certificate);
    /// Connects a volume to a peer that has it `ready`, at once (the sequence of
    /// docs/architecture.md, "Swarm"), and again after a broken line until it is complete or
    /// removed. Only one side of a pair connects. Peers named before the volume's own `ready` are
    /// all connected at once; one that is named while other connections live waits for libtorrent's
    /// next tick, up to 1 s. Fails with `not_found`, `invalid_argument` (with plain TCP also for an
    /// address that is not allowed).
    [[nodiscard]] Result<void> connect(const VolumeName& volume, const std::string& address,
                                       std::uint16_t port);
    /// Unloads a volume. When it returns, no further byte of it is served and its backing is not
    /// used any more. Unknown volumes are fine.
    void remove(const VolumeName& volume);

    struct Totals {
        std::uint64_t sent_bytes{}, received_bytes{}, redundant_bytes{};
        std::size_t volumes{}, peers{};
        std::uint64_t pool_bytes{}; ///< memory held for segments now
    };
    [[nodiscard]] Totals totals() const;
    /// The settings that the running session really has, by libtorrent's names, for the test that
    /// compares them with what they must be.
    [[nodiscard]] std::map<std::string, std::int64_t> live_settings() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier
