// Who may write to whom. One side is always the authority: citizens write to departments and staff,
// departments and staff also to citizens.
#include "relay/domain/relay.hpp"

namespace plankurier::relay {

/// The verified address of the session, or the department or clerk whose key opened it.
Result<Relay::Sender> Relay::sender_of(const SessionToken& session) {
    if (const KeyHolder* const holder = key_holder(session)) {
        auto mail = notice_address(holder->department);
        if (!mail) return fail(Errc::not_verified, "session");
        return Sender{std::move(*mail), holder->department, ports_.clock.now(), true};
    }
    const auto row = session_row(session);
    if (!row) return tl::unexpected(row.error());
    if (row->verified == 0) return fail(Errc::not_verified, "session");
    std::string email = opened_text(row->slot, "email", row->sealed_email);
    const bool of_staff = is_staff(policy_, email);
    return Sender{std::move(email), {}, row->verified, of_staff};
}

Result<Relay::Addressee> Relay::addressee_of(const Sender& sender,
                                             const TransferRequest& request) const {
    if (auto ok = check_also(sender, request); !ok) return tl::unexpected(ok.error());
    if (!request.citizen.empty()) {
        if (!request.department.empty() || !request.staff.empty())
            return fail(Errc::invalid_argument, "recipient");
        if (!sender.is_authority || !check_address(request.citizen) ||
            is_staff(policy_, request.citizen)) {
            return fail(Errc::address_not_allowed, "recipient");
        }
        return Addressee{request.citizen, {}};
    }
    if (request.inbox) return fail(Errc::invalid_argument, "inbox");
    if (!request.staff.empty()) {
        if (!check_address(request.staff) || !is_staff(policy_, request.staff)) {
            return fail(Errc::address_not_allowed, "recipient");
        }
        if (!may_write(policy_, sender.email, {}, request.staff)) {
            return fail(Errc::address_not_allowed, "sender");
        }
        return Addressee{request.staff, {}};
    }
    const auto mail = department_mail(sender, request.department);
    if (!mail) return tl::unexpected(mail.error());
    return Addressee{*mail, request.department};
}

} // namespace plankurier::relay
