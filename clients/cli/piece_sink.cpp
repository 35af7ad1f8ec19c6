#include <clients/cli/piece_sink.hpp>

#include <algorithm>

namespace plankurier::cli {

PieceSink::PieceSink(const DownloadJob& job)
    : job_(job), opener_(job.key, job.transfer, job.header, job.layout.segments()),
      sealed_(segment_bytes), plain_(segment_plain_bytes) {}

void PieceSink::start(std::uint64_t piece) {
    segment_ = piece * job_.layout.segments_per_piece();
    end_ = segment_ + job_.layout.segments_per_piece();
    filled_ = 0;
    error_.reset();
}

bool PieceSink::take(ByteView bytes) {
    while (!bytes.empty()) {
        if (segment_ == end_) return refuse({Errc::tampered, "piece too long"});
        if (filled_ == 0 && bytes.size() >= segment_bytes) {
            if (!open(bytes.first(segment_bytes))) return false;
            bytes = bytes.subspan(segment_bytes);
            continue;
        }
        const auto part = std::min<std::size_t>(bytes.size(), segment_bytes - filled_);
        std::copy_n(bytes.begin(), part, sealed_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += part;
        bytes = bytes.subspan(part);
        if (filled_ == segment_bytes) {
            filled_ = 0;
            if (!open(sealed_)) return false;
        }
    }
    return true;
}

Result<void> PieceSink::finish() const {
    if (error_) return tl::unexpected(*error_);
    if (segment_ != end_ || filled_ != 0) return fail(Errc::network, "piece too short");
    return {};
}

bool PieceSink::refuse(Error error) {
    error_ = std::move(error);
    return false;
}

bool PieceSink::open(ByteView sealed) {
    if (auto opened = opener_.open(segment_, sealed, plain_); !opened) {
        return refuse(opened.error());
    }
    auto written = job_.parts.write(segment_ * segment_plain_bytes, plain_);
    if (!written) return refuse(written.error());
    ++segment_;
    return true;
}

} // namespace plankurier::cli
