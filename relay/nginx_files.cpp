#include "relay/nginx_files.hpp"

#include "relay/adapters/files.hpp"
#include "relay/nginx_pages.hpp"
#include "relay/node_commands.hpp"

#include <algorithm>
#include <stdexcept>

namespace plankurier::relay {

namespace {

namespace fs = std::filesystem;

constexpr const char* written = "# Written by plankurier-relay; what is changed here is lost.\n";

std::string problem_location(const char* name, int status, Errc code) {
    const std::string number = std::to_string(status), word{plankurier::name(code)};
    return std::string{"location @"} + name +
           " {\n    types { }\n    default_type application/problem+json;\n    return " + number +
           " '{\"type\":\"about:blank\",\"title\":\"" + word + "\",\"status\":" + number +
           ",\"code\":\"" + word + "\"}';\n}\n";
}

/// Where nginx on this machine finds the piece plane.
std::string pieces_address(const Config& config) {
    std::string host = config.pieces_listen;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    if (host.find(':') != host.npos) host = "[" + host + "]";
    return host + ":" + std::to_string(config.pieces_port);
}

std::string http_text(const Config& config) {
    // nginx cannot tell a good session or ticket from a made-up one, so it only stops floods; who
    // may ask how often is decided behind it.
    const std::size_t rate = config.requests.per_address_s * 10;
    return written + std::string{R"(access_log off;
server_tokens off;
client_header_timeout 5s; client_body_timeout 10s; send_timeout 10s;
large_client_header_buffers 4 8k;
limit_conn_zone $binary_remote_addr zone=connections:10m;
limit_req_zone $binary_remote_addr zone=requests:10m rate=)"} +
           std::to_string(rate) + R"(r/s;
map $request_method:$http_content_length:$http_transfer_encoding $no_length {
    default 0; "~^(POST|PUT|PATCH)::$" 1;
}
# Who is refused because there are too many learns when to ask again.
map $status:$upstream_http_retry_after $retry_after { default ""; "~^503:$" 1; }
upstream control { server "unix:)" +
           config.control_socket.string() + R"("; }
upstream pieces { server )" +
           pieces_address(config) + R"( max_fails=0; keepalive 32; }
)";
}

std::string policy_text(const Config& config) {
    std::string relays;
    for (const KnownRelay& relay : registered_relays(config).relays) relays += " " + relay.url;
    return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
           "img-src 'self'; font-src 'self'; connect-src 'self'" +
           relays +
           "; worker-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; "
           "form-action 'none'; frame-ancestors 'none'";
}

std::string headers_text(const Config& config) {
    // All of them stand here and nowhere else: an add_header in a location would drop the others.
    return R"(add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;
add_header Content-Security-Policy ")" +
           policy_text(config) + R"(" always;
add_header X-Content-Type-Options nosniff always;
add_header Referrer-Policy no-referrer always;
add_header Cross-Origin-Opener-Policy same-origin always;
add_header Cross-Origin-Resource-Policy same-origin always;
add_header X-Robots-Tag noindex always;
add_header Cache-Control no-store always;
add_header Retry-After $retry_after always;
proxy_hide_header X-Content-Type-Options;
proxy_hide_header Cache-Control;
proxy_hide_header Access-Control-Allow-Origin;
proxy_hide_header Access-Control-Expose-Headers;
)";
}

std::string server_text(const Config& config) {
    const std::size_t rate = config.requests.per_address_s * 10;
    return written + headers_text(config) +
           R"(if ($no_length) { return 411; }
max_ranges 1;
client_max_body_size 3m;
limit_conn connections )" +
           std::to_string(std::min<std::size_t>(config.lines.per_address, 65'535)) + R"(;
limit_req zone=requests burst=)" +
           std::to_string(rate * 2) + R"( nodelay;
proxy_http_version 1.1;
proxy_set_header Host $server_name;
proxy_set_header Connection close;
proxy_set_header Range ""; proxy_set_header If-Range "";
proxy_set_header TE ""; proxy_set_header Trailer "";
proxy_set_header X-Real-IP $remote_addr;
proxy_pass_header Date; # clients go by the clock that judges what they say
location /v1/ { proxy_pass http://control; }
# Only what a registered relay has signed gets an answer there.
location /v1/relay/ { client_max_body_size 256k; proxy_pass http://control; }
# The pieces of this machine's relay under the page's own address and port.
location /pieces/ {
    client_max_body_size 16m;
    proxy_request_buffering off; proxy_buffering off;
    proxy_ssl_server_name off; proxy_ssl_verify off;   # it is this machine
    proxy_set_header Host $server_name;
    proxy_set_header Connection "";
    proxy_set_header If-Range ""; proxy_set_header TE ""; proxy_set_header Trailer "";
    proxy_pass https://pieces/;
}
location / { return 404; }
error_page 503 @busy;
error_page 502 504 =503 @unavailable;
error_page 413 @too_large;
error_page 404 @missing;
)" + problem_location("busy", 503, Errc::busy) +
           problem_location("unavailable", 503, Errc::unavailable) +
           problem_location("too_large", 413, Errc::too_large);
}

} // namespace

std::string nginx_text(const std::string& host, const fs::path& folder) {
    const std::string base = folder.string();
    return R"(# TLS in front of the control plane. Check the lines marked (*). What it includes is written anew by
# plankurier-relay nginx --config relay.toml
worker_processes auto;
worker_rlimit_nofile 16384;
error_log stderr alert;                                # below, lines name clients' addresses
pid nginx.pid;
daemon off;
events { worker_connections 4096; }
http {
    client_body_temp_path temp_body; proxy_temp_path temp_proxy; fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi; scgi_temp_path temp_scgi;
    include )" +
           base + R"(/nginx/http.conf;
    server {
        listen 127.0.0.1:8444 ssl;                     # (*) the public address
        server_name )" +
           host + R"(;
        ssl_certificate )" +
           base + R"(/tls/relay.pem;          # (*)
        ssl_certificate_key )" +
           base + R"(/tls/relay.key;      # (*)
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:5m; ssl_session_tickets off;
        include )" +
           base + R"(/nginx/server.conf;
        include )" +
           base + R"(/nginx/pages.conf;
    }
}
)";
}

void write_nginx_files(const Config& config) {
    const fs::path folder = config.file.parent_path() / "nginx";
    fs::create_directories(folder);
    adapters::write_durably(folder / "http.conf", as_bytes(http_text(config)));
    adapters::write_durably(folder / "server.conf", as_bytes(server_text(config)));
    adapters::write_durably(folder / "pages.conf",
                            as_bytes(nginx_pages_text(config.policy.authority)));
}

void renew_nginx_files(const Config& config) {
    if (!fs::exists(config.file.parent_path() / "nginx")) return;
    write_nginx_files(config);
}

} // namespace plankurier::relay
