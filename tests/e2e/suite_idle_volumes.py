#!/usr/bin/env python3
"""Thousands of stored volumes cost little while nobody wants them, and each is there at once.

500, 2,000 or 10,000 volumes. Every one is a transfer of its own, made and finished by
the real calls. Times are printed, never checked.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import bittorrent as bt
import checks as counting
import form
import several
import wire as wires
import world

MEMORY_MAX_MB = 300 * (1 << 20) / 1e6
ROLES = ("pieces", "swarm")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def fill(service, count):
    """Transfers of one piece each."""
    member = service.members[0]
    session = wires.Wire(service).verified_session(world.SENDER)
    own = threading.local()  # each thread has its lines

    def make(_):
        if not hasattr(own, "wire"):
            own.wire = wires.Wire(service, direct=True)
        transfer = wires.RawTransfer(own.wire, 1, session)
        return transfer.send(member.url).finish([member.url])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(make, range(count)))


def first_byte(service, transfer, identity):
    """Asks for the volume, connects, reads the first byte of a block: as a recipient's client does
    it. Gives the seconds and whether that byte is right."""
    member = service.members[0]
    authority, certificate = transfer.certificate(identity.public_key_der())
    identity.certificate.write_text(certificate)
    info_hash = bt.volume_info_hash(transfer.descriptors[0], transfer.tid, wires.PIECE, authority)
    expected = member.volume_files(transfer.tid.hex())[0].read_bytes()[:1]
    get, _ = transfer.ticket(transfer.as_recipient)
    begun = time.monotonic()
    told = wires.good(transfer.wire.call(member.url, "POST", f"{transfer.path}/0/swarm", b"{}", get))
    port = int(told.decode().split(":")[1].strip("}"))
    block = bt.first_block(port, info_hash, identity)
    return time.monotonic() - begun, block[:1] == expected and len(block) == 16_384


def idle_cost(member, seconds=10):
    """(MB of each process, share of a core) while nobody asks for anything."""
    pids = {role: member.role_pid(role) for role in ROLES}
    before, begun = sum(map(cpu_s, pids.values())), time.monotonic()
    time.sleep(seconds)  # nothing is waited for: it is the time that is measured
    share = (sum(map(cpu_s, pids.values())) - before) / (time.monotonic() - begun)
    return {role: several.resident_mb(pid) for role, pid in pids.items()}, share


def has_synced(wire, member, transfer):
    get, _ = transfer.ticket(transfer.as_recipient)
    return wire.call(member.url, "GET", transfer.path, b"", get)[0] == 200


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    count = form.pick(500, 2_000, 10_000)
    # In memory: what is looked at is not the disk.
    folder = tempfile.mkdtemp(prefix="pk-", dir="/dev/shm")
    with several.SeveralRelays(build, relays=1, folder=folder) as service:
        member = service.members[0]
        begun = time.monotonic()
        transfers = fill(service, count)
        print(f"    {count} transfers made in {time.monotonic() - begun:.0f} s")
        checks.that(f"{count} volumes are stored", len(member.volume_files()) == count)
        service.stop("relay")
        begun = time.monotonic()
        member.start()  # what counts is a relay that has them, not one that has just taken them
        wire = wires.Wire(service)
        sample = random.sample(transfers, 20)
        for transfer in sample:
            transfer.wire = wire
        world.wait_until(lambda: has_synced(wire, member, sample[0]), what="the first sync")
        print(f"    {time.monotonic() - begun:.1f} s from the start to the first answer")
        memory, share = idle_cost(member)
        print("    idle:", ", ".join(f"{role} {mb:.0f} MB" for role, mb in memory.items())
              + f"; {share * 100:.1f} % of a core (goal 5)")
        checks.that("pieces and swarm process together stay under 300 MiB",
                    all(memory.values()) and sum(memory.values()) < MEMORY_MAX_MB)
        identity = bt.Identity(service.root, "guest")
        answers = [first_byte(service, transfer, identity) for transfer in sample]
        checks.that("any of them is served by swarm when it is asked for",
                    all(right for _, right in answers))
        seconds = [second for second, _ in answers]
        print(f"    first byte of a random one: median {statistics.median(seconds) * 1e3:.0f} ms, "
              f"most {max(seconds) * 1e3:.0f} ms (goal 200)")
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
