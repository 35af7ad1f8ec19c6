#!/usr/bin/env python3
"""Processes that are there and do nothing (SIGSTOP): others are used meanwhile, and nothing fails.

What the program did while one was stopped decides; the seconds are printed beside the same job with
nobody stopped.
"""
import argparse
import contextlib
import os
import pathlib
import signal
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import several
import slow_line
import world
from probes import Stopped

FILE_BYTES = 60_000_000  # four volumes, so that each relay is entered by one


def plan(path, size=FILE_BYTES):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


class Stuck:
    def __init__(self, service, checks):
        self.service, self.checks = service, checks
        self.file = plan(service.root / "plan.pdf")
        self.number = 0
        self.usual = {}

    def fetch(self, via, link):
        self.number += 1
        target = self.service.root / f"in-{self.number}"
        begun = time.monotonic()
        done = self.service.fetch_by(via, link, target, check=False)
        done.seconds = time.monotonic() - begun
        done.exact = (done.returncode == 0
                      and (target / self.file.name).read_bytes() == self.file.read_bytes())
        if not done.exact:
            print("   ", done.returncode, done.stderr[-600:])
        return done

    def took(self, job, seconds):
        usual = self.usual.setdefault(job, seconds)
        print(f"    {job}: {seconds:.1f} s, with nobody stopped {usual:.1f} s")

    def unhindered(self):
        links = self.service.links()
        done = self.service.send(self.file)
        self.took("send", done.seconds)
        self.link = self.service.new_link(links)
        self.tid = self.service.tid_of(done.receipt)
        self.service.wait_copies(self.tid, 4)
        for via in ("https", "swarm"):
            self.took(f"fetch by {via}", self.fetch(via, self.link).seconds)

    def send_past(self, what, pid, at_once=True, still=True):
        """Sends while a process is stopped, from the start or when the first bytes have come."""
        self.service.wait_live(len(self.service.members))
        before = {path for member in self.service.members for path in member.volume_files()}
        sending = self.service.start_send(self.file)
        with contextlib.ExitStack() as stack:
            stopped = stack.enter_context(Stopped(pid)) if at_once else None
            sending.give_code()
            if not at_once:
                world.wait_until(lambda: self.some_bytes(before), what="the first bytes")
                stopped = stack.enter_context(Stopped(pid))
            done = sending.end(check=False)
            good = done.returncode == 0 and (stopped.is_stopped() or not still)
            if not good:
                print("   ", done.returncode, done.stderr[-600:])
            self.took("send", done.seconds)
        self.checks.that(f"{what}: what is sent becomes available meanwhile", good)

    def some_bytes(self, before):
        return any(path not in before for member in self.service.members
                   for path in member.volume_files())

    def fetch_past(self, what, via, pid, still=True):
        self.service.wait_live(len(self.service.members))
        with Stopped(pid) as stopped:
            done = self.fetch(via, self.link)
            good = done.exact and (stopped.is_stopped() or not still)
            self.took(f"fetch by {via}", done.seconds)
        self.checks.that(f"{what}: a fetch by {via} has every byte meanwhile", good)


def relays(build, checks):
    with several.SeveralRelays(build, relays=3) as service:
        stuck = Stuck(service, checks)
        stuck.unhindered()
        for member in service.members:
            pid = member.role_pid("pieces")
            stuck.send_past(f"the piece plane of {member.name} is stopped", pid)
            stuck.fetch_past(f"the piece plane of {member.name} is stopped", "https", pid)
        pid = service.members[1].role_pid("pieces")
        stuck.send_past("a piece plane stops while pieces come", pid, at_once=False)
        stuck.fetch_past("a piece plane is stopped", "swarm", pid)
        for member in service.members[:2]:
            # Whoever does not obey for some seconds is ended by its relay and started anew.
            stuck.fetch_past(f"the swarm process of {member.name} is stopped", "swarm",
                             member.role_pid("swarm"), still=False)
            stuck.send_past(f"the swarm process of {member.name} is stopped",
                            member.role_pid("swarm"), still=False)
        control(service, checks, stuck)


def control(service, checks, stuck):
    pid = service.members[0].role_pid("control")
    with Stopped(pid):
        timer = threading.Timer(7, os.kill, (pid, signal.SIGCONT))
        timer.start()
        done = stuck.fetch("https", stuck.link)
        timer.join()
    checks.that("the control plane is stopped when a fetch begins: it waits, and has every byte",
                done.exact)


def control_while_sending(build, checks):
    """Pieces go on without it: the ticket is there."""
    with contextlib.ExitStack() as stack:
        made = lambda port: stack.enter_context(slow_line.SlowLine(port, 1_000_000))
        service = stack.enter_context(SlowWorld(build, line=made))
        sending = service.start_send(plan(service.root / "langsam.pdf", 12_000_000))
        sending.give_code()
        world.wait_until(service.received, what="the first pieces")
        with Stopped(service.role_pid("control")) as stopped:
            before = service.received()
            went_on = several.happens(lambda: service.received() >= before + 10)
            checks.that("the control plane is stopped while pieces are sent: they go on",
                        went_on and stopped.is_stopped())
        done = sending.end(check=False)
        checks.that("and what is sent becomes available when it is back", done.returncode == 0)


class SlowWorld(world.World):
    def received(self):
        """Pieces that are durable."""
        with contextlib.closing(sqlite3.connect(
                f"file:{self.data / 'pieces/index.db'}?mode=ro", uri=True)) as index:
            rows = index.execute("SELECT durable FROM volume").fetchall()
        return sum(int(durable, 16).bit_count() for durable, in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    options = parser.parse_args()
    checks = counting.Checks()
    relays(options.build, checks)
    control_while_sending(options.build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
