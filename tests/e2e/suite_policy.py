#!/usr/bin/env python3
"""Every rule of relay.toml is kept: refused by the relay with its code, and by the client with the
words for it in German and English and its exit code.

The words are those of the client's own catalogue, so that this suite says which code a person reads
about, and the catalogue how. Requests to the relay are made without our client.
"""
import argparse
import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import link_steps
import people
import wire as wires
import world
from people import CLERK, DAY, HOUR, plan
from rules import Rules, limits_of

GIB = 1 << 30
GIB_BODY = 4_096 * wires.PLAIN  # sealed it is a GiB
MAYOR = f"leitung@{world.STAFF_DOMAIN}"
UMWELT = f"umwelt@{world.STAFF_DOMAIN}"
COLLEGE = "rathaus@gemeinde.example"
POLICY = f"""
[expiry]
days_min = 2
days_default = 9
days_max = 20
[departments.umwelt]
mail = "umwelt@{world.STAFF_DOMAIN}"
types = ["pdf"]
transfer_gib_max = 1
days_min = 3
days_default = 5
days_max = 7
[departments.schule]
mail = "schule@{world.STAFF_DOMAIN}"
[[rules]]
from = "@gemeinde.example"
to = "schule"
[[rules]]
from = "{COLLEGE}"
to = "{MAYOR}"
"""


class PolicyWorld(people.Service):
    """Three departments; the limits of addresses as in the product."""

    def __init__(self, build):
        super().__init__(build)
        self.limits.update(open_transfers_per_address=3, gib_per_address_day=1)
        self.more_config = POLICY

    def _directory(self):
        for name in ("umwelt", "schule"):
            record = self.root / f"{name}.json"
            self.run(self.client, "keygen", "--department", name, "--name", name.title(), "-o",
                     self.root / f"{name}.key", "--record", record, "--passphrase-file",
                     self.passphrase, env=self.env())
            self.run(self.relay_program, "directory", "add", "--config", self.config, record)
        super()._directory()

    def set_limits(self, **limits):
        """The relay starts anew with them."""
        text = self.config.read_text()
        for name, value in limits.items():
            text, changed = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
            if not changed:
                text = text.replace("[limits]\n", f"[limits]\n{name} = {value}\n")
        self.stop("relay")
        self.config.write_text(text)
        self.start_relay()


def big(service, name, size):
    """Only its beginning is there."""
    file = plan(service.root / name, 1_000)
    os.truncate(file, size)
    return file


def texts(checks, rules):
    german, english = rules.words["de"], rules.words["en"]
    checks.that(f"{len(german)} codes have words in both languages, each its own",
                len(german) > 30 and german.keys() == english.keys()
                and all(german[code] and german[code] != english[code] for code in german)
                and len(set(german.values())) == len(german))


def types_and_sizes(service, checks, rules):
    file, send, session = plan(service.root / "plan.pdf"), rules.sender(), (
        rules.wire.verified_session(world.SENDER))
    picture = service.root / "bild.png"
    picture.write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d49484452") + os.urandom(5_000))
    _, _, told = rules.wire.ask(service.server, "GET", "/v1/service")
    own = json.loads(told)["departments"]
    checks.that("the service tells the limits of departments that have their own", own["umwelt"] == {
        "types": ["pdf"], "transfer_bytes_max": GIB, "expiry_days_min": 3,
        "expiry_days_default": 5, "expiry_days_max": 7} and "bauamt" not in own)
    rules.client("a type that this department does not take", 9, "type_not_allowed",
                 send(picture, to="umwelt"))
    checks.that("another department takes it, and a clerk",
                [send(picture, to=to)({}).returncode for to in ("bauamt", CLERK)] == [0, 0])
    rules.client("more than this department takes", 9, "too_large",
                 send(big(service, "1-gib.pdf", GIB + 1), to="umwelt"), "transfer_large")
    rules.relay("more than this department takes", 413, "too_large",
                rules.create(session, department="umwelt", body_len=2 * GIB_BODY))
    rules.client("more than anybody takes", 9, "too_large",
                 send(big(service, "2-gib.pdf", 2 * GIB + 1)), "transfer_large")
    for name, to in (("department", {}), ("clerk", {"staff": CLERK})):
        rules.relay(f"more than any {name} takes", 413, "too_large",
                    rules.create(session, body_len=4 * GIB_BODY, **to))
    many = [plan(service.root / f"viele-{number}.pdf", 10) for number in range(1_001)]
    rules.client("a thousand and one files", 9, "too_many_files", send(*many))
    long = service.root / "long.txt"
    long.write_text("a" * (64 * 1_024 + 1))
    rules.client("a message of more than 64 KiB", 9, "too_large",
                 lambda env: service.plankurier(
                     "send", file, "--to", "bauamt", "--email", world.SENDER, "--message-file",
                     long, "--json", check=False, env=env), "message_long")


def days(service, checks, rules):
    file, send, session = service.root / "plan.pdf", rules.sender(), (
        rules.wire.verified_session(world.SENDER))
    for to, low, high in (("umwelt", 2, 8), ("bauamt", 1, 21), (CLERK, 1, 21)):
        wanted = {"staff": to} if "@" in to else {"department": to}
        for count in (low, high):
            rules.client(f"{count} days for {to.partition('@')[0]}", 2, "invalid_argument",
                         send(file, to=to, more=["--expires", count]), "expires_range")
            rules.relay(f"{count} days for {to.partition('@')[0]}", 400, "invalid_argument",
                        rules.create(session, expiry_days=count, **wanted))
    for to, default in (("umwelt", 5), ("bauamt", 9)):
        sent = people.Citizen(service).send(file, to=to)
        left = json.loads(pathlib.Path(sent.receipt).read_text())["expires"] - time.time()
        checks.that(f"who says nothing gets {default} days at {to}",
                    abs(left - service.seconds - default * DAY) < 300)
    service.pass_time(30)
    longer = lambda env: service.plankurier("expire", sent.receipt, "--days", 10, "--json",
                                            check=False, env=env)
    rules.client("lengthening where that is not allowed", 2, "invalid_argument", longer,
                 "days_refused")
    manage = json.loads(pathlib.Path(sent.receipt).read_text())
    as_sender = {"Plankurier-Transfer": manage["transfer"], "Plankurier-Manage": manage["manage"]}
    rules.relay("lengthening where that is not allowed", 400, "invalid_argument", rules.ask(
        "/v1/transfers/expiry", {"expires_days_from_now": 10}, as_sender))
    return sent, as_sender


def notices(service, checks, rules, sent, as_sender):
    again = lambda env=None: service.plankurier("resend", sent.receipt, "--json", check=False,
                                                env=env or {})
    rules.client("a notice again at once", 4, "too_early", again)
    rules.relay("a notice again at once", 429, "too_early",
                rules.ask("/v1/transfers/resend-notice", {}, as_sender))
    for _ in range(3):
        service.pass_time(601)
        if again().returncode != 0:
            raise AssertionError("no notice goes out again")
    service.pass_time(601)
    rules.client("a notice for the fourth time", 4, "too_many_attempts", again)
    rules.relay("a notice for the fourth time", 429, "too_many_attempts",
                rules.ask("/v1/transfers/resend-notice", {}, as_sender))


def who_to_whom(service, checks, rules):
    file, send = service.root / "plan.pdf", rules.sender()
    session, theirs = map(rules.wire.verified_session, (world.SENDER, COLLEGE))
    for name, to, wanted in (("a department", "schule", {"department": "schule"}),
                             ("a person", MAYOR, {"staff": MAYOR})):
        rules.client(f"{name} that takes from certain senders only", 9, "address_not_allowed",
                     send(file, to=to))
        rules.relay(f"{name} that takes from certain senders only", 403, "address_not_allowed",
                    rules.create(session, **wanted))
        checks.that(f"from these {name} takes it", rules.create(theirs, **wanted)[0] == 201)
    neighbour = rules.wire.verified_session("bau@gemeinde.example")
    checks.that("a pattern of addresses holds for all of them, a single address for one",
                rules.create(neighbour, department="schule")[0] == 201
                and rules.create(neighbour, staff=MAYOR)[0] == 403)
    lookalike = rules.wire.verified_session("a@boese-gemeinde.example")
    checks.that("and for nobody who only looks like them",
                rules.create(lookalike, department="schule")[0] == 403)
    before = set(service.code_mails())
    rules.client("an address that is not the authority's", 9, "address_not_allowed",
                 send(file, to="max@anderswo.example"), "to_foreign_address")
    checks.that("and no code is asked for before", set(service.code_mails()) == before)
    rules.relay("an address that is not the authority's", 403, "address_not_allowed",
                rules.create(session, staff="max@anderswo.example"))
    rules.relay("from citizen to citizen", 403, "address_not_allowed",
                rules.create(session, citizen="max@anderswo.example"))
    rules.client("a department that does not exist", 9, "unknown_department",
                 send(file, to="gartenamt"), "to_unknown")
    rules.relay("a department that does not exist", 404, "unknown_department",
                rules.create(session, department="gartenamt"))


def several(service, checks, rules):
    """To more than one department: only what all of them take, and each opens it alone."""
    file, send, both = service.root / "plan.pdf", rules.sender(), ["--to", "umwelt"]
    session = rules.wire.verified_session(world.SENDER)
    rules.client("a type that one of two departments does not take", 9, "type_not_allowed",
                 send(service.root / "bild.png", more=both))
    rules.client("more days than one of two keeps", 2, "invalid_argument",
                 send(file, more=[*both, "--expires", 8]), "expires_range")
    rules.relay("more days than one of two keeps", 400, "invalid_argument",
                rules.create(session, also=["umwelt"], expiry_days=8))
    rules.relay("more than one of two takes", 413, "too_large",
                rules.create(session, also=["umwelt"], body_len=2 * GIB_BODY))
    rules.client("a rule about one of two", 9, "address_not_allowed",
                 send(file, more=["--to", "schule"]))
    rules.relay("a rule about one of two", 403, "address_not_allowed",
                rules.create(session, also=["schule"]))
    before = len(service.mails_to(UMWELT))
    sent = people.Citizen(service).send(file, more=both)
    notice = service.wait_mails(UMWELT, "", before + 1)[-1].get_content()
    opened = [people.Staff(service, service.root / f"{name}.key").fetch(
        sent.link, service.root / f"to-{name}").returncode for name in ("bauamt", "umwelt", "schule")]
    checks.that("what all take goes to all, with one link, and nobody else opens it",
                sent.link in notice and opened == [0, 0, 5] or print(opened))


def quotas(service, checks, rules):
    file, address = service.root / "plan.pdf", "viel@buerger.example"
    session, seen = rules.wire.verified_session(address), []
    for _ in range(3):
        answer = rules.create(session)
        seen.append((answer[0], limits_of(answer[1])[:2]))
    checks.that("each new transfer says how many more may be open",
                seen == [(201, (3, 2)), (201, (3, 1)), (201, (3, 0))] or print(seen))
    rules.relay("a fourth unfinished transfer", 429, "quota_exceeded", rules.create(session))
    rules.client("a fourth unfinished transfer", 9, "quota_exceeded", rules.sender(address)(file))
    checks.that("of another address there may be one",
                rules.create(rules.wire.verified_session("wenig@buerger.example"))[0] == 201)

    heavy = "schwer@buerger.example"
    session = rules.wire.verified_session(heavy)
    half, quarter = GIB_BODY // 2, GIB_BODY // 4
    checks.that("an address sends up to a GiB a day",
                [rules.create(session, body_len=half)[0] for _ in "12"] == [201, 201])
    rules.relay("more bytes a day", 429, "quota_exceeded",
                rules.create(session, body_len=quarter))
    rules.client("more bytes a day", 9, "quota_exceeded",
                 rules.sender(heavy)(big(service, "viertel-gib.pdf", GIB // 4)))
    service.set_limits()
    rules.relay("after a restart it is counted all the same", 429, "quota_exceeded",
                rules.create(session, body_len=quarter))
    service.pass_time(DAY + 301)
    checks.that("a day later there is room again", rules.create(
        rules.wire.verified_session(heavy), body_len=quarter)[0] == 201)


def code_rates(service, checks, rules):
    """Of one address: the same answer, and no mail. What people read about is the old code."""
    service.set_limits(code_mails_per_address_hour=3, code_mails_per_address_day=6)
    address = "eilig@buerger.example"
    ask = lambda: rules.ask("/v1/verifications", {"email": address, "language": "de"})
    sent, hours = [], []
    for hour in range(4):
        answers = [ask() for _ in range(4)]
        service.settle()
        sent.append(len(service.mails_to(address)))
        hours.append({(status, *sorted(json.loads(body))) for status, _, body in answers})
        service.pass_time(HOUR + 301)
    checks.that(f"three codes an hour and six a day go to an address ({sent})",
                sent == [3, 6, 6, 6])
    checks.that("whoever asks cannot tell by the answer",
                all(one == {(202, "number", "resend_s", "session", "valid_s")} for one in hours))
    service.pass_time(DAY)
    ask()
    service.wait_mails(address, "", 7)
    checks.that("a day later there are codes again", True)
    session = {"Plankurier-Session": json.loads(ask()[2])["session"]}
    rules.relay("a code again within the minute", 429, "too_early",
                rules.ask("/v1/verifications/resend", {}, session))
    rules.relay("an address remembered for too long", 400, "invalid_argument", rules.ask(
        "/v1/verifications/check", {"code": "0", "remember_days": 31}, session))
    rules.client("an address remembered for too long", 2, "invalid_argument", rules.sender()(
        service.root / "plan.pdf", more=["--remember-days", 31]), "remember_range")


def mail_budget(service, checks, rules):
    """Of the whole site: one code an hour is free, nine more for work, then only time helps."""
    service.pass_time(HOUR + 301)  # those that were sent before do not count
    service.set_limits(code_mails_hour=1, code_mails_per_address_hour=1000,
                       code_mails_per_address_day=1000)
    file = service.root / "plan.pdf"
    ask = lambda number, **more: rules.ask("/v1/verifications", {
        "email": f"flut-{number}@buerger.example", "language": "de", **more})
    status, headers, _ = ask(0)
    checks.that("the answer says how many codes are left", status == 202
                and limits_of(headers)[:2] == (1, 0) and 3_500 < limits_of(headers)[2] <= 3_601)
    status, headers, content = answer = ask(1)
    told = rules.relay("codes beyond the site's", 429, "rate_limited", answer)
    checks.that("it says what to work for, and when that is over", limits_of(headers)[:2] == (1, 0)
                and (told["work"]["bits"], told["work"]["count"]) == (18, 16))
    numbers = [0] * 16
    rules.relay("work that was not done", 429, "rate_limited",
                ask(1, work={"salt": told["work"]["salt"], "numbers": numbers}))
    rules.relay("work for an address of one's own making", 429, "rate_limited",
                ask(1, work={"salt": "0" * 48, "numbers": numbers}))
    checks.that("nobody got a code by that", not service.mails_to("flut-1@buerger.example"))
    for number in range(9):
        begun = time.monotonic()
        done = people.Citizen(service, f"fleissig-{number}@buerger.example").send(file, check=False)
        print(f"   sent after work, {time.monotonic() - begun:.1f} s in all")
        checks.that(f"the client works, and sends ({number})", done.returncode == 0)
    told = rules.relay("codes beyond ten times the site's", 429, "rate_limited", ask(2))
    checks.that("then there is no work either", "work" not in told)
    rules.client("codes beyond ten times the site's", 3, "rate_limited",
                 rules.sender()(file, more=["--retries", 0]))
    service.pass_time(HOUR + 301)
    checks.that("an hour later codes come again", ask(3)[0] == 202)


def kept_sendings(service):
    return {folder.name for folder in (service.home / "state/plankurier/send").iterdir()}


def room(service, checks, rules):
    """No transfer begins that would fill a relay's disk; what is there is served."""
    service.set_limits(code_mails_hour=1000, open_transfers_per_address=1000)
    citizen, file = people.Citizen(service), service.root / "plan.pdf"
    sent = citizen.send(file)
    service.set_limits(free_gib_min=1_000_000)
    session = rules.wire.verified_session(world.SENDER)
    world.wait_until(lambda: rules.create(session)[0] == 507, what="a refusal for lack of room")
    rules.relay("no room at the relays", 507, "no_space", rules.create(session))
    others = kept_sendings(service)
    rules.client("no room at the relays", 3, "no_space", rules.sender()(file))
    checks.that("what is stored is served all the same",
                people.Staff(service).fetch(sent.link, service.root / "served").returncode == 0)
    checks.that("the administrator sees it", "relays_full 1" in service.run(
        service.relay_program, "status", "--config", service.config).stdout)
    service.set_limits(free_gib_min=0)
    world.wait_until(lambda: rules.create(session)[0] == 201, what="room again")
    kept = kept_sendings(service) - others
    resumed = [service.plankurier("send", "--resume", one, check=False).returncode for one in kept]
    checks.that(f"with room again the {len(kept)} that waited go on",
                resumed == [0, 0] or print(resumed))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    with PolicyWorld(parser.parse_args().build) as service:
        rules = Rules(service, checks)
        texts(checks, rules)
        types_and_sizes(service, checks, rules)
        notices(service, checks, rules, *days(service, checks, rules))
        who_to_whom(service, checks, rules)
        several(service, checks, rules)
        link_steps.forbidden(service, checks, rules)
        quotas(service, checks, rules)
        code_rates(service, checks, rules)
        mail_budget(service, checks, rules)
        room(service, checks, rules)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
