"""Key encapsulation: HPKE base mode (RFC 9180) with HKDF-SHA256 and AES-256-GCM, and its points."""
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .octets import Refused, hmac256, need, u16

X25519, P256 = 1, 5  # types on the wire
KEM_IDS = {X25519: 0x20, P256: 0x10}
POINT_BYTES = {X25519: 32, P256: 65}
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def _extract(suite, salt, label, ikm):
    return hmac256(salt or bytes(32), b"HPKE-v1", suite, label, ikm)


def _expand(suite, prk, label, info, length):
    return hmac256(prk, u16(length), b"HPKE-v1", suite, label, info, b"\1")[:length]


def derive_private(kind, ikm):
    """RFC 9180, 7.1.3."""
    suite = b"KEM" + u16(KEM_IDS[kind])
    prk = _extract(suite, b"", b"dkp_prk", ikm)
    if kind == X25519:
        return _expand(suite, prk, b"sk", b"", 32)
    candidates = (_expand(suite, prk, b"candidate", bytes([i]), 32) for i in range(256))
    return next(one for one in candidates if 0 < int.from_bytes(one, "big") < ORDER)


def public_of(kind, private):
    if kind == X25519:
        key = x25519.X25519PrivateKey.from_private_bytes(private).public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _exchange(kind, private, point):
    """`malformed`: no point of the curve, or one that leads to an all-zero secret."""
    need(len(point) == POINT_BYTES[kind])
    try:
        if kind == X25519:
            other = x25519.X25519PublicKey.from_public_bytes(point)
            return x25519.X25519PrivateKey.from_private_bytes(private).exchange(other)
        need(point[0] == 4)
        other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        own = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
        return own.exchange(ec.ECDH(), other)
    except ValueError:
        raise Refused("malformed") from None


def check_point(kind, point):
    _exchange(kind, bytes(31) + b"\1", point)


def shared_secret(kind, private, other, enc, recipient):
    suite = b"KEM" + u16(KEM_IDS[kind])
    prk = _extract(suite, b"", b"eae_prk", _exchange(kind, private, other))
    return _expand(suite, prk, b"shared_secret", enc + recipient, 32)


def _cipher(kind, shared, info):
    suite = b"HPKE" + u16(KEM_IDS[kind]) + u16(1) + u16(2)
    context = (b"\0" + _extract(suite, b"", b"psk_id_hash", b"")
               + _extract(suite, b"", b"info_hash", info))
    secret = _extract(suite, shared, b"secret", b"")
    return (AESGCM(_expand(suite, secret, b"key", context, 32)),
            _expand(suite, secret, b"base_nonce", context, 12))


def seal(kind, recipient, info, aad, plain):
    """enc and ciphertext."""
    ephemeral = derive_private(kind, os.urandom(32))
    enc = public_of(kind, ephemeral)
    shared = shared_secret(kind, ephemeral, recipient, enc, recipient)
    cipher, nonce = _cipher(kind, shared, info)
    return enc + cipher.encrypt(nonce, plain, aad)


def open_(kind, private, enc, info, aad, ciphertext):
    """`malformed`: a bad point; `wrong_key`: it does not open."""
    shared = shared_secret(kind, private, enc, enc, public_of(kind, private))
    cipher, nonce = _cipher(kind, shared, info)
    try:
        return cipher.decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise Refused("wrong_key") from None
