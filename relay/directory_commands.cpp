#include "relay/adapters/files.hpp"
#include "relay/roles.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace plankurier::relay {

namespace {

namespace fs = std::filesystem;

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string text_of(const fs::path& file) {
    try {
        if (const auto bytes = adapters::read_file(file)) return std::string{as_text(*bytes)};
    } catch (const std::system_error& error) {
        throw std::runtime_error(file.string() + " cannot be read: " + error.code().message());
    }
    throw std::runtime_error("there is no file " + file.string());
}

template <typename T>
T checked(Result<T> result, const std::string& what) {
    if (!result)
        throw std::runtime_error(what + ": " + std::string{name(result.error().code)} + " (" +
                                 result.error().detail + ")");
    return std::move(*result);
}

constexpr const char* escrow_id = "escrow";

fs::path record_file(const Config& config, const std::string& id) {
    return config.directory() / "records" / (id + ".json");
}

/// What was taken in, in order of the ids.
struct Records {
    std::vector<Department> departments, clerks;
    std::optional<Escrow> escrow;
};

Records read_records(const Config& config) {
    Records out;
    const fs::path folder = config.directory() / "records";
    if (!fs::exists(folder)) return out;
    std::set<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (entry.path().extension() == ".json") files.insert(entry.path());
    }
    for (const fs::path& file : files) {
        const std::string text = text_of(file);
        if (auto escrow = parse_escrow(text)) {
            out.escrow = std::move(*escrow);
            continue;
        }
        Department one = checked(parse_department(text), "record");
        (one.address.empty() ? out.departments : out.clerks).push_back(std::move(one));
    }
    return out;
}

/// A clerk's notices go to the address, so it must be one of the authority's.
void check_clerk(const Config& config, const Department& clerk) {
    if (!check_address(clerk.address) || !is_staff(config.policy, clerk.address)) {
        throw std::runtime_error("the address of " + clerk.id +
                                 " is not one of staff_patterns in relay.toml");
    }
}

void check_new(const Config& config, const Department& added) {
    if (added.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") != added.id.npos) {
        throw std::runtime_error("a department id may hold a-z, 0-9, - and _ only");
    }
    if (added.id == escrow_id) throw std::runtime_error("no department may have the id escrow");
    if (added.keys.empty()) throw std::runtime_error("the record has no key");
    if (added.address.empty()) return;
    check_clerk(config, added);
    Directory known;
    known.clerks = read_records(config).clerks;
    const Department* const other = known.find_clerk(added.address);
    if (other != nullptr && other->id != added.id) {
        throw std::runtime_error(other->id +
                                 " has this address already: make the new key with "
                                 "`plankurier keygen --epoch` from its record, or run "
                                 "`directory remove " +
                                 other->id + "` first");
    }
}

/// No key of theirs begins anything new; what was signed before stays right.
template <typename Keys>
void end_keys(Keys& keys) {
    for (auto& key : keys) key.until = std::min(key.until, now());
}

void write_record(const Config& config, const std::string& id, const std::string& text) {
    fs::create_directories(config.directory() / "records");
    adapters::write_durably(record_file(config, id), as_bytes(text));
}

std::string existing_record(const Config& config, const std::string& id) {
    const bool is_id = id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == id.npos;
    if (!is_id || !fs::exists(record_file(config, id))) {
        throw std::runtime_error("there is no such record; see `directory list`");
    }
    return text_of(record_file(config, id));
}

fs::path revoked_file(const Config& config) { return config.directory() / "revoked"; }

/// One id of a key a line.
std::set<std::string> revoked_keys(const Config& config) {
    std::set<std::string> out;
    const auto bytes = adapters::read_file(revoked_file(config));
    std::istringstream lines{bytes ? std::string{as_text(*bytes)} : std::string{}};
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty()) out.insert(line);
    }
    return out;
}

/// In UTC, as trusted comments of minisign name it.
std::string day_text(std::int64_t time) {
    const std::time_t seconds = time;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 16> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
    return text.data();
}

constexpr const char* now_build = "; now run `directory build` and sign the result\n";

} // namespace

void directory_add(const Config& config, const fs::path& record) {
    const std::string text = text_of(record);
    if (parse_escrow(text)) {
        write_record(config, escrow_id, text);
        std::cout << "added " << escrow_id << now_build;
        return;
    }
    const Department added = checked(parse_department(text), "the record is not usable");
    check_new(config, added);
    write_record(config, added.id, text);
    std::cout << "added " << added.id << now_build;
}

void directory_list(const Config& config, std::ostream& out) {
    const Records records = read_records(config);
    for (const auto* list : {&records.departments, &records.clerks}) {
        for (const Department& one : *list) {
            out << one.id << "\t" << one.name;
            if (!one.address.empty()) out << "\t" << one.address;
            out << "\n";
        }
    }
    if (records.escrow) out << escrow_id << "\t" << records.escrow->name << "\n";
}

void directory_end(const Config& config, const std::string& id) {
    const std::string text = existing_record(config, id);
    if (auto escrow = parse_escrow(text)) {
        end_keys(escrow->keys);
        write_record(config, id, encode_escrow(*escrow));
    } else {
        Department one = checked(parse_department(text), "record");
        end_keys(one.keys);
        end_keys(one.signing_keys);
        write_record(config, id, encode_department(one));
    }
    std::cout << "ended " << id << now_build;
}

void directory_revoke(const Config& config, const std::string& id) {
    const std::string text = existing_record(config, id);
    std::set<std::string> revoked = revoked_keys(config);
    const auto escrow = parse_escrow(text);
    const Department one = escrow ? Department{} : checked(parse_department(text), "record");
    for (const auto& key : escrow ? escrow->keys : one.keys) revoked.insert(to_hex(key.kid));
    for (const auto& key : one.signing_keys) revoked.insert(to_hex(key.kid));
    std::string lines;
    for (const std::string& kid : revoked) lines += kid + "\n";
    adapters::write_durably(revoked_file(config), as_bytes(lines));
    std::cout << "revoked the keys of " << id << now_build;
}

void directory_remove(const Config& config, const std::string& id) {
    static_cast<void>(existing_record(config, id));
    fs::remove(record_file(config, id));
    std::cout << "removed " << id << now_build;
}

void directory_build(const Config& config, std::uint64_t serial, std::int64_t days,
                     const fs::path& target) {
    constexpr std::int64_t day_s = 86'400;
    if (serial == 0) {
        const auto old = installed_directory(config);
        throw std::runtime_error("directory build needs a serial that counts up: --serial " +
                                 std::to_string(old ? old->directory.serial + 1 : 1));
    }
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
    Records records = read_records(config);
    for (const Department& clerk : records.clerks) check_clerk(config, clerk);
    directory.departments = std::move(records.departments);
    directory.clerks = std::move(records.clerks);
    directory.escrow = std::move(records.escrow);
    directory.page_hashes = config.page_hashes;
    for (const std::string& kid : revoked_keys(config)) {
        const auto raw = from_hex(kid);
        if (!raw || raw->size() != KeyId{}.size()) {
            throw std::runtime_error(revoked_file(config).string() + " is damaged");
        }
        std::copy(raw->begin(), raw->end(), directory.revoked.emplace_back().begin());
    }
    if (directory.departments.empty()) {
        throw std::runtime_error("no department yet: run `directory add RECORD.json` first");
    }
    const std::string text = encode_directory(directory);
    // Two records of one address, or too many: nobody could read it.
    static_cast<void>(checked(parse_directory(text), "the records do not fit together"));
    adapters::write_durably(fs::absolute(target), as_bytes(text));
    std::cout << "wrote " << target.string()
              << "; where the signer's key is, sign it by\n  minisign -S -s signer.key -m "
              << target.filename().string() << " -t \"serial:" << serial
              << " expires:" << day_text(directory.expires) << "\"\n";
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
              << " departments and " << directory.clerks.size() << " clerks\n";
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
