#include <clients/cli/wire.hpp>

#include <plankurier/json.hpp>

#include <algorithm>
#include <utility>

namespace plankurier::cli {

namespace {

/// Runs `read` over the parsed text; every surprise is `malformed`.
template <typename T, typename Read>
Result<T> parse(std::string_view text, Read read) {
    try {
        return read(parse_json(text));
    } catch (const Json::exception&) {
        return fail(Errc::malformed, "json");
    }
}

std::string without_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

Result<std::vector<RelayAddress>> relays_of(const Json& list) {
    std::vector<RelayAddress> relays;
    for (const auto& entry : list) {
        auto id = RelayId::from_hex(entry.at("id").get<std::string>());
        if (!id) return tl::unexpected(id.error());
        relays.push_back({*id, entry.at("url").get<std::string>()});
    }
    return relays;
}

DepartmentLimits limits_of(const Json& in) {
    return {in.at("types").get<std::vector<std::string>>(),
            in.at("transfer_bytes_max").get<std::uint64_t>(),
            in.at("expiry_days_min").get<std::uint32_t>(),
            in.at("expiry_days_default").get<std::uint32_t>(),
            in.at("expiry_days_max").get<std::uint32_t>()};
}

Errc code_of_status(long status) {
    switch (status) {
    case 400: return Errc::invalid_argument;
    case 401: return Errc::not_verified;
    case 403: return Errc::address_not_allowed;
    case 404: return Errc::not_found;
    case 407: // a proxy that wants a name, and one that waited in vain
    case 408: return Errc::network;
    case 409: return Errc::conflict;
    case 410: return Errc::expired;
    case 413: return Errc::too_large;
    case 429: return Errc::rate_limited;
    case 507: return Errc::no_space;
    default:
        if (status < 400) return Errc::network; // a redirect leads away from the service
        return status >= 500 ? Errc::unavailable : Errc::malformed;
    }
}

/// Words for what happens on this computer: they never come by HTTP (docs/protocol.md, section 1).
bool is_our_own(Errc code) {
    constexpr Errc ours[] = {Errc::wrong_password, Errc::wrong_key,    Errc::untrusted_root,
                             Errc::rolled_back,    Errc::file_changed, Errc::file_unreadable,
                             Errc::network,        Errc::tls,          Errc::canceled};
    return std::find(std::begin(ours), std::end(ours), code) != std::end(ours);
}

void add_work(Json& out, const std::optional<WorkDone>& work) {
    if (work) out["work"] = {{"salt", work->salt}, {"numbers", work->numbers}};
}

std::optional<WorkPuzzle> work_of(const Json& work) {
    try {
        return WorkPuzzle{work.at("salt").get<std::string>(), work.at("bits").get<unsigned>(),
                          work.at("count").get<std::size_t>()};
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

} // namespace

std::string relay_list_text(const std::vector<RelayAddress>& relays) {
    std::string text{"plankurier/1 relays"};
    text += '\0';
    for (const auto& relay : relays) text += relay.id.hex() + "\n" + relay.url + "\n";
    return text;
}

Result<Service> parse_service(std::string_view json) {
    return parse<Service>(json, [](const Json& in) -> Result<Service> {
        Service out;
        out.authority = in.at("authority").get<std::string>();
        out.link_base = without_slash(in.at("link_base").get<std::string>());
        out.types = in.at("types").get<std::vector<std::string>>();
        out.transfer_bytes_max = in.at("transfer_bytes_max").get<std::uint64_t>();
        out.files_max = in.at("files_max").get<std::uint64_t>();
        out.message_bytes_max = in.at("message_bytes_max").get<std::uint64_t>();
        out.expiry_days_min = in.at("expiry_days_min").get<std::uint32_t>();
        out.expiry_days_default = in.at("expiry_days_default").get<std::uint32_t>();
        out.expiry_days_max = in.at("expiry_days_max").get<std::uint32_t>();
        out.remember_days_max = in.value("remember_days_max", 0U);
        out.link_allowed = in.value("link_allowed", false);
        if (in.contains("staff_domains")) {
            out.staff_domains = in.at("staff_domains").get<std::vector<std::string>>();
        }
        const auto departments = in.value("departments", Json::object());
        for (const auto& [id, limits] : departments.items()) {
            out.departments[id] = limits_of(limits);
        }
        auto relays = relays_of(in.at("relays"));
        const auto raw = from_base64url(in.at("signature").get<std::string>());
        if (!relays || !raw || raw->size() != out.signature.size()) {
            return fail(Errc::malformed, "service");
        }
        out.relays = std::move(*relays);
        std::copy(raw->begin(), raw->end(), out.signature.begin());
        return out;
    });
}

Service for_department(Service service, const std::string& department) {
    const auto own = service.departments.find(department);
    if (own == service.departments.end()) return service;
    const DepartmentLimits limits = own->second;
    service.types = limits.types;
    service.transfer_bytes_max = limits.transfer_bytes_max;
    service.expiry_days_min = limits.expiry_days_min;
    service.expiry_days_default = limits.expiry_days_default;
    service.expiry_days_max = limits.expiry_days_max;
    return service;
}

Service for_departments(const Service& service, const std::vector<std::string>& departments) {
    if (departments.empty()) return service;
    auto out = for_department(service, departments.front());
    for (const auto& department : departments) {
        const auto own = for_department(service, department);
        std::erase_if(out.types, [&](const std::string& type) {
            return std::find(own.types.begin(), own.types.end(), type) == own.types.end();
        });
        out.transfer_bytes_max = std::min(out.transfer_bytes_max, own.transfer_bytes_max);
        out.expiry_days_min = std::max(out.expiry_days_min, own.expiry_days_min);
        out.expiry_days_max = std::min(out.expiry_days_max, own.expiry_days_max);
    }
    out.expiry_days_default =
        std::max(out.expiry_days_min, std::min(out.expiry_days_default, out.expiry_days_max));
    return out;
}

Result<SignedDirectory> parse_directory_answer(std::string_view json) {
    return parse<SignedDirectory>(json, [](const Json& in) -> Result<SignedDirectory> {
        return SignedDirectory{
            in.at("signer_pub").get<std::string>(), in.at("signer_minisig").get<std::string>(),
            in.at("directory_json").get<std::string>(),
            in.at("directory_minisig").get<std::string>(), in.value("root_pub", std::string{})};
    });
}

bool is_whole_object(std::string_view json) noexcept {
    constexpr auto blanks = " \t\r\n";
    const auto first = json.find_first_not_of(blanks);
    const auto last = json.find_last_not_of(blanks);
    return first < last && json[first] == '{' && json[last] == '}';
}

Problem parse_problem(long status, std::string_view json) {
    Problem problem{code_of_status(status), {}, {}, {}};
    const auto in = try_parse_json(json);
    if (!in.is_object()) return problem;
    if (const auto it = in.find("code"); it != in.end() && it->is_string()) {
        const auto code = errc_from_name(it->get<std::string>());
        if (!is_our_own(code)) problem.code = code; // else the status says it
    }
    const auto number = [&](const char* member) -> std::optional<unsigned> {
        const auto it = in.find(member);
        if (it == in.end() || !it->is_number_unsigned()) return std::nullopt;
        const auto value = it->get<std::uint64_t>();
        return std::in_range<unsigned>(value) ? std::optional{static_cast<unsigned>(value)}
                                              : std::nullopt;
    };
    problem.attempts_left = number("attempts_left");
    problem.retry_after_s = number("retry_after_s");
    if (in.contains("work")) problem.work = work_of(in.at("work"));
    return problem;
}

std::string encode_verification(std::string_view email, std::string_view language,
                                const std::optional<WorkDone>& work) {
    Json out{{"email", email}, {"language", language}};
    add_work(out, work);
    return out.dump();
}

std::string encode_code_again(const std::optional<WorkDone>& work) {
    auto out = Json::object();
    add_work(out, work);
    return out.dump();
}

Result<VerificationBegun> parse_verification(std::string_view json) {
    return parse<VerificationBegun>(json, [](const Json& in) -> Result<VerificationBegun> {
        return VerificationBegun{in.at("session").get<std::string>(),
                                 in.at("valid_s").get<std::uint64_t>(),
                                 in.at("resend_s").get<std::uint64_t>(), in.value("number", 0U)};
    });
}

std::string encode_code(std::string_view code, unsigned remember_days) {
    Json out{{"code", code}};
    if (remember_days > 0) out["remember_days"] = remember_days;
    return out.dump();
}

std::string encode_transfer(const TransferRequest& request) {
    Json out{{"tid", request.transfer.hex()},
             {"body_len", request.body_len},
             {"expiry_days", request.expiry_days},
             {"notify_fetch", request.notify_fetch},
             {"notify_unfetched", request.notify_unfetched},
             {"remind_recipient", request.remind_recipient},
             {"language", request.language},
             {"fetch_sha256", to_base64url(request.fetch_sha256)},
             {"manage_sha256", to_base64url(request.manage_sha256)}};
    if (!request.department.empty()) {
        out["department"] = request.department;
        if (!request.also.empty()) out["also"] = request.also;
    } else if (!request.citizen.empty()) {
        out["citizen"] = request.citizen;
        if (!request.inbox.empty()) out["inbox"] = request.inbox;
    } else {
        out["staff"] = request.staff;
    }
    if (!request.phone.empty()) out["phone"] = request.phone;
    if (request.by_link) out["by_link"] = true;
    return out.dump();
}

Result<TicketAnswer> parse_ticket(std::string_view json) {
    return parse<TicketAnswer>(json, [](const Json& in) -> Result<TicketAnswer> {
        auto relays = relays_of(in.at("relays"));
        if (!relays) return tl::unexpected(relays.error());
        return TicketAnswer{in.at("ticket").get<std::string>(),
                            in.at("expires").get<std::int64_t>(), std::move(*relays),
                            std::max(1U, in.value("stored_min", 1U))};
    });
}

std::string encode_receipts(const std::vector<std::string>& receipts, const Hash256& content_root) {
    return Json{{"receipts", receipts}, {"content_root", to_base64url(content_root)}}.dump();
}

Result<Finished> parse_finished(std::string_view json) {
    return parse<Finished>(json, [](const Json& in) -> Result<Finished> {
        Finished out{in.at("state").get<std::string>(), in.at("receipt_number").get<std::string>(),
                     in.at("expires").get<std::int64_t>(), std::nullopt};
        if (!in.contains("link")) return out;
        const auto link = LinkId::from_hex(in.at("link").get<std::string>());
        if (!link) return tl::unexpected(link.error());
        out.link = *link;
        return out;
    });
}

Result<TransferStatus> parse_status(std::string_view json) {
    return parse<TransferStatus>(json, [](const Json& in) -> Result<TransferStatus> {
        const auto number = [&](const char* member) -> std::int64_t {
            const auto it = in.find(member);
            return it != in.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
        };
        const auto flag = [&](const char* member) {
            const auto it = in.find(member);
            return it != in.end() && it->is_boolean() && it->get<bool>();
        };
        return TransferStatus{in.at("state").get<std::string>(),
                              number("expires"),
                              number("fetched_at"),
                              number("created"),
                              flag("fetched"),
                              flag("signed"),
                              flag("recipient_undeliverable"),
                              number("body_len"),
                              number("copies"),
                              number("resends_left"),
                              flag("lost")};
    });
}

std::string encode_expiry(std::uint32_t days_from_now) {
    return Json{{"expires_days_from_now", days_from_now}}.dump();
}

Result<std::int64_t> parse_expiry(std::string_view json) {
    return parse<std::int64_t>(json, [](const Json& in) -> Result<std::int64_t> {
        return in.at("expires").get<std::int64_t>();
    });
}

Result<std::int64_t> parse_resends_left(std::string_view json) {
    return parse<std::int64_t>(json, [](const Json& in) -> Result<std::int64_t> {
        return in.at("resends_left").get<std::int64_t>();
    });
}

Result<Bytes> parse_history(std::string_view json) {
    return parse<Bytes>(
        json, [](const Json& in) { return from_base64url(in.at("history").get<std::string>()); });
}

Result<Bytes> parse_revoked(std::string_view json) {
    return parse<Bytes>(
        json, [](const Json& in) { return from_base64url(in.value("history", std::string{})); });
}

std::string encode_public_key(ByteView public_key) {
    return Json{{"public_key", to_base64url(public_key)}}.dump();
}

Result<CertificateAnswer> parse_certificate(std::string_view json) {
    return parse<CertificateAnswer>(json, [](const Json& in) -> Result<CertificateAnswer> {
        return CertificateAnswer{in.at("authority").get<std::string>(),
                                 in.at("certificate").get<std::string>(),
                                 in.at("expires").get<std::int64_t>()};
    });
}

Result<Bytes> parse_record(std::string_view json) {
    return parse<Bytes>(
        json, [](const Json& in) { return from_base64url(in.at("record").get<std::string>()); });
}

std::string encode_report(std::optional<Bytes> report) {
    Json out = Json::object();
    if (report) out["report"] = to_base64url(*report);
    return out.dump();
}

Result<Hash256> parse_piece_answer(std::string_view json) {
    return parse<Hash256>(json, [](const Json& in) -> Result<Hash256> {
        const auto raw = from_hex(in.at("root").get<std::string>());
        Hash256 root{};
        if (!raw || raw->size() != root.size()) return fail(Errc::malformed, "root");
        std::copy(raw->begin(), raw->end(), root.begin());
        return root;
    });
}

bool VolumeMap::has(std::uint32_t piece) const noexcept {
    if (piece / 8 >= durable.size()) return false;
    return (std::to_integer<unsigned>(durable[piece / 8]) & (0x80U >> (piece % 8))) != 0;
}

Result<std::vector<VolumeMap>> parse_map(std::string_view json) {
    return parse<std::vector<VolumeMap>>(
        json, [](const Json& in) -> Result<std::vector<VolumeMap>> {
            std::vector<VolumeMap> volumes;
            for (const auto& entry : in.at("volumes")) {
                auto bitmap = from_base64url(entry.at("durable").get<std::string>());
                if (!bitmap) return tl::unexpected(bitmap.error());
                volumes.push_back({entry.at("n").get<std::uint32_t>(), std::move(*bitmap),
                                   entry.at("descriptor").get<bool>()});
            }
            return volumes;
        });
}

Result<std::string> parse_stored(std::string_view json) {
    return parse<std::string>(json, [](const Json& in) -> Result<std::string> {
        auto receipt = in.at("receipt").get<std::string>();
        // The service refuses a request with one that is none, whatever the others are.
        if (!from_base64url(receipt)) return fail(Errc::malformed, "receipt");
        return receipt;
    });
}

Result<std::uint16_t> parse_swarm_port(std::string_view json) {
    return parse<std::uint16_t>(json, [](const Json& in) -> Result<std::uint16_t> {
        const auto port = in.at("port").get<std::uint32_t>();
        if (port == 0 || port > 0xFFFF) return fail(Errc::malformed, "port");
        return static_cast<std::uint16_t>(port);
    });
}

std::string host_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (url.starts_with('[')) return std::string{url.substr(1, url.find(']') - 1)};
    return std::string{url.substr(0, url.find(':'))};
}

} // namespace plankurier::cli
