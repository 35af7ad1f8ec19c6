"""Speaks to control and piece plane without our client, and makes transfers that nobody can open.

A `RawTransfer` is as real for relays as any other: ticket, pieces, descriptors, receipts, finish.
Only what is sealed in it is random. Its tokens are known, so a test can ask for tickets and
certificates as an invited recipient would.
"""
import base64
import hashlib
import http.client
import json
import os
import socket
import ssl
import struct
import urllib.parse

import checks
import merkle
import world

PIECE = 262_144
PLAIN = 262_144 - 32
VOLUME_PIECES = 64


def b64url(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def b64url_bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Wire:
    """`direct`: past nginx and its limits, for many calls."""

    def __init__(self, service, direct=False):
        self.service, self.direct = service, direct
        self.tls = ssl.create_default_context(cafile=service.ca)
        self.lines = {}

    def _line(self, base):
        if base == self.service.server and self.direct:
            return UnixConnection(self.service.data / "control.sock")
        url = urllib.parse.urlsplit(base)
        return http.client.HTTPSConnection(url.hostname, url.port, context=self.tls, timeout=30)

    def call(self, base, method, path, body=b"", headers=None):
        """Any answer as (status, bytes)."""
        status, _, content = self.ask(base, method, path, body, headers)
        return status, content

    def ask(self, base, method, path, body=b"", headers=None):
        """Any answer as (status, headers, bytes). Keeps its lines; a line that was closed is made
        anew."""
        for fresh in (False, True):
            if fresh or base not in self.lines:
                self.lines[base] = self._line(base)
            line = self.lines[base]
            try:
                line.request(method, path, body, headers or {})
                answer = line.getresponse()
                content = answer.read()
                if answer.will_close:
                    self.lines.pop(base).close()
                return answer.status, answer.headers, content
            except (http.client.HTTPException, OSError):
                self.lines.pop(base).close()
                if fresh:
                    raise
        raise AssertionError("not reached")

    def control(self, method, path, body=None, headers=None):
        """(status, what the control plane says)."""
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        status, content = self.call(self.service.server, method, path, raw,
                                    {"Content-Type": "application/json", **(headers or {})})
        return status, json.loads(content or b"{}")

    def post(self, path, body, headers=None):
        return self.control("POST", path, body, headers)

    def verified_session(self, address):
        before = self.service.code_mails(address)
        _, begun = self.post("/v1/verifications", {"email": address, "language": "de"})
        session = {"Plankurier-Session": begun["session"]}
        codes = lambda: self.service.code_mails(address).items()
        new = world.wait_until(lambda: [code for key, code in codes() if key not in before],
                               what="code mail")
        self.post("/v1/verifications/check", {"code": new[-1]}, session)
        return session


def good(answer):
    status, content = answer
    if status not in (200, 201, 202, 204):
        raise AssertionError(f"status {status}: {content}")
    return content


P256, LINK = (5, 65 + 48), (3, 32 + 48)  # types of stanzas, and bytes behind their kid


def envelope(tid, body_len, opens=P256):
    """The form of docs/protocol.md, section 8, for one recipient."""
    stanza = struct.pack(">HH", *opens) + os.urandom(8 + opens[1])
    manifest = 8_192
    body, small = bytes.fromhex("00000004000000000020"), bytes.fromhex("00000001000000000020")
    return (b"PKE1" + struct.pack(">BBH", 1, 0, 1) + tid + struct.pack(">Q", body_len)
            + body + os.urandom(64) + small + os.urandom(64) + struct.pack(">I", manifest)
            + stanza + os.urandom(32) + os.urandom(manifest))


class RawTransfer:
    """`pieces`: how many of 256 KiB."""

    def __init__(self, wire, pieces=1, session=None):
        self.wire, self.pieces = wire, pieces
        self.tid, self.manage, self.fetch = os.urandom(16), os.urandom(32), os.urandom(32)
        self.body_len = pieces * PLAIN
        self.descriptors = {}
        session = session or wire.verified_session(world.SENDER)
        digest = lambda raw: b64url(hashlib.sha256(raw).digest())
        good(wire.post("/v1/transfers",
                       {"tid": self.tid.hex(), "department": "bauamt", "body_len": self.body_len,
                        "expiry_days": 7, "notify_fetch": False, "language": "de",
                        "fetch_sha256": digest(self.fetch), "manage_sha256": digest(self.manage)},
                       session))
        name = {"Plankurier-Transfer": self.tid.hex()}
        self.as_sender = {**name, "Plankurier-Manage": b64url(self.manage)}
        self.as_recipient = {**name, "Plankurier-Fetch": b64url(self.fetch)}
        good(wire.control("PUT", "/v1/envelope", self._envelope(), self.as_sender))

    @property
    def path(self):
        return f"/v1/{self.tid.hex()}"

    @property
    def volumes(self):
        return -(-self.pieces // VOLUME_PIECES)

    def _envelope(self):
        return envelope(self.tid, self.body_len)

    def ticket(self, headers):
        """The authorization header, and the relays offered with it."""
        told = good(self.wire.post("/v1/tickets", {}, headers))
        return {"Authorization": f"Plankurier {told['ticket']}"}, told["relays"]

    def send(self, relay_url):
        """Every volume to one relay, with its descriptor; waits until that is durable."""
        put, _ = self.ticket(self.as_sender)
        for volume in range(self.volumes):
            count = min(VOLUME_PIECES, self.pieces - volume * VOLUME_PIECES)
            roots = []
            for piece in range(count):
                content = os.urandom(PIECE)
                roots.append(merkle.piece_root(content))
                good(self.wire.call(relay_url, "PUT", f"{self.path}/{volume}/{piece}", content, put))
            self.descriptors[volume] = (merkle.descriptor_body(volume, roots, PIECE)
                                        + os.urandom(32))
            durable = lambda: self.wire.call(relay_url, "PUT", f"{self.path}/{volume}",
                                             self.descriptors[volume], put)[0] == 204
            world.wait_until(durable, what="a durable descriptor")
        return self

    def finish(self, relay_urls):
        """`available`, by the receipts of these relays."""
        put, _ = self.ticket(self.as_sender)
        receipts = []
        for url in relay_urls:
            signed = world.wait_until(lambda: self._stored(url, put), what="a stored receipt")
            receipts.append(signed)
        good(self.wire.post("/v1/transfers/finish",
                            {"receipts": receipts, "content_root": self.content_root},
                            self.as_sender))
        checks.acknowledged.append(self.tid)
        return self

    @property
    def content_root(self):
        """Of what was sent, as `finish` wants to know it."""
        return b64url(hashlib.sha256(b"".join(self.descriptors[volume]
                                              for volume in sorted(self.descriptors))).digest())

    def _stored(self, url, put):
        status, content = self.wire.call(url, "POST", f"{self.path}/stored", b"{}", put)
        return json.loads(content)["receipt"] if status == 200 else None

    def read_piece(self, relay_url, ticket, volume=0, piece=0):
        return self.wire.call(relay_url, "GET", f"{self.path}/{volume}/{piece}", b"", ticket)

    def swarm_port(self, relay_url, volume=0):
        """Has the volume loaded and tells the port, as a recipient would."""
        get, _ = self.ticket(self.as_recipient)
        told = good(self.wire.call(relay_url, "POST", f"{self.path}/{volume}/swarm", b"{}", get))
        return json.loads(told)["port"]

    def certificate(self, public_key_der):
        """(authority, certificate), both PEM."""
        told = good(self.wire.post("/v1/swarm/certificate",
                                   {"public_key": b64url(public_key_der)}, self.as_recipient))
        return told["authority"], told["certificate"]

    def revoke(self):
        good(self.wire.post("/v1/transfers/revoke", {}, self.as_sender))
