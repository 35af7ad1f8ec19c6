#pragma once
/// The receiving end of one lane: collects the bytes of a piece into segments, opens them and
/// writes the plaintext. Belongs to one thread.

#include <clients/cli/download.hpp>

namespace plankurier::cli {

class PieceSink {
public:
    explicit PieceSink(const DownloadJob& job);

    /// The next bytes are the first of this piece.
    void start(std::uint64_t piece);
    /// False when no further bytes are wanted (see `error`).
    bool take(ByteView bytes);
    /// Whether exactly this piece came. Every segment was authenticated with its place in the body,
    /// so that a root over the sealed bytes would add nothing. Fails with `tampered`, `network`
    /// (too short), or as `PartFiles::write`.
    [[nodiscard]] Result<void> finish() const;
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

private:
    bool refuse(Error error);
    bool open(ByteView sealed);

    const DownloadJob& job_;
    SegmentOpener opener_;
    Bytes sealed_, plain_;
    std::size_t filled_{};
    std::uint64_t segment_{}, end_{};
    std::optional<Error> error_;
};

} // namespace plankurier::cli
