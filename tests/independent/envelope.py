"""The envelope (docs/protocol.md, section 8)."""
import dataclasses
import hashlib
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import kem, manifest as manifests
from .body import Layout, floe_of, new_floe
from .floe import HEADER, OVERHEAD, Floe
from .keys import check_cost, from_password, gcm_open, kid_of, key_pair, sign, verifies
from .octets import Reader, Refused, derive, hmac384, need, same, u16, u32, u64

HEAD, STANZAS_MAX, BYTES_MAX = 184, 64, 2_178_048
PASSWORD, LINK = 2, 3
BODIES = {1: 80, 2: 104, 3: 80, 4: 104, 5: 113, 6: 1_168}  # bytes of a stanza's body by type
HYBRID, ANSWER = 2, 4  # flags
STEP = 65_536
NAMES = {kem.X25519: b"x25519", kem.P256: b"p256"}


def _link_key(secret, tid, label):
    return hmac384(secret, b"plankurier/1 link " + label + b"\0", tid, b"\1")[:32]


def _info(kind, tid, kid):
    return b"plankurier/1 stanza " + NAMES[kind] + b"\0" + tid + kid


def key_stanza(kind, public, anonymous=False):
    """A stanza maker: takes TK, tid and the first 184 bytes."""
    def make(key, tid, head):
        kid = bytes(8) if anonymous else kid_of(kind, public)
        return _stanza(kind, kid, kem.seal(kind, public, _info(kind, tid, kid), head, key))
    return make


def password_stanza(password, passes=3, memory_kib=65_536):
    def make(key, _tid, head):
        front = os.urandom(16) + u32(passes) + u32(memory_kib)
        wrap, commit = from_password(password, front[:16], passes, memory_kib)
        return _stanza(PASSWORD, bytes(8),
                       front + commit + AESGCM(wrap).encrypt(bytes(12), key, head + front))
    return make


def link_stanza(secret):
    def make(key, tid, head):
        wrapped = AESGCM(_link_key(secret, tid, b"wrap")).encrypt(bytes(12), key, head)
        return _stanza(LINK, bytes(8), _link_key(secret, tid, b"commit") + wrapped)
    return make


def _stanza(kind, kid, body):
    return u16(kind) + u16(len(body)) + kid + body


def _manifest_floe_key(key, tid):
    return derive(key, tid, "manifest"), b"plankurier/1 manifest\0" + tid


def statement(front, text):
    """What a department signs."""
    return (b"plankurier/1 manifest sig\0" + hashlib.sha512(front).digest()
            + hashlib.sha512(text).digest())


def seal(key, manifest, layout, stanzas, signer=None, is_answer=False):
    """`stanzas`: makers as above; `signer`: a signing seed. Gives envelope and body header."""
    tid, text = bytes.fromhex(manifest["tid"]), manifests.encode(manifest)
    plain_bytes = manifests.framed_bytes(text, signer is not None)
    segments = -(-plain_bytes // (STEP - OVERHEAD))
    outer = new_floe(key, tid, os.urandom(32))
    inner = Floe(*_manifest_floe_key(key, tid), os.urandom(32), STEP)
    head = (b"PKE1" + bytes([1, ANSWER if is_answer else 0]) + u16(len(stanzas)) + tid
            + u64(layout.body_len) + outer.header + inner.header
            + u32(plain_bytes + segments * OVERHEAD))
    front = head + b"".join(make(key, tid, head) for make in stanzas)
    signature = sign(signer, statement(front, text)) if signer else None
    plain = manifests.frame(text, signature)
    sealed = [inner.seal(i, i + 1 == segments, os.urandom(12), part) for i, part in enumerate(
        plain[at:at + STEP - OVERHEAD] for at in range(0, len(plain), STEP - OVERHEAD))]
    return front + _header_mac(key, tid, front) + b"".join(sealed), outer.header


def _header_mac(key, tid, front):
    return hmac384(derive(key, tid, "header"), front)[:32]


@dataclasses.dataclass
class View:
    """What can be read without a secret."""
    tid: bytes
    flags: int
    layout: Layout
    body_header: bytes
    manifest_header: bytes
    stanzas: list  # (type, kid, body)
    front: bytes   # all before the MAC
    mac: bytes
    sealed: bytes


def parse(octets):
    need(len(octets) <= BYTES_MAX, "too_large")
    given = Reader(octets)
    need(given.take(4) == b"PKE1")
    suite, flags, count, tid = given.number(1), given.number(1), given.number(2), given.take(16)
    body_len, body_header, manifest_header = given.number(8), given.take(HEADER), given.take(HEADER)
    manifest_bytes = given.number(4)
    need(suite == 1, "unsupported")
    need(flags & ~(HYBRID | ANSWER) == 0, "unsupported")
    need(1 <= count <= STANZAS_MAX)
    need(manifest_bytes <= 2 << 20, "too_large")
    layout = Layout(body_len)
    stanzas = []
    for _ in range(count):
        kind, length, kid = given.number(2), given.number(2), given.take(8)
        stanzas.append((kind, kid, given.take(length)))
        need(BODIES.get(kind, length) == length)
    front, mac = octets[:given.at], given.take(32)
    sealed = given.take(manifest_bytes)
    need(sealed)
    given.end()
    _check_stanzas(stanzas, flags)
    return View(tid, flags, layout, body_header, manifest_header, stanzas, front, mac, sealed)


def _check_stanzas(stanzas, flags):
    kinds = [kind for kind, _, _ in stanzas]
    dear = [body for kind, _, body in stanzas if kind in (2, 4)]
    need(len(dear) <= 1)
    for body in dear:
        check_cost(int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big"))
    need(not (flags & HYBRID and {1, 5} & set(kinds)))
    need(not (flags & ANSWER and {2, 3, 4} & set(kinds)))


def by_seed(seed, kind):
    """A way to TK: takes a View."""
    def key_of(view):
        private, public = key_pair(seed, kind)
        for wanted in (kid_of(kind, public), bytes(8)):
            for found, kid, body in view.stanzas:
                if found != kind or kid != wanted:
                    continue
                enc, sealed = body[:kem.POINT_BYTES[kind]], body[kem.POINT_BYTES[kind]:]
                try:
                    return kem.open_(kind, private, enc, _info(kind, view.tid, kid),
                                     view.front[:HEAD], sealed)
                except Refused as refused:
                    if refused.code == "malformed":
                        raise
        raise Refused("wrong_key")
    return key_of


def by_password(password):
    def key_of(view):
        for kind, _, body in view.stanzas:
            if kind != PASSWORD:
                continue
            passes, memory_kib = int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")
            wrap, commit = from_password(password, body[:16], passes, memory_kib)
            if same(commit, body[24:56]):
                return gcm_open(wrap, bytes(12), body[56:], view.front[:HEAD] + body[:24], "tampered")
        raise Refused("wrong_password")
    return key_of


def by_link(secret):
    def key_of(view):
        for kind, _, body in view.stanzas:
            if kind == LINK and same(body[:32], _link_key(secret, view.tid, b"commit")):
                return gcm_open(_link_key(secret, view.tid, b"wrap"), bytes(12), body[32:],
                                view.front[:HEAD], "tampered")
        raise Refused("wrong_key")
    return key_of


def by_key(key):
    return lambda view: key


@dataclasses.dataclass
class Opened:
    key: bytes
    view: View
    manifest: dict
    reply: tuple  # type and public key, or None
    text: bytes
    signature: bytes

    @property
    def is_answer(self):
        return bool(self.view.flags & ANSWER)


def open_(octets, key_of):
    view = parse(octets)
    key = key_of(view)
    need(same(view.mac, _header_mac(key, view.tid, view.front)), "tampered")
    floe_of(key, view.tid, view.body_header)
    inner = Floe.of_header(*_manifest_floe_key(key, view.tid), view.manifest_header, STEP)
    count = -(-len(view.sealed) // STEP)
    plain = b"".join(inner.open(i, i + 1 == count, view.sealed[i * STEP:(i + 1) * STEP])
                     for i in range(count))
    text, signature = manifests.unframe(plain)
    manifest, reply = manifests.decode(text)
    need(bytes.fromhex(manifest["tid"]) == view.tid, "tampered")
    need(manifests.content_bytes(manifest) <= view.layout.body_len, "tampered")
    return Opened(key, view, manifest, reply, text, signature)


def signer_of(opened, directory):
    """(id of the department or clerk, kid), or None when nobody signed."""
    if not opened.signature:
        return None
    created, signed = opened.manifest["created"], statement(opened.view.front, opened.text)
    for one in directory.listed():
        for key in one["sign"]:
            if (key["kid"] not in directory.revoked
                    and key["from"] - 86_400 <= created < key["until"] + 86_400
                    and verifies(key["pk"], signed, opened.signature)):
                return one["id"], key["kid"]
    raise Refused("bad_signature")
