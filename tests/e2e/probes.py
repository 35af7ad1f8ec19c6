"""Looking at this machine instead of waiting blindly: ports, sockets, processes."""
import contextlib
import os
import pathlib
import random
import socket
import time


def free_port():
    """Below the ports that connections take, so that none of them has it when it is needed. Suites
    that run at the same time mostly draw from different ranges."""
    begin = 20_000 + os.getpid() % 8 * 1_500
    while True:
        port = random.randrange(begin, begin + 1_500)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(check, seconds=30, what="condition"):
    """Polls `check` until it gives something true and returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for: {what}")


def listening(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def answering(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def has_ended(pid):
    """Gone, or a zombie, which holds no file any more."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
