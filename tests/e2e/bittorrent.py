"""What a stranger needs to speak BitTorrent v2 to a swarm port, and a proxy that writes down what it gets.

Info-hash and messages are put together by hand (BEP 3, BEP 52), so that neither our engine nor
libtorrent vouches for itself.
"""
import contextlib
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

PROTOCOL = b"\x13BitTorrent protocol"
# Reserved bits: extension protocol (BEP 10) and v2 (BEP 52).
RESERVED = bytes([0, 0, 0, 0, 0, 0x10, 0, 0x10])
HANDSHAKE_BYTES = 68
# `hashes` (22) for a file whose root is all zeros: what a pad file has, and what libtorrent 2.0.8
# falls over if the torrent ends with one. Base layer, index, length, proof layers, two hashes.
CRASH = struct.pack(">IB", 1 + 32 + 16 + 64, 22) + bytes(32) + struct.pack(">IIII", 0, 0, 2, 0) \
    + bytes(64)


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:" % len(value) + value
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def volume_info_hash(descriptor, tid, piece_bytes, authority=""):
    """SHA-256 of the info dictionary of a volume's torrent (docs/architecture.md, "Swarm").
    `authority`: PEM of the CA, for the swarm under TLS."""
    volume, length = struct.unpack(">IQ", descriptor[:12])
    name = f"{tid.hex()}{volume:08x}"
    info = {"file tree": {name: {"": {"length": length, "pieces root": descriptor[12:44]}}},
            "meta version": 2, "name": name, "piece length": piece_bytes, "private": 1}
    if authority:
        info["ssl-cert"] = authority
    return hashlib.sha256(bencode(info)).digest()


def handshake(info_hash):
    return PROTOCOL + RESERVED + info_hash[:20] + b"-XX0001-" + os.urandom(12)


class Identity:
    """A key with a certificate, in two files; by default one that nobody has signed."""

    def __init__(self, folder, name):
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-out", self.key], check=True,
                       capture_output=True)

    def public_key_der(self):
        return subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"],
                              check=True, capture_output=True).stdout

    def invited(self, transfer):
        """By the control plane, as a recipient."""
        self.authority, certificate = transfer.certificate(self.public_key_der())
        self.certificate.write_text(certificate)
        return self

    def self_signed(self, common_name):
        self._openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={common_name}",
                      "-days", "1", "-out", self.certificate)
        return self

    def signed_long_ago(self, common_name, authority, authority_key):
        """By the right authority, for one day, three days ago."""
        request = self.certificate.with_suffix(".csr")
        self._openssl("req", "-new", "-key", self.key, "-subj", f"/CN={common_name}", "-out",
                      request)
        self._openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key,
                      "-days", "1", "-set_serial", "7", "-out", self.certificate,
                      before=["faketime", "3 days ago"])
        return self

    def _openssl(self, *arguments, before=()):
        subprocess.run([*before, "openssl", *map(str, arguments)], check=True, capture_output=True)


class Recorder:
    """A TCP proxy in front of a port. `after_answer` counts what the server said after the client's
    answer to the server's first words: in a TLS handshake, after it has seen the certificate."""

    def __init__(self, port_behind, address="127.0.0.1"):
        self.behind = (address, port_behind)
        self.from_server, self.marked_at = b"", None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        server = socket.create_connection(self.behind)
        for source, target in ((client, server), (server, client)):
            thread = threading.Thread(target=self._carry, args=(source, target, source is server),
                                      daemon=True)
            self.threads.append(thread)
            thread.start()

    def _carry(self, source, target, is_server):
        with contextlib.suppress(OSError):
            while part := source.recv(65_536):
                if is_server:
                    self.from_server += part
                elif self.from_server and self.marked_at is None:
                    self.marked_at = len(self.from_server)
                target.sendall(part)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def wait(self):
        for thread in list(self.threads):
            thread.join(10)

    @property
    def after_answer(self):
        return b"" if self.marked_at is None else self.from_server[self.marked_at:]


def tls_records(raw):
    """[(type, length)] of whole and broken records."""
    out = []
    while len(raw) >= 5:
        kind, _, length = struct.unpack(">BHH", raw[:5])
        out.append((kind, min(length, len(raw) - 5)))
        raw = raw[5 + length:]
    return out


def only_alerts(raw):
    """Nothing but TLS alerts: in clear (21), or sealed by TLS 1.3, where 2 bytes become 19."""
    return all(kind == 21 or (kind == 23 and length == 19) for kind, length in tls_records(raw))


class Said:
    """What a port told somebody who spoke to it."""

    def __init__(self, application, recorder):
        self.application = application  # what the caller could read
        self.from_server, self.after_answer = recorder.from_server, recorder.after_answer

    def is_nothing(self):
        return (not self.application and only_alerts(self.after_answer)
                and PROTOCOL not in self.from_server)


def _converse(line, messages, patience_s):
    """Sends everything, reads until the other side ends or is silent."""
    got = b""
    with contextlib.suppress(OSError):
        line.settimeout(patience_s)
        for message in messages:
            line.sendall(message)
            time.sleep(0.05)  # as parts of their own, so that each reaches the parser
        while part := line.recv(65_536):
            got += part
    return got


def speak_tls(port, messages, sni=None, identity=None, version=None, patience_s=1.0):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if identity:
        context.load_cert_chain(identity.certificate, identity.key)
    got = b""
    with Recorder(port) as recorder:
        with contextlib.suppress(OSError), socket.create_connection(
                ("127.0.0.1", recorder.port), patience_s * 5) as raw, \
                context.wrap_socket(raw, server_hostname=sni) as line:
            got = _converse(line, messages, patience_s)
        recorder.wait()
        return Said(got, recorder)


def speak_plain(port, messages, source="127.0.0.1", patience_s=1.0):
    """Without a proxy: the port must see the caller's own address."""
    with contextlib.suppress(OSError), socket.create_connection(
            ("127.0.0.1", port), 5, source_address=(source, 0)) as line:
        return _converse(line, messages, patience_s)
    return b""


def _messages(line):
    """Those of the other side after its handshake, as (id, payload)."""
    buffer = b""
    while True:
        while len(buffer) >= 4 and len(buffer) >= 4 + int.from_bytes(buffer[:4], "big"):
            length = int.from_bytes(buffer[:4], "big")
            if length:
                yield buffer[4], buffer[5:4 + length]
            buffer = buffer[4 + length:]
        part = line.recv(65_536)
        if not part:
            return
        buffer += part


def first_block(port, info_hash, identity, patience_s=10.0):
    """The first 16 KiB of a volume, asked for by hand; less if the other side does not give it."""
    unchoke, interested, request, piece = 1, 2, 6, 7
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(identity.certificate, identity.key)
    with socket.create_connection(("127.0.0.1", port), patience_s) as raw, \
            context.wrap_socket(raw, server_hostname=info_hash[:20].hex()) as line:
        line.sendall(handshake(info_hash) + struct.pack(">IB", 1, interested))
        greeting = b""
        while len(greeting) < HANDSHAKE_BYTES:
            part = line.recv(HANDSHAKE_BYTES - len(greeting))
            if not part:
                return b""
            greeting += part
        for kind, payload in _messages(line):
            if kind == unchoke:
                line.sendall(struct.pack(">IBIII", 13, request, 0, 0, 16_384))
            if kind == piece:
                return payload[8:]
    return b""
