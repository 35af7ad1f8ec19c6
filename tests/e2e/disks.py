"""Disks as people plug them in, by FUSE: without a rename that refuses to replace, without hard
links, blind to case, read-only. Needs /dev/fuse and root, since mounting does."""
import contextlib
import os
import pathlib
import shutil
import subprocess

import probes


def is_possible(program):
    return os.geteuid() == 0 and pathlib.Path("/dev/fuse").exists() and shutil.which(program)


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True,
                          text=True).stdout.strip()


@contextlib.contextmanager
def _mounted(folder, *command):
    folder.mkdir(parents=True)
    run(*command)
    try:
        yield folder
    finally:
        probes.wait_until(lambda: subprocess.run(["umount", str(folder)],
                                                 capture_output=True).returncode == 0,
                          what="the disk to be free")


@contextlib.contextmanager
def bound(root, *options):
    """bindfs: a folder again. RENAME_NOREPLACE is refused, hard links are not."""
    source = root / "bound-source"
    source.mkdir(parents=True, exist_ok=True)
    with _mounted(root / f"bound{len(options)}", "bindfs", *options, source,
                  root / f"bound{len(options)}") as folder:
        yield folder


@contextlib.contextmanager
def ntfs(root):
    """A stick as Windows sees it: names that differ only in case are one."""
    image = root / "ntfs.img"
    with open(image, "wb") as out:
        out.truncate(64 << 20)
    run("mkntfs", "-F", "-q", "-f", image)
    with _mounted(root / "ntfs", "lowntfs-3g", image, root / "ntfs", "-o", "ignore_case") as folder:
        yield folder


@contextlib.contextmanager
def exfat(root):
    """A camera's card: no hard links, no RENAME_NOREPLACE, blind to case."""
    image = root / "exfat.img"
    with open(image, "wb") as out:
        out.truncate(64 << 20)
    run("mkfs.exfat", image)
    loop = run("losetup", "-f", "--show", image)
    try:
        with _mounted(root / "exfat", "mount.exfat-fuse", loop, root / "exfat") as folder:
            yield folder
    finally:
        run("losetup", "-d", loop)
