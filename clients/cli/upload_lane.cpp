#include <clients/cli/upload_lane.hpp>

#include <cstring>

namespace plankurier::cli {

PieceStream::PieceStream(const TransferKey& key, const TransferId& transfer,
                         const FloeHeader& header, const BodyLayout& layout,
                         const BodySource& source)
    : layout_(layout), source_(source), sealer_(key, transfer, header, layout.segments()),
      plain_(step_segments() * segment_plain_bytes), sealed_(step_segments() * segment_bytes),
      sealed_at_(sealed_.size()) {}

std::size_t PieceStream::step_segments() const noexcept {
    return std::min<std::size_t>(2, layout_.segments_per_piece());
}

void PieceStream::start(std::uint64_t piece) {
    next_segment_ = piece * layout_.segments_per_piece();
    end_segment_ = next_segment_ + layout_.segments_per_piece();
    sealed_at_ = sealed_.size();
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
    for (std::size_t i = 0; i < step_segments(); ++i) {
        sealer_.seal(next_segment_ + i,
                     ByteView{plain_}.subspan(i * segment_plain_bytes, segment_plain_bytes),
                     out.subspan(i * segment_bytes, segment_bytes));
    }
    next_segment_ += step_segments();
    hasher_.update(out);
    return true;
}

std::size_t PieceStream::produce(std::span<std::byte> out) {
    if (sealed_at_ == sealed_.size()) {
        if (next_segment_ == end_segment_) return 0;
        if (out.size() >= sealed_.size()) {
            if (!seal_next(out.first(sealed_.size()))) return 0;
            produced_ += sealed_.size();
            return sealed_.size();
        }
        if (!seal_next(sealed_)) return 0;
        sealed_at_ = 0;
    }
    const auto bytes = std::min(out.size(), sealed_.size() - sealed_at_);
    std::memcpy(out.data(), sealed_.data() + sealed_at_, bytes);
    sealed_at_ += bytes;
    produced_ += bytes;
    return bytes;
}

} // namespace plankurier::cli
