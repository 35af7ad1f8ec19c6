#include "tests/support/control.hpp"

#include "relay/adapters/files.hpp"

#include <plankurier/challenge.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test {

namespace {

relay::Policy usual_policy() {
    relay::Policy policy;
    policy.authority = "Landratsamt Muster";
    policy.link_base = "https://amt.example";
    policy.staff_patterns = {"@amt.example", "berta@andere.example"};
    policy.department_mails = {{"bauamt", department_mail}};
    policy.limits.open_transfers_per_address = 1'000; // the tests have one citizen
    return policy;
}

} // namespace

Directory usual_directory() {
    Department bauamt;
    bauamt.id = "bauamt";
    bauamt.name = "Bauamt";
    const auto key =
        recipient_public_key(fixed_secret<KeySeed>("bauamt"), StanzaType::hpke_p256).value();
    bauamt.keys.push_back({key_id(key), key, 0, std::int64_t{1} << 40});
    bauamt.signing_keys.push_back(
        {{}, signing_public_key(department_seed()), 0, std::int64_t{1} << 40});
    Directory directory;
    directory.departments.push_back(std::move(bauamt));
    return directory;
}

namespace {

/// What stands between the first `start` and the end of that line; "" if `start` is not there.
std::string_view line_after(std::string_view text, std::string_view start) {
    const auto at = text.find(start);
    if (at == std::string_view::npos) return {};
    const auto rest = text.substr(at + start.size());
    return rest.substr(0, rest.find('\n'));
}

} // namespace

SigningSeed relay_seed(std::size_t number) {
    return fixed_secret<SigningSeed>("relay " + std::to_string(number));
}
SigningSeed control_seed() { return fixed_secret<SigningSeed>("control"); }
SigningSeed department_seed() { return fixed_secret<SigningSeed>("bauamt"); }

relay::KnownRelay known_relay(std::size_t number) {
    relay::KnownRelay relay;
    const auto id = sha256(as_bytes("id " + std::to_string(number)));
    std::copy_n(id.begin(), relay.id.bytes.size(), relay.id.bytes.begin());
    relay.key = signing_public_key(relay_seed(number));
    relay.url = "https://relay" + std::to_string(number) + ".amt.example";
    return relay;
}

relay::TransferRequest Sending::request() const {
    relay::TransferRequest request;
    request.transfer = id;
    request.department = "bauamt";
    request.body_len = layout.body_len();
    request.expiry_days = 14;
    request.language = "de";
    request.fetch_hash = sha256(fetch().reveal());
    request.manage_hash = sha256(manage.reveal());
    return request;
}

Bytes Sending::envelope() const {
    std::vector<Recipient> recipients;
    recipients.emplace_back(KeyRecipient{
        recipient_public_key(fixed_secret<KeySeed>("bauamt"), StanzaType::hpke_p256).value()});
    return envelope(recipients);
}

Bytes Sending::envelope(const std::vector<Recipient>& recipients) const {
    Manifest manifest;
    manifest.transfer = id;
    manifest.expiry_days = 14;
    manifest.message = "Guten Tag";
    return seal_envelope(key, manifest, layout, recipients).value();
}

StoredReceipt Sending::receipt(std::size_t number) const {
    return {known_relay(number).id, id, content(), layout.body_len(), 1};
}
Bytes Sending::signed_receipt(std::size_t number) const {
    return sign_stored(receipt(number), relay_seed(number));
}

Control::Plane::Plane(Control& world)
    : time(world.clock, world.time_memory),
      db(world.folder / "control.db", {world.options.secure_delete}), store(db),
      vault(world.folder / "vault"), envelopes(world.folder / "envelopes"),
      audit(world.folder / "audit.log"), authority(world.folder, world.clock.now()) {
    world.mails.also = nullptr;
    if (world.options.folder_mailer) {
        folder_mailer = std::make_unique<relay::adapters::FolderMailer>(
            world.folder / "mail", "plankurier@amt.example", world.clock);
        world.mails.also = folder_mailer.get();
    }
    std::vector<relay::KnownRelay> relays;
    for (std::size_t i = 0; i < world.options.relays; ++i) relays.push_back(known_relay(i));
    relay = std::make_unique<relay::Relay>(
        relay::Ports{time, world.mails, vault, envelopes, store, audit, authority}, world.policy,
        control_seed(), fixed_secret<Secret<32, struct relay::PepperTag>>(world.options.pepper),
        std::move(relays));
    relay->set_directory(usual_directory());
}

Control::Control(const std::filesystem::path& where, Options chosen)
    : folder(where), options(std::move(chosen)), policy(usual_policy()),
      plane_(std::make_unique<Plane>(*this)) {}

void Control::restart() {
    stop(); // first: two processes never share the folder
    plane_ = std::make_unique<Plane>(*this);
}

std::string Control::audit() const {
    const auto bytes = relay::adapters::read_file(folder / "audit.log");
    return bytes ? std::string{as_text(*bytes)} : std::string{};
}

SessionToken Control::asked_session(std::string_view email) {
    auto begun = relay().begin_verification(email, "de");
    REQUIRE(begun);
    relay().tick();
    return std::move(begun->session);
}

SecretText Control::code_for(std::string_view email) const {
    const auto sent = mails.sent_to(email);
    for (auto mail = sent.rbegin(); mail != sent.rend(); ++mail) {
        const auto code = line_after(mail->text, "\n    ");
        if (code.size() == 9 && code[4] == '-') return SecretText{code};
    }
    FAIL("no mail with a code");
    return {};
}

SessionToken Control::verified_session(std::string_view email) {
    auto session = asked_session(email);
    std::int64_t left = 0;
    REQUIRE(relay().check_code(session, code_for(email), left));
    return session;
}

Sending Control::uploading(const Change& change) {
    Sending sending;
    auto request = sending.request();
    if (change) change(request);
    if (!session_ || !relay().resend(*session_)) {
        session_ = std::make_unique<SessionToken>(verified_session());
    }
    REQUIRE(relay().create_transfer(*session_, request));
    REQUIRE(relay().put_envelope(sending.id, sending.manage, sending.envelope()));
    return sending;
}

Sending Control::sent(const SessionToken& session, const Change& change) {
    Sending sending;
    auto request = sending.request();
    change(request);
    REQUIRE(relay().create_transfer(session, request));
    REQUIRE(relay().put_envelope(sending.id, sending.manage, sending.envelope()));
    REQUIRE(
        relay().finish(sending.id, sending.manage, {sending.signed_receipt()}, sending.content()));
    relay().tick();
    return sending;
}

FetchedReport Control::fetched_report(const Sending& sending) {
    FetchedReport report;
    report.transfer = sending.id;
    const auto hash = from_hex(store().transfer(sending.id)->envelope_hash).value();
    std::copy(hash.begin(), hash.end(), report.envelope_sha256.begin());
    report.content_root = sending.content();
    report.time = clock.now();
    return report;
}

Sending Control::available(const Change& change) {
    auto sending = uploading(change);
    std::vector<Bytes> receipts;
    for (std::size_t i = 0; i < options.relays; ++i) receipts.push_back(sending.signed_receipt(i));
    REQUIRE(relay().finish(sending.id, sending.manage, receipts, sending.content()));
    relay().tick();
    return sending;
}

SessionToken Control::department_session() {
    const auto seed = fixed_secret<KeySeed>("bauamt");
    const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
    const auto challenge = relay().department_challenge("bauamt", key_id(key));
    REQUIRE(challenge);
    const auto answer = answer_challenge(seed, StanzaType::hpke_p256, challenge->bytes);
    REQUIRE(answer);
    auto session = relay().open_key_session({"bauamt", {}}, *answer);
    REQUIRE(session);
    return std::move(*session);
}

SessionToken Control::inbox_session(const KeySeed& seed) {
    const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
    const auto challenge = relay().inbox_challenge(inbox_id(key), key);
    REQUIRE(challenge);
    const auto answer = answer_challenge(seed, StanzaType::hpke_p256, challenge->bytes);
    REQUIRE(answer);
    auto session = relay().open_key_session({{}, inbox_id(key)}, *answer);
    REQUIRE(session);
    return std::move(*session);
}

relay::SyncRequest Control::news() {
    relay::SyncRequest request;
    request.time = clock.now();
    return request;
}

relay::SyncAnswer Control::sync(std::size_t number, const relay::SyncRequest& request) {
    auto answer = relay().sync(known_relay(number).id, request);
    REQUIRE(answer);
    return std::move(*answer);
}

LinkId Control::link_for(std::string_view email) const {
    const auto sent = mails.sent_to(email);
    for (auto mail = sent.rbegin(); mail != sent.rend(); ++mail) {
        const auto link = line_after(mail->text, "https://amt.example/t#v1.");
        if (!link.empty()) return LinkId::from_hex(link).value();
    }
    FAIL("no mail with a link");
    return {};
}

} // namespace plankurier::test
