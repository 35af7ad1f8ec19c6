#!/usr/bin/env python3
"""Three relays with uplinks of 50 MB/s: the sender sends everything once, three relays have it.

64, 128 or 512 MiB. Needs root for network namespaces. Times are printed, never
checked: bench/three-relays measures them.
"""
import argparse
import hashlib
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import network
import sending
import several
import wire as wires
import world

UPLINK_MB_PER_S = 50
MB = 1e6


def plan(path, size):
    with open(path, "wb") as out:
        out.write(b"%PDF-1.7\n")
        while size > 0:
            size -= out.write(os.urandom(min(size, 1 << 22)))
    return path


def same(file, folder):
    with open(file, "rb") as one, open(folder / file.name, "rb") as other:
        return (hashlib.file_digest(one, "sha256").digest()
                == hashlib.file_digest(other, "sha256").digest())


def volume_digests(member, tid):
    out = []
    for file in member.volume_files(tid):
        with open(file, "rb") as content:
            out.append((file.name, hashlib.file_digest(content, "sha256").hexdigest()))
    return out


def thrice(service, checks):
    file = plan(service.root / "plan.pdf", form.pick(64, 128, 512) << 20)
    sent = sending.Sent(service, file)
    sent.wait_copies(service.members)
    digests = [volume_digests(member, sent.tid) for member in service.members]
    body, sender_bytes = sent.body_bytes(), sent.sender_bytes
    checks.that("three relays hold the same bytes", len(digests[0]) == sent.volumes > 1
                and digests[0] == digests[1] == digests[2])
    checks.that("the sender sent them once: at most 1.02 x, headers included",
                body <= sender_bytes <= 1.02 * body)
    entries = {len(member.described(sent.tid)) for member in service.members}
    checks.that("each has every descriptor", entries == {sent.volumes})
    ideal = body / MB / UPLINK_MB_PER_S
    print(f"    {body / MB:.0f} MB in three copies after {sent.seconds:.1f} s, "
          f"{sent.seconds / ideal:.2f} x ideal; sender {sender_bytes / body:.3f} x")
    return file, sent


def fetched(service, checks, file, sent):
    for via in ("https", "swarm"):
        sent_before = [service.network.sent_bytes(member.name) for member in service.members]
        begun = time.monotonic()
        done = service.fetch_by(via, sent.link, service.root / via)
        seconds = time.monotonic() - begun
        parts = [service.network.sent_bytes(member.name) - before
                 for member, before in zip(service.members, sent_before)]
        checks.that(f"the recipient gets it byte-identical by {via}",
                    same(file, service.root / via) and done.events[-1]["via"] == via)
        checks.that(f"every relay gives a part of it by {via}",
                    min(parts) > 0.1 * file.stat().st_size)
        print(f"    {file.stat().st_size / MB / seconds:.0f} MB/s by {via}, from the relays "
              + " / ".join(f"{part / file.stat().st_size:.2f}" for part in parts))


def lost_while_sending(service, checks):
    file = plan(service.root / "anderer-plan.pdf", 128 << 20)
    sent = sending.Sent(service, file)
    lost = service.members[1]
    arrived = lambda: any(path.parent.name not in sent.known for path in lost.volume_files())
    world.wait_until(arrived, what="the first pieces at the relay that will be lost")
    lost.kill()
    others = [member for member in service.members if member is not lost]
    sent.wait_copies(others)
    checks.that("a relay that is lost during the upload does not stop it",
                sent.done.returncode == 0 and sent.told["copies"] >= 2)
    service.fetch_by("swarm", sent.link, service.root / "without-one")
    checks.that("the recipient gets everything from the two others",
                same(file, service.root / "without-one"))
    lost.start()
    checks.that("when it comes back it is healed to the third copy", several.happens(
        lambda: service.copied(sent.tid, sent.volumes), 120))
    digests = [volume_digests(member, sent.tid) for member in service.members]
    checks.that("with the same bytes", digests[0] == digests[1] == digests[2])


def finish_with_one(wire, raw, relay):
    """What the control plane says to the stored receipt of one relay."""
    put, _ = raw.ticket(raw.as_sender)
    _, receipt = wire.call(relay.url, "POST", f"{raw.path}/stored", b"{}", put)
    status, told = wire.post("/v1/transfers/finish", {"receipts": [json.loads(receipt)["receipt"]],
                                                         "content_root": raw.content_root},
                             raw.as_sender)
    return status, told.get("code")


def two_of_three_down(build, checks):
    """K = 2: one copy is not enough as long as a second relay is believed to live, which it is for
    30 s after it was heard of. So as much as possible is done before the two go down."""
    with several.SeveralRelays(build) as service:
        wire = wires.Wire(service)
        first, second, third = service.members
        raw = wires.RawTransfer(wire)
        client = service.start_send(plan(service.root / "plan.pdf", 3_000_000), more=["--json"])
        others = lambda member: [path.parent.name for path in member.volume_files()
                                 if path.parent.name != raw.tid.hex()]
        with several.SwarmsKeptDown([second, third]):
            raw.send(first.url)
            second.kill()
            third.kill()
            # The client is still told of all three, and ends at the one that lives.
            client.give_code()
            tid = world.wait_until(lambda: [tid for tid in others(first) if first.described(tid)],
                                   what="the upload to the one that lives")[0]
            checks.that("with two of three relays down one copy is not enough",
                        finish_with_one(wire, raw, first) == (503, "unavailable"))
            checks.that("the sender's client waits", client.process.poll() is None
                        and service.status()["available"] == 0)
        second.start()
        done = client.end(check=False)
        checks.that("with one back the transfer becomes available", done.returncode == 0
                    and several.happens(lambda: service.copied(tid, 1, [first, second])))
        third.start()
        checks.that("and is healed to three copies later",
                    several.happens(lambda: service.copied(tid, 1), 120))
        service.wait_status(copies_missing=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    if network.is_possible():
        with several.SeveralRelays(build, uplink_mb_per_s=UPLINK_MB_PER_S) as service:
            file, sent = thrice(service, checks)
            fetched(service, checks, file, sent)
            lost_while_sending(service, checks)
    else:
        checks.skip("three relays at 50 MB/s", "network namespaces need root")
    two_of_three_down(build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
