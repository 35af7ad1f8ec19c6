"""A small real disk: ext4 in a file, mounted by the loop device. It can be full, cut off, and read raw.

Needs root, since mounting does.
"""
import fcntl
import os
import pathlib
import struct
import subprocess

import probes

# linux/ext4.h: EXT4_IOC_SHUTDOWN = _IOR('X', 125, __u32); flag 2 = the journal is not flushed.
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


def is_possible():
    return os.geteuid() == 0 and pathlib.Path("/dev/loop-control").exists()


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


class LoopDisk:
    def __init__(self, image, folder, size_mib, inodes=None):
        self.image, self.folder = pathlib.Path(image), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.image, "wb") as out:
            out.truncate(size_mib << 20)
        few = ["-N", inodes] if inodes else []
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", *few, self.image)
        self.mounted = False
        self.mount()

    def mount(self):
        run("mount", "-o", "loop,data=ordered", self.image, self.folder)
        self.mounted = True

    def unmount(self):
        if self.mounted:
            # A killed process counts as ended while its last threads are still closing files.
            probes.wait_until(self._try_unmount, what="the disk to be free")
            self.mounted = False

    def _try_unmount(self):
        return subprocess.run(["umount", self.folder], capture_output=True).returncode == 0

    def cut_power(self):
        """From now on nothing reaches the disk, not even what the journal already holds."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def raw(self):
        """Every byte of the disk, free blocks too."""
        run("sync", "-f", self.folder)
        return self.image.read_bytes()
