#include <clients/cli/upload.hpp>

#include <clients/cli/upload_lane.hpp>

#include <plankurier/fault.hpp>

#include <thread>

namespace plankurier::cli {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// What one lane's thread owns.
struct Upload::Lane {
    PieceStream stream;
    PieceClient client;
    explicit Lane(Upload& upload)
        : stream(upload.job_.key, upload.job_.transfer, upload.job_.header, upload.job_.layout,
                 upload.job_.source),
          client(upload.settings_, upload.tickets_, upload.job_.transfer) {}

    /// One attempt to send one piece.
    Result<Hash256> send(Upload& upload, std::uint64_t piece) {
        stream.start(piece);
        const auto volume = static_cast<std::uint32_t>(piece / volume_pieces_max);
        const auto in_volume = static_cast<std::uint32_t>(piece % volume_pieces_max);
        std::int64_t counted = 0;
        const auto uncount = [&] { upload.round_bytes_ -= std::exchange(counted, 0); };
        auto answer = client.put_piece(
            upload.job_.relay, volume, in_volume, upload.job_.layout.piece_bytes(),
            [&](std::span<std::byte> out) -> std::size_t {
                if (upload.stop_) return 0;
                const auto bytes = stream.produce(out);
                counted += static_cast<std::int64_t>(bytes);
                upload.round_bytes_ += static_cast<std::int64_t>(bytes);
                return bytes;
            },
            [&] {
                uncount();
                stream.start(piece);
            });
        if (stream.error()) answer = tl::unexpected(*stream.error());
        if (answer && *answer != stream.root()) answer = fail(Errc::tampered, "piece root");
        if (!answer) uncount();
        return answer;
    }
};

Upload::Upload(UploadJob job, const HttpSettings& settings, TicketBox& tickets, Watcher watcher)
    : job_(std::move(job)), settings_(settings), tickets_(tickets), watcher_(std::move(watcher)),
      coordinator_(settings, tickets, job_.transfer), roots_(job_.store.load_roots()),
      durable_(job_.layout.pieces()), described_(job_.layout.volumes()) {}

Upload::~Upload() = default;

Result<void> Upload::call_patiently(const std::function<Result<void>()>& step) {
    return with_retries(job_.retry, step, watcher_.waiting);
}

Result<void> Upload::read_map() {
    const auto map = coordinator_.map(job_.relay);
    if (!map) return tl::unexpected(map.error());
    durable_.assign(durable_.size(), false);
    for (const auto& volume : *map) {
        if (volume.volume >= job_.layout.volumes()) return fail(Errc::malformed, "map");
        const auto pieces = job_.layout.pieces_in_volume(volume.volume);
        for (std::uint32_t piece = 0; piece < pieces; ++piece) {
            durable_[std::size_t{volume.volume} * volume_pieces_max + piece] = volume.has(piece);
        }
        described_[volume.volume] = volume.descriptor;
    }
    return {};
}

std::vector<std::uint64_t> Upload::missing() const {
    std::vector<std::uint64_t> pieces;
    for (std::uint64_t piece = 0; piece < durable_.size(); ++piece) {
        if (described_[piece / volume_pieces_max]) continue;
        if (!durable_[piece] || !roots_.contains(piece)) pieces.push_back(piece);
    }
    return pieces;
}

std::uint64_t Upload::durable_count() const {
    return static_cast<std::uint64_t>(std::count(durable_.begin(), durable_.end(), true));
}

Result<void> Upload::sample_durable() {
    std::vector<std::uint64_t> known;
    for (const auto& [piece, root] : roots_) {
        if (piece < durable_.size() && durable_[piece]) known.push_back(piece);
    }
    if (known.empty()) return {};
    PieceStream stream{job_.key, job_.transfer, job_.header, job_.layout, job_.source};
    Bytes buffer(segment_bytes);
    for (unsigned sample = 0; sample < 3; ++sample) {
        std::array<std::byte, 4> dice{};
        fill_random(dice);
        std::uint32_t value = 0;
        for (const auto part : dice) value = value << 8 | std::to_integer<std::uint32_t>(part);
        const auto piece = known[value % known.size()];
        stream.start(piece);
        while (stream.produce(buffer) > 0) {
        }
        if (stream.error()) return tl::unexpected(*stream.error());
        if (stream.root() != roots_.at(piece)) return fail(Errc::file_changed, "sample");
    }
    return {};
}

void Upload::stop_with(Error error) {
    const std::lock_guard guard{mutex_};
    if (!failed_) failed_ = std::move(error);
    stop_ = true;
}

void Upload::work(const std::vector<std::uint64_t>& pieces) {
    try {
        Lane lane{*this};
        while (!stop_) {
            const auto at = next_++;
            if (at >= pieces.size()) break;
            auto root = with_retries(
                job_.retry, [&] { return lane.send(*this, pieces[at]); },
                [&](unsigned seconds) {
                    const std::lock_guard guard{mutex_};
                    waits_.push_back(seconds);
                    changed_.notify_one();
                });
            if (!root) {
                stop_with(root.error());
                break;
            }
            const std::lock_guard guard{mutex_};
            sent_.push_back({pieces[at], *root});
            changed_.notify_one();
        }
    } catch (const std::exception&) {
        stop_with({Errc::file_unreadable, "lane"});
    }
    const std::lock_guard guard{mutex_};
    --running_;
    changed_.notify_one();
}

Result<void> Upload::take_results() {
    std::deque<Sent> sent;
    std::deque<unsigned> waits;
    {
        const std::lock_guard guard{mutex_};
        sent.swap(sent_);
        waits.swap(waits_);
    }
    for (const auto& [piece, root] : sent) {
        if (const auto old = roots_.find(piece); old != roots_.end() && old->second != root) {
            // Sealing is deterministic, so other bytes mean another file.
            return fail(Errc::file_changed, "root");
        }
        if (auto noted = job_.store.note_root(piece, root); !noted) return noted;
        roots_[piece] = root;
    }
    if (!waits.empty()) watcher_.waiting(waits.back());
    const auto bytes =
        base_bytes_ + static_cast<std::uint64_t>(std::max<std::int64_t>(0, round_bytes_.load()));
    watcher_.progress(std::min(bytes, job_.layout.sealed_bytes()), job_.layout.sealed_bytes());
    return {};
}

bool Upload::volume_ready(std::uint32_t volume) const {
    const auto first = std::uint64_t{volume} * volume_pieces_max;
    for (std::uint64_t piece = first; piece < first + job_.layout.pieces_in_volume(volume);
         ++piece) {
        if (!durable_[piece] || !roots_.contains(piece)) return false;
    }
    return true;
}

Result<void> Upload::deliver_descriptors() {
    for (std::uint32_t volume = 0; volume < job_.layout.volumes(); ++volume) {
        if (described_[volume] || !volume_ready(volume)) continue;
        std::vector<Hash256> roots;
        const auto first = std::uint64_t{volume} * volume_pieces_max;
        for (std::uint32_t piece = 0; piece < job_.layout.pieces_in_volume(volume); ++piece) {
            roots.push_back(roots_.at(first + piece));
        }
        const auto bytes = encode_descriptor(make_descriptor(
            job_.key, job_.transfer, volume, job_.layout.piece_bytes(), std::move(roots)));
        auto put = coordinator_.put_descriptor(job_.relay, volume, bytes);
        if (!put && put.error().code == Errc::conflict) continue; // not durable after all
        if (!put) return put;
        PK_FAULT("cli.upload.after_descriptor");
        described_[volume] = true;
    }
    return {};
}

Result<void> Upload::send_round(const std::vector<std::uint64_t>& pieces) {
    base_bytes_ = job_.layout.sealed_bytes() - pieces.size() * job_.layout.piece_bytes();
    next_ = 0;
    round_bytes_ = 0;
    std::vector<std::jthread> lanes;
    const auto wanted = std::min<std::size_t>(job_.lanes, pieces.size());
    {
        const std::lock_guard guard{mutex_};
        running_ = static_cast<unsigned>(wanted);
    }
    for (std::size_t lane = 0; lane < wanted; ++lane) lanes.emplace_back([&] { work(pieces); });
    auto looked = steady_clock::now();
    for (bool more = true; more;) {
        {
            std::unique_lock guard{mutex_};
            changed_.wait_for(guard, milliseconds{100});
            more = running_ > 0;
        }
        if (auto taken = take_results(); !taken) stop_with(taken.error());
        if (stop_ || steady_clock::now() - looked < milliseconds{1'000}) continue;
        looked = steady_clock::now();
        // While lanes run, trouble of the coordinator is theirs too: they report it.
        if (read_map()) {
            auto delivered = deliver_descriptors();
            if (!delivered && !RetryRule::worth_it(delivered.error().code)) {
                stop_with(delivered.error());
            }
        }
    }
    lanes.clear();
    if (auto taken = take_results(); !taken) stop_with(taken.error());
    const std::lock_guard guard{mutex_};
    if (failed_) return tl::unexpected(*failed_);
    return {};
}

Result<void> Upload::settle() {
    // A relay that restarted has forgotten what was received but not durable: after a while
    // without progress the caller sends what is missing once more.
    auto before = durable_count();
    auto since = steady_clock::now();
    bool told = false;
    for (milliseconds pause{1};; pause = std::min(2 * pause, milliseconds{64})) {
        if (auto map = call_patiently([&] { return read_map(); }); !map) return map;
        auto delivered = call_patiently([&] { return deliver_descriptors(); });
        if (!delivered) return delivered;
        if (missing().empty() &&
            std::all_of(described_.begin(), described_.end(), [](bool done) { return done; })) {
            return {};
        }
        if (durable_count() != before) {
            before = durable_count();
            since = steady_clock::now();
        }
        if (steady_clock::now() - since > std::chrono::seconds{10}) return {};
        if (!told && steady_clock::now() - since > std::chrono::seconds{1}) watcher_.settling();
        told = told || steady_clock::now() - since > std::chrono::seconds{1};
        if (!pause_for(pause)) return fail(Errc::canceled, "settle");
    }
}

Result<std::string> Upload::run() {
    auto begun = call_patiently([&] { return read_map(); });
    if (!begun) return tl::unexpected(begun.error());
    if (durable_count() > 0) {
        if (auto same = sample_durable(); !same) return tl::unexpected(same.error());
        watcher_.resumed(static_cast<unsigned>(durable_count() * 100 / durable_.size()));
    }
    for (unsigned round = 0;; ++round) {
        const auto pieces = missing();
        if (pieces.empty() &&
            std::all_of(described_.begin(), described_.end(), [](bool done) { return done; })) {
            break;
        }
        if (round > job_.retry.retries) return fail(Errc::unavailable, "never durable");
        if (!pieces.empty()) {
            if (auto sent = send_round(pieces); !sent) return tl::unexpected(sent.error());
        }
        if (auto settled = settle(); !settled) return tl::unexpected(settled.error());
    }
    watcher_.progress(job_.layout.sealed_bytes(), job_.layout.sealed_bytes());
    std::string receipt;
    auto stored = call_patiently([&]() -> Result<void> {
        auto answer = coordinator_.stored(job_.relay);
        if (answer) receipt = std::move(*answer);
        if (answer) return {};
        if (answer.error().code == Errc::conflict) return fail(Errc::unavailable, "not stored yet");
        return tl::unexpected(answer.error());
    });
    if (!stored) return tl::unexpected(stored.error());
    return receipt;
}

} // namespace plankurier::cli
