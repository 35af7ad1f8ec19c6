#!/usr/bin/env python3
"""Hundreds of small transfers, one after the other, while the relay's processes are killed: whatever a
sender was told to be available is there afterwards, byte for byte.

320 transfers; slow: 2,000. SEED=n repeats the moments of the kills.
"""
import argparse
import concurrent.futures
import http.client
import os
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import merkle
import wire as wires
import world

ROLES = ("control", "pieces")
SENDERS = 3


class Senders:
    """Each goes on until all together have enough. What fails on the way was not acknowledged, and
    is begun anew as a transfer of its own."""

    def __init__(self, service, wanted):
        self.service, self.wanted = service, wanted
        self.session = wires.Wire(service).verified_session(world.SENDER)
        self.acknowledged, self.failed = [], 0
        self.mutex = threading.Lock()  # of the two above

    def run(self):
        wire = wires.Wire(self.service, direct=True)
        url = self.service.pieces_url
        while self.missing():
            try:
                transfer = wires.RawTransfer(wire, 1, self.session).send(url).finish([url])
            except (AssertionError, OSError, http.client.HTTPException, ValueError):
                with self.mutex:
                    self.failed += 1
                time.sleep(0.05)  # the process is just being started again
                continue
            with self.mutex:
                self.acknowledged.append(transfer)

    def missing(self):
        with self.mutex:
            return max(0, self.wanted - len(self.acknowledged))


def kill_meanwhile(service, senders, chance):
    """SIGKILL for one role after the other, as long as somebody sends."""
    kills = 0
    while senders.missing():
        time.sleep(chance.uniform(0.1, 1.0))
        pid = service.role_pid(chance.choice(ROLES))
        if pid and senders.missing():
            os.kill(pid, signal.SIGKILL)
            kills += 1
            world.wait_until(lambda: world.has_ended(pid), what="the end of a killed role")
            before = len(senders.acknowledged)
            # A supervisor that waits longer after each end would make this a test of waiting.
            moved = lambda: len(senders.acknowledged) > before + 10 or not senders.missing()
            world.wait_until(moved, 120, what="senders that go on")
    return kills


def is_there(transfer):
    get, _ = transfer.ticket(transfer.as_recipient)
    status, content = transfer.read_piece(transfer.wire.service.pieces_url, get)
    return status == 200 and merkle.piece_root(content) in transfer.descriptors[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    print(f"SEED={seed}", flush=True)
    chance = random.Random(seed)
    with world.World(build) as service:
        senders = Senders(service, form.pick(320, 320, 2_000))
        with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
            running = [pool.submit(senders.run) for _ in range(SENDERS)]
            kills = kill_meanwhile(service, senders, chance)
            for one in running:
                one.result()
        print(f"    {kills} kills, {senders.failed} attempts failed")
        checks.that("processes were killed, and somebody felt it", kills >= 5 and senders.failed > 0)
        reading = wires.Wire(service, direct=True)
        for transfer in senders.acknowledged:
            transfer.wire = reading
        there = sum(is_there(transfer) for transfer in senders.acknowledged)
        checks.that(f"all of {len(senders.acknowledged)} acknowledged transfers are there, byte for "
                    f"byte ({there})", there == len(senders.acknowledged))
        # One that is missing would be seen: these checks can fail.
        transfer = senders.acknowledged[0]
        for file in world.files_in(service.data / "pieces", f"{transfer.tid.hex()}/*.vol"):
            with open(file, "r+b") as out:
                out.write(b"\0")
        checks.that("one with a byte changed on the disk is not taken for whole",
                    not is_there(transfer))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
