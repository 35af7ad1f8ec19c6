"""Bytes, numbers and JSON as docs/protocol.md, section 5, has them."""
import base64
import hashlib
import hmac
import json
import re

NUMBER_MAX = (1 << 53) - 1
DEPTH_MAX = 32  # values in values


class Refused(Exception):
    """What is not taken, with the code that the document names."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def need(condition, code="malformed"):
    if not condition:
        raise Refused(code)


def u8(value):
    return value.to_bytes(1, "big")


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


def u64(value):
    return value.to_bytes(8, "big")


class Reader:
    """Takes from the front; what runs past the end is `malformed`."""

    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, count):
        need(count <= len(self.octets) - self.at)
        taken = self.octets[self.at:self.at + count]
        self.at += count
        return taken

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def left(self):
        return len(self.octets) - self.at

    def end(self):
        need(self.left() == 0)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac256(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def hmac384(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha384).digest()


def same(one, other):
    return hmac.compare_digest(one, other)


def b64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def b64url_bytes(text):
    """Unpadded, and of several spellings of the same bytes only the one that has no stray bits."""
    need(isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1)
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(b64url(octets) == text)
    return octets


def hex_bytes(text, count):
    need(isinstance(text, str) and re.fullmatch(r"[0-9a-fA-F]*", text) and len(text) == 2 * count)
    return bytes.fromhex(text)


def _once(pairs):
    need(len({name for name, _ in pairs}) == len(pairs))
    return dict(pairs)


def _constant(_):
    raise Refused("malformed")


def _depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, (dict, list)) + max(map(_depth, inner), default=0)


def json_object(octets):
    """One JSON text, UTF-8: an object, no member twice, not too deep, nothing behind it."""
    try:
        text = octets.decode() if isinstance(octets, bytes) else octets
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_constant)
        json.dumps(value, ensure_ascii=False).encode()  # no lone surrogates
    except (ValueError, RecursionError) as error:
        raise Refused("malformed") from error
    need(isinstance(value, dict) and _depth(value) <= DEPTH_MAX)
    return value


_MISSING = object()


def member(value, name, kind, default=_MISSING):
    """A member of a JSON object. Without a default it must be there; its type must fit anyway."""
    need(isinstance(value, dict))
    if name not in value:
        need(default is not _MISSING)
        return default
    need(isinstance(value[name], kind) and not (kind is int and isinstance(value[name], bool)))
    return value[name]


def number(value, name, default=_MISSING, least=0, most=NUMBER_MAX):
    found = member(value, name, int, default)
    need(least <= found <= most)
    return found


def padme(length):
    if length < 2:
        return 1
    exponent = length.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    if low_bits <= 0:
        return length
    mask = (1 << low_bits) - 1
    return (length + mask) & ~mask


def derive(key, tid, label):
    """K(label)."""
    return hmac384(key, b"plankurier/1 " + label.encode() + b"\0", tid, b"\1")[:32]
