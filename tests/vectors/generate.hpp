#pragma once
/// What the parts of the generator share. One thread; `add` writes a vector or counts a refusal.

#include "vectors/kinds.hpp"

#include <plankurier/directory.hpp>
#include <plankurier/envelope.hpp>
#include <plankurier/records.hpp>
#include <plankurier/sealing.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>

namespace plankurier::vectors {

inline std::filesystem::path folder;
inline unsigned written = 0, wrong = 0;

inline void add(const std::string& kind, const std::string& slug, const std::string& about, Json in,
                const std::string& expect = "ok") {
    const auto outcome = run(kind, in);
    if (outcome.result != expect) {
        std::cerr << kind << "-" << slug << ": expected " << expect << ", got " << outcome.result
                  << "\n";
        ++wrong;
        return;
    }
    const Json vector = {{"kind", kind},
                         {"about", about},
                         {"in", std::move(in)},
                         {"expect", expect},
                         {"out", outcome.out}};
    std::ofstream{folder / (kind + "-" + slug + ".json")} << vector.dump(1) << "\n";
    ++written;
}

/// Fixed bytes with a name: SHA-256 of a text.
inline Hash256 bytes_of(std::string_view text) { return sha256(as_bytes(text)); }
inline std::string hex_of(std::string_view text) { return to_hex(bytes_of(text)); }
template <typename SecretType>
SecretType secret_of(std::string_view text) {
    return SecretType{ByteView{bytes_of(text)}};
}
inline TransferId transfer_of(std::string_view text) {
    TransferId id;
    std::copy_n(bytes_of(text).begin(), 16, id.bytes.begin());
    return id;
}
inline const TransferId transfer = transfer_of("transfer");
/// Random bytes for sealing: a chain of hashes.
inline Entropy entropy_of(std::string seed) {
    return [state = bytes_of(seed)](std::span<std::byte> out) mutable {
        for (std::byte& one : out) {
            state = sha256(state);
            one = state[0];
        }
    };
}
inline Bytes flipped(Bytes bytes, std::size_t at) {
    bytes.at(at) ^= std::byte{1};
    return bytes;
}
inline Bytes with_byte(Bytes bytes, std::size_t at, unsigned char value) {
    bytes.at(at) = std::byte{value};
    return bytes;
}
inline Bytes cut(const Bytes& bytes, std::size_t less) {
    return {bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(less)};
}

/// The key file of the seed "department", sealed with "ein Satz, länger", that says it is of `key`.
/// The salt is fixed, so that the vectors stay the same.
Bytes key_file_of(const RecipientPublicKey& key);
/// A message with two files.
Manifest sample();

void write_body();     ///< sizes, segments, trees, descriptors
void write_keys();     ///< records, manifests, envelopes, key files, HPKE
void write_trust();    ///< minisign, directory
void write_files();    ///< names and types of files
void write_pasted();   ///< links and codes as people paste and type them
void write_answers();  ///< links, signatures, members, challenges, histories
void write_refusals(); ///< well sealed or signed, and refused for what is in it

} // namespace plankurier::vectors
