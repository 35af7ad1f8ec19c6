"""Links (docs/protocol.md, section 10)."""
import re

from . import kem
from .keys import inbox_of, key_pair
from .octets import b64url, b64url_bytes, need


def _parts(text, page):
    form = rf"(?:(.+?)/*/{page}/*#)?v1\.([0-9a-fA-F]{{32}})(?:\.(.*))?"
    found = re.fullmatch(form, text)
    need(found)
    base, ident, secret = found.groups()
    if secret is not None:
        secret = b64url_bytes(secret)
        need(len(secret) == 32)
    return base or "", bytes.fromhex(ident), secret


def transfer_link(text):
    """(base, id, secret or None)."""
    return _parts(text, "t")


def return_link(text):
    """(base, inbox, seed, type)."""
    base, inbox, seed = _parts(text, "r")
    need(seed)
    for kind in (kem.P256, kem.X25519):
        if inbox_of(kind, key_pair(seed, kind)[1]) == inbox:
            return base, inbox, seed, kind
    need(False)


def make_transfer_link(base, ident, secret=None):
    return f"{base}/t#v1.{ident.hex()}" + (f".{b64url(secret)}" if secret else "")


def make_return_link(base, seed, kind):
    return f"{base}/r#v1.{inbox_of(kind, key_pair(seed, kind)[1]).hex()}.{b64url(seed)}"
