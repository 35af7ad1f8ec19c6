"""Looking at this machine instead of waiting blindly: ports, sockets, processes."""
import contextlib
import fcntl
import os
import pathlib
import random
import signal
import socket
import tempfile
import time


_ports = []  # locked as long as this program runs


def free_port():
    """Below the ports that connections take, so that none of them has it when it is needed, and no
    other suite's: it may be drawn long before somebody listens."""
    folder = pathlib.Path(tempfile.gettempdir()) / "plankurier-test-ports"
    folder.mkdir(exist_ok=True)
    while True:
        port = random.randrange(20_000, 32_000)
        lock = open(folder / str(port), "w")
        with socket.socket() as probe, contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.bind(("127.0.0.1", port))
            _ports.append(lock)
            return port
        lock.close()


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
    """Gone, or a zombie without other threads: until the last of them ends, its ports answer."""
    process = pathlib.Path(f"/proc/{pid}")
    try:
        zombie = (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return zombie and len(list((process / "task").iterdir())) == 1
    except OSError:
        return True


def files_in(folder, pattern):
    """What `glob` finds, while others remove folders on its way."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return sorted(folder.glob(pattern))


class Stopped:
    """`with Stopped(pid) as one:` the process does nothing until the end of the block."""

    def __init__(self, pid):
        assert pid, "no such process"
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(self.is_stopped, what="a stopped process")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):  # who did not obey was ended
            os.kill(self.pid, signal.SIGCONT)

    def is_stopped(self):
        try:
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] \
                == "T"
        except OSError:
            return False
