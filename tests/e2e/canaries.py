"""Texts and keys that are looked for, in every way in which a program may have written them down.

`Canaries` finds them in folders, in disk images and in the memory of running processes.
"""
import base64
import os
import pathlib
import quopri
import signal
import struct
import unicodedata
import urllib.parse

from probes import files_in

PAGE = 4_096
PATTERN_MIN = 7  # shorter ones are found by chance
PRESENT, SWAPPED = 1 << 63, 1 << 62  # linux/Documentation/admin-guide/mm/pagemap.rst


def _base64s(raw):
    """Base64 of the same bytes looks different at each of three alignments; the ends depend on the
    neighbours, so they are cut off."""
    for shift in range(3):
        shifted = b"x" * shift + raw
        cut = 4 if shift else 0
        end = len(shifted) // 3 * 4
        yield base64.b64encode(shifted)[cut:end]
        yield base64.urlsafe_b64encode(shifted)[cut:end]


def _of_bytes(raw):
    yield from (raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode())
    yield from _base64s(raw)


def ways(secret):
    """All byte strings as which a text (or bytes: a key) may stand somewhere."""
    out = set()
    if isinstance(secret, bytes):
        out.update(_of_bytes(secret))
    else:
        texts = {secret, secret.lower(), secret.upper(), unicodedata.normalize("NFC", secret),
                 unicodedata.normalize("NFD", secret)}
        for text in texts:
            raw = text.encode()
            out.update(_of_bytes(raw))
            out.update((text.encode("utf-16-le"), text.encode("utf-16-be"),
                        text.encode("utf-32-le"), text.encode("latin-1", "ignore"),
                        quopri.encodestring(raw), quopri.encodestring(raw, header=True),
                        urllib.parse.quote(text, safe="").encode(),
                        urllib.parse.quote_plus(text).encode(),
                        text.encode("ascii", "backslashreplace"),
                        "".join(f"\\u{ord(c):04x}" for c in text).encode(),
                        "".join(c if ord(c) < 128 else f"\\u{ord(c):04x}" for c in text).encode(),
                        "".join(c if ord(c) < 128 else f"\\u{ord(c):04X}" for c in text).encode(),
                        "".join(c if c.isalnum() and ord(c) < 128 else f"&#{ord(c)};"
                                for c in text).encode()))
            host = text.partition("@")[0]
            out.add(host.encode("punycode").rstrip(b"-"))
    return {one for one in out if len(one) >= PATTERN_MIN}


def without_zeros(content):
    """Drops pages of zeros: most of a fresh disk or stack is that."""
    zero = bytes(PAGE)
    pages = (content[at:at + PAGE] for at in range(0, len(content), PAGE))
    return b"".join(page for page in pages if page != zero[:len(page)])


def _present(pagemap, start, end):
    """Ranges of a mapping that hold anything."""
    pagemap.seek(start // PAGE * 8)
    count = (end - start) // PAGE
    raw = pagemap.read(count * 8)
    entries = struct.unpack(f"<{len(raw) // 8}Q", raw)
    at = None
    for index, entry in enumerate(entries):
        if entry & (PRESENT | SWAPPED):
            at = start + index * PAGE if at is None else at
        elif at is not None:
            yield at, start + index * PAGE
            at = None
    if at is not None:
        yield at, start + len(entries) * PAGE


def process_memory(pid):
    """Everything readable of a process, which stands still meanwhile. More than a core file: that
    leaves out what is marked so. Needs root, since none of ours may be dumped."""
    folder = pathlib.Path(f"/proc/{pid}")
    out = []
    os.kill(pid, signal.SIGSTOP)
    try:
        with open(folder / "mem", "rb", 0) as memory, open(folder / "pagemap", "rb") as pagemap:
            for line in (folder / "maps").read_text().splitlines():
                area, rights, _, _, _, *path = line.split()
                start, end = (int(part, 16) for part in area.split("-"))
                of_a_program = path and path[0].startswith("/") and "w" not in rights
                if "r" not in rights or end > 1 << 47 or "[vvar]" in path or of_a_program:
                    continue
                for begin, stop in _present(pagemap, start, end):
                    memory.seek(begin)
                    try:
                        out.append(memory.read(stop - begin))
                    except OSError:
                        continue  # a mapping that shrank, or a device's
    finally:
        os.kill(pid, signal.SIGCONT)
    return b"".join(out)


def file_content(path):
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""  # a journal that is gone again


class Canaries:
    """Named secrets, and where they are found."""

    def __init__(self, secrets=None):
        self.patterns = {}
        for name, secret in (secrets or {}).items():
            self.add(name, secret)

    def add(self, name, secret):
        self.patterns[name] = self.patterns.get(name, set()) | ways(secret)

    def in_bytes(self, content):
        """Names of those that stand in there."""
        return {name for name, patterns in self.patterns.items()
                if any(pattern in content for pattern in patterns)}

    def in_files(self, *places):
        """(name, file's name) of those that stand in a file, or in any file of a folder."""
        hits = set()
        for place in map(pathlib.Path, places):
            for file in [place, *files_in(place, "**/*")] if place.is_dir() else [place]:
                hits |= {(name, file.name) for name in self.in_bytes(file_content(file))}
                hits |= {(name, "a file's name") for name in self.in_bytes(os.fsencode(file.name))}
        return hits

    def in_process(self, pid):
        return self.in_bytes(process_memory(pid))

    def in_image(self, content):
        return self.in_bytes(without_zeros(content))
