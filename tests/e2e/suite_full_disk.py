#!/usr/bin/env python3
"""A full disk: no bytes or no inodes are left on one of the relay's disks, each in turn. Reading,
revoking, expiring and purging go on, nothing new begins, and all goes on by itself with room again.

Every folder is a real file system, filled up for real. Needs root, since mounting does.
"""
import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import loop_disk
import people
import slow_line
import wire as wires
import world

DAY = 86_400
FOLDERS = ("data", "database", "vault", "mail", "pieces")
KINDS = ("bytes", "inodes")
EVERYTHING = [(folder, kind) for folder in FOLDERS for kind in KINDS]
BYTES = [(folder, "bytes") for folder in FOLDERS]
IDLE_SHORT = [*BYTES, ("data", "inodes"), ("pieces", "inodes")]
UNDER_WAY_SHORT = [("pieces", "bytes"), ("database", "bytes"), ("data", "bytes"), ("pieces", "inodes")]
but = lambda short: [one for one in EVERYTHING if one not in short]
IDLE = form.pick(IDLE_SHORT, but(IDLE_SHORT), EVERYTHING)
UNDER_WAY = form.pick(UNDER_WAY_SHORT, but(UNDER_WAY_SHORT), EVERYTHING * 3)
UPLOAD_BYTES = 24_000_000


class Service(world.World):
    """Each folder is a disk of its own, small enough to be filled in a moment."""

    def __init__(self, build, slow=None, reserve_mib=64):
        line = (lambda port: slow_line.SlowLine(port, slow)) if slow else None
        super().__init__(build, line=line, disk_mib=32)
        self.reserve_mib = reserve_mib
        self.disks, self.seconds = {}, 0
        self.folders = {"data": self.data, "mail": self.data / "mail",
                        "pieces": self.data / "pieces", "database": self.root / "database",
                        "vault": self.root / "vault"}

    def _relay_folder(self):
        super()._relay_folder()
        self.disks = {name: loop_disk.LoopDisk(self.root / f"{name}.img", folder,
                                               160 if name == "pieces" else 32, inodes=1_024)
                      for name, folder in self.folders.items() if name != "data"}
        self.config.write_text(f'database_dir = "{self.folders["database"]}"\n'
                               f'vault_dir = "{self.folders["vault"]}"\n'
                               f"reserve_mib = {self.reserve_mib}\n" + self.config.read_text())

    def __exit__(self, *error):
        for name in list(self.processes):
            self.stop(name)
        for disk in self.disks.values():
            disk.unmount()
        super().__exit__(*error)

    def status(self):
        return dict(line.split() for line in (self.data / "status").read_text().splitlines())

    def pass_days(self, days):
        self.seconds += days * DAY
        self.clock.write_text(str(self.seconds))

    def reserve_of(self, folder):
        return self.folders[folder] / "reserve" / "space"

    def fill(self, folder, kind):
        """Returns when not one byte, or not one inode, is left beside the reserve."""
        while True:
            world.wait_until(lambda: self.reserve_mib == 0 or not self.is_short(folder),
                             what="the reserve")
            self._fill(folder, kind)
            if self.reserve_mib == 0 or not self.is_short(folder):
                return
            self.empty(folder)  # it was given up meanwhile, and the balloon has taken it

    def _fill(self, folder, kind):
        balloon = self.folders[folder] / "balloon"
        balloon.mkdir(exist_ok=True)
        if kind == "inodes":
            for number in range(1_000_000):
                try:
                    (balloon / str(number)).touch()
                except OSError:
                    break
            return
        with open(balloon / "bytes", "wb", buffering=0) as out:
            at = 0
            for step in (1 << 20, 1 << 14, 1 << 12):
                try:
                    while True:
                        os.posix_fallocate(out.fileno(), at, step)
                        at += step
                except OSError:
                    pass

    def empty(self, folder):
        balloon = self.folders[folder] / "balloon"
        for file in balloon.iterdir():
            file.unlink()
        balloon.rmdir()

    def is_short(self, folder):
        return not self.reserve_of(folder).exists()

    def sent(self, name, *more, size=40_000, to_days=14):
        """(link, file, receipt) of a transfer that was acknowledged."""
        file = people.plan(self.root / f"{name}.pdf", size)
        before = self.links()
        done = self.send(file, more=["--expires", f"{to_days}d", *more])
        link = world.wait_until(lambda: [link for key, link in self.links().items()
                                         if key not in before], what="a notice")[0]
        return link, file, pathlib.Path(done.receipt)

    def arrives(self, link, file):
        target = self.root / f"in-{time.monotonic_ns()}"
        done = self.fetch_as_department(link, target, check=False)
        return (done.returncode == 0 and people.same(file, target / file.name)) or print(
            done.stdout, done.stderr)

    def revoke(self, receipt):
        begun = time.monotonic()
        done = self.plankurier("revoke", receipt, check=False)
        return (done.returncode == 0 and time.monotonic() - begun < 60) or print(
            done.returncode, done.stderr)

    def purged(self, left):
        """Nothing but so many transfers is left, anywhere, and the relay has signed for it."""
        def look():
            status = self.status()
            return (int(status["available"]) == left and status["purged_not_confirmed"] == "0"
                    and len(list((self.data / "envelopes").glob("*.env"))) == left)
        try:
            return world.wait_until(look, 60, "the purge")
        except AssertionError:
            return print(self.status(), list((self.data / "envelopes").glob("*")))

    def refused_at_once(self, folder):
        """A new send: by the wire, and by the client in words."""
        wire = wires.Wire(self)
        status, _, content = wire.ask(
            self.server, "POST", "/v1/verifications",
            json.dumps({"email": "max.andere@buerger.example", "language": "de"}).encode(),
            {"Content-Type": "application/json"})
        coded = folder == "pieces" or (status == 507
                                       and json.loads(content)["code"] == "no_space")
        begun = time.monotonic()
        file = people.plan(self.root / f"neu-{time.monotonic_ns()}.pdf", 40_000)
        done = self.send(file, check=False)
        return (coded and done.returncode == 3 and "keinen Platz" in done.stderr
                and time.monotonic() - begun < 60) or print(status, content, done.returncode,
                                                            done.stderr)


def make_room(service, folder):
    """Until every process knows that there is room again."""
    service.empty(folder)
    world.wait_until(lambda: not service.is_short(folder), what="the reserve to be taken back")
    world.wait_until(lambda: int(service.status()["space_free_bytes"]) > UPLOAD_BYTES and
                     service.status()["reserves_given_up"] == "0", what="news of room")


def idle(service, checks, folder, kind):
    """Filled while nothing goes on; then everything that must work, and a start."""
    name = f"no {kind} free for {folder}"
    revoked, expiring, kept = (service.sent(f"{folder}-{kind}-{part}", to_days=days)
                               for part, days in (("a", 30), ("b", 1), ("c", 30)))
    service.fill(folder, kind)
    checks.that(f"{name}: fetched", service.arrives(kept[0], kept[1]))
    checks.that(f"{name}: revoked", service.revoke(revoked[2]))
    world.wait_until(lambda: service.is_short(folder), what="the reserve to be given up")
    if folder == "pieces":
        world.wait_until(lambda: service.status()["space_free_bytes"] == "0",
                         what="news of the relay")
    checks.that(f"{name}: a new transfer is refused at once, in its own words",
                service.refused_at_once(folder))
    service.kill_relay()
    service.start_relay()
    checks.that(f"{name}: serve starts, and fetching goes on", service.arrives(kept[0], kept[1]))
    service.pass_days(2)
    checks.that(f"{name}: expired, purged and confirmed", service.purged(1))
    make_room(service, folder)
    again = service.sent(f"{folder}-{kind}-d", to_days=30)
    checks.that(f"{name}: with room again a new transfer goes through",
                service.arrives(again[0], again[1]))
    checks.that(f"{name}: what was kept is still there", service.arrives(kept[0], kept[1]))
    service.run(service.relay_program, "purge", "--config", service.config, "--now")
    checks.that(f"{name}: purge --now leaves nothing", service.purged(0))


def purge_at_work(service, checks, folder, kind):
    for number in range(4):
        service.sent(f"{folder}-{kind}-p{number}", to_days=30)
    service.fill(folder, kind)
    done = service.run(service.relay_program, "purge", "--config", service.config, "--now",
                       check=False)
    time.sleep(0.2)
    service.kill_relay()
    service.start_relay()
    checks.that(f"no {kind} free for {folder}: a purge that was cut short ends after the start",
                done.returncode == 0 and service.purged(0))
    make_room(service, folder)


def under_way(service, checks, folder, kind):
    """The disk fills in the middle of an upload, and has room again some seconds later."""
    name = f"no {kind} free for {folder} in the middle of an upload"
    file = people.plan(service.root / f"{folder}-{kind}.pdf", UPLOAD_BYTES)
    before = service.links()
    sending = service.start_send(file, more=["--expires", "30d"])
    sending.give_code()
    world.wait_until(lambda: world.files_in(service.data / "pieces", "*/*.vol"),
                     what="the first volume")
    service.fill(folder, kind)
    world.wait_until(lambda: service.is_short(folder), what="the reserve to be given up")
    time.sleep(3)
    service.empty(folder)
    done = sending.end(check=False)
    checks.that(f"{name}: it ends by itself",
                done.returncode == 0 or print(done.returncode, done.stderr))
    if done.returncode != 0:
        return
    link = world.wait_until(lambda: [link for key, link in service.links().items()
                                     if key not in before], what="a notice")[0]
    checks.that(f"{name}: and it arrives whole", service.arrives(link, file))
    service.fill(folder, kind)
    checks.that(f"{name}: fetched while it is full again", service.arrives(link, file))
    service.run(service.relay_program, "purge", "--config", service.config, "--now")
    checks.that(f"{name}: purged while it is full again", service.purged(0))
    make_room(service, folder)


def without_reserve(build, checks):
    """What these checks find when there is no reserve."""
    with Service(build, reserve_mib=0) as service:
        _, _, receipt = service.sent("ohne")
        service.fill("database", "bytes")
        done = service.plankurier("revoke", receipt, "--retries", "0", check=False)
        checks.that("without a reserve revoking fails: these checks can fail",
                    done.returncode != 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--folder", choices=FOLDERS, action="append")
    arguments = parser.parse_args()
    checks = counting.Checks()
    if not loop_disk.is_possible():
        checks.skip("full disks", "mounting a disk needs root")
        return 0
    wanted = lambda pairs: [(folder, kind) for folder, kind in pairs
                            if folder in (arguments.folder or FOLDERS)]
    with Service(arguments.build) as service:
        for folder, kind in wanted(IDLE):
            idle(service, checks, folder, kind)
        for folder, kind in wanted(BYTES) if form.FIRST else ():
            purge_at_work(service, checks, folder, kind)
    with Service(arguments.build, slow=1_500_000) as service, service.line:
        for folder, kind in wanted(UNDER_WAY):
            under_way(service, checks, folder, kind)
    if form.FIRST:
        without_reserve(arguments.build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
