#include "relay/adapters/files.hpp"
#include "relay/roles.hpp"

#include <chrono>
#include <iostream>
#include <stdexcept>

namespace plankurier::relay {

namespace {

namespace fs = std::filesystem;

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string text_of(const fs::path& file) {
    const auto bytes = adapters::read_file(file);
    if (!bytes) throw std::runtime_error("there is no file " + file.string());
    return std::string{as_text(*bytes)};
}

fs::path records(const Config& config) { return config.directory() / "records"; }

template <typename T>
T checked(Result<T> result, const std::string& what) {
    if (!result)
        throw std::runtime_error(what + ": " + std::string{name(result.error().code)} + " (" +
                                 result.error().detail + ")");
    return std::move(*result);
}

} // namespace

void directory_add(const Config& config, const fs::path& record) {
    const std::string text = text_of(record);
    const Department department = checked(parse_department(text), "the record is not usable");
    if (department.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") !=
        department.id.npos) {
        throw std::runtime_error("a department id may hold a-z, 0-9, - and _ only");
    }
    fs::create_directories(records(config));
    adapters::write_durably(records(config) / (department.id + ".json"), as_bytes(text));
    std::cout << "added " << department.id << "; now run `directory build` and sign the result\n";
}

void directory_list(const Config& config) {
    if (!fs::exists(records(config))) return;
    for (const auto& entry : fs::directory_iterator{records(config)}) {
        const Department one = checked(parse_department(text_of(entry.path())), "record");
        std::cout << one.id << "\t" << one.name << "\n";
    }
}

void directory_build(const Config& config, std::uint64_t serial, std::int64_t days,
                     const fs::path& target) {
    constexpr std::int64_t day_s = 86'400;
    if (days < 1 || days > 35) throw std::runtime_error("--days must be between 1 and 35");
    Directory directory;
    directory.authority = config.policy.authority;
    directory.serial = serial;
    directory.issued = now();
    directory.expires = directory.issued + days * day_s;
    const auto key = adapters::read_file(config.keys() / "control.pub");
    if (!key || key->size() != 32)
        throw std::runtime_error("keys/control.pub is missing: run init");
    std::copy(key->begin(), key->end(), directory.record_key.begin());
    if (fs::exists(records(config))) {
        for (const auto& entry : fs::directory_iterator{records(config)}) {
            directory.departments.push_back(
                checked(parse_department(text_of(entry.path())), "record"));
        }
    }
    if (directory.departments.empty()) {
        throw std::runtime_error("no department yet: run `directory add RECORD.json` first");
    }
    adapters::write_durably(fs::absolute(target), as_bytes(encode_directory(directory)));
    std::cout << "wrote " << target.string()
              << "; sign it with minisign, trusted comment: serial:" << serial
              << " expires:YYYY-MM-DD\n";
}

void directory_install(const Config& config, const fs::path& root, const fs::path& signer_pub,
                       const fs::path& signer_minisig, const fs::path& json,
                       const fs::path& minisig) {
    SignedDirectory bundle{text_of(signer_pub), text_of(signer_minisig), text_of(json),
                           text_of(minisig), text_of(root)};
    TrustAnchor trust;
    trust.root = checked(parse_minisign_public_key(text_of(root)), "the root key");
    if (const auto old = installed_directory(config)) {
        trust.highest_serial = old->directory.serial;
    }
    const Directory directory =
        checked(open_directory(bundle, trust, now()), "the directory does not hold");
    const auto own = adapters::read_file(config.keys() / "control.pub");
    if (!own || !equal_constant_time(*own, directory.record_key)) {
        throw std::runtime_error("the directory names the control key of another relay");
    }
    const fs::path folder = config.directory();
    adapters::write_durably(folder / "root.pub", as_bytes(bundle.root_pub));
    adapters::write_durably(folder / "signer.pub", as_bytes(bundle.signer_pub));
    adapters::write_durably(folder / "signer.pub.minisig", as_bytes(bundle.signer_minisig));
    adapters::write_durably(folder / "directory.json.minisig", as_bytes(bundle.directory_minisig));
    adapters::write_durably(folder / "directory.json", as_bytes(bundle.directory_json));
    std::cout << "installed serial " << directory.serial << " with " << directory.departments.size()
              << " departments\n";
}

std::optional<InstalledDirectory> installed_directory(const Config& config) {
    const fs::path folder = config.directory();
    if (!fs::exists(folder / "directory.json")) return std::nullopt;
    InstalledDirectory out;
    out.bundle = {text_of(folder / "signer.pub"), text_of(folder / "signer.pub.minisig"),
                  text_of(folder / "directory.json"), text_of(folder / "directory.json.minisig"),
                  text_of(folder / "root.pub")};
    out.directory = checked(parse_directory(out.bundle.directory_json), "installed directory");
    return out;
}

} // namespace plankurier::relay
