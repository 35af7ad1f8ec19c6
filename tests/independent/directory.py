"""minisign and the directory (docs/protocol.md, section 12)."""
import base64
import binascii
import calendar
import hashlib
import re

from . import kem
from .keys import check_public, kid_of, verifies
from .octets import (Reader, Refused, b64url_bytes, hex_bytes, json_object, member, need, number,
                     sha256)

DAY = 86_400
CLERK_ID = re.compile(r"clerk-[0-9a-f]{16}")


def _lines(text):
    return [line.rstrip("\r") for line in text.split("\n") if line.rstrip("\r")]


def _base64(text, count):
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("malformed") from None
    need(len(octets) == count and base64.b64encode(octets).decode() == text)
    return octets


def minisign_key(text):
    """(id, public key) of a .pub file."""
    lines = _lines(text)
    need(1 <= len(lines) <= 2)
    raw = _base64(lines[-1], 42)
    need(raw[:2] == b"Ed")
    return raw[2:10], raw[10:]


def fingerprint(key):
    digits = sha256(*key)[:16].hex()
    return " ".join(digits[at:at + 4] for at in range(0, 32, 4))


def check_minisign(key, message, text):
    """The trusted comment."""
    lines = _lines(text)
    need(len(lines) == 4 and lines[2].startswith("trusted comment: "))
    raw, outer = _base64(lines[1], 74), _base64(lines[3], 64)
    need(raw[2:10] == key[0], "bad_signature")
    need(raw[:2] in (b"ED", b"Ed"), "unsupported")
    signed = hashlib.blake2b(message).digest() if raw[:2] == b"ED" else message
    need(verifies(key[1], signed, raw[10:]), "bad_signature")
    comment = lines[2][len("trusted comment: "):]
    need(verifies(key[1], raw[10:] + comment.encode(), outer), "bad_signature")
    return comment


def _field(comment, name):
    found = [word[len(name) + 1:] for word in comment.split(" ") if word.startswith(name + ":")]
    need(found)
    return found[0]


def _check_end(comment, now, days_max):
    text = _field(comment, "expires")
    need(re.fullmatch(r"\d{4}-\d\d-\d\d", text))
    year, month, day = (int(part) for part in text.split("-"))
    need(1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1])
    end = calendar.timegm((year, month, day, 0, 0, 0)) + DAY
    need(now < end, "expired")
    need(end - now <= (days_max + 1) * DAY)


def _lower(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def _is_address(text):
    return len(text) <= 254 and re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", text) is not None


def _keys(given):
    keys = []
    for one in member(given, "keys", list):
        kind, pk = number(one, "type", most=0xffff), b64url_bytes(member(one, "pk", str))
        kid = kid_of(kind, pk)
        key = {"type": kind, "pk": pk, "kid": kid, "from": number(one, "from"),
               "until": number(one, "until")}
        need(member(one, "kid", str) == kid.hex())
        if kind in kem.POINT_BYTES:
            check_public(kind, pk)
        keys.append(key)
    return keys


def _sign(given):
    keys = []
    for one in member(given, "sign", list, []):
        pk = b64url_bytes(member(one, "pk", str))
        need(len(pk) == 32)
        keys.append({"kid": hex_bytes(member(one, "kid", str), 8), "pk": pk,
                     "from": number(one, "from"), "until": number(one, "until")})
    return keys


def _department(given, is_clerk):
    ident, address = member(given, "id", str), member(given, "address", str, "")
    need(1 <= len(ident.encode()) <= 64)
    need((CLERK_ID.fullmatch(ident) is not None) == is_clerk == (address != ""))
    need(not is_clerk or _is_address(address))
    for name in ("group", "hint"):
        member(given, name, str, "")
    return {"id": ident, "address": address, "name": member(given, "name", str, ident),
            "keys": _keys(given), "sign": _sign(given)}


class Directory:
    """A parsed directory; what it says is to be believed only after `open_`."""

    def __init__(self, text):
        given = json_object(text)
        need(number(given, "v") == 1, "unsupported")
        self.authority, self.serial = member(given, "authority", str), number(given, "serial")
        number(given, "issued")
        self.expires = number(given, "expires")
        self.record_key = b64url_bytes(member(member(given, "control", dict), "record_key", str))
        need(len(self.record_key) == 32)
        lists = member(given, "depts", list), member(given, "clerks", list, [])
        need(len(lists[0]) <= 1_000 and len(lists[1]) <= 10_000, "too_large")
        self.departments = [_department(one, False) for one in lists[0]]
        self.clerks = [_department(one, True) for one in lists[1]]
        names = [one["id"] for one in self.listed()] + [_lower(one["address"]) for one in self.clerks]
        need(len(set(names)) == len(names))
        escrow = member(given, "escrow", dict, None)
        self.escrow = None
        if escrow is not None:
            self.escrow = {"name": member(escrow, "name", str), "keys": _keys(escrow)}
            need(self.escrow["name"] != "")
        self.revoked = [hex_bytes(kid, 8) for kid in member(given, "revoked", list, [])]

    def listed(self):
        return self.departments + self.clerks

    def find(self, named):
        """By id, or a clerk by address. `unknown_department`."""
        for one in self.listed():
            if one["id"] == named or (one["address"] and _lower(one["address"]) == _lower(named)):
                return one
        raise Refused("unknown_department")

    def usable_key(self, one, now):
        """The key to seal to."""
        timely = [key for key in one["keys"]
                  if key["from"] <= now < key["until"] and key["kid"] not in self.revoked]
        known = [key for key in timely if key["type"] in kem.POINT_BYTES]
        need(known, "unsupported" if timely else "expired")
        return max(known, key=lambda key: (key["from"], key["until"]))

    def usable_escrow_key(self, now):
        need(self.escrow, "not_found")
        return self.usable_key(self.escrow, now)


def open_(bundle, root, highest_serial, now):
    """The four texts of GET /v1/directory, checked from the root on."""
    try:
        comment = check_minisign(root, bundle["signer_pub"].encode(), bundle["signer_minisig"])
    except Refused as refused:
        raise Refused("untrusted_root" if refused.code == "bad_signature" else refused.code) from None
    _check_end(comment, now, 400)
    signer = minisign_key(bundle["signer_pub"])
    comment = check_minisign(signer, bundle["directory_json"].encode(), bundle["directory_minisig"])
    _check_end(comment, now, 35)
    directory = Directory(bundle["directory_json"])
    serial = _field(comment, "serial")
    need(re.fullmatch(r"\d+", serial) and int(serial) == directory.serial)
    need(now < directory.expires, "expired")
    need(directory.serial >= highest_serial, "rolled_back")
    return directory
