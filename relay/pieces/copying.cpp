#include "relay/pieces/copying.hpp"

namespace plankurier::relay::pieces {

Copying::Copying(Catalog& catalog, Committer& committer, const Relays& relays, const Lease& lease,
                 ControlCalls& control, const CopyingSettings& settings,
                 std::function<void()> stored)
    : catalog_(catalog), relays_(relays), trusted_(settings.trusted_networks),
      certificates_(control, lease),
      volumes_(catalog, certificates_, settings.socket, SwarmVolumes::Times{}),
      copier_({catalog, committer, volumes_, relays, trusted_}, lease, settings.ca_file,
              settings.disk_rest,
              [&catalog, stored = std::move(stored)](const TransferId& transfer) {
                  if (catalog.complete(transfer)) stored();
              }),
      healer_(catalog, relays, copier_, settings.ca_file, settings.heal_bytes_per_s),
      pusher_(relays, settings.ca_file) {}

Result<void> Copying::note(CopyJob job) {
    if (!relays_.knows(job.from) || job.from == relays_.self()) {
        return fail(Errc::not_found, "relay");
    }
    const auto descriptor = decode_descriptor(job.descriptor);
    const auto layout = BodyLayout::from_body_len(job.ticket.body_len);
    if (!descriptor || !layout || descriptor->volume != job.volume.volume ||
        job.volume.volume >= layout->volumes()) {
        return fail(Errc::malformed, "descriptor");
    }
    const auto here = catalog_.is_whole(job.ticket, job.volume.volume);
    if (here && *here) return {};
    if (!here && here.error().code != Errc::not_found) return tl::unexpected(here.error());
    if (!here && is_full_) return fail(Errc::no_space, "full");
    return copier_.note(std::move(job));
}

void Copying::want(const Ticket& ticket, std::uint32_t volume, SwarmKind kind,
                   SwarmVolumes::Told told) {
    // What is not whole may still be one that is being copied: the swarm's table knows.
    if (const auto here = catalog_.is_whole(ticket, volume); !here) {
        told(tl::unexpected(here.error()));
        return;
    }
    volumes_.want({{ticket.transfer, volume}, kind}, std::move(told));
}

void Copying::stop(const TransferId& transfer) {
    copier_.cancel(transfer);
    volumes_.unload(transfer);
}

} // namespace plankurier::relay::pieces
