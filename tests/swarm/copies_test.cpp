// Volumes copied between swarms: relay to relay, sender to recipient, along a chain.
#include "tests/support/temp_folder.hpp"
#include "tests/swarm/nodes.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <fstream>
#include <set>

namespace plankurier::test::copies_test {

namespace {

Bytes content_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const ByteView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

std::shared_ptr<VolumeBacking> stored(const std::filesystem::path& file, ByteView bytes,
                                      std::uint64_t size) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    REQUIRE(::ftruncate(fd, static_cast<off_t>(size)) == 0);
    return stored_backing(fd);
}

/// A body of one file, and all that sealing it needs.
struct SealedBody {
    TempFolder folder;
    std::filesystem::path file{folder.path() / "file"};
    Bytes content;
    TransferId transfer{TransferId::random()};
    TransferKey key{TransferKey::random()};
    FloeHeader header{};
    BodyLayout layout;
    BodySource source;

    explicit SealedBody(std::size_t size)
        : content(random_bytes(size)), layout(BodyLayout::for_content(size).value()),
          source(open_source()) {
        header[3] = std::byte{4}; // segments of 256 KiB
        header[9] = std::byte{32};
        fill_random(std::span{header}.subspan(10, 32));
    }
    static Bytes random_bytes(std::size_t size) {
        Bytes out(size);
        fill_random(out);
        return out;
    }
    BodySource open_source() const {
        std::ofstream{file, std::ios::binary} << as_text(content);
        return BodySource::open({file}).value();
    }
    [[nodiscard]] std::shared_ptr<VolumeBacking> sealed(std::uint32_t volume) const {
        return sealed_backing(key, transfer, header, layout, volume, source);
    }
    [[nodiscard]] TestVolume volume(std::uint32_t number) const {
        TestVolume out{1};
        out.bytes.resize(layout.volume_bytes(number));
        REQUIRE(sealed(number)->read(0, out.bytes));
        out.about = {
            {transfer, number}, layout.piece_bytes(), roots_of(out.bytes, layout.piece_bytes())};
        return out;
    }
};

/// The plaintext that was told, where it belongs.
struct Sink {
    std::mutex mutex; ///< guards bytes
    Bytes bytes;
    PlainSink function() {
        return [this](std::uint64_t offset, ByteView plain) -> Result<void> {
            const std::scoped_lock lock{mutex};
            bytes.resize(std::max<std::size_t>(bytes.size(), offset + plain.size()));
            std::copy(plain.begin(), plain.end(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(offset));
            return {};
        };
    }
};

} // namespace

TEST_CASE("a copy from relay to relay is the same byte by byte") {
    const std::uint64_t piece_bytes = segment_bytes * GENERATE(1U, 4U, 16U);
    const bool tls = GENERATE(false, true);
    CAPTURE(piece_bytes, tls);
    const TempFolder folder;
    const TestVolume volume{5, piece_bytes};
    const CertificateAuthority authority;
    const SwarmCertificate certificate = authority.issue(volume.about.name.transfer);
    const SwarmCertificate* const shown = tls ? &certificate : nullptr;
    const SwarmSettings settings = tls ? SwarmSettings{} : plain_settings();
    Node one{settings}, other{settings};
    REQUIRE(one.load(volume, stored(folder.path() / "one", volume.bytes, volume.bytes.size()),
                     volume.all(), shown));
    REQUIRE(other.load(volume, stored(folder.path() / "other", {}, volume.bytes.size()), 0, shown));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(content_of(folder.path() / "other") == volume.bytes);
    CHECK(other.count(Kind::piece, volume.about) == 5);
    CHECK(other->totals().received_bytes == volume.bytes.size());
    CHECK(other->totals().redundant_bytes == 0);
    CHECK(one->totals().sent_bytes == volume.bytes.size());
}

TEST_CASE("what a sender seals on the fly a recipient opens on the fly") {
    const SealedBody body{40 * segment_plain_bytes + 1'234};
    const CertificateAuthority authority;
    const SwarmCertificate certificate = authority.issue(body.transfer);
    Node sender, recipient;
    Sink sink;
    REQUIRE(body.layout.volumes() == 1);
    const TestVolume volume = body.volume(0);
    REQUIRE(sender.load(volume, body.sealed(0), volume.all(), &certificate));
    REQUIRE(recipient.load(
        volume,
        opened_backing(body.key, body.transfer, body.header, body.layout, 0, sink.function()), 0,
        &certificate));
    REQUIRE(recipient.connect(volume, sender));
    REQUIRE(recipient.saw(Kind::complete, volume.about));
    const std::scoped_lock lock{sink.mutex};
    REQUIRE(sink.bytes.size() == body.layout.body_len());
    CHECK(std::equal(body.content.begin(), body.content.end(), sink.bytes.begin()));
    CHECK(std::all_of(sink.bytes.begin() + static_cast<std::ptrdiff_t>(body.content.size()),
                      sink.bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("the second volume of a body is sealed and opened at its own place") {
    const SealedBody body{(64 + 3) * segment_plain_bytes};
    REQUIRE(body.layout.volumes() == 2);
    Node sender{plain_settings()}, recipient{plain_settings()};
    Sink sink;
    for (const std::uint32_t number : {1U, 0U}) {
        const TestVolume volume = body.volume(number);
        REQUIRE(sender.load(volume, body.sealed(number), volume.all()));
        REQUIRE(recipient.load(volume,
                               opened_backing(body.key, body.transfer, body.header, body.layout,
                                              number, sink.function()),
                               0));
        REQUIRE(recipient.connect(volume, sender));
        REQUIRE(recipient.saw(Kind::complete, volume.about));
    }
    const std::scoped_lock lock{sink.mutex};
    CHECK(std::equal(body.content.begin(), body.content.end(), sink.bytes.begin()));
}

TEST_CASE("a relay in the middle of a chain passes pieces on while it still gets others") {
    const TestVolume volume{24};
    const std::uint64_t first_half = (std::uint64_t{1} << 12) - 1;
    Node first{plain_settings()}, middle{plain_settings()}, last{plain_settings()};
    const auto kept = std::make_shared<MemoryBacking>(volume);
    const auto end = std::make_shared<MemoryBacking>(volume);
    // The first has only half, so the middle cannot be complete when the last gets its pieces.
    REQUIRE(first.load(volume, std::make_shared<MemoryBacking>(volume.bytes), first_half));
    REQUIRE(middle.load(volume, kept, 0));
    REQUIRE(last.load(volume, end, 0));
    REQUIRE(last.connect(volume, middle));
    REQUIRE(middle.connect(volume, first));
    REQUIRE(eventually([&] { return last.count(Kind::piece, volume.about) == 12; }));
    CHECK(middle.count(Kind::complete, volume.about) == 0);
    CHECK(middle->totals().sent_bytes == 12 * segment_bytes);
    // The rest comes from another relay, to the middle only.
    Node rest{plain_settings()};
    REQUIRE(rest.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(middle.connect(volume, rest));
    REQUIRE(last.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
    CHECK(end->bytes() == volume.bytes);
    CHECK(first->totals().sent_bytes <= 12 * segment_bytes);
}

TEST_CASE("a volume goes on where it was") {
    const TestVolume volume{8};
    Bytes half = volume.bytes;
    std::fill(half.begin() + 4 * segment_bytes, half.end(), std::byte{0});
    const auto kept = std::make_shared<MemoryBacking>(half);
    Node one{plain_settings()}, other{plain_settings()};
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, kept, 0x0F));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::complete, volume.about));
    CHECK(kept->bytes() == volume.bytes);
    CHECK(other.count(Kind::piece, volume.about) == 4);
    CHECK(one->totals().sent_bytes == 4 * segment_bytes);
}

TEST_CASE("a recipient serves nobody, whoever asks") {
    const SealedBody body{8 * segment_plain_bytes};
    const TestVolume volume = body.volume(0);
    Node recipient{plain_settings()}, asking{plain_settings()}, relay{plain_settings()};
    Sink sink;
    const auto opened =
        opened_backing(body.key, body.transfer, body.header, body.layout, 0, sink.function());
    REQUIRE(recipient.load(volume, opened, volume.all()));
    const auto kept = std::make_shared<MemoryBacking>(volume);
    REQUIRE(asking.load(volume, kept, 0));
    REQUIRE(asking.connect(volume, recipient));
    REQUIRE(eventually([&] { return asking->totals().peers == 1; }));
    // It completes from a relay, over a connection that is made later.
    REQUIRE(relay.load(volume, body.sealed(0), volume.all()));
    REQUIRE(asking.connect(volume, relay));
    REQUIRE(asking.saw(Kind::complete, volume.about));
    CHECK(recipient->totals().sent_bytes == 0);
    CHECK(recipient.count(Kind::failed, volume.about) == 0);
    CHECK_FALSE(opened->serves());
}

TEST_CASE("several volumes of several transfers go side by side") {
    Node one{plain_settings()}, other{plain_settings()};
    std::vector<TestVolume> volumes;
    std::vector<std::shared_ptr<MemoryBacking>> kept;
    const TransferId transfer = TransferId::random();
    for (std::uint32_t i = 0; i < 4; ++i) volumes.emplace_back(6, segment_bytes, i, transfer);
    for (std::uint32_t i = 0; i < 2; ++i) volumes.emplace_back(2, segment_bytes * 4, i);
    for (const TestVolume& volume : volumes) {
        REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
        kept.push_back(std::make_shared<MemoryBacking>(volume));
        REQUIRE(other->add(volume.about, kept.back(), 0, nullptr));
        REQUIRE(other.connect(volume, one)); // before its own ready
    }
    for (std::size_t i = 0; i < volumes.size(); ++i) {
        REQUIRE(other.saw(Kind::complete, volumes[i].about));
        CHECK(kept[i]->bytes() == volumes[i].bytes);
    }
    CHECK(one->totals().volumes == 6);
}

TEST_CASE("pieces are told once each, and complete after the last") {
    const TestVolume volume{9};
    Node one{plain_settings()}, other{plain_settings()};
    REQUIRE(one.load(volume, std::make_shared<MemoryBacking>(volume.bytes), volume.all()));
    REQUIRE(other.load(volume, std::make_shared<MemoryBacking>(volume), 0));
    REQUIRE(other.connect(volume, one));
    REQUIRE(other.saw(Kind::complete, volume.about));
    std::set<std::uint32_t> seen;
    for (const SwarmEvent& event : other.all(Kind::piece)) seen.insert(event.piece);
    CHECK(seen.size() == 9);
    CHECK(other.count(Kind::piece, volume.about) == 9);
    CHECK(other.count(Kind::complete, volume.about) == 1);
    CHECK(one.count(Kind::complete, volume.about) == 0);
}

} // namespace plankurier::test::copies_test
