#pragma once
/// The only fakes of the relay's tests: time that stands still until told, and a mail server that
/// answers as told. Everything else is real. One thread at a time.

#include "relay/domain/ports.hpp"

#include <algorithm>

namespace plankurier::test {

class FakeClock final : public relay::Clock {
public:
    std::int64_t now() override { return wall_; }
    std::int64_t monotonic() override { return steady_; }
    relay::ClockReading read() override {
        return {wall_, steady_, "boot-" + std::to_string(boots_), synchronised};
    }
    /// Time goes by.
    void pass(std::int64_t seconds) {
        wall_ += seconds;
        steady_ += seconds;
    }
    /// Somebody sets the wall clock.
    void jump(std::int64_t seconds) { wall_ += seconds; }
    /// The machine is switched off for so long, and started again.
    void reboot(std::int64_t off_s) {
        wall_ += off_s;
        steady_ = 30;
        ++boots_;
    }

    bool synchronised{};

private:
    int boots_{1};
    std::int64_t wall_{1'800'000'000};
    std::int64_t steady_{5'000};
};

/// Like the file, without one.
class FakeTimeMemory final : public relay::TimeMemory {
public:
    std::optional<relay::TrustedTime> load() override { return saved; }
    void save(const relay::TrustedTime& time) override {
        saved = time;
        ++saves;
    }

    std::optional<relay::TrustedTime> saved;
    int saves{};
};

class FakeMailer final : public relay::Mailer {
public:
    relay::Delivery deliver(const relay::Mail& mail) override {
        tried.push_back(mail);
        if (mail.to == refused_address) return relay::Delivery::refused;
        if (answer != relay::Delivery::done) return answer;
        sent.push_back(mail);
        return also == nullptr ? answer : also->deliver(mail);
    }
    void forget(const std::string& id) override {
        forgotten.push_back(id);
        if (also != nullptr) also->forget(id);
    }
    void keep_only(const std::vector<std::string>& ids) override {
        if (also != nullptr) also->keep_only(ids);
    }

    [[nodiscard]] std::vector<relay::Mail> sent_to(std::string_view address) const {
        std::vector<relay::Mail> out;
        std::ranges::copy_if(sent, std::back_inserter(out),
                             [&](const relay::Mail& mail) { return mail.to == address; });
        return out;
    }

    relay::Delivery answer{relay::Delivery::done};
    std::string refused_address;    ///< takes no mail
    relay::Mailer* also{};          ///< a real one that gets the mails too
    std::vector<relay::Mail> tried; ///< each call of `deliver`
    std::vector<relay::Mail> sent;  ///< those that were answered with `done`
    std::vector<std::string> forgotten;
};

} // namespace plankurier::test
