#include <clients/cli/http.hpp>

#include <clients/cli/line_progress.hpp>
#include <clients/cli/signals.hpp>
#include <clients/cli/wire.hpp>

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace plankurier::cli {

namespace {

struct HeaderList {
    curl_slist* list{};
    ~HeaderList() { curl_slist_free_all(list); }
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

/// What the callbacks of one transfer need.
struct Transfer {
    CURL* curl{};
    std::string body;
    std::size_t body_bytes_max{};
    bool overflow{};
    ByteView upload;
    std::size_t upload_at{};
    const HttpLine::Produce* produce{};
    const HttpLine::Rewind* rewind{};
    const HttpLine::Consume* consume{};
};

std::size_t on_write(char* data, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const auto bytes = size * count;
    if (transfer.consume != nullptr) {
        long status = 0;
        const char* type = nullptr;
        curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_TYPE, &type);
        const bool page = type != nullptr && std::string_view{type}.starts_with("text/html");
        if (status >= 200 && status < 300 && !page) {
            const bool more = (*transfer.consume)(std::as_bytes(std::span{data, bytes}));
            return more ? bytes : 0;
        }
    }
    if (transfer.body.size() + bytes > transfer.body_bytes_max) {
        transfer.overflow = true;
        return 0;
    }
    transfer.body.append(data, bytes);
    return bytes;
}

std::size_t on_read(char* out, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (transfer.produce != nullptr) {
        const auto got = (*transfer.produce)(std::as_writable_bytes(std::span{out, size * count}));
        return got == 0 ? CURL_READFUNC_ABORT : got;
    }
    const auto bytes = std::min(size * count, transfer.upload.size() - transfer.upload_at);
    if (bytes > 0) std::memcpy(out, transfer.upload.data() + transfer.upload_at, bytes);
    transfer.upload_at += bytes;
    return bytes;
}

int on_seek(void* user, curl_off_t offset, int origin) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
    if (transfer.rewind != nullptr) (*transfer.rewind)();
    transfer.upload_at = 0;
    return CURL_SEEKFUNC_OK;
}

Error error_of(CURLcode code) {
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR: return {Errc::tls, "certificate"};
    case CURLE_SSL_CACERT_BADFILE: return {Errc::file_unreadable, "--ca"};
    case CURLE_WRITE_ERROR: return {Errc::canceled, "consumer"};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return {Errc::invalid_argument, "url"};
    // A handshake that breaks off, too: behind the port may be a proxy whose server restarts.
    default: return {Errc::network, "curl " + std::to_string(static_cast<int>(code))};
    }
}

/// The certificate is refused for its time alone (X509_V_ERR_CERT_NOT_YET_VALID, …_HAS_EXPIRED of
/// OpenSSL's x509_vfy.h).
bool is_about_time(CURL* curl) {
    long verdict = 0;
    curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verdict);
    return verdict == 9 || verdict == 10;
}

/// RFC 9110, 6.6.1. 0: none.
std::int64_t date_of(CURL* curl) {
    curl_header* header = nullptr;
    if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return 0;
    return std::max<std::int64_t>(curl_getdate(header->value, nullptr), 0);
}

/// The hosts that the environment wants to be reached without a proxy.
bool goes_directly(std::string_view host) {
    const char* given = std::getenv("no_proxy");
    if (given == nullptr) given = std::getenv("NO_PROXY");
    std::string_view list = given != nullptr ? given : "";
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(", "), list.size());
        auto entry = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        if (entry == "*") return true;
        while (entry.starts_with('.')) entry.remove_prefix(1);
        const bool ends = !entry.empty() && host.ends_with(entry);
        if (ends && (host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.')) {
            return true;
        }
    }
    return false;
}

/// What the environment names between us and a server; empty when nothing.
std::string_view proxy_for(std::string_view url) {
    if (goes_directly(host_of(url))) return {};
    for (const auto* variable : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
        const char* value = std::getenv(variable);
        if (value != nullptr && value[0] != '\0') return value;
    }
    return {};
}

bool is_proxy_address(std::string_view text) {
    const auto end = text.find("://");
    if (end == text.npos) return true;
    const auto scheme = text.substr(0, end);
    for (const auto* known : {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}) {
        if (scheme == known) return true;
    }
    return false;
}

/// Of a proxy that the environment names (lanes.hpp tries again what may get better by itself).
std::optional<Error> proxy_error(CURL* curl, CURLcode code) {
    const char* url = nullptr;
    curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
    const auto proxy = url != nullptr ? proxy_for(url) : std::string_view{};
    if (proxy.empty()) return std::nullopt;
    if (!is_proxy_address(proxy) || code == CURLE_PROXY) {
        return Error{Errc::network, "proxy setting"};
    }
    if (code == CURLE_COULDNT_RESOLVE_PROXY) return Error{Errc::network, "proxy away"};
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &answer);
    if (answer == 407) return Error{Errc::network, "proxy password"};
    if (answer >= 400) return Error{Errc::network, "proxy refuses"};
    if (code == CURLE_COULDNT_CONNECT) return Error{Errc::network, "proxy away"};
    return std::nullopt;
}

template <typename T>
void set(CURL* curl, CURLoption option, T value) {
    if (curl_easy_setopt(curl, option, value) != CURLE_OK)
        throw std::runtime_error("libcurl option");
}

/// A proxy whose server is away says 503, too: that is `unavailable`, and for the caller to judge.
bool is_busy(const HttpAnswer& answer) {
    return answer.retry_after.count() > 0 &&
           parse_problem(answer.status, answer.body).code == Errc::busy;
}

} // namespace

std::chrono::milliseconds busy_wait(std::chrono::seconds told) {
    using namespace std::chrono;
    const auto least = duration_cast<milliseconds>(std::clamp(told, 1s, 120s));
    std::array<std::byte, 2> dice{};
    fill_random(dice);
    const auto chance = std::to_integer<int>(dice[0]) << 8 | std::to_integer<int>(dice[1]);
    return least + least * chance / 65'536;
}

bool url_allowed(std::string_view url) {
    if (url.starts_with("https://")) return url.size() > 8;
    if (!url.starts_with("http://")) return false;
    const auto rest = url.substr(7);
    const auto host =
        rest.substr(0, rest.starts_with('[') ? rest.find(']') + 1 : rest.find_first_of(":/?#"));
    return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

struct HttpLine::State {
    HttpSettings settings;
    CURL* curl{};
    Watch keep_going;
    std::function<void(unsigned)> busy_told;
    LineProgress progress;

    explicit State(const HttpSettings& given) : settings(given) {
        [[maybe_unused]] static const auto started = curl_global_init(CURL_GLOBAL_DEFAULT);
        curl = curl_easy_init();
        if (curl == nullptr) throw std::runtime_error("libcurl");
    }
    ~State() { curl_easy_cleanup(curl); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    static int on_socket(void* user, curl_socket_t socket, curlsocktype) {
        static_cast<State*>(user)->progress.opened(socket);
        return CURL_SOCKOPT_OK;
    }
    static int on_close(void* user, curl_socket_t socket) {
        static_cast<State*>(user)->progress.closed(socket);
        return ::close(socket);
    }
    static int on_progress(void* user, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
        auto& self = *static_cast<State*>(user);
        const auto silent = self.progress.silent(static_cast<std::uint64_t>(down + up));
        const bool over = silent >= std::chrono::seconds{self.settings.silence_seconds};
        return interrupted() || over || !self.goes_on(silent) ? 1 : 0;
    }
    [[nodiscard]] bool goes_on(std::chrono::milliseconds silent) const {
        return !keep_going || keep_going(silent);
    }

    void prepare(const std::string& url) {
        curl_easy_reset(curl); // keeps the connection
        set(curl, CURLOPT_URL, url.c_str());
        const bool plain = url.starts_with("http://");
        set(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
        set(curl, CURLOPT_FOLLOWLOCATION, 0L);
        set(curl, CURLOPT_NOSIGNAL, 1L);
        set(curl, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
        set(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
        set(curl, CURLOPT_TCP_NODELAY, 1L);
        set(curl, CURLOPT_CONNECTTIMEOUT, 15L);
        if (plain) set(curl, CURLOPT_NOPROXY, "*");
        if (!settings.ca_file.empty()) set(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
        set(curl, CURLOPT_NOPROGRESS, 0L);
        set(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        set(curl, CURLOPT_XFERINFODATA, this);
        set(curl, CURLOPT_SOCKOPTFUNCTION, on_socket);
        set(curl, CURLOPT_SOCKOPTDATA, this);
        set(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close);
        set(curl, CURLOPT_CLOSESOCKETDATA, this);
        set(curl, CURLOPT_MAXCONNECTS, 16L); // one to each relay
        set(curl, CURLOPT_WRITEFUNCTION, on_write);
        set(curl, CURLOPT_READFUNCTION, on_read);
        set(curl, CURLOPT_SEEKFUNCTION, on_seek);
    }

    Result<HttpAnswer> perform(Transfer& transfer, const Headers& headers) {
        HeaderList list;
        list.add("Expect:");
        for (const auto& header : headers) list.add(header);
        transfer.curl = curl;
        set(curl, CURLOPT_HTTPHEADER, list.list);
        set(curl, CURLOPT_WRITEDATA, &transfer);
        set(curl, CURLOPT_READDATA, &transfer);
        set(curl, CURLOPT_SEEKDATA, &transfer);
        const auto end = LineProgress::Clock::now() + settings.busy_patience;
        for (;;) {
            auto answer = perform_once(transfer);
            if (!answer || !is_busy(*answer)) return answer;
            const auto wait = busy_wait(answer->retry_after);
            if (LineProgress::Clock::now() + wait > end) return answer;
            if (auto waited = wait_for_busy(wait); !waited) return tl::unexpected(waited.error());
            on_seek(&transfer, 0, SEEK_SET);
            transfer.body.clear();
        }
    }

    /// Goes on asking the watch, as during a request.
    Result<void> wait_for_busy(std::chrono::milliseconds wait) const {
        const auto seconds = (wait + std::chrono::milliseconds{999}) / std::chrono::seconds{1};
        if (busy_told) busy_told(static_cast<unsigned>(seconds));
        constexpr std::chrono::milliseconds step{200};
        for (; wait.count() > 0; wait -= step) {
            if (!pause_for(std::min(wait, step))) return fail(Errc::canceled, "interrupted");
            if (!goes_on({})) return fail(Errc::network, "stalled");
        }
        return {};
    }

    Result<HttpAnswer> perform_once(Transfer& transfer) {
        progress.begin();
        const auto code = curl_easy_perform(curl);
        if (interrupted()) return fail(Errc::canceled, "interrupted");
        if (code == CURLE_ABORTED_BY_CALLBACK) return fail(Errc::network, "stalled");
        HttpAnswer answer;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
        // A server may refuse an upload with an answer and close before it has read everything.
        const bool refused =
            answer.status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
        if (code != CURLE_OK && !refused) {
            if (transfer.overflow) return fail(Errc::too_large, "answer");
            if (auto proxy = proxy_error(curl, code)) return tl::unexpected(std::move(*proxy));
            auto error = error_of(code);
            if (error.code == Errc::tls && is_about_time(curl)) error.detail = certificate_time;
            return tl::unexpected(std::move(error));
        }
        answer.date = date_of(curl);
        answer.body = std::move(transfer.body);
        const char *address = nullptr, *type = nullptr;
        curl_off_t retry_after = 0;
        curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
        curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
        curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
        if (address != nullptr) answer.address = address;
        if (type != nullptr) answer.type = type;
        answer.retry_after = std::chrono::seconds{retry_after};
        return answer;
    }
};

HttpLine::HttpLine(const HttpSettings& settings) : state_(std::make_unique<State>(settings)) {}
HttpLine::~HttpLine() = default;
HttpLine::HttpLine(HttpLine&&) noexcept = default;
HttpLine& HttpLine::operator=(HttpLine&&) noexcept = default;

void HttpLine::use(const HttpSettings& settings) { state_->settings = settings; }

void HttpLine::watch(Watch keep_going) { state_->keep_going = std::move(keep_going); }
void HttpLine::on_busy(std::function<void(unsigned)> told) { state_->busy_told = std::move(told); }

Result<HttpAnswer> HttpLine::request(std::string_view method, const std::string& url,
                                     const Headers& headers, ByteView body,
                                     std::size_t answer_bytes_max, std::chrono::seconds time_max) {
    if (!url_allowed(url)) return fail(Errc::invalid_argument, "url");
    state_->prepare(url);
    Transfer transfer;
    transfer.body_bytes_max = answer_bytes_max;
    transfer.upload = body;
    auto* curl = state_->curl;
    const std::string verb{method};
    set(curl, CURLOPT_TIMEOUT, static_cast<long>(time_max.count()));
    if (method == "PUT") {
        set(curl, CURLOPT_UPLOAD, 1L);
        set(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body.size()));
    } else if (method == "POST") {
        set(curl, CURLOPT_POST, 1L);
        set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        set(curl, CURLOPT_POSTFIELDS, reinterpret_cast<const char*>(body.data()));
    } else if (method != "GET") {
        set(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
    }
    return state_->perform(transfer, headers);
}

std::int64_t HttpLine::unchecked_date(const std::string& url) {
    if (!url_allowed(url)) return 0;
    State once{state_->settings}; // a line of its own: this one must never be used again
    once.settings.busy_patience = {};
    once.prepare(url);
    Transfer transfer;
    set(once.curl, CURLOPT_NOBODY, 1L);
    set(once.curl, CURLOPT_SSL_VERIFYPEER, 0L);
    set(once.curl, CURLOPT_SSL_VERIFYHOST, 0L);
    set(once.curl, CURLOPT_TIMEOUT, 10L);
    const auto answer = once.perform(transfer, {});
    return answer ? answer->date : 0;
}

Result<HttpAnswer> HttpLine::put(const std::string& url, const Headers& headers,
                                 std::uint64_t length, const Produce& produce,
                                 const Rewind& rewind) {
    if (!url_allowed(url)) return fail(Errc::invalid_argument, "url");
    state_->prepare(url);
    Transfer transfer;
    transfer.body_bytes_max = 1u << 16;
    transfer.produce = &produce;
    transfer.rewind = &rewind;
    set(state_->curl, CURLOPT_UPLOAD, 1L);
    set(state_->curl, CURLOPT_UPLOAD_BUFFERSIZE, 2 * 262'144L); // two segments: no copy on the way
    set(state_->curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length));
    return state_->perform(transfer, headers);
}

Result<HttpAnswer> HttpLine::get(const std::string& url, const Headers& headers,
                                 const Consume& consume) {
    if (!url_allowed(url)) return fail(Errc::invalid_argument, "url");
    state_->prepare(url);
    Transfer transfer;
    transfer.body_bytes_max = 1u << 16;
    transfer.consume = &consume;
    set(state_->curl, CURLOPT_BUFFERSIZE, 262'144L);
    return state_->perform(transfer, headers);
}

} // namespace plankurier::cli
