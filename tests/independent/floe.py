"""FLOE as docs/protocol.md, section 6, has it."""
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .octets import Refused, hmac384, need, same, u32, u64

OVERHEAD = 32
HEADER = 74


class Floe:
    def __init__(self, key, aad, iv, segment, rotation=20):
        self.aad, self.segment, self.rotation = aad, segment, rotation
        self.front = b"\0\0" + u32(segment) + u32(32) + iv
        self.header = self.front + self._expand(key, b"HEADER_TAG:")[:32]
        self.message_key = self._expand(key, b"MESSAGE_KEY:")
        self.ciphers = {}

    @classmethod
    def of_header(cls, key, aad, header, segment):
        floe = cls(key, aad, header[10:42], segment)
        need(header[:10] == floe.header[:10])
        need(same(header, floe.header), "tampered")
        return floe

    def _expand(self, key, purpose):
        return hmac384(key, self.front, purpose, self.aad, b"\1")

    def _cipher(self, position):
        first = position >> self.rotation << self.rotation
        if first not in self.ciphers:
            self.ciphers = {first: AESGCM(self._expand(self.message_key, b"DEK:" + u64(first))[:32])}
        return self.ciphers[first]

    def seal(self, position, last, iv, plain):
        head = u32(len(plain) + OVERHEAD) if last else b"\xff" * 4
        place = u64(position) + bytes([last])
        return head + iv + self._cipher(position).encrypt(iv, plain, place)

    def open(self, position, last, sealed):
        need(OVERHEAD <= len(sealed) <= self.segment, "tampered")
        need(last or len(sealed) == self.segment, "tampered")
        need(sealed[:4] == (u32(len(sealed)) if last else b"\xff" * 4), "tampered")
        place = u64(position) + bytes([last])
        try:
            return self._cipher(position).decrypt(sealed[4:16], sealed[16:], place)
        except InvalidTag:
            raise Refused("tampered") from None
