#include <clients/cli/sending.hpp>

#include <clients/cli/code_prompt.hpp>
#include <clients/cli/files.hpp>
#include <clients/cli/inbox.hpp>
#include <clients/cli/option_rules.hpp>
#include <clients/cli/outputs.hpp>
#include <clients/cli/receipt.hpp>
#include <clients/cli/send_deliver.hpp>
#include <clients/cli/session_memory.hpp>
#include <clients/cli/signals.hpp>
#include <clients/cli/withdraw.hpp>

#include <plankurier/fault.hpp>
#include <plankurier/links.hpp>
#include <plankurier/receiving.hpp>

namespace plankurier::cli {

namespace {

/// One transfer on its way from the first step to the receipt.
class Sending {
public:
    Sending(const SendingJob& job, Bytes envelope)
        : options_(job.options), console_(job.console), control_(job.control),
          authority_(job.authority), store_(job.store), state_(job.state), source_(job.source),
          key_(job.key), touched_(job.touched),
          envelope_(std::move(envelope)), retry_{job.options.retries}, prompt_{job.options,
                                                                               job.console,
                                                                               job.control} {}

    Result<void> run() {
        const auto view = parse_envelope(envelope_);
        if (!view) return tl::unexpected(view.error());
        const auto layout = BodyLayout::from_body_len(view->body_len);
        if (!layout) return tl::unexpected(layout.error());
        if (auto begun = begin(*layout); !begun) return begun;
        const auto delivered = deliver({options_, console_, control_, authority_.service, store_,
                                        state_, source_, *layout, view->body_header, touched_});
        if (!delivered) return tl::unexpected(delivered.error());
        return conclude_transfer(*delivered);
    }

private:
    /// Up to an address that is verified and a transfer that the service knows.
    Result<void> begin(const BodyLayout& layout) {
        if (state_.step == SendStep::begun) {
            const bool known = recall_address();
            // The last start may have ended after the code was accepted and before that was saved.
            if (!state_.session.empty()) {
                auto created = create(layout);
                if (created || !is_over(created.error().code)) return created;
            }
            if (known) forget_address();
        }
        if (state_.step == SendStep::begun) {
            auto proven = state_.sender_department.empty() ? verify_address() : prove_department();
            if (!proven) return proven;
        }
        if (state_.step != SendStep::verified) return {};
        auto created = create(layout);
        if (!created && is_over(created.error().code)) {
            state_.step = SendStep::begun;
            state_.session.clear();
            if (auto saved = store_.save(state_); !saved) return saved;
        }
        return created;
    }

    template <typename Step>
    auto patiently(Step step) {
        return with_retries(retry_, step, [this](unsigned seconds) {
            console_.say(Text::network_retry, {std::to_string(seconds)});
        });
    }

    /// Of a session.
    static bool is_over(Errc code) {
        return code == Errc::not_verified || code == Errc::code_expired;
    }

    /// True when the address is still verified from an earlier transfer.
    bool recall_address() {
        if (!state_.sender_department.empty() || !state_.session.empty()) return false;
        if (options_.remember_days == 0U) {
            forget_session(sessions_folder(), state_.server, state_.email);
            return false;
        }
        auto session =
            recall_session(sessions_folder(), state_.server, state_.email, control_.clock().now());
        if (!session) return false;
        state_.session = std::move(*session);
        console_.say(Text::address_known);
        return true;
    }

    void forget_address() {
        forget_session(sessions_folder(), state_.server, state_.email);
        state_.session.clear();
    }

    Result<void> remember_address() {
        const std::int64_t days = options_.remember_days.value_or(0);
        if (days == 0) return {};
        const auto until = control_.clock().now() + days * 86'400;
        auto kept =
            remember_session(sessions_folder(), state_.server, state_.email, state_.session, until);
        if (!kept) return kept;
        console_.say(Text::address_remembered, {time_text(console_.language(), until)});
        console_.event("remembered", {{"until", until}});
        return {};
    }

    [[nodiscard]] ManageRight right() const { return {state_.transfer, state_.manage}; }

    Result<void> begin_verification() {
        auto begun =
            patiently([&] { return control_.begin_verification(state_.email, state_.language); });
        if (!begun) {
            if (begun.error().code == Errc::no_space) console_.warn(Text::no_room_yet);
            return tl::unexpected(begun.error());
        }
        state_.session = begun->session;
        state_.code_number = begun->number;
        if (auto saved = store_.save(state_); !saved) return saved;
        console_.say(Text::ask_code_sent,
                     {std::to_string(begun->number), std::to_string(begun->valid_s / 60)});
        console_.event("code_sent", {{"valid_s", static_cast<std::int64_t>(begun->valid_s)},
                                     {"number", static_cast<std::int64_t>(begun->number)}});
        return {};
    }

    Result<void> verify_address() {
        control_.on_work([&console = console_](const WorkPuzzle& puzzle) {
            if (is_too_much(puzzle)) return console.warn(Text::too_much_work);
            console.say(Text::working_for_code);
            console.event("working");
        });
        const bool old_session = !state_.session.empty();
        if (!old_session) {
            if (auto begun = begin_verification(); !begun) return begun;
        }
        prompt_.sent(state_.code_number);
        for (;;) {
            auto code = prompt_.read(state_.session);
            if (!code) return tl::unexpected(code.error());
            std::optional<unsigned> left;
            auto checked = patiently([&] {
                return control_.check_code(state_.session, *code,
                                           options_.remember_days.value_or(0), left);
            });
            if (checked) break;
            const bool again = checked.error().code == Errc::wrong_code && left.value_or(0) > 0 &&
                               options_.code_from.empty() && console_.can_ask();
            if (checked.error().code == Errc::wrong_code && left) {
                console_.warn(Text::code_wrong_left, {std::to_string(*left)});
            }
            if (!again) {
                // The next start begins a new verification.
                state_.session.clear();
                if (auto saved = store_.save(state_); !saved) return saved;
                return checked;
            }
        }
        state_.step = SendStep::verified;
        PK_FAULT("cli.send.verified");
        return store_.save(state_).and_then([this] { return remember_address(); });
    }

    /// A department needs no code: it has its key.
    Result<void> prove_department() {
        if (key_ == nullptr) {
            return console_.refuse(Mistake::option_needed, {"--key", name_of(options_.command)});
        }
        auto session = open_department_session(control_, state_.sender_department, *key_, retry_);
        if (!session) return tl::unexpected(session.error());
        state_.session = std::move(*session);
        state_.step = SendStep::verified;
        return store_.save(state_);
    }

    Result<void> create(const BodyLayout& layout) {
        TransferRequest request;
        request.transfer = state_.transfer;
        request.department = state_.department;
        request.also = state_.also;
        request.staff = state_.staff;
        request.citizen = state_.citizen;
        request.inbox = state_.inbox;
        request.body_len = layout.body_len();
        request.expiry_days = state_.expiry_days;
        request.notify_fetch = state_.notify_fetch;
        request.notify_unfetched = state_.notify_unfetched;
        request.remind_recipient = state_.remind_recipient;
        request.language = state_.language;
        request.phone = state_.phone_shared;
        request.by_link = state_.link.has_value();
        request.fetch_sha256 = sha256(fetch_token(state_.key, state_.transfer).reveal());
        request.manage_sha256 = sha256(state_.manage.reveal());
        auto created = patiently([&] { return control_.create_transfer(state_.session, request); });
        if (!created && created.error().code == Errc::no_space) {
            console_.warn(Text::no_room, {size_text(console_.language(), layout.sealed_bytes())});
        }
        if (!created) return created;
        PK_FAULT("cli.send.created");
        auto put = patiently([&] { return control_.put_envelope(right(), envelope_); });
        if (!put) return put;
        PK_FAULT("cli.send.envelope");
        state_.step = SendStep::uploading;
        return store_.save(state_);
    }

    [[nodiscard]] std::string recipient_text() const {
        if (!state_.recipient.empty()) return state_.recipient;
        auto out = state_.department + state_.staff + state_.citizen; // of an older version
        for (const auto& id : state_.also) out += ", " + id;
        return out;
    }

    /// The transfer is available: the receipt is written, then the state goes.
    Result<void> conclude_transfer(const Delivered& delivered) {
        const auto& finished = delivered.finished;
        PK_FAULT("cli.send.finished");
        Receipt receipt{state_.transfer, state_.manage.clone(), finished.receipt_number,
                        state_.server,   state_.authority,      recipient_text(),
                        state_.begun,    finished.expires};
        // A receipt without it is a receipt all the same.
        if (auto history = control_.history(right())) receipt.history = std::move(*history);
        receipt.escrow = state_.escrow;
        if (auto linked = add_return_link(receipt); !linked) return linked;
        auto path = save_receipt(receipt);
        if (!path) return tl::unexpected(path.error());
        PK_FAULT("cli.send.receipt");
        if (auto handed = hand_out_link(finished); !handed) return handed;
        const auto shown = path->string();
        const auto until = time_text(console_.language(), receipt.expires);
        console_.print(fill(text(console_.language(), Text::receipt_text),
                            {printable(receipt.number), printable(receipt.recipient),
                             printable(receipt.authority), until, shown, shown}));
        if (!receipt.escrow.empty()) {
            console_.print(
                fill(text(console_.language(), Text::receipt_escrow), {printable(receipt.escrow)}));
        }
        if (!receipt.return_link.empty() &&
            !console_.show_secret(Text::return_link, {receipt.return_link.reveal()})) {
            console_.say(Text::return_link_in_receipt, {shown});
        }
        console_.event("available", {{"receipt_number", receipt.number},
                                     {"receipt", shown},
                                     {"expires", receipt.expires},
                                     {"relays", static_cast<std::int64_t>(delivered.relays)},
                                     {"copies", static_cast<std::int64_t>(delivered.copies)},
                                     {"transfer", receipt.transfer.hex()}});
        store_.remove();
        tell_troubles();
        return {};
    }

    /// What already is known to have gone wrong. A transfer is sent all the same.
    void tell_troubles() {
        const auto status = control_.status(right());
        if (!status) return;
        if (status->undeliverable) console_.warn(Text::status_undeliverable);
        if (status->state == "withheld") console_.warn(Text::status_withheld);
        if (status->undeliverable) console_.event("undeliverable");
    }

    /// The pages of links may stand at another address, but a secret is only meant for the host
    /// that the sender chose.
    [[nodiscard]] const std::string& pages() const {
        const auto& base = authority_.service.link_base;
        const bool same_host = url_allowed(base) && host_of(base) == host_of(state_.server);
        return same_host ? base : state_.server;
    }

    Result<void> add_return_link(Receipt& receipt) const {
        if (!state_.return_key) return {};
        const auto& [seed, type] = *state_.return_key;
        const auto key = recipient_public_key(seed, type);
        if (!key) return tl::unexpected(key.error());
        receipt.return_link = make_return_link(pages(), inbox_id(*key), seed);
        return {};
    }

    /// Nothing of it is kept here: whoever has it opens the transfer.
    Result<void> hand_out_link(const Finished& finished) {
        if (!state_.link) return {};
        if (!finished.link) return fail(Errc::malformed, "no link");
        const auto link = make_transfer_link(pages(), *finished.link, &*state_.link);
        bool written = false;
        if (!state_.link_path.empty()) {
            const SecretText line{std::string{link.reveal()} + "\n"};
            const auto saved = write_output(state_.link_path, as_bytes(line.reveal()));
            if (!saved) console_.tell(saved.error());
            console_.warn(saved ? Text::file_saved : Text::file_named,
                          {saved ? state_.link_path : shown({"--link-file", state_.link_path})});
            written = saved.has_value();
        }
        // Who has no file sees it, wherever that goes: nobody could open the transfer otherwise.
        if (written) {
            console_.show_secret(Text::link_to_pass_on, {link.reveal()});
        } else {
            console_.warn(Text::link_to_pass_on, {link.reveal()});
        }
        console_.event("link", {{"link", std::string{link.reveal()}}});
        return {};
    }

    Result<std::filesystem::path> save_receipt(const Receipt& receipt) {
        const SecretText json{encode_receipt(receipt)};
        const auto folder = state_folder() / "receipts";
        const auto usual = folder / ("quittung-" + receipt.transfer.hex().substr(0, 12) + ".json");
        const std::filesystem::path wanted{state_.receipt_path};
        // After a crash it may be there already.
        const auto own = [&](std::string_view there) {
            const auto earlier = decode_receipt(there);
            return earlier && earlier->transfer == receipt.transfer;
        };
        if (!wanted.empty() && write_output(wanted, as_bytes(json.reveal()), own)) return wanted;
        if (auto made = make_private_folder(folder); !made) return tl::unexpected(made.error());
        if (auto saved = write_output(usual, as_bytes(json.reveal()), own); !saved) {
            return naming(console_, usual,
                          Result<std::filesystem::path>{tl::unexpected(saved.error())});
        }
        if (!wanted.empty()) {
            console_.warn(Text::receipt_fallback, {printable(wanted.string()), usual.string()});
        }
        return usual;
    }

    const Options& options_;
    Console& console_;
    ControlClient& control_;
    const Authority& authority_;
    UploadStore& store_;
    UploadState& state_;
    const BodySource& source_;
    const OpenedKeyFile* key_;
    bool touched_;
    Bytes envelope_;
    RetryRule retry_;
    CodePrompt prompt_;
};

/// True when the failure leaves something to continue; else the state is worth nothing.
bool can_continue(Errc code) {
    switch (code) {
    case Errc::network:
    case Errc::tls:
    case Errc::unavailable:
    case Errc::busy:
    case Errc::rate_limited:
    case Errc::too_early:
    case Errc::no_space:
    case Errc::canceled:
    case Errc::wrong_code:
    case Errc::code_expired:
    case Errc::too_many_attempts:
    case Errc::not_verified:
    case Errc::file_unreadable:
    // What nobody should have answered: hours of sending are not thrown away for it.
    case Errc::malformed:
    case Errc::unsupported:
    case Errc::bad_signature: return true;
    default: return false;
    }
}

} // namespace

std::filesystem::path uploads_folder() { return state_folder() / "send"; }

Exit run_sending(const SendingJob& job, Bytes envelope) {
    Sending sending{job, std::move(envelope)};
    const auto sent = sending.run();
    if (sent) return Exit::ok;
    const bool kept = interrupted() || can_continue(sent.error().code);
    if (const auto file = job.source.failed_file()) {
        job.console.warn(Text::file_named, {printable(job.source.files()[*file].path.string())});
    }
    if (sent.error().code == Errc::address_not_allowed && job.state.citizen.empty()) {
        const auto to = "--to " + printable(job.state.recipient);
        job.console.warn(Text::file_named, {to + ", --email " + printable(job.state.email)});
    }
    const auto exit = conclude(job.console, sent, kept);
    if (kept) {
        job.console.warn(Text::resumable_hint, {job.state.transfer.hex()});
        job.console.event("resumable", {{"transfer", job.state.transfer.hex()}});
    } else if (withdraw(job.control, job.state, {job.options.retries}, job.console)) {
        job.store.remove();
    }
    return exit;
}

} // namespace plankurier::cli
