"""Our side of a comparison: the real client, relay and nginx of one whole service on loopback."""
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lab

sys.path.insert(0, str(lab.ROOT / "tests/e2e"))
import world  # noqa: E402


class Ours:
    """`with Ours(folder)` starts the service; `folder` must have room for one transfer. `unlocked`:
    the clerk has unlocked the key, as once a day."""

    def __init__(self, folder, unlocked=False):
        self.world = world.World(lab.release_build(), tempfile.mkdtemp(prefix="pk-", dir=folder))
        self.count = 0
        self.more = []  # options for send and fetch
        self.unlocked = unlocked

    def __enter__(self):
        self.world.__enter__()
        if self.unlocked:
            self.world.plankurier("unlock", *self._key(), "--passphrase-file",
                                  self.world.passphrase, "--for", "8h")
        return self

    def __exit__(self, *_):
        if self.unlocked:
            self.world.plankurier("lock", check=False)
        self.world.__exit__()

    def _key(self):
        return ["--key", self.world.key]

    def servers(self):
        relay = self.world.processes["relay"].pid
        return {"relay (pieces)": [self.world.role_pid("pieces")],
                "relay (control)": [self.world.role_pid("control")],
                "relay (supervisor)": [relay],
                "nginx": lab.children_of(self.world.processes["nginx"].pid)}

    def _mails(self):
        return set((self.world.data / "mail").glob("*.eml"))

    def _code_from_mail(self, before):
        """The code of the one new mail; looks every millisecond."""
        def look():
            for file in self._mails() - before:
                mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", mail.get_content())
                if code:
                    return code.group(0)
            return None
        end = time.monotonic() + 30
        while time.monotonic() < end:
            code = look()
            if code:
                return code
            time.sleep(0.001)
        raise SystemExit("send: no mail with a code")

    def send(self, source, what="send"):
        """A transfer to the department, from the start of the client until its receipt, durable on
        the relay. The clock stands still while the code mail is on its way; the code is typed in
        at once. Returns the result and the receipt."""
        self.count += 1
        receipt = self.world.root / f"receipt-{self.count}.json"
        before = self._mails()
        log = open(self.world.root / "send.log", "ab")
        run = lab.Run(what, "https", source.stat().st_size, self.servers())
        client = run.start(
            "plankurier send", self.world.client, "send", source, "--to", "bauamt", "--name",
            "Anna Muster", "--email", world.SENDER, "--message", "Anbei die Pläne", "--code-from",
            "-", "--receipt", receipt, "--ca", self.world.ca, "--no-progress", "--json", *self.more,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=self.world.env())
        for line in client.stdout:
            if json.loads(line)["event"] == "code_sent":
                break
        asked = time.monotonic()
        code = self._code_from_mail(before)
        run.pause(time.monotonic() - asked)
        client.stdin.write(code.encode() + b"\n")
        client.stdin.close()
        result = run.finish()
        client.stdout.close()
        log.close()
        return result, receipt

    def link(self):
        return self.world.notice_link(f"bauamt@{world.STAFF_DOMAIN}")

    def fetch(self, link, size, what="fetch"):
        """From the link to the verified plaintext under its final name. Returns the result and the
        folder."""
        self.count += 1
        target = self.world.root / f"in-{self.count}"
        link_file = self.world.root / f"link-{self.count}"
        link_file.write_text(link + "\n")
        passphrase = [] if self.unlocked else ["--passphrase-file", self.world.passphrase]
        with open(self.world.root / "fetch.log", "ab") as log:
            run = lab.Run(what, "https", size, self.servers())
            run.start("plankurier fetch", self.world.client, "fetch", "--link-file", link_file, "-o",
                      target, *self._key(), *passphrase, "--ca", self.world.ca, "--no-progress",
                      *self.more, stdout=log, stderr=log,
                      stdin=subprocess.DEVNULL, env=self.world.env())
            return run.finish(), target

    def drop(self, receipt, *folders):
        """Gives the room back: the transfer is revoked and purged, the fetched files deleted."""
        self.world.plankurier("revoke", receipt)
        world.wait_until(lambda: not list((self.world.data / "pieces").glob("*/*.vol")),
                         what="the purge of the last transfer")
        for folder in folders:
            shutil.rmtree(folder)

    def round_trip(self, source):
        """Sends, fetches, compares (outside of the timed parts) and gives the room back."""
        sent, receipt = self.send(source)
        fetched, folder = self.fetch(self.link(), source.stat().st_size)
        if not lab.same_bytes(source, folder / source.name):
            raise SystemExit("the fetched file differs")
        self.drop(receipt, folder)
        return sent, fetched

    def fixed_overhead(self, folder, runs):
        """The same jobs with one byte more than a PDF's first line."""
        tiny = lab.make_input(pathlib.Path(folder) / "one-byte.pdf", 10)
        try:
            return [self.round_trip(tiny) for _ in range(runs)]
        finally:
            os.unlink(tiny)
