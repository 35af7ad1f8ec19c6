// Lines that connect before they are needed.
#include <clients/cli/spare_lines.hpp>

#include <catch2/catch.hpp>
#include <httplib.h>

#include <set>

namespace plankurier::test::spare_lines_test {

using namespace cli;

namespace {

/// A relay that remembers by which lines (ports of its clients) it was called.
class Relay {
public:
    Relay() {
        http_.Options("/v1/", [this](const httplib::Request& request, httplib::Response& out) {
            out.status = 204;
            const std::lock_guard guard{mutex_};
            greeted_.insert(request.remote_port);
        });
        http_.Get("/v1/piece", [this](const httplib::Request& request, httplib::Response& out) {
            out.set_content("piece", "text/plain");
            const std::lock_guard guard{mutex_};
            asked_.push_back(request.remote_port);
        });
        http_.new_task_queue = [] { return new httplib::ThreadPool{8}; }; // a thread a line
        port_ = http_.bind_to_any_port("127.0.0.1");
        thread_ = std::jthread{[this] { http_.listen_after_bind(); }};
        while (!http_.is_running()) std::this_thread::yield();
    }
    ~Relay() { http_.stop(); }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    /// Asks it by this line. True when the line had greeted before.
    bool asked_by_spare(HttpLine& line) {
        const auto answer = line.request("GET", url() + "/v1/piece", {}, {});
        REQUIRE(answer.has_value());
        REQUIRE(answer->body == "piece");
        const std::lock_guard guard{mutex_};
        return greeted_.contains(asked_.back());
    }
    std::size_t greetings() {
        const std::lock_guard guard{mutex_};
        return greeted_.size();
    }

private:
    httplib::Server http_;
    int port_{};
    std::mutex mutex_; ///< guards the two below
    std::set<int> greeted_;
    std::vector<int> asked_;
    std::jthread thread_;
};

} // namespace

TEST_CASE("a line that connected before it was needed takes the requests, and a new one the rest") {
    Relay first, second;
    const HttpSettings settings{"", 20};
    SpareLines spare{settings};
    spare.begin({first.url(), second.url()}, 3);
    auto one = spare.take(first.url(), settings);
    auto other = spare.take(second.url(), settings);
    auto third = spare.take(first.url(), settings);
    auto fourth = spare.take(first.url(), settings);
    CHECK(first.asked_by_spare(one));
    CHECK(first.asked_by_spare(one));
    CHECK(second.asked_by_spare(other));
    CHECK(first.asked_by_spare(third));
    CHECK_FALSE(first.asked_by_spare(fourth));
    CHECK(first.greetings() == 2);
    CHECK(second.greetings() == 1);
}

TEST_CASE("a relay that nobody reaches costs nothing but its spare line") {
    Relay reached;
    std::string away;
    {
        Relay gone;
        away = gone.url();
    }
    const HttpSettings settings{"", 20};
    SpareLines spare{settings};
    spare.begin({away}, 2);
    auto line = spare.take(away, settings);
    CHECK_FALSE(line.request("GET", away + "/v1/piece", {}, {}).has_value());
    CHECK_FALSE(reached.asked_by_spare(line));
    auto unknown = spare.take(reached.url(), settings);
    CHECK_FALSE(reached.asked_by_spare(unknown));
}

TEST_CASE("lines that nobody takes end although their relay is silent") {
    httplib::Server silent; // takes lines, never answers
    const int port = silent.bind_to_any_port("127.0.0.1");
    const HttpSettings settings{"", 600};
    const auto begun = std::chrono::steady_clock::now();
    {
        SpareLines spare{settings};
        spare.begin({"http://127.0.0.1:" + std::to_string(port)}, 4);
    }
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{300});
    silent.stop();
}

} // namespace plankurier::test::spare_lines_test
