#!/usr/bin/env python3
"""After a transfer's end nothing of it is left: files, logs, process memory, the raw disk.

Canaries in some twenty encodings are looked for where they must be found (before the end, at the
sender, in a live client), where they must never be (the relay), and after the end everywhere: of
transfers with every option, of an answer, of a notice that came back, of signed histories. Then the
purge is killed at each of its fault points, and the clock jumps.
FORM=slow: three rounds of the first part, and kills in the vault and the piece plane too.
Memory is read by /proc, which shows more than a core file of gcore would.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import canaries as canary
import checks as counting
import form
import loop_disk
import people
import suite_bounces
import suite_purge
import thief
import wire as wires
import world

DAY = 86_400
SOURCE = pathlib.Path(__file__).resolve().parents[2]
TEXTS = {
    "name": "Käthe Übelacker-Zirbelnuß", "local part": "kaethe.zirbelnuss", "phone": "+49 9131 771-0815",
    "subject": "Anbau Hühnerstall Süd", "message": "Bitte prüfen Sie die Öffnung zur Straße",
    "file name": "Grundriss-Hühnerstall-Süd",
}
ADDRESS = TEXTS["local part"] + "@buerger.example"
CLERK = f"herr.blau@{world.STAFF_DOMAIN}"
ANSWER, ANSWER_FILE = "Der Hühnerstall ist genehmigt", "Genehmigung-Hühnerstall"
OPTIONS = ["--notify-unfetched", "--remind-recipient", "--reference", "HS-4711/2026", "--clerk",
           "Herr Blau", "--institution", "Kleintierzuchtverein Süd"]


def status(service):
    """What the relay says of itself; it may be writing that just now."""
    lines = (service.data / "status").read_text().splitlines()
    return dict(line.split() for line in lines if line.count(" ") == 1)


def start_send(service, file, to, *more):
    return world.Sending(service, [file, "--to", to, "--name", TEXTS["name"], "--email", ADDRESS,
                                   "--phone", TEXTS["phone"], "--subject", TEXTS["subject"],
                                   "--message", TEXTS["message"], "--receipt",
                                   service.root / f"receipt-{time.monotonic_ns()}.json", *more])


def keys_in_use(service):
    vault = (service.data / "vault").read_bytes()
    slots = thief.used_slots(service.data / "control.db")
    return [vault[at:at + 32] for at in (slot * suite_purge.SLOT_BYTES for slot in slots)]


class Case:
    """Two transfers with everything that is to be found or not to be found of them."""

    def __init__(self, service, number):
        self.service = service
        self.number = number
        content = "INHALT-" + os.urandom(12).hex()
        self.password = f"Kranich-Tinte-{os.urandom(3).hex()}-Moos"
        self.secrets = canary.Canaries({
            **TEXTS, "content": content, "password": self.password, "answer": ANSWER,
            "answer's file": ANSWER_FILE, "clerk": CLERK.partition("@")[0],
            "file number": OPTIONS[3], "institution": OPTIONS[7]})
        self.records = canary.Canaries()  # what the relay keeps in clear until the end
        self.receipts = []
        self.was_sealing = False  # a client was seen that held the password
        self.file = service.root / f"{TEXTS['file name']}-{number}.pdf"
        self.file.write_bytes(b"%PDF-1.7\n" + content.encode() + os.urandom(300_000))
        self.links = service.links()

    def send(self, to, *more):
        """Gives what stood in the client's memory while it waited for the code."""
        service = self.service
        states = lambda: list((service.home / "state/plankurier/send").glob("*/*.json"))
        sending = start_send(service, self.file, to, *more)
        memory = lambda: canary.process_memory(sending.process.pid)
        while not self.was_sealing and sending.process.poll() is None and not states():
            self.was_sealing = self.password.encode() in memory()
        state = world.wait_until(states, what="state")
        world.wait_until(lambda: set(service.code_mails()) - set(sending.codes_before),
                         what="code mail")
        state = json.loads(state[0].read_text())
        self.secrets.add("transfer key", wires.b64url_bytes(state["key"]))
        self.secrets.add("manage token", wires.b64url_bytes(state["manage"]))
        code = service.code_mails()[(set(service.code_mails()) - set(sending.codes_before)).pop()]
        self.secrets.add("code", code)
        self.secrets.add("code", code.replace("-", ""))
        world.wait_until(lambda: self.password.encode() not in memory(), what="the end of sealing")
        in_client = self.secrets.in_process(sending.process.pid)
        sending.end()
        self.receipts.append(pathlib.Path(sending.receipt))
        return in_client

    def take_links(self, count):
        new = world.wait_until(
            lambda: [link for key, link in self.service.links().items()
                     if key not in self.links][:count], what="notices")
        for link in new:
            self.secrets.add("link", link.rpartition(".")[2])
            self.secrets.add("link", bytes.fromhex(link.rpartition(".")[2]))
        return new

    def places(self):
        """Everything of the relay and of nginx; not the mail server, not the people's folders."""
        root = self.service.root
        return [self.service.relay, root / "nginx", root / "relay.log", root / "nginx.log"]

    def in_processes(self):
        """(name, process) of what stands in the memory of any process of the relay or nginx."""
        nginx = self.service.processes["nginx"].pid
        workers = pathlib.Path(f"/proc/{nginx}/task/{nginx}/children").read_text().split()
        pids = {"supervisor": self.service.processes["relay"].pid, "nginx": nginx}
        pids.update({f"nginx worker {pid}": int(pid) for pid in workers})
        for pid in self.service.role_pids():
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            pids[words[words.index("--role") + 1]] = pid
        return {(name, process) for process, pid in pids.items()
                for name in self.secrets.in_process(pid)}, set(pids)


def wait_for_end(service, not_fetched_before):
    """The purge is confirmed, and the last mail is out."""
    suite_purge.wait_for_purge(service)
    told = lambda: len([mail for mail in service.mails() if str(mail["Subject"])
                        == "Ihre Nachricht wurde nicht abgerufen"]) > not_fetched_before
    world.wait_until(told, what="the mails that say what was not fetched")


def comes_back(case):
    """The notice of a transfer is sent back by the mail server, and the relay told."""
    service = case.service
    report = world.wait_until(lambda: suite_bounces.reports(service), what="a notice to come back")
    text = report[-1].as_string().replace("=\n", "")
    case.records.add("a mail's number", re.search(r"bounce\+([0-9a-f]{16})@", text).group(1))
    link = re.search(r"t#v1\.([0-9a-f]{32})", text).group(1)
    case.secrets.add("link", link)
    case.secrets.add("link", bytes.fromhex(link))
    suite_bounces.take(service, "--maildir", service.mail_server.folder / "Maildir")
    service.wait_mails(ADDRESS, "Ihre Nachricht ist nicht zustellbar", case.number)


def answered(case):
    """The department answers the first transfer, and the citizen fetches that."""
    service, receipt = case.service, case.receipts[0]
    told = json.loads(receipt.read_text())
    case.secrets.add("return link", told["return_link"].rpartition(".")[2])
    content = "INHALT-" + os.urandom(12).hex()
    file = service.root / f"{ANSWER_FILE}-{case.number}.pdf"
    file.write_bytes(b"%PDF-1.7\n" + content.encode() + os.urandom(100_000))
    case.secrets.add("answer's content", content)
    replied = people.Staff(service).reply(told["transfer"], file, "--message", ANSWER)
    got = people.Citizen(service).answers(receipt, service.root / f"answer-{case.number}")
    if (replied.returncode, got.returncode) != (0, 0):
        raise AssertionError(replied.stderr + got.stderr)
    case.take_links(3)


def histories(case):
    """The state's signed record, by its last signature."""
    for receipt in case.receipts:
        case.service.plankurier("status", receipt)
        raw = wires.b64url_bytes(json.loads(receipt.read_text())["history"])
        case.secrets.add("history", raw[-64:])


def live(service, number):
    """Everything that may happen to transfers. Gives the case, what stood in the memory of a live
    client, and the link of the first."""
    case = Case(service, number)
    password_file = service.root / "password"
    password_file.write_text(case.password + "\n")
    by_password = [*OPTIONS, "--password-file", password_file]
    in_client = case.send("bauamt", *OPTIONS)
    in_client |= case.send(CLERK, "--share-phone", *by_password)
    links = case.take_links(2)
    case.send(suite_bounces.BACK, "--remember-days", "10", *by_password)
    comes_back(case)
    service.fetch_as_department(links[0], service.root / f"in-{number}")
    service.mail_to(ADDRESS, r"vollständig\s+abgerufen")
    answered(case)
    histories(case)
    return case, in_client, links[0]


def whole_life(service, checks, number):
    case, in_client, link = live(service, number)
    checks.that("a client that waits for the code holds name, subject, message and key in its memory "
                "(positive control)",
                {"name", "local part", "subject", "message", "transfer key", "file name",
                 "file number", "institution"} <= in_client or print(in_client))
    checks.that("the password only until it has sealed with it (positive control)",
                case.was_sealing and "password" not in in_client
                or print(case.was_sealing, in_client))
    in_mails = {name for name, _ in case.secrets.in_files(service.mail_server.folder / "Maildir")}
    checks.that("mailboxes hold addresses, code, phone and link (positive control), nothing else",
                in_mails == {"local part", "code", "phone", "link", "clerk"} or print(in_mails))
    own = {name for name, _ in case.secrets.in_files(service.home, *case.receipts, case.file)}
    checks.that("the scanner finds the content and the name of the sender's file, and the secret "
                "of the receipt", {"content", "file name", "return link"} <= own or print(own))
    before = case.secrets.in_files(*case.places())
    checks.that("no file of the relay ever holds a canary in clear", not before or print(before))
    kept = case.records.in_files(*case.places())
    checks.that("its database holds the numbers of mails, nothing else does (positive control)",
                {name for name, _ in kept} == {"a mail's number"}
                and all(where.startswith("control.db") for _, where in kept) or print(kept))
    keys = keys_in_use(service)
    image_before = service.disk.raw()
    reminded(service, number)
    service.clock.write_text(str(15 * DAY * number))
    wait_for_end(service, 2 * number - 1)
    checks.that("the keys in use were on the raw disk (positive control)",
                len(keys) >= 2 and all(key in image_before for key in keys))
    for key in keys:
        case.secrets.add("vault key", key)
    case.secrets.patterns.update(case.records.patterns)
    on_disk = case.secrets.in_image(service.disk.raw())
    checks.that("after the end no block of the raw disk holds a canary, or the number of a mail",
                not on_disk or print(on_disk))
    after = case.secrets.in_files(*case.places())
    checks.that("nor does a file, log or name of a file hold one, histories included",
                not after or print(after))
    in_memory, processes = case.in_processes()
    checks.that(f"nor does the memory of {len(processes)} processes",
                {"supervisor", "control", "pieces", "nginx"} <= processes
                and (not in_memory or print(sorted(in_memory))))
    late = service.fetch_as_department(link, service.root / "late", check=False)
    checks.that("the link is dead", late.returncode == 6)


def reminded(service, number):
    """Two days before the end: of the clerk's transfer and of the one that came back."""
    service.clock.write_text(str(15 * DAY * (number - 1) + 12 * DAY + 3_600))
    service.wait_mails(ADDRESS, "Ihre Nachricht ist noch nicht abgerufen", 2 * number)
    service.wait_mails(CLERK, "Eine vertrauliche Nachricht wartet noch", number)


def is_clean(secrets, service):
    hits = secrets.in_files(service.relay, service.root / "relay.log")
    return not hits or print(hits)


def raw_transfer(service):
    """Made past our client, of an address of its own; gives what must vanish with it."""
    wire = wires.Wire(service)
    address = f"zeugin-{os.urandom(5).hex()}@buerger.example"
    links = set(service.links().values())
    transfer = wires.RawTransfer(wire, 1, wire.verified_session(address))
    transfer.send(service.pieces_url).finish([service.pieces_url])
    link = world.wait_until(lambda: set(service.links().values()) - links, what="notice").pop()
    secrets = canary.Canaries({"local part": address.partition("@")[0], "manage": transfer.manage,
                               "fetch": transfer.fetch, "link": link.rpartition(".")[2]})
    for file in (service.data / "pieces").glob("*/*.vol"):
        secrets.add("piece", file.read_bytes()[100_000:100_032])
    return secrets, link


def served(service, link):
    status, _ = wires.Wire(service).call(service.server, "GET", "/v1/envelope", b"",
                                         {"Plankurier-Link": link.rpartition(".")[2]})
    return status


def fault_points():
    """Those of the purge itself, each at its first pass; in the long form what it calls, too."""
    text = "".join(file.read_text() for file in (SOURCE / "relay").rglob("*.cpp"))
    points = [(name, 1) for name in re.findall(r'PK_FAULT\("(purge\.\w+)"\)', text)]
    if form.SLOW:
        # The first slot that is erased is the session's, the second one the transfer's.
        points += [(name, hit) for name in ("vault.before_write", "vault.after_write")
                   for hit in (1, 2)]
        points += [("pieces.before_unlink", 1), ("pieces.after_unlink", 1)]
    return points


def killed(service, checks, days):
    """kill -9 at every step; what comes after finishes it."""
    token = service.root / "once"
    points = fault_points()
    struck = clean = 0
    for name, hit in points:
        secrets, link = raw_transfer(service)
        keys = keys_in_use(service)
        days += 8
        # It wakes up after the end, so that its first tick is the purge.
        service.stop("relay")
        service.clock.write_text(str(days * DAY))
        token.touch()
        service.start_relay({"PLANKURIER_FAULT": f"{name}=kill@{hit}",
                             "PLANKURIER_FAULT_ONCE": str(token)})
        world.wait_until(lambda: not token.exists(), what=f"the kill at {name}")
        suite_purge.wait_for_purge(service)
        # Files may be gone while the rest waits for the next start.
        world.wait_until(lambda: served(service, link) == 404, what="a refusal of the link")
        service.ticks(2)
        for key in keys:
            secrets.add("vault key", key)
        good = is_clean(secrets, service)
        struck, clean = struck + 1, clean + bool(good)
        if not good:
            print(f"    after a kill at {name}")
    checks.that(f"killed at {struck} points of the purge, it is finished {clean} times",
                struck == clean == len(points) and len(points) >= 6)


def clock_jumps(service, checks):
    """The wall clock alone jumps, while the relay runs."""
    wall = service.root / "wall-clock"
    wall.write_text("+0d\n")
    service.stop("relay")
    service.start_relay(world.wall_clock(wall))
    secrets, link = raw_transfer(service)
    there = lambda: (list((service.data / "envelopes").glob("*.env"))
                     and world.files_in(service.data / "pieces", "*/*.vol"))
    for jump in ("+400d", "-400d"):
        wall.write_text(jump + "\n")
        world.wait_until(lambda: status(service).get("clock_trusted") == "0", what="a noticed jump")
        service.ticks(3)
        checks.that(f"a clock that jumps {jump} deletes nothing early", there())
    wall.write_text("+0d\n")
    world.wait_until(lambda: status(service).get("clock_trusted") == "1", what="a clock that is back")
    checks.that("when it is back the transfer is served as before",
                there() and served(service, link) == 200)
    wall.write_text("+400d\n")
    world.wait_until(lambda: status(service).get("clock_trusted") == "0", what="a noticed jump")
    service.run(service.relay_program, "purge", "--config", service.config, "--clock-ok")
    suite_purge.wait_for_purge(service)
    checks.that("who accepts the new time gets what is due deleted", is_clean(secrets, service))


def negative_controls(service, checks):
    """What a careless relay would leave behind, on the same disk, found by the same scanner."""
    secrets = canary.Canaries({"local part": TEXTS["local part"]})
    raw = ADDRESS.encode()
    careless = suite_purge.deleted_row(service.data, "careless.db", raw, secure_delete=False)
    found = secrets.in_files(careless)
    careless.unlink()
    careful = suite_purge.deleted_row(service.data, "careful.db", raw, secure_delete=True)
    checks.that("rows deleted without secure_delete are caught (negative control)",
                found and not secrets.in_files(careful))
    careful.unlink()
    checks.that("and so is a key or address that was in a database, on the raw disk "
                "(negative control)", secrets.in_image(service.disk.raw()))
    with subprocess.Popen([sys.executable, "-c",
                           "import sys; text = sys.stdin.readline() * 3; print(flush=True); "
                           "sys.stdin.readline()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as careless_program:
        careless_program.stdin.write(ADDRESS + "\n")
        careless_program.stdin.flush()
        careless_program.stdout.readline()
        in_memory = secrets.in_process(careless_program.pid)
        careless_program.communicate("\n")
    checks.that("and a program that keeps it in memory (positive control)", in_memory)


class QuietWorld(people.Service):
    """nginx with the setting that docs/operations.md names: what it frees is overwritten."""

    def start(self, name, *command, env=None):
        if name == "nginx":
            env = {"GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
                   **(env or {})}
        super().start(name, *command, env=env)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    if not loop_disk.is_possible():
        checks.skip("everything", "reading memory and mounting a disk need root")
        return checks.end()
    rounds = form.pick(1, 1, 3)
    with QuietWorld(build, disk_mib=48) as service:
        for number in range(1, rounds + 1):
            whole_life(service, checks, number)
        killed(service, checks, 15 * rounds)
        if world.FAKETIME.exists():
            clock_jumps(service, checks)
        else:
            checks.skip("clock jumps", "libfaketime is not installed")
        negative_controls(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
