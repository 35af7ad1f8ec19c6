#include "relay/adapters/mailers.hpp"

#include "relay/adapters/files.hpp"
#include "relay/domain/days.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <set>
#include <system_error>

namespace plankurier::relay::adapters {

namespace {

bool is_header_safe(std::string_view text) {
    return std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}
/// libcurl hands addresses to the server as they are, so nothing that ends one may pass.
bool is_address_safe(std::string_view text) {
    return is_header_safe(text) && text.find_first_of("<> ,;\"") == text.npos && !text.empty();
}

/// RFC 2047, B encoding, in words of at most 75 characters cut between code points.
std::string encoded_subject(std::string_view subject) {
    const bool ascii =
        std::ranges::all_of(subject, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) return std::string{subject};
    constexpr std::size_t word_bytes = 42;
    std::string out;
    while (!subject.empty()) {
        std::size_t now = std::min(word_bytes, subject.size());
        while (now < subject.size() &&
               (static_cast<unsigned char>(subject[now]) & 0xC0U) == 0x80U) {
            --now;
        }
        if (!out.empty()) out += "\r\n ";
        out += "=?UTF-8?B?" + to_base64(as_bytes(subject.substr(0, now))) + "?=";
        subject.remove_prefix(now);
    }
    return out;
}

/// RFC 2045, 6.7: lines of at most 76 characters.
std::string quoted_printable(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    constexpr std::size_t line_max = 73;
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const bool before_end = i + 1 == text.size() || text[i + 1] == '\n';
        const bool plain = (c >= 33 && c <= 126 && c != '=' && !(c == '.' && column == 0)) ||
                           (c == ' ' && !before_end);
        if (column >= line_max) {
            out += "=\r\n";
            column = 0;
        }
        if (plain) {
            out += static_cast<char>(c);
            ++column;
        } else {
            out += {'=', digits[c >> 4U], digits[c & 15U]};
            column += 3;
        }
    }
    return out;
}

/// Names stay in a file system's journal and cannot be overwritten: this one tells no id.
std::string file_name(const std::string& id) {
    return to_hex(sha256(as_bytes(id))).substr(0, 32) + ".eml";
}

struct Upload {
    std::string_view rest;
};

std::size_t give(char* target, std::size_t size, std::size_t count, void* user) {
    auto& upload = *static_cast<Upload*>(user);
    const std::size_t now = std::min(size * count, upload.rest.size());
    std::copy_n(upload.rest.data(), now, target);
    upload.rest.remove_prefix(now);
    return now;
}

} // namespace

std::string mail_message(const Mail& mail, const std::string& from, std::int64_t time) {
    expects(is_address_safe(mail.to) && is_address_safe(from) && is_header_safe(mail.subject) &&
                (mail.reply_to.empty() || is_address_safe(mail.reply_to)),
            "mail fields");
    const std::string host = from.substr(from.find('@') + 1);
    std::string out = "Date: " + internet_date(time, "+0000") + "\r\nFrom: <" + from +
                      ">\r\nTo: <" + mail.to + ">\r\n";
    if (!mail.reply_to.empty()) out += "Reply-To: <" + mail.reply_to + ">\r\n";
    out += "Subject: " + encoded_subject(mail.subject) + "\r\nMessage-ID: <" + mail.id + "@" +
           host +
           ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n"
           "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    return out + quoted_printable(mail.text);
}

std::string envelope_sender(const std::string& bounce, const std::string& from,
                            const std::string& mail_id) {
    constexpr std::size_t digits = 16;
    const std::size_t at = bounce.find('@');
    if (at == bounce.npos) return from;
    return bounce.substr(0, at) + "+" + mail_id.substr(0, digits) + bounce.substr(at);
}

FolderMailer::FolderMailer(std::filesystem::path folder, std::string from, Clock& clock)
    : folder_(std::move(folder)), from_(std::move(from)), clock_(clock) {
    std::filesystem::create_directories(folder_);
}
Delivery FolderMailer::deliver(const Mail& mail) {
    try {
        forget(mail.id); // what a crash has left would be freed with its content by the next write
        write_durably(folder_ / file_name(mail.id),
                      as_bytes(mail_message(mail, from_, clock_.now())));
    } catch (const std::system_error& error) {
        std::fprintf(stderr, "mail folder: %s\n", error.what());
        return Delivery::later; // like a mail server with a full disk
    }
    return Delivery::done;
}
void FolderMailer::forget(const std::string& id) {
    erase_durably(folder_ / file_name(id));
    erase_durably(folder_ / (file_name(id) + ".tmp"));
}
void FolderMailer::keep_only(const std::vector<std::string>& ids) {
    std::set<std::string> kept;
    for (const std::string& id : ids) kept.insert(file_name(id));
    std::vector<std::filesystem::path> strangers;
    for (const auto& entry : std::filesystem::directory_iterator{folder_}) {
        if (!entry.is_regular_file()) continue; // lost+found of a disk, the reserve
        std::string name = entry.path().filename().string();
        if (name.ends_with(".tmp")) name.resize(name.size() - 4);
        if (!kept.contains(name)) strangers.push_back(entry.path());
    }
    for (const auto& file : strangers) erase_durably(file);
}

SmtpMailer::SmtpMailer(SmtpSettings settings, std::string from, Clock& clock)
    : settings_(std::move(settings)), from_(std::move(from)), clock_(clock) {
    curl_global_init(CURL_GLOBAL_ALL);
}

Delivery SmtpMailer::deliver(const Mail& mail) {
    if (!is_address_safe(mail.to)) return Delivery::refused;
    const std::string message = mail_message(mail, from_, clock_.now());
    Upload upload{message};
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle{curl_easy_init(),
                                                                     &curl_easy_cleanup};
    CURL* const curl = handle.get();
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> to{
        curl_slist_append(nullptr, ("<" + mail.to + ">").c_str()), &curl_slist_free_all};
    curl_easy_setopt(curl, CURLOPT_URL, settings_.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     static_cast<long>(settings_.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (!settings_.ca_file.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
    }
    const std::string password{settings_.password.reveal()};
    if (!settings_.user.empty()) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
    }
    const std::string from = "<" + envelope_sender(settings_.bounce, from_, mail.id) + ">";
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    const CURLcode result = curl_easy_perform(curl);
    if (result == CURLE_OK) return Delivery::done;
    // A wrong password or missing TLS is the administrator's to mend; the mail waits for it.
    if (result == CURLE_LOGIN_DENIED || result == CURLE_USE_SSL_FAILED) return Delivery::later;
    long reply = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
    return reply >= 500 && reply < 600 ? Delivery::refused : Delivery::later;
}

void SmtpMailer::forget(const std::string&) {}

} // namespace plankurier::relay::adapters
