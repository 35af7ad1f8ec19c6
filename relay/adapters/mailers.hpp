#pragma once
/// Mail as RFC 5322 messages: by SMTP through libcurl, or into a folder. One thread at a time.

#include "relay/domain/ports.hpp"

#include <plankurier/secret.hpp>

#include <filesystem>

namespace plankurier::relay::adapters {

/// The whole message: UTF-8 text as quoted-printable (RFC 2045), subject by RFC 2047, CRLF lines,
/// fixed Message-ID, Auto-Submitted (RFC 3834). Fields must be free of control characters.
[[nodiscard]] std::string mail_message(const Mail& mail, const std::string& from,
                                       std::int64_t time);

/// Where a mail that cannot be delivered comes back to: "bounce@host" becomes
/// "bounce+<first 16 digits of the mail's id>@host"; `from` when there is no such address.
[[nodiscard]] std::string envelope_sender(const std::string& bounce, const std::string& from,
                                          const std::string& mail_id);

/// Writes each mail as DATA/mail/ID.eml: the default where no mail server is configured.
class FolderMailer final : public Mailer {
public:
    FolderMailer(std::filesystem::path folder, std::string from, Clock& clock);
    Delivery deliver(const Mail& mail) override;
    void forget(const std::string& id) override;
    void keep_only(const std::vector<std::string>& ids) override;

private:
    std::filesystem::path folder_;
    std::string from_;
    Clock& clock_;
};

struct SmtpSettings {
    std::string url;  ///< smtp://host:port (STARTTLS when offered) or smtps://host:port
    std::string user; ///< empty: no authentication
    SecretText password;
    std::string ca_file;
    std::string bounce; ///< see `envelope_sender`
    bool require_tls{true};
};
/// Hands each mail to the authority's own mail server. 4xx and network failures: later; 5xx:
/// refused. Keeps no copy.
class SmtpMailer final : public Mailer {
public:
    SmtpMailer(SmtpSettings settings, std::string from, Clock& clock);
    Delivery deliver(const Mail& mail) override;
    void forget(const std::string& id) override;

private:
    SmtpSettings settings_;
    std::string from_;
    Clock& clock_;
};

} // namespace plankurier::relay::adapters
