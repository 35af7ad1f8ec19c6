/// Somebody who holds a private key and speaks HTTP by other means:
///   key_holder public SEED_HEX                    "inbox type public_key" of a return key
///   key_holder answer SEED_HEX CHALLENGE          the answer to a challenge
///   key_holder department FILE PASSPHRASE         "kid" of a department's key file
///   key_holder answer-department FILE PASSPHRASE CHALLENGE
/// Bytes are base64url, ids hexadecimal. Part of the acceptance tests only.
#include "relay/adapters/files.hpp"

#include <plankurier/challenge.hpp>
#include <plankurier/keys.hpp>

#include <iostream>
#include <stdexcept>

namespace {

using namespace plankurier;

OpenedKeyFile opened(const std::string& file, std::string_view passphrase) {
    const auto bytes = relay::adapters::read_file(file);
    if (!bytes) throw std::runtime_error("no key file");
    return open_key_file(*bytes, SecretText{passphrase}).value();
}

void answer(const OpenedKeyFile& key, std::string_view challenge) {
    const Bytes bytes = from_base64url(challenge).value();
    std::cout << to_base64url(answer_challenge(key.seed, key.type, bytes).value()) << "\n";
}

int run(const std::vector<std::string>& words) {
    const std::string& command = words.at(0);
    if (command == "public" || command == "answer") {
        const OpenedKeyFile key{KeySeed{ByteView{from_hex(words.at(1)).value()}},
                                StanzaType::hpke_p256};
        if (command == "answer") {
            answer(key, words.at(2));
            return 0;
        }
        const auto pub = recipient_public_key(key.seed, key.type).value();
        std::cout << inbox_id(pub).hex() << " " << static_cast<unsigned>(pub.type) << " "
                  << to_base64url(pub.bytes) << "\n";
        return 0;
    }
    const OpenedKeyFile key = opened(words.at(1), words.at(2));
    if (command == "answer-department") {
        answer(key, words.at(3));
        return 0;
    }
    std::cout << to_hex(key_id(recipient_public_key(key.seed, key.type).value())) << "\n";
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
