#include <clients/cli/option_values.hpp>

#include <clients/cli/option_rules.hpp>
#include <clients/cli/text_encoding.hpp>
#include <clients/cli/typed_address.hpp>

#include <charconv>
#include <fstream>

namespace plankurier::cli {

namespace {

/// A whole number within bounds, where `key` was given.
class Numbers {
public:
    explicit Numbers(const po::variables_map& map) : map_(map) {}
    template <typename Number>
    Read take(const char* key, unsigned least, unsigned most, Number& out) const {
        if (map_.count(key) == 0) return {};
        const auto& text = map_[key].as<std::string>();
        const auto value = number_in(text, least, most);
        const auto option = std::string{"--"} + key;
        if (!value) {
            return wrong(option, Mistake::number_range,
                         {option, text, std::to_string(least), std::to_string(most)});
        }
        out = *value;
        return {};
    }
    static std::optional<unsigned> number_in(std::string_view text, unsigned least, unsigned most) {
        unsigned value = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc{} && stop == text.data() + text.size();
        if (!whole || value < least || value > most) return std::nullopt;
        return value;
    }

private:
    const po::variables_map& map_;
};

constexpr unsigned retries_max = 1'000, timeout_s_max = 3'600, lanes_max = 16,
                   remember_days_max = 3'650;

std::string unquoted(std::string value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    return value;
}

/// Takes one `key = value` of the configuration file.
Read take_setting(const std::string& path, const std::string& key, const std::string& value,
                  Options& out) {
    if (key == "server") {
        out.server = unquoted(value);
    } else if (key == "ca") {
        out.ca = unquoted(value);
    } else if (key == "retries" || key == "timeout") {
        const bool is_retries = key == "retries";
        const unsigned least = is_retries ? 0 : 1, most = is_retries ? retries_max : timeout_s_max;
        const auto number = Numbers::number_in(value, least, most);
        if (!number) {
            return wrong("--config", Mistake::config_value,
                         {key, path, value, std::to_string(least), std::to_string(most)});
        }
        (is_retries ? out.retries : out.timeout_s) = *number;
    } else {
        return wrong("--config", Mistake::config_unknown, {key, path});
    }
    return {};
}

Read take_days(const po::variables_map& map, const char* key, std::optional<std::uint32_t>& out) {
    if (map.count(key) == 0) return {};
    const auto& text = map[key].as<std::string>();
    const auto days = parse_days(text);
    const auto option = std::string{"--"} + key;
    if (!days) return wrong(option, Mistake::days_form, {option, text});
    out = *days;
    return {};
}

Read take_hours(const po::variables_map& map, std::chrono::seconds& out) {
    if (map.count("for") == 0) return {};
    const auto& text = map["for"].as<std::string>();
    const auto time = parse_hours(text);
    if (!time) return wrong("--for", Mistake::hours_form, {"--for", text});
    out = *time;
    return {};
}

} // namespace

tl::unexpected<CommandLineError> wrong(std::string option, Mistake mistake,
                                       std::vector<std::string> values, Errc code) {
    return tl::unexpected(CommandLineError{{code, std::move(option)}, mistake, std::move(values)});
}

Read read_config(const std::filesystem::path& path, bool must_exist, Options& out) {
    std::ifstream file{path};
    if (!file) {
        if (!must_exist) return {};
        return wrong("--config", Mistake::config_unreadable, {path.string()},
                     Errc::file_unreadable);
    }
    try {
        const auto settings = po::parse_config_file(file, po::options_description{}, true);
        for (const auto& one : settings.options) {
            const auto value = one.value.empty() ? std::string{} : one.value.front();
            auto taken = take_setting(path.string(), one.string_key, value, out);
            if (!taken) return taken;
        }
    } catch (const po::invalid_syntax& error) {
        return wrong("--config", Mistake::config_syntax, {path.string(), error.tokens()});
    }
    return {};
}

Read check_choice(const char* option, const std::string& value, const std::string& choices) {
    const std::string listed = ", " + choices + ",";
    if (!value.empty() && listed.find(", " + value + ",") != listed.npos) return {};
    return wrong(option, Mistake::one_of, {option, value, choices});
}

namespace {
/// An empty name, as of a variable that a script did not set, would save nothing and say nothing.
Read check_outputs_named(const po::variables_map& map, Command command) {
    for (const char* name : {"save", "html", "receipt"}) {
        if (map.count(name) == 0 || !map[name].as<std::string>().empty()) continue;
        const auto option = "--" + std::string{name};
        return wrong(option, Mistake::option_empty, {option, std::string{name_of(command)}});
    }
    return {};
}
} // namespace

Read apply_values(const po::variables_map& map, const std::string& server_env, Options& out) {
    if (!server_env.empty()) out.server = server_env;
    if (map.count("server") != 0) out.server = map["server"].as<std::string>();
    if (map.count("ca") != 0) out.ca = map["ca"].as<std::string>();
    out.server = settle_server(unquoted(out.server));
    out.resume = map.count("resume") != 0;
    const Numbers numbers{map};
    return check_outputs_named(map, out.command)
        .and_then([&] { return numbers.take("retries", 0, retries_max, out.retries); })
        .and_then([&] { return numbers.take("timeout", 1, timeout_s_max, out.timeout_s); })
        .and_then([&] { return numbers.take("lanes", 1, lanes_max, out.lanes); })
        .and_then(
            [&] { return numbers.take("remember-days", 0, remember_days_max, out.remember_days); })
        .and_then([&] { return take_days(map, "expires", out.expires_days); })
        .and_then([&] { return take_days(map, "days", out.days); })
        .and_then([&] { return take_hours(map, out.unlock_time); })
        .and_then([&] { return check_choice("--notify", out.notify, "on-fetch, none"); })
        .and_then([&] { return check_choice("--via", out.via, "auto, https, swarm"); })
        .and_then([&] { return check_choice("--type", out.type, "p256, x25519"); });
}

/// What people wrote is UTF-8 from here on.
Read settle_texts(Options& out) {
    const std::pair<const char*, std::string*> texts[] = {{"--name", &out.name},
                                                          {"--email", &out.email},
                                                          {"--phone", &out.phone},
                                                          {"--reference", &out.reference},
                                                          {"--clerk", &out.clerk},
                                                          {"--institution", &out.institution},
                                                          {"--subject", &out.subject},
                                                          {"--message", &out.message},
                                                          {"--to-citizen", &out.to_citizen}};
    const auto settle = [](const char* option, std::string& text) -> Read {
        auto read = to_utf8(text);
        if (!read) {
            return wrong(option, Mistake::encoding_of_option,
                         {option, std::string{guessed_encoding(read.error())}});
        }
        text = std::move(*read);
        return {};
    };
    for (const auto& [option, text] : texts) {
        if (auto settled = settle(option, *text); !settled) return settled;
    }
    for (auto& to : out.to) {
        if (auto settled = settle("--to", to); !settled) return settled;
    }
    return {};
}

/// Addresses go into mails, so they are in ASCII from here on.
Read settle_addresses(Options& out) {
    const auto settle = [](const char* option, std::string& address) -> Read {
        if (address.empty()) return {};
        auto settled = settle_address(address);
        if (!settled) return wrong(option, settled.error(), {option, address});
        address = std::move(*settled);
        return {};
    };
    for (auto& to : out.to) {
        if (to.find('@') == to.npos) continue; // a department
        if (auto settled = settle("--to", to); !settled) return settled;
    }
    const bool is_clerk_address = out.command == Command::keygen;
    return settle("--email", out.email)
        .and_then([&] { return settle("--to-citizen", out.to_citizen); })
        .and_then([&] { return is_clerk_address ? settle("--clerk", out.clerk) : Read{}; });
}

Result<std::chrono::seconds> parse_hours(std::string_view text) {
    std::chrono::seconds total{0};
    for (const auto& [unit, length] :
         {std::pair{'h', std::chrono::seconds{3'600}}, std::pair{'m', std::chrono::seconds{60}}}) {
        const auto at = text.find(unit);
        if (at == std::string_view::npos) continue;
        unsigned value = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + at, value);
        if (error != std::errc{} || stop != text.data() + at || value > 1'440) {
            return fail(Errc::invalid_argument, "hours");
        }
        total += value * length;
        text.remove_prefix(at + 1);
    }
    const bool fits =
        text.empty() && total >= std::chrono::minutes{1} && total <= std::chrono::hours{24};
    if (!fits) return fail(Errc::invalid_argument, "hours");
    return total;
}

Result<std::uint32_t> parse_days(std::string_view text) {
    std::uint32_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const std::string_view unit{stop, static_cast<std::size_t>(end - stop)};
    if (error != std::errc{} || value == 0 || value > 3'650) {
        return fail(Errc::invalid_argument, "days");
    }
    if (unit.empty() || unit == "d") return value;
    if (unit == "w" && value <= 520) return value * 7;
    return fail(Errc::invalid_argument, "days");
}

} // namespace plankurier::cli
