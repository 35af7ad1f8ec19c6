#include "engine/swarm/session_settings.hpp"

#include <libtorrent/address.hpp>
#include <libtorrent/session.hpp>

#include <charconv>
#include <limits>
#include <stdexcept>

namespace plankurier::swarm {

namespace {

using Pack = lt::settings_pack;

void silence(Pack& pack) {
    for (const int name :
         {Pack::enable_dht, Pack::enable_lsd, Pack::enable_upnp, Pack::enable_natpmp,
          Pack::enable_incoming_utp, Pack::enable_outgoing_utp, Pack::enable_ip_notifier,
          Pack::use_dht_as_fallback, Pack::support_share_mode, Pack::announce_crypto_support,
          Pack::listen_system_port_fallback}) {
        pack.set_bool(name, false);
    }
    for (const int name :
         {Pack::user_agent, Pack::handshake_client_version, Pack::dht_bootstrap_nodes}) {
        pack.set_str(name, "");
    }
    pack.set_str(Pack::peer_fingerprint, "--------");
    pack.set_int(Pack::max_retry_port_bind, 0);
    pack.set_int(Pack::proxy_type, Pack::none);
    // TLS does that, or the network is trusted.
    pack.set_int(Pack::out_enc_policy, Pack::pe_disabled);
    pack.set_int(Pack::in_enc_policy, Pack::pe_disabled);
    // Nothing depends on alerts (watch.hpp), and each costs time on the network thread.
    pack.set_int(Pack::alert_mask, 0);
}

} // namespace

Pack session_settings(const SwarmSettings& settings) {
    Pack pack;
    silence(pack);
    const lt::address address = lt::make_address(settings.listen_address);
    const std::string host =
        address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    pack.set_str(Pack::listen_interfaces,
                 host + ":" + std::to_string(settings.port) + (settings.tls ? "s" : ""));
    pack.set_bool(Pack::allow_multiple_connections_per_ip, true); // citizens behind one address
    pack.set_bool(Pack::close_redundant_connections, false);      // watch.cpp does
    pack.set_bool(Pack::rate_limit_ip_overhead, false);
    pack.set_int(Pack::connections_limit, 2'000);
    pack.set_int(Pack::listen_queue_size, 256);
    pack.set_int(Pack::unchoke_slots_limit, -1);
    pack.set_int(Pack::allowed_fast_set_size, 0);
    // Connecting is done by Swarm: at once, and again when it says so.
    pack.set_int(Pack::torrent_connect_boost, 30);
    pack.set_int(Pack::min_reconnect_time, 0);
    pack.set_int(Pack::max_failcount, 3);
    pack.set_int(Pack::connection_speed, 200);
    pack.set_int(Pack::max_out_request_queue, 1'000);
    pack.set_int(Pack::max_allowed_in_request_queue, 2'000);
    // More wraps around in libtorrent 2.0 at some 100 MB/s.
    pack.set_int(Pack::request_queue_time, 1);
    // Per connection, and each byte of it holds a segment in the pool.
    pack.set_int(Pack::send_buffer_watermark, settings.tls ? 512 << 10 : 1 << 20);
    pack.set_int(Pack::send_buffer_low_watermark, 256 << 10);
    pack.set_int(Pack::send_buffer_watermark_factor, 150);
    pack.set_int(Pack::max_queued_disk_bytes, std::numeric_limits<int>::max());
    const auto rate =
        std::min<std::uint64_t>(settings.upload_bytes_per_s_max, std::numeric_limits<int>::max());
    pack.set_int(Pack::upload_rate_limit, static_cast<int>(rate));
    // What waits for a tick: the limiter (with long ticks a fifth of the rate is lost), peers that
    // were named while others are connected, and the end of the session.
    pack.set_int(Pack::tick_interval, 100);
    return pack;
}

lt::ip_filter filter_for(const std::vector<std::string>& allowed) {
    lt::ip_filter filter;
    filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"),
                    lt::ip_filter::blocked);
    filter.add_rule(lt::make_address("::"),
                    lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                    lt::ip_filter::blocked);
    for (const std::string& text : allowed) {
        const std::size_t slash = text.find('/');
        lt::error_code error;
        const lt::address address = lt::make_address(text.substr(0, slash), error);
        const unsigned bits_max = address.is_v4() ? 32 : 128;
        unsigned bits = bits_max;
        if (slash != std::string::npos) {
            const char* const end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data() + slash + 1, end, bits);
            if (parsed.ec != std::errc{} || parsed.ptr != end) bits = bits_max + 1;
        }
        if (error || bits > bits_max) throw std::runtime_error("not an address or network");
        const auto ends = [&](auto bytes) {
            auto last = bytes;
            for (unsigned bit = bits; bit < bits_max; ++bit) {
                const auto mask = static_cast<unsigned char>(0x80U >> bit % 8);
                bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] & ~mask);
                last[bit / 8] = static_cast<unsigned char>(last[bit / 8] | mask);
            }
            return std::pair{bytes, last};
        };
        if (address.is_v4()) {
            const auto [first, last] = ends(address.to_v4().to_bytes());
            filter.add_rule(lt::address_v4{first}, lt::address_v4{last}, 0);
        } else {
            const auto [first, last] = ends(address.to_v6().to_bytes());
            filter.add_rule(lt::address_v6{first}, lt::address_v6{last}, 0);
        }
    }
    return filter;
}

lt::ip_filter everybody_limited() {
    const auto everyone = 1U << static_cast<std::uint32_t>(lt::session::global_peer_class_id);
    lt::ip_filter filter;
    filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), everyone);
    filter.add_rule(lt::make_address("::"),
                    lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), everyone);
    return filter;
}

} // namespace plankurier::swarm
