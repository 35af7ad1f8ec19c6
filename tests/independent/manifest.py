"""The manifest (docs/protocol.md, section 9). A dict as its JSON has it."""
import json

from . import kem
from .keys import check_public, inbox_of
from .octets import (NUMBER_MAX, Reader, b64url, b64url_bytes, hex_bytes, json_object, member, need,
                     number, padme, u32)

BYTES_MAX, FILES_MAX, NAME_BYTES_MAX = 2 << 20, 1_000, 1_024
CONTACT = ("name", "phone", "email", "reference", "clerk", "institution")


def frame(text, signature=None):
    plain = u32(len(text)) + text + (b"\1" + signature if signature else b"\0")
    return plain.ljust(padme(max(len(plain), 4_096)), b"\0")


def framed_bytes(text, is_signed):
    return len(frame(text, bytes(64) if is_signed else None))


def unframe(plain):
    """(JSON text, signature or None)."""
    need(len(plain) <= BYTES_MAX, "too_large")
    given = Reader(plain)
    text, has_signature = given.take(given.number(4)), given.number(1)
    need(has_signature <= 1)
    signature = given.take(64) if has_signature else None
    need(not any(given.take(given.left())))
    return text, signature


def encode(manifest):
    return json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()


def reply_of(kind, public):
    return {"type": kind, "pk": b64url(public), "inbox": inbox_of(kind, public).hex()}


def _check_files(files):
    need(len(files) <= FILES_MAX, "too_many_files")
    total = 0
    for file in files:
        need(len(member(file, "name", str).encode()) <= NAME_BYTES_MAX, "too_large")
        total += number(file, "size")
        need(total <= NUMBER_MAX)
        member(file, "type", str, "")
        number(file, "mtime", 0, least=-NUMBER_MAX)


def _check_reply(reply):
    """(type, public key), or None for a type of a later version."""
    kind = number(reply, "type", most=0xffff)
    if kind not in kem.POINT_BYTES:
        return None
    public = b64url_bytes(member(reply, "pk", str))
    inbox = hex_bytes(member(reply, "inbox", str), 16)
    check_public(kind, public)
    need(inbox == inbox_of(kind, public))
    return kind, public


def decode(text):
    """The JSON object, every member that this version knows in place; and the return key."""
    manifest = json_object(text)
    need(number(manifest, "v") == 1, "unsupported")
    hex_bytes(member(manifest, "tid", str), 16)
    number(manifest, "created", least=-NUMBER_MAX)
    number(manifest, "expiry_days", most=0xffffffff)
    sender, to = member(manifest, "from", dict), member(manifest, "to", dict)
    for name in CONTACT:
        sender[name] = member(sender, name, str, "")
    to["dept"] = member(to, "dept", str, "")
    number(to, "dir_serial", 0)
    for kid in member(to, "kids", list, []):
        hex_bytes(kid, 8)
    for name in ("subject", "message"):
        manifest[name] = member(manifest, name, str, "")
    _check_files(member(manifest, "files", list))
    opts = member(manifest, "opts", dict, {})
    manifest["opts"] = {**opts, "notify_fetch": member(opts, "notify_fetch", bool, True)}
    reply = member(manifest, "reply", dict, None)
    return manifest, _check_reply(reply) if reply is not None else None


def content_bytes(manifest):
    return sum(file["size"] for file in manifest["files"])
