"""What the benchmarks share: sizes, input, the machine, and the cost of processes."""
import ctypes
import mmap
import os
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
TARGETS = ("plankurier", "plankurier-relay", "plankurier_engine_bench")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def bytes_of(text):
    """1G is 2^30 bytes; MB in results are 10^6."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text.upper().removesuffix("IB"))
    if not match:
        raise SystemExit(f"a size like 1G, 64M or 4096, not {text}")
    return int(match.group(1)) << {"": 0, "K": 10, "M": 20, "G": 30}[match.group(2)]


def release_build():
    """The release build's folder, brought up to date."""
    for command in (["--preset", "release"],
                    ["--build", "--preset", "release", "--target", *TARGETS]):
        done = subprocess.run(["cmake", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit("the release build failed:\n" + done.stdout)
    return BUILD


def make_input(path, size):
    """A PDF by its first bytes, incompressible, all pages there."""
    with open(path, "wb") as out:
        head = b"%PDF-1.7\n"[:size]
        out.write(head)
        left = size - len(head)
        while left > 0:
            left -= out.write(os.urandom(min(left, 1 << 22)))
    return path


def same_bytes(one, other):
    return subprocess.run(["cmp", "-s", one, other]).returncode == 0


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    control = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    return {"cpu": cpu.group(1) if cpu else "unknown", "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(memory * 1024 / 1e9, 1), "kernel": os.uname().release,
            "tcp": control, "load": round(os.getloadavg()[0], 2),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def calibration():
    """MB/s of AES-256-GCM on one core, so that runs on different days can be compared."""
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "16384", "-evp",
                           "aes-256-gcm"], capture_output=True, text=True, check=True)
    return round(float(re.search(r"\+F:.*:([0-9.]+)$", done.stdout, re.M).group(1)) / 1e6)


def wait_for_calm(limit=0.6, seconds=600):
    """Until other work on this machine has ended, but not for ever. Looks at running tasks,
    because the load average takes a minute to fall."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = busy_seconds()
        time.sleep(1)
        if busy_seconds() - before < limit * 0.5:
            return True
    print("the machine does not come to rest; measuring anyway", file=sys.stderr)
    return False


def warm_memory(size):
    """Touches memory and gives it back. A virtual machine's host hands out a page at its first use
    and takes free pages back after a while; that costs 1 to 3 s per GiB, by chance in one side's
    run or in another's."""
    with mmap.mmap(-1, max(size, 4096)) as memory:
        for at in range(0, size, 4096):
            memory[at] = 1


def busy_seconds():
    """CPU seconds of everything on this machine, what its host took away included."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def children_of(pid):
    """A process and all below it."""
    try:
        below = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid] + [one for child in below for one in children_of(int(child))]


def cpu_of(pid):
    """Seconds of a living process, all its threads, those that ended too."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def peak_mb_of(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    match = re.search(r"VmHWM:\s+(\d+)", text)
    return int(match.group(1)) * 1024 / 1e6 if match else 0.0


def reset_peak(pid):
    try:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        pass


def is_running(pid):
    """Of a child; it stays to be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def end_with_parent():
    """A benchmark that is killed leaves no program behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Run:
    """One timed job: the programs it starts, and the servers (name -> pids) that work for it."""

    def __init__(self, what, transport, size, servers):
        self.what, self.transport, self.size, self.servers = what, transport, size, servers
        self.started = {}
        self.peaks = {}
        self.cpu = self.paused = 0.0
        for pids in servers.values():
            for pid in pids:
                reset_peak(pid)
        self.cpu_before = self._server_cpu()
        self.busy_before = busy_seconds()
        self.sampling = threading.Event()
        self.sampler = threading.Thread(target=self._sample, daemon=True)
        self.sampler.start()
        self.begun = time.monotonic()

    def _server_cpu(self):
        return sum(cpu_of(pid) for pids in self.servers.values() for pid in pids)

    def _sample(self):
        # What getrusage says of a child includes this program's own size before the exec, so small
        # programs are looked at while they live.
        while not self.sampling.wait(0.05):
            for name, process in list(self.started.items()):
                self.peaks[name] = max(self.peaks.get(name, 0), peak_mb_of(process.pid))

    def start(self, name, *command, **options):
        process = subprocess.Popen([str(part) for part in command], preexec_fn=end_with_parent,
                                   **options)
        self.started[name] = process
        return process

    def pause(self, seconds):
        """Takes time off the clock that no program used: a mail on its way."""
        self.paused += seconds

    def finish(self, until=None):
        """Waits for all programs; returns the result as one flat object. The clock stops when they
        have ended, or when the file `until` is there."""
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ended = None
        while until and not ended and all(is_running(one.pid) for one in self.started.values()):
            time.sleep(0.001)
            ended = time.monotonic() if until.exists() else None
        for name, process in self.started.items():
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu += used.ru_utime + used.ru_stime
            if used.ru_maxrss > own:
                self.peaks[name] = used.ru_maxrss * 1024 / 1e6
        seconds = (ended or time.monotonic()) - self.begun - self.paused
        busy = busy_seconds()
        self.sampling.set()
        self.sampler.join()
        for name, process in self.started.items():
            if process.returncode != 0:
                raise SystemExit(f"{self.what}: {name} ended with {process.returncode}")
        for name, pids in self.servers.items():
            self.peaks[name] = max(peak_mb_of(pid) for pid in pids)
        self.cpu += self._server_cpu() - self.cpu_before
        others = max(0.0, busy - self.busy_before - self.cpu)
        return {"what": self.what, "transport": self.transport, "bytes": self.size,
                "seconds": round(seconds, 4), "mb_per_s": round(self.size / seconds / 1e6, 1),
                "cpu_s": round(self.cpu, 3), "paused_s": round(self.paused, 3),
                "others_cpu_s": round(others, 3),
                "peak_rss_mb": {name: round(mb, 1) for name, mb in self.peaks.items()}}


def median(results, key="seconds"):
    return statistics.median(result[key] for result in results)


def peaks(results):
    names = {name for result in results for name in result["peak_rss_mb"]}
    return {name: max(result["peak_rss_mb"].get(name, 0) for result in results)
            for name in sorted(names)}
