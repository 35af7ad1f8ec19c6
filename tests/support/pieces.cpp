#include "tests/support/pieces.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>

namespace plankurier::test {

namespace {

TransferId id_from(const std::string& name) {
    TransferId id;
    const auto hash = sha256(as_bytes("transfer " + name));
    std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
    return id;
}

} // namespace

Hash256 root_of(ByteView piece) {
    PieceHasher hasher;
    hasher.update(piece);
    return hasher.finish();
}

std::string authorization_for(const Ticket& ticket) {
    return "Plankurier " + to_base64url(mint_ticket(ticket, control_seed()));
}

Body::Body(std::string name, std::uint32_t pieces)
    : name_(std::move(name)), id_(id_from(name_)), key_(fixed_secret<TransferKey>("key " + name_)),
      layout_(BodyLayout::from_body_len(pieces * segment_plain_bytes).value()) {
    for (std::uint32_t v = 0; v < layout_.volumes(); ++v) {
        std::vector<Hash256> roots;
        for (std::uint32_t i = 0; i < layout_.pieces_in_volume(v); ++i) roots.push_back(root(v, i));
        descriptors_.push_back(encode_descriptor(
            make_descriptor(key_, id_, v, layout_.piece_bytes(), std::move(roots))));
    }
}

Bytes Body::piece(std::uint32_t volume, std::uint32_t piece) const {
    const auto start =
        sha256(as_bytes(name_ + " " + std::to_string(volume) + " " + std::to_string(piece)));
    Bytes out(layout_.piece_bytes());
    std::uint64_t state = 0;
    std::memcpy(&state, start.data(), sizeof state);
    for (std::size_t at = 0; at < out.size(); at += sizeof state) {
        state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        std::memcpy(out.data() + at, &state, sizeof state);
    }
    return out;
}

Hash256 Body::root(std::uint32_t volume, std::uint32_t number) const {
    return root_of(piece(volume, number));
}

Ticket Body::ticket(TicketRole role) const {
    const std::int64_t now = std::time(nullptr);
    return {id_, role, layout_.body_len(), now - 10, now + 600, now + day_s};
}
std::string Body::authorization(TicketRole role) const { return authorization_for(ticket(role)); }
std::string Body::path(const std::string& rest) const { return "/v1/" + id_.hex() + rest; }

PieceStore::PieceStore(const std::filesystem::path& folder) : folder_(folder) { restart(); }

void PieceStore::stop() {
    service_.reset();
    committer_.reset();
    catalog_.reset();
}

void PieceStore::restart() {
    stop();
    catalog_ = std::make_unique<relay::pieces::Catalog>(folder_ / "pieces");
    committer_ = std::make_unique<relay::pieces::Committer>(*catalog_);
    lease_.renew(std::time(nullptr)); // as after a good sync
    service_ = std::make_unique<relay::pieces::Service>(
        relay::pieces::Service::Parts{*catalog_, *committer_, lease_, nullptr}, known_relay(0).id,
        relay_seed(0), signing_public_key(control_seed()));
}

std::string PieceStore::put(const Body& body, std::uint32_t volume, std::uint32_t piece) {
    return put(body, volume, piece, body.piece(volume, piece));
}

std::string PieceStore::put(const Body& body, std::uint32_t volume, std::uint32_t piece,
                            ByteView bytes) {
    auto writing = catalog_->begin_write(body.ticket(), volume, piece);
    if (!writing) return why(writing);
    const relay::pieces::PieceUpload upload{std::move(*writing)};
    try {
        if (const auto taken = service_->take(upload, 0, bytes); !taken) {
            service_->abandon(upload);
            return why(taken);
        }
        return why(service_->finish(upload, root_of(bytes)));
    } catch (...) {
        service_->abandon(upload);
        throw;
    }
}

bool PieceStore::is_durable(const Body& body, std::uint32_t volume, std::uint32_t piece) {
    for (const auto& one : catalog_->map(body.id())) {
        if (one.volume != volume) continue;
        return (one.durable[piece / 8] & (std::byte{0x80} >> (piece % 8))) != std::byte{};
    }
    return false;
}

void PieceStore::wait_durable(const Body& body, std::uint32_t volume, std::uint32_t piece) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (!is_durable(body, volume, piece)) {
        if (std::chrono::steady_clock::now() > end) FAIL("a piece does not become durable");
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

void PieceStore::put_all(const Body& body) {
    for (std::uint32_t volume = 0; volume < body.layout().volumes(); ++volume) {
        const std::uint32_t pieces = body.layout().pieces_in_volume(volume);
        for (std::uint32_t piece = 0; piece < pieces; ++piece) {
            REQUIRE(put(body, volume, piece) == "value");
        }
        for (std::uint32_t piece = 0; piece < pieces; ++piece) wait_durable(body, volume, piece);
        REQUIRE(catalog_->put_descriptor(body.ticket(), volume, body.descriptor(volume)));
    }
}

std::string PieceStore::read(const Body& body, std::uint32_t volume, std::uint32_t piece) {
    const auto readable = catalog_->readable(body.ticket(TicketRole::get), volume, piece);
    if (!readable) return "nothing";
    Bytes out(readable->bytes);
    const ssize_t got =
        ::pread(readable->file->fd(), out.data(), out.size(), static_cast<off_t>(readable->offset));
    const bool whole = got == static_cast<ssize_t>(out.size());
    return whole && out == body.piece(volume, piece) ? "right" : "wrong";
}

} // namespace plankurier::test
