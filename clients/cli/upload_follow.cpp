// The coordinator's half of an upload: maps, descriptors, receipts.
#include <clients/cli/signals.hpp>
#include <clients/cli/upload.hpp>
#include <clients/cli/upload_lane.hpp>

#include <plankurier/fault.hpp>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// One step at one relay; when it does not succeed, the upload goes on without that relay. One that
/// is stuck is not tried again as long as others can stand in for it.
Result<void> Upload::ask(std::size_t relay, const RetryRule& rule,
                         const std::function<Result<void>()>& step) {
    std::optional<Error> stuck;
    auto done = with_retries(
        rule,
        [&]() -> Result<void> {
            const auto& url = job_.relays[relay].url;
            auto one = hedge_.is_stuck(url) ? Result<void>{fail(Errc::network, "stuck")} : step();
            if (one || !several() || !hedge_.is_stuck(url)) return one;
            stuck = one.error();
            return {};
        },
        watcher_.waiting);
    if (stuck) done = tl::unexpected(*stuck);
    if (!done && give_up(relay, done.error())) return {};
    return done;
}

Result<void> Upload::read_map(std::size_t relay) {
    const auto map = coordinator_.map(job_.relays[relay]);
    if (!map) return tl::unexpected(map.error());
    const std::lock_guard guard{mutex_};
    return plan_.take_map(relay, *map);
}

Result<void> Upload::read_all_maps() {
    for (std::size_t relay = 0; relay < job_.relays.size(); ++relay) {
        auto read = ask(relay, patience(), [&] { return read_map(relay); });
        if (!read) return read;
    }
    const std::lock_guard guard{mutex_};
    plan_.choose_entries();
    return {};
}

Result<void> Upload::sample_durable() {
    std::vector<std::uint64_t> known;
    {
        const std::lock_guard guard{mutex_};
        for (const auto& [piece, root] : roots_) {
            if (piece < job_.layout.pieces() && plan_.durable(piece)) known.push_back(piece);
        }
    }
    if (known.empty()) return {};
    if (!job_.touched) {
        // Size, time and samples of each file agree: three pieces will do.
        for (std::size_t at = 0; at < std::min<std::size_t>(3, known.size()); ++at) {
            std::array<std::byte, 4> dice{};
            fill_random(dice);
            std::uint32_t value = 0;
            for (const auto part : dice) value = value << 8 | std::to_integer<std::uint32_t>(part);
            std::swap(known[at], known[at + value % (known.size() - at)]);
        }
        known.resize(std::min<std::size_t>(3, known.size()));
    }
    return compare(known);
}

/// Reads the pieces again and seals them as before.
Result<void> Upload::compare(const std::vector<std::uint64_t>& pieces) {
    PieceStream stream{job_.key, job_.transfer, job_.header, job_.layout, job_.source};
    Bytes buffer(segment_bytes);
    for (const auto piece : pieces) {
        if (interrupted()) return fail(Errc::canceled, "compare");
        stream.start(piece);
        while (stream.produce(buffer) > 0) {
        }
        if (stream.error()) return tl::unexpected(*stream.error());
        if (stream.root() != roots_.at(piece)) return changed(piece, "sample");
    }
    return {};
}

/// A file had another time while it was read, and may have been written to between two samples. So
/// all that was sealed is compared, until no file is touched meanwhile: what counts is then what
/// lay there at one moment.
Result<void> Upload::confirm_touched() {
    constexpr unsigned rounds_max = 3;
    for (unsigned round = 1; job_.source.touches() != confirmed_touches_; ++round) {
        if (round > rounds_max) {
            job_.source.blame(0, job_.layout.body_len());
            return fail(Errc::file_changed, "touched again and again");
        }
        confirmed_touches_ = job_.source.touches();
        std::vector<std::uint64_t> sealed;
        for (const auto& [piece, root] : roots_) {
            if (piece < job_.layout.pieces()) sealed.push_back(piece);
        }
        if (auto same = compare(sealed); !same) return same;
    }
    return {};
}

/// Sealing is deterministic, so other bytes in a piece mean another file.
tl::unexpected<Error> Upload::changed(std::uint64_t piece, const char* where) {
    const std::uint64_t plain_bytes =
        job_.layout.piece_bytes() / segment_bytes * segment_plain_bytes;
    job_.source.blame(piece * plain_bytes, plain_bytes);
    return fail(Errc::file_changed, where);
}

std::optional<Bytes> Upload::descriptor(std::uint32_t volume) const {
    std::vector<Hash256> roots;
    const auto first = std::uint64_t{volume} * volume_pieces_max;
    for (std::uint32_t piece = 0; piece < job_.layout.pieces_in_volume(volume); ++piece) {
        const auto root = roots_.find(first + piece);
        if (root == roots_.end()) return std::nullopt;
        roots.push_back(root->second);
    }
    return encode_descriptor(make_descriptor(job_.key, job_.transfer, volume,
                                             job_.layout.piece_bytes(), std::move(roots)));
}

/// One that an earlier start has sealed, and whose roots this one has not: only we can have made
/// one whose MAC is right.
Result<Bytes> Upload::descriptor_from_relays(std::uint32_t volume) {
    Error last{Errc::unavailable, "descriptor"};
    for (const RelayAddress& relay : job_.relays) {
        auto bytes = coordinator_.get_descriptor(relay, volume);
        if (!bytes) {
            last = bytes.error();
            continue;
        }
        const auto decoded = decode_descriptor(*bytes);
        if (decoded && decoded->volume == volume &&
            check_descriptor(job_.key, job_.transfer, job_.layout, *decoded)) {
            return bytes;
        }
    }
    if (last.code == Errc::not_found) last.code = Errc::unavailable; // it was there a moment ago
    return tl::unexpected(last);
}

Result<Hash256> Upload::sealed_content() {
    std::vector<Bytes> encoded;
    for (std::uint32_t volume = 0; volume < job_.layout.volumes(); ++volume) {
        if (auto known = descriptor(volume)) {
            encoded.push_back(std::move(*known));
            continue;
        }
        auto read = with_retries(
            job_.retry, [&] { return descriptor_from_relays(volume); }, watcher_.waiting);
        if (!read) return tl::unexpected(read.error());
        encoded.push_back(std::move(*read));
    }
    return content_root(encoded);
}

Result<void> Upload::deliver(std::uint32_t volume, std::size_t relay) {
    const auto bytes = descriptor(volume);
    if (!bytes) return {}; // its lane has told the plan, but not yet us
    auto put = coordinator_.put_descriptor(job_.relays[relay], volume, *bytes);
    if (!put && put.error().code == Errc::conflict) return {}; // not durable after all
    if (!put) return put;
    PK_FAULT("cli.upload.after_descriptor");
    const std::lock_guard guard{mutex_};
    plan_.described(volume, relay);
    return {};
}

Result<void> Upload::deliver_descriptors(bool patiently) {
    std::vector<std::pair<std::uint32_t, std::size_t>> ready;
    {
        const std::lock_guard guard{mutex_};
        for (const auto volume : plan_.ready()) ready.emplace_back(volume, plan_.entry(volume));
    }
    for (const auto& [volume, relay] : ready) {
        const auto step = [&, at = volume, to = relay] { return deliver(at, to); };
        auto delivered = patiently ? ask(relay, patience(), step) : step();
        if (!delivered) return delivered;
    }
    return {};
}

/// What happens beside the running lanes: a volume that arrived whole is described as soon as it
/// is durable, so that the relays can copy it while the next ones are sent.
Result<void> Upload::follow_durable() {
    std::vector<std::size_t> relays;
    {
        const std::lock_guard guard{mutex_};
        relays = plan_.to_ask();
    }
    for (const auto relay : relays) {
        if (auto read = read_map(relay); !read) return read;
    }
    return relays.empty() ? Result<void>{} : deliver_descriptors(false);
}

Result<void> Upload::settle() {
    // A relay that restarted has forgotten what was received but not durable: after a while
    // without progress what is missing is sent once more.
    std::uint64_t before = 0;
    auto since = steady_clock::now();
    bool told = false;
    for (milliseconds pause{1};; pause = std::min(2 * pause, milliseconds{64})) {
        std::vector<std::size_t> relays;
        {
            const std::lock_guard guard{mutex_};
            relays = plan_.to_ask();
        }
        for (const auto relay : relays) {
            auto read = ask(relay, patience(), [&] { return read_map(relay); });
            if (!read) return read;
        }
        if (auto delivered = deliver_descriptors(true); !delivered) return delivered;
        {
            const std::lock_guard guard{mutex_};
            if (plan_.complete() || plan_.has_task()) return {};
            if (plan_.durable_pieces() != before) since = steady_clock::now();
            before = plan_.durable_pieces();
            if (steady_clock::now() - since > seconds{10}) {
                // They say that a volume is durable, and do not take its descriptor since it is
                // not.
                for (const auto relay : plan_.lose_refusing()) lost_.push_back(relay);
                plan_.forget_received();
                return {};
            }
        }
        if (!told && steady_clock::now() - since > seconds{1}) {
            watcher_.settling();
            told = true;
        }
        if (!pause_for(pause)) return fail(Errc::canceled, "settle");
    }
}

Result<void> Upload::begin() {
    if (!job_.resumed) return {};
    if (auto read = read_all_maps(); !read) return read;
    if (auto same = sample_durable(); !same) return same;
    std::uint64_t durable = 0;
    {
        const std::lock_guard guard{mutex_};
        durable = plan_.durable_pieces();
    }
    if (durable > 0) {
        watcher_.resumed(static_cast<unsigned>(durable * 100 / job_.layout.pieces()));
    }
    return {};
}

Result<void> Upload::work_through() {
    std::uint64_t before = 0;
    for (unsigned idle_rounds = 0;;) {
        bool more = false;
        {
            const std::lock_guard guard{mutex_};
            if (plan_.complete()) return {};
            more = plan_.has_task();
            idle_rounds = plan_.durable_pieces() > before ? 0 : idle_rounds + 1;
            before = plan_.durable_pieces();
        }
        if (idle_rounds > job_.retry.retries + job_.relays.size()) {
            return fail(Errc::unavailable, "never durable");
        }
        if (more) {
            if (auto sent = send_round(); !sent) return sent;
        }
        if (auto settled = settle(); !settled) return settled;
    }
}

Result<void> Upload::run() {
    std::uint64_t before = 0;
    bool begun = false;
    for (unsigned attempt = 1;; ++attempt) {
        auto done = begun ? Result<void>{} : begin();
        begun = begun || done;
        if (done) done = work_through();
        if (done) break;
        // One relay alone was waited for already. Of several, none answers: most likely it is our
        // own line.
        const bool full = done.error().code == Errc::no_space;
        if (!several() || !(RetryRule::worth_it(done.error().code) || full)) return done;
        if (full && watcher_.no_room) watcher_.no_room();
        {
            const std::lock_guard guard{mutex_};
            if (plan_.arrived_pieces() > before) attempt = 1;
            before = plan_.arrived_pieces();
            plan_.revive();
        }
        if (attempt > job_.retry.retries) return done;
        const auto wait = RetryRule::wait_seconds(attempt);
        watcher_.waiting(wait);
        if (!pause_for(seconds{wait})) return fail(Errc::canceled, "retry");
        job_.resumed = true; // what arrived before is looked for at all of them
        if (begun) {
            if (auto read = read_all_maps(); !read) continue;
        }
    }
    if (auto confirmed = confirm_touched(); !confirmed) return confirmed;
    watcher_.progress(job_.layout.sealed_bytes(), job_.layout.sealed_bytes());
    return {};
}

Result<std::string> Upload::stored(std::size_t relay) {
    if (hedge_.is_stuck(job_.relays[relay].url)) return fail(Errc::network, "stuck");
    return (several() ? asker_ : coordinator_).stored(job_.relays[relay]);
}

std::optional<std::uint64_t> Upload::stored_pieces() {
    std::optional<std::uint64_t> out;
    for (std::size_t relay = 0; relay < job_.relays.size(); ++relay) {
        if (hedge_.is_stuck(job_.relays[relay].url)) continue;
        const auto map = (several() ? asker_ : coordinator_).map(job_.relays[relay]);
        if (!map) continue;
        std::uint64_t pieces = 0;
        for (const VolumeMap& volume : *map) {
            pieces += std::uint64_t{volume.descriptor};
            for (std::uint32_t piece = 0; piece < 8 * volume.durable.size(); ++piece) {
                pieces += std::uint64_t{volume.has(piece)};
            }
        }
        out = out.value_or(0) + pieces;
        const std::lock_guard guard{mutex_};
        if (!plan_.take_map(relay, *map)) return std::nullopt;
    }
    return out;
}

bool Upload::gather() {
    std::optional<std::size_t> target;
    {
        const std::lock_guard guard{mutex_};
        target = plan_.gather();
    }
    if (target && watcher_.gathering) watcher_.gathering(*target);
    return target.has_value();
}

bool Upload::review() {
    {
        const std::lock_guard guard{mutex_};
        plan_.revive();
    }
    for (std::size_t relay = 0; relay < job_.relays.size(); ++relay) {
        const auto read = ask(relay, RetryRule{0}, [&] { return read_map(relay); });
        if (!read) return false; // nobody answers
    }
    const std::lock_guard guard{mutex_};
    plan_.forget_lost();
    return !plan_.complete();
}

} // namespace plankurier::cli
