#!/usr/bin/env python3
"""A citizen's computer with a wrong clock: nothing that could be continued is lost, and the clock is
named, not a certificate or a term. The wall clock of the real client is moved by libfaketime."""
import argparse
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world

DAY = 86_400
BREAKS = {"PLANKURIER_FAULT": "cli.upload_state.after_root=kill@1"}
DE = ("Uhr dieses Computers", "Zertifikat des Dienstes wird nicht vertraut", "Frist ist abgelaufen")
EN = ("computer's clock", "certificate is not trusted", "time is over")


def plan(path):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(2_000_000))
    return path


def client(build, checks):
    wall = lambda days: world.wall_clock(clock_file(service.root, days))
    with world.World(build) as service:
        service.run("openssl", "req", "-x509", *world.NEW_KEY, "-days", "60", "-subj", "/CN=Other CA",
                    "-keyout", service.root / "other.key", "-out", service.root / "other.pem")
        file = plan(service.root / "plan.pdf")
        broken = service.send(file, check=False,
                              env=BREAKS)
        states = lambda: list((service.home / "state/plankurier/send").glob("*/state.json"))
        checks.that("a sending is interrupted", broken.returncode == -9 and len(states()) == 1)
        ahead = service.send(plan(service.root / "b.pdf"), env=wall(20), check=False)
        checks.that("20 days ahead another sending works, and the wrong clock is named",
                    ahead.returncode == 0 and "Uhr dieses Computers" in ahead.stderr
                    or print(ahead.stderr))
        resumed = service.plankurier("send", "--resume", check=False)
        checks.that("what was interrupted before can still be continued",
                    resumed.returncode == 0 or print(resumed.stderr))
        right = service.send(plan(service.root / "c.pdf"))
        checks.that("by a right clock nobody hears of clocks", "Uhr" not in right.stderr)
        outdated = left_behind(service)
        service.send(plan(service.root / "d.pdf"), env=wall(20))
        kept = outdated.exists()
        service.send(plan(service.root / "e.pdf"))
        checks.that("what is over is deleted by two clocks that agree, not by one",
                    kept and not outdated.exists())
        for days, language in ((400, "de"), (-400, "en"), (40, "de")):
            done = service.plankurier("departments", "--lang", language, check=False,
                                      env=wall(days))
            named, *others = DE if language == "de" else EN
            checks.that(f"{days:+} days: the clock is named, not the certificate or a term",
                        done.returncode != 0 and named in done.stderr
                        and not any(one in done.stderr for one in others) or print(done.stderr))
        stale = service.run(service.client, "departments", "--ca", service.root / "other.pem",
                            check=False, env=service.env())
        checks.that("a certificate that is not trusted by a right clock is still named as such "
                    "(negative control)", stale.returncode != 0 and DE[0] not in stale.stderr
                    and DE[1] in stale.stderr or print(stale.stderr))


def clock_file(root, days):
    file = root / f"client-clock-{days}"
    file.write_text(f"{days:+}d\n")
    return file


def left_behind(service):
    """The state of a sending that was given up three weeks ago."""
    service.send(plan(service.root / "old.pdf"), check=False,
                 env=BREAKS)
    state = max((service.home / "state/plankurier/send").glob("*/state.json"),
                key=lambda one: one.stat().st_mtime_ns)
    content = json.loads(state.read_text())
    content["begun"] -= 21 * DAY
    state.write_text(json.dumps(content))
    then = state.stat().st_mtime - 21 * DAY
    os.utime(state, (then, then))
    return state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    if world.FAKETIME.exists():
        client(build, checks)
    else:
        checks.skip("everything", "libfaketime is not installed")
        return 0
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
