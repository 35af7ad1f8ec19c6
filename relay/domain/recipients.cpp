// A transfer may go to several departments and registered clerks: all get the notice, list it, open
// it and say "fetched".
#include "relay/domain/days.hpp"
#include "relay/domain/relay.hpp"

#include <algorithm>

namespace plankurier::relay {

std::vector<std::string> departments_of(const TransferRow& row) {
    std::vector<std::string> out;
    if (!row.department.empty()) out.push_back(row.department);
    out.insert(out.end(), row.also.begin(), row.also.end());
    return out;
}

DepartmentLimits limits_of(const Policy& policy, const std::vector<std::string>& departments) {
    if (departments.empty()) return limits_of(policy, std::string_view{});
    DepartmentLimits out = limits_of(policy, departments.front());
    for (const std::string& department : departments) {
        const DepartmentLimits own = limits_of(policy, department);
        std::erase_if(out.types, [&](const std::string& type) {
            return std::ranges::find(own.types, type) == own.types.end();
        });
        out.transfer_bytes_max = std::min(out.transfer_bytes_max, own.transfer_bytes_max);
        out.expiry_days_min = std::max(out.expiry_days_min, own.expiry_days_min);
        out.expiry_days_max = std::min(out.expiry_days_max, own.expiry_days_max);
    }
    return out;
}

/// Where notices of a department go: as the operator says. Of a clerk: as the directory says, if it
/// is one of the authority's addresses.
std::optional<std::string> Relay::notice_address(const std::string& id) const {
    const Department* const known = directory_.find(id);
    if (known == nullptr) return std::nullopt;
    if (!known->address.empty()) {
        const bool is_ours = check_address(known->address) && is_staff(policy_, known->address);
        return is_ours ? std::optional{known->address} : std::nullopt;
    }
    const auto mail = policy_.department_mails.find(id);
    return mail == policy_.department_mails.end() ? std::nullopt : std::optional{mail->second};
}

/// The address of a department or clerk that takes transfers from this sender.
Result<std::string> Relay::department_mail(const Sender& sender,
                                           const std::string& department) const {
    auto mail = notice_address(department);
    if (!mail) return fail(Errc::unknown_department, "department");
    if (!may_write(policy_, sender.email, department, *mail)) {
        return fail(Errc::address_not_allowed, "sender");
    }
    return std::move(*mail);
}

Result<void> Relay::check_also(const Sender& sender, const TransferRequest& request) const {
    constexpr std::size_t also_max = 7;
    if (request.also.empty()) return {};
    auto all = request.also;
    all.push_back(request.department);
    std::ranges::sort(all);
    const bool twice = std::ranges::adjacent_find(all) != all.end();
    if (request.department.empty() || request.also.size() > also_max || twice) {
        return fail(Errc::invalid_argument, "also");
    }
    for (const std::string& department : request.also) {
        if (auto mail = department_mail(sender, department); !mail) {
            return tl::unexpected(mail.error());
        }
    }
    return {};
}

/// Where notices go: the address of the transfer, and those that its other departments have now.
std::vector<std::string> Relay::notice_addresses(const TransferRow& row) {
    std::vector<std::string> out{opened_text(row.slot, "recipient", row.sealed_recipient)};
    for (const std::string& department : row.also) {
        auto mail = notice_address(department);
        if (mail && std::ranges::find(out, *mail) == out.end()) out.push_back(std::move(*mail));
    }
    return out;
}

/// True when a department or clerk that the transfer goes to has signed that it was fetched.
bool Relay::is_signed_fetch(const TransferRow& row, ByteView report) const {
    for (const std::string& id : departments_of(row)) {
        const Department* const department = directory_.find(id);
        if (department == nullptr) continue;
        for (const DepartmentSigningKey& key : department->signing_keys) {
            const auto checked = check_fetched(report, key.key);
            // The content root is the sender's, and the time one that can be: who signs for
            // something else has not fetched this.
            if (checked && checked->transfer == row.transfer &&
                to_hex(checked->envelope_sha256) == row.envelope_hash &&
                (row.content_root.empty() || // from before senders named it
                 to_hex(checked->content_root) == row.content_root) &&
                checked->time >= row.created - day_s &&
                checked->time <= ports_.clock.now() + day_s) {
                return true;
            }
        }
    }
    return false;
}

} // namespace plankurier::relay
