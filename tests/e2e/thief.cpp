/// What a thief does who has everything of a relay: data folder, vault, configuration, keys, mails.
///   thief DATA CANDIDATES PASSWORDS TRIES_EACH
/// CANDIDATES: 64 hex digits a line, everything that could be a key. PASSWORDS: one a line, of
/// which each envelope gets TRIES_EACH, going on where the last one stopped.
///   thief DATA --key FILE PASSPHRASE      the rightful department: its key file and passphrase
///   thief DATA --passwords FILE           rightful clerks: "TID PASSWORD" a line
/// Prints counts, one "name number" a line. Part of the acceptance tests only.
#include "relay/adapters/files.hpp"
#include "relay/adapters/local.hpp"
#include "relay/adapters/sqlite_store.hpp"
#include "relay/adapters/vault_file.hpp"

#include <plankurier/envelope.hpp>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace {

using namespace plankurier;
using namespace plankurier::relay;

struct Loot {
    TransferId transfer;
    bool has_address{};
    Bytes envelope;
    EnvelopeView view;
};

struct Counts {
    std::atomic<std::uint64_t> key_tries{}, password_tries{};
    std::map<TransferId, std::string> opened; ///< and by what
};

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::ifstream in{file};
    if (!in) throw std::runtime_error("cannot read " + file.string());
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

/// Unwraps with the vault whatever can be unwrapped.
std::vector<Loot> steal(const std::filesystem::path& data, std::size_t& rows) {
    constexpr std::int64_t forever = std::int64_t{1} << 60;
    adapters::Db db{data / "control.db"};
    adapters::SqliteStore store{db};
    adapters::VaultFile vault{data / "vault"};
    adapters::EnvelopeFiles files{data / "envelopes"};
    std::vector<Loot> out;
    for (const TransferRow& row : store.ended_transfers(forever)) {
        ++rows;
        const auto sealed = files.get(row.transfer);
        if (!sealed) continue;
        Loot loot;
        loot.transfer = row.transfer;
        loot.has_address = vault.open(row.slot, "sender", row.sealed_sender).has_value();
        auto envelope = vault.open(row.slot, "envelope", *sealed);
        if (!envelope) envelope = *sealed; // no key: he tries it as it lies there
        loot.envelope = std::move(*envelope);
        if (auto view = parse_envelope(loot.envelope)) {
            loot.view = std::move(*view);
            out.push_back(std::move(loot));
        }
    }
    return out;
}

bool has_stanza(const Loot& loot, StanzaType type) {
    return std::ranges::any_of(loot.view.stanzas, [&](const StanzaView& stanza) {
        return stanza.type == static_cast<std::uint16_t>(type);
    });
}

/// Thirty-two bytes as everything that opens: transfer key, secret of a link, seed of either kind.
void try_key(const Loot& loot, ByteView raw, Counts& counts) {
    ++counts.key_tries;
    if (open_envelope(loot.envelope, TransferKey{raw})) counts.opened[loot.transfer] = "key";
    if (open_envelope(loot.envelope, LinkSecret{raw})) counts.opened[loot.transfer] = "link";
    for (const StanzaType type : {StanzaType::hpke_p256, StanzaType::hpke_x25519}) {
        if (!has_stanza(loot, type)) continue;
        if (open_envelope(loot.envelope, KeySeed{raw}, type)) counts.opened[loot.transfer] = "seed";
    }
}

void try_keys(const std::vector<Loot>& loot, const std::filesystem::path& candidates,
              Counts& counts) {
    for (const std::string& line : lines_of(candidates)) {
        const auto raw = from_hex(line);
        if (!raw || raw->size() != 32) throw std::runtime_error("a candidate has not 32 bytes");
        for (const Loot& one : loot) try_key(one, *raw, counts);
    }
}

/// At the product's own cost, by as many threads as there are processors.
void try_passwords(const std::vector<Loot>& loot, const std::filesystem::path& file,
                   std::size_t tries_each, Counts& counts) {
    const auto passwords = lines_of(file);
    if (passwords.empty()) throw std::runtime_error("no password to try");
    std::atomic<std::size_t> next{0};
    std::mutex mutex; // guards counts.opened
    const auto work = [&] {
        for (std::size_t at = next++; at < loot.size() * tries_each; at = next++) {
            const Loot& one = loot[at / tries_each];
            if (!has_stanza(one, StanzaType::password)) continue;
            ++counts.password_tries;
            if (open_envelope(one.envelope, SecretText{passwords[at % passwords.size()]})) {
                const std::scoped_lock lock{mutex};
                counts.opened[one.transfer] = "password";
            }
        }
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
        threads.emplace_back(work);
    }
}

void open_rightfully(const std::vector<Loot>& loot, int argc, char** argv, Counts& counts) {
    const std::string_view way{argv[2]};
    if (way == "--key" && argc == 5) {
        const auto file = adapters::read_file(argv[3]);
        const auto key = open_key_file(file.value(), SecretText{lines_of(argv[4]).at(0)}).value();
        for (const Loot& one : loot) {
            if (open_envelope(one.envelope, key.seed, key.type)) counts.opened[one.transfer] = "";
        }
    } else if (way == "--passwords" && argc == 4) {
        for (const std::string& line : lines_of(argv[3])) {
            const auto transfer = TransferId::from_hex(line.substr(0, 32)).value();
            for (const Loot& one : loot) {
                if (one.transfer == transfer &&
                    open_envelope(one.envelope, SecretText{line.substr(33)})) {
                    counts.opened[transfer] = "";
                }
            }
        }
    } else {
        throw std::runtime_error("see the head of thief.cpp");
    }
}

int run(int argc, char** argv) {
    if (argc < 4) throw std::runtime_error("see the head of thief.cpp");
    std::size_t rows = 0;
    const std::vector<Loot> loot = steal(argv[1], rows);
    Counts counts;
    if (std::string_view{argv[2]}.starts_with("--")) {
        open_rightfully(loot, argc, argv, counts);
    } else {
        try_keys(loot, argv[2], counts);
        if (argc == 5) try_passwords(loot, argv[3], std::stoul(argv[4]), counts);
    }
    std::cout << "rows " << rows << "\nenvelopes " << loot.size() << "\naddresses "
              << std::ranges::count_if(loot, &Loot::has_address) << "\nkey_tries "
              << counts.key_tries << "\npassword_tries " << counts.password_tries << "\nopened "
              << counts.opened.size() << "\n";
    for (const auto& [transfer, how] : counts.opened) std::cerr << "opened by " << how << "\n";
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "thief: " << error.what() << "\n";
        return 1;
    }
}
