"""The body: its cut, its segments, its trees (docs/protocol.md, sections 6 and 7)."""
import hashlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .floe import Floe
from .octets import NUMBER_MAX, Reader, derive, hmac256, hmac384, need, padme, same, sha256, u16, u32, u64

SEGMENT, PLAIN, BLOCK, VOLUME_PIECES = 262_144, 262_112, 16_384, 64


def _piece_bytes(length):
    for limit, segments in ((64 << 20, 1), (1 << 30, 4), (256 << 30, 16)):
        if length < limit:
            return SEGMENT * segments
    return SEGMENT * 64


class Layout:
    def __init__(self, body_len):
        self.body_len, self.piece_bytes = body_len, _piece_bytes(body_len)
        self.piece_segments = self.piece_bytes // SEGMENT
        need(0 < body_len <= NUMBER_MAX and body_len % (self.piece_segments * PLAIN) == 0)
        self.segments = body_len // PLAIN
        self.pieces = self.segments // self.piece_segments
        self.volumes = -(-self.pieces // VOLUME_PIECES)

    @classmethod
    def for_content(cls, content_bytes):
        padded = padme(content_bytes)
        piece_plain = _piece_bytes(padded) // SEGMENT * PLAIN
        body_len = -(-padded // piece_plain) * piece_plain
        need(body_len <= NUMBER_MAX, "too_large")
        return cls(body_len)

    def pieces_in(self, volume):
        return max(0, min(VOLUME_PIECES, self.pieces - volume * VOLUME_PIECES))


def floe_aad(tid):
    return b"plankurier/1 body\0" + tid


def new_floe(key, tid, iv):
    return Floe(derive(key, tid, "body"), floe_aad(tid), iv, SEGMENT)


def floe_of(key, tid, header):
    return Floe.of_header(derive(key, tid, "body"), floe_aad(tid), header, SEGMENT)


class Sealer:
    def __init__(self, key, tid, header, segments):
        self.floe, self.segments = floe_of(key, tid, header), segments
        self.hash, self.iv_key = AESGCM(derive(key, tid, "iv-hash")), derive(key, tid, "iv")

    def iv(self, index, last, plain):
        tag = self.hash.encrypt(u32(last) + u64(index), b"", plain)  # GMAC
        return hmac256(self.iv_key, tag)[:12]

    def seal(self, index, plain):
        last = index + 1 == self.segments
        return self.floe.seal(index, last, self.iv(index, last, plain), plain)


def _tree(nodes, pad):
    nodes = list(nodes)
    while len(nodes) > 1:
        if len(nodes) % 2:
            nodes.append(pad)
        nodes = [sha256(*nodes[at:at + 2]) for at in range(0, len(nodes), 2)]
        pad = sha256(pad, pad)
    return nodes[0]


def piece_root(piece):
    blocks = range(0, len(piece), BLOCK)
    return _tree([hashlib.sha256(piece[at:at + BLOCK]).digest() for at in blocks], bytes(32))


def volume_root(roots, piece_bytes):
    pad = bytes(32)
    for _ in range((piece_bytes // BLOCK).bit_length() - 1):
        pad = sha256(pad, pad)
    return _tree(roots, pad)


def _mac(key, tid, front):
    return hmac384(derive(key, tid, "descriptor"), front)[:32]


def make_descriptor(key, tid, volume, piece_bytes, roots):
    front = (u32(volume) + u64(piece_bytes * len(roots)) + volume_root(roots, piece_bytes)
             + u16(len(roots)) + b"".join(roots))
    return front + _mac(key, tid, front)


def check_descriptor(octets, key, tid, layout):
    """(volume, root of the volume, roots of its pieces)."""
    given = Reader(octets)
    volume, length, root, count = (given.number(4), given.number(8), given.take(32),
                                   given.number(2))
    need(1 <= count <= VOLUME_PIECES)
    roots, mac = [given.take(32) for _ in range(count)], given.take(32)
    given.end()
    need(same(mac, _mac(key, tid, octets[:-32])), "tampered")
    need(volume < layout.volumes and count == layout.pieces_in(volume)
         and length == count * layout.piece_bytes
         and root == volume_root(roots, layout.piece_bytes), "tampered")
    return volume, root, roots
