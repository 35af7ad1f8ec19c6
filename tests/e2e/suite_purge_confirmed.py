#!/usr/bin/env python3
"""Every purge is confirmed in the end: the piece plane is killed at each of its steps and at random
moments, a relay comes back as an old copy of itself, or never.

SEED=n repeats the random moments of a run.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import several
import wire as wires
import world

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def open_count(service):
    return service.status()["purged_not_confirmed"]


def transfer_at_both(service):
    transfer = wires.RawTransfer(wires.Wire(service), 1)
    transfer.send(service.members[0].url).finish([one.url for one in service.members])
    return transfer


def is_clean(service, transfers):
    return not any(member.volume_files(transfer.tid.hex())
                   for member in service.members if member.is_up for transfer in transfers)


def confirmed(service, transfers, seconds=60):
    return several.happens(lambda: open_count(service) == 0 and is_clean(service, transfers),
                           seconds)


def points():
    """What the piece plane passes between a tombstone and its signature."""
    text = "".join((SOURCE / "relay/pieces" / name).read_text()
                   for name in ("sync.cpp", "catalog_whole.cpp"))
    return re.findall(r'PK_FAULT\("([a-z._]+)"\)', text)


def at_every_point(service, checks):
    names, far = points(), service.members[1]
    checks.that("there are fault points between tombstone and signature", len(names) >= 4)
    token = service.root / "once"
    for name in names:
        transfer = transfer_at_both(service)
        far.stop()
        transfer.revoke()
        world.wait_until(lambda: open_count(service) == 1, what="an open confirmation")
        token.touch()
        # It hears of the tombstone with its first sync.
        far.start({"PLANKURIER_FAULT": f"{name}=kill@1", "PLANKURIER_FAULT_ONCE": str(token)})
        struck = several.happens(lambda: not token.exists())
        checks.that(f"killed at {name}: the purge is confirmed all the same",
                    struck and confirmed(service, [transfer]))


def at_random(service, checks):
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    rounds, transfers = form.pick(8, 20, 100), []
    for _ in range(rounds):
        transfers.append(transfer_at_both(service))
        transfers[-1].revoke()
        time.sleep(chance.uniform(0, 1.3))  # any moment of a sync's beat
        member = chance.choice(service.members)
        pid = member.role_pid("pieces")
        if pid:
            os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGTERM)))
            world.wait_until(lambda: world.has_ended(pid), what="the end of a piece plane")
            member.wait_up()
    checks.that(f"{rounds} times killed or stopped at random (seed {seed}), all is confirmed",
                confirmed(service, transfers))


def old_copy(service, checks):
    """The relay's disk is replaced by a copy from before the purge."""
    far, copy = service.members[1], service.root / "copy"
    transfer = transfer_at_both(service)
    far.stop()
    shutil.copytree(far.data, copy, ignore=shutil.ignore_patterns("*.sock"))
    far.start()
    transfer.revoke()
    done = confirmed(service, [transfer])
    far.stop()
    shutil.rmtree(far.data)
    copy.rename(far.data)
    far.start()
    checks.that("a relay that comes back as an old copy deletes again what was purged meanwhile",
                done and confirmed(service, [transfer]))


def lost(service, checks):
    far = service.members[1]
    transfer = transfer_at_both(service)
    far.stop()
    transfer.revoke()
    world.wait_until(lambda: open_count(service) == 1, what="an open confirmation")
    remove = lambda *more: service.run(service.relay_program, "node", "remove", "--config",
                                       service.config, far.id, *more, check=False)
    refused = remove()
    checks.that("a relay that has not confirmed is not removed just so; told why, and the way out",
                refused.returncode == 1 and "--lost" in refused.stderr or print(refused.stderr))
    done = remove("--lost")
    audit = (service.data / "audit.log").read_text()
    checks.that("as lost it is, and the audit says how many purges it never confirmed",
                done.returncode == 0
                and f"relay_lost relay={far.id} purges_not_confirmed=1 " in audit)
    checks.that("then nothing is waited for any more",
                several.happens(lambda: open_count(service) == 0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with several.SeveralRelays(build, relays=2) as service:
        at_random(service, checks)
        if form.FIRST:
            at_every_point(service, checks)
            old_copy(service, checks)
            lost(service, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
