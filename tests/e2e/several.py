"""A service with several relays: the one beside the control plane and others that register there.

On loopback each has ports of its own. With `uplink_mb_per_s` everybody lives in a network
namespace (network.py), the sender and the recipient too. Each relay is a `Member`, which can be
started, stopped and killed alone.
"""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import threading

import network
import world


class Member:
    """One relay. Number 0 runs beside the control plane."""

    def __init__(self, service, number):
        self.service, self.number = service, number
        self.name = "relay" if number == 0 else f"relay-{number + 1}"
        self.address = service.network.addresses[self.name] if service.network else "127.0.0.1"
        if number == 0:
            self.folder, self.pieces_port = service.relay, service.pieces_port
            self.swarm_port, self.plain_port = service.swarm_port, service.plain_port
            self.line, self.url = service.line, service.pieces_url
            return
        self.folder = service.root / self.name
        self.pieces_port, self.swarm_port, self.plain_port = (world.free_port() for _ in range(3))
        made = service.lines.get(number)
        self.line = made(self.pieces_port) if made else None
        host = self.address if service.network else "localhost"
        self.url = f"https://{host}:{self.line.port if self.line else self.pieces_port}"

    @property
    def data(self):
        return self.folder / "data"

    @property
    def config(self):
        return self.folder / "relay.toml"

    @property
    def id(self):
        return (self.data / "keys/relay.id").read_text().strip()

    @property
    def is_up(self):
        return self.name in self.service.processes

    def make(self):
        """Its folder, by the same steps as an administrator's."""
        service = self.service
        service.run(service.relay_program, "init", self.folder, "--control", service.server,
                    "--control-key", service.data / "keys/control.pub", "--host", "localhost")
        (self.folder / "tls").rmdir()  # made empty
        service.certify(self.folder / "tls", self.address)
        self.config.write_text(
            f'[control]\nurl = "{service.server}"\nca_file = "{service.ca}"\n'
            f'[pieces]\nlisten = "{self.address}"\nport = {self.pieces_port}\nurl = "{self.url}"\n'
            f'[swarm]\nport = {self.swarm_port}\nplain_port = {self.plain_port}\n'
            f'trusted_networks = {json.dumps(service.trusted_networks)}\n')
        if self.line:
            self.line.open(self.folder / "tls")

    def register(self):
        record = json.loads((self.folder / "node.json").read_text())
        file = self.service.root / f"{self.name}.json"
        file.write_text(json.dumps({**record, "url": self.url}))
        self.service.run(self.service.relay_program, "node", "add", "--config",
                         self.service.config, file)

    def start(self, env=None):
        service = self.service
        if self.number == 0:
            service.start_relay(env)
        else:
            clock = {"PLANKURIER_CLOCK_OFFSET_FILE": str(service.clock)}
            service.start(self.name, service.relay_program, "serve", "--config", self.config,
                          env={**clock, **(env or {})})
        self.wait_up()

    def wait_up(self):
        for port, what in ((self.pieces_port, "piece plane"), (self.swarm_port, "swarm")):
            world.wait_until(lambda: world.listening(port, self.address),
                             what=f"{what} of {self.name}")

    def stop(self):
        self.service.stop(self.name)

    def kill(self):
        self.service.kill_relay(self.name)

    def role_pid(self, role):
        return self.service.role_pid(role, self.name)

    def kill_role(self, role):
        """SIGKILL for one of its processes, if it is there; the supervisor starts it again. Returns
        when it has ended: until then its ports would still answer."""
        with contextlib.suppress(KeyError, OSError):  # the relay itself may go meanwhile
            pid = self.role_pid(role)
            if pid:
                os.kill(pid, signal.SIGKILL)
                world.wait_until(lambda: world.has_ended(pid), what=f"the end of a killed {role}")
            return pid
        return 0

    # what it holds
    def volume_files(self, tid="*"):
        return world.files_in(self.data / "pieces", f"{tid}/*.vol")

    def _rows(self, query, *values):
        file = self.data / "pieces/index.db"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as index:
            return index.execute(query, values).fetchall()

    def described(self, tid):
        """Numbers of the volumes that are durable here, whole, with their descriptor."""
        def whole(durable, descriptor):
            pieces = int(descriptor[88:92], 16)  # u32 volume, u64 length, root, u16 pieces
            return int(durable, 16) == (1 << pieces) - 1
        return [row[0] for row in self._rows(
            "SELECT n, durable, descriptor FROM volume WHERE tid = ? AND descriptor <> '' "
            "ORDER BY n", tid) if whole(*row[1:])]

    def descriptor(self, tid, volume):
        rows = self._rows("SELECT descriptor FROM volume WHERE tid = ? AND n = ?", tid, volume)
        return rows[0][0] if rows else ""

    def damaged_pieces(self):
        """What it has found since its index was made."""
        return sum(row[0] for row in self._rows("SELECT pieces FROM damaged"))

    def stored_bytes(self):
        return sum(file.stat().st_size for file in self.volume_files())


class SeveralRelays(world.World):
    def __init__(self, build, relays=3, uplink_mb_per_s=None, lines=None, trusted_networks=(),
                 **more):
        """`lines`: by number of a relay, what stands between others and its piece plane (as
        World's `line`)."""
        self.lines = dict(lines or {})
        self.network = None
        if uplink_mb_per_s:
            names = ["relay", *(f"relay-{number + 1}" for number in range(1, relays)), "sender"]
            self.network = network.Network({**dict.fromkeys(names, uplink_mb_per_s),
                                            "recipient": None})
            more["address"] = self.network.addresses["relay"]
        super().__init__(build, line=self.lines.get(0), **more)
        self.trusted_networks = list(trusted_networks)
        # Where TLS of the other relays is checked by.
        self.more_config = f'[control]\nca_file = "{self.root / "ca.pem"}"\n'
        self.members = [Member(self, number) for number in range(relays)]

    def __enter__(self):
        if self.network:
            self.network.__enter__()
        super().__enter__()
        try:
            self.members[0].wait_up()
            for member in self.members[1:]:
                member.make()
                member.register()
                member.start()
            self.wait_live(len(self.members))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        super().__exit__()
        for member in self.members:
            if member.line:
                member.line.close()
        if self.network:
            self.network.__exit__()

    def at(self, place):
        if self.network is None:
            return []
        name = "relay" if place in ("nginx", "exim") else place
        return self.network.inside(name) if name in self.network.addresses else []

    def status(self):
        """The counts of `plankurier-relay status`."""
        lines = (self.data / "status").read_text().splitlines()
        return {name: int(count) for name, count in (line.split() for line in lines if line)}

    def wait_status(self, seconds=60, **wanted):
        def good():
            try:
                now = self.status()
            except (OSError, ValueError):
                return False  # it is being written
            return all(now.get(name) == count for name, count in wanted.items())
        world.wait_until(good, seconds, what=f"status {wanted}")

    def wait_live(self, count):
        self.wait_status(relays_known=count, relays_live=count)

    def copied(self, tid, volumes, members=None):
        """Each of these relays has that many volumes with descriptors."""
        return all(len(member.described(tid)) == volumes for member in members or self.members)

    def wait_copies(self, tid, volumes, members=None, seconds=120):
        world.wait_until(lambda: self.copied(tid, volumes, members), seconds, what="copies")

    def tid_of(self, receipt):
        return json.loads(receipt.read_text())["transfer"]

    def fetch_by(self, via, link, target, *more, check=True):
        """Fetches and gives the process with `events`, what it told by --json."""
        done = self.fetch_as_department(link, target, "--via", via, "--json", *more, check=check)
        done.events = [json.loads(line) for line in done.stdout.splitlines() if line]
        return done

    def new_link(self, links_before):
        return world.wait_until(
            lambda: [link for key, link in self.links().items() if key not in links_before],
            what="notice")[0]


class SwarmsKeptDown:
    """Kills the swarm processes of these relays again as soon as they are back: the relays live and
    are heard of, but nothing goes from one to the other."""

    def __init__(self, members):
        self.members, self.over, self.killed = members, threading.Event(), set()

    def __enter__(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        world.wait_until(lambda: len(self.killed) == len(self.members), what="dead swarms")
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for member in self.members:
            if member.is_up:
                member.wait_up()

    def _run(self):
        while not self.over.wait(0.05):
            for member in self.members:
                if member.kill_role("swarm"):
                    self.killed.add(member.name)


def happens(check, seconds=60):
    """Whether a condition comes true in time."""
    try:
        return bool(world.wait_until(check, seconds))
    except AssertionError:
        return False


def resident_mb(pid):
    """Memory of a process now, in MB (10^6 bytes)."""
    text = subprocess.run(["grep", "VmRSS", f"/proc/{pid}/status"], capture_output=True,
                          text=True).stdout
    return int(text.split()[1]) * 1_024 / 1e6 if text else 0.0
