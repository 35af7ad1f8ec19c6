#!/usr/bin/env python3
"""After expiry no relay holds a byte of a transfer, also one that was away meanwhile."""
import argparse
import contextlib
import os
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import several
import wire as wires

DAY = 86_400
SAMPLE = 64


class Traces:
    """What is to be found of a transfer at a relay: bytes of its pieces, roots, tokens."""

    def __init__(self, service, transfer):
        self.tid = transfer.tid.hex()
        self.patterns = {}
        for file in service.members[0].volume_files(self.tid):
            content = file.read_bytes()
            step = max(SAMPLE, len(content) // 40)
            for at in range(0, len(content) - SAMPLE, step):
                self.patterns[f"piece bytes {file.name}:{at}"] = [content[at:at + SAMPLE]]
        for volume, descriptor in transfer.descriptors.items():
            for name, at in (("root", 12), ("first piece root", 46), ("mac", len(descriptor) - 32)):
                raw = descriptor[at:at + 32]
                self.patterns[f"{name} of volume {volume}"] = [
                    raw, raw.hex().encode(), wires.b64url(raw).encode()[2:-2]]

    def found(self, member):
        """Names of what stands in any byte of any file of its data folder."""
        hits = set()
        # Files may go while we look, which os.walk and the open below take for what it is.
        for folder, _, names in os.walk(member.data):
            for file in (pathlib.Path(folder) / name for name in names):
                with contextlib.suppress(FileNotFoundError):
                    content = file.read_bytes() if file.is_file() else b""
                    hits |= {name for name, ways in self.patterns.items()
                             if any(way in content for way in ways)}
        return hits

    def folder_is_there(self, member):
        return (member.data / "pieces" / self.tid).exists()

    def tables(self, member):
        """The tables of its index that name the transfer."""
        index = f"file:{member.data / 'pieces/index.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(index, uri=True)) as db:
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master "
                                                  "WHERE type = 'table'")]
            return {name for name in names
                    if any(self.tid in map(str, row) for row in db.execute(f"SELECT * FROM {name}"))}

    def is_clean(self, member):
        """Only the tombstone is left."""
        return (not self.found(member) and not self.folder_is_there(member)
                and self.tables(member) <= {"purged"})


def statuses(wire, member, transfer, ticket):
    """(status, bytes) of everything that can be read, and of the way into the swarm."""
    path = transfer.path
    return [wire.call(member.url, method, part, body, ticket)
            for method, part, body in (("GET", f"{path}/0/0", b""), ("GET", f"{path}/0", b""),
                                       ("GET", path, b""), ("POST", f"{path}/0/swarm", b"{}"))]


def contains_any(answers, traces):
    everything = b"".join(content for _, content in answers)
    return any(way in everything for ways in traces.patterns.values() for way in ways)


def transfer_at_all(service, wire, pieces):
    transfer = wires.RawTransfer(wire, pieces)
    transfer.send(service.members[0].url).finish([member.url for member in service.members])
    return transfer


def expiry(service, checks):
    wire = wires.Wire(service)
    transfer = transfer_at_all(service, wire, 66)  # two volumes
    traces = Traces(service, transfer)
    all_names = set(traces.patterns)
    checks.that("before expiry every relay holds every byte and root looked for (positive control)",
                len(all_names) > 80
                and all(traces.found(member) == all_names for member in service.members))
    checks.that("and its index names the transfer",
                all({"transfer", "volume"} <= traces.tables(member) for member in service.members))
    get, relays = transfer.ticket(transfer.as_recipient)
    checks.that("all three are offered to the recipient", len(relays) == 3)
    away = service.members[2]
    answers = statuses(wire, away, transfer, get)
    checks.that("the third serves it to who has a ticket (positive control)",
                [status for status, _ in answers] == [200] * 4 and contains_any(answers, traces))
    away.stop()
    service.clock.write_text(str(15 * DAY))
    present = service.members[:2]
    checks.that("after expiry the relays that are there are clean",
                several.happens(lambda: all(traces.is_clean(member) for member in present)))
    checks.that("the control plane knows that one has not confirmed",
                several.happens(lambda: service.status()["purged_not_confirmed"] == 1))
    checks.that("the one that is away still has everything",
                traces.found(away) == all_names)
    returning(service, checks, wire, (transfer, traces, get))


def returning(service, checks, wire, case):
    """Its own clock still stands before the expiry, and the control plane does not answer."""
    transfer, traces, get = case
    away = service.members[2]
    service.stop("nginx")
    own_clock = service.root / "own-clock"
    own_clock.write_text("0")
    away.start(env={"PLANKURIER_CLOCK_OFFSET_FILE": str(own_clock)})
    answers = statuses(wire, away, transfer, get)
    checks.that("back before its first sync it refuses a ticket that is still valid: 503",
                [status for status, _ in answers] == [503] * 4)
    checks.that("and gives 0 bytes of the transfer", not contains_any(answers, traces)
                and traces.found(away))
    own_clock.write_text(str(15 * DAY))
    service.start_nginx()
    checks.that("after its first sync it deletes what expired meanwhile",
                several.happens(lambda: traces.is_clean(away)))
    answers = statuses(wire, away, transfer, get)
    checks.that("and serves nothing any more",
                all(status >= 400 for status, _ in answers) and not contains_any(answers, traces))
    checks.that("now every relay has confirmed",
                several.happens(lambda: service.status()["purged_not_confirmed"] == 0))


def revoked_while_copying(service, checks):
    """A relay that is still copying a transfer when it is revoked keeps nothing of it."""
    wire = wires.Wire(service)
    transfer = wires.RawTransfer(wire, 66)
    transfer.send(service.members[0].url)  # copies begin by themselves
    traces = Traces(service, transfer)
    transfer.revoke()
    checks.that("a transfer that is revoked while it is copied is gone everywhere",
                several.happens(lambda: all(traces.is_clean(member) for member in service.members)
                                and service.status()["purged_not_confirmed"] == 0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with several.SeveralRelays(build) as service:
        revoked_while_copying(service, checks)
        expiry(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
