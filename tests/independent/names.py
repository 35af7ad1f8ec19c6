"""Names and types of files (docs/protocol.md, section 9)."""
import re
import unicodedata

from .octets import need

NAME_OCTETS = 200
DEVICES = {"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$",
           *(f"{kind}{number}" for kind in ("COM", "LPT") for number in "0123456789¹²³")}
TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "jpe": "image/jpeg",
         "jfif": "image/jpeg", "png": "image/png"}
PDF = re.compile(rb"%PDF-|%!PS-Adobe-[0-9.]+ PDF-")


def _sign(one):
    category = unicodedata.category(one)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return ""
    if one in '<>:"|?*%':
        return "_"
    return " " if category == "Zs" else one


def _parts(name):
    stem, dot, ending = name.rpartition(".")
    return (stem, dot + ending) if dot else (name, "")


def _trim(name):
    stem, extension = _parts(name.rstrip(". "))
    return (stem.lstrip(". -~") or "datei") + extension


def _fit(name, number=""):
    stem, extension = _parts(name)
    if len(extension.encode()) > 16:
        stem, extension = name, ""
    room = NAME_OCTETS - len(extension.encode()) - len(number)
    return stem.encode()[:room].decode(errors="ignore") + number + extension


def _clean_once(name):
    name = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    name = unicodedata.normalize("NFC", "".join(_sign(one) for one in name))
    name = _trim(_fit(_trim(name)))
    stem = name.split(".")[0].rstrip(" ")
    if "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in stem) in DEVICES:
        name = "_" + name
    return name


def clean(octets):
    name = octets.decode(errors="ignore")
    while (once := _clean_once(name)) != name:
        name = once
    return name


def key(name):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def distinct(all_octets):
    """The names of several files, into an empty folder."""
    given, taken = [], set()
    for octets in all_octets:
        cleaned = name = clean(octets)
        number = 1
        while key(name) in taken:
            number += 1
            name = _fit(cleaned, f" ({number})")
        taken.add(key(name))
        given.append(name)
    return given


def _shown(head):
    if head.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    found = PDF.search(head)
    return "application/pdf" if found and found.start() <= 1024 else None


def type_of(name, head):
    stem, dot, ending = name.rpartition(".")
    promised = TYPES.get(ending.lower()) if stem and dot else None
    need(promised and promised == _shown(head), "type_not_allowed")
    return promised
