#include "relay/adapters/files.hpp"
#include "relay/config.hpp"

#include <plankurier/keys.hpp>

#include <stdexcept>

namespace plankurier::relay {

namespace {

namespace fs = std::filesystem;

std::string toml_text(const std::string& authority, const std::string& host) {
    return "# plankurier-relay: every line has this default if it is left out.\n"
           "authority = \"" +
           authority +
           "\"\n"
           "link_base = \"https://" +
           host +
           "\"      # start of the links in mails\n"
           "# data_dir = \"data\"                    # not on btrfs, zfs or another copy-on-write "
           "system\n"
           "# staff_patterns = [\"@" +
           host +
           "\"]  # whom citizens may address by e-mail\n"
           "\n[pieces]                              # the public HTTPS port for the bytes\n"
           "# listen = \"127.0.0.1\"\n# port = 8443\n# url = \"https://" +
           host +
           ":8443\"\n"
           "# certificate = \"tls/relay.pem\"\n# private_key = \"tls/relay.key\"\n"
           "\n[mail]                                # without smtp_url: DATA/mail/*.eml\n"
           "from = \"plankurier@" +
           host +
           "\"\n"
           "# smtp_url = \"smtp://mail.example.org:587\"\n# user = \"\"\n# password_file = \"\"\n"
           "\n[expiry]\n# days_min = 1\n# days_default = 14\n# days_max = 60\n"
           "\n# [departments.bauamt]                # notices of a department in the directory\n"
           "# mail = \"bauamt@" +
           host + "\"\n";
}

std::string nginx_text(const std::string& host, const fs::path& folder) {
    const std::string base = folder.string();
    return R"(# TLS, limits and headers in front of the control plane. Check the lines marked (*).
worker_processes auto;
error_log stderr error;
pid nginx.pid;
daemon off;
events { worker_connections 4096; }
http {
    access_log off;
    server_tokens off;
    client_body_temp_path temp_body; proxy_temp_path temp_proxy; fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi; scgi_temp_path temp_scgi;
    client_header_timeout 5s; client_body_timeout 10s; send_timeout 10s;
    large_client_header_buffers 4 8k;
    client_max_body_size 3m;
    limit_conn_zone $binary_remote_addr zone=connections:10m;
    limit_req_zone $binary_remote_addr zone=requests:10m rate=50r/s;
    limit_conn connections 50;
    map $request_method:$http_content_length:$http_transfer_encoding $no_length {
        default 0; "~^(POST|PUT|PATCH)::$" 1;
    }
    upstream control { server unix:)" +
           base + R"(/data/control.sock; }
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
        add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;
        add_header Content-Security-Policy "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'" always;
        add_header X-Content-Type-Options nosniff always;
        add_header Referrer-Policy no-referrer always;
        add_header Cross-Origin-Opener-Policy same-origin always;
        add_header X-Robots-Tag noindex always;
        if ($no_length) { return 411; }
        max_ranges 1;
        location /v1/relay/ { return 404; }
        location /v1/ {
            limit_req zone=requests burst=100 nodelay;
            proxy_pass http://control;
            proxy_http_version 1.1;
            proxy_set_header Host $server_name;
            proxy_set_header Connection close;
            proxy_set_header Range ""; proxy_set_header If-Range "";
            proxy_set_header TE ""; proxy_set_header Trailer "";
            proxy_set_header X-Real-IP $remote_addr;
        }
        location / { return 404; }
    }
}
)";
}

void write_new(const fs::path& file, ByteView bytes) {
    if (fs::exists(file)) throw std::runtime_error(file.string() + " is there already");
    adapters::write_durably(file, bytes);
}

} // namespace

void init_folder(const fs::path& folder, const std::string& authority, const std::string& host,
                 bool with_nginx) {
    if (authority.find_first_of("\"\\\n") != authority.npos ||
        host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != host.npos) {
        throw std::runtime_error(
            "--authority or --host has signs that a configuration cannot hold");
    }
    if (fs::exists(folder / "relay.toml")) {
        throw std::runtime_error(folder.string() + " holds a relay already");
    }
    const fs::path absolute = fs::absolute(folder);
    for (const char* part : {"data", "data/keys", "data/directory", "tls"}) {
        fs::create_directories(absolute / part);
    }
    const fs::path keys = absolute / "data" / "keys";
    const auto control = SigningSeed::random();
    const auto relay = SigningSeed::random();
    const auto pepper = Secret<32, struct NewPepperTag>::random();
    write_new(keys / "control.seed", control.reveal());
    write_new(keys / "control.pub", signing_public_key(control));
    write_new(keys / "relay.seed", relay.reveal());
    write_new(keys / "relay.pub", signing_public_key(relay));
    write_new(keys / "relay.id", as_bytes(RelayId::random().hex()));
    write_new(keys / "pepper", pepper.reveal());
    if (with_nginx) write_new(absolute / "nginx.conf", as_bytes(nginx_text(host, absolute)));
    write_new(absolute / "relay.toml", as_bytes(toml_text(authority, host)));
}

} // namespace plankurier::relay
