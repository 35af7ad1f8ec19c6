#pragma once
/// What happens to the connections of a volume, told by libtorrent's plugins on its network thread.
/// Alerts would tell the same, but may be dropped.

#include "engine/swarm/disk.hpp"
#include "engine/swarm/door.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/socket.hpp>

namespace plankurier::swarm {

struct Note {
    enum class Kind {
        checked,  ///< the torrent can be resumed
        resumed,  ///< the torrent takes part
        attached, ///< a connection begins
        greeted,  ///< its peer said hello
        detached, ///< it is over
        report    ///< `event` is to be told
    };
    Kind kind{};
    VolumeName volume;
    std::uint64_t load{}; ///< which time the volume was added: old notes are for nobody
    lt::tcp::endpoint peer;
    bool outgoing{}; ///< we connected
    bool greeted{};  ///< detached: it was
    bool banned{};   ///< detached: for bytes that were not those of the volume
    SwarmEvent event;
};
using Notify = std::function<void(Note)>;

/// When the backing of a volume cannot be read, nobody's interest is heard, and so nobody is ever
/// unchoked.
[[nodiscard]] std::shared_ptr<lt::torrent_plugin>
watch_volume(std::shared_ptr<DiskVolume> volume, Counters& counters, Door& door, Notify notify);

} // namespace plankurier::swarm
