#include "relay/pieces/http_client.hpp"

#include <curl/curl.h>

#include <mutex>
#include <stdexcept>

namespace plankurier::relay::pieces {

namespace {

struct Received {
    std::string body;
    std::size_t bytes_max{};
    bool overflow{};
};

std::size_t on_write(char* data, std::size_t size, std::size_t count, void* user) {
    auto& received = *static_cast<Received*>(user);
    const std::size_t bytes = size * count;
    if (bytes > received.bytes_max - received.body.size()) {
        received.overflow = true;
        return 0;
    }
    received.body.append(data, bytes);
    return bytes;
}

class Headers {
public:
    Headers() = default;
    ~Headers() { curl_slist_free_all(list_); }
    Headers(const Headers&) = delete;
    Headers& operator=(const Headers&) = delete;
    void add(const std::string& line) {
        curl_slist* const longer = curl_slist_append(list_, line.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        list_ = longer;
    }
    [[nodiscard]] curl_slist* get() const noexcept { return list_; }

private:
    curl_slist* list_{};
};

Errc errc_of(CURLcode code) {
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return Errc::tls;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Errc::invalid_argument;
    // A handshake that breaks off, too: whoever accepts and closes may only be starting.
    default: return Errc::network;
    }
}

template <typename T>
void set(CURL* curl, CURLoption option, T value) {
    if (curl_easy_setopt(curl, option, value) != CURLE_OK) {
        throw std::runtime_error("libcurl does not know an option");
    }
}

} // namespace

struct HttpClient::State {
    std::filesystem::path ca_file;
    CURL* curl{};
};

HttpClient::HttpClient(std::filesystem::path ca_file) : state_(std::make_unique<State>()) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    state_->ca_file = std::move(ca_file);
    state_->curl = curl_easy_init();
    if (state_->curl == nullptr) throw std::runtime_error("libcurl cannot start");
}

HttpClient::~HttpClient() { curl_easy_cleanup(state_->curl); }

Result<HttpAnswer> HttpClient::call(const HttpCall& call) {
    CURL* const curl = state_->curl;
    curl_easy_reset(curl); // keeps the connections
    const bool local = !call.unix_socket.empty();
    set(curl, CURLOPT_URL, call.url.c_str());
    set(curl, CURLOPT_PROTOCOLS_STR, local ? "http" : "https");
    if (local) set(curl, CURLOPT_UNIX_SOCKET_PATH, call.unix_socket.c_str());
    if (!state_->ca_file.empty()) set(curl, CURLOPT_CAINFO, state_->ca_file.c_str());
    set(curl, CURLOPT_PROXY, ""); // relays know each other's addresses; the environment has no say
    set(curl, CURLOPT_FOLLOWLOCATION, 0L);
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    set(curl, CURLOPT_CONNECTTIMEOUT_MS, call.seconds_max * 333L);
    set(curl, CURLOPT_TIMEOUT_MS, call.seconds_max * 1'000L);
    // One second less than our piece plane keeps a quiet line: no call meets a closing one.
    set(curl, CURLOPT_MAXAGE_CONN, 29L);
    Headers headers;
    headers.add("Expect:");
    headers.add("Content-Type: application/json");
    if (!call.authorization.empty()) headers.add("Authorization: " + call.authorization);
    set(curl, CURLOPT_HTTPHEADER, headers.get());
    if (call.method != "GET") {
        set(curl, CURLOPT_POST, 1L);
        set(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
        set(curl, CURLOPT_POSTFIELDS, call.body.c_str());
        set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    }
    Received received{{}, call.answer_bytes_max, false};
    set(curl, CURLOPT_WRITEFUNCTION, on_write);
    set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&received));
    const CURLcode code = curl_easy_perform(curl);
    if (received.overflow) return fail(Errc::too_large, "answer");
    if (code != CURLE_OK) return fail(errc_of(code), "curl " + std::to_string(int{code}));
    long status = 0;
    const char* address = nullptr;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
    return HttpAnswer{static_cast<unsigned>(status), std::move(received.body),
                      address == nullptr ? "" : address};
}

} // namespace plankurier::relay::pieces
