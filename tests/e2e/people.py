"""A whole service with a real mail server, and the people who use it at the command line.

Mails are read where people read them: in the Maildir that exim delivers to.
"""
import contextlib
import json
import os
import pathlib
import pty
import re
import sqlite3
import subprocess
import time

import wire as wires
import world

DAY, HOUR = 86_400, 3_600
BOUNCE = f"bounce@{world.STAFF_DOMAIN}"
DEPARTMENT = f"bauamt@{world.STAFF_DOMAIN}"
CLERK = f"frau.gruen@{world.STAFF_DOMAIN}"
NEVER = r"/n#v1\.([0-9A-Za-z_-]+)"
PASSWORD = r"\n\s{4}(\S.*)\n"  # as the client shows it


def plan(path, size=60_000):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


def same(one, other):
    return other.is_file() and one.read_bytes() == other.read_bytes()


def events(done, name=None):
    """What a client told by --json, of one kind or all."""
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [one for one in told if name in (None, one["event"])]


def transfer_of(receipt):
    return json.loads(pathlib.Path(receipt).read_text())["transfer"]


def said(done):
    return done.stdout + done.stderr


class Service(world.World):
    """Mails that cannot be delivered come back; time goes on when a test says so."""

    def __init__(self, build, **options):
        super().__init__(build, smtp=True, **options)
        self.bounce = BOUNCE
        self.seconds = 0

    def pass_time(self, seconds):
        """Returns when the relay has gone through everything that this time causes."""
        self.seconds += seconds
        self.clock.write_text(str(self.seconds))
        self.ticks(2)

    def ticks(self, count):
        """Waits for as many beats of the control plane, told by the kernel's clock."""
        for _ in range(count):
            before = (self.data / "status").stat().st_mtime_ns
            world.wait_until(lambda: (self.data / "status").stat().st_mtime_ns != before,
                             what="a tick")

    def mails_to(self, address, subject=""):
        return [mail for mail in self.mails()
                if address == mail["To"].addresses[0].addr_spec and subject in str(mail["Subject"])]

    def wait_mails(self, address, subject, count=1):
        return world.wait_until(
            lambda: len(found := self.mails_to(address, subject)) >= count and found,
            what=f"mail {count} to {address}: {subject}")

    def settle(self):
        """When this returns, every mail that was due before is in its mailbox."""
        address = f"spaeter.da-{time.monotonic_ns()}@buerger.example"
        wires.Wire(self).post("/v1/verifications", {"email": address, "language": "de"})
        self.wait_mails(address, "")

    def rows(self, query, *values):
        """What the control plane's own database says."""
        database = f"file:{self.data / 'control.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(database, uri=True)) as db:
            return db.execute(query, values).fetchall()


class Citizen:
    """Sends under an address of her own."""

    def __init__(self, service, address=world.SENDER, name="Anna Muster"):
        self.service, self.address, self.name = service, address, name

    def start(self, *files, to="bauamt", more=(), env=None):
        self.receipt = self.service.root / f"receipt-{time.monotonic_ns()}.json"
        return world.Sending(self.service, [
            *files, "--to", to, "--name", self.name, "--email", self.address, "--subject",
            "Bauantrag Gartenweg", "--message", "Anbei die vertraulichen Pläne", "--receipt",
            self.receipt, *more], env)

    def send(self, *files, check=True, **options):
        """Types the code as soon as its mail is there. Gives what the client said; it has a
        `receipt`, a `transfer` and the `link` of the notice."""
        links, to = self.service.links(), options.get("to", "bauamt")
        done = self.start(*files, **options).end(check)
        if done.returncode == 0:
            done.transfer = transfer_of(done.receipt)
            address = to if "@" in to else f"{to}@{world.STAFF_DOMAIN}"
            done.link = self._link(links, address)
        return done

    def _link(self, before, address):
        def new():
            for mail in self.service.mails_to(address):
                found = re.search(world.LINK, mail.get_content())
                if found and mail["Message-ID"] not in before:
                    return found.group(1)
            return None
        return world.wait_until(new, what=f"a notice to {address}")

    def status(self, receipt):
        done = self.service.plankurier("status", receipt, "--json", check=False)
        told = events(done, "status")
        return told[0] if told else {"exit": done.returncode}

    def answers(self, receipt, target, *more):
        return self.service.plankurier("fetch", "--return-link-file", receipt, "-o", target, *more,
                                       check=False)


class Staff:
    """A member of a department, by its key or by a wrap of it; or a clerk with an own key."""

    def __init__(self, service, key=None, passphrase=None, wrap=None, department="bauamt"):
        self.service, self.department = service, department
        self.key = ["--key", key or service.key, "--passphrase-file",
                    passphrase or service.passphrase, *(["--wrap", wrap] if wrap else [])]

    def inbox(self):
        listed = self.service.plankurier("inbox", "--department", self.department, *self.key, "--json",
                                         check=False)
        return {one["transfer"]: one for one in events(listed, "waiting")}

    def fetch(self, link, target, *more):
        return self.service.fetch(link, target, *self.key, *more, check=False)

    def fetch_from_inbox(self, transfer, target, *more):
        return self.service.plankurier("fetch", "--from-inbox", transfer, *self.key, "-o", target,
                                       *more, check=False)

    def reply(self, transfer, *arguments, env=None):
        return self.service.plankurier("reply", "--to-transfer", transfer, *self.key, *arguments,
                                       check=False, env=env)

    def write_to(self, citizen, file, *more, env=None):
        return self.service.plankurier("send", file, "--as-department", self.department, *self.key,
                                       "--to-citizen", citizen, *more, check=False, env=env)


class Terminal:
    """A client at a terminal of its own, for what it only shows to or asks a person."""

    def __init__(self, service, *arguments):
        self.screen, inside = pty.openpty()
        command = [service.client, *arguments, "--ca", service.ca]
        self.process = subprocess.Popen([str(part) for part in command], stdin=inside,
                                        stdout=inside, stderr=inside, env=service.env(),
                                        start_new_session=True)
        os.close(inside)
        os.set_blocking(self.screen, False)
        self.text = ""

    def read(self):
        with contextlib.suppress(OSError):  # nothing there, or the client has ended
            self.text += os.read(self.screen, 65_536).decode(errors="replace").replace("\r", "")
        return self.text

    def wait_for(self, pattern):
        return world.wait_until(lambda: re.search(pattern, self.read()), what=f"“{pattern}”")

    def type(self, line):
        os.write(self.screen, (line + "\n").encode())

    def end(self):
        world.wait_until(lambda: (self.read(), self.process.poll())[1] is not None, 120,
                         what="the end of the client")
        self.read()
        os.close(self.screen)
        return self.process.returncode
