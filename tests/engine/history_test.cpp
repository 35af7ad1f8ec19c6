#include <plankurier/history.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::history_test {

namespace {

constexpr std::int64_t now = 1'800'000'000;

struct Control {
    SigningSeed seed = SigningSeed::random();
    SigningPublicKey key = signing_public_key(seed);
    TransferId transfer = TransferId::random();

    [[nodiscard]] Bytes whole() const {
        Bytes history = begin_history(transfer, now, seed);
        for (const auto& [event, seconds, detail] :
             {std::tuple{HistoryEvent::stored, 10, 1U}, std::tuple{HistoryEvent::stored, 12, 2U},
              std::tuple{HistoryEvent::available, 12, 0U},
              std::tuple{HistoryEvent::fetched, 500, 1U},
              std::tuple{HistoryEvent::expired, 900, 0U},
              std::tuple{HistoryEvent::purged, 901, 0U}}) {
            history = append_history(history, event, now + seconds, detail, seed).value();
        }
        return history;
    }
};

} // namespace

TEST_CASE("a history tells in order what happened to a transfer") {
    const Control control;
    const auto history = check_history(control.whole(), control.key).value();
    CHECK(history.transfer == control.transfer);
    REQUIRE(history.entries.size() == 7);
    CHECK(history.entries[0].event == HistoryEvent::accepted);
    CHECK(history.entries[2].event == HistoryEvent::stored);
    CHECK(history.entries[2].detail == 2);
    CHECK(history.entries[6].event == HistoryEvent::purged);
    CHECK(history.entries[6].time == now + 901);
}

TEST_CASE("no changed, missing or foreign byte of a history goes unnoticed") {
    const Control control;
    const Bytes bytes = control.whole();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        Bytes bad = bytes;
        bad[at] ^= std::byte{1};
        INFO("byte " << at);
        CHECK_FALSE(check_history(bad, control.key).has_value());
    }
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CHECK(check_history(ByteView{bytes}.first(length), control.key).error().code ==
              Errc::malformed);
    }
    CHECK(check_history(bytes, signing_public_key(SigningSeed::random())).error().code ==
          Errc::bad_signature);
}

TEST_CASE("an event cannot be taken out of a history") {
    const Control control;
    Bytes bytes = control.whole();
    const auto third = bytes.begin() + 24 + 2 * 49;
    bytes.erase(third, third + 49);
    bytes[23] = std::byte{6};
    CHECK(check_history(bytes, control.key).error().code == Errc::bad_signature);
}

TEST_CASE("nothing follows a purge, and nothing is accepted twice") {
    const Control control;
    CHECK(append_history(control.whole(), HistoryEvent::fetched, now + 999, 0, control.seed)
              .error()
              .code == Errc::conflict);
    const Bytes fresh = begin_history(control.transfer, now, control.seed);
    CHECK(append_history(fresh, HistoryEvent::accepted, now, 0, control.seed).error().code ==
          Errc::conflict);
}

TEST_CASE("a history that was changed at rest is never signed again") {
    const Control control;
    Bytes bytes = begin_history(control.transfer, now, control.seed);
    bytes[24 + 32 + 8] ^= std::byte{1};
    CHECK(append_history(bytes, HistoryEvent::stored, now, 1, control.seed).error().code ==
          Errc::bad_signature);
    const Bytes foreign = begin_history(control.transfer, now, SigningSeed::random());
    CHECK(append_history(foreign, HistoryEvent::stored, now, 1, control.seed).error().code ==
          Errc::bad_signature);
}

TEST_CASE("a clock set back does not turn a history round") {
    const Control control;
    Bytes bytes = begin_history(control.transfer, now, control.seed);
    bytes = append_history(bytes, HistoryEvent::stored, now - 500, 1, control.seed).value();
    CHECK(check_history(bytes, control.key)->entries.back().time == now);
}

TEST_CASE("a full history still has room for its end") {
    const Control control;
    Bytes bytes = begin_history(control.transfer, now, control.seed);
    std::size_t entries = 1;
    for (;; ++entries) {
        auto longer = append_history(bytes, HistoryEvent::fetched, now, 0, control.seed);
        if (!longer) {
            CHECK(longer.error().code == Errc::too_large);
            break;
        }
        bytes = std::move(*longer);
    }
    CHECK(entries == history_entries_max - 2);
    for (const auto event : {HistoryEvent::revoked, HistoryEvent::purged}) {
        bytes = append_history(bytes, event, now, 0, control.seed).value();
    }
    CHECK(check_history(bytes, control.key)->entries.size() == history_entries_max);
}

} // namespace plankurier::test::history_test
