#pragma once
/// Tells a relay that is stuck from a line that is out. Whoever has waited for a relay for a moment
/// lets all relays be asked by lines of their own: when another one answers and this one does not,
/// waiting longer is of no use. When nobody answers it is our own line, and nothing is given up.
/// Thread safe: one mutex; a thread for each relay while it is asked.

#include <clients/cli/http.hpp>

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace plankurier::cli {

/// How long a relay may keep silent while others answer.
struct HedgeTimes {
    std::chrono::milliseconds ask{1'200};   ///< then all are asked
    std::chrono::milliseconds stuck{2'800}; ///< then it is stuck, if only others have answered
    /// A relay that answers by a new line, but not by the old one: the old one is dead.
    std::chrono::milliseconds dead{20'000};
    std::chrono::milliseconds remembered{10'000}; ///< who was stuck is not asked for so long
};

class Hedge {
public:
    /// `urls`: of the relays, without a slash at the end.
    Hedge(const std::vector<std::string>& urls, const HttpSettings& settings,
          const HedgeTimes& times = {});
    ~Hedge();
    Hedge(const Hedge&) = delete;
    Hedge& operator=(const Hedge&) = delete;

    /// Asked about once a second by a request to the relay at `url` on which nothing has moved for
    /// `silent`. True: end it.
    [[nodiscard]] bool give_up(const std::string& url, std::chrono::milliseconds silent);
    /// It was found stuck a short while ago.
    [[nodiscard]] bool is_stuck(const std::string& url);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Relay {
        std::string url;
        bool asking{};
        Time asked{}, answered{};
        std::optional<Time> stuck{};
        std::jthread thread{}; ///< of the last question
    };
    void ask(Relay& relay, Time now);
    [[nodiscard]] Relay* find(const std::string& url);

    HttpSettings settings_;
    HedgeTimes times_;
    std::mutex mutex_;         ///< guards all below
    std::deque<Relay> relays_; ///< last, so that their threads end first
};

} // namespace plankurier::cli
