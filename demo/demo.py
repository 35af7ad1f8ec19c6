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
    return sum(file.stat().st_size for file in (service.data / "pieces").glob("*/*")
               if file.is_file())


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
        self.roles_mb = {"control": 0.0, "pieces": 0.0}

    def row(self, phase, seconds, peak):
        rate = f"{self.bytes / MB / seconds:9.0f}" if seconds else " " * 9
        self.peaks.append(peak)
        self.rows.append(f"   {phase:<36}{self.bytes / MB:9.1f}{seconds:9.2f}{rate}{peak:10.0f}")

    def note_roles(self):
        for role in self.roles_mb:
            pid = self.service.role_pid(role)
            self.roles_mb[role] = max(self.roles_mb[role], peak_mb(pid))

    def send(self):
        say(f"Frau Muster sends {len(self.files)} files, {self.bytes / MB:.0f} MB, to the Bauamt")
        sent = self.service.send(*self.files)
        self.receipt = sent.receipt
        self.row("send: seal, transfer, stored safely", sent.seconds, self.watcher.peak)
        print(sent.stdout)
        self.link = self.service.notice_link(BAUAMT)
        self.stored = stored_bytes(self.service)

    def fetch(self):
        say("The Bauamt opens the link from its mail with the department's key")
        begin = time.monotonic()
        target = self.service.root / "bauamt"
        fetched = self.service.fetch_as_department(self.link, target)
        self.row("fetch: transfer, verify, open", time.monotonic() - begin, self.watcher.peak)
        print(fetched.stdout)
        self.identical = all(filecmp.cmp(file, target / file.name, shallow=False)
                             for file in self.files)
        self.service.mail_to(world.SENDER, r"vollständig\s+abgerufen")

    def expire(self):
        """The relay is started again in a world that is 15 days later; its program is the same."""
        say("15 days later (libfaketime moves the relay's clock past the expiry)")
        self.note_roles()
        service = self.service
        service.stop("relay")
        service.start_relay({"LD_PRELOAD": faketime_library(), "FAKETIME": "+15d",
                             "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        status = lambda: (service.data / "status").read_text()
        world.wait_until(lambda: stored_bytes(service) == 0
                         and "purged_not_confirmed 0" in status()
                         and not any((service.data / "envelopes").iterdir()), what="the purge")
        late = service.fetch_as_department(self.link, service.root / "late", check=False)
        self.link_dead = late.returncode == 6
        print(f"   {late.stderr.strip()}")
        service.stop("relay")
        service.start_relay()

    def report(self):
        say("Mails that were sent")
        for mail in self.service.mails():
            show_mail(mail)
        say("Result (MB = 10^6 bytes)")
        print(f"   {'phase':<36}{'MB':>9}{'s':>9}{'MB/s':>9}{'peak MB':>10}")
        print("\n".join(self.rows))
        for role, peak in self.roles_mb.items():
            print(f"   {'relay, ' + role + ' process':<36}{'':>27}{peak:10.0f}")
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
    parser.add_argument("--size", type=size_bytes, default=1 << 30, help="of the made files (1G)")
    options = parser.parse_args()
    build = HERE.parent / "build"
    files = options.files
    if not files:
        say("Making building plans and photographs")
        files = real_files.make(build / "demo-files" / str(options.size), options.size)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pk-", dir="/var/tmp"))
    need = 3 * sum(file.stat().st_size for file in files)
    if shutil.disk_usage(folder).free < need:
        folder.rmdir()
        sys.exit(f"the demo needs {need / MB:.0f} MB free in /var/tmp")
    say("Starting relay, nginx and exim4; publishing the directory with minisign")
    with world.World(build / "release", folder=folder, smtp=True, transfer_gib_max=100) as service:
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
