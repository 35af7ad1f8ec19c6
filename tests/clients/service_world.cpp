#include "tests/clients/service_world.hpp"

#include "relay/adapters/files.hpp"
#include "relay/http/routes.hpp"

#include "tests/clients/client_process.hpp"

#include <catch2/catch.hpp>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <csignal>
#include <ctime>
#include <fstream>
#include <thread>

namespace plankurier::test {

namespace {

constexpr std::string_view passphrase = "ein Satz nur fuer diesen Test";

/// A minisign key pair: signs as minisign(1) did before it hashed first.
struct Minisign {
    SigningSeed seed;
    MinisignPublicKey key;
    explicit Minisign(std::string_view name) : seed(fixed_secret<SigningSeed>(name)) {
        key.key = signing_public_key(seed);
        std::copy_n(key.key.begin(), key.id.size(), key.id.begin());
    }
    [[nodiscard]] std::string pub() const {
        return "untrusted comment: test\n" + to_text(key) + "\n";
    }
    [[nodiscard]] std::string over(std::string_view text, const std::string& comment) const {
        const Signature signature = sign(seed, as_bytes(text));
        Bytes first{std::byte{'E'}, std::byte{'d'}};
        first.insert(first.end(), key.id.begin(), key.id.end());
        first.insert(first.end(), signature.begin(), signature.end());
        Bytes both{signature.begin(), signature.end()};
        for (const char letter : comment) both.push_back(static_cast<std::byte>(letter));
        return "untrusted comment: test\n" + to_base64(first) + "\ntrusted comment: " + comment +
               "\n" + to_base64(sign(seed, both)) + "\n";
    }
};

std::string day_of(std::int64_t unix_seconds) {
    const std::time_t when = unix_seconds;
    std::tm utc{};
    ::gmtime_r(&when, &utc);
    std::array<char, 16> out{};
    std::strftime(out.data(), out.size(), "%Y-%m-%d", &utc);
    return out.data();
}

SignedDirectory signed_directory(const Directory& directory) {
    const Minisign root{"root"}, signer{"signer"};
    SignedDirectory out;
    out.root_pub = root.pub();
    out.signer_pub = signer.pub();
    out.signer_minisig =
        root.over(out.signer_pub, "expires:" + day_of(directory.issued + 300 * day_s));
    out.directory_json = encode_directory(directory);
    out.directory_minisig =
        signer.over(out.directory_json, "serial:" + std::to_string(directory.serial) +
                                            " expires:" + day_of(directory.expires));
    return out;
}

Department department(const std::string& id, const std::string& name, std::int64_t now) {
    const KeySeed seed = ServiceWorld::seed_of(id);
    const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
    const auto signing = signing_public_key(signing_seed(seed));
    Department out;
    out.id = id;
    out.name = name;
    out.keys.push_back({key_id(key), key, now - day_s, now + 300 * day_s});
    KeyId kid{};
    std::copy_n(sha256(signing).begin(), kid.size(), kid.begin());
    out.signing_keys.push_back({kid, signing, now - day_s, now + 300 * day_s});
    return out;
}

Directory usual_directory(std::int64_t now) {
    Directory directory;
    directory.authority = "Landratsamt Muster";
    directory.serial = 1;
    directory.issued = now - now % day_s;
    directory.expires = directory.issued + 30 * day_s;
    directory.record_key = signing_public_key(control_seed());
    directory.departments = {department("bauamt", "Bauamt", now),
                             department("umwelt", "Umweltamt", now)};
    return directory;
}

std::filesystem::path made(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    return folder;
}

} // namespace

/// nginx and the relay's own HTTP server in one: it only hands requests to the router.
struct ServiceWorld::Server {
    relay::http::Published published;
    relay::http::Router router;
    Control& control;
    std::mutex& mutex;
    std::filesystem::path code_file;
    std::atomic<unsigned> away{}; ///< calls that find nobody
    httplib::Server http;
    std::jthread thread;

    Server(Control& plane, std::mutex& guard, std::filesystem::path code)
        : router(plane.relay(), published, guard), control(plane), mutex(guard),
          code_file(std::move(code)) {
        const auto handle = [this](const httplib::Request& in, httplib::Response& out) {
            answer(in, out);
        };
        http.Get(".*", handle).Post(".*", handle).Put(".*", handle).Delete(".*", handle);
    }
    ~Server() { http.stop(); }

    void answer(const httplib::Request& in, httplib::Response& out) {
        if (away > 0) {
            --away;
            out.status = 502;
            out.set_content("<html>Bad Gateway</html>", "text/html");
            return;
        }
        relay::http::Request request{in.method, in.path, {}, in.body};
        for (const auto& [key, value] : in.headers) {
            std::string lower;
            for (const char letter : key) {
                lower += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
            }
            request.headers[lower] = value;
        }
        const auto response = router.handle(request);
        out.status = response.status;
        out.set_content(response.body, response.type.c_str());
        const std::lock_guard guard{mutex};
        control.relay().tick(); // mails go out
        if (in.path == "/v1/verifications" && response.status == 202) {
            const auto email = nlohmann::json::parse(in.body).at("email").get<std::string>();
            std::ofstream{code_file} << control.code_for(email).reveal() << "\n";
        }
    }
    std::string start() {
        const int port = http.bind_to_any_port("127.0.0.1");
        thread = std::jthread{[this] { http.listen_after_bind(); }};
        while (!http.is_running()) std::this_thread::yield();
        return "http://127.0.0.1:" + std::to_string(port);
    }
};

ServiceWorld::ServiceWorld(const std::function<void(relay::Policy&)>& change)
    : identity_(make_identity(folder_.path())), control_(made(folder_.path() / "control")),
      pieces_(made(folder_.path() / "relay"), identity_, 0) {
    std::signal(SIGPIPE, SIG_IGN);
    control_.stop();
    control_.clock.jump(std::time(nullptr) - control_.clock.now());
    control_.policy.department_mails["umwelt"] = "umwelt@amt.example";
    change(control_.policy);
    control_.restart();
    control_.relay().accept_clock(); // the jump is meant
    server_ = std::make_unique<Server>(control_, mutex_, folder_.path() / "code");
    url_ = server_->start();
    {
        const std::lock_guard guard{mutex_};
        control_.relay().set_relays(
            {{pieces_.address().id, signing_public_key(relay_seed(0)), pieces_.address().url}});
        control_.sync(0);
    }
    publish(usual_directory(std::time(nullptr)));
    write(passphrase_file, passphrase);
    write("plan.pdf", "%PDF-1.7\n" + std::string(20'000, 'x'));
    const auto root = write("root.pub", Minisign{"root"}.pub());
    for (const auto* id : {"bauamt", "umwelt"}) {
        const auto file =
            seal_key_file(seed_of(id), StanzaType::hpke_p256, SecretText{passphrase}, {1, 8'192});
        write(std::string{id} + ".key", as_text(file.value()));
    }
    for (const auto& home : {citizen_home, staff_home}) {
        REQUIRE(run(home, {"trust", url_, "--root", root}).exit == 0);
    }
}

ServiceWorld::~ServiceWorld() { stop(); }

void ServiceWorld::stop() { server_.reset(); }

void ServiceWorld::away(unsigned calls) { server_->away = calls; }

ClientRun ServiceWorld::run(const std::string& home, std::vector<std::string> arguments,
                            bool terminal) {
    std::filesystem::remove(folder_.path() / "code");
    arguments.insert(arguments.end(), {"--ca", identity_.certificate, "--no-progress", "--retries",
                                       "1", "--timeout", "20"});
    const auto base = folder_.path() / home;
    return run_client(arguments,
                      {{"HOME", base},
                       {"XDG_CONFIG_HOME", base / "config"},
                       {"XDG_STATE_HOME", base / "state"},
                       {"PLANKURIER_SERVER", url_},
                       {"LANG", "en_GB.UTF-8"}},
                      made(base), terminal);
}

ClientRun ServiceWorld::send(const std::vector<std::string>& more, bool terminal) {
    std::filesystem::remove(path(receipt)); // no sending replaces another one's
    std::vector<std::string> arguments{"send",      path("plan.pdf"), "--to",        "bauamt",
                                       "--name",    "Erika Muster",   "--email",     citizen,
                                       "--message", "Guten Tag",      "--code-from", path("code"),
                                       "--receipt", path(receipt)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto done = run(citizen_home, std::move(arguments), terminal);
    INFO(done.out << done.err);
    REQUIRE(done.exit == 0);
    return done;
}

std::string ServiceWorld::write(const std::string& name, std::string_view content) const {
    const auto file = folder_.path() / name;
    std::ofstream out{file, std::ios::binary};
    out << content;
    REQUIRE(out.flush());
    return file;
}

std::string ServiceWorld::mails_to(std::string_view address) {
    std::string all;
    const std::lock_guard guard{mutex_};
    control_.relay().tick();
    for (const auto& mail : control_.mails.sent_to(address)) all += mail.text + "\n";
    return all;
}

std::string ServiceWorld::link_to(std::string_view address) {
    constexpr std::string_view mark = "/t#v1.";
    const auto mails = mails_to(address);
    const auto at = mails.rfind(mark);
    REQUIRE(at != std::string::npos);
    return url_ + mails.substr(at, mark.size() + 32);
}

KeySeed ServiceWorld::seed_of(const std::string& department) {
    return fixed_secret<KeySeed>("department " + department);
}

std::string ServiceWorld::key_of(const std::string& department) const {
    return path(department + ".key");
}

void ServiceWorld::publish(Directory directory) {
    directory_ = std::move(directory);
    const std::lock_guard guard{mutex_};
    control_.relay().set_directory(directory_);
    server_->published.directory = signed_directory(directory_);
}

} // namespace plankurier::test
