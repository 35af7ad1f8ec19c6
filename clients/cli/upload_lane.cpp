#include <clients/cli/upload_lane.hpp>

#include <cstring>

namespace plankurier::cli {

PieceStream::PieceStream(const TransferKey& key, const TransferId& transfer,
                         const FloeHeader& header, const BodyLayout& layout,
                         const BodySource& source)
    : layout_(layout), source_(source), sealer_(key, transfer, header, layout.segments()),
      plain_(segment_plain_bytes), sealed_(segment_bytes), sealed_at_(segment_bytes) {}

void PieceStream::start(std::uint64_t piece) {
    next_segment_ = piece * layout_.segments_per_piece();
    end_segment_ = next_segment_ + layout_.segments_per_piece();
    sealed_at_ = segment_bytes;
    produced_ = 0;
    error_.reset();
    hasher_ = PieceHasher{};
}

bool PieceStream::seal_next(std::span<std::byte> out) {
    auto read = source_.read(next_segment_ * segment_plain_bytes, plain_);
    if (!read) {
        error_ = read.error();
        return false;
    }
    sealer_.seal(next_segment_++, plain_, out);
    hasher_.update(out);
    return true;
}

std::size_t PieceStream::produce(std::span<std::byte> out) {
    if (sealed_at_ == segment_bytes) {
        if (next_segment_ == end_segment_) return 0;
        if (out.size() >= segment_bytes) {
            if (!seal_next(out.first(segment_bytes))) return 0;
            produced_ += segment_bytes;
            return segment_bytes;
        }
        if (!seal_next(sealed_)) return 0;
        sealed_at_ = 0;
    }
    const auto bytes = std::min<std::size_t>(out.size(), segment_bytes - sealed_at_);
    std::memcpy(out.data(), sealed_.data() + sealed_at_, bytes);
    sealed_at_ += bytes;
    produced_ += bytes;
    return bytes;
}

} // namespace plankurier::cli
