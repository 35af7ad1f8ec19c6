#!/usr/bin/env python3
"""The main job on real files: a citizen sends plans, the Bauamt fetches them, expiry deletes all.

Real programs of the release build, real nginx, real exim4, all on loopback in one folder.
"""
import argparse
import filecmp
import glob
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/e2e"))
import real_files
import several
import world

MB = 1_000_000
MEMORY_MAX_MB = 256 * (1 << 20) / MB  # for every process, whatever the size of the files
BAUAMT = f"bauamt@{world.STAFF_DOMAIN}"


def peak_mb(pid):
    """The most memory a process ever had in MB (VmHWM), 0 once it has ended."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1_024 / MB
    except OSError:
        pass
    return 0.0


class Watcher:
    """Looks at the clients' memory while they run."""

    def __init__(self):
        self.peak = 0.0

    def __call__(self, pid):
        self.peak = 0.0
        threading.Thread(target=self._look, args=(pid,), daemon=True).start()

    def _look(self, pid):
        while (now := peak_mb(pid)) > 0:
            self.peak = max(self.peak, now)
            time.sleep(0.02)


def say(text):
    print(f"\n── {text}", flush=True)


def show_mail(mail):
    print(f"   ┌ An: {mail['To']}   Betreff: {mail['Subject']}")
    body = mail.get_payload(decode=True).decode()
    for line in body.strip().splitlines():
        print(f"   │ {line}")
    print("   └")


def stored_bytes(service):
    return sum(member.stored_bytes() for member in service.members)


def faketime_library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        sys.exit("libfaketime is missing: run script/setup")
    return found[0]


class Demo:
    def __init__(self, service, files):
        self.service, self.files, self.rows, self.peaks = service, files, [], []
        self.bytes = sum(file.stat().st_size for file in files)
        self.watcher = service.on_client_start = Watcher()
        self.roles_mb = {}  # (relay, role) -> peak

    def row(self, phase, seconds, peak):
        rate = f"{self.bytes / MB / seconds:9.0f}" if seconds else " " * 9
        self.peaks.append(peak)
        self.rows.append(f"   {phase:<36}{self.bytes / MB:9.1f}{seconds:9.2f}{rate}{peak:10.0f}")

    def note_roles(self):
        for member in self.service.members:
            for role in ("control", "pieces", "swarm"):
                pid = member.role_pid(role)
                if pid:
                    before = self.roles_mb.get((member.name, role), 0.0)
                    self.roles_mb[member.name, role] = max(before, peak_mb(pid))

    def send(self):
        say(f"Frau Muster sends {len(self.files)} files, {self.bytes / MB:.0f} MB, to the Bauamt")
        sent = self.service.send(*self.files)
        self.receipt = sent.receipt
        self.row("send: seal, transfer, stored safely", sent.seconds, self.watcher.peak)
        print(sent.stdout)
        self.link = self.service.notice_link(BAUAMT)
        if len(self.service.members) > 1:
            self.copies(sent.seconds)
        self.stored = stored_bytes(self.service)

    def copies(self, sent_s):
        """The relays make the copies that the sender did not wait for."""
        begin = time.monotonic()
        tid = self.service.tid_of(self.receipt)
        first = self.service.members[0]
        whole = max(member.stored_bytes() for member in self.service.members)
        volumes = lambda member: len(member.described(tid))
        world.wait_until(lambda: volumes(first) > 0 and all(
            member.stored_bytes() == whole and volumes(member) == volumes(first)
            for member in self.service.members), 600, "all copies")
        self.row(f"copies at {len(self.service.members)} relays (with send)",
                 sent_s + time.monotonic() - begin, self.watcher.peak)
        self.show_copies()

    def show_copies(self):
        tid = self.service.tid_of(self.receipt)
        print(f"   {'relay':<12}{'volumes':>9}{'MB':>9}   address")
        for member in self.service.members:
            print(f"   {member.name:<12}{len(member.described(tid)):>9}"
                  f"{member.stored_bytes() / MB:9.1f}   {member.url}")

    def fetch(self):
        say("The Bauamt opens the link from its mail with the department's key")
        self.identical = True
        several_relays = len(self.service.members) > 1
        for via in ("https", "swarm") if several_relays else ("https",):
            begin = time.monotonic()
            target = self.service.root / f"bauamt-{via}"
            fetched = self.service.fetch_as_department(self.link, target, "--via", via)
            name = f"fetch by {via}: verify, open" if several_relays else \
                "fetch: transfer, verify, open"
            self.row(name, time.monotonic() - begin, self.watcher.peak)
            self.identical &= all(filecmp.cmp(file, target / file.name, shallow=False)
                                  for file in self.files)
        print(fetched.stdout)
        self.service.mail_to(world.SENDER, r"vollständig\s+abgerufen")

    def expire(self):
        """The relays are started again in a world that is 15 days later; their program is the
        same."""
        say("15 days later (libfaketime moves the relays' clocks past the expiry)")
        self.note_roles()
        service = self.service
        self.restart({"LD_PRELOAD": faketime_library(), "FAKETIME": "+15d",
                      "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        status = lambda: (service.data / "status").read_text()
        self.accept_clocks()
        world.wait_until(lambda: stored_bytes(service) == 0
                         and "purged_not_confirmed 0" in status()
                         and not any((service.data / "envelopes").iterdir()), what="the purge")
        late = service.fetch_as_department(self.link, service.root / "late", check=False)
        self.link_dead = late.returncode == 6
        print(f"   {late.stderr.strip()}")
        if len(service.members) > 1:
            self.show_copies()
        self.restart({})
        self.accept_clocks()

    def accept_clocks(self):
        """To the relays that is a clock that jumps, and they delete nothing: an administrator says
        that it is right."""
        for member in self.service.members:
            asked = lambda: self.service.run(self.service.relay_program, "status", "--config",
                                             member.config, check=False)
            world.wait_until(lambda: asked().returncode == 3, what="a relay that doubts its clock")
            print(f"   {member.name}: {asked().stderr.splitlines()[0]}")
            self.service.run(self.service.relay_program, "purge", "--config", member.config,
                             "--clock-ok")

    def restart(self, env):
        for member in self.service.members:
            member.stop()
        for member in self.service.members:
            member.start(env)

    def report(self):
        say("Mails that were sent, by exim4 (without mail.smtp_url a relay keeps them in a folder, in "
            "clear: that is for trials only)")
        for mail in self.service.mails():
            show_mail(mail)
        say("Result (MB = 10^6 bytes)")
        print(f"   {'phase':<36}{'MB':>9}{'s':>9}{'MB/s':>9}{'peak MB':>10}")
        print("\n".join(self.rows))
        for (relay, role), peak in self.roles_mb.items():
            print(f"   {relay + ', ' + role + ' process':<36}{'':>27}{peak:10.0f}")
        print(f"   purge at expiry: {self.stored / MB:.1f} MB of pieces before, "
              f"{stored_bytes(self.service) / MB:.1f} MB after; link dead: "
              f"{'yes' if self.link_dead else 'NO'}")
        small = 0 < max(*self.peaks, *self.roles_mb.values()) < MEMORY_MAX_MB
        print(f"   every process under 256 MiB: {'yes' if small else 'NO'}")
        print(f"\nidentical: {'yes' if self.identical else 'NO'}")
        return 0 if self.identical and self.link_dead and small else 1


def leave_up(service):
    env = service.env()
    say("The service stays up until you press Ctrl-C. Try, in another terminal:")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "PLANKURIER_SERVER"):
        print(f"   export {name}={env[name]}")
    client = f"{service.client} --ca {service.ca}"
    print(f"""   {client} departments
   {client} send FILE.pdf --to bauamt --name "Anna Muster" --email {world.SENDER} --message Hallo
       (the code is in the newest file of {service.mail_server.folder}/Maildir/new)
   {client} fetch LINK --key {service.key} --passphrase-file {service.passphrase}
   {service.relay_program} status --config {service.config}""")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        print()


def size_bytes(text):
    units = {"M": 1 << 20, "G": 1 << 30}
    if text[-1:] not in units or not text[:-1].isdigit():
        raise argparse.ArgumentTypeError("a size is a number with M or G, for example 4G")
    return int(text[:-1]) * units[text[-1]]


def main():
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE",
                        help="a .pdf, .jpg or .png; without any, real ones are made")
    parser.add_argument("--once", action="store_true", help="end when the job is done")
    parser.add_argument("--relays", type=int, choices=range(1, 6), default=1, metavar="N",
                        help="so many of them, which copy among themselves (1)")
    parser.add_argument("--size", type=size_bytes, default=1 << 30, help="of the made files (1G)")
    options = parser.parse_args()
    build = HERE.parent / "build"
    files = options.files
    if not files:
        say("Making building plans and photographs")
        files = real_files.make(build / "demo-files" / str(options.size), options.size)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pk-", dir="/var/tmp"))
    copies = options.relays if options.relays == 1 else options.relays + 1  # fetched twice, then
    need = (2 + copies) * sum(file.stat().st_size for file in files)
    if shutil.disk_usage(folder).free < need:
        folder.rmdir()
        sys.exit(f"the demo needs {need / MB:.0f} MB free in /var/tmp")
    relays = "relay" if options.relays == 1 else f"{options.relays} relays"
    say(f"Starting {relays}, nginx and exim4; publishing the directory with minisign")
    with several.SeveralRelays(build / "release", relays=options.relays, folder=folder, smtp=True,
                               transfer_gib_max=100) as service:
        demo = Demo(service, files)
        demo.send()
        demo.fetch()
        demo.expire()
        result = demo.report()
        if not options.once:
            leave_up(service)
    return result


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
