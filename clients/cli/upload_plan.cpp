#include <clients/cli/upload_plan.hpp>

#include <algorithm>
#include <bit>
#include <set>

namespace plankurier::cli {

void sort_relays(std::vector<RelayAddress>& relays, const TransferId& transfer) {
    std::sort(relays.begin(), relays.end(),
              [](const RelayAddress& a, const RelayAddress& b) { return a.id < b.id; });
    const auto first = std::to_integer<std::size_t>(transfer.bytes[0]) % relays.size();
    std::rotate(relays.begin(), relays.begin() + static_cast<std::ptrdiff_t>(first), relays.end());
}

UploadPlan::UploadPlan(const BodyLayout& layout, std::size_t relays)
    : layout_(layout), alive_(relays, true), seen_(relays, std::vector<Mask>(layout.volumes())),
      descriptors_(relays, std::vector<bool>(layout.volumes())), entry_(layout.volumes()),
      known_(layout.volumes()), received_(layout.volumes()), flying_(layout.volumes()),
      gathered_(relays) {
    expects(relays > 0, "an upload without relays");
    choose_entries();
}

std::uint32_t UploadPlan::volume_of(std::uint64_t piece) noexcept {
    return static_cast<std::uint32_t>(piece / volume_pieces_max);
}
UploadPlan::Mask UploadPlan::bit_of(std::uint64_t piece) noexcept {
    return Mask{1} << (piece % volume_pieces_max);
}
UploadPlan::Mask UploadPlan::all(std::uint32_t volume) const {
    return ~Mask{0} >> (volume_pieces_max - layout_.pieces_in_volume(volume));
}

UploadPlan::Mask UploadPlan::wanted(std::uint32_t volume) const {
    if (is_described(volume)) return 0;
    const auto durable = seen_[entry_[volume]][volume] & known_[volume];
    return all(volume) & ~(durable | received_[volume] | flying_[volume]);
}

bool UploadPlan::is_described(std::uint32_t volume) const {
    if (target_) return descriptors_[*target_][volume];
    return std::any_of(descriptors_.begin(), descriptors_.end(),
                       [&](const std::vector<bool>& of_relay) { return of_relay[volume]; });
}

std::size_t UploadPlan::next_alive(std::size_t from) const {
    for (std::size_t step = 0; step < alive_.size(); ++step) {
        const auto relay = (from + step) % alive_.size();
        if (alive_[relay]) return relay;
    }
    return from % alive_.size();
}

void UploadPlan::move(std::uint32_t volume, std::size_t relay) {
    if (entry_[volume] == relay) return;
    entry_[volume] = relay;
    received_[volume] = 0;
    first_ = std::min(first_, volume);
}

void UploadPlan::know_root(std::uint64_t piece) {
    if (piece < layout_.pieces()) known_[volume_of(piece)] |= bit_of(piece);
}

Result<void> UploadPlan::take_map(std::size_t relay, const std::vector<VolumeMap>& map) {
    std::vector<Mask> seen(layout_.volumes());
    std::vector<bool> descriptors(layout_.volumes());
    for (const auto& volume : map) {
        if (volume.volume >= layout_.volumes()) return fail(Errc::malformed, "map");
        const auto pieces = layout_.pieces_in_volume(volume.volume);
        for (std::uint32_t piece = 0; piece < pieces; ++piece) {
            if (volume.has(piece)) seen[volume.volume] |= bit_of(piece);
        }
        descriptors[volume.volume] =
            volume.descriptor && (relay != target_ || descriptors_[relay][volume.volume]);
    }
    seen_[relay] = std::move(seen);
    descriptors_[relay] = std::move(descriptors);
    return {};
}

void UploadPlan::choose_entries() {
    first_ = 0;
    if (target_) return;
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        if (is_described(volume)) continue;
        auto best = next_alive(volume);
        for (std::size_t step = 1; step < alive_.size(); ++step) {
            const auto relay = (volume + step) % alive_.size();
            const bool more =
                std::popcount(seen_[relay][volume]) > std::popcount(seen_[best][volume]);
            if (alive_[relay] && more) best = relay;
        }
        move(volume, best);
    }
}

std::optional<UploadPlan::Task> UploadPlan::take() {
    while (first_ < layout_.volumes() && wanted(first_) == 0) ++first_;
    if (first_ == layout_.volumes()) return std::nullopt;
    const auto piece = static_cast<std::uint64_t>(std::countr_zero(wanted(first_)));
    flying_[first_] |= bit_of(piece);
    return Task{std::uint64_t{first_} * volume_pieces_max + piece, entry_[first_]};
}

void UploadPlan::received(const Task& task) {
    const auto volume = volume_of(task.piece);
    know_root(task.piece);
    if (entry_[volume] != task.relay) {
        give_back(task); // the volume has moved while this piece was on its way
        return;
    }
    flying_[volume] &= ~bit_of(task.piece);
    received_[volume] |= bit_of(task.piece);
}

void UploadPlan::give_back(const Task& task) {
    const auto volume = volume_of(task.piece);
    flying_[volume] &= ~bit_of(task.piece);
    first_ = std::min(first_, volume);
}

void UploadPlan::nothing_flies() {
    std::fill(flying_.begin(), flying_.end(), 0);
    first_ = 0;
}

void UploadPlan::forget_received() {
    std::fill(received_.begin(), received_.end(), 0);
    first_ = 0;
}

std::vector<std::uint32_t> UploadPlan::ready() const {
    std::vector<std::uint32_t> volumes;
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        const auto durable = seen_[entry_[volume]][volume] & known_[volume];
        if (durable == all(volume) && !is_described(volume)) volumes.push_back(volume);
    }
    return volumes;
}

void UploadPlan::described(std::uint32_t volume, std::size_t relay) {
    descriptors_[relay][volume] = true;
}

std::vector<std::size_t> UploadPlan::to_ask() const {
    std::vector<bool> asked(alive_.size());
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        const bool whole = wanted(volume) == 0 && flying_[volume] == 0;
        if (whole && !is_described(volume)) asked[entry_[volume]] = true;
    }
    std::vector<std::size_t> relays;
    for (std::size_t relay = 0; relay < asked.size(); ++relay) {
        if (asked[relay] && alive_[relay]) relays.push_back(relay);
    }
    return relays;
}

bool UploadPlan::lose(std::size_t relay) {
    if (!alive_[relay]) return true;
    if (std::count(alive_.begin(), alive_.end(), true) == 1) return false;
    alive_[relay] = false;
    if (target_ == relay) target_.reset();
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        if (entry_[volume] == relay && !is_described(volume)) move(volume, next_alive(relay));
    }
    return true;
}

std::vector<std::size_t> UploadPlan::lose_refusing() {
    // First all of them: whoever takes over a volume has not been offered anything yet.
    std::set<std::size_t> refusing;
    for (const auto volume : ready()) refusing.insert(entry_[volume]);
    std::vector<std::size_t> lost;
    for (const auto relay : refusing) {
        if (alive_[relay] && lose(relay)) lost.push_back(relay);
    }
    return lost;
}

void UploadPlan::revive() { alive_.assign(alive_.size(), true); }

void UploadPlan::forget_lost() {
    for (std::size_t relay = 0; relay < alive_.size(); ++relay) {
        if (alive_[relay]) continue;
        std::fill(descriptors_[relay].begin(), descriptors_[relay].end(), false);
        std::fill(seen_[relay].begin(), seen_[relay].end(), 0);
    }
    choose_entries();
}

std::optional<std::size_t> UploadPlan::gather() {
    const auto claims = [&](std::size_t relay) {
        const auto& all = descriptors_[relay];
        const auto count = std::count(all.begin(), all.end(), true);
        return count == static_cast<std::ptrdiff_t>(all.size()) ? -1 : count;
    };
    std::optional<std::size_t> best;
    for (std::size_t relay = 0; relay < alive_.size(); ++relay) {
        if (!alive_[relay] || gathered_[relay]) continue;
        if (!best || claims(relay) > claims(*best)) best = relay;
    }
    if (!best) return std::nullopt;
    gathered_[*best] = true;
    target_ = best;
    std::fill(descriptors_[*best].begin(), descriptors_[*best].end(), false);
    forget_received();
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) move(volume, *best);
    return best;
}

bool UploadPlan::complete() const {
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        if (!is_described(volume)) return false;
    }
    return true;
}

bool UploadPlan::has_task() const {
    for (auto volume = first_; volume < layout_.volumes(); ++volume) {
        if (wanted(volume) != 0) return true;
    }
    return false;
}

bool UploadPlan::durable(std::uint64_t piece) const {
    const auto volume = volume_of(piece);
    return is_described(volume) || (seen_[entry_[volume]][volume] & bit_of(piece)) != 0;
}

std::uint64_t UploadPlan::durable_pieces() const {
    std::uint64_t pieces = 0;
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        const auto mask = is_described(volume) ? all(volume) : seen_[entry_[volume]][volume];
        pieces += static_cast<std::uint64_t>(std::popcount(mask));
    }
    return pieces;
}

std::uint64_t UploadPlan::arrived_pieces() const {
    std::uint64_t pieces = 0;
    for (std::uint32_t volume = 0; volume < layout_.volumes(); ++volume) {
        const auto here = seen_[entry_[volume]][volume] | received_[volume];
        pieces += static_cast<std::uint64_t>(
            std::popcount(is_described(volume) ? all(volume) : here & all(volume)));
    }
    return pieces;
}

} // namespace plankurier::cli
