#!/usr/bin/env python3
"""A wrong clock deletes nothing early and lets nothing be read late: control plane and relays.

400 days both ways, at once, in steps and at start, while everything runs, over kill -9 and restart;
machines that were switched off; what an administrator is told. The client: suite_client_clock.py.
"""
import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import several
import wire as wires
import world

MINUTE, HOUR, DAY = 60, 3_600, 86_400
JUMPS = {"400 days ahead": 400 * DAY, "400 days behind": -400 * DAY}


class Clocks:
    """What the clocks of some processes say, by the file that they read it from."""

    def __init__(self, file):
        self.file = file
        self.both, self.wall, self.boot, self.synchronised = 0, 0, "", False
        self.write()

    def write(self):
        words = [str(self.both), f"wall={self.wall}", self.boot,
                 "synchronised" if self.synchronised else ""]
        half = self.file.with_suffix(".half")
        half.write_text(" ".join(words).strip() + "\n")
        half.rename(self.file)  # nobody reads a half of it

    def set(self, **values):
        for name, value in values.items():
            setattr(self, name, value)
        self.write()

    def reboot(self, off_s, **more):
        """The machine was off for so long, and its clock ran on; everything runs on a new kernel."""
        name = f"boot={time.monotonic_ns()}@{int(time.clock_gettime(time.CLOCK_BOOTTIME))}"
        # From here on the monotonic clock begins anew, and no test has moved it.
        self.set(wall=self.wall + self.both + off_s, both=0, boot=name, **more)


def told(config, service):
    return service.run(service.relay_program, "status", "--config", config, check=False)


def counts(data, name="status"):
    try:
        lines = (data / name).read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split() for line in lines if line.count(" ") == 1)


def trusts(data, wanted, name="status", seconds=60):
    key = "clock_trusted" if name == "status" else "relay_clock_trusted"
    return several.happens(lambda: counts(data, name).get(key) == str(int(wanted)), seconds)


def ticks(data, count=3, name="status"):
    """Waits for as many beats of a process, told by the kernel's clock."""
    file = data / name
    for _ in range(count):
        before = file.stat().st_mtime_ns
        world.wait_until(lambda: file.stat().st_mtime_ns != before, 60, what="a tick")


def served(service, link):
    status, _ = wires.Wire(service).call(service.server, "GET", "/v1/envelope", b"",
                                         {"Plankurier-Link": link.rpartition(".")[2]})
    return status == 200


def there(service):
    return bool(list((service.data / "envelopes").glob("*.env"))
                and world.files_in(service.data / "pieces", "*/*.vol"))


def gone(service):
    return several.happens(
        lambda: not list((service.data / "envelopes").glob("*.env"))
        and not world.files_in(service.data / "pieces", "*/*.vol")
        and counts(service.data).get("purged_not_confirmed") == "0", 90)


def raw_transfer(service):
    """For 7 days; gives it and its link."""
    links = set(service.links().values())
    transfer = wires.RawTransfer(wires.Wire(service), 1)
    transfer.send(service.pieces_url).finish([service.pieces_url])
    link = world.wait_until(lambda: set(service.links().values()) - links, what="notice").pop()
    return transfer, link


def again(service, how=signal.SIGKILL):
    if how == signal.SIGKILL:
        service.kill_relay()
    else:
        service.stop("relay")
    service.start_relay()


# the control plane and the relay beside it

def jumps(service, checks, clocks):
    """While it runs, over kill -9, at a start; then back."""
    _, link = raw_transfer(service)
    for name, jump in JUMPS.items():
        clocks.set(wall=jump)
        noticed = trusts(service.data, False) and trusts(service.data, False, "status.relay")
        ticks(service.data)
        checks.that(f"{name}, running: noticed by both processes, and nothing is deleted",
                    noticed and there(service))
        checks.that(f"{name}: the transfer is {'not ' if jump > 0 else ''}read",
                    served(service, link) == (jump < 0))
        kept = 0
        for _ in range(3):
            again(service)
            kept += trusts(service.data, False) and trusts(service.data, False, "status.relay")
            ticks(service.data)
            kept += there(service)
        checks.that(f"{name}, over kill -9 and restart, three times: still noticed, still there",
                    kept == 6)
        status = told(service.config, service)
        checks.that(f"{name}: status says so, how far, what to do, and has an exit code for it",
                    status.returncode == 3 and "400 days" in status.stderr
                    and "--clock-ok" in status.stderr or print(status.stderr))
        sent, other = raw_transfer(service)
        checks.that(f"{name}: people go on sending by the right time",
                    abs(expires(sent) - (time.time() + 7 * DAY)) < HOUR)
        sent.revoke()
        ended = several.happens(lambda: not (service.data / "envelopes"
                                             / f"{sent.tid.hex()}.env").exists())
        checks.that(f"{name}: what its sender revokes is deleted, and only that",
                    ended and there(service) and not served(service, other))
        clocks.set(wall=0)
        back = trusts(service.data, True) and trusts(service.data, True, "status.relay")
        checks.that(f"{name}: when the clock is back, all is as before",
                    back and served(service, link) and told(service.config, service).returncode == 0)
    for name, jump in JUMPS.items():
        service.stop("relay")
        clocks.set(wall=jump)
        service.start_relay()
        noticed = trusts(service.data, False)
        ticks(service.data)
        checks.that(f"{name}, set while it was stopped: noticed, and nothing is deleted",
                    noticed and there(service))
        clocks.set(wall=0)
        again(service)
    return link


def expires(transfer):
    return wires.good(transfer.wire.control("GET", "/v1/transfers/status", None,
                                            transfer.as_sender))["expires"]


def steps(service, checks, clocks):
    for name, step, count in (("100 days each", 100 * DAY, 4), ("59 minutes each", 59 * MINUTE, 6)):
        for sign in (1, -1):
            for number in range(1, count + 1):
                clocks.set(wall=sign * step * number)
                ticks(service.data, 2)
            checks.that(f"steps of {name}, {'ahead' if sign > 0 else 'behind'}: noticed, and "
                        "nothing is deleted", trusts(service.data, False) and there(service))
            clocks.set(wall=0)
            trusts(service.data, True)


def switched_off(service, checks, clocks, link):
    """For three weeks, over the end of a transfer; then with a time service, or without."""
    service.stop("relay")
    clocks.reboot(21 * DAY)
    service.start_relay()
    waits = trusts(service.data, False)
    ticks(service.data)
    checks.that("switched off over the end, started without a time service: nothing is deleted",
                waits and there(service))
    checks.that("but nothing is read either", not served(service, link))
    clocks.set(synchronised=True)
    checks.that("as soon as the kernel says that a time service keeps the clock, it goes on by "
                "itself: all is deleted", trusts(service.data, True) and gone(service))


def by_word(service, checks, clocks):
    raw_transfer(service)
    clocks.set(wall=clocks.wall + 400 * DAY)
    waits = trusts(service.data, False)
    ticks(service.data)
    waits = waits and there(service)
    service.run(service.relay_program, "purge", "--config", service.config, "--clock-ok")
    checks.that("who says that the new time is right gets what is due deleted, and a calm status",
                waits and gone(service) and trusts(service.data, True)
                and trusts(service.data, True, "status.relay")  # both say it at their next beat
                and told(service.config, service).returncode == 0)
    clocks.set(wall=clocks.wall - 400 * DAY)
    trusts(service.data, False)
    service.run(service.relay_program, "purge", "--config", service.config, "--clock-ok")
    trusts(service.data, True)
    trusts(service.data, True, "status.relay")  # by its next sync
    raw = wires.RawTransfer(wires.Wire(service), 1)
    world.wait_until(lambda: raw.wire.call(service.pieces_url, "GET", raw.path, b"",
                                           raw.ticket(raw.as_sender)[0])[0] == 200,
                     what="a relay that has heard of the time")


def guard_off(service, checks, clocks):
    """The same without what the guard remembers, as before it outlived the process."""
    raw_transfer(service)
    clocks.set(wall=clocks.wall + 400 * DAY)
    trusts(service.data, False)
    service.kill_relay()
    for file in service.data.glob("trusted-time*"):
        file.unlink()
    service.start_relay()
    checks.that("a guard that does not outlive the process is caught: everything is deleted "
                "(negative control)", several.happens(lambda: not there(service)))


def one_machine(build, checks):
    with world.World(build) as service:
        clocks = Clocks(service.clock)
        link = jumps(service, checks, clocks)
        steps(service, checks, clocks)
        switched_off(service, checks, clocks, link)
        by_word(service, checks, clocks)
        guard_off(service, checks, clocks)


# relays that stand alone

class Site:
    """Three relays, each machine with clocks of its own."""

    def __init__(self, service):
        self.service = service
        self.clocks = [Clocks(service.root / f"clock-{number}")
                       for number in range(len(service.members))]
        for number, member in enumerate(service.members):
            member.stop()
            self.start(number)
        service.wait_live(len(service.members))

    def start(self, number):
        env = {"PLANKURIER_CLOCK_OFFSET_FILE": str(self.clocks[number].file)}
        self.service.members[number].start(env)

    def transfer(self):
        service = self.service
        transfer = wires.RawTransfer(wires.Wire(service), 1)
        transfer.send(service.members[0].url).finish([one.url for one in service.members])
        return transfer

    def pass_days(self, days):
        for clocks in self.clocks:
            clocks.set(both=clocks.both + days * DAY)

    def holds(self, number, transfer):
        return bool(self.service.members[number].volume_files(transfer.tid.hex()))


def relay_jumps(site, checks):
    """One relay's clock, while the control plane is right."""
    service, far = site.service, site.service.members[1]
    transfer = site.transfer()
    for name, jump in JUMPS.items():
        site.clocks[1].set(wall=jump)
        noticed = trusts(far.data, False, "status.relay")
        ticks(far.data, 3, "status.relay")
        far.kill()
        site.start(1)
        noticed = noticed and trusts(far.data, False, "status.relay")
        ticks(far.data, 3, "status.relay")
        checks.that(f"a relay's clock, {name}, running and over kill -9: noticed, nothing deleted",
                    noticed and site.holds(1, transfer))
        status = told(far.config, service)
        checks.that(f"a relay's clock, {name}: its own status says so, the control plane is calm",
                    status.returncode == 3 and "400 days" in status.stderr
                    and told(service.config, service).returncode == 0)
        service.wait_live(3)
        get, _ = transfer.ticket(transfer.as_recipient)
        code, _ = transfer.read_piece(far.url, get)
        checks.that(f"a relay's clock, {name}: it gives the piece {'not ' if jump > 0 else ''}away",
                    code == (410 if jump > 0 else 200))
        site.clocks[1].set(wall=0)
        trusts(far.data, True, "status.relay")


def borne_out(site, checks):
    """The control plane's machine was off; relays that live know the time."""
    service = site.service
    transfer = site.transfer()
    control = service.members[0]
    control.stop()
    site.clocks[0].reboot(400 * DAY, synchronised=True)
    site.start(0)
    wrong = trusts(control.data, False)
    ticks(control.data)
    checks.that("400 days ahead at the start, and even its kernel says it: relays differ, nothing "
                "is deleted", wrong and all(site.holds(n, transfer) for n in range(3)))
    site.clocks[0].set(wall=site.clocks[0].wall - 400 * DAY, synchronised=False)
    checks.that("set right, it is borne out by the relays, and all is as before",
                trusts(control.data, True) and site.holds(0, transfer))
    ticks(control.data, 4, "status.relay")  # the relay beside it hears the right time again


def relay_alone(site, checks):
    """Its control plane is gone: it deletes by its own clock, while that can be trusted."""
    service, far = site.service, site.service.members[1]
    transfer = site.transfer()
    site.service.members[0].stop()
    for name, jump in JUMPS.items():
        site.clocks[1].set(wall=jump)
        for _ in range(2):
            far.kill()
            site.start(1)
            ticks(far.data, 3, "status.relay")
        checks.that(f"a relay that hears nobody, {name}, restarted twice: nothing is deleted",
                    trusts(far.data, False, "status.relay") and site.holds(1, transfer))
    site.clocks[1].set(wall=0)
    far.kill()
    site.start(1)
    site.pass_days(16)
    checks.that("a relay that hears nobody deletes by itself what is past its day",
                several.happens(lambda: not site.holds(1, transfer)))
    site.start(0)
    service.wait_live(3)
    checks.that("and the control plane, back, confirms the purge everywhere",
                several.happens(lambda: service.status()["purged_not_confirmed"] == 0
                                and not any(site.holds(n, transfer) for n in range(3)), 90))


def relays(build, checks):
    with several.SeveralRelays(build) as service:
        site = Site(service)
        relay_jumps(site, checks)
        borne_out(site, checks)
        relay_alone(site, checks)  # last: the swarm's TLS goes by the real time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    one_machine(build, checks)
    relays(build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
