#!/usr/bin/env python3
"""Fetching as a peer of the relays: byte-identical, and through everything that is killed meanwhile.

4, 12 or 100 kills at random moments. SEED=n repeats the moments of a run.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import several
import wire as wires
import world

BAUAMT = f"bauamt@{world.STAFF_DOMAIN}"


def plan(path, size):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


def sent(service, file):
    """Sends a file; gives its link and transfer id."""
    links = service.links()
    done = service.send(file)
    return service.new_link(links), service.tid_of(done.receipt)


def same(file, folder):
    return (folder / file.name).read_bytes() == file.read_bytes()


def by_swarm_alone(done):
    return [event["via"] for event in done.events if event["event"] == "fetched"] == ["swarm"]


def from_one(build, checks):
    with several.SeveralRelays(build, relays=1) as service:
        file = plan(service.root / "plan.pdf", 40_000_000)
        link, _ = sent(service, file)
        done = service.fetch_by("swarm", link, service.root / "in")
        checks.that("from one relay by swarm: byte-identical, and nothing came by HTTPS",
                    same(file, service.root / "in") and by_swarm_alone(done))
        small = plan(service.root / "klein.pdf", 10)
        link, _ = sent(service, small)
        done = service.fetch_by("swarm", link, service.root / "in")
        checks.that("the smallest body has one piece and comes by swarm, too",
                    same(small, service.root / "in") and by_swarm_alone(done))


def from_three(service, checks, file, link):
    done = service.fetch_by("swarm", link, service.root / "three")
    checks.that("from three relays by swarm: byte-identical, and nothing came by HTTPS",
                same(file, service.root / "three") and by_swarm_alone(done))
    leftovers = [path for path in (service.root / "three").iterdir() if path.name != file.name]
    checks.that("nothing is left beside the file", not leftovers)


def swarm_process_killed(service, checks, file, link):
    """The swarm process of every relay dies; nobody else notices."""
    before = [(member.role_pid("pieces"), member.role_pid("control")) for member in service.members]
    killed = [member.kill_role("swarm") for member in service.members]
    wire = wires.Wire(service)
    status, told = wire.control("GET", "/v1/service", b"")
    checks.that("with all swarm processes dead the control plane answers",
                all(killed) and status == 200 and len(told["relays"]) == 3)
    answers = [wire.call(member.url, "GET", f"/v1/{'0' * 32}")[0] for member in service.members]
    checks.that("and every piece plane does", answers == [401] * 3)
    for member in service.members:
        member.wait_up()
    after = [(member.role_pid("pieces"), member.role_pid("control")) for member in service.members]
    new = [member.role_pid("swarm") for member in service.members]
    checks.that("the supervisor starts them again, and only them",
                before == after and all(new) and not set(new) & set(killed))
    done = service.fetch_by("swarm", link, service.root / "after")
    checks.that("then everything comes by swarm again",
                same(file, service.root / "after") and by_swarm_alone(done))


def without_swarm(service, checks, file, link):
    with several.SwarmsKeptDown(service.members):
        done = service.fetch_by("https", link, service.root / "https")
        checks.that("--via https works while no swarm process lives",
                    done.returncode == 0 and same(file, service.root / "https"))
        done = service.fetch_by("swarm", link, service.root / "fallback")
        checks.that("--via swarm then takes HTTPS for what the swarm does not bring",
                    done.returncode == 0 and same(file, service.root / "fallback"))
    # It waits for its second copy, which no relay can make now.
    with several.SwarmsKeptDown(service.members):
        sending = service.start_send(plan(service.root / "ohne-schwarm.pdf", 1_000_000))
        sending.give_code()
        tid = world.wait_until(lambda: uploaded(service), what="the upload")
        time.sleep(2)  # there is nothing to wait for: nothing may happen
        waits = sending.process.poll() is None
    done = sending.end(check=False)
    checks.that("what is sent meanwhile waits for its second copy", waits)
    checks.that("and has all of them once the swarm processes live again",
                done.returncode == 0 and several.happens(lambda: service.copied(tid, 1)))


def uploaded(service):
    """The id of a transfer that lies at one relay only."""
    holders = {}
    for member in service.members:
        for file in member.volume_files():
            tid = file.parent.name
            if member.described(tid):
                holders.setdefault(tid, []).append(member)
    return next((tid for tid, members in holders.items() if len(members) == 1), None)


class Strike:
    """SIGKILL for the recipient, a relay or a swarm process, after some seconds."""

    def __init__(self, service, who, seconds):
        self.service, self.who, self.seconds = service, who, seconds
        self.member = service.members[int(who[-1])] if who[-1].isdigit() else None

    def start(self, client):
        self.thread = threading.Thread(target=self._run, args=(client,))
        self.thread.start()

    def _run(self, client):
        time.sleep(self.seconds)  # the moment is what the seed chose
        if self.member is None:
            if client.poll() is None:
                client.send_signal(signal.SIGKILL)
        elif self.who.startswith("swarm"):
            self.member.kill_role("swarm")
        else:
            self.member.kill()
            self.member.start()

    def wait(self):
        self.thread.join()


def told(stdout):
    """Its event that everything is there, which a client may still tell before it is killed."""
    events = [json.loads(line) for line in stdout.splitlines() if line.endswith("}")]
    return next((event for event in events if event["event"] == "fetched"), None)


def fetch_through(service, link, file, target, strike):
    """As a patient person would: the same command again until it is there. Gives the exit codes."""
    link_file = service.root / "link"
    link_file.write_text(link + "\n")
    command = [service.client, "fetch", "--via", "swarm", "--link-file", link_file, "-o", target,
               "--key", service.key, "--passphrase-file", service.passphrase, "--ca", service.ca,
               "--no-progress", "--json"]
    codes = []
    for attempt in range(5):
        client = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, env=service.env())
        if attempt == 0:
            strike.start(client)
        stdout, stderr = client.communicate(timeout=600)
        codes.append(client.returncode)
        visible = target / file.name
        if visible.exists() and visible.read_bytes() != file.read_bytes():
            print("    a file with wrong bytes was visible")
            break
        fetched = told(stdout)
        if fetched:
            strike.wait()
            there = sorted(path.name for path in target.iterdir())
            if there != [file.name]:
                print(f"    in the folder: {there}")
            return codes, there == [file.name], fetched["via"]
    print(f"    fetch ended with {codes}: {stderr[-300:]}")
    strike.wait()
    return codes, False, None


def at_random(service, checks, file, link):
    begun = time.monotonic()
    service.fetch_by("swarm", link, service.root / "timed")
    fetch_s = time.monotonic() - begun
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    # Each victim in turn, so that a short run has them all; killing relay 0 takes the control plane.
    victims = ("client", "swarm 0", "relay 1", "swarm 1", "relay 2", "relay 0")
    rounds = form.pick(4, 12, 100)
    bad, ways = 0, []
    for number in range(rounds):
        strike = Strike(service, victims[number % len(victims)], chance.uniform(0, fetch_s))
        codes, good, via = fetch_through(service, link, file, service.root / f"round-{number}",
                                         strike)
        ways.append(via)
        if not good:
            bad += 1
            print(f"    seed {seed}, round {number}: {strike.who} after {strike.seconds:.3f} s, "
                  f"{codes}")
    checks.that(f"{rounds} kills at random moments (seed {seed}) lose nothing", bad == 0)
    print("    came by:", {way: ways.count(way) for way in set(ways)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    if form.FIRST:
        from_one(build, checks)
    with several.SeveralRelays(build) as service:
        file = plan(service.root / "plan.pdf", 60_000_000)  # four volumes
        link, tid = sent(service, file)
        service.wait_copies(tid, 4)
        if form.FIRST:
            from_three(service, checks, file, link)
            swarm_process_killed(service, checks, file, link)
            without_swarm(service, checks, file, link)
        at_random(service, checks, file, link)
        logs = "".join((service.root / f"{member.name}.log").read_text(errors="replace")
                       for member in service.members)
        checks.that("no sanitizer had anything to say about the relays",
                    "Sanitizer" not in logs and "runtime error" not in logs)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
