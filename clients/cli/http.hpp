#pragma once
/// HTTPS through libcurl, with one set of rules: TLS 1.2 or newer, no redirects, plain HTTP to this
/// machine only, time-outs for silence instead of for duration. The only part that sees libcurl.

#include <plankurier/bytes.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace plankurier::cli {

inline constexpr const char* certificate_time = "certificate time";

/// How to talk to servers.
struct HttpSettings {
    std::string ca_file;          ///< empty: the system's
    unsigned silence_seconds{60}; ///< give up when nothing moves for so long
    /// So long a server that says `busy` and a Retry-After is asked again as it says; then its
    /// answer is the caller's.
    std::chrono::seconds busy_patience{900};
};

/// What a server answered.
struct HttpAnswer {
    long status{};
    std::string body;
    std::string address;                ///< numeric, of the server that answered
    std::int64_t date{};                ///< Unix seconds by the server's clock; 0: it did not say
    std::string type;                   ///< Content-Type, or empty
    std::chrono::seconds retry_after{}; ///< 0: the server said nothing about that
    /// It has a body for people: from a proxy, a login page or a router, and not from the service.
    [[nodiscard]] bool is_page() const { return type.starts_with("text/html"); }
};

/// How long a server is waited for that said "busy" and named a time: that time and up to as much
/// more, by chance, so that those who were refused together do not come back together.
[[nodiscard]] std::chrono::milliseconds busy_wait(std::chrono::seconds told);

/// True for https, and for http to a loopback address. Everything else is refused.
[[nodiscard]] bool url_allowed(std::string_view url);

/// One connection that is kept between requests. Belongs to one thread.
class HttpLine {
public:
    explicit HttpLine(const HttpSettings& settings);
    ~HttpLine();
    HttpLine(HttpLine&&) noexcept;
    HttpLine& operator=(HttpLine&&) noexcept;

    /// From now on with these settings; its connection stays.
    void use(const HttpSettings& settings);

    using Headers = std::vector<std::string>; ///< "Name: value"

    /// Asked about once a second during each request; `silent`: so long nothing has moved.
    using Watch = std::function<bool(std::chrono::milliseconds silent)>;
    /// From now on; when it says false, the request ends with `network`.
    void watch(Watch keep_going);
    /// Told the seconds when a server is busy and is asked again.
    void on_busy(std::function<void(unsigned seconds)> told);

    /// A request with a small body and a small answer (at most `answer_bytes_max`, within
    /// `time_max`; 0: as long as bytes come). Any status is success here. Fails with `network`,
    /// `tls` (a certificate was seen and is not trusted; with `certificate_time` as detail when by
    /// this computer's clock it does not hold yet, or not any more), `file_unreadable` (the CA
    /// file), `canceled`, `too_large`, `invalid_argument`.
    [[nodiscard]] Result<HttpAnswer> request(std::string_view method, const std::string& url,
                                             const Headers& headers, ByteView body,
                                             std::size_t answer_bytes_max = 4u << 20,
                                             std::chrono::seconds time_max = {});

    /// The time that the server tells, asked for without a look at its certificate: only to explain
    /// why that was refused, never to be trusted. Nothing of ours is sent. 0: it does not say.
    [[nodiscard]] std::int64_t unchecked_date(const std::string& url);

    /// Fills the span with the next bytes of an upload and returns how many; fewer than asked for
    /// is fine, 0 stops the upload. It is called until `length` bytes were given.
    using Produce = std::function<std::size_t(std::span<std::byte>)>;
    /// Starts the upload's bytes anew (a kept connection turned out to be dead).
    using Rewind = std::function<void()>;
    /// PUT of `length` bytes. Fails like `request`.
    [[nodiscard]] Result<HttpAnswer> put(const std::string& url, const Headers& headers,
                                         std::uint64_t length, const Produce& produce,
                                         const Rewind& rewind);

    /// Takes the bytes of a 2xx answer as they come; false stops the transfer.
    using Consume = std::function<bool(ByteView)>;
    /// GET whose 2xx answer goes to `consume`, unless it is a page for people; the body of other
    /// answers is returned. Fails like
    /// `request`; when `consume` said false with `canceled`.
    [[nodiscard]] Result<HttpAnswer> get(const std::string& url, const Headers& headers,
                                         const Consume& consume);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace plankurier::cli
