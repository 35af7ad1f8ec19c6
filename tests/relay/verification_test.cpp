// A code proves that an address is the sender's own.
#include "tests/support/control.hpp"
#include "tests/support/scan.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace plankurier::test::verification_test {

namespace {

constexpr std::int64_t minute_s = 60;

/// XXXX-XXXX in Crockford's base32, which has no I, L, O and U.
bool is_crockford_code(std::string_view code) {
    constexpr std::string_view letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (code.size() != 9 || code[4] != '-') return false;
    return std::count_if(code.begin(), code.end(),
                         [&](char c) { return letters.find(c) != letters.npos; }) == 8;
}

std::string check(Control& world, const SessionToken& session, std::string_view code) {
    std::int64_t left = 0;
    return why(world.relay().check_code(session, SecretText{code}, left));
}

/// A code of the right form that is not this one.
std::string other_than(const SecretText& code) {
    std::string other{code.reveal()};
    other[0] = other[0] == '2' ? '3' : '2';
    return other;
}

} // namespace

TEST_CASE("a code has two groups of four signs that cannot be mixed up") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.code_mails_per_address_hour = 1'000;
    world.policy.limits.code_mails_per_address_day = 1'000;
    world.restart();
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto session = world.asked_session();
        const std::string code{world.code_for().reveal()};
        INFO(code);
        CHECK(is_crockford_code(code));
        seen.insert(code);
    }
    CHECK(seen.size() == 100);
}

TEST_CASE("the code's mail holds the code and a link that only shows it") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const auto mails = world.mails.sent_to(citizen);
    REQUIRE(mails.size() == 1);
    const std::string code{world.code_for().reveal()};
    CHECK(mails[0].text.find("https://amt.example/c#v1." + code) != std::string::npos);
    CHECK(mails[0].text.find("30 Minuten") != std::string::npos);
    CHECK(mails[0].subject.starts_with("Ihr Bestätigungscode (Nr. "));
    CHECK(mails[0].reply_to.empty());
}

TEST_CASE("a code counts however people type it") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto typed = [](std::string_view code, char zero, char one, bool small) {
        std::string out = " ";
        for (char c : code) {
            if (c == '-') c = ' ';
            if (c == '0') c = zero;
            if (c == '1') c = one;
            if (small && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
            out += c;
        }
        return out + "-";
    };
    unsigned number = 0;
    for (const auto& [zero, one] : {std::pair{'O', 'I'}, {'o', 'l'}, {'0', 'L'}, {'O', 'i'}}) {
        for (const bool small : {false, true}) {
            const std::string address = "p" + std::to_string(number++) + "@buerger.example";
            const auto session = world.asked_session(address);
            CHECK(check(world, session,
                        typed(world.code_for(address).reveal(), zero, one, small)) == "value");
        }
    }
}

TEST_CASE("what cannot be a code costs no attempt, in whatever state the session is") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const auto code = world.code_for();
    for (const char* typed :
         {"", "417", "2222-222", "2222-22222", "UUUU-UUUU", "Code: 2222-2222"}) {
        CHECK(check(world, session, typed) == "malformed");
        CHECK(check(world, SessionToken::random(), typed) == "malformed");
    }
    std::int64_t left = 0;
    CHECK(why(world.relay().check_code(session, SecretText{other_than(code)}, left)) ==
          "wrong_code");
    CHECK(left == 4);
    CHECK(check(world, session,
                "<https://amt.example/c%23v1." + std::string{code.reveal()} + ">.") == "value");
    CHECK(check(world, session, "417") == "malformed");
}

TEST_CASE("the number of a code mail stands in its subject, and is told to who asked for it") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto subject_of = [](std::int64_t number) {
        return "Ihr Bestätigungscode (Nr. " + std::to_string(number) + ")";
    };
    const auto begun = world.relay().begin_verification(citizen, "de", {"the same request", {}});
    REQUIRE(begun);
    CHECK(begun->number >= 100);
    CHECK(begun->number <= 999);
    world.relay().tick();
    const auto mails = [&] { return world.mails.sent_to(citizen); };
    CHECK(mails().at(0).subject == subject_of(begun->number));
    CHECK(mails().at(0).text.find("Nr. " + std::to_string(begun->number)) != std::string::npos);
    const auto again = world.relay().begin_verification(citizen, "de", {"the same request", {}});
    CHECK(again->number == begun->number); // said again: no second mail
    world.clock.pass(minute_s);
    const auto resent = world.relay().resend(begun->session);
    REQUIRE(resent);
    world.relay().tick();
    CHECK(mails().at(1).subject == subject_of(*resent));
    CHECK(check(world, begun->session, world.code_for().reveal()) == "value");
    CHECK(world.relay().resend(begun->session).value() == 0); // none is awaited
}

TEST_CASE("wrong codes count down and the fifth ends it, even for the right code") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const auto code = world.code_for();
    for (const std::int64_t expected : {4, 3, 2, 1, 0}) {
        std::int64_t left = -1;
        const auto checked = world.relay().check_code(session, SecretText{other_than(code)}, left);
        CHECK(why(checked) == "wrong_code");
        CHECK(left == expected);
    }
    world.restart(); // the count is not forgotten
    CHECK(check(world, session, code.reveal()) == "too_many_attempts");
    CHECK(check(world, session, other_than(code)) == "too_many_attempts");
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "not_verified");
}

TEST_CASE("a code holds for 30 minutes and not a second longer") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto in_time = world.asked_session("a@buerger.example");
    const auto late = world.asked_session("b@buerger.example");
    world.clock.pass(30 * minute_s - 1);
    CHECK(check(world, in_time, world.code_for("a@buerger.example").reveal()) == "value");
    world.clock.pass(1);
    CHECK(check(world, late, world.code_for("b@buerger.example").reveal()) == "code_expired");
    CHECK(why(world.relay().create_transfer(late, Sending{}.request())) == "not_verified");
}

TEST_CASE("nothing is kept of an address that was never verified") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const std::string row = to_hex(sha256(session.reveal()));
    REQUIRE(world.store().verification(row));
    REQUIRE(world.store().mails_of(row).size() == 1);
    world.clock.pass(30 * minute_s);
    world.relay().tick();
    CHECK_FALSE(world.store().verification(row));
    CHECK(world.store().mails_of(row).empty());
    CHECK(world.store().used_slots().empty());
    CHECK(files_with(folder.path(), row).empty());
    CHECK(check(world, session, world.code_for().reveal()) != "value");
}

TEST_CASE("a code is worth nothing in another session") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto mine = world.asked_session();
    const auto code_of_mine = world.code_for();
    const auto theirs = world.asked_session("mallory@boese.example");
    CHECK(check(world, theirs, code_of_mine.reveal()) == "wrong_code");
    CHECK(check(world, SessionToken::random(), code_of_mine.reveal()) == "code_expired");
    CHECK(check(world, mine, code_of_mine.reveal()) == "value");
    CHECK(why(world.relay().create_transfer(theirs, Sending{}.request())) == "not_verified");
}

TEST_CASE("two sessions for one address do not spoil each other") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto first = world.asked_session();
    const auto code_of_first = world.code_for();
    const auto second = world.asked_session();
    CHECK(check(world, first, code_of_first.reveal()) == "value");
    CHECK(check(world, second, world.code_for().reveal()) == "value");
}

TEST_CASE("a code can be asked for again after a minute, and then only the new one holds") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const auto old_code = world.code_for();
    CHECK(check(world, session, other_than(old_code)) == "wrong_code");
    world.clock.pass(59);
    CHECK(why(world.relay().resend(session)) == "too_early");
    world.clock.pass(1);
    REQUIRE(world.relay().resend(session));
    CHECK(why(world.relay().resend(session)) == "too_early");
    world.relay().tick();
    CHECK(world.mails.sent_to(citizen).size() == 2);
    std::int64_t left = 0;
    CHECK(why(world.relay().check_code(session, old_code, left)) == "wrong_code");
    CHECK(left == 4); // a new code, new attempts
    CHECK(check(world, session, world.code_for().reveal()) == "value");
    CHECK(why(world.relay().resend(SessionToken::random())) == "not_verified");
}

TEST_CASE("asking again for a verified address sends nothing and changes nothing") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.verified_session();
    world.clock.pass(2 * minute_s);
    CHECK(world.relay().resend(session));
    world.relay().tick();
    CHECK(world.mails.sent_to(citizen).size() == 1);
    CHECK(world.relay().create_transfer(session, Sending{}.request()));
}

TEST_CASE("a verified session lasts a day") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.verified_session();
    world.clock.pass(day_s - 1);
    world.relay().tick();
    CHECK(world.relay().create_transfer(session, Sending{}.request()));
    world.clock.pass(1);
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "code_expired");
    world.relay().tick();
    CHECK(why(world.relay().create_transfer(session, Sending{}.request())) == "not_verified");
}

TEST_CASE("one address gets three codes an hour and six a day, however it is written") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto ask = [&](std::string_view address) {
        REQUIRE(world.relay().begin_verification(address, "de"));
        world.relay().tick();
        return world.mails.sent.size();
    };
    CHECK(ask("Opfer@buerger.example") == 1);
    CHECK(ask("opfer@BUERGER.example") == 2);
    CHECK(ask("OPFER@buerger.example") == 3);
    CHECK(ask("opfer@buerger.example") == 3);
    CHECK(ask("someone.else@buerger.example") == 4);
    world.clock.pass(hour_s + 1);
    for (int i = 0; i < 10; ++i) ask("opfer@buerger.example");
    CHECK(world.mails.sent.size() == 7);
    world.clock.pass(hour_s + 1);
    CHECK(ask("opfer@buerger.example") == 7);
    world.clock.pass(day_s);
    CHECK(ask("opfer@buerger.example") == 8);
}

TEST_CASE("the whole site sends no more codes an hour than the policy says") {
    const TempFolder folder;
    Control world{folder.path()};
    world.policy.limits.code_mails_hour = 5;
    world.restart();
    for (int i = 0; i < 9; ++i) {
        const auto email = "p" + std::to_string(i) + "@a.example";
        CHECK(why(world.relay().begin_verification(email, "de")) ==
              (i < 5 ? "value" : "rate_limited"));
    }
    world.relay().tick();
    CHECK(world.mails.sent.size() == 5);
    world.clock.pass(hour_s + 1);
    REQUIRE(world.relay().begin_verification("p9@a.example", "de"));
    world.relay().tick();
    CHECK(world.mails.sent.size() == 6);
}

TEST_CASE("an address that gets no more mail cannot be told from one that does") {
    const TempFolder folder;
    Control world{folder.path()};
    for (int i = 0; i < 3; ++i) REQUIRE(world.relay().begin_verification("full@a.example", "de"));
    const auto full = world.relay().begin_verification("full@a.example", "de");
    const auto fresh = world.relay().begin_verification("fresh@a.example", "de");
    REQUIRE(full);
    REQUIRE(fresh);
    CHECK(full->valid_s == fresh->valid_s);
    CHECK(full->resend_s == fresh->resend_s);
    for (const auto* session : {&full->session, &fresh->session}) {
        std::int64_t left = -1;
        CHECK(why(world.relay().check_code(*session, SecretText{"2222-2222"}, left)) ==
              "wrong_code");
        CHECK(left == 4);
        CHECK(why(world.relay().resend(*session)) == "too_early");
    }
    world.clock.pass(minute_s);
    for (const auto* session : {&full->session, &fresh->session}) {
        CHECK(why(world.relay().resend(*session)) == "value");
        CHECK(why(world.relay().resend(*session)) == "too_early");
    }
}

TEST_CASE("when no further code may be sent, the last one holds as long as it would have") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    for (int i = 0; i < 3; ++i) {
        world.clock.pass(minute_s);
        REQUIRE(world.relay().resend(session));
        world.relay().tick();
    }
    REQUIRE(world.mails.sent_to(citizen).size() == 3);
    const auto code = world.code_for();
    std::int64_t left = -1;
    CHECK(why(world.relay().check_code(session, SecretText{other_than(code)}, left)) ==
          "wrong_code");
    CHECK(left == 4);
    world.clock.pass(minute_s);
    REQUIRE(world.relay().resend(session));
    CHECK(why(world.relay().check_code(session, SecretText{other_than(code)}, left)) ==
          "wrong_code");
    CHECK(left == 3); // no new code, no new attempts
    SECTION("it opens the session") { CHECK(check(world, session, code.reveal()) == "value"); }
    SECTION("its time does not begin anew") {
        world.clock.pass(29 * minute_s);
        REQUIRE(world.relay().resend(session));
        CHECK(check(world, session, code.reveal()) == "code_expired");
    }
}

TEST_CASE("at rest there is no code, only a hash that needs the pepper") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const auto code = world.code_for();
    std::string bare{code.reveal()};
    bare.erase(4, 1);
    const auto row = world.store().verification(to_hex(sha256(session.reveal())));
    REQUIRE(row);
    CHECK(row->code_hash.size() == 64);
    CHECK(files_with(folder.path(), row->code_hash).size() == 1); // the scan does find things
    for (const std::string& text :
         {std::string{code.reveal()}, bare, std::string{citizen}, to_base64url(session.reveal())}) {
        INFO(text);
        CHECK(files_with(folder.path(), text).empty());
    }
    for (const std::string& guess : {bare, row->session + bare, std::string{code.reveal()}}) {
        CHECK(row->code_hash != to_hex(sha256(as_bytes(guess))));
    }
    world.options.pepper = "another pepper";
    world.restart();
    CHECK(check(world, session, code.reveal()) == "wrong_code");
    world.options.pepper = "pepper";
    world.restart();
    CHECK(check(world, session, code.reveal()) == "value");
}

TEST_CASE("a used code leaves neither hash nor mail") {
    const TempFolder folder;
    Control world{folder.path()};
    const auto session = world.asked_session();
    const std::string id = to_hex(sha256(session.reveal()));
    const std::string mail = world.mails.sent_to(citizen).front().id;
    CHECK(check(world, session, world.code_for().reveal()) == "value");
    const auto row = world.store().verification(id);
    REQUIRE(row);
    CHECK(row->code_hash.empty());
    CHECK(world.store().mails_of(id).empty());
    CHECK(world.mails.forgotten == std::vector{mail});
}

} // namespace plankurier::test::verification_test
