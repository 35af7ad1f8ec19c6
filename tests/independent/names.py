"""File names and types (docs/protocol.md, section 9)."""
import unicodedata

from .octets import need

DEVICES = {"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$",
           *(f"{kind}{number}" for kind in ("COM", "LPT") for number in "0123456789¹²³")}
TYPES = {"pdf": (b"%PDF-", "application/pdf"), "jpg": (b"\xff\xd8\xff", "image/jpeg"),
         "jpeg": (b"\xff\xd8\xff", "image/jpeg"),
         "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png")}


def _sign(one):
    category = unicodedata.category(one)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return ""
    if one in '<>:"|?*/\\%':
        return "_"
    return " " if category == "Zs" else one


def _trim(name):
    return name.rstrip(". ").lstrip(". -~")


def _cut(text, count):
    return text.encode()[:count].decode(errors="ignore")


def _shorten(name):
    raw = len(name.encode())
    if raw <= 200:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending if dot and len((dot + ending).encode()) <= 16 else ""
    return _cut(name[:len(name) - len(ending)], 200 - len(ending.encode())) + ending


def _clean_once(name):
    name = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    name = unicodedata.normalize("NFC", "".join(_sign(one) for one in name))
    name = _trim(_shorten(_trim(name)))
    stem = name.split(".")[0].rstrip(" ")
    if "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in stem) in DEVICES:
        name = "_" + name
    return name or "datei"


def clean(octets):
    name = octets.decode(errors="ignore")
    while (once := _clean_once(name)) != name:
        name = once
    return name


def type_of(name, head):
    stem, dot, ending = name.rpartition(".")
    magic, kind = TYPES.get(ending.lower(), (None, None))
    need(stem and magic and head.startswith(magic), "type_not_allowed")
    return kind
