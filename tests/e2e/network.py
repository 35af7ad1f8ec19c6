"""Network namespaces on one bridge, so that every relay has an address and an uplink of its own.

Needs root. `with Network({"relay": 50, "sender": None}) as net:` makes a namespace for each name,
whose uplink takes that many MB/s (MB = 10^6 bytes; None: as much as the machine gives).
"""
import json
import os
import subprocess

# Fewer, larger packets: the lines are not what is tested, and headers count as sent bytes.
MTU = 9_000


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def is_possible():
    """Root is not always enough: a container may lack the right to make namespaces."""
    if os.geteuid() != 0:
        return False
    probe = f"pk-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode != 0:
        return False
    run("ip", "netns", "delete", probe)
    return True


class Network:
    def __init__(self, uplinks_mb_per_s):
        self.uplinks = dict(uplinks_mb_per_s)
        pid = os.getpid()
        self.bridge = f"pk{pid}"
        self.net = f"10.{100 + pid // 256 % 100}.{pid % 256}"
        self.addresses = {name: f"{self.net}.{number}"
                          for number, name in enumerate(self.uplinks, 10)}
        self.made = []

    def space(self, name):
        return f"pk-{os.getpid()}-{name}"

    def __enter__(self):
        try:
            # This process reaches everybody by the bridge's own address.
            run("ip", "link", "add", self.bridge, "type", "bridge")
            self.made.append(("ip", "link", "delete", self.bridge))
            run("ip", "link", "set", self.bridge, "mtu", MTU, "up")
            run("ip", "address", "add", f"{self.net}.1/24", "dev", self.bridge)
            for number, name in enumerate(self.uplinks):
                self._connect(number, name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for command in reversed(self.made):
            subprocess.run(command, capture_output=True)
        self.made.clear()

    def _connect(self, number, name):
        space, line = self.space(name), f"{self.bridge}-{number}"
        run("ip", "netns", "add", space)
        self.made.append(("ip", "netns", "delete", space))
        run("ip", "link", "add", line, "mtu", MTU, "type", "veth", "peer", "name", "eth0", "mtu",
            MTU, "netns", space)
        self.made.append(("ip", "link", "delete", line))
        run("ip", "link", "set", line, "master", self.bridge, "up")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "address", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        if self.uplinks[name]:
            run("tc", "-n", space, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate",
                f"{self.uplinks[name] * 8}mbit", "burst", "512kb", "latency", "50ms")

    def inside(self, name):
        """What runs a program there; the process keeps its id."""
        return ["nsenter", f"--net=/run/netns/{self.space(name)}"]

    def sent_bytes(self, name):
        """All bytes that ever left by its line, headers included."""
        told = json.loads(run("ip", "-n", self.space(name), "-json", "-s", "link", "show", "eth0"))
        return told[0]["stats64"]["tx"]["bytes"]
