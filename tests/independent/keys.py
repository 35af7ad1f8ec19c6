"""Seeds and what follows from them; key files, members, challenges (docs/protocol.md, section 10)."""
import os
import unicodedata

import argon2.low_level as argon2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import kem
from .octets import Reader, Refused, hmac256, need, same, sha256, u16, u32


def key_pair(seed, kind):
    """(private, public)."""
    private = kem.derive_private(kind, hmac256(seed, b"plankurier/1 kem"))
    return private, kem.public_of(kind, private)


def _id(label, kind, public):
    return sha256(f"plankurier/1 {label}\0".encode(), u16(kind), public)


def kid_of(kind, public):
    return _id("kid", kind, public)[:8]


def inbox_of(kind, public):
    return _id("inbox", kind, public)[:16]


def check_public(kind, public):
    need(kind in kem.POINT_BYTES, "unsupported")
    kem.check_point(kind, public)


def signing_seed(seed):
    return hmac256(seed, b"plankurier/1 sign")


def signing_public(seed):
    """Of a signing seed."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed, message):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verifies(public, message, signature):
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def check_cost(passes, memory_kib):
    need(passes >= 1 and memory_kib >= 8)
    need(passes <= 10 and memory_kib <= 1 << 20, "too_large")


def from_password(password, salt, passes, memory_kib):
    """Wrapping key and commitment. `password`: text, or bytes that may not be UTF-8."""
    try:
        text = password.decode() if isinstance(password, bytes) else password
    except UnicodeDecodeError:
        raise Refused("wrong_password") from None
    raw = argon2.hash_secret_raw(unicodedata.normalize("NFC", text).encode(), salt, passes,
                                 memory_kib, 1, 64, argon2.Type.ID, 0x13)
    return raw[:32], raw[32:]


def gcm_open(key, nonce, sealed, aad, code):
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused(code) from None


def seal_key_file(seed, kind, passphrase, passes=6, memory_kib=131_072):
    salt, nonce = os.urandom(16), os.urandom(12)
    wrap, commit = from_password(passphrase, salt, passes, memory_kib)
    head = (b"PKK1" + u16(kind) + kid_of(kind, key_pair(seed, kind)[1]) + salt + u32(passes)
            + u32(memory_kib) + commit + nonce)
    return head + AESGCM(wrap).encrypt(nonce, seed, head)


def open_key_file(octets, passphrase):
    """(seed, type)."""
    need(len(octets) == 130 and octets[:4] == b"PKK1")
    given = Reader(octets[4:])
    kind = given.number(2)
    need(kind in kem.POINT_BYTES, "unsupported")
    kid, salt, passes, memory_kib = given.take(8), given.take(16), given.number(4), given.number(4)
    check_cost(passes, memory_kib)
    commit, nonce, sealed = given.take(32), given.take(12), given.take(48)
    wrap, expected = from_password(passphrase, salt, passes, memory_kib)
    need(same(commit, expected), "wrong_password")
    seed = gcm_open(wrap, nonce, sealed, octets[:82], "tampered")
    need(kid_of(kind, key_pair(seed, kind)[1]) == kid, "tampered")
    return seed, kind


def open_member_wrap(octets, member_seed):
    """(seed, type, kid) of the department."""
    given = Reader(octets)
    need(given.take(4) == b"PKM1")
    department, kid, member, member_kid = (given.number(2), given.take(8), given.number(2),
                                           given.take(8))
    need(department in kem.POINT_BYTES and member in kem.POINT_BYTES, "unsupported")
    enc, sealed = given.take(kem.POINT_BYTES[member]), given.take(48)
    given.end()
    private, public = key_pair(member_seed, member)
    need(kid_of(member, public) == member_kid, "wrong_key")
    info = b"plankurier/1 member\0" + u16(department) + kid + member_kid
    seed = kem.open_(member, private, enc, info, octets[:24], sealed)
    need(kid_of(department, key_pair(seed, department)[1]) == kid, "tampered")
    return seed, department, kid


def answer_challenge(octets, seed, kind):
    given = Reader(octets)
    need(given.take(4) == b"PKC1")
    wire_kind, kid = given.number(2), given.take(8)
    need(wire_kind in kem.POINT_BYTES, "unsupported")
    enc, sealed = given.take(kem.POINT_BYTES[wire_kind]), given.take(48)
    given.end()
    private, public = key_pair(seed, kind)
    need(wire_kind == kind and kid == kid_of(kind, public), "wrong_key")
    info = b"plankurier/1 challenge\0" + u16(kind) + kid
    return sha256(b"plankurier/1 answer\0", kem.open_(kind, private, enc, info, b"", sealed))
