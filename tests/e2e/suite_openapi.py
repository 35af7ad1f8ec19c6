#!/usr/bin/env python3
"""docs/openapi.yaml against a running relay behind nginx: every call, every code that the document
names for it, every answer of the documented form. Requests are made without our client.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import api_bodies
import api_document
from api_caller import Caller, Holder, RelayStatements, public_key
import checks as counting
import wire as wires
import world
from wire import b64url

JUMP_DAYS = 1_000
CLERK = f"clerk@{world.STAFF_DOMAIN}"
MANAGED = [("PUT", "/v1/envelope"), ("POST", "/v1/tickets"), ("POST", "/v1/transfers/finish"),
           ("GET", "/v1/transfers/status"), ("GET", "/v1/transfers/history"),
           ("POST", "/v1/transfers/expiry"), ("POST", "/v1/transfers/resend-notice")]
BODIES = {"/v1/transfers/finish": {"receipts": [], "content_root": b64url(bytes(32))}, "/v1/transfers/expiry":
          {"expires_days_from_now": 1}}


def begin(call, email, headers=None):
    asked = call.good("POST", "/v1/verifications", {"email": email, "language": "de"}, headers)
    return {"Plankurier-Session": asked["session"]}


def code_for(service, email):
    mail = world.wait_until(lambda: [one for one in service.mails() if one["To"] == email],
                            what="code mail")[-1].get_content()
    return (re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", mail).group(0),
            re.search(r"/n#v1\.([0-9A-Za-z_-]+)", mail).group(1))


def verified(call, email):
    session = begin(call, email)
    code, _ = code_for(call.service, email)
    call.good("POST", "/v1/verifications/check", {"code": code, "remember_days": 1}, session)
    return session


def wrong(code):
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def verification(call, service):
    unknown = {"Plankurier-Session": b64url(os.urandom(32))}
    call.refused("malformed", "POST", "/v1/verifications", raw=b"{")
    call.refused("invalid_argument", "POST", "/v1/verifications", {"email": "no address"})
    key = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
    session = begin(call, "code@buerger.example", key)
    call.checks.that("the same request with the same key gets the same session",
                     begin(call, "code@buerger.example", key) == session)
    check = ("POST", "/v1/verifications/check")
    code, never = code_for(service, "code@buerger.example")
    call.refused("malformed", *check, raw=b"[]", headers=session)
    call.refused("not_verified", *check, {"code": code})
    call.refused("code_expired", *check, {"code": code}, unknown)
    call.refused("invalid_argument", *check, {"code": code, "remember_days": 31}, session)
    call.refused("not_verified", "POST", "/v1/verifications/resend", {}, unknown)
    call.refused("malformed", "POST", "/v1/verifications/resend", raw=b"[]", headers=session)
    call.refused("too_early", "POST", "/v1/verifications/resend", {}, session)
    for _ in range(5):
        call.refused("wrong_code", *check, {"code": wrong(code)}, session)
    call.refused("too_many_attempts", *check, {"code": code}, session)
    service.clock.write_text("61")
    world.wait_until(lambda: call("POST", "/v1/verifications/resend", {}, session)[0] == 202,
                     what="the minute to be over")
    call.refused("malformed", "POST", "/v1/never", raw=b"{}")
    call.refused("not_found", "POST", "/v1/never", {"token": wrong(never)})
    call.good("POST", "/v1/never", {"token": never})


def key_sessions(call, service, holder):
    challenge, session = ("POST", "/v1/department/challenge"), ("POST", "/v1/department/session")
    call.refused("malformed", *challenge, raw=b'{"department":"bauamt","kid":"12"}')
    call.refused("malformed", *session, raw=b"{}")
    call.refused("not_verified", *session, {"department": "bauamt", "answer": b64url(bytes(32))})
    told = call.good(*challenge, {"department": "bauamt", "kid": holder.kid()})
    department = call.good(*session, {"department": "bauamt",
                                      "answer": holder.department_answer(told["challenge"])})
    challenge, session = ("POST", "/v1/inbox/challenge"), ("POST", "/v1/inbox/session")
    request = holder.inbox_request()
    call.refused("malformed", *challenge, raw=json.dumps({**request, "inbox": "0" * 32}).encode())
    call.refused("unsupported", *challenge, raw=json.dumps({**request, "type": 9}).encode())
    call.refused("malformed", *session, raw=b"{}")
    call.refused("not_verified", *session, {"inbox": request["inbox"], "answer": b64url(bytes(32))})
    told = call.good(*challenge, request)
    inbox = call.good(*session, {"inbox": request["inbox"],
                                 "answer": holder.inbox_answer(told["challenge"])})
    call.refused("not_verified", "GET", "/v1/inbox")
    call.good("GET", "/v1/inbox", headers={"Plankurier-Session": inbox["session"]})
    return {"Plankurier-Session": department["session"]}


def new_transfer(**more):
    digest = b64url(hashlib.sha256(b"").digest())
    return {"tid": os.urandom(16).hex(), "department": "bauamt", "body_len": wires.PLAIN,
            "expiry_days": 7, "fetch_sha256": digest, "manage_sha256": digest, **more}


def creation(call, session):
    create = ("POST", "/v1/transfers")
    request = new_transfer(notify_unfetched=True, remind_recipient=True)
    call.good(*create, request, session)
    call.refused("conflict", *create, {**request, "body_len": 2 * wires.PLAIN}, session)
    call.refused("malformed", *create, raw=b"{}", headers=session)
    call.refused("not_verified", *create, new_transfer())
    call.refused("unknown_department", *create, new_transfer(department="x"), session)
    staff = {key: value for key, value in new_transfer().items() if key != "department"}
    call.refused("address_not_allowed", *create, {**staff, "staff": "a@elsewhere.example"}, session)
    call.refused("address_not_allowed", *create, {**staff, "citizen": "b@buerger.example"}, session)
    call.refused("link_not_allowed", *create, {**staff, "staff": CLERK, "by_link": True}, session)
    call.refused("invalid_argument", *create, new_transfer(expiry_days=61), session)
    call.refused("invalid_argument", *create, new_transfer(also=["bauamt"]), session)
    call.refused("unknown_department", *create, new_transfer(also=["x"]), session)
    call.refused("too_large", *create, new_transfer(body_len=16_384 * 262_112), session)
    many = verified(call, "many@buerger.example")
    for _ in range(call.service.limits["open_transfers_per_address"]):
        call.good(*create, new_transfer(), many)
    call.refused("quota_exceeded", *create, new_transfer(), many)


def uploads(call, raw):
    """From a transfer without an envelope to one that is available."""
    bare = bare_transfer(call, raw)
    for path in ("/v1/tickets", "/v1/transfers/finish", "/v1/transfers/expiry",
                 "/v1/transfers/resend-notice"):
        call.refused("conflict", "POST", path, BODIES.get(path, {}), bare)
    unsupported = raw._envelope()[:4] + b"\x09" + raw._envelope()[5:]
    call.refused("unsupported", "PUT", "/v1/envelope", raw=unsupported, headers=raw.as_sender)
    call.refused("malformed", "PUT", "/v1/envelope", raw=b"PKE1", headers=raw.as_sender)
    call.refused("conflict", "PUT", "/v1/envelope", raw=raw._envelope(), headers=raw.as_sender)
    tid = bytes.fromhex(bare["Plankurier-Transfer"])
    linked = wires.envelope(tid, wires.PLAIN, wires.LINK)
    call.refused("link_not_allowed", "PUT", "/v1/envelope", raw=linked, headers=bare)
    call.good("PUT", "/v1/envelope", raw=wires.envelope(tid, wires.PLAIN), headers=bare)
    call.good("POST", "/v1/tickets", {}, raw.as_sender)
    url = call.service.pieces_url
    raw.send(url)
    finish = ("POST", "/v1/transfers/finish")
    root = {"content_root": raw.content_root}
    api_bodies.receipts(call, raw, root)
    api_bodies.objects(call, raw)
    put, _ = raw.ticket(raw.as_sender)
    receipt = world.wait_until(lambda: raw._stored(url, put), what="a stored receipt")
    call.refused("tampered", *finish, {"receipts": [receipt], "content_root": b64url(bytes(32))},
                 raw.as_sender)
    call.good(*finish, {"receipts": [receipt], **root}, raw.as_sender)
    call.good("POST", "/v1/tickets", {}, raw.as_recipient)


def bare_transfer(call, raw):
    manage = os.urandom(32)
    request = new_transfer(manage_sha256=b64url(hashlib.sha256(manage).digest()))
    call.good("POST", "/v1/transfers", request, raw.session)
    return {"Plankurier-Transfer": request["tid"], "Plankurier-Manage": b64url(manage)}


def reading(call, service, raw, department):
    notice = service.notice_link(f"bauamt@{world.STAFF_DOMAIN}")
    link = {"Plankurier-Link": notice[-32:]}
    listed = call.good("GET", "/v1/inbox", headers=department)["transfers"]
    call.checks.that("the inbox lists the transfer", any(one["tid"] == raw.tid.hex()
                                                         for one in listed))
    by_session = {**department, "Plankurier-Transfer": raw.tid.hex()}
    for path in ("/v1/envelope", "/v1/record"):
        call.good("GET", path, headers=link)
        call.good("GET", path, headers=by_session)
        call.refused("not_found", "GET", path, headers={"Plankurier-Link": "0" * 32})
        call.refused("malformed", "GET", path, headers={**department, "Plankurier-Transfer": "x"})
        call.refused("not_verified", "GET", path,
                     headers={**by_session, "Plankurier-Session": b64url(bytes(32))})
    certificate = ("POST", "/v1/swarm/certificate")
    key = b64url(public_key(service.root))
    call.good(*certificate, {"public_key": key}, raw.as_recipient)
    call.refused("malformed", *certificate, {"public_key": "AAAA"}, raw.as_recipient)
    call.refused("not_found", *certificate, {"public_key": key},
                 {**raw.as_recipient, "Plankurier-Fetch": b64url(bytes(32))})


def options(call, service, raw):
    """Every option of the sender and the recipient, while the clock goes on by minutes."""
    resend = ("POST", "/v1/transfers/resend-notice")
    call.refused("too_early", *resend, {}, raw.as_sender)
    for i in range(1, 4):
        service.clock.write_text(str(61 + i * 660))
        world.wait_until(lambda: call(*resend, {}, raw.as_sender)[0] == 200, what="ten minutes")
    call.refused("too_many_attempts", *resend, {}, raw.as_sender)
    expiry = ("POST", "/v1/transfers/expiry")
    call.good(*expiry, {"expires_days_from_now": 3}, raw.as_sender)
    call.refused("invalid_argument", *expiry, {"expires_days_from_now": 30}, raw.as_sender)
    call.refused("malformed", *expiry, raw=b"{}", headers=raw.as_sender)
    call.good("GET", "/v1/transfers/status", headers=raw.as_sender)
    call.good("GET", "/v1/transfers/history", headers=raw.as_sender)
    fetched = ("POST", "/v1/transfers/fetched")
    call.refused("malformed", *fetched, raw=b'{"report":7}', headers=raw.as_recipient)
    call.refused("bad_signature", *fetched, {"report": b64url(b"PKF1")}, raw.as_recipient)
    call.good(*fetched, {"report": ""}, raw.as_recipient)
    call.good("POST", "/v1/transfers/report", {}, raw.as_recipient)
    call.checks.that("the sender of what was reported sees that it is withheld", call.good(
        "GET", "/v1/transfers/status", headers=raw.as_sender)["state"] == "withheld")
    call.refused("not_found", "POST", "/v1/tickets", {}, raw.as_recipient)


def lost(call, service, session):
    """The only relay's only file is gone, and with it what was available."""
    raw = wires.RawTransfer(call.wire, session=session).send(service.pieces_url)
    raw.finish([service.pieces_url])
    (service.data / "pieces" / raw.tid.hex() / "00000000.vol").unlink()
    service.run(service.relay_program, "scrub", "--config", service.config, "--now")
    world.wait_until(lambda: "transfers_lost 1" in (service.data / "status").read_text(),
                     what="the loss to be seen")
    call.refused("lost", "POST", "/v1/tickets", {}, raw.as_recipient)
    call.checks.that("the sender of what was lost sees it", call.good(
        "GET", "/v1/transfers/status", headers=raw.as_sender)["lost"])


def strangers(call, raw):
    """Who has no right, or names no transfer at all."""
    nobody = {**raw.as_sender, "Plankurier-Manage": b64url(bytes(32))}
    for method, path in [*MANAGED, ("POST", "/v1/transfers/revoke")]:
        body = None if method != "POST" else BODIES.get(path, {})
        bytes_of = raw._envelope() if method == "PUT" else None
        call.refused("not_found", method, path, body, nobody, raw=bytes_of)
        call.refused("malformed", method, path, body, {"Plankurier-Transfer": "x"}, raw=bytes_of)
    for path in ("/v1/transfers/fetched", "/v1/transfers/report"):
        call.refused("not_found", "POST", path, {}, {**raw.as_recipient,
                                                     "Plankurier-Fetch": b64url(bytes(32))})
        call.refused("malformed", "POST", path, {}, {"Plankurier-Transfer": "x"})


def relay_calls(call, statements, tid):
    key = b64url(public_key(call.service.root))
    for path, context, inner in (
            ("/v1/relay/sync", "plankurier/1 sync",
             {"time": 0, "after": 0, "holds": [], "gone": [], "stored": []}),
            ("/v1/relay/certificates", "plankurier/1 certificates",
             {"time": 0, "public_key": key, "transfers": [tid]})):
        # By the control plane's own clock, which a test has put forward.
        offset = int(call.service.clock.read_text())
        now = {**inner, "time": int(time.time()) + offset}
        body = statements.body(context, now)
        call.good("POST", path, body)
        call.refused("malformed", "POST", path, raw=b"{}")
        call.refused("not_found", "POST", path, {**body, "relay": "0" * 32})
        call.refused("bad_signature", "POST", path, {**body, "request": body["request"] + " "})
        call.refused("expired", "POST", path, statements.body(context, {**now, "time": 1}))


def ended(call, service, raw):
    """Every state behind the end: withdrawn but not gone yet, gone, and past its end."""
    envelope = next((service.data / "envelopes").glob(f"{raw.tid.hex()}*"))
    envelope.unlink()
    envelope.mkdir()  # what a purge cannot remove
    (envelope / "file").write_text("x")
    call.refused("unavailable", "POST", "/v1/transfers/revoke", {}, raw.as_sender)
    everywhere(call, raw, "revoked")
    (envelope / "file").unlink()
    envelope.rmdir()
    world.wait_until(lambda: call("GET", "/v1/transfers/status", headers=raw.as_sender)[1]["code"]
                     == "purged", what="the purge")
    everywhere(call, raw, "purged")
    call.good("POST", "/v1/transfers/revoke", {}, raw.as_sender)


def everywhere(call, raw, code):
    for method, path in MANAGED:
        call.refused(code, method, path, None if method != "POST" else BODIES.get(path, {}),
                     raw.as_sender, raw=raw._envelope() if method == "PUT" else None)


def jumped(call, service, raw, session):
    """A machine that is started with a clock far ahead purges nothing, so what is past its end is
    still there to be asked for."""
    offset = int(service.clock.read_text())
    booted = int(time.clock_gettime(time.CLOCK_BOOTTIME))
    service.stop("relay")
    service.clock.write_text(f"0 wall={offset + JUMP_DAYS * 86_400} boot=another@{booted}")
    service.start_relay()
    world.wait_until(lambda: "clock_trusted 0" in (service.data / "status").read_text(),
                     what="the jump to be seen")
    everywhere(call, raw, "expired")
    call.refused("expired", "POST", "/v1/transfers/revoke", {}, raw.as_sender)
    call.refused("code_expired", "POST", "/v1/verifications/resend", {}, session)
    call.refused("code_expired", "POST", "/v1/transfers", new_transfer(), session)
    service.stop("relay")
    service.clock.write_text(str(offset))
    service.start_relay()
    world.wait_until(lambda: "clock_trusted 1" in (service.data / "status").read_text(),
                     what="the clock to be right")


def too_large(call, raw):
    """Past nginx, which has a limit of its own in front."""
    for method, path in call.document.operations:
        if method != "GET":
            size = (2 << 20) + 100_000 if path == "/v1/envelope" else 300 << 10
            call.refused("too_large", method, path, raw=b" " * size, headers=raw.as_sender,
                         wire=call.inside)


def hard_times(call, service, checks):
    """No code left without work, no space: the relay starts again with other limits."""
    text = service.config.read_text()
    text = re.sub(r"free_gib_min = \d+", "free_gib_min = 1000000\ncode_mails_hour = 2", text)
    service.stop("relay")
    service.config.write_text(text)
    # The codes of the last hour are remembered over a restart.
    service.clock.write_text(str(int(service.clock.read_text()) + 3_700))
    service.start_relay()
    session = verified(call, "late@buerger.example")
    again = begin(call, "later@buerger.example")
    call.refused("rate_limited", "POST", "/v1/verifications", {"email": "last@buerger.example"})
    _, answer = call("POST", "/v1/verifications", {"email": "last@buerger.example"})
    checks.that("the refusal says what to work out", answer["work"]["bits"] == 18
                and answer["work"]["count"] == 16)
    offset = int(service.clock.read_text())
    service.clock.write_text(str(offset + 61))
    world.wait_until(lambda: call("POST", "/v1/verifications/resend", {}, again)[1].get("work"),
                     what="a minute, and then what to work out for a code again")
    world.wait_until(lambda: "relays_full 1" in (service.data / "status").read_text(),
                     what="the relay's news of its space")
    call.refused("no_space", "POST", "/v1/transfers", new_transfer(), session)
    plan = service.root / "plan.pdf"
    plan.write_bytes(b"%PDF-1.7\n" + os.urandom(1_000))
    done = service.send(plan, check=False)
    checks.that("the client works for its code, and hears that there is no space",
                done.returncode == 3 and "Speicherplatz" in done.stdout + done.stderr)


def summary(document, checks, call):
    missing = [call for call in document.operations if call not in document.good_seen]
    checks.that(f"every call has a good answer {missing}", not missing)
    unseen = {call: document.codes(call) - seen for call, seen in document.codes_seen.items()}
    unseen = {call: codes for call, codes in unseen.items() if codes}
    checks.that(f"every documented code of every call was answered {unseen or ''}", not unseen)
    everywhere = set().union(*document.codes_seen.values())
    checks.that("so were those of any call", {"too_large", "unavailable", "no_space"} <= everywhere)
    checks.that(f"{call.calls} answers and their requests have the documented form",
                call.faults == 0 and call.calls > 150)
    faulty = [one for one in document.examples() if one[1]]
    checks.that(f"the examples do, too {faulty}", not faulty)


class Service(world.World):
    """Says what it answers while it has no directory yet."""
    call = None

    def _directory(self):
        self.call.refused("unavailable", "GET", "/v1/directory")  # it has none yet
        super()._directory()


def suite(service, document, checks):
    call = service.call = Caller(service, document, checks)
    with service:
        call.good("GET", "/v1/directory")
        call.good("GET", "/v1/service")
        verification(call, service)
        department = key_sessions(call, service, Holder(service))
        session = verified(call, world.SENDER)
        creation(call, session)
        raw = wires.RawTransfer(call.wire, session=session)
        raw.session = session
        uploads(call, raw)
        reading(call, service, raw, department)
        lost(call, service, session)
        strangers(call, raw)
        relay_calls(call, RelayStatements(service), raw.tid.hex())
        too_large(call, raw)
        jumped(call, service, raw, begin(call, "old@buerger.example"))
        options(call, service, raw)
        ended(call, service, raw)
        hard_times(call, service, checks)
    summary(document, checks, call)


def main():
    options_of = argparse.ArgumentParser()
    options_of.add_argument("--build", default="build/dev")
    service = Service(options_of.parse_args().build)
    service.limits = {**service.limits, "open_transfers_per_address": 5, "lost_minutes": 0}
    checks = counting.Checks()
    api_document.negative_control(checks)
    suite(service, api_document.ApiDocument(), checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
