#!/usr/bin/env python3
"""kill -9 at every fault point and at random moments, and power cuts: nothing acknowledged is lost.

Each fault point once; short, thorough, slow form: 5, 20, 200 random kills, 1, 2, 20 power cuts;
slow: a slow line.
SEED=n repeats the random moments of a run.
"""
import argparse
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import loop_disk
import slow_line
import world

DAY = 86_400
SOURCE = pathlib.Path(__file__).resolve().parents[2]
ROLES = ("control", "pieces")


def plan(path, size=40_000_000):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


class Job:
    """One transfer from start to end through whatever is killed on the way."""

    def __init__(self, service, file, number):
        self.service, self.file = service, file
        self.target = service.root / f"in-{number}"
        service.code_mails()
        self.codes_before = list(service.codes_seen)
        self.links = service.links()
        self.runs = []

    def send(self, env=None, killer=None):
        """Runs the client until the transfer is available, as a patient person would."""
        sending = self.service.start_send(self.file, env=env)
        if killer:
            killer.start(sending.process)
        done = sending.end(check=False)
        self.runs.append(done.returncode)
        for _ in range(6):
            if done.returncode == 0:
                return True
            done = self._resume()
            self.runs.append(done.returncode)
        print(f"    send ended with {self.runs}: {done.stderr[-300:]}")
        return False

    def _resume(self):
        state = self.service.home / "state/plankurier/send"
        if not any(state.glob("*/state.json")):  # killed before there was anything to continue
            return self.service.start_send(self.file).end(check=False)
        begun = time.monotonic()
        before = self.service.code_mails()
        sending = world.Sending(self.service, ["--resume"], codes_before=before)
        old = [code for code in self.service.codes_seen if code not in self.codes_before]
        def answer():
            """A new code if one comes, else the one of the old mail."""
            if sending.process.poll() is not None:
                return "ended"
            new = [code for key, code in self.service.code_mails().items() if key not in before]
            if new:
                return new[-1]
            return old[-1] if old and time.monotonic() > begun + 3 else None
        code = world.wait_until(answer, what="code")
        sending.code_given = time.monotonic()
        if code != "ended":
            sending.code_file.write_text(code + "\n")
        return sending.end(check=False)

    def fetch(self, env=None, killer=None):
        link = world.wait_until(
            lambda: [one for key, one in self.service.links().items() if key not in self.links],
            what="notice")[0]
        link_file = self.service.root / "link"
        link_file.write_text(link + "\n")
        command = [self.service.client, "fetch", "--link-file", link_file, "-o", self.target, "--key",
                   self.service.key, "--passphrase-file", self.service.passphrase, "--ca",
                   self.service.ca, "--no-progress", "--json"]
        for attempt in range(6):
            process = subprocess.Popen(
                [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, env=self.service.env(**((env or {}) if attempt == 0 else {})))
            if killer and attempt == 0:
                killer.start(process)
            stdout, stderr = process.communicate(timeout=600)
            self.runs.append(process.returncode)
            visible = self.target / self.file.name
            if visible.exists() and visible.read_bytes() != self.file.read_bytes():
                print("    a file with wrong bytes was visible")
                return False
            if '"event":"fetched"' in stdout:  # a client may be killed after it
                break
        whole = (self.target / self.file.name).exists()
        only = [path.name for path in self.target.iterdir()] == [self.file.name]
        if not (whole and only):
            print(f"    fetch ended with {self.runs}: {stderr[-300:]}",
                  list(self.target.iterdir()))
        return whole and only


class Killer:
    """SIGKILL for the client or a role of the relay after some seconds."""

    def __init__(self, service, who, seconds):
        self.service, self.who, self.seconds = service, who, seconds

    def start(self, client):
        def strike():
            pid = client.pid if self.who == "client" else self.service.role_pid(self.who)
            if pid and (self.who != "client" or client.poll() is None):
                os.kill(pid, signal.SIGKILL)
        timer = threading.Timer(self.seconds, strike)
        timer.daemon = True
        timer.start()


def purge(service):
    """Moves the clock past every expiry and back, and waits until all is gone."""
    service.clock.write_text(str(15 * DAY))
    gone = lambda: (not any((service.data / "envelopes").iterdir())
                    and not world.files_in(service.data / "pieces", "*/*.vol")
                    and not list((service.data / "mail").glob("*.eml"))
                    and "purged_not_confirmed 0" in (service.data / "status").read_text())
    try:
        world.wait_until(gone, what="purge")
        return True
    except AssertionError:
        return False
    finally:
        service.clock.write_text("0")
        service.stop("relay")
        service.start_relay()


def points_in_source():
    """All but those of a copy between relays: one relay has none. tests/relay/pieces_copy_crash_test.cpp
    kills at each of them. And without those of disks that have no rename that does not replace:
    suite_files.py kills there."""
    found = {}
    for folder in ("engine", "relay", "clients"):
        for file in (SOURCE / folder).rglob("*.cpp"):
            for name in re.findall(r'PK_FAULT\("([^"]+)"\)', file.read_text()):
                if not name.startswith("copy.") and name not in ("file.linked", "file.name_taken"):
                    found[name] = folder
    return found


def dry_run(service, checks, file):
    """Everything once without a kill: which points does it pass, and in which program?"""
    logs = {who: service.root / f"points-{who}" for who in ("client-send", "client-fetch", "relay")}
    service.stop("relay")
    service.start_relay({"PLANKURIER_FAULT_LOG": str(logs["relay"])})
    job = Job(service, file, "dry")
    begun = time.monotonic()
    good = job.send({"PLANKURIER_FAULT_LOG": str(logs["client-send"])})
    sent = time.monotonic()
    good = good and job.fetch({"PLANKURIER_FAULT_LOG": str(logs["client-fetch"])})
    fetched = time.monotonic()
    checks.that("without a kill everything works", good and purge(service))
    passed = {who: sorted(set(log.read_text().split())) for who, log in logs.items()}
    missing = set(points_in_source()) - {name for names in passed.values() for name in names}
    checks.that("the main job passes every fault point of the source", not missing)
    if missing:
        print("   ", sorted(missing))
    return passed, sent - begun, fetched - sent


def at_every_point(service, checks, file, passed):
    token = service.root / "fault-token"
    for who, names in passed.items():
        for name in names:
            token.write_text("")
            fault = {"PLANKURIER_FAULT": f"{name}=kill@1", "PLANKURIER_FAULT_ONCE": str(token)}
            job = Job(service, file, f"{who}-{name}")
            if who == "relay":
                service.stop("relay")
                service.start_relay(fault)
            good = job.send(fault if who == "client-send" else None)
            good = good and job.fetch(fault if who == "client-fetch" else None)
            if who == "relay":
                good = purge(service) and good
            checks.that(f"killed at {name} in {who}: nothing is lost", good and not token.exists())
    purge(service)


def at_random(service, checks, file, send_s, fetch_s):
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    rounds = form.pick(5, 20, 200)
    bad = 0
    for number in range(rounds):
        who = chance.choice(("client", *ROLES))
        while_sending = chance.random() < 0.6
        seconds = chance.uniform(0, send_s if while_sending else fetch_s)
        killer = Killer(service, who, seconds)
        job = Job(service, file, f"random-{number}")
        good = job.send(killer=killer if while_sending else None)
        good = good and job.fetch(killer=None if while_sending else killer)
        if not good:
            bad += 1
            print(f"    seed {seed}, round {number}: {who} after {seconds:.3f} s, {job.runs}")
        if number % 10 == 9:
            purge(service)
    checks.that(f"{rounds} kills at random moments (seed {seed}) lose nothing", bad == 0)


def survives_cut(service, file, number, env=None):
    """Sends, cuts the power the moment the receipt is there, and fetches after the restart."""
    service.stop("relay")
    service.start_relay(env)
    job = Job(service, file, f"cut-{number}")
    if not job.send():
        return False
    link = world.wait_until(
        lambda: [one for key, one in service.links().items() if key not in job.links],
        what="notice")[0]
    service.disk.cut_power()
    service.kill_relay()
    service.disk.unmount()
    service.disk.mount()
    try:
        service.start_relay()
        fetched = service.fetch_as_department(link, job.target, check=False)
    except AssertionError:
        return False
    return (fetched.returncode == 0
            and (job.target / file.name).read_bytes() == file.read_bytes())


def power_cuts(build, checks):
    if not loop_disk.is_possible():
        checks.skip("power cuts", "mounting a disk needs root")
        return
    rounds = form.pick(1, 2, 20)
    with world.World(build, disk_mib=400) as service:
        file = plan(service.root / "plan.pdf", 8_000_000)
        good = sum(survives_cut(service, file, number) for number in range(rounds))
        checks.that(f"{rounds} power cuts right after the receipt lose nothing", good == rounds)
        library = next(pathlib.Path("/usr/lib").glob("*/libeatmydata.so"), None)
        lost = library and not survives_cut(service, file, "control",
                                            {"LD_PRELOAD": str(library)})
        checks.that("the same cut is noticed when fsync does nothing (negative control)", lost)


def over_a_slow_line(build, checks):
    """One piece takes 40 s, longer than a silent line may live."""
    with world.World(build, line=lambda port: slow_line.SlowLine(port, 7_000)) as service, \
            service.line:
        job = Job(service, plan(service.root / "plan.pdf", 200_000), "slow")
        good = job.send() and job.fetch()
        checks.that("a line of 7 kB/s sends a piece without being taken for dead",
                    good and job.runs == [0, 0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with world.World(build) as service:
        file = plan(service.root / "plan.pdf")
        passed, send_s, fetch_s = dry_run(service, checks, file)
        if form.FIRST:
            at_every_point(service, checks, file, passed)
        at_random(service, checks, file, send_s, fetch_s)
    power_cuts(build, checks)
    if form.SLOW:
        over_a_slow_line(build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
