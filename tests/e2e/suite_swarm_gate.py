#!/usr/bin/env python3
"""Who is not invited gets no BitTorrent byte and reaches no parser; who is, gets every one."""
import argparse
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import bittorrent as bt
import checks as counting
import several
import wire as wires
import world

HERE = pathlib.Path(__file__).parent
LISTED, STRANGER = "127.0.0.1", "127.0.0.9"
FLOOD, OF_AN_ADDRESS = 2_000, 64  # the second: engine/swarm/door.hpp


class Target:
    """A transfer that lies at one relay, with what a well-informed stranger knows of it."""

    def __init__(self, service, pieces=3):
        self.service, self.wire = service, wires.Wire(service)
        self.member = service.members[0]
        self.transfer = wires.RawTransfer(self.wire, pieces).send(self.member.url)
        self.transfer.finish([self.member.url])
        self.other = wires.RawTransfer(self.wire).send(self.member.url).finish([self.member.url])
        self.guest = bt.Identity(service.root, "guest").invited(self.transfer)
        self.info_hash = bt.volume_info_hash(self.transfer.descriptors[0], self.transfer.tid,
                                             wires.PIECE, self.guest.authority)
        self.sni = self.info_hash[:20].hex()

    def loaded(self):
        """The port, with the volume loaded, so that it is not refused for being unknown."""
        return self.transfer.swarm_port(self.member.url)

    def messages(self):
        return [bt.handshake(self.info_hash), bt.CRASH]


def invited(target, checks):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        said = bt.speak_tls(target.loaded(), [bt.handshake(target.info_hash)], target.sni,
                            target.guest, version)
        checks.that(f"who has the transfer's certificate is answered ({version.name}): host, port, "
                    "server name and info-hash are the right ones",
                    said.application.startswith(bt.PROTOCOL)
                    and said.application[28:48] == target.info_hash[:20])
        checks.that(f"and the recorder sees such an answer ({version.name})",
                    len(said.after_answer) > bt.HANDSHAKE_BYTES
                    and not bt.only_alerts(said.after_answer))
    before = target.member.role_pid("swarm")
    said = bt.speak_tls(target.loaded(), target.messages(), target.sni, target.guest)
    again = bt.speak_tls(target.loaded(), target.messages(), target.sni, target.guest)
    checks.that("even the invited one's crash message ends no process, since no volume has a pad "
                "file", said.application.startswith(bt.PROTOCOL)
                and again.application.startswith(bt.PROTOCOL)
                and target.member.role_pid("swarm") == before)


def strangers(target, checks):
    root, keys = target.service.root, target.service.data / "keys"
    tid = target.transfer.tid.hex()
    authority = root / "authority.pem"
    authority.write_text(target.guest.authority)
    who = {
        "without certificate": None,
        "with a certificate of another transfer":
            bt.Identity(root, "other").invited(target.other),
        "with an expired certificate":
            bt.Identity(root, "expired").signed_long_ago(tid, authority, keys / "swarm-ca.key"),
        "with a certificate of an authority of his own":
            bt.Identity(root, "own").self_signed(tid),
    }
    for name, identity in who.items():
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            said = bt.speak_tls(target.loaded(), target.messages(), target.sni, identity, version)
            good = said.is_nothing() and len(said.from_server) > 0
            checks.that(f"a stranger {name} gets no BitTorrent byte ({version.name})", good)
            if not good:
                print("   ", len(said.application), bt.tls_records(said.from_server))
    said = bt.speak_tls(target.loaded(), target.messages(), None, who["without certificate"])
    checks.that("without the info-hash not even a certificate is shown",
                said.is_nothing() and bt.only_alerts(said.from_server))
    said = bt.speak_tls(target.loaded(), target.messages(), os.urandom(20).hex(), target.guest)
    checks.that("nor with a wrong one, whoever asks",
                said.is_nothing() and bt.only_alerts(said.from_server))
    answer = bt.speak_plain(target.loaded(), target.messages())
    checks.that("plain BitTorrent at the TLS port gets nothing",
                bt.PROTOCOL not in answer and bt.only_alerts(answer))


def recipient(service, checks):
    file = service.root / "plan.pdf"
    file.write_bytes(b"%PDF-1.7\n" + os.urandom(20_000_000))
    links = service.links()
    service.send(file)
    done = service.fetch_by("swarm", service.new_link(links), service.root / "in")
    via = [event["via"] for event in done.events if event["event"] == "fetched"]
    checks.that("the recipient gets every byte by the same port",
                via == ["swarm"] and (service.root / "in" / file.name).read_bytes()
                == file.read_bytes())


def is_closed(line):
    """Whether the other side has ended it, without waiting."""
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def resident_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def idle(target, checks):
    """Those who connect and say nothing, say half of a hello, or come in floods."""
    port, pid = target.loaded(), target.member.role_pid("swarm")
    connect = lambda source=LISTED: socket.create_connection(
        ("127.0.0.1", port), source_address=(source, 0))
    begun = time.monotonic()
    silent, slow = connect(), connect()
    slow.sendall(bytes.fromhex("1603010200010001fc0303"))
    world.wait_until(lambda: is_closed(silent) and is_closed(slow), 60, "the end of idle lines")
    checks.that("idle lines are closed before TLS is done", True)
    print(f"    after {time.monotonic() - begun:.1f} s")
    before = resident_kb(pid)
    lines, peak = [], 0
    for i in range(FLOOD):
        try:
            lines.append(connect(LISTED if i % 2 else STRANGER))
        except OSError:
            pass  # refused: that is a bound too
        if i % 100 == 0:
            peak = max(peak, resident_kb(pid))
    held = lambda: sum(not is_closed(line) for line in lines)
    world.wait_until(lambda: held() <= 2 * OF_AN_ADDRESS, 60, "an end to what is too much")
    peak = max(peak, resident_kb(pid)) - before
    checks.that(f"of {len(lines)} idle lines from two addresses at most {OF_AN_ADDRESS} each stay, "
                f"and they cost {peak // 1024} MiB at most", 0 < len(lines) and peak < 100 * 1024)
    free = world.wait_until(lambda: held() == 0, 60, "an end to all of them")
    said = bt.speak_tls(target.loaded(), [bt.handshake(target.info_hash)], target.sni, target.guest)
    checks.that("afterwards who is invited is answered as before",
                free and said.application.startswith(bt.PROTOCOL)
                and target.member.role_pid("swarm") == pid)
    for line in lines:
        line.close()


def crash_is_real(service, checks):
    """The same bytes at a seed that is not behind our gate."""
    folder = service.root / "seed"
    folder.mkdir()
    seed = subprocess.Popen(["/usr/bin/python3", HERE / "plain_seed.py", folder],
                            stdout=subprocess.PIPE, text=True)
    try:
        port, info_hash = seed.stdout.readline().split()
        greeting = bt.handshake(bytes.fromhex(info_hash))
        answer = bt.speak_plain(int(port), [greeting])
        checks.that("a plain seed answers a stranger (positive control)",
                    answer.startswith(bt.PROTOCOL) and seed.poll() is None)
        bt.speak_plain(int(port), [greeting, bt.CRASH])
        checks.that("and dies of the crash message (positive control)",
                    seed.wait(10) == -signal.SIGSEGV)
    finally:
        seed.kill()
        seed.wait()
        seed.stdout.close()


def under_tls(build, checks):
    with several.SeveralRelays(build, relays=1) as service:
        target = Target(service)
        pids = [service.members[0].role_pid(role) for role in ("swarm", "pieces", "control")]
        invited(target, checks)
        strangers(target, checks)
        idle(target, checks)
        recipient(service, checks)
        now = [service.members[0].role_pid(role) for role in ("swarm", "pieces", "control")]
        checks.that("after all of it every process is the one it was", all(pids) and pids == now)
        crash_is_real(service, checks)


def plain_port(build, checks):
    """Two relays that copy without TLS; the volume stays loaded for a while after the copy."""
    with several.SeveralRelays(build, relays=2, trusted_networks=[f"{LISTED}/32"]) as service:
        wire = wires.Wire(service)
        entry, other = service.members
        transfer = wires.RawTransfer(wire, 3).send(entry.url)
        transfer.finish([entry.url, other.url])
        info_hash = bt.volume_info_hash(transfer.descriptors[0], transfer.tid, wires.PIECE)
        messages = [bt.handshake(info_hash), bt.CRASH]
        pids = [member.role_pid("swarm-plain") for member in service.members]
        answers = [bt.speak_plain(member.plain_port, messages, LISTED)
                   for member in service.members]
        checks.that("between relays in a trusted network a copy went by the plain port (positive "
                    "control)", any(answer.startswith(bt.PROTOCOL) for answer in answers))
        answers = [bt.speak_plain(member.plain_port, messages, STRANGER)
                   for member in service.members]
        checks.that("the plain port answers nothing to an address that is not listed",
                    answers == [b"", b""])
        answers = [bt.speak_tls(member.plain_port, messages, info_hash[:20].hex()).from_server
                   for member in service.members]
        checks.that("and speaks no TLS", not any(bt.tls_records(one) for one in answers))
        get, _ = transfer.ticket(transfer.as_recipient)
        status, _ = wire.call(entry.url, "POST", f"{transfer.path}/0/swarm", b'{"plain":true}', get)
        checks.that("a recipient is not shown the way there", status == 401)
        now = [member.role_pid("swarm-plain") for member in service.members]
        checks.that("after all of it every process is the one it was", all(pids) and pids == now)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    under_tls(build, checks)
    plain_port(build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
