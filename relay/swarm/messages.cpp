#include "relay/swarm/messages.hpp"

#include <plankurier/json.hpp>

#include <algorithm>
#include <array>

namespace plankurier::relay::swarm {

namespace {

constexpr std::array<const char*, 3> command_names{"add", "connect", "remove"};
constexpr std::array<const char*, 8> report_names{"hello", "ready",    "piece",  "complete",
                                                  "quiet", "bad_peer", "failed", "removed"};

template <typename Kind, std::size_t N>
Kind kind_of(const Json& message, const std::array<const char*, N>& names) {
    const auto& text = message.at("is").get_ref<const std::string&>();
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) throw std::invalid_argument("kind");
    return static_cast<Kind>(found - names.begin());
}

Json with_name(const char* kind, const VolumeName& name) {
    return {{"is", kind}, {"transfer", name.transfer.hex()}, {"volume", name.volume}};
}

template <typename Number>
Number number(const Json& message, const char* key) {
    const Json& value = message.at(key);
    if (!value.is_number_unsigned()) throw std::invalid_argument(key);
    const auto wide = value.get<std::uint64_t>();
    if (wide > std::numeric_limits<Number>::max()) throw std::invalid_argument(key);
    return static_cast<Number>(wide);
}

VolumeName name_of(const Json& message) {
    const auto id = TransferId::from_hex(message.at("transfer").get_ref<const std::string&>());
    if (!id) throw std::invalid_argument("transfer");
    return {*id, number<std::uint32_t>(message, "volume")};
}

void take_volume(const Json& message, Command& command) {
    command.volume.piece_bytes = number<std::uint64_t>(message, "piece_bytes");
    command.have = number<std::uint64_t>(message, "have");
    const auto roots = from_base64url(message.at("roots").get_ref<const std::string&>());
    if (!roots || roots->empty() || roots->size() % 32 != 0 ||
        roots->size() / 32 > volume_pieces_max) {
        throw std::invalid_argument("roots");
    }
    for (auto at = roots->begin(); at != roots->end(); at += 32) {
        std::copy_n(at, 32, command.volume.piece_roots.emplace_back().begin());
    }
    if (!message.contains("certificate")) return;
    command.certificate = SwarmCertificate{
        message.at("authority").get<std::string>(), message.at("certificate").get<std::string>(),
        SecretText{message.at("private_key").get_ref<const std::string&>()}};
}

} // namespace

std::string encode(const Command& command) {
    Json message =
        with_name(command_names.at(static_cast<std::size_t>(command.kind)), command.volume.name);
    if (command.kind == Command::Kind::connect) {
        message["address"] = command.address;
        message["port"] = command.port;
    }
    if (command.kind == Command::Kind::add) {
        Bytes roots;
        for (const Hash256& root : command.volume.piece_roots) {
            roots.insert(roots.end(), root.begin(), root.end());
        }
        message["roots"] = to_base64url(roots);
        message["piece_bytes"] = command.volume.piece_bytes;
        message["have"] = command.have;
        if (command.certificate) {
            message["authority"] = command.certificate->authority;
            message["certificate"] = command.certificate->certificate;
            message["private_key"] = command.certificate->private_key.reveal();
        }
    }
    return message.dump();
}

std::string encode(const Report& report) {
    const char* const kind = report_names.at(static_cast<std::size_t>(report.kind));
    if (report.kind == Report::Kind::hello) {
        return Json{{"is", kind}, {"tls", report.tls}, {"port", report.port}}.dump();
    }
    Json message = with_name(kind, report.volume);
    if (report.kind == Report::Kind::piece) message["piece"] = report.piece;
    if (report.kind == Report::Kind::failed) message["error"] = name(report.error);
    return message.dump();
}

Result<Command> decode_command(std::string_view text) {
    try {
        const Json message = parse_json(text);
        Command command;
        command.kind = kind_of<Command::Kind>(message, command_names);
        command.volume.name = name_of(message);
        if (command.kind == Command::Kind::add) take_volume(message, command);
        if (command.kind == Command::Kind::connect) {
            command.address = message.at("address").get<std::string>();
            command.port = number<std::uint16_t>(message, "port");
        }
        return command;
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "command");
    } catch (const std::invalid_argument&) {
        return fail(Errc::malformed, "command");
    }
}

Result<Report> decode_report(std::string_view text) {
    try {
        const Json message = parse_json(text);
        Report report;
        report.kind = kind_of<Report::Kind>(message, report_names);
        if (report.kind == Report::Kind::hello) {
            report.tls = message.at("tls").get<bool>();
            report.port = number<std::uint16_t>(message, "port");
            return report;
        }
        report.volume = name_of(message);
        if (report.kind == Report::Kind::piece) {
            report.piece = number<std::uint32_t>(message, "piece");
        }
        if (report.kind == Report::Kind::failed) {
            report.error = errc_from_name(message.at("error").get_ref<const std::string&>());
        }
        return report;
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "report");
    } catch (const std::invalid_argument&) {
        return fail(Errc::malformed, "report");
    }
}

} // namespace plankurier::relay::swarm
